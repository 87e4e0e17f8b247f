"""One walk lists what lies below a folder: it ends, and says what is no ordinary file."""

import os

import pytest

from shallowdeep.files.errors import InputError
from shallowdeep.files.file_tree import DEEPEST, Entry, Kind, walk


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


def test_folders_may_be_nested_so_deep(tmp_path):
    """And no deeper; in one line, neither a RecursionError nor a path of thousands of letters."""
    here = tmp_path
    for levels in range(1_001):
        if levels == DEEPEST:
            assert list(walk(tmp_path)) == []
        if levels in (DEEPEST + 1, 1_000):
            with pytest.raises(InputError, match=f"more than {DEEPEST} levels of folders") as error:
                list(walk(tmp_path))
            assert len(str(error.value)) < 300
        here /= "d"
        here.mkdir()
    while here != tmp_path:  # pytest's own clearing up would go down it by recursion
        here.rmdir()
        here = here.parent
