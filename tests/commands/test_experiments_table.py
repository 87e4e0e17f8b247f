"""`shallowdeep experiments`: all experiments in one table that is read without scrolling."""

import json
import re
import shutil

import pytest
from checkouts import commit, run
from in_process import dvc_main, told

from shallowdeep.commands.experiments_table import HEAD


@pytest.fixture
def table(longer_project, capsys, monkeypatch):
    """The table's head, its rows, and what stands below it."""
    monkeypatch.chdir(longer_project)

    def call(width=100):
        monkeypatch.setenv("COLUMNS", str(width))
        capsys.readouterr()
        assert told("experiments") == ""
        lines, _, below = capsys.readouterr().out.strip().partition("\n\n")
        head, _, *rows = lines.splitlines()
        return head, rows, below

    return call


def test_each_has_its_change_its_scores_and_its_verdict(longer_project, table):
    """As metrics.json has them, in 100 columns, also after a commit; 80 wrap the change only."""
    found = json.loads((longer_project / "results/metrics.json").read_text())
    ends = [100 * found["difference"]["balanced_accuracy"][end] for end in ("mean", "low", "high")]
    scores = [found[name]["balanced_accuracy"]["mean"] for name in ("shallow", "deep")]
    for committed in (False, True):
        if committed:
            commit(longer_project)
        head, rows, below = table()
        assert re.split(" {2,}", head) == list(HEAD)
        assert below == ""
        assert max(map(len, [head, *rows])) <= 100
        (row,) = [row for row in rows if row.startswith("longer")]
        shown = [float(number) for number in re.findall(r"[-+]?\d+\.\d+", row)]
        assert shown == pytest.approx([*scores, *ends], abs=0.051)
        assert re.search(r"\bepochs=3\b", row)
        assert row.endswith(found["verdict"])
    (row,) = [row for row in table(width=80)[1] if row.startswith("longer")]
    assert re.search(r"\d\.\d{3} .*\d \([-+].* (deep|shallow|equal|undecided)$", row)


def test_what_has_no_results_or_stale_ones_has_no_numbers(longer_project, table):
    """Queued, of a stage only, an edited commit, and a workspace whose params.yaml was edited."""
    run(longer_project, "git", "stash")
    queued = ("exp", "run", "--queue", "--name", "queued", "-S", "seed=7", "-S", "lr=0.02")
    dvc_main(longer_project, *queued)
    dvc_main(longer_project, "exp", "run", "--name", "part", "-S", "epochs=4", "prepare")
    path = longer_project / "params.yaml"
    path.write_text(path.read_text().replace("epochs: 4", "epochs: 5", 1))
    run(longer_project, "git", "commit", "--quiet", "--message", "edited", "params.yaml")
    path.write_text(path.read_text().replace("epochs: 5", "epochs: 6", 1))
    _, rows, below = table()
    told_of = {row.split()[0]: row.split()[1:] for row in rows if "(" not in row}
    assert told_of == {
        "main": ["stale"],
        "part": ["epochs=4", "stale"],
        "queued": ["seed=7,", "lr=0.02", "queued"],
    }
    assert [row for row in rows if row.startswith("longer")]
    assert not [row for row in rows if row.startswith("workspace")]
    assert below.startswith("workspace: these results are of epochs 2, not 6")


def test_without_commits_or_a_project_it_is_one_line(project, monkeypatch):
    """DVC's and git's errors, whichever they are, without their colours."""
    shutil.rmtree(project / ".git")
    run(project, "git", "init", "--quiet")
    monkeypatch.chdir(project)
    message = told("experiments")
    assert message.startswith("experiments: ") and "\n" not in message
    assert "x1b" not in message
    monkeypatch.chdir(project.parent)
    assert "there is no dvc.yaml here" in told("experiments")
