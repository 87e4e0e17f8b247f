"""The page for learners is current, the same on any machine, and its Python runs."""

import re

import numpy as np
import pytest
from checkouts import ROOT

from lessons import by_hand


def test_the_committed_page_is_current(tmp_path, monkeypatch):
    """The command writes docs/by-hand.md, byte for byte."""
    monkeypatch.chdir(tmp_path)
    by_hand.main([])
    written = (tmp_path / "docs/by-hand.md").read_bytes()
    assert written == (ROOT / "docs/by-hand.md").read_bytes()


def test_no_digit_hangs_on_the_last_bits():
    """Inputs a little off, far more than machines differ, give the same page, without -0 or NaN."""
    for off in (1e-10, -1e-10):
        assert by_hand.page(by_hand.X * (1 + off)) == by_hand.page()
        assert by_hand.page(by_hand.X + off) == by_hand.page()
    assert not re.search(r"-0(?![.\d])|-0\.0*(?!\d)|nan|inf\b", by_hand.page())


def test_the_readers_turn_works(capsys):
    """The page's Python prints the page's two losses first, then smaller and smaller ones."""
    (block,) = re.findall(r"```python\n(.*?)```", by_hand.page(), re.DOTALL)
    exec(block, {})
    losses = [float(line) for line in capsys.readouterr().out.split()]
    assert f"from {losses[0]:.4f} to **{losses[1]:.4f}**" in by_hand.page()
    assert (np.diff(losses) < 0).all()


def test_a_path_that_cannot_be_written_is_one_line(tmp_path):
    """And no traceback."""
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match=r"^by-hand: [^\n]+$"):
        by_hand.main([str(tmp_path / "file/page.md")])
