"""Interrupted, killed and doubled runs: the next one works, and nothing is corrupted."""

import os
import signal

import pytest
from checkouts import run
from containers import (
    A_CONTAINER_PER_STAGE,
    ENGINE,
    IN_CONTAINER,
    containers,
    eventually,
    image,
    start_training,
)

pytestmark = pytest.mark.container


@pytest.fixture(autouse=True, scope="module")
def _image():
    image()


def finish(project):
    """The settings of before, run to the end: all is as it was."""
    run(project, "git", "checkout", "params.yaml")
    run(project, *IN_CONTAINER, "dvc", "repro")
    assert run(project, "git", "status", "--porcelain") == ""


@pytest.mark.parametrize("mode", [A_CONTAINER_PER_STAGE, IN_CONTAINER], ids=["stage", "pipeline"])
def test_an_ended_run_ends_at_once_and_the_next_one_works(project, mode):
    """After Ctrl-C, after `docker stop` (which would kill after a minute only) and after a kill."""

    def interrupt(process):
        os.killpg(process.pid, signal.SIGINT)

    def stop(_process):
        run(project, ENGINE, "stop", "--time", "60", *containers(project))

    def kill(_process):
        run(project, ENGINE, "kill", "--signal", "KILL", *containers(project))

    for end in (interrupt, stop, kill):
        process = start_training(project, *mode)
        end(process)
        assert process.wait(timeout=20) != 0
        eventually(lambda: not containers(project), "no container left", seconds=20)
    finish(project)


def test_of_two_runs_on_one_checkout_the_second_is_refused(project):
    """Whichever way it would run; the first goes on undisturbed."""
    first = start_training(project, *IN_CONTAINER)
    try:
        for mode in (IN_CONTAINER, A_CONTAINER_PER_STAGE):
            assert "busy" in run(project, *mode, "dvc", "repro", status=255)
        assert first.poll() is None
        assert len(containers(project)) == 1
    finally:
        os.killpg(first.pid, signal.SIGINT)
        first.wait(timeout=20)
    finish(project)


def test_a_container_whose_dvc_was_killed_is_found_by_its_label(project):
    """It goes on until somebody stops it."""
    process = start_training(project, *A_CONTAINER_PER_STAGE)
    process.kill()
    process.wait()
    assert len(containers(project)) == 1
    run(project, ENGINE, "stop", *containers(project))
    eventually(lambda: not containers(project), "no container left", seconds=20)
    finish(project)
