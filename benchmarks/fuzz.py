"""Throw damaged pictures and settings at their readers: what they raise, and whether they survive.

    python benchmarks/fuzz.py --minutes 10

A worker process decodes and parses mutated inputs, each from a seed of its own; anything but a
picture, settings or an InputError is reported with the seed that gives it, a worker's death too.
It may take a GiB of address space beyond what it has at its start, and 20 s of a core an input.
"""

import argparse
import io
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch  # noqa: F401  # before its address space is counted
from PIL import ExifTags, Image

from shallowdeep.files.errors import InputError
from shallowdeep.pictures.decoding import FORMATS, decode, quiet
from shallowdeep.settings import params

BATCH = 2_000  # inputs of one worker process
LONGEST = 20  # seconds
MODES = ("RGB", "L", "P", "LA", "RGBA", "CMYK", "1", "I;16", "I", "F")
GREY = ("I;16", "I", "F")
WAYS: list[tuple[str, dict[str, object]]] = [(form, {}) for form in FORMATS] + [
    ("JPEG", {"progressive": True}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("TIFF", {"compression": "tiff_adobe_deflate", "big_tiff": True}),
    ("TIFF", {"compression": "jpeg"}),
]
PARAMS = (Path(__file__).parent.parent / "params.yaml").read_bytes()
EXTREMES = [bytes(4), b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x01"]
WORDS = [b"&a ", b"*a", b"!!", b"<<: ", b"- ", b": ", b"{", b"[", b"\t", b"1e999", b".nan", b"'"]


def pictures() -> list[bytes]:
    """Valid files of all formats."""
    noise = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Make] = 6, "a camera"
    files = []
    for form, options in WAYS:
        for mode in MODES:
            file = io.BytesIO()
            image = Image.new(mode, (32, 24)) if mode in GREY else Image.fromarray(noise)
            try:
                image.convert(mode).save(file, form, exif=exif.tobytes(), **options)
            except (OSError, ValueError):  # not in this format
                continue
            files.append(file.getvalue())
    return files


def limit_memory() -> None:
    """Leave a GiB of address space beyond what torch and the decoders take."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + 2**30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def mutated(whole: bytes, draw: random.Random, insert: list[bytes]) -> bytes:
    """A few random changes: bytes flipped, cut off, spliced, overwritten."""
    data = bytearray(whole)
    for _ in range(draw.randint(1, 6)):
        place = draw.randrange(len(data) + 1)
        change = draw.randrange(5)
        if change == 0 and data:
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        elif change == 1:
            piece = draw.choice(insert)
            data[place : place + len(piece)] = piece
        elif change == 2:
            data[place:place] = draw.choice(insert)
        elif change == 3:
            start = draw.randrange(len(data) + 1)
            data[place:place] = data[start : start + draw.randint(1, 200)]
        elif draw.random() < 0.3:
            del data[place:]
    return bytes(data)


def work(first: int) -> None:
    """Try a batch of seeds; print the current one first, so that a death is known."""
    files = pictures()
    limit_memory()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "input")
        for seed in range(first, first + BATCH):
            draw = random.Random(seed)
            settings = draw.random() < 0.3
            source = PARAMS if settings else draw.choice(files)
            path.write_bytes(mutated(source, draw, WORDS if settings else EXTREMES))
            print(seed, flush=True)
            began = time.process_time()
            try:
                if settings:
                    params.read(path)
                else:
                    with quiet():
                        assert decode(path, size=16, max_pixels=10**6).pixels.shape == (3, 16, 16)
            except InputError as error:
                assert "\n" not in str(error), seed
            assert time.process_time() - began < LONGEST, seed


def main() -> None:
    """Start workers one after the other until the time is up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0, help="the first input's")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.seed)
        return
    end = time.monotonic() + 60 * options.minutes
    seed, failures = options.seed, 0
    while time.monotonic() < end:
        command = [sys.executable, __file__, "--worker", "--seed", str(seed)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        if done.returncode:
            failures += 1
            last = done.stdout.split()[-1] if done.stdout else seed
            print(f"seed {last}: status {done.returncode}\n{done.stderr[-2000:]}")
        seed += BATCH
    count = seed - options.seed
    print(f"fuzz: {count:,} inputs in {options.minutes:g} minutes, {failures} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
