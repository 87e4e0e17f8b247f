"""Every command of DVC that a user types ends with 0 and leaves what it promises."""

import shutil

import pytest
from checkouts import commit, run, with_environment

from shallowdeep.settings import params


def epochs(project):
    """Of params.yaml, of the lock and of the results, which belong together."""
    epochs = {
        line.split()[1]
        for name in ("params.yaml", "dvc.lock")
        for line in (project / name).read_text().splitlines()
        if line.strip().startswith("epochs: ")
    }
    last = (project / "models/deep/history.csv").read_text().splitlines()[-1]
    assert epochs <= {last.split(",")[2]}, (epochs, last)
    return int(last.split(",")[2])


@pytest.fixture
def shared(longer_project, tmp_path):
    """A project after an experiment, with remotes of DVC and of git; its data sets unmade."""
    with_environment(longer_project)
    remote = str(tmp_path / "git remote")
    run(longer_project, "git", "init", "--quiet", "--bare", "-b", "main", remote)
    run(longer_project, "git", "remote", "add", "origin", remote)
    run(longer_project, "git", "push", "--quiet", "origin", "main")
    (longer_project / ".dvc/config.local").write_text(
        f"[core]\n    remote = there\n['remote \"there\"']\n    url = {tmp_path / 'dvc remote'}\n"
    )
    return longer_project


# Each leaves the workspace with the results of so many epochs.
ON_ONE_CHECKOUT = [
    ("dvc status", 3),
    ("dvc data status", 3),
    ("dvc checkout", 3),
    ("git checkout -q . && dvc checkout", 2),
    ("dvc exp apply longer", 3),
    ("git checkout -q . && dvc checkout", 2),
    ("dvc exp show --csv", 2),
    ("dvc exp branch longer b3", 2),
    ("dvc install", 2),
    ("git checkout -q b3", 3),  # the hook brings the branch's models
    ("git checkout -q main", 2),
    ("dvc exp run --queue -S epochs=4 --name queued", 2),
    ("dvc exp run --run-all", 2),
    ("dvc exp run --temp -S epochs=4 --name apart --force", 2),
    ("dvc exp apply apart", 4),
    ("git checkout -q main -- . && dvc checkout", 2),
    ("dvc push", 2),
    ("dvc exp push origin longer", 2),
    ("dvc exp list origin", 2),
    ("dvc fetch", 2),
    ("dvc pull", 2),
    ("git commit -q --allow-empty -m nothing", 2),  # a hook asks for the status
    ("git push -q origin main", 2),  # and another pushes
    ("dvc gc --workspace --force", 2),
    ("dvc pull", 2),
    ("dvc repro", 2),
]


def test_the_commands_of_a_user_end_well(shared):
    """From top to bottom, in a checkout whose optional data sets nobody has made."""
    for command, left in ON_ONE_CHECKOUT:
        printed = run(shared, "bash", "-c", command)
        assert epochs(shared) == left, command
        assert "Traceback" not in printed and "ERROR" not in printed, printed
    assert run(shared, "git", "status", "--porcelain") == ""


def test_another_clone_pulls_what_was_pushed(shared, tmp_path):
    """Data, and an experiment; nothing has to be run there."""
    run(shared, "git", "checkout", "-q", ".")
    run(shared, "dvc", "checkout")
    run(shared, "dvc", "push")
    run(shared, "dvc", "exp", "push", "origin", "longer")
    clone = tmp_path / "another clone"
    run(tmp_path, "git", "clone", "--quiet", str(tmp_path / "git remote"), str(clone))
    with_environment(clone)
    shutil.copy(shared / ".dvc/config.local", clone / ".dvc")
    run(clone, "dvc", "pull")
    assert epochs(clone) == 2
    weights = "models/deep/weights.safetensors"
    assert (clone / weights).read_bytes() == (shared / weights).read_bytes()
    assert "up to date" in run(clone, "dvc", "repro")
    run(clone, "dvc", "exp", "pull", "origin", "longer")
    run(clone, "dvc", "exp", "apply", "longer")
    assert epochs(clone) == 3


def test_pictures_in_data_stay_out_of_git(project, pictures_folder):
    """Copied there, they are in no commit of an experiment; tracked by DVC, they can follow."""
    with_environment(project)
    shutil.copytree(pictures_folder, project / "data/mine")
    run(project, "dvc", "exp", "run", "-S", "data.dir=data/mine")
    refs = run(project, "git", "for-each-ref", "--format", "%(refname)", "refs/exps").split()
    assert refs
    for ref in refs:
        assert "data/mine" not in run(project, "git", "ls-tree", "-r", "--name-only", ref)
    run(project, "git", "checkout", "-q", ".")
    run(project, "dvc", "import-url", str(pictures_folder), "data/copied")
    run(project, "git", "add", "data/copied.dvc")
    commit(project)
    run(project, "dvc", "update", "data/copied.dvc")
    run(project, "dvc", "exp", "run", "--temp", "-S", "data.dir=data/copied")
    assert run(project, "git", "status", "--porcelain") == ""


def test_the_quoting_that_data_readme_shows_takes_any_name(project, pictures_folder):
    """Hydra has a grammar of its own; in quotes inside quotes, a value is what it is."""
    folder = project.parent / "of me (1), a=b ~ größe"
    shutil.copytree(pictures_folder, folder)
    run(project, "dvc", "exp", "run", "prepare", "-S", f"data.dir='{folder}'")
    assert params.read(project / "params.yaml").data.dir == str(folder)


def test_a_further_network_is_an_entry_of_params(project):
    """On the command line or in the file; DVC trains it and keeps the others."""
    with_environment(project)
    printed = run(project, "dvc", "exp", "run", "-S", "+others.wide={hidden:[3],epochs:null}")
    assert "Running stage 'train@wide'" in printed
    assert "Running stage 'train-deep'" not in printed
    assert (project / "models/wide/weights.safetensors").exists()
    assert "up to date" in run(project, "dvc", "status")
