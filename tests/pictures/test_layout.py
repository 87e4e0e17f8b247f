"""Folders that cannot mean two classes are refused, and the one that was meant is named."""

import re

import pytest

from shallowdeep.files.errors import InputError
from shallowdeep.pictures.layout import classes_of

PAIR = ("cat", "dog")


def lay(top, *folders):
    for folder in folders:
        (top / folder).mkdir(parents=True)
    return top


def below(*tops, names=PAIR):
    return [f"{top}/{name}" for top in tops for name in names]


@pytest.mark.parametrize(
    ("folders", "problem", "meant"),
    [
        (below("train", "validation"), "are splits", "train"),
        (below("Training", "Val", "test"), "are splits", "Training"),
        (below("train"), "are splits", "train"),
        (
            below("training_set/training_set", "test_set/test_set"),
            "splits",
            "training_set/training",
        ),
        (below("01-train", "02-test"), "are splits", "01-train"),
        (below("train", "extra"), "train is a split, not a class", "train"),
        (["cat", "validation"], "validation is a split, not a class; rename it", None),
        (["train", "test1"], "are splits", None),
        (below("2019", "2020"), r"2019 and 2020 hold the same ones \(cat, dog\)", "2019"),
        (below("a", "b", names=("Cat", "dog", "x")), "hold the same ones", None),
        (below("a/data", "b/data"), "hold the same ones", "a/data"),
        (below("PetImages"), r"found: 1 \(PetImages\); two are needed", "PetImages"),
        (["cat", "cow", "dog"], r"found: 3 \(cat, cow, dog\); two are needed", None),
    ],
)
def test_what_are_no_classes(tmp_path, folders, problem, meant):
    """Splits, parts of the same data, a folder around the classes."""
    with pytest.raises(InputError, match=problem) as error:
        classes_of(lay(tmp_path, *folders))
    said = re.search(r"; (\S+) was probably meant, with", str(error.value))
    assert (said and said[1].startswith(str(tmp_path / (meant or "-")))) == (meant and True)


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["cat/images", "dog/images"], PAIR),
        (["bus", "train"], ("bus", "train")),
        (["invalid", "valid"], ("invalid", "valid")),
        (["cat/train", "cat/test", "dog/train", "dog/test"], PAIR),
        (["cat/indoor", "cat/outdoor", "dog/garden"], PAIR),
        ([*PAIR, "__MACOSX/x", "@eaDir", ".git", "#recycle", "$RECYCLE.BIN"], PAIR),
    ],
)
def test_what_are_classes(tmp_path, folders, names):
    """Names that are words too, splits within classes, what systems lay beside folders."""
    assert classes_of(lay(tmp_path, *folders)) == names


def test_a_class_folder_may_be_no_link(tmp_path):
    """DVC would hash it as empty; the message names where it leads."""
    lay(tmp_path, "top/dog", "elsewhere")
    (tmp_path / "top" / "cat").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"top/cat: is a link to the folder .*elsewhere; DVC"):
        classes_of(tmp_path / "top")


def test_circles_of_links_end(tmp_path):
    """In both class folders, under one name."""
    for name in PAIR:
        lay(tmp_path, name)
        (tmp_path / name / "loop").symlink_to(".")
    assert classes_of(tmp_path) == PAIR  # the files below are refused where they are listed
