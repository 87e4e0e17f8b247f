"""What the whole pipeline takes with as many pictures as the best-known set of cats and dogs has.

    python benchmarks/many_pictures.py FOLDER [--pictures 25000] [--set NAME=VALUE ...]

Each picture is a blend of two photographs of one class from FOLDER, cropped and mirrored at random,
as JPEG. Two commands in a clone of the working tree, `dvc repro prepare` and `dvc exp run`, at the
defaults of params.yaml but for what `--set` names. Prints JSON, as docs/scale.md has it.
"""

import argparse
import json
import random
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageOps
from pipeline_time import measure

from shallowdeep.files.cores import available_cores


def main() -> None:
    """Draw, run, print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("photographs", type=Path)
    options.add_argument("--pictures", type=int, default=25_000)
    options.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    asked = options.parse_args()
    with TemporaryDirectory() as folder:
        blend_all(asked.photographs, Path(folder), asked.pictures)
        run = measure(Path(folder), epochs=10, repetitions=1, changes=asked.set)
    found = {
        "pictures": asked.pictures,
        "cores": available_cores(),
        "minutes": round((run.prepare_seconds + run.seconds) / 60, 1),
        "seconds of prepare": round(run.prepare_seconds),
        "seconds of stages": {name: round(stage.seconds) for name, stage in run.stages.items()},
        "peak, MiB": {name: round(stage.peak_mib or 0) for name, stage in run.stages.items()},
    }
    print(json.dumps(found, indent=2))


def blend_all(photographs: Path, folder: Path, count: int) -> None:
    """Half of them of each class."""
    with ProcessPoolExecutor(available_cores()) as pool:
        for source in sorted(path for path in photographs.iterdir() if path.is_dir()):
            (folder / source.name).mkdir()
            files = sorted(source.iterdir())
            half = range(count // 2)
            parts = [half[first : first + 100] for first in half[::100]]
            list(pool.map(partial(blend, files, folder / source.name), parts))


def blend(files: list[Path], folder: Path, numbers: range) -> None:
    """Write one picture for each number."""
    for number in numbers:
        draw = random.Random(f"{folder.name} {number}")
        first, second = (Image.open(path).convert("RGB") for path in draw.sample(files, 2))
        both = Image.blend(first, second.resize(first.size), draw.uniform(0.3, 0.7))
        across, down = (draw.uniform(0, side / 4) for side in both.size)
        cropped = both.crop((across, down, across + both.width * 0.75, down + both.height * 0.75))
        turned = ImageOps.mirror(cropped) if draw.random() < 0.5 else cropped
        turned.resize(first.size).save(folder / f"{number}.jpg", quality=90)


if __name__ == "__main__":
    main()
