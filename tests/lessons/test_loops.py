"""Every combination of loops is the same layer, and the loops that stay are needed."""

import csv
import re

import numpy as np
import pytest
from checkouts import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons import loops, propagation, vectorization
from lessons.needed_loops import wrong_by

LOOPS = ("samples", "neurons", "features")
often = settings(derandomize=True, deadline=None, max_examples=40)


@often
@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 7), st.integers(0, 2**32 - 1))
def test_every_variant_is_the_layer_of_propagation(n_prev, n, m, seed):
    """Forward and backward of all eight agree to 1e-12, sizes of 1 included."""
    rng = np.random.default_rng(seed)
    A_prev, W, b, dA = (rng.normal(size=s) for s in ((n_prev, m), (n, n_prev), (n, 1), (n, m)))
    A, cache = propagation.forward(A_prev, W, b, "relu")
    expected = (A, *propagation.backward(dA, cache, "relu"))
    for variant in loops.VARIANTS:
        ours = loops.forward(A_prev, W, b, loops=variant)
        found = (ours, *loops.backward(dA, A_prev, W, ours, loops=variant))
        for array, right in zip(found, expected, strict=True):
            assert array.shape == right.shape
            np.testing.assert_allclose(array, right, rtol=0, atol=1e-12)


class Counted(np.ndarray):
    """An array that counts how often it is read."""

    reads = 0

    def __getitem__(self, index):
        type(self).reads += 1
        return super().__getitem__(index)


@pytest.mark.parametrize("variant", loops.VARIANTS, ids=str)
def test_a_loop_takes_as_many_turns_as_it_has_indices(variant):
    """One read of the inputs for every turn: 7 samples, 3 neurons, 5 features, or 1 of each."""
    rng = np.random.default_rng(0)
    A_prev = rng.normal(size=(5, 7)).view(Counted)
    Counted.reads = 0
    loops.forward(A_prev, rng.normal(size=(3, 5)), np.zeros((3, 1)), loops=variant)
    turns = [count for count, out in zip((7, 3, 5), variant, strict=True) if out]
    assert Counted.reads == np.prod(turns, dtype=int)


def test_the_loops_that_stay_are_needed():
    """Done all at once, epochs, batches and layers each give wrong probabilities."""
    wrong = wrong_by()
    assert list(wrong) == ["epochs", "batches", "layers"]
    assert all(0.01 < by <= 1 for by in wrong.values())


def shape(page: str) -> list[str]:
    """The words of a page and its tables, without what is measured."""
    every = " ".join(page.split("\n\n")).split("|")
    return [re.sub(r"[\d.,e+-]*\d", "#", re.sub(r"\s+", " ", line)) for line in every]


def test_the_command_writes_table_chart_and_page(tmp_path, monkeypatch, capsys):
    """On pictures of one pixel, in a hurry; words and rows are those of the committed page."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(vectorization, "ENOUGH", 0.01)
    vectorization.main(["--size", "1"])
    said = capsys.readouterr().out
    for loop in (*LOOPS, "epochs", "batches", "layers"):
        assert re.search(rf"^\| {loop} \| (yes|no) \| \w.*", said, re.MULTILINE)
    for name in ("docs/vectorization.md", "benchmarks/vectorization.csv"):
        written, committed = ((folder / name).read_text() for folder in (tmp_path, ROOT))
        assert shape(written) == shape(committed)
    with (tmp_path / "benchmarks/vectorization.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [tuple(int(row[loop]) for loop in LOOPS) for row in rows] == loops.VARIANTS
    assert len(set(loops.VARIANTS)) == 8
    for row in rows:
        low, median, high = (float(row[f"seconds_{name}"]) for name in ("low", "median", "high"))
        assert 0 < low <= median <= high
    chart = (tmp_path / "benchmarks/vectorization.png").read_bytes()
    assert chart.startswith(b"\x89PNG")


@pytest.mark.parametrize("size", ["0", "-3", "100000"])
def test_a_size_out_of_range_is_one_line(tmp_path, size):
    """Nothing is written."""
    message = f"^vectorization: --size: {size} is not between 1 and 256$"
    with pytest.raises(SystemExit, match=message):
        vectorization.main([f"--size={size}", f"--to={tmp_path}"])
    assert not list(tmp_path.iterdir())
