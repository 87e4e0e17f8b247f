"""Mistakes end in one line and the exit status that a shell expects."""

import os
import signal
import subprocess
import sys

import pytest

BODY = """
import errno, os, signal, sys, time
from shallowdeep.files.errors import InputError, one_line_errors
with one_line_errors("stage"):
    {}
"""


def run(body: str) -> subprocess.CompletedProcess[str]:
    imports = "".join(f"import {name}\n" for name in ("numpy", "torch") if f"{name}." in body)
    command = [sys.executable, "-c", imports + BODY.format(body)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("body", "status", "line"),
    [
        ("raise InputError('epochs: 0 is below 1')", 1, "stage: epochs: 0 is below 1"),
        ("raise InputError('a\\nb\\x1b[31m')", 1, "stage: a\\nb\\x1b[31m"),
        ("open('/nowhere/x')", 1, "stage: No such file or directory: /nowhere/x"),
        ("raise OSError(errno.ENOSPC, 'No space left', 'x')", 1, "stage: No space left: x"),
        ("bytearray(1 << 60)", 1, "stage: memory is too short: for a Python object"),
        (
            "numpy.empty(1 << 60, numpy.uint8)",
            1,
            "stage: memory is too short: Unable to allocate 1.00 EiB for an array with shape "
            "(1152921504606846976,) and data type uint8",
        ),
        (
            "raise RuntimeError('CUDA error: out of memory\\nCompile with `TORCH_USE_CUDA_DSA`')",
            1,
            "stage: memory is too short: CUDA error: out of memory",
        ),
        (
            "raise torch.OutOfMemoryError('CUDA out of memory. Tried 2 GiB. GPU 0 has 1 GiB.')",
            1,
            "stage: memory is too short: CUDA out of memory. Tried 2 GiB.",
        ),
        ("raise KeyboardInterrupt", 130, "stage: interrupted"),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", 143, ""),
    ],
)
def test_a_mistake_is_one_line(body, status, line):
    """No traceback; control characters cannot reach the terminal."""
    done = run(body)
    assert (done.returncode, done.stderr.strip(), done.stdout) == (status, line, "")


def test_torch_without_memory_is_one_line():
    """Its error is a RuntimeError, with the line of its source in front."""
    done = run("torch.empty(1 << 60, dtype=torch.uint8)")
    assert done.returncode == 1
    assert done.stderr.startswith("stage: memory is too short: ")
    assert "you tried to allocate 1152921504606846976 bytes" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("megabytes", [150, 600, 1_000])
def test_too_little_room_to_import_is_one_line(megabytes):
    """Under a limit of the address space (`ulimit -v`), whichever library does not fit."""
    code = "from shallowdeep.provenance.stage import stage; "
    code += "stage('stage')(lambda _: __import__('torch'))()"
    shell = f'ulimit -v {megabytes * 1024}; exec "$0" -c "$1"'
    command = ["bash", "-c", shell, sys.executable, code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "stage: memory is too short to load what it needs\n"


@pytest.mark.parametrize("defect", ["1 / 0", "torch.ones(2) @ torch.ones(3)"])
def test_a_defect_of_ours_keeps_its_traceback(defect):
    """A user cannot correct it."""
    done = run(defect)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_a_reader_that_ends_is_no_error():
    """`command | head -1` ends quietly."""
    body = BODY.format("print('x' * 10_000_000, flush=True)")
    command = [sys.executable, "-c", body]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        os.read(process.stdout.fileno(), 1)
        process.stdout.close()
        assert process.wait(timeout=60) == 128 + signal.SIGPIPE
        assert b"Traceback" not in process.stderr.read()
