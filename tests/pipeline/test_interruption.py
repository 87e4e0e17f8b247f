"""Whatever ends a stage, the next `dvc repro` gives what an undisturbed run gives."""

import os
import random
import shutil
import signal
import subprocess
import termios
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import voluptuous
import yaml
from checkouts import changed_stages, run, with_environment
from dvc.schema import COMPILED_LOCKFILE_SCHEMA

STAGES = ("prepare", "train-shallow", "train-deep", "evaluate")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
ROUNDS, PARTS = 6, 2  # of one interruption per stage; tests that share them


def undisturbed(project, *options):
    """Run to the end: git sees no change in lock, metrics and plots."""
    run(project, "dvc", "repro", "--no-run-cache", *options)
    assert run(project, "git", "status", "--porcelain") == ""
    assert changed_stages(project) == set()


def left_over(project):
    """Temporary files. A stage removes those of a killed one when it runs; DVC may not run it."""
    return [*project.glob("[!.]*/**/.*.tmp*"), *project.glob(".checkpoints")]


def interrupt(project, stage, number, after):
    """Run one stage by force on a terminal of its own, and end it some seconds after its start."""
    controller, terminal = os.openpty()
    before = termios.tcgetattr(terminal)
    process = subprocess.Popen(
        ["dvc", "repro", "--force", "--no-run-cache", "--single-item", stage],
        cwd=project,
        env=os.environ | {"PATH": f"{project}/.venv/bin:{os.environ['PATH']}"},
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    for line in process.stdout:
        if line.startswith("> docker/run"):
            break
    time.sleep(after)
    os.killpg(process.pid, number)
    process.stdout.read()  # to its end: nothing that could write to it lives on
    process.stdout.close()
    process.wait(timeout=30)
    assert termios.tcgetattr(terminal) == before
    os.close(controller)
    os.close(terminal)


@pytest.mark.parametrize("command", ["train.py deep", "evaluate.py"])
def test_ctrl_c_while_a_stage_imports_is_no_traceback(project, command):
    """It takes seconds to load torch; nothing has been begun by then."""
    with_environment(project)
    process = subprocess.Popen(
        ["docker/run", "python", *f"stages/{command}".split()],
        cwd=project,
        stderr=subprocess.PIPE,
        text=True,
    )
    while "libtorch" not in Path(f"/proc/{process.pid}/maps").read_text():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == -signal.SIGINT
    assert run(project, "git", "status", "--porcelain") == ""


def mend_lock(project):
    """Do as docker/README.md says where DVC itself was killed while it wrote dvc.lock, in place."""
    try:
        COMPILED_LOCKFILE_SCHEMA(yaml.safe_load((project / "dvc.lock").read_text()))
    except (OSError, yaml.YAMLError, voluptuous.Error):
        run(project, "git", "checkout", "--quiet", "dvc.lock")


@pytest.mark.parametrize("part", range(PARTS))
def test_ended_at_random_moments_the_next_run_is_whole(project, part):
    """Each signal twice at each stage, at moments from its start to past its end."""
    with_environment(project)
    draw = random.Random(part)
    for attempt in range(ROUNDS // PARTS):
        for number, stage in enumerate(STAGES):
            after = draw.uniform(0, 3)
            sent = SIGNALS[(part + attempt * PARTS + number) % len(SIGNALS)]
            interrupt(project, stage, sent, after)
            mend_lock(project)
        undisturbed(project)
    undisturbed(project, "--force")
    assert left_over(project) == []


@contextmanager
def mounted(folder, options):
    """A small file system of its own over a folder, with the folder's content."""
    kept = folder.with_name(f"{folder.name} kept")
    shutil.copytree(folder, kept)
    run(folder.parent, "mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder))
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        run(folder.parent, "mount", "-o", f"remount,{options}", str(folder))
        yield
    finally:
        run(folder.parent, "umount", str(folder))
        shutil.rmtree(kept)


def full(folder):
    """Fill what is left."""
    with suppress(OSError), (folder / "filling").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1024))


PLACES = [
    ("prepare", ["stages/prepare.py"], "data"),
    ("train-deep", ["stages/train.py", "deep"], "models"),
    ("train-deep", ["stages/train.py", "deep"], "results"),
    ("evaluate", ["stages/evaluate.py"], "results"),
]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
@pytest.mark.parametrize(
    ("options", "message"),
    [("size=2m", "No space left on device"), ("ro", "Read-only file system")],
    ids=["full", "read-only"],
)
@pytest.mark.parametrize(("stage", "command", "folder"), PLACES)
def test_a_disk_that_takes_nothing_is_one_line(project, options, message, stage, command, folder):
    """What was there stays whole, nothing is left over, and with room again all is as it was."""
    with_environment(project)
    with mounted(project / folder, options):
        if options != "ro":
            shutil.rmtree(project / folder / "provenance", ignore_errors=True)  # it would make room
            full(project / folder)
        before = snapshot(project / folder)
        said = run(project, "docker/run", "python", *command, status=1)
        lines = said.splitlines()
        assert message in lines[-1]
        assert lines[-1].startswith(f"{stage}: ")
        assert "Traceback" not in said
        assert snapshot(project / folder) == before
    assert left_over(project) == []
    undisturbed(project)


def snapshot(folder):
    """Every file and its content, but for what says how an earlier run went."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files if "provenance" not in path.parts}
