"""Whatever ends a stage, the next `dvc repro` gives what an undisturbed run gives."""

import itertools
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import voluptuous
import yaml
from checkouts import ROOT, changed_stages, commit, has_loaded, run, start, with_environment
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from in_process import call_alone, dvc_main

BY_DVC = ("dvc", "repro", "--force", "--no-run-cache", "--single-item")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


def undisturbed(project, *options):
    """Run to the end: git sees no change in lock, metrics and plots."""
    dvc_main(project, "repro", "--no-run-cache", *options)
    assert run(project, "git", "status", "--porcelain") == ""
    assert changed_stages(project) == set()


def left_over(project):
    """Temporary files. A stage removes those of a killed one when it runs; DVC may not run it."""
    return [*project.glob("[!.]*/**/.*.tmp*"), *project.glob(".checkpoints")]


def interrupt(project, stage, number, after):
    """Run one stage by force on a terminal of its own, and end it some seconds after its start."""
    controller, terminal = os.openpty()
    before = termios.tcgetattr(terminal)
    process = start(project, *BY_DVC, stage, stdin=terminal, start_new_session=True)
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


def imports(process, stage):
    """True if a stage has loaded the library that it begins with, and imports all others."""
    return has_loaded(process, "libtorch_cpu" if stage.startswith("train") else "multiarray_umath")


@pytest.mark.parametrize("command", ["train.py deep", "evaluate.py"])
def test_ctrl_c_while_a_stage_imports_is_no_traceback(project, command):
    """It takes seconds to load torch or scikit-learn; nothing has been begun by then."""
    with_environment(project)
    process = start(project, "docker/run", "python", *f"stages/{command}".split())
    while not imports(process.pid, command):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0] == ""
    assert process.returncode == -signal.SIGINT
    assert run(project, "git", "status", "--porcelain") == ""


def begun(project, stage, shell):
    """Start a stage with DVC, by force; returns DVC and the stage's process once that imports."""
    options = {"stdout": subprocess.DEVNULL, "env": {"SHELL": shutil.which(shell)}}
    dvc = start(project, *BY_DVC, stage, **options)
    while True:
        assert dvc.poll() is None, "DVC has ended before its stage was seen"
        for child in psutil.Process(dvc.pid).children(recursive=True):
            with suppress(OSError):
                if imports(child.pid, stage):
                    return dvc, child.pid
        time.sleep(0.005)


def lives(pid):
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    return False


@pytest.mark.parametrize(
    ("stage", "number", "shell"),
    [
        ("prepare", signal.SIGKILL, "sh"),
        ("train-shallow", signal.SIGHUP, "bash"),
        ("evaluate", signal.SIGKILL, "bash"),
    ],
)
def test_a_stage_ends_with_dvc(project, stage, number, shell):
    """DVC alone is ended; nobody else tells its stage. Debian's sh stays between, bash does not."""
    with_environment(project)
    script = project / f"stages/{stage.partition('-')[0]}.py"
    sleeping = r"\1__import__('time').sleep(300)\n\1settings ="
    code = re.sub(r"^( +)settings =", sleeping, script.read_text(), flags=re.MULTILINE)
    assert "sleep" in code  # by itself it would not end in time
    script.write_text(code)
    dvc, child = begun(project, stage, shell)
    dvc.send_signal(number)
    dvc.wait()
    end = time.monotonic() + 30
    while lives(child) and time.monotonic() < end:
        time.sleep(0.05)
    assert not lives(child)
    assert left_over(project) == []


def test_a_stage_left_behind_does_not_write_over_what_is_newer(project):
    """As in a container, whose stage does not hear of DVC's end: its parameters have changed."""
    with_environment(project)
    script, params = project / "stages/train.py", project / "params.yaml"
    code, text, end = script.read_text(), params.read_text(), "        run.check_unchanged()\n"
    assert code.count(end) == 1
    wait = "        (here := Path('trained')).touch()\n        while here.exists(): pass\n"
    script.write_text(code.replace(end, wait + end))
    params.write_text(text.replace("lr: 0.01", "lr: 0.02"))
    command = ("docker/run", "python", "stages/train.py", "deep")
    behind = start(project, *command, env={"DVC_STAGE": "train-deep"})
    while not (project / "trained").exists():
        assert behind.poll() is None
        time.sleep(0.01)
    params.write_text(text)
    before = snapshot(project / "results") | snapshot(project / "models")
    (project / "trained").unlink()
    assert "params.yaml has changed while this stage ran" in behind.communicate(timeout=120)[0]
    assert behind.returncode == 1
    assert snapshot(project / "results") | snapshot(project / "models") == before
    script.write_text(code)
    assert changed_stages(project) == set()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_leaves_no_temporary_files(tmp_path, number):
    """Here within a write; a terminal that is closed sends SIGHUP."""
    code = """if True:
        import signal, sys, time
        from pathlib import Path
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
        from shallowdeep.files.atomic import replacing
        from shallowdeep.files.errors import one_line_errors
        with one_line_errors("x"), replacing(Path(sys.argv[1])) as new:
            new.write_text("half")
            print("begun", flush=True)
            time.sleep(60)
    """
    process = start(ROOT, sys.executable, "-c", code, str(tmp_path / "a.csv"))
    process.stdout.readline()
    process.send_signal(number)
    assert process.wait(timeout=60) == 128 + number
    process.stdout.close()
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_experiment_apart_resumes(project):
    """`dvc exp run --temp`: its folder goes, its checkpoint does not."""
    with_environment(project)
    code = project / "src/shallowdeep/training/checkpoint.py"
    code.write_text(code.read_text().replace("EVERY = 30.0 ", "EVERY = 0.0 "))
    commit(project)
    command = ("dvc", "exp", "run", "--temp", "-S", "epochs=200", "train-deep")
    process = start(project, *command, stdout=subprocess.DEVNULL, start_new_session=True)
    while not list(project.glob(".checkpoints/train-deep.*.pt")):
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=60) != 0
    assert "train-deep: resumes from its last checkpoint" in run(project, *command)
    assert left_over(project) == []


def mend_lock(project):
    """Do as docker/README.md says where DVC itself was killed while it wrote dvc.lock, in place."""
    try:
        COMPILED_LOCKFILE_SCHEMA(yaml.safe_load((project / "dvc.lock").read_text()))
    except (OSError, yaml.YAMLError, voluptuous.Error):
        run(project, "git", "checkout", "--quiet", "dvc.lock")


def test_ended_at_random_moments_the_next_run_is_whole(project):
    """Each signal at two stages, at moments from its start to past its end."""
    with_environment(project)
    draw, signals = random.Random(0), itertools.cycle(SIGNALS)
    for training in ("train-deep", "train-shallow"):
        for stage in ("evaluate", training, "prepare"):  # each still has its inputs
            interrupt(project, stage, next(signals), draw.uniform(0, 2.5))
            mend_lock(project)
        next(signals)
        undisturbed(project, *["--force"] * (training == "train-shallow"))
    assert left_over(project) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
@pytest.mark.parametrize(
    ("stage", "folder"),
    [(("prepare",), "data"), (("train", "deep"), "models"), (("evaluate",), "results")],
    ids=["data", "models", "results"],
)
def test_a_read_only_disk_is_one_line(project, stage, folder):
    """What was there stays whole, and nothing is left over."""
    path = str(project / folder)
    run(project, "mount", "--bind", path, path)
    try:
        run(project, "mount", "-o", "remount,bind,ro", path)
        before = snapshot(project / folder)
        ended = call_alone(project, *stage)
        assert (ended.status, ended.err.count("\n")) == (1, 1), ended
        assert ended.err.startswith(f"{'-'.join(stage)}: Read-only file system")
        assert snapshot(project / folder) == before
    finally:
        run(project, "umount", path)
    assert left_over(project) == []


def snapshot(folder):
    """Every file and its content, but for what says how an earlier run went."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files if "provenance" not in path.parts}
