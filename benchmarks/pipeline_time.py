"""Second table: one `dvc exp run` of everything, and where its seconds go."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
EPOCHS = 100


class Stage(NamedTuple):
    """Seconds and memory of one stage."""

    seconds: float  # from DVC starting it to the end of its process
    training: float  # of those, by its own account: setting up, training, writing the model
    peak_mib: float | None  # largest resident set; None where the system does not tell


class Pipeline(NamedTuple):
    """Seconds of a whole run, prepared data in place."""

    epochs: int
    folds: int
    seconds: float  # the median of the repetitions; the stages are of that one
    all_seconds: list[float]
    prepare_seconds: float  # the `dvc repro prepare` before, its start of DVC included
    stages: dict[str, Stage]

    @property
    def dvc_seconds(self) -> float:
        """Seconds outside of the stages."""
        return self.seconds - sum(stage.seconds for stage in self.stages.values())


def measure(
    photographs: Path,
    *,
    epochs: int = EPOCHS,
    folds: int = 10,
    repetitions: int = 3,
    changes: Sequence[str] = (),
) -> Pipeline:
    """Clone the working tree, prepare the photographs, run the experiment with its ten runs.

    Args:
        photographs: folder with a subfolder per class.
        epochs: of both networks.
        folds: each with its ten runs.
        repetitions: of the experiment, each from the same state; odd.
        changes: of further parameters, as in `keep=best`.
    """
    with TemporaryDirectory() as scratch:
        project = Path(scratch).resolve() / "project"
        clone(project)
        _set(project / "params.yaml", "dir", str(photographs.resolve()))
        _set(project / "params.yaml", "folds", str(folds))
        _commit(project)
        start = time.perf_counter()
        _run(project, "dvc", "repro", "prepare")
        prepare_seconds = time.perf_counter() - start
        _commit(project)
        experiments = []
        changed = [f"--set-param={change}" for change in (f"epochs={epochs}", *changes)]
        for _ in range(repetitions):
            start = time.perf_counter()
            spans, peaks = _follow(project, "dvc", "exp", "run", *changed)
            experiments.append((time.perf_counter() - start, spans, peaks))
            _run(project, "git", "checkout", "--quiet", ".")
            shutil.rmtree(project / ".dvc" / "cache" / "runs")  # it would give the same outputs
        experiments.sort(key=lambda experiment: experiment[0])
        seconds, spans, peaks = experiments[repetitions // 2]
    stages = {
        name: Stage(span.end - span.start, span.training, peaks.get(name))
        for name, span in spans.items()
    }
    all_seconds = [experiment[0] for experiment in experiments]
    return Pipeline(epochs, folds, seconds, all_seconds, prepare_seconds, stages)


def clone(project: Path) -> None:
    """The working tree's files as they are now, in a git repository of their own."""
    listing = _run(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in filter(None, listing.split("\0")):
        if (ROOT / name).is_file():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, project / name)
    _run(project, "git", "init", "--quiet", "--initial-branch", "main")
    _run(project, "git", "config", "user.name", "Benchmark")
    _run(project, "git", "config", "user.email", "benchmark@example.org")
    _commit(project)


def _commit(project: Path) -> None:
    _run(project, "git", "add", "--all")
    _run(project, "git", "commit", "--quiet", "--allow-empty", "--message", "state")


def _set(params: Path, key: str, value: str) -> None:
    quoted = value if value.isdecimal() else "'" + value.replace("'", "''") + "'"
    text = params.read_text()
    params.write_text(re.sub(rf"(?m)^( *{key}:) \S+", lambda m: f"{m[1]} {quoted}", text, count=1))


def _environment() -> dict[str, str]:
    """As after activating .venv."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return environment | {"PATH": f"{Path(sys.executable).parent}:{environment['PATH']}"}


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


class Span(NamedTuple):
    """When a stage ran, and the seconds of its training that it prints."""

    start: float
    end: float
    training: float


def _follow(project: Path, *command: str) -> tuple[dict[str, Span], dict[str, float]]:
    """Run DVC; it names each stage that it starts, and a stage's own line is its last."""
    spans: dict[str, Span] = {}
    lines = []
    name, start = "", 0.0
    with _Watch(project) as watch, _started(project, *command) as process:
        for line in process.stdout or ():
            lines.append(line)
            if running := re.search(r"Running stage '([\w-]+)'", line):
                name, start = running[1], time.perf_counter()
            elif line.startswith(f"{name}: "):
                told = re.search(r", ([\d.]+) s: ", line)
                before = spans[name].training if name in spans else 0.0
                spans[name] = Span(start, time.perf_counter(), float(told[1]) if told else before)
    if process.returncode or not spans:
        raise SystemExit(f"{' '.join(command)}: {''.join(lines[-10:])}")
    for name, end in watch.last_seen.items():
        if name not in spans:  # `check` prints nothing
            continue
        spans[name] = spans[name]._replace(end=max(end, spans[name].end))
    return spans, watch.peak_mib


def _started(project: Path, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=project,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


class _Watch:
    """Looks at the stages' processes 20 times a second; the system keeps the peak of each."""

    def __init__(self, project: Path) -> None:
        self.peak_mib: dict[str, float] = {}
        self.last_seen: dict[str, float] = {}
        self._project, self._over = project, Event()
        self._thread = Thread(target=self._watch)

    def __enter__(self) -> "_Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            for name, peak in _stage_peaks(self._project):
                self.peak_mib[name] = max(peak, self.peak_mib.get(name, 0))
                self.last_seen[name] = time.perf_counter()


def _stage_peaks(project: Path) -> Iterator[tuple[str, float]]:
    """Name and peak, MiB, of each stage that runs in `project` now; nothing without /proc."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode().split("\0")
            stage = re.search(r"stages/(\w+)\.py \b(\w*)|stages/(\w+)\.py", " ".join(words))
            if stage and (process / "cwd").resolve().is_relative_to(project):
                peak = re.search(r"VmHWM:\s*(\d+)", (process / "status").read_text())
                if peak:
                    name = "-".join(filter(None, stage.groups()))
                    yield name, int(peak[1]) / 1024
        except OSError:
            continue  # it has ended, or is somebody else's
