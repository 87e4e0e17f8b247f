"""What several tests need: a small set of prepared pictures, and the project as a fresh clone."""

import gc
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from shallowdeep.files.arithmetic import pin_arithmetic

pin_arithmetic()  # before NumPy is imported: stages are called in this process

import pytest
from checkouts import ROOT, clone, commit, run
from filelock import FileLock
from in_process import dvc_main, told
from noise import write_prepared
from odd_names import run_odd
from playwright.sync_api import sync_playwright
from threadpoolctl import threadpool_limits

from shallowdeep.files.cores import available_cores
from shallowdeep.prepared.prepared_set import Prepared

# A shell lets what it starts in the background ignore Ctrl-C, and so would what tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

threadpool_limits(1)  # a process of pytest-xdist a core: their threads would wait for each other

# Hundreds of processes import the same modules: what one has compiled, the others need not.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

gc.disable()  # while the tests are imported, and all that they import


def pytest_collection_finish():
    """What the tests import is there."""
    gc.freeze()
    gc.enable()


def pytest_configure(config):
    """Hide a CUDA device from all tests but its own: `device: auto` gives other bits on it."""
    if config.option.markexpr != "cuda":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def pytest_xdist_auto_num_workers():
    """One more than there are cores: many a test waits for something."""
    return available_cores() + 1


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Prepared:
    """100 prepared pictures of noise, those of class 1 a little brighter: 82 train, 9, 9."""
    return write_prepared(tmp_path_factory.mktemp("data") / "prepared", count=100, seed=0)


def made_once(tmp_path_factory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that all processes of pytest-xdist share; the first that needs it makes it."""
    here = tmp_path_factory.getbasetemp()
    shared = here.parent if "PYTEST_XDIST_WORKER" in os.environ else here
    folder = shared / name
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            folder.mkdir()
            make(folder / "a project")
    return folder / "a project"


@pytest.fixture(scope="session")
def miniature(tmp_path_factory) -> Path:
    """A clone with small settings and 40 pictures, run once and committed; not to be changed."""
    return made_once(tmp_path_factory, "miniature", run_miniature)


@pytest.fixture(scope="session")
def longer(miniature, tmp_path_factory) -> Path:
    """The miniature project after an experiment `longer` of three epochs; not to be changed."""

    def make(folder: Path) -> None:
        shutil.copytree(miniature, folder, symlinks=True)
        dvc_main(folder, "exp", "run", "--name", "longer", "-S", "epochs=3")

    return made_once(tmp_path_factory, "longer", make)


@pytest.fixture(scope="session")
def odd(miniature, tmp_path_factory) -> Path:
    """The miniature project after an experiment on odd names; not to be changed."""
    return made_once(tmp_path_factory, "odd", lambda folder: run_odd(miniature, folder))


def run_miniature(folder: Path) -> None:
    clone(folder)
    pictures = folder.parent / "pictures"
    assert told("sample", str(pictures), "--per-class", "20") == ""
    for name, old, new in (
        ("params.yaml", "dir: data/sample", f"dir: {pictures}"),
        ("params.yaml", "size: 128", "size: 16"),
        ("params.yaml", "epochs: 10", "epochs: 2"),
        ("params.yaml", "runs: 10", "runs: 2"),
        ("data/dvc.yaml", "--per-class 500", "--per-class 20"),
    ):
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))
    run(folder, sys.executable, ".dvc/plots/page.py")  # as `make setup` does
    dvc_main(folder, "repro")
    commit(folder)


@pytest.fixture(scope="session")
def publishing(tmp_path_factory) -> Path:
    """The programs of requirements-publishing.txt, installed where they are not."""
    with FileLock(tmp_path_factory.getbasetemp().parent / "publishing.lock"):
        run(ROOT, "make", ".venv/publishing/installed")
    return ROOT / ".venv/publishing/bin"


@pytest.fixture
def pictures_folder(miniature) -> Path:
    """The miniature project's pictures; not to be changed."""
    return Path(miniature).parent / "pictures"


@pytest.fixture
def project(miniature, tmp_path) -> Path:
    """A copy of the miniature project, to be changed at will."""
    return Path(shutil.copytree(miniature, tmp_path / "a project", symlinks=True))


@pytest.fixture
def longer_project(longer, tmp_path) -> Path:
    """A copy of the project after its experiment, to be changed at will."""
    return Path(shutil.copytree(longer, tmp_path / "a project", symlinks=True))


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
