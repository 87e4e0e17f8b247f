"""What the primal solver does where there are more cores, or more pictures than memory.

On random bytes, in the folder that TMPDIR names. The file is taken out of the page cache before
each reading; where a memory cgroup (version 1) can be made, this process gets a quarter of the
file, so that it cannot stay there either.
"""

import argparse
import atexit
import json
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shallowdeep.files.arithmetic import pin_arithmetic

pin_arithmetic()

import torch  # noqa: E402
from cost import random_pictures  # noqa: E402

from shallowdeep.files.atomic import write_text  # noqa: E402
from shallowdeep.files.cores import available_cores  # noqa: E402
from shallowdeep.prepared.prepared_set import Prepared  # noqa: E402
from shallowdeep.training import devices  # noqa: E402
from shallowdeep.training.fitting import Fitting, seeds  # noqa: E402
from shallowdeep.training.picture_file import Pictures, at_hand, copy_rows, prefetched  # noqa: E402
from shallowdeep.training.sgd import Settings  # noqa: E402

CGROUP = Path("/sys/fs/cgroup/memory") / f"scale-{os.getpid()}"
BATCH, ROUNDS, READ, CPU = 32, 7, 10_000, torch.device("cpu")


def main() -> None:
    """Measure, print and write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pictures", type=int, default=100_000)
    options.add_argument("--small", type=int, default=2_000, help="that fit into memory")
    options.add_argument("--out", type=Path, default=Path("benchmarks/scale.json"))
    asked = options.parse_args()
    devices.pick("cpu")
    found: dict[str, Any] = {"cores": available_cores(), "pictures": asked.pictures}
    with TemporaryDirectory() as folder:
        small = random_pictures(Path(folder), asked.small, 128)
        found["times faster on all cores"] = spread(lambda _: times_faster(small))
    with TemporaryDirectory() as folder:
        large = random_pictures(Path(folder), asked.pictures, 128)
        found["limit, MiB"] = limit_memory(large.pictures.nbytes // 4)
        found["us a row, one by one"] = spread(lambda seed: row(large, seed, as_they_are))
        found["us a row, prefetched"] = spread(lambda seed: row(large, seed, prefetched))
        found["an epoch of a run"] = epoch(large)
    print(json.dumps(found, indent=2))
    write_text(asked.out, json.dumps(found, indent=2) + "\n")


def spread(measure: Callable[[int], float]) -> dict[str, float]:
    """Median, lowest and highest of some rounds."""
    seen = [measure(number) for number in range(ROUNDS)]
    numbers = {"median": statistics.median(seen), "lowest": min(seen), "highest": max(seen)}
    return {name: round(number, 2) for name, number in numbers.items()} | {"rounds": ROUNDS}


def times_faster(pictures: Prepared) -> float:
    """How many times faster ten runs are on all cores than on one, in turns."""
    one, all_of_them = (seconds(pictures, 10, cores) for cores in (1, available_cores()))
    return one / all_of_them


def seconds(pictures: Prepared, runs: int, cores: int) -> float:
    """Of an epoch of all runs."""
    settings = Settings([4], epochs=1, batch_size=BATCH, lr=0.01, keep="last")
    by_fold = seeds(0, folds=1, runs=runs)
    fitting = Fitting(pictures, settings, by_fold, solver="primal", device=CPU, cores=cores)
    start = time.perf_counter()
    fitting.fit()
    return time.perf_counter() - start


def as_they_are(_: Pictures, parts: Sequence[torch.Tensor]) -> Iterable[torch.Tensor]:
    """Parts as they are: each picture is read when it is wanted."""
    return parts


def row(pictures: Prepared, seed: int, order: Callable[..., Iterable[torch.Tensor]]) -> float:
    """Microseconds to read one of many rows in random order from a file that is not in memory."""
    with (pictures.folder / "pictures.npy").open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    rows = at_hand(pictures.pictures, CPU)
    picked = torch.empty((BATCH, *rows.shape[1:]), dtype=torch.uint8)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randperm(len(rows), generator=generator)[:READ]
    start = time.perf_counter()
    for part in order(rows, torch.split(drawn, BATCH)):
        copy_rows(rows, part, out=picked[: len(part)])
    return 1e6 * (time.perf_counter() - start) / len(drawn)


def epoch(pictures: Prepared) -> dict[str, float]:
    """Of one run: what it takes, and at most how much memory of its own the process has."""
    stop, most = threading.Event(), [0.0]

    def watch() -> None:
        while not stop.wait(0.1):
            status = Path("/proc/self/status").read_text()
            (own,) = (line.split()[1] for line in status.splitlines() if "RssAnon" in line)
            most.append(int(own) / 2**10)

    watching = threading.Thread(target=watch)
    watching.start()
    took = seconds(pictures, 1, 1)
    stop.set()
    watching.join()
    trained = len(pictures.rows("train"))
    return {
        "seconds": round(took, 1),
        "us a picture": round(1e6 * took / trained, 1),
        "own memory, MiB": round(max(most)),
    }


def limit_memory(limit: int) -> int | None:
    """Keep this process to so many bytes, page cache included; returns them in MiB."""
    with suppress(OSError):
        CGROUP.mkdir()
        (CGROUP / "memory.limit_in_bytes").write_text(str(limit))
        (CGROUP / "cgroup.procs").write_text(str(os.getpid()))
        atexit.register(lift_limit)
        return limit // 2**20
    return None


def lift_limit() -> None:
    """Leave no cgroup behind."""
    (CGROUP.parent / "cgroup.procs").write_text(str(os.getpid()))
    CGROUP.rmdir()


if __name__ == "__main__":
    main()
