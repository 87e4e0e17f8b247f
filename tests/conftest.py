"""What several tests need: a small set of prepared pictures, and the project as a fresh clone."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import sync_playwright

from shallowdeep import prepared
from shallowdeep.gram import gram
from shallowdeep.normalisation import Normalisation
from shallowdeep.params import Split
from shallowdeep.split import stratified

SIZE = 12

# A shell lets what it starts in the background ignore Ctrl-C, and so would what tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> prepared.Prepared:
    """100 prepared pictures of noise, those of class 1 a little brighter: 82 train, 9, 9."""
    return write_prepared(tmp_path_factory.mktemp("data") / "prepared", count=100, seed=0)


def write_prepared(
    folder: Path, *, count: int, seed: int, brighter: int = 15, size: int = SIZE
) -> prepared.Prepared:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % 2)
    array = rng.integers(0, 240, (count, 3, size, size), dtype=np.uint8)
    array += (brighter * labels[:, None, None, None]).astype(np.uint8)
    classes, half = ("cat", "dog"), (0.5, 0.5, 0.5)
    splits = stratified(labels, Split(0.82, 0.09, 0.09), classes=classes, seed=0)
    manifest = [
        prepared.Entry(f"{classes[label]}/{i}.png", "", int(label), split, size, size)
        for i, (label, split) in enumerate(zip(labels, splits, strict=True))
    ]
    train = np.flatnonzero([split == "train" for split in splits])
    matrix = np.empty((count, len(train)), dtype=np.float32)
    gram(array, train, Normalisation(half, half), out=matrix)
    folder.mkdir(parents=True)
    np.save(folder / "pictures.npy", array)
    np.save(folder / "gram.npy", matrix)
    prepared.write(folder, manifest, prepared.Summary(classes, size, half, half))
    return prepared.load(folder)


ROOT = Path(__file__).parent.parent


def run(folder: Path, *command: str, status: int = 0) -> str:
    """Run a command in a folder, as a user would after activating .venv; return what it printed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == status, done.stdout
    return done.stdout


def clone(folder: Path) -> Path:
    """The project's files as they are now, in a git repository of their own."""
    listed = run(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    run(folder, "git", "init", "--quiet", "--initial-branch", "main")
    run(folder, "git", "config", "user.name", "Tester")
    run(folder, "git", "config", "user.email", "tester@example.org")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "--quiet", "--message", "state")


@pytest.fixture(scope="session")
def miniature(tmp_path_factory) -> Path:
    """A clone with small settings and 40 pictures, run once and committed; not to be changed."""
    folder = tmp_path_factory.mktemp("miniature") / "a project"
    clone(folder)
    pictures = folder.parent / "pictures"
    run(folder, sys.executable, "-m", "shallowdeep.sample", str(pictures), "--per-class", "20")
    text = (folder / "params.yaml").read_text()
    for old, new in (
        ("dir: data/sample", f"dir: {pictures}"),
        ("size: 128", "size: 16"),
        ("epochs: 10", "epochs: 2"),
        ("runs: 10", "runs: 2"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "params.yaml").write_text(text)
    run(folder, "dvc", "repro")
    commit(folder)
    return folder


@pytest.fixture
def pictures_folder(miniature) -> Path:
    """The miniature project's pictures; not to be changed."""
    return Path(miniature).parent / "pictures"


@pytest.fixture
def project(miniature, tmp_path) -> Path:
    """A copy of the miniature project, to be changed at will."""
    return Path(shutil.copytree(miniature, tmp_path / "a project", symlinks=True))


@pytest.fixture(scope="module")
def browser():
    """Chromium, without a network."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if not path and not os.environ.get("CI"):
        pytest.skip("there is no Chromium here; on Debian: apt-get install chromium")
    assert path, "CI has no Chromium"
    flags = ("--no-sandbox", "--disable-background-networking", "--disable-component-update")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=list(flags))
