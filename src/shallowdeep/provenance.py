"""results/provenance/STAGE.json: what made a stage's outputs, and on what machine.

The files are no outputs of the pipeline, so that the same inputs give the same hashes anywhere; git
ignores them. Hashes of inputs are taken when the stage starts, while DVC takes its own after it: a
file that was edited in between has another hash here than in dvc.lock.
"""

import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from shallowdeep.atomic import write_text

FOLDER = Path("results/provenance")
PACKAGES = ("dvc", "numpy", "pillow", "scipy", "simplejpeg", "torch", "torchvision")


@contextmanager
def recorded(
    stage: str, *, root: Path = Path(), output: Path | None = None
) -> Iterator[dict[str, str | None] | None]:
    """Run a stage's body and, once it has ended well, write what made its outputs.

    Args:
        stage: its name in ./dvc.yaml. Where it is in no such file, nothing is recorded.
        root: the project's folder, as seen from here; the record's paths are relative to it.
        output: what this run writes, if it can be other than what dvc.yaml says; then nothing is
            recorded.

    Yields:
        The hashes of its inputs; None where nothing is recorded.
    """
    inputs, outputs = _paths(stage)
    if not outputs or (output is not None and str(output) not in outputs):
        yield None
        return
    file = root / FOLDER / f"{stage}.json"
    file.unlink(missing_ok=True)  # it is of the outputs that go now
    started, clock = datetime.now(UTC), time.monotonic()
    read = _hashes(inputs, root)
    yield read
    record = {
        "stage": stage,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock, 3),
        "inputs": read,
        "outputs": _hashes(outputs, root),
        "git": _git(),
        "environment": environment(),
    }
    write_text(file, json.dumps(record, indent=2) + "\n")


def md5(path: Path) -> str | None:
    """The hash that DVC has for a file or folder; None where there is none or it cannot be read.

    A folder's is that of the JSON list of its files' hashes and names, sorted by name.
    """
    if path.is_dir():
        files = (
            Path(top, name) for top, _, names in os.walk(path, followlinks=True) for name in names
        )
        relative = sorted((file.relative_to(path).parts, file) for file in files)
        entries = [{"md5": md5(file), "relpath": "/".join(parts)} for parts, file in relative]
        return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    except OSError:
        return None


def environment() -> dict[str, Any]:
    """Packages, processor, device, and the image where there is one."""
    return {
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "threads": _threads(),
        "arithmetic": arithmetic(),
        "device": _device(),
        "image": os.environ.get("SHALLOWDEEP_IMAGE"),  # None: not in a container of this project
    }


def arithmetic() -> dict[str, str | None]:
    """Which instructions sums are made with, where docker/run has pinned them."""
    names = ("MKL_CBWR", "ATEN_CPU_CAPABILITY", "OPENBLAS_CORETYPE")
    return {name: os.environ.get(name) for name in names}


def _paths(stage: str) -> tuple[list[str], list[str]]:
    """What dvc.yaml says that a stage reads and writes; nothing where there is no such stage."""
    try:
        content = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"][stage]
    except (OSError, yaml.YAMLError, LookupError, TypeError):
        return [], []
    inputs = [str(dep) for dep in content["deps"]]
    if Path("params.yaml").exists():
        params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
        inputs = [dep.replace("${data.dir}", params["data"]["dir"]) for dep in inputs]
        inputs.append("params.yaml")
    outputs = [
        path
        for kind in ("outs", "metrics", "plots")
        for out in content.get(kind, [])
        for path in (out if isinstance(out, dict) else [out])
    ]
    return inputs, outputs


def _hashes(paths: list[str], root: Path) -> dict[str, str | None]:
    """By path as seen from `root`, or as it is if it is absolute."""
    return {
        path if Path(path).is_absolute() else os.path.relpath(path, root): md5(Path(path))
        for path in paths
    }


def _processor() -> str:
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(": ")[2]
    return platform.processor() or platform.machine()


def _threads() -> int | None:
    """How many torch computes with, where it was loaded."""
    torch = sys.modules.get("torch")
    return None if torch is None else torch.get_num_threads()


def _device() -> dict[str, str] | None:
    """The CUDA device, where torch was loaded and has used one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    asked = _output("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
    driver = (asked or "").partition("\n")[0]
    return {"name": torch.cuda.get_device_name(), "driver": driver, "cuda": torch.version.cuda}


def _git() -> dict[str, Any] | None:
    """The commit, and the tracked inputs that differ from it."""
    commit = _output("git", "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = _output("git", "diff", "--name-only", "HEAD", "--", ":/", ":(top,exclude)results")
    return {"commit": commit.strip(), "changed": (changed or "").split("\n")[:-1]}


def _output(*command: str) -> str | None:
    """What a command prints; None where it fails or is not installed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
