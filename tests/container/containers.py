"""What the container tests share: a real engine, its image, and containers found by their label."""

import functools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from checkouts import ROOT, run

ENGINE = os.environ.get("STAGE_ENGINE", "docker")
IN_CONTAINER = ("env", f"STAGE_ENGINE={ENGINE}", "docker/run")
A_CONTAINER_PER_STAGE = ("env", f"STAGE_ENGINE={ENGINE}")


@functools.cache
def image() -> str:
    """The image of these files; built, as `make image` does, where it is not there."""
    if not shutil.which(ENGINE) or _fails(ENGINE, "info"):
        pytest.skip(f"no {ENGINE} engine answers; `docker/engine make test-container` starts one")
    name = run(ROOT, "docker/image-name").strip()
    if not run(ROOT, ENGINE, "images", "--quiet", name):
        run(ROOT, "env", f"STAGE_ENGINE={ENGINE}", "docker/build")
    return name


def _fails(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode != 0


def containers(project: Path) -> list[str]:
    """The ids of the running containers of a checkout."""
    label = f"label=shallowdeep.checkout={project}"
    return run(project, ENGINE, "ps", "--quiet", "--filter", label).split()


def eventually(condition: Callable[[], object], what: str, *, seconds: float = 60) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"still not so after {seconds} s: {what}"
        time.sleep(0.05)


def start_training(project: Path, *command: str) -> subprocess.Popen[bytes]:
    """Start `dvc repro` in some mode with a training of an hour, and wait until it trains."""
    params = project / "params.yaml"
    text = params.read_text().replace("\nepochs: 2 ", "\nepochs: 1000000 ")
    assert "\nepochs: 1000000 " in text
    params.write_text(text)
    process = subprocess.Popen(
        [*command, "dvc", "repro", "train-deep"],
        cwd=project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    trains = functools.partial(_trains, project, process)
    try:
        eventually(trains, "training")
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process


def _trains(project: Path, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the run ended before it trained"
    for container in containers(project):  # it may end between the two questions
        shown = subprocess.run([ENGINE, "top", container], capture_output=True, check=False)
        if b"stages/train.py" in shown.stdout:
            return True
    return False
