"""Names of files tell which pictures belong together."""

import re

import numpy as np
import pytest

from shallowdeep.files.errors import InputError
from shallowdeep.pictures.groups import by_name, merged

PATHS = ["cat/clip1_frame0.jpg", "cat/clip1_frame1.jpg", "cat/p7/left.jpg"]
PATHS += ["cat/p7/deeper/right.jpg", "./=dog/clip1_frame9.jpg", "./=dog/p7/left.jpg"]
PATHS += ["./=dog/p8/p7.jpg"]


@pytest.mark.parametrize(
    ("group", "expected", "unnamed"),
    [
        ("", [0, 1, 2, 3, 4, 5, 6], 0),
        ("folder", [0, 1, 2, 2, 4, 2, 6], 3),
        (r"(clip\d+)_frame", [0, 0, 2, 3, 0, 5, 6], 4),
        (r"^([^/]+/[^/]+)/", [0, 1, 2, 2, 4, 5, 6], 3),
        (r"clip(\d+)|p7/(.)", [0, 0, 2, 3, 0, 5, 6], 4),
        (r"^(cat|=dog)", [0, 0, 0, 0, 4, 4, 4], 0),
    ],
)
def test_a_part_of_the_path_names_the_group(group, expected, unnamed):
    """In both classes, unless it has the class; the folder is that below the class's.

    What has no name is alone, also where another part of the expression matches.
    """
    groups, count = by_name(PATHS, group)
    assert (groups.tolist(), count) == (expected, unnamed)


@pytest.mark.parametrize(
    ("paths", "group", "message"),
    [
        (PATHS, "(dogs)", "data.group: (dogs): matches none of the 7 paths, such as cat/clip1_f"),
        (PATHS[:2], "folder", "data.group: folder: matches none of the 2 paths, such as cat/clip1"),
        (PATHS, "(e[0-9])", "(e[0-9]): each of its 3 groups has one picture, such as e0: nothing"),
    ],
)
def test_an_expression_that_groups_nothing_is_refused(paths, group, message):
    """With what it was tried on."""
    with pytest.raises(InputError, match=re.escape(message)):
        by_name(paths, group)


def test_groups_that_share_a_picture_are_one():
    """Each is named by its first row."""
    groups = np.array([0, 0, 2, 3, 3, 5])
    assert merged(groups, np.array([[4, 5], [2, 2]])).tolist() == [0, 0, 2, 2, 2, 2]
    assert merged(groups).tolist() == groups.tolist()
