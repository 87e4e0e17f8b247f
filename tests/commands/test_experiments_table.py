"""`shallowdeep experiments`: all experiments in one table that is read without scrolling."""

import json
import re
import shutil

import pytest
from checkouts import commit, run
from in_process import dvc_main, told

from shallowdeep.__main__ import main
from shallowdeep.commands.experiments_table import HEAD


def table(project, capsys, monkeypatch, width=100):
    """Lines of the table: head, then rows; and what stands below it."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("COLUMNS", str(width))
    capsys.readouterr()
    main(["experiments"])
    lines, _, below = capsys.readouterr().out.strip().partition("\n\n")
    return lines.splitlines(), below


def test_each_has_its_change_its_scores_and_its_verdict(longer_project, capsys, monkeypatch):
    """As metrics.json has them, in 100 columns; it is still there after a commit."""
    for committed in (False, True):
        if committed:
            commit(longer_project)
        (head, _, *rows), below = table(longer_project, capsys, monkeypatch)
        assert re.split(" {2,}", head) == list(HEAD)
        assert below == ""
        assert max(map(len, [head, *rows])) <= 100
        (row,) = [row for row in rows if row.startswith("longer")]
        found = json.loads((longer_project / "results/metrics.json").read_text())
        ends = [
            100 * found["difference"]["balanced_accuracy"][end] for end in ("mean", "low", "high")
        ]
        scores = [found[name]["balanced_accuracy"]["mean"] for name in ("shallow", "deep")]
        shown = [float(number) for number in re.findall(r"[-+]?\d+\.\d+", row)]
        assert shown == pytest.approx([*scores, *ends], abs=0.051)
        assert re.search(r"\bepochs=3\b", row)
        assert row.endswith(found["verdict"])


def test_what_has_no_results_says_so(longer_project, capsys, monkeypatch):
    """An experiment that waits in the queue, and a workspace whose params.yaml was edited."""
    run(longer_project, "git", "stash")
    dvc_main(
        longer_project, "exp", "run", "--queue", "--name", "queued", "-S", "seed=7", "-S", "lr=0.02"
    )
    path = longer_project / "params.yaml"
    path.write_text(path.read_text().replace("epochs: 2", "epochs: 4", 1))
    (_, _, *rows), below = table(longer_project, capsys, monkeypatch)
    (row,) = [row for row in rows if row.startswith("queued")]
    assert row.split() == ["queued", "seed=7,", "lr=0.02", "queued"]
    assert not [row for row in rows if row.startswith("workspace")]
    assert below.startswith("workspace: these results are of epochs 2, not 4")


def test_stale_results_have_no_numbers(longer_project, capsys, monkeypatch):
    """Of an experiment that ran a stage only, and of a commit whose params.yaml was edited."""
    run(longer_project, "git", "stash")
    dvc_main(longer_project, "exp", "run", "--name", "part", "-S", "epochs=4", "prepare")
    path = longer_project / "params.yaml"
    path.write_text(path.read_text().replace("epochs: 4", "epochs: 5", 1))
    run(longer_project, "git", "commit", "--quiet", "--message", "edited", "params.yaml")
    (_, _, *rows), _ = table(longer_project, capsys, monkeypatch)
    assert [row.split() for row in rows if "stale" in row] == [
        ["main", "stale"],
        ["part", "epochs=4", "stale"],
    ]
    assert [row for row in rows if row.startswith("longer") and "(" in row]


def test_a_narrow_terminal_wraps_what_was_changed_only(longer_project, capsys, monkeypatch):
    """Numbers stay beside their names."""
    (_, _, *rows), _ = table(longer_project, capsys, monkeypatch, width=80)
    (row,) = [row for row in rows if row.startswith("longer")]
    assert re.search(r"\d\.\d{3} .*\d \([-+].* (deep|shallow|equal|undecided)$", row)


def test_a_repository_without_commits_is_one_line(project, monkeypatch):
    """DVC's and git's errors, whichever they are, without their colours."""
    shutil.rmtree(project / ".git")
    run(project, "git", "init", "--quiet")
    monkeypatch.chdir(project)
    message = told("experiments")
    assert message.startswith("experiments: ") and "\n" not in message
    assert "x1b" not in message


def test_elsewhere_it_is_one_line(tmp_path, monkeypatch):
    """As all commands."""
    monkeypatch.chdir(tmp_path)
    assert "there is no dvc.yaml here" in told("experiments")
