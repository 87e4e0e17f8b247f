"""How fast pictures are decoded and resized: this project's `prepare`, Pillow and torchvision.io.

    python benchmarks/decode.py data/sample

prints a table and writes benchmarks/decode.json. Imports and other set-up are not counted. All take
turns on the same 1,000 files, round by round, and shares are medians over rounds: a busy machine is
twice as slow in one minute as in the next. The aim is 90 % of (cores x one core of the fastest of
the others). Beside it stands what the cores do together: as many processes as cores, each with the
fastest of the others on its own share of the files.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision.io import ImageReadMode, decode_jpeg, read_file
from torchvision.transforms.v2.functional import resize

from shallowdeep.pictures.listing import Found, classes, listed
from shallowdeep.pictures.preparation import decode_all
from shallowdeep.settings.params import Data, Split

SIZE = 128
CHUNK = 1_000  # files
CORES = len(os.sched_getaffinity(0))


Rates = dict[str, list[float]]  # pictures a second, round by round


def pillow(path: str) -> None:
    """Decode, resize with an antialiasing bilinear filter, and make it an array."""
    with Image.open(path) as image:
        small = image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    np.ascontiguousarray(np.asarray(small).transpose(2, 0, 1))


def torchvision(path: str) -> None:
    """The same; torchvision.io wants the file as bytes in a tensor."""
    pixels = decode_jpeg(read_file(path), mode=ImageReadMode.RGB)
    resize(pixels, [SIZE, SIZE], antialias=True).contiguous().numpy()


def each(decode: Callable[[str], None], paths: list[str]) -> None:
    """One after the other."""
    for path in paths:
        decode(path)


def on_all_cores(pool: ProcessPoolExecutor, paths: list[str]) -> None:
    """One process a core, each with its own share."""
    list(pool.map(each, [torchvision] * CORES, [paths[i::CORES] for i in range(CORES)]))


def shallowdeep(folder: Path, files: list[Found]) -> None:
    """What the stage `prepare` does between finding files and splitting them."""
    data = Data(
        dir=str(folder),
        size=SIZE,
        max_pixels=10**8,
        on_reject="skip",
        split=Split(train=0.8, validation=0.1, test=0.1),
        mean=(0.5,) * 3,
        std=(0.5,) * 3,
    )
    with tempfile.TemporaryDirectory() as scratch:
        decode_all(folder, files, data, Path(scratch) / "pictures.npy")


def measure(folder: Path, files: list[Found], rounds: int) -> Rates:
    """All take turns on 1,000 files, then on the next; the first round is for warming up."""
    rates: Rates = {"Pillow": [], "torchvision.io": [], "all cores": [], "shallowdeep": []}
    with ProcessPoolExecutor(CORES) as pool:
        for number in range(rounds + 1):
            start = number * CHUNK % max(len(files) - CHUNK + 1, 1)
            chunk = files[start : start + CHUNK]
            paths = [str(folder / file.path) for file in chunk]
            tasks = (
                lambda paths=paths: each(pillow, paths),
                lambda paths=paths: each(torchvision, paths),
                lambda paths=paths: on_all_cores(pool, paths),
                lambda chunk=chunk: shallowdeep(folder, chunk),
            )
            for times, task in zip(rates.values(), tasks, strict=True):
                begin = time.perf_counter()
                task()  # type: ignore[no-untyped-call]
                times.append(len(chunk) / (time.perf_counter() - begin))
    return {name: times[1:] for name, times in rates.items()}


def share(ours: list[float], theirs: list[float]) -> float:
    """Median over the rounds of what one is of the other."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="two class subfolders with JPEG files")
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # torchvision.io says that it is to go
    torch.set_num_threads(1)
    files = listed(options.folder, classes(options.folder)).files
    rates = measure(options.folder, files, options.rounds)

    print(f"{SIZE} x {SIZE}, pictures a second: median (range) of {options.rounds} rounds\n")
    cores = {"Pillow": 1, "torchvision.io": 1, "all cores": CORES, "shallowdeep": CORES}
    labels = {name: f"{name}, cores used: {cores[name]}" for name in rates}
    labels["all cores"] = f"torchvision.io, processes: {CORES}"
    for name, values in rates.items():
        spread = f"({min(values):,.0f} - {max(values):,.0f})"
        print(f"{labels[name]:32}{statistics.median(values):8,.0f} {spread:>16}")
    one_core = zip(rates["Pillow"], rates["torchvision.io"], strict=True)
    fastest = [CORES * max(pair) for pair in one_core]
    shares = {
        "of_cores_x_fastest": share(rates["shallowdeep"], fastest),
        "of_processes": share(rates["shallowdeep"], rates["all cores"]),
    }
    print(
        f"\nshallowdeep: {shares['of_cores_x_fastest']:.0%} of {CORES} cores x the fastest on one,"
    )
    print(f"{shares['of_processes']:.0%} of what the fastest does in {CORES} processes")
    found = {"cores": CORES, "rounds": options.rounds, "rates": rates, "shares": shares}
    text = json.dumps(found, indent=2, sort_keys=True) + "\n"
    Path(__file__).with_suffix(".json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
