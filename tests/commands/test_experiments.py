"""Results that are stale are refused; those of a commit come out of git and DVC's cache."""

import contextlib
import hashlib
import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from checkouts import commit, run
from in_process import dvc_main, script, told

from shallowdeep.commands import experiments, stale
from shallowdeep.commands.stale import check_model
from shallowdeep.files.errors import InputError


def refused(project: Path, revision: str = "workspace") -> str:
    """Reason for which an experiment is refused; empty if it is not."""
    with contextlib.chdir(project):
        try:
            experiments.read([revision], predictions=True)
        except InputError as error:
            return str(error)
    return ""


def model_refused(project: Path, name: str = "deep") -> str:
    path = project / f"models/{name}/weights.safetensors"
    try:
        check_model(path)
    except InputError as error:
        return str(error).removeprefix(f"{path}: ")
    return ""


def edit(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


def test_other_parameters_are_named(longer_project, monkeypatch):
    """With both values and the command that makes those wanted; nested ones too."""
    params = longer_project / "params.yaml"
    edit(params, "lr: 0.01 ", "lr: 1e-2 ")  # the same number, as for DVC
    assert model_refused(longer_project) == ""
    assert "of another params.yaml (modified); to make" in refused(longer_project)
    edit(params, "lr: 1e-2 ", "lr: 0.01 ")
    edit(params, "epochs: 3", "epochs: 50")
    other = "these results are of epochs 3, not 50; to make results anew: `dvc repro`"
    assert model_refused(longer_project) == other
    assert refused(longer_project, "HEAD") == ""
    monkeypatch.chdir(longer_project)
    for words in (["compare"], ["gate"], ["crate", "a.zip"]):
        assert told(*words) == f"{words[0]}: workspace: {other}"
    edit(params, "epochs: 50", "epochs: 3")
    edit(params, "    - 5\n    - 5\n", "    - 7\n    - 5\n")
    nested = "of models.deep.hidden [5, 5, 3], not [7, 5, 3]; to make results anew: `dvc repro`"
    assert nested in refused(longer_project)
    assert nested in model_refused(longer_project)
    assert model_refused(longer_project, "shallow") == ""
    edit(params, "    - 7\n", "    - 5\n")
    edit(params, "alpha: 0.05", "alpha: 0.1")
    assert "of another params.yaml (modified); to make" in refused(longer_project)
    assert model_refused(longer_project) == ""
    edit(params, "others: {}", "others: {wide: {hidden: [3], epochs: }}")
    assert "dvc repro" in refused(longer_project)


def test_a_training_without_its_evaluation_is_refused(longer_project):
    """In the workspace and under the experiment's name, though params.yaml is that of the model."""
    options = ("-n", "x", "-S", "models.deep.epochs=4")
    dvc_main(longer_project, "exp", "run", "train-deep", *options)
    other, anew = "these results are of another models", "to make results anew: "
    assert refused(longer_project) == f"workspace: {other} (modified); {anew}`dvc repro`"
    assert refused(longer_project, "x") == f"x: {other}; {anew}`dvc exp apply x`, `dvc repro`"
    assert model_refused(longer_project) == ""


def test_a_failed_experiment_is_refused(longer_project, monkeypatch):
    """Its metrics are those of the run before."""
    monkeypatch.setattr(script("stages/evaluate.py"), "evaluate", lambda: sys.exit(1))
    dvc_main(longer_project, "exp", "run", "-S", "seed=5", status=255)
    run(longer_project, "git", "checkout", "HEAD", "results")
    for revision in ("workspace", "HEAD"):
        assert "these results are of another data/prepared" in refused(longer_project, revision)
        if revision == "workspace":
            commit(longer_project)


def commands(message: str) -> list[list[str]]:
    """Words of each command that a message names after its colon."""
    return [command.split() for command in re.findall("`(.+?)`", message.rpartition(": ")[2])]


def follow(project: Path, message: str) -> None:
    """Type the commands that a message names."""
    for program, *arguments in commands(message):
        if arguments[:2] == ["exp", "apply"]:
            with contextlib.suppress(AssertionError):  # it applies, and names what the cache lacks
                dvc_main(project, *arguments)
        elif program == "dvc":
            dvc_main(project, *arguments)
        else:
            run(project, program, *arguments)


def test_altered_files_are_named(longer_project):
    """Results, a model, code: each with commands that bring the right one."""
    project = longer_project
    metrics, code = project / "results/metrics.json", project / "src/shallowdeep/training/sgd.py"
    was = code.read_text()
    edit(metrics, '"mean": 0.', '"mean": 0.9')
    message = refused(project)
    assert "results/metrics.json is not what evaluate wrote (modified); to make" in message
    dvc_main(project, *commands(message)[0][1:])
    assert refused(project) == ""
    code.write_text(was + "# edited\n")
    assert "of another src/shallowdeep/training" in refused(project)
    code.write_text(was)
    weights = [project / "models" / name / "weights.safetensors" for name in ("shallow", "deep")]
    weights[1].unlink()
    weights[1].write_bytes(weights[0].read_bytes() + b"x")  # which DVC's cache does not have
    assert f"{weights[1].relative_to(project)} is not what train-deep wrote" in refused(project)
    back = ["dvc", "checkout", "--force", "models/deep/weights.safetensors"]
    assert commands(model_refused(project)) == [back, ["dvc", "repro"]]
    dvc_main(project, *back[1:])
    assert refused(project) == model_refused(project) == ""


def test_a_forged_commit_is_refused(longer_project):
    """Other metrics or histories than dvc.lock names, other parameters, or no results."""
    project = longer_project
    commit(project)
    assert refused(project, "HEAD") == ""
    for name, old in (("results/metrics.json", '"mean": 0.'), ("models/deep/history.csv", ",0.")):
        before = (project / name).read_text()
        edit(project / name, old, f"{old}9")
        commit(project)
        assert refused(project, "HEAD").startswith("HEAD: ")
        assert name in refused(project, "HEAD") or "another models" in refused(project, "HEAD")
        (project / name).write_text(before)
    edit(project / "params.yaml", "seed: 0", "seed: 1")
    commit(project)
    assert "HEAD: these results are of seed 0, not 1" in refused(project, "HEAD")
    run(project, "git", "rm", "--quiet", "--cached", "dvc.lock", "results/metrics.json")
    run(project, "git", "commit", "--quiet", "-m", "without results")
    assert refused(project, "HEAD").startswith("HEAD: has no dvc.lock; to make results anew: ")


def test_an_added_picture_makes_other_pictures(project, pictures_folder, tmp_path):
    """Though all parameters are the same."""
    folder, params, lock = tmp_path / "pictures", project / "params.yaml", project / "dvc.lock"
    shutil.copytree(pictures_folder, folder)
    before = hashlib.md5(params.read_bytes()).hexdigest()
    edit(params, f"dir: {pictures_folder}", f"dir: {folder}")
    assert "of data.dir" in refused(project)
    text = lock.read_text().replace(str(pictures_folder), str(folder))  # as if it had run
    lock.write_text(text.replace(before, hashlib.md5(params.read_bytes()).hexdigest()))
    assert refused(project) == ""
    shutil.copy(min((folder / "cat").iterdir()), folder / "dog/another.jpg")
    assert f"workspace: these results are of another {folder}" in refused(project)


def damage(cache: Path) -> None:
    """Make the end of every file another; DVC removes such files."""
    for path in (cache / "md5").glob("*/*"):
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content[:-3] + b"abc")


@pytest.mark.parametrize(
    ("revision", "pushed", "lose"),
    [
        ("HEAD", False, damage),
        ("HEAD", True, shutil.rmtree),
        ("longer", False, shutil.rmtree),
        ("longer", True, shutil.rmtree),
    ],
)
def test_predictions_that_the_cache_lacks_come_by_what_the_message_names(
    longer_project, revision, pushed, lose
):
    """From the remote or by a run, while the workspace has another experiment's results."""
    project = longer_project
    if pushed:
        dvc_main(project, "remote", "add", "--local", "--default", "store", "../store")
        dvc_main(project, "push", "--all-commits")
        dvc_main(project, "push")
    if revision == "longer":
        run(project, "git", "stash")
    lose(project / ".dvc/cache/files")
    message = refused(project, revision)
    assert message.startswith(
        f"{revision}: DVC's cache has no data/prepared/manifest.csv of it; to bring it: "
    )
    remote, otherwise, _ = message.partition(" if it was pushed, else ")
    assert bool(otherwise) == pushed
    follow(project, remote)
    assert refused(project, revision) == ""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("results/metrics.json", '{"deep": 3}'),
        ("results/metrics.json", "[" * 100_000),
        ("params.yaml", "epochs: ["),
        ("dvc.lock", ""),
        ("dvc.lock", "stages: 3"),
        ("dvc.yaml", "stages: ["),
    ],
)
def test_broken_files_are_one_line(longer_project, name, content):
    """Committed ones too."""
    (longer_project / name).write_text(content)
    assert name in refused(longer_project)
    commit(longer_project)
    assert name in refused(longer_project, "HEAD")


@pytest.mark.parametrize(
    "name", ["HEAD:README.md", "HEAD^{tree}", "nothing", "-x", "--help", "\udcff", "$(x) `x`; \"'"]
)
def test_what_is_no_commit_is_one_line(miniature, monkeypatch, name):
    """In every command; files and folders of a commit are none."""
    monkeypatch.chdir(miniature)
    for command in ("compare", "gate"):
        line = told(command, "--", name, "workspace")
        assert "\n" not in line and ("Git revision" in line or "is no commit" in line)


BOMB = "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))
MERGES = "a0: &a0 {k: 1}\n" + "".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}], j{i}: 1}}\n" for i in range(1, 9)
)
LOCK = (
    "schema: '2.0'\nstages: {t: {cmd: x, params: {params.yaml: {%s}}, outs: [{path: m, md5: x}]}}\n"
)


LONG = "takes too long to read$"


@pytest.mark.parametrize(
    ("lock", "params", "message"),
    [
        ("[" * 2**19, "", LONG),
        ("x" * (2**20 + 1), "", "no ordinary file of at most 1,048,576 bytes$"),
        (BOMB + LOCK % "v: *a59", BOMB + "v: *a59\n", LONG),
        (LOCK % "v: 1", MERGES, LONG),
        ("3", "", "dvc.lock: not as DVC writes it$"),
        ("stages: {t: {outs: 3}}", "", "dvc.lock: not as DVC writes it$"),
        (LOCK % "v: 1", None, "params.yaml: cannot be read: "),
    ],
)
def test_a_hostile_project_stops_nobody(tmp_path, monkeypatch, lock, params, message):
    """One line, and reading has an end, whatever stands beside a model."""
    monkeypatch.setattr(stale, "SECONDS", 0.2)
    (tmp_path / "dvc.lock").write_text(lock, encoding="latin-1")
    if params is not None:
        (tmp_path / "params.yaml").write_text(params)
    (tmp_path / "m").write_bytes(b"")
    with pytest.raises(InputError, match=message) as error:
        check_model(tmp_path / "m")
    assert len(str(error.value)) < 500


def test_nothing_outside_of_the_project_is_read(tmp_path):
    """Neither through a link nor from a pipe."""
    (tmp_path / "secret").write_text("secret: 1\n")
    (tmp_path / "p").mkdir()
    (tmp_path / "p/m").write_bytes(b"")
    (tmp_path / "p/dvc.lock").symlink_to("../secret")
    with pytest.raises(InputError, match="symbolic link"):
        check_model(tmp_path / "p/m")
    (tmp_path / "p/dvc.lock").unlink()
    os.mkfifo(tmp_path / "p/dvc.lock")
    with pytest.raises(InputError, match="no ordinary file"):
        check_model(tmp_path / "p/m")
