"""One lock, whichever way the pipeline runs."""

import os
import shutil
from pathlib import Path

import pytest
from checkouts import run
from containers import A_CONTAINER_PER_STAGE, ENGINE, IN_CONTAINER, image
from documents import commands

pytestmark = pytest.mark.container

AFRESH = ("dvc", "repro", "--force", "--no-run-cache")


@pytest.fixture(autouse=True, scope="module")
def _image():
    image()


def unchanged(project):
    """Whether the lock, the metrics and all else that git holds are those of the native run."""
    return run(project, "git", "status", "--porcelain") == ""


def test_a_container_per_stage_gives_the_same_lock(project):
    """Byte for byte, and so do the committed metrics and plots; the path has a space in it."""
    run(project, *A_CONTAINER_PER_STAGE, *AFRESH)
    assert unchanged(project)


def test_the_pipeline_in_one_container_gives_the_same_lock(project):
    """Experiments work there too, and their metrics can be compared."""
    run(project, *IN_CONTAINER, *AFRESH)
    assert unchanged(project)
    run(project, *IN_CONTAINER, "dvc", "exp", "run", "-S", "epochs=3")
    assert "deep.log_loss" in run(project, *IN_CONTAINER, "dvc", "metrics", "diff")


def test_a_user_id_without_a_name_gives_the_same_lock(project, pictures_folder):
    """It owns every file afterwards, and can run experiments."""
    if os.geteuid() != 0:
        pytest.skip("only root can take another user id")
    for private in (*project.parents, *pictures_folder.parents):
        private.chmod(private.stat().st_mode | 0o011)
    run(project, "chown", "--recursive", "12345:12345", str(project))
    socket = Path(os.environ.get("DOCKER_HOST", "/var/run/docker.sock").removeprefix("unix://"))
    ids = ("--reuid=12345", "--regid=12345", f"--groups={socket.stat().st_gid}")
    someone = ("env", f"HOME={project}", "setpriv", *ids, *IN_CONTAINER)
    sets = run(project, *someone, "grep", "^Cap", "/proc/self/status").splitlines()
    assert {int(line.split()[1], 16) for line in sets} == {0}  # no capabilities
    run(project, *someone, *AFRESH)
    assert run(project, *someone, "git", "status", "--porcelain") == ""
    run(project, *someone, "dvc", "exp", "run", "-S", "epochs=3")
    assert run(project, "find", ".", "!", "-uid", "12345") == ""


def test_worktrees_experiments_apart_and_a_linked_cache(project, tmp_path):
    """All of them reach outside of the folder that they run in."""
    cache = (project / ".dvc/cache").rename(tmp_path / "cache elsewhere")
    worktree = tmp_path / "a worktree"
    run(project, "git", "worktree", "add", "-b", "other", str(worktree))
    for folder in (project, worktree):
        (folder / ".dvc/cache").symlink_to(cache)
    assert "is cached - skipping run" in run(worktree, *IN_CONTAINER, "dvc", "repro")
    assert unchanged(worktree)
    run(worktree, *IN_CONTAINER, *("dvc", "exp", "run", "-S", "epochs=3"))
    run(project, *A_CONTAINER_PER_STAGE, *("dvc", "exp", "run", "--temp", "-S", "epochs=4"))
    shown = run(project, "dvc", "exp", "show", "--csv", "--all-commits")
    assert {",3,", ",4,"} <= {f",{cell}," for cell in shown.replace("\n", ",").split(",")}


def test_pictures_named_on_the_command_line_are_seen(project, pictures_folder, tmp_path):
    """`-S data.dir=...` may name any folder of the machine; the container can only read it.

    A link in it to a place outside leads nowhere.
    """
    elsewhere = tmp_path / "other pictures"
    shutil.copytree(pictures_folder, elsewhere)
    run(project, *IN_CONTAINER, "dvc", "exp", "run", "-S", f"data.dir={elsewhere}")
    (tmp_path / "secret").write_text("not yours")
    (elsewhere / "link").symlink_to(tmp_path / "secret")
    assert "No such file" in run(project, *IN_CONTAINER, "cat", str(elsewhere / "link"), status=1)
    inside = run(project, *IN_CONTAINER, "touch", str(elsewhere / "x"), status=1)
    assert "Read-only file system" in inside


def test_the_commands_of_the_readme_work(project):
    """From top to bottom, with this engine."""
    script = "\n".join(commands("README.md", in_container=True))
    assert script.count("STAGE_ENGINE=docker") == 2
    run(project, "bash", "-euxc", script.replace("=docker ", f"={ENGINE} "))


def test_the_engine_leaves_nothing_running(project):
    """A container goes when its command ends."""
    run(project, *IN_CONTAINER, "true")
    everything = run(
        project, ENGINE, "ps", "--all", "--filter", f"label=shallowdeep.checkout={project}", "-q"
    )
    assert everything == ""
