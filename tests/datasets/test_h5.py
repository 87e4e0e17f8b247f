"""The course's two HDF5 files become class folders; what is no such file is one line."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from shallowdeep.datasets.h5 import main

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
Y = np.array([[0, 1, 1]])
NAMES = np.array([b"non-cat", b"cat"])


def write_part(path: Path, name: str, **changes: object) -> Path:
    """Write a file of the course's layout; `x`, `y` and `names` change it, None leaves one out."""
    content = {"x": X, "y": Y, "names": NAMES} | changes
    keys = {"x": f"{name}_set_x", "y": f"{name}_set_y", "names": "list_classes"}
    with h5py.File(path, "w") as file:
        for key, array in content.items():
            if array is not None:
                file[keys[key]] = array
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Both files, and no others."""
    return tuple(write_part(tmp_path / f"{name}.h5", name) for name in ("train", "test"))


def unpacked(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def refused(*arguments: Path) -> str:
    """Return the one line that the command ends with; it has left nothing."""
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, arguments)))
    message = str(ended.value)
    assert message.isprintable() and message.startswith("h5: ")
    assert not list(arguments[-1].parent.glob(".*"))
    return message


def test_pictures_and_classes(files, tmp_path):
    """Each pixel is the file's; folders are named after the classes; twice the same bytes.

    In another process, too; a folder that cannot be made is one line, pictures stay as they are.
    """
    main([*map(str, files), str(tmp_path / "set")])
    names = ["non-cat/{}-0000.png", "cat/{}-0001.png", "cat/{}-0002.png"]
    whole = unpacked(tmp_path / "set")
    assert whole.keys() == {name.format(part) for part in ("train", "test") for name in names}
    for name in whole:
        np.testing.assert_array_equal(Image.open(tmp_path / "set" / name), X[int(name[-5])])
    command = [sys.executable, "-m", "shallowdeep.datasets.h5", *files]
    subprocess.run([*command, tmp_path / "again"], check=True)
    assert unpacked(tmp_path / "again") == whole
    assert "set: is there already" in refused(*files, tmp_path / "set")
    assert unpacked(tmp_path / "set") == whole
    refused(*files, files[0] / "set")


@pytest.mark.parametrize(
    ("changes", "folders"),
    [
        ({"names": None}, {"non-cat", "cat"}),
        ({"names": [b"dog", b"cat"]}, {"dog", "cat"}),
        ({"y": Y[0]}, {"non-cat", "cat"}),
        ({"y": Y.astype(np.float32)}, {"non-cat", "cat"}),
    ],
)
def test_other_copies_of_the_files(tmp_path, changes, folders):
    """Without or with other names of classes; labels in one row or none, of any number type."""
    files = [write_part(tmp_path / f"{name}.h5", name, **changes) for name in ("train", "test")]
    main([*map(str, files), str(tmp_path / "set")])
    assert {path.name for path in (tmp_path / "set").iterdir()} == folders
    assert len(unpacked(tmp_path / "set")) == 6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": None}, "train_set_x: is missing; there is list_classes, train_set_y"),
        ({"y": None}, "train_set_y: is missing; there is list_classes, train_set_x"),
        ({"x": X[0]}, "train_set_x: is uint8 [64, 64, 3], not uint8 [m, 64, 64, 3]"),
        ({"x": X[:, :32]}, "train_set_x: is uint8 [3, 32, 64, 3], not uint8 [m, 64, 64, 3]"),
        ({"x": np.uint8(1)}, "train_set_x: is uint8 [], not uint8 [m, 64, 64, 3]"),
        ({"x": X / 255}, "train_set_x: is float64 [3, 64, 64, 3], not uint8 [m, 64, 64, 3]"),
        ({"y": Y[:, :2]}, "train_set_y: is [1, 2], not [3] or [1, 3], one label for each picture"),
        ({"y": Y.T}, "train_set_y: is [3, 1], not [3] or [1, 3], one label for each picture"),
        ({"y": 2 * Y}, "train_set_y: 2 is neither 0 nor 1"),
        ({"y": Y / np.float32(2)}, "train_set_y: 0.5 is neither 0 nor 1"),
        ({"y": [b"a", b"b", b"c"]}, "train_set_y: b'a' is neither 0 nor 1"),
        ({"names": [b"cat"]}, "list_classes: ['cat'] are not two names for folders"),
        ({"names": [b"cat", b"cat"]}, "list_classes: ['cat', 'cat'] are not two names for folders"),
        ({"names": [b"..", b"a/b"]}, "list_classes: ['..', 'a/b'] are not two names for folders"),
    ],
)
def test_another_layout_is_one_line(files, tmp_path, changes, message):
    """It names the file, the array, what it is and what is allowed."""
    write_part(files[0], "train", **changes)
    assert refused(*files, tmp_path / "set") == f"h5: {files[0]}: {message}"


def test_files_that_do_not_belong_together_are_one_line(files, tmp_path):
    """In the wrong order the first has no train_set_x; both need the same classes."""
    assert "train_set_x: is missing" in refused(*reversed(files), tmp_path / "set")
    write_part(files[1], "test", names=[b"dog", b"cat"])
    assert refused(*files, tmp_path / "set") == (
        f"h5: {files[1]}: list_classes: has ('dog', 'cat'), {files[0]} has ('non-cat', 'cat')"
    )


@pytest.mark.parametrize("content", [None, b"", b"words", "half", "damaged"])
def test_no_hdf5_file_is_one_line(files, tmp_path, content):
    """Missing, empty, another format, cut off, or with a damaged header."""
    whole = files[1].read_bytes()
    damaged = {"half": whole[: len(whole) // 2], "damaged": whole[:96] + bytes(800) + whole[896:]}
    if content is None:
        files[1].unlink()
    else:
        files[1].write_bytes(damaged.get(content, content))
    assert refused(*files, tmp_path / "set").startswith(f"h5: {files[1]}: ")
