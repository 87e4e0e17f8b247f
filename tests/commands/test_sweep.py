"""`make sweep` runs every combination through DVC's queue and says what came of each."""

import csv
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from checkouts import ROOT, run, with_environment
from in_process import told

from shallowdeep.commands import sweep
from shallowdeep.commands.sweep import names_of, settings_of
from shallowdeep.files.errors import InputError


@pytest.mark.parametrize(
    ("over", "values", "names"),
    [
        (["epochs=2", "lr=0.1"], [["2", "0.1"]], ["s"]),
        (["epochs=choice(2)"], [["2"]], ["s-1"]),
        (["epochs=2,3", "lr=0.1"], [["2", "0.1"], ["3", "0.1"]], ["s-1", "s-2"]),
        (["models.deep.hidden=[5,3]"], [["[5,3]"]], ["s"]),
        (
            ["epochs=1,2", "models.deep.hidden=[5,5,3],[8]"],
            [["1", "[5,5,3]"], ["1", "[8]"], ["2", "[5,5,3]"], ["2", "[8]"]],
            ["s-1", "s-2", "s-3", "s-4"],
        ),
    ],
)
def test_every_combination_is_an_experiment(monkeypatch, over, values, names):
    """In the order in which DVC numbers them, where a value is a list of values, be it of one."""
    monkeypatch.chdir(ROOT)
    found = settings_of(over)
    assert [list(one.values()) for one in found] == values
    assert names_of("s", over, len(found)) == names


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ("epochs=1,0", "params.yaml: epochs: 0 is below 1"),
        ("lr=0.1,x", "params.yaml: lr: 'x' is not a number"),
        ("epochs", "epochs: is no parameter with values, as in epochs=10,30,100"),
        ("epochs=1,[2", "epochs=1,[2: params.yaml has no such parameter, or these are no values"),
        ("epoch=1,2", "epoch=1,2: params.yaml has no such parameter, or these are no values"),
        ("epochs=range(1,2000)", "1,999 experiments are more than 1,000"),
    ],
)
def test_a_slip_of_the_pen_is_told_before_anything_is_queued(monkeypatch, over, message):
    """One line."""
    monkeypatch.chdir(ROOT)
    with pytest.raises(InputError) as error:
        settings_of([over])
    assert str(error.value).startswith(message) and "\n" not in str(error.value)


def test_the_queue_runs_all_and_one_that_fails_has_its_reason(longer_project):
    """It counts among the experiments on these pictures; the other has a line of the table."""
    printed = run(
        *(with_environment(longer_project), "make", "--no-print-directory", "sweep", "JOBS=2"),
        "OVER=epochs=3 data.max_pixels=100000000,10",
    )
    *_, one, _, failed, count, together, written = printed.splitlines()
    assert one.split()[0].startswith("sweep-") and one.split()[1:3] == ["3", "100000000"], printed
    assert failed.startswith("failed: sweep-")
    assert "-2 (epochs=3 data.max_pixels=10): prepare: data: class cat: none of its" in failed
    assert count.startswith("This checkout has tried 2 experiments on these pictures: ")
    assert together.startswith("In 0 of 1 settings the deep network is ahead, in 0 the shallow")
    assert (longer_project / written.partition(" ")[0]).exists()


@pytest.fixture
def ran(longer_project, monkeypatch):
    """The sweep runs nothing: its experiments have these names."""
    monkeypatch.chdir(longer_project)
    monkeypatch.setattr(sweep, "run_all", lambda *_, **__: None)
    return lambda *names: monkeypatch.setattr(sweep, "names_of", lambda *_: list(names))


def test_the_table_is_of_all_at_once(ran, capsys):
    """With each alone as its own results have it; the map shows the same."""
    ran("HEAD", "longer", "neither")
    assert told("sweep", "epochs=2,3,4 lr=0.01") == ""
    *_, one, two, _, failed, count, together, written = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in (one, two)] == [
        ["HEAD", "2", "0.01"],
        ["longer", "3", "0.01"],
    ]
    assert failed.startswith("failed: neither (epochs=4 lr=0.01): neither: ")
    assert count.startswith("This checkout has tried 2 experiments on these pictures: ")
    assert together.startswith("In 0 of 2 settings the deep network is ahead, in 0 the shallow")
    table = Path(written.partition(" ")[0])
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["experiment"], row["epochs"]) for row in rows] == [("HEAD", "2"), ("longer", "3")]
    refs = run(Path(), "git", "for-each-ref", "--format", "%(refname)", "refs/exps").split()
    (longer,) = (one for one in refs if one.endswith("longer"))
    for row, ref in zip(rows, ("HEAD", longer), strict=True):
        found = json.loads(run(Path(), "git", "show", f"{ref}:results/metrics.json"))
        alone = found["difference"]["balanced_accuracy"]
        assert float(row["low_alone"]) == alone["low"] > float(row["low"])
        assert row["verdict_alone"] == found["verdict"]
    picture = ET.parse(table.with_suffix(".svg"))
    texts = [node.text for node in picture.iter("{http://www.w3.org/2000/svg}text")]
    title = "The verdict at each setting; deep minus shallow, points"
    assert {title, "epochs", "lr", "2", "3", "0.01", "undecided"} <= set(texts)


def test_where_all_fail_the_last_line_says_so(ran):
    """And nothing is written."""
    ran("neither")
    assert told("sweep", "epochs=4") == "sweep: every experiment has failed"
    assert told("sweep", "--jobs", "0", "epochs=4") == "sweep: --jobs: 0 is below 1"
    assert not Path("sweeps").exists()
