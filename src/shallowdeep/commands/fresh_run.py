"""A run of all stages from nothing in a clone, by a varied environment if wanted."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from shallowdeep.commands.clean_clone import LOCKS, locked_stages
from shallowdeep.files.errors import InputError
from shallowdeep.files.yaml_file import parse


def randomized(seed: int) -> tuple[dict[str, str], int, str]:
    """Draw what must not matter: environment, umask and name of the folder."""
    draw = random.Random(seed)
    threads = str(draw.choice([1, 2, 3, 8]))
    change = {
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "PYTHONHASHSEED": str(draw.randrange(1, 2**32)),
        "LC_ALL": draw.choice(["C", "C.UTF-8", "POSIX"]),
        "TZ": draw.choice(["UTC", "Asia/Kathmandu", "America/St_Johns"]),
        "ATEN_CPU_CAPABILITY": draw.choice(["default", "avx2"]),
        "MKL_ENABLE_INSTRUCTIONS": draw.choice(["SSE4_2", "AVX2"]),
        "OPENBLAS_CORETYPE": draw.choice(["Nehalem", "Sandybridge", "Haswell"]),
        "JSIMD_FORCENONE": draw.choice(["0", "1"]),
    }
    return change, draw.choice([0o002, 0o022, 0o077]), draw.choice(["a b", "größe", "x" * 60])


def rerun(
    project: Path, environment: Mapping[str, str], *, cache: str, seed: int | None
) -> dict[str, str]:
    """Run all stages that a fresh clone's lock files name.

    Args:
        project: the project's folder in the clone.
        environment: of the processes.
        cache: DVC's, for pictures that `dvc add` or `dvc import-url` keeps there.
        seed: of the variation; None to vary nothing.

    Returns:
        What was varied.
    """
    from dvc.utils.serialize import dump_yaml

    data_sets = []
    for lock, stages in locked_stages(project).items():
        for name, stage in stages.items():
            for out in stage.get("outs", []):
                path = (project / lock).parent / out["path"]
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            if lock == LOCKS[1]:
                data_sets.append(f"data/dvc.yaml:{name}")
        # The lock keeps its order of stages; any that DVC does not run stays like this.
        dump_yaml(
            project / lock, {"schema": "2.0", "stages": {name: {"cmd": ""} for name in stages}}
        )

    change, umask, _ = randomized(seed) if seed is not None else ({}, -1, "")
    (project / ".venv").symlink_to(Path(sys.prefix))

    def dvc(*arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "dvc", *arguments],
            cwd=project,
            env={**environment, **change},
            umask=umask,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            problem = " ".join((done.stdout + done.stderr).rpartition("ERROR: ")[2].split())
            raise InputError(f"the run in the clone failed: {problem or done.returncode}")

    if tracked := [str(path.relative_to(project)) for path in project.glob("data/*.dvc")]:
        (project / ".dvc/cache").symlink_to(cache)
        dvc("--quiet", "checkout", *tracked)
        (project / ".dvc/cache").unlink()  # no stage gets to see it
    if seed is not None and parse(project / "params.yaml")["data"]["dir"] == "data/sample":
        dvc("repro", "--no-run-cache", "data/dvc.yaml:sample")
        _shuffle(project / "data/sample", seed)
    dvc("repro", "--no-run-cache", "dvc.yaml", *data_sets)
    return change | {"umask": oct(umask)} if seed is not None else {}


def _shuffle(folder: Path, seed: int) -> None:
    """Write the files of a folder again, in another order and with other times."""
    contents = [(path, path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()]
    shutil.rmtree(folder)
    random.Random(seed).shuffle(contents)
    for number, (path, content) in enumerate(contents):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (number, number))
