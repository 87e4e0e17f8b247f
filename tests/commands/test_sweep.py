"""`make sweep` runs every combination through DVC's queue and says what came of each."""

import csv
import json
import xml.etree.ElementTree as ET

import pytest
from checkouts import ROOT, run, with_environment

from shallowdeep.commands.sweep import names_of, settings_of
from shallowdeep.files.errors import InputError


def test_every_combination_is_an_experiment(monkeypatch):
    """In the order in which DVC numbers them; lists are values too."""
    monkeypatch.chdir(ROOT)
    found = settings_of(["epochs=1,2", "models.deep.hidden=[5,5,3],[8]"])
    assert [list(one.values()) for one in found] == [
        ["1", "[5,5,3]"],
        ["1", "[8]"],
        ["2", "[5,5,3]"],
        ["2", "[8]"],
    ]


@pytest.mark.parametrize(
    ("over", "names"),
    [
        (["epochs=2", "lr=0.1"], ["s"]),
        (["epochs=choice(2)"], ["s-1"]),
        (["epochs=2,3", "lr=0.1"], ["s-1", "s-2"]),
        (["models.deep.hidden=[5,3]"], ["s"]),
    ],
)
def test_experiments_are_found_under_the_names_that_dvc_gives_them(monkeypatch, over, names):
    """It numbers them where a value is a list of values, be it of one."""
    monkeypatch.chdir(ROOT)
    assert names_of("s", over, len(settings_of(over))) == names


@pytest.mark.parametrize(
    ("over", "message"),
    [
        (["epochs=1,0"], "params.yaml: epochs: 0 is below 1"),
        (["lr=0.1,x"], "params.yaml: lr: 'x' is not a number"),
        (["epochs"], "epochs: is no parameter with values, as in epochs=10,30,100"),
        (["epochs=1,[2"], "epochs=1,[2: params.yaml has no such parameter, or these are no values"),
        (["epoch=1,2"], "epoch=1,2: params.yaml has no such parameter, or these are no values"),
        (["epochs=range(1,2000)"], "1,999 experiments are more than 1,000"),
    ],
)
def test_a_slip_of_the_pen_is_told_before_anything_is_queued(monkeypatch, over, message):
    """One line."""
    monkeypatch.chdir(ROOT)
    with pytest.raises(InputError) as error:
        settings_of(over)
    assert str(error.value).startswith(message) and "\n" not in str(error.value)


def test_a_sweep(project):
    """A failed experiment is listed with its reason; the others are in the table."""
    with_environment(project)
    printed = run(
        *(project, "make", "--no-print-directory", "sweep", "JOBS=2"),
        "OVER=epochs=1,3 data.max_pixels=100000000,10",
    )
    *_, one, two, _, failed, also, count, together, written = printed.splitlines()
    shown = [line.split()[1:3] for line in (one, two)]
    assert shown == [["1", "100000000"], ["3", "100000000"]], printed
    assert failed.startswith("failed: sweep-") and also.startswith("failed: sweep-")
    assert "-2 (epochs=1 data.max_pixels=10): prepare: data: class cat: none of its" in failed
    assert count.startswith("This checkout has tried 3 experiments on these pictures: ")
    assert together.startswith("In 0 of 2 settings the deep network is ahead, in 0 the shallow")
    table = project / written.partition(" ")[0]
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epochs"] for row in rows] == ["1", "3"]
    refs = run(project, "git", "for-each-ref", "--format", "%(refname)", "refs/exps").split()
    for row in rows:
        (ref,) = (one for one in refs if one.endswith(row["experiment"]))
        found = json.loads(run(project, "git", "show", f"{ref}:results/metrics.json"))
        alone = found["difference"]["balanced_accuracy"]
        assert float(row["low_alone"]) == alone["low"] > float(row["low"])
        assert row["verdict_alone"] == found["verdict"]
    picture = ET.parse(table.with_suffix(".svg"))
    texts = [node.text for node in picture.iter("{http://www.w3.org/2000/svg}text")]
    title = "The verdict at each setting; deep minus shallow, points"
    assert {title, "epochs", "data.max_pixels", "1", "3", "undecided"} <= set(texts)


def test_where_all_fail_the_last_line_says_so(project):
    """And the status; a single combination is an experiment too."""
    printed = run(
        *(with_environment(project), "shallowdeep", "sweep", "data.max_pixels=10"), status=1
    )
    assert printed.splitlines()[-1] == "sweep: every experiment has failed"
    assert not (project / "sweeps").exists()


def test_without_values_make_says_what_it_takes(project):
    """As `make bench` does."""
    printed = run(with_environment(project), "make", "sweep", status=2)
    assert "make sweep: OVER is not given" in printed
