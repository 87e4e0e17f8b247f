"""One walk lists what lies below a folder: it ends, and says what is no ordinary file."""

import os
import subprocess

import pytest

from shallowdeep.files.errors import InputError
from shallowdeep.files.file_tree import DEEPEST, Entry, Kind, walk


@pytest.fixture
def top(tmp_path):
    """A folder that goes afterwards: pytest's own clearing up would go down it by recursion."""
    (tmp_path / "top").mkdir()
    yield tmp_path / "top"
    subprocess.run(["rm", "-r", tmp_path / "top"], check=True)


def deep(folder, levels):
    """Folders in folders; the path grows too long to make them at once."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def test_everything_is_found_for_what_it_is(tmp_path):
    """Files and links to files; links to folders, in circles too; pipes, devices, dead links."""
    top = tmp_path / "top"
    (top / "in" / ".hidden").mkdir(parents=True)
    for name in ("1", "in/2", "in/.hidden/3"):
        (top / name).touch()
    os.mkfifo(top / "pipe")
    links = {"file": "1", "a": ".", "b": ".", "in/up": "..", "device": "/dev/null", "dead": "gone"}
    for name, target in (links | {"loop": "loop"}).items():
        (top / name).symlink_to(target)
    kinds = dict.fromkeys(["1", "file", "in/2", "in/.hidden/3"], Kind.FILE)
    kinds |= dict.fromkeys(["a", "b", "in/up"], Kind.LINKED_FOLDER)
    kinds |= dict.fromkeys(["pipe", "device", "dead", "loop"], Kind.OTHER)
    assert sorted(walk(top), key=str) == sorted((Entry(*one) for one in kinds.items()), key=str)


@pytest.mark.parametrize("levels", [DEEPEST, DEEPEST + 1, 1_200])
def test_folders_may_be_nested_so_deep(top, levels):
    """And no deeper; in one line, neither a RecursionError nor a path of thousands of letters."""
    deep(top, levels)
    if levels == DEEPEST:
        assert list(walk(top)) == []
        return
    with pytest.raises(InputError, match=f"more than {DEEPEST} levels of folders") as error:
        list(walk(top))
    assert len(str(error.value)) < 300
