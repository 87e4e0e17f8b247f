"""Mistakes end in one line and the exit status that a shell expects."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from in_process import process_state_kept

from shallowdeep.files.errors import InputError, one_line_errors

BODY = """
import os, signal, time
from shallowdeep.files.errors import InputError, one_line_errors
with one_line_errors("stage"):
    {}
"""
SHORT = "stage: memory is too short: "
OF_CUDA = "CUDA error: out of memory"
OF_TORCH = "CUDA out of memory. Tried 2 GiB."


def run(body: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BODY.format(body)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def ended(body):
    """What the body of a command, called in this process, ends with."""
    with process_state_kept(), pytest.raises(BaseException) as error, one_line_errors("stage"):
        if isinstance(body, BaseException):
            raise body
        body()
    return error.value


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (InputError("epochs: 0 is below 1"), "stage: epochs: 0 is below 1"),
        (Path("/nowhere/x").read_bytes, "stage: No such file or directory: /nowhere/x"),
        (OSError(errno.ENOSPC, "No space left", "x"), "stage: No space left: x"),
        (lambda: bytearray(1 << 60), f"{SHORT}for a Python object"),
        (
            lambda: np.empty(1 << 60, np.uint8),
            f"{SHORT}Unable to allocate 1.00 EiB for an array with shape (1152921504606846976,) and"
            " data type uint8",
        ),
        (RuntimeError(f"{OF_CUDA}\nCompile with `TORCH_USE_CUDA_DSA`"), SHORT + OF_CUDA),
        (torch.OutOfMemoryError(f"{OF_TORCH} GPU 0 has 1 GiB."), SHORT + OF_TORCH),
    ],
)
def test_a_mistake_is_one_line(body, line):
    """No traceback."""
    assert (type(found := ended(body)), str(found)) == (SystemExit, line)


def test_torch_without_memory_is_one_line():
    """Its error is a RuntimeError, with the line of its source in front."""
    line = str(ended(lambda: torch.empty(1 << 60, dtype=torch.uint8)))
    assert line.startswith(SHORT) and "\n" not in line
    assert "you tried to allocate 1152921504606846976 bytes" in line


@pytest.mark.parametrize(
    ("body", "status", "line"),
    [
        ("raise InputError('a\\nb\\x1b[31m')", 1, "stage: a\\nb\\x1b[31m\n"),
        ("raise KeyboardInterrupt", 130, "stage: interrupted\n"),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", 143, ""),
    ],
)
def test_a_process_ends_with_a_line_and_a_status(body, status, line):
    """Control characters cannot reach the terminal."""
    done = run(body)
    assert (done.returncode, done.stderr, done.stdout) == (status, line, "")


@pytest.mark.parametrize("megabytes", [150, 600, 1_000])
def test_too_little_room_to_import_is_one_line(megabytes):
    """Under a limit of the address space (`ulimit -v`), whichever library does not fit."""
    code = "from shallowdeep.provenance.stage import stage; "
    code += "stage('stage')(lambda _: __import__('torch'))()"
    shell = f'ulimit -v {megabytes * 1024}; exec "$0" -c "$1"'
    command = ["bash", "-c", shell, sys.executable, code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    line = "stage: memory is too short to load what it needs\n"
    assert (done.returncode, done.stderr) == (1, line)


def test_a_defect_of_ours_keeps_its_traceback():
    """A user cannot correct it."""
    assert isinstance(ended(lambda: torch.ones(2) @ torch.ones(3)), RuntimeError)
    done = run("1 / 0")
    assert done.returncode == 1 and "Traceback" in done.stderr


def test_a_reader_that_ends_is_no_error():
    """`command | head -1` ends quietly."""
    command = [sys.executable, "-c", BODY.format("print('x' * 10_000_000, flush=True)")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        os.read(process.stdout.fileno(), 1)
        process.stdout.close()
        assert process.wait(timeout=60) == 128 + signal.SIGPIPE
        assert b"Traceback" not in process.stderr.read()
