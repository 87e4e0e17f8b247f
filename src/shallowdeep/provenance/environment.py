"""Environment of a stage: packages, processor, device, image, commit."""

import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from shallowdeep.files.arithmetic import pinned
from shallowdeep.files.cores import available_cores

PACKAGES = ("dvc", "numpy", "pillow", "scipy", "simplejpeg", "torch", "torchvision")


class Environment(NamedTuple):
    """Environment of a stage."""

    python: str
    packages: Mapping[str, str]  # versions
    platform: str
    processor: str
    cores: int  # that it might use
    threads: int | None  # of torch; None where it was not loaded
    ranks: int  # processes that shared the stage
    arithmetic: Mapping[str, str | None]  # the instructions that sums are pinned to
    device: Mapping[str, str] | None  # the CUDA device, where one was used
    image: str | None  # None: not in a container of this project


class Commit(NamedTuple):
    """Commit of the code."""

    commit: str
    changed: list[str]  # tracked files that differed from it


def environment() -> Environment:
    """Packages, processor, device, and the image where there is one."""
    torch = sys.modules.get("torch")
    return Environment(
        python=platform.python_version(),
        packages={name: importlib.metadata.version(name) for name in PACKAGES},
        platform=platform.platform(),
        processor=_processor(),
        cores=available_cores(),
        threads=torch.get_num_threads() if torch else None,
        ranks=int(os.environ["WORLD_SIZE"]) if "TORCHELASTIC_RUN_ID" in os.environ else 1,
        arithmetic=pinned(),
        device=_device(),
        image=os.environ.get("SHALLOWDEEP_IMAGE"),
    )


def commit() -> Commit | None:
    """The commit, and the tracked inputs that differ from it; None outside of a repository."""
    name = _output("git", "rev-parse", "HEAD")
    if name is None:
        return None
    changed = _output("git", "diff", "--name-only", "HEAD", "--", ":/", ":(top,exclude)results")
    return Commit(name.strip(), (changed or "").split("\n")[:-1])


def _processor() -> str:
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(": ")[2]
    return platform.processor() or platform.machine()


def _device() -> dict[str, str] | None:
    """The CUDA device, if torch has used one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    asked = _output("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
    driver = (asked or "").partition("\n")[0]
    return {"name": torch.cuda.get_device_name(), "driver": driver, "cuda": torch.version.cuda}


def _output(*command: str) -> str | None:
    """Output of a command; None if it fails or is not installed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
