"""The benchmark trains what it says, everything of it, and says what it found."""

import itertools
import json
import math
import sys

import numpy as np
import pytest
from checkouts import ROOT
from PIL import Image

from shallowdeep.settings import params

sys.path.insert(0, str(ROOT / "benchmarks"))

import cost
import coverage
import epoch_times
import many_pictures
import peers
import pipeline_time
import simulated_sets
import slopes
import solvers
import solvers_report

# Python 3.12 and later warn where the loader's workers start: this process has threads.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """80 pictures of noise, dark ones and bright ones."""
    folder = tmp_path_factory.mktemp("benchmark") / "pictures"
    rng = np.random.default_rng(0)
    for name, darkest in (("cat", 0), ("dog", 128)):
        (folder / name).mkdir(parents=True)
        for number in range(40):
            noise = rng.integers(darkest, darkest + 128, (24, 24, 3), dtype=np.uint8)
            Image.fromarray(noise).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def settings():
    """params.yaml, with small pictures."""
    settings = params.read(ROOT / "params.yaml")
    return settings.model_copy(update={"data": settings.data.model_copy(update={"size": 16})})


@pytest.fixture(scope="module")
def found(photographs, settings):
    """The whole benchmark but the pipeline, in small."""
    return solvers.measure(
        photographs, settings, effort=solvers.QUICK, counts=(40, 80), pipeline_epochs=None
    )


def test_every_peer_learns(photographs, settings, tmp_path):
    """Ten epochs lower the training loss of every peer with both networks."""
    material = solvers.prepare(photographs, settings.data, tmp_path, seed=0)
    for peer in peers.peers():
        for hidden in epoch_times.NETWORKS.values():
            losses = peer.make(material, hidden).train(10)
            assert len(losses) == 10
            assert losses[-1] < losses[0] - 0.01 and losses[0] < 2, (
                f"{peer.name} {hidden}: {losses}"
            )


def test_every_row_is_there(found):
    """Each peer with each network, a ratio to the article's loop, and figures that are numbers."""
    rows = {(row["peer"], row["network"]) for row in found["epoch"]}
    names = [peer.name for peer in peers.peers()]
    assert rows == {(name, network) for name in names for network in ("shallow", "deep")}
    assert len(found["epoch"]) == len(rows)
    for row in found["epoch"]:
        assert row["seconds"]["median"] > 0
        assert math.isfinite(row["last_loss"])
        assert (row["times_faster"] == 1) == (row["peer"] == "article's loop")
    assert [one["pictures"] for one in found["cost"]] == [40, 80]


def test_the_report_names_every_peer_and_no_folder(found, photographs, tmp_path):
    """Tables, JSON and picture can be published as they are."""
    tables = solvers_report.tables(found)
    for peer in peers.peers():
        assert f"| {peer.name} |" in tables
    assert str(photographs.parent) not in tables + json.dumps(found)
    solvers_report.draw(found, tmp_path / "solvers.png")
    assert (tmp_path / "solvers.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_on_speed_has_the_committed_figures():
    """The first table, as the benchmark printed it."""
    found = json.loads((ROOT / "benchmarks/solvers.json").read_text())
    assert solvers_report.epoch_table(found) in (ROOT / "docs/speed.md").read_text()


def test_the_pipeline_is_followed_stage_by_stage(found, photographs):
    """A real `dvc exp run` in a clone: its stages' seconds are within its own."""
    changes = ("keep=best", "lr=[0.01,0.1]")
    pipeline = pipeline_time.measure(photographs, epochs=1, repetitions=1, changes=changes)
    assert list(pipeline.stages) == ["train-shallow", "train-deep", "evaluate"]
    assert 0 < pipeline.dvc_seconds < pipeline.seconds
    for name, stage in pipeline.stages.items():
        assert 0 <= stage.training < stage.seconds
        assert (stage.training > 0) == name.startswith("train")
    found_both = [solvers.plain(pipeline)] * 2  # with one learning rate, and with several
    tables = solvers_report.tables(found | {"pipelines": found_both[:1], "tuning": found_both})
    assert "| - train-deep |" in tables and "| four, each fold takes one |" in tables
    assert tables.count("outputs before training") == 2


def test_crossover_between_and_beyond_the_measured_counts():
    """Where dual has become as slow as primal; beyond, the ratio grows as the pictures do."""
    near = cost.Cost(1_000, 1.0, True, primal=2.0, dual_1=1.0, dual_10=1.0)
    far = cost.Cost(4_000, 1.0, True, primal=2.0, dual_1=4.0, dual_10=4.0)
    assert cost.crossover([near, far]) == pytest.approx(2_000)
    assert cost.crossover([near]) == pytest.approx(2_000)


def test_intervals_are_held_against_a_simulated_truth(tmp_path, monkeypatch):
    """Two data sets of pictures in groups, two learning rates, and random splits: the report."""
    world = simulated_sets.World("objects", "objects", 1, (0.1, 0.2), (200,))
    monkeypatch.setattr(simulated_sets, "RUNS", 2)
    simulated_sets.make_population(world, tmp_path, None)
    (tmp_path / "objects/200").mkdir()
    for kind, number in itertools.product(simulated_sets.KINDS, range(2)):
        simulated_sets.one(tmp_path, (kind, world, 200, number))
    (tmp_path / "worlds.json").write_text(json.dumps({"objects": world._asdict()}))
    found = coverage.cells(tmp_path)
    assert [(cell.grouped, cell.folds, cell.runs) for cell in found] == [
        (grouped, *design) for grouped in (True, False) for design in coverage.DESIGNS
    ]
    text = coverage.report(tmp_path, found, "a machine")
    assert "| objects, counted one by one | 200 " in text and "corrected t: covers" in text
    coverage.draw_report(found, tmp_path / "coverage.svg")
    assert (tmp_path / "coverage.svg").read_text().count("objects 200") >= 2


def test_as_many_pictures_are_blended_as_wanted(photographs, tmp_path):
    """Half of them of each class, all different, the same in every process."""
    many_pictures.blend_all(photographs, tmp_path, 220)
    for name in ("cat", "dog"):
        blends = [path.read_bytes() for path in (tmp_path / name).iterdir()]
        assert len(blends) == len(set(blends)) == 110


def test_slopes_are_multiplied(photographs):
    """Core hours are the sum of the rows; a slope of a real measurement is a positive number."""
    found = slopes.measure(photographs, few=60, many=2_060, most=400)
    assert min(found.decoding, found.hashing, found.means, found.dvc, found.training) > 0
    assert 1_000 < found.dvc_bytes < 20_000
    hour, n = 3_600.0, 1_000_000
    slope = slopes.Slopes(
        hour / n, hour / n, hour / n, 2 * hour / n**2, hour / n, 1, hour / n / 160
    )
    rows = {row[0].strip("*"): row[2] for row in slopes.table(slope)}
    assert rows["prepare: comparing for near-duplicates"] == "2 h"
    assert rows["core hours, single split"] == "6"
