"""Every command of DVC that a user types ends with 0 and leaves what it promises."""

import shutil

from checkouts import commit, run, with_environment
from in_process import dvc_main

from shallowdeep.datasets.class_folders import NOTE
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


# Each leaves the workspace with the results of so many epochs.
ON_ONE_CHECKOUT = [
    ("dvc status", 3),
    ("dvc data status", 3),
    ("dvc checkout", 3),
    ("git checkout -q .", 2),
    ("dvc checkout", 2),
    ("dvc exp apply longer", 3),
    ("git checkout -q .", 2),
    ("dvc checkout", 2),
    ("dvc exp show --csv", 2),
    ("dvc exp branch longer b3", 2),
    ("dvc install", 2),
    ("git checkout -q b3", 3),  # the hook brings the branch's models
    ("git checkout -q main", 2),
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


def test_the_commands_of_a_user_end_well(longer_project, tmp_path):
    """From top to bottom, in a checkout whose data sets nobody has made; then in another clone."""
    project = with_environment(longer_project)
    remote = str(tmp_path / "git remote")
    run(project, "git", "init", "--quiet", "--bare", "-b", "main", remote)
    run(project, "git", "remote", "add", "origin", remote)
    run(project, "git", "push", "--quiet", "origin", "main")
    with (project / ".dvc/config.local").open("a") as file:
        file.write(f"[core]\n    remote = there\n['remote \"there\"']\n    url = {tmp_path}/dvc\n")
    for command, left in ON_ONE_CHECKOUT:
        program, *words = command.split()
        printed = dvc_main(project, *words) if program == "dvc" else run(project, program, *words)
        assert epochs(project) == left, command
        assert "Traceback" not in printed and "ERROR" not in printed, printed
    assert run(project, "git", "status", "--porcelain") == ""

    clone = tmp_path / "another clone"
    run(tmp_path, "git", "clone", "--quiet", remote, str(clone))
    shutil.copy(project / ".dvc/config.local", clone / ".dvc")
    dvc_main(clone, "pull")
    assert epochs(clone) == 2
    weights = "models/deep/weights.safetensors"
    assert (clone / weights).read_bytes() == (project / weights).read_bytes()
    assert dvc_main(clone, "repro").count("didn't change, skipping") == 5
    assert run(clone, "git", "status", "--porcelain") == ""
    dvc_main(clone, "exp", "pull", "origin", "longer")
    dvc_main(clone, "exp", "apply", "longer")
    assert epochs(clone) == 3


def test_data_sets_that_nobody_asked_for_are_in_nobodys_way(project, pictures_folder):
    """Nor is one that was asked for once."""
    with_environment(project)
    for command in ("status", "commit", "exp save", "checkout", "data status", "status"):
        printed = dvc_main(project, *command.split())
        assert "ERROR" not in printed and "WARNING" not in printed
    assert printed == "Data and pipelines are up to date.\n"
    assert run(project, "git", "status", "--porcelain") == ""
    sample, pets = project / "data/sample", project / "data/oxford-pets"
    assert [path.name for folder in (sample, pets) for path in folder.iterdir()] == [NOTE, NOTE]
    lock = (project / "data/dvc.lock").read_text()
    for folder, there in (("data/sample", {"cat", "dog"}), (pictures_folder, {NOTE})):
        dvc_main(project, "exp", "run", "data/dvc.yaml:sample", "-S", f"data.dir={folder}")
        assert {path.name for path in sample.iterdir()} == there
    assert (project / "data/dvc.lock").read_text() == lock


def test_pictures_in_data_stay_out_of_git(project, pictures_folder):
    """Copied there, they are in no commit of an experiment; tracked by DVC, they can follow."""
    with_environment(project)
    shutil.copytree(pictures_folder, project / "data/mine")
    dvc_main(project, "exp", "run", "prepare", "-S", "data.dir=data/mine")
    refs = run(project, "git", "for-each-ref", "--format", "%(refname)", "refs/exps").split()
    assert refs
    for ref in refs:
        assert "data/mine" not in run(project, "git", "ls-tree", "-r", "--name-only", ref)
    run(project, "git", "checkout", "-q", ".")
    dvc_main(project, "import-url", str(pictures_folder), "data/copied")
    run(project, "git", "add", "data/copied.dvc")
    commit(project)
    dvc_main(project, "update", "data/copied.dvc")
    run(project, "dvc", "exp", "run", "--temp", "prepare", "-S", "data.dir=data/copied")
    assert run(project, "git", "status", "--porcelain") == ""


def test_the_quoting_that_data_readme_shows_takes_any_name(project, pictures_folder):
    """Hydra has a grammar of its own; in quotes inside quotes, a value is what it is."""
    folder = project.parent / "of me (1), a=b ~ größe"
    shutil.copytree(pictures_folder, folder)
    dvc_main(project, "exp", "run", "prepare", "-S", f"data.dir='{folder}'")
    assert params.read(project / "params.yaml").data.dir == str(folder)
