"""Results are refused where they are not of what they stand beside."""

import contextlib
import shutil
from pathlib import Path

import pytest
from checkouts import commit, run

from shallowdeep.commands import experiments
from shallowdeep.commands.belonging import check_model
from shallowdeep.files.errors import InputError


def refused(project: Path, revision: str = "workspace") -> str:
    """Why an experiment is refused; nothing if it is not."""
    with contextlib.chdir(project):
        try:
            experiments.read([revision], answers=True)
        except InputError as error:
            return str(error)
    return ""


def model_refused(project: Path, name: str = "deep") -> str:
    try:
        check_model(project / "models" / f"{name}.pt")
    except InputError as error:
        return str(error).removeprefix(f"{project}/")
    return ""


def edit(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


def test_what_belongs_together_is_taken(longer_project):
    """A committed run, an experiment of DVC, the workspace, both models."""
    for revision in ("HEAD", "longer", "workspace"):
        assert refused(longer_project, revision) == ""
    assert model_refused(longer_project) == model_refused(longer_project, "shallow") == ""


def test_other_parameters_are_named(longer_project):
    """What the results are of, and what makes those that are wanted; a model's own, nested."""
    edit(longer_project / "params.yaml", "epochs: 3", "epochs: 50")
    said = "these results are of epochs 3; `dvc repro` makes those of 50"
    assert refused(longer_project) == f"workspace: {said}"
    assert model_refused(longer_project) == f"models/deep.pt: {said}"
    assert refused(longer_project, "HEAD") == ""
    for command in (("compare",), ("gate",), ("predict", "models/deep.pt", "x.jpg")):
        found = run(longer_project, "python", "-m", "shallowdeep", *command, status=1)
        assert found.endswith(f"{said}\n")
        assert found.count("\n") == 1
    edit(longer_project / "params.yaml", "epochs: 50", "epochs: 3")
    edit(longer_project / "params.yaml", "    - 5\n    - 5\n", "    - 7\n    - 5\n")
    assert "of models.deep.hidden [5, 5, 3]; `dvc repro`" in refused(longer_project)
    assert model_refused(longer_project, "shallow") == ""
    edit(longer_project / "params.yaml", "    - 7\n", "    - 5\n")
    edit(longer_project / "params.yaml", "alpha: 0.05", "alpha: 0.1")
    assert "params.yaml was edited after evaluate had read it" in refused(longer_project)


def test_a_training_without_its_evaluation_is_told(longer_project):
    """In the workspace and under the experiment's name, though params.yaml is that of the model."""
    experiment = ("dvc", "exp", "run", "train-deep", "-n", "x", "-S", "models.deep.epochs=4")
    run(longer_project, *experiment)
    for revision in ("workspace", "x"):
        assert refused(longer_project, revision) == (
            f"{revision}: these results are of models.deep.epochs 3; `dvc repro` makes those of 4"
        )
    assert model_refused(longer_project) == ""  # it is what params.yaml says
    shutil.rmtree(longer_project / ".dvc/cache/files")  # nobody knows the old model any more
    assert "x: evaluate has not seen the new models/deep.pt; `dvc repro`" in refused(
        longer_project, "x"
    )


def test_altered_files_are_told(longer_project):
    """Results, a model, code, pictures: each with what brings back what belongs here."""
    project = longer_project
    metrics, code = project / "results/metrics.json", project / "src/shallowdeep/training/sgd.py"
    text, was = metrics.read_text(), code.read_text()
    edit(metrics, '"mean": 0.', '"mean": 0.9')
    assert "results/metrics.json is not what evaluate wrote" in refused(project)
    metrics.write_text(text)
    code.write_text(was + "# edited\n")
    assert "of another src/shallowdeep/training" in refused(project)
    assert "trained by another src/shallowdeep/training" in model_refused(project)
    code.write_text(was)
    shutil.copy(project / "models/shallow.pt", project / "models/deep.pt")
    assert "models/deep.pt is not the one that dvc.lock names" in refused(project)
    assert "is not the one that dvc.lock names; `dvc checkout`" in model_refused(project)
    run(project, "dvc", "checkout", "models/deep.pt")
    assert refused(project) == ""
    edit(project / "dvc.lock", "stages:", "stages: 3\nothers:")
    assert "dvc.lock: not as DVC writes it" in refused(project)


def test_an_added_picture_makes_other_pictures(project, pictures_folder, tmp_path):
    """Though all parameters are the same."""
    folder = tmp_path / "pictures"
    shutil.copytree(pictures_folder, folder)
    edit(project / "params.yaml", f"dir: {pictures_folder}", f"dir: {folder}")
    assert "of data.dir" in refused(project)
    run(project, "dvc", "repro")
    commit(project)
    assert refused(project) == ""
    shutil.copy(min((folder / "cat").iterdir()), folder / "dog/another.jpg")
    assert f"workspace: these results are of another {folder}" in refused(project)


def test_a_branch_without_its_models_is_told(longer_project):
    """After `git checkout` of another branch, before `dvc checkout`."""
    run(longer_project, "git", "checkout", "--quiet", "-b", "longer-branch")
    commit(longer_project)
    run(longer_project, "git", "checkout", "--quiet", "main")
    assert "not the one that dvc.lock names (modified); `dvc checkout`" in refused(longer_project)
    assert "`dvc checkout` brings it back" in model_refused(longer_project)


def test_answers_that_the_cache_lacks_are_one_line(longer_project):
    """With the command that brings them: from a remote where there is one, else by a run."""
    shutil.rmtree(longer_project / ".dvc/cache/files")
    said = "HEAD: DVC's cache has no data/prepared/manifest.csv of it; "
    assert refused(longer_project, "HEAD") == (f"{said}`git checkout HEAD` and `dvc repro` make it")
    run(longer_project, "dvc", "remote", "add", "--local", "store", "../store")
    assert refused(longer_project, "HEAD") == f"{said}`dvc fetch --all-commits` brings it"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("results/metrics.json", '{"deep": 3}'),
        ("results/metrics.json", "[" * 100_000),
        ("params.yaml", "epochs: ["),
        ("dvc.lock", ""),
    ],
)
def test_broken_files_are_one_line(longer_project, name, content):
    """Committed ones too."""
    (longer_project / name).write_text(content)
    assert name in refused(longer_project)
    commit(longer_project)
    assert name in refused(longer_project, "HEAD")
