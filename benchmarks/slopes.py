"""Cost of each further picture on one core: the tables of docs/scale.md.

    python benchmarks/slopes.py FOLDER

Measured on blends of two photographs from FOLDER (as many_pictures.py draws them) and on noise, by
process time; a slope is the difference between two counts. Prints Markdown.
"""

import argparse
import hashlib
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from cost import random_pictures
from many_pictures import blend_all
from numpy.typing import NDArray
from scale import seconds
from tabulate import tabulate
from threadpoolctl import threadpool_limits

from shallowdeep.pictures import listing, near_duplicates, preparation
from shallowdeep.settings.params import read

Floats = NDArray[np.float32]

ROOT = Path(__file__).parent.parent
SIZE, BYTES, MIB, HOUR = 128, 3 * 128 * 128, 2**20, 3_600
NETWORKS, EPOCHS, RUNS, FOLDS, TRAINED = 2, 10, 10, 10, 0.8
COUNTS = (100_000, 1_000_000, 10_000_000)
DVC_YAML = "stages: {look: {cmd: 'true', deps: [pictures]}}\n"
DVC = """import re, sys, time
from dvc.cli import main
ended = main(["repro", "--quiet"])
print(time.process_time(), re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])
sys.exit(ended)
"""


class Slopes(NamedTuple):
    """Of one picture: seconds of one core, and bytes of memory."""

    decoding: float
    hashing: float
    means: float
    pair: float  # of a pair of pictures that are compared, mirrored too
    dvc: float  # of a stage that depends on it
    dvc_bytes: float
    training: float  # of a picture, run and epoch, primal, pictures in memory


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("photographs", type=Path)
    found = measure(options.parse_args().photographs)
    rows = [(name, f"{value:.3g}") for name, value in found._asdict().items()]
    print(tabulate(rows, ("seconds, or bytes, a picture", ""), "pipe"), "\n")
    print(tabulate(table(found), ["", *(f"{one:,}" for one in COUNTS)], "pipe"))


def measure(
    photographs: Path, *, few: int = 1_000, many: int = 21_000, most: int = 100_000
) -> Slopes:
    """All slopes: of pairs from `most` pictures and half of them, of DVC from `few` and `many`."""
    with TemporaryDirectory() as scratch, threadpool_limits(1):
        folder = Path(scratch)
        (folder / "blends").mkdir()
        blend_all(photographs, folder / "blends", few)
        data = read(ROOT / "params.yaml").data
        classes = listing.classes(folder / "blends")
        files = listing.listed(folder / "blends", classes).files
        array = folder / "pictures.npy"
        decoding = used(lambda: preparation.decode_all(folder / "blends", files, data, array))
        pictures = np.load(array)
        means = used(lambda: near_duplicates.reduced(pictures))
        hashing = used(lambda: (hashlib.md5(pictures.data), hashlib.sha256(pictures.data)))
        drawn = blended(near_duplicates.reduced(pictures), most)
        pairs = [used(partial(near_duplicates.copies, drawn[:n])) for n in (most // 2, most)]
        small, large = (dvc(folder / f"dvc {count}", count) for count in (few, many))
        epochs = [trained(folder / f"noise {count}", count) for count in (few, 5 * few)]
        return Slopes(
            decoding / few,
            hashing / few,
            means / few,
            (pairs[1] - pairs[0]) / ((most**2 - (most // 2) ** 2) / 2),
            (large[0] - small[0]) / (many - few),
            (large[1] - small[1]) / (many - few),
            (epochs[1] - epochs[0]) / (4 * few * TRAINED),
        )


def trained(folder: Path, count: int) -> float:
    """Seconds of an epoch of one run on noise, validation and test included; the faster of two."""
    folder.mkdir()
    noise = random_pictures(folder, count, SIZE)
    return min(seconds(noise, 1, 1) for _ in range(2))


def used(work: Callable[[], object]) -> float:
    """Seconds of this process's cores."""
    before = time.process_time()
    work()
    return time.process_time() - before


def blended(means: Floats, count: int) -> Floats:
    """Means of that many blends of two pictures, whole numbers."""
    draw = np.random.default_rng(0)
    first, second = draw.integers(0, len(means), (2, count))
    share = draw.uniform(0.3, 0.7, (count, 1))
    mixed: Floats = np.round(share * means[first] + (1 - share) * means[second])
    return mixed.astype(np.float32)


def dvc(project: Path, count: int) -> tuple[float, float]:
    """Seconds and bytes that DVC takes for a stage which depends on that many small files."""
    (project / "pictures").mkdir(parents=True)
    for number in range(count):
        (project / f"pictures/{number}.jpg").write_bytes(number.to_bytes(4) * 256)
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet"], cwd=project, check=True)
    (project / "dvc.yaml").write_text(DVC_YAML)
    command = [sys.executable, "-c", DVC]
    printed = subprocess.run(command, cwd=project, check=True, capture_output=True, text=True)
    took, kib = printed.stdout.split()[-2:]
    return float(took), 1_024 * float(kib)


def table(of: Slopes) -> list[list[str]]:
    """What the slopes come to for each count."""
    epochs = NETWORKS * EPOCHS * RUNS * TRAINED  # of training pictures
    times: dict[str, Callable[[int], float]] = {
        "prepare: decoding": lambda n: of.decoding * n,
        "prepare: comparing for near-duplicates": lambda n: of.means * n + of.pair * n * n / 2,
        "hashing": lambda n: of.hashing * n,
        "DVC": lambda n: of.dvc * n,
        "training, single split": lambda n: epochs * of.training * n,
    }
    shown = [[name, *(in_words(work(n)) for n in COUNTS)] for name, work in times.items()]
    core_hours = [sum(work(n) for work in times.values()) / HOUR for n in COUNTS]
    return [
        *shown,
        ["**core hours, single split**", *(f"{one:.2g}" for one in core_hours)],
        ["training, ten folds", *(in_words(FOLDS * epochs * of.training * n) for n in COUNTS)],
        ["memory: DVC, MiB", *(f"{of.dvc_bytes * n / MIB:,.0f}" for n in COUNTS)],
        ["memory: means, MiB", *(f"{4 * 3 * 256 * n / MIB:,.0f}" for n in COUNTS)],
        ["disk: pictures.npy, GB", *(f"{BYTES * n / 1e9:,.0f}" for n in COUNTS)],
    ]


def in_words(took: float) -> str:
    """Seconds in a unit that suits them."""
    if took < 120:
        return f"{took:.0f} s"
    return f"{took / 60:.0f} min" if took < 2 * HOUR else f"{took / HOUR:,.0f} h"


if __name__ == "__main__":
    main()
