"""The whole pipeline on a miniature picture set, with real git and DVC."""

import csv
import hashlib
import json

import numpy as np
import pytest
import yaml
from checkouts import clone, run
from documents import blocks
from dvc.utils.serialize import load_yaml
from in_process import dvc_main
from safetensors.numpy import load_file

from shallowdeep.trained import model

RESULTS = [
    "models/deep/history.csv",
    "models/shallow/history.csv",
    "results/data.json",
    "results/metrics.json",
    "results/near_duplicates.csv",
    "results/plots/accuracy_by_run.csv",
    "results/plots/calibration.csv",
    "results/plots/confusion.csv",
    "results/plots/difference_by_epoch.csv",
    "results/plots/first_layer.jpg",
    "results/plots/learning_curves.csv",
    "results/plots/learning_curves.svg",
    "results/plots/roc.csv",
    "results/rejected.csv",
    "results/scores.csv",
]


def history(project, name):
    with (project / "models" / name / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def epochs(project, name):
    return max(int(row["epoch"]) for row in history(project, name))


def test_a_run_leaves_metrics_that_git_holds(miniature):
    """Everything small is committed, so that a diff works on a fresh clone; nothing large is."""
    committed = run(miniature, "git", "ls-files", "results", "models", "data").split()
    assert [name for name in committed if not name.startswith("data")] == RESULTS
    metrics = json.loads((miniature / "results/metrics.json").read_text())
    for name in ("shallow", "deep"):
        assert 0 <= metrics[name]["balanced_accuracy"]["mean"] <= 1


def test_a_second_run_does_nothing(project):
    """And a first run from nothing gives the same bytes: git sees no change."""
    assert "Data and pipelines are up to date." in dvc_main(project, "repro")
    for output in ("data/prepared", "models"):
        run(project, "rm", "-r", output)
    dvc_main(project, "repro", "--force", "--no-run-cache")
    assert run(project, "git", "status", "--porcelain") == ""


def test_an_experiment_with_more_epochs_and_back(longer_project, miniature):
    """10 -> 100 -> 10 trains twice, not three times: the run cache gives the first result back."""
    project = longer_project
    before = (miniature / "results/metrics.json").read_text()
    assert (epochs(project, "shallow"), epochs(project, "deep")) == (3, 3)
    diff = dvc_main(project, "metrics", "diff")
    assert "deep.log_loss" in diff
    assert len(diff.splitlines()) <= 22
    assert "epochs" in dvc_main(project, "params", "diff")
    back = dvc_main(project, "exp", "run", "-S", "epochs=2")
    assert back.count("is cached - skipping run") == 3
    assert (project / "results/metrics.json").read_text() == before


def test_learning_rates_and_a_share_as_typed(project):
    """The history has all learning rates; half of 32 training pictures are used."""
    dvc_main(project, "exp", "run", "-S", "lr=[0.003,0.01,0.03]", "-S", "share=0.5")
    assert len(history(project, "deep")) == 3 * 10 * 2 * 2
    assert {row["lr"] for row in history(project, "deep")} == {"0.003", "0.01", "0.03"}
    assert load_file(project / "models/deep/predictions.safetensors")["train"].shape == (2, 16)


def test_the_primal_solver_gives_the_same(project):
    """Through the same stages and into the same files; without a Gram matrix."""
    expected = history(project, "deep")
    assert (project / "data/prepared/gram.npy").exists()
    output = dvc_main(project, "exp", "run", "train-deep", "-S", "solver=primal")
    assert "train-deep: 2 runs on 10 folds, 2 epochs, primal solver" in output
    assert not (project / "data/prepared/gram.npy").exists()
    for row, other in zip(history(project, "deep"), expected, strict=True):
        assert row.keys() == other.keys()
        for name, value in row.items():
            assert float(value) == pytest.approx(float(other[name]), rel=1e-4)


def test_the_single_split_is_fold_0(project):
    """`folds: 1` trains the networks of fold 0 again, to the last bit."""
    ten, before = model.read(project / "models/deep"), history(project, "deep")
    dvc_main(project, "exp", "run", "train-deep", "-S", "folds=1")
    one = model.read(project / "models/deep")
    for a, b in zip(ten.layers, one.layers, strict=True):
        assert np.array_equal(a.weight, b.weight)
    assert history(project, "deep") == before[:4]


def test_every_parameter_reaches_the_run_cache(project):
    """DVC's leaves out keys called `size` inside a section: 8 x 8 pixels gave the results of 16."""
    dvc_main(project, "exp", "run", "prepare", "-S", "data.size=8")
    assert json.loads((project / "data/prepared/meta.json").read_text())["size"] == 8
    for stage in yaml.safe_load((project / "dvc.lock").read_text())["stages"].values():
        assert not {"size", "nfiles"} & _keys_inside(stage.get("params", {}).get("params.yaml", {}))


def _keys_inside(params):
    """The keys of all sections; a whole one is an entry of `params` in dvc.yaml."""
    inside = set()
    for value in params.values():
        if isinstance(value, dict):
            inside |= value.keys() | _keys_inside(value)
    return inside


def test_a_change_to_deep_retrains_deep_alone(project):
    """Parameters are listed narrowly."""
    both = ("train-shallow", "train-deep")
    output = dvc_main(project, "exp", "run", *both, "-S", "models.deep.epochs=3")
    assert "Stage 'train-shallow' didn't change, skipping" in output
    assert "Running stage 'train-deep'" in output
    assert (epochs(project, "shallow"), epochs(project, "deep")) == (2, 3)


WIDE = "+others.wide={hidden: [3]}"


@pytest.mark.parametrize("apart", [False, True], ids=["CONTRIBUTING", "apart"])
def test_a_further_network_comes_and_goes(project, apart):
    """An entry in params.yaml trains it and shows it everywhere; taken out, it leaves nothing."""
    lock, params_file = (project / "dvc.lock").read_text(), project / "params.yaml"
    if apart:
        run(project, "dvc", "exp", "run", "--temp", "--name", "wider", "-S", WIDE)
        dvc_main(project, "exp", "apply", "wider")
    else:
        recipe = blocks("CONTRIBUTING.md", "yaml")[0]
        text = params_file.read_text()
        assert "others: {}\n" in text
        params_file.write_text(text.replace("others: {}\n", recipe))
        printed = dvc_main(project, "repro")
        assert "Running stage 'train@wide'" in printed
        assert "Running stage 'train-deep'" not in printed
    metrics = json.loads((project / "results/metrics.json").read_text())
    assert 0 < metrics["wide"]["balanced_accuracy"]["mean"] < 1
    assert "\nwide," in (project / "results/plots/roc.csv").read_text()
    assert epochs(project, "wide") == 2
    assert dvc_main(project, "status", "evaluate", "train").startswith("Data and pipelines are up")
    run(project, "git", "checkout", "params.yaml")
    assert "evaluate: models/wide removed" in dvc_main(project, "repro")
    assert not (project / "models/wide").exists()
    assert (project / "dvc.lock").read_text() == lock
    assert run(project, "git", "status", "--porcelain") == ""
    if apart:  # once trained, it comes back without another training
        assert "Stage 'train@wide' is cached" in dvc_main(project, "exp", "run", "-S", WIDE)
        assert "wide" in json.loads((project / "results/metrics.json").read_text())


def test_a_folder_of_models_that_dvc_does_not_know_stays(project):
    """It may be somebody's only copy; a line says that it is in the hash of `models`."""
    mine = project / "models/mine/weights.safetensors"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    assert "evaluate: models/mine is no network of params.yaml" in dvc_main(project, "repro")
    assert mine.read_bytes() == b"mine"


def test_the_way_back_from_a_failed_experiment(longer_project):
    """A wrong value is one line. As README.md has it, all files are as they are committed again."""
    project = longer_project
    printed = dvc_main(project, "exp", "run", "-S", "solver=none", status=255)
    assert "params.yaml: solver: 'none' is not one of auto, primal, dual" in printed
    assert "Traceback" not in printed
    for command in ("touch params.yaml", "git restore .", "dvc repro"):
        assert f"\n$ {command}\n" in (project / "README.md").read_text()
    (project / "params.yaml").touch()
    run(project, "git", "restore", ".")
    dvc_main(project, "repro")
    names = run(project, "git", "ls-files", "params.yaml", "dvc.lock", "results", "models").split()
    there = run(project, "git", "hash-object", *names).split()
    assert there == run(project, "git", "rev-parse", *(f"HEAD:{name}" for name in names)).split()


def test_an_unknown_key_is_refused_by_dvc(project):
    """A misspelt key changes nothing."""
    output = dvc_main(project, "exp", "run", "-S", "epoch=3", status=255)
    assert "Could not override 'epoch'" in output
    assert run(project, "git", "status", "--porcelain") == ""


def test_a_fresh_clone_shows_metrics_and_plots(longer_project, tmp_path):
    """Without a remote, a cache or a run: they are in git."""
    project = longer_project
    run(project, "git", "commit", "--all", "--quiet", "--message", "three epochs")
    fresh = tmp_path / "fresh"
    run(tmp_path, "git", "clone", "--quiet", str(project), str(fresh))
    shown = json.loads(dvc_main(fresh, "metrics", "show", "--json"))
    assert "deep" in shown[""]["data"]["results/metrics.json"]["data"]
    assert "deep.log_loss" in dvc_main(fresh, "metrics", "diff", "HEAD~1")
    plots = json.loads(dvc_main(fresh, "plots", "diff", "HEAD~1", "HEAD", "--json"))["data"]
    assert set(plots) == {name for name in RESULTS if not name.endswith(".json")}
    for name in set(plots) - {"results/rejected.csv", "results/near_duplicates.csv"}:  # no rows
        revisions = [revision for plot in plots[name] for revision in plot["revisions"]]
        assert sorted(revisions) == ["HEAD", "HEAD~1"]


def test_the_committed_lock_is_in_step(tmp_path):
    """The project's own results are those of its own code, parameters and stages."""
    folder = clone(tmp_path / "clone")
    stages = load_yaml(folder / "dvc.lock")["stages"]
    names = [*stages, "data/dvc.yaml:sample"]
    status = json.loads(dvc_main(folder, "status", "--json", *names))
    assert _changes(status) <= {("models", "modified")}  # large files are not in a clone
    outputs = {one["path"]: one["md5"] for stage in stages.values() for one in stage["outs"]}
    networks = [
        {"md5": outputs[path], "relpath": path.removeprefix("models/")}
        for path in sorted(outputs)
        if path.startswith("models/")
    ]
    text = json.dumps(networks, sort_keys=True).encode()
    outputs["models"] = f"{hashlib.md5(text).hexdigest()}.dir"
    for name, stage in stages.items():
        read = {one["path"]: one["md5"] for one in stage["deps"] if one["path"] in outputs}
        assert read == {path: outputs[path] for path in read}, name


def _changes(status):
    """What has changed otherwise than by not being in this clone: path and kind of change."""
    return {
        (path, str(change))
        for stage in status.values()
        for kinds in stage
        for changed in (kinds.values() if isinstance(kinds, dict) else [{kinds: kinds}])
        for path, change in changed.items()
        if change not in ("deleted", "not in cache")
    }
