"""Groups of pictures that belong together: by the names of files, and merged with others."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shallowdeep.files.errors import InputError
from shallowdeep.prepared.folds import Groups

FOLDER = r"^[^/]+/([^/]+)/"  # data.group: folder


def by_name(paths: Sequence[str], group: str) -> tuple[Groups, int]:
    """Group pictures by a part of their path.

    The same text is one group, in both classes too: a patient with pictures of both. To keep the
    classes apart, an expression takes in the class: `^([^/]+/[^/]+)/`.

    Args:
        paths: of the pictures, relative to data.dir.
        group: data.group: none, `folder` or an expression whose first group names it.

    Returns:
        Groups [N], and the number of pictures that the expression does not match.

    Raises:
        InputError: it matches no path, or puts no two pictures together.
    """
    rows = np.arange(len(paths))
    if not group or not paths:
        return rows, 0
    keys = keys_of(paths, group)
    first: dict[str, int] = {}
    groups = [first.setdefault(key, row) if key else row for row, key in enumerate(keys)]
    if not first:
        raise InputError(
            f"data.group: {group}: matches none of the {len(paths):,} paths, such as {paths[0]}"
        )
    if len(first) == len(paths) - keys.count(""):
        raise InputError(
            f"data.group: {group}: each of its {len(first):,} groups has one picture, such as"
            f" {next(iter(first))}: nothing belongs together"
        )
    return np.array(groups, dtype=np.int64), keys.count("")


def keys_of(paths: Sequence[str], group: str) -> list[str]:
    """Return what data.group captures of each path, or nothing."""
    pattern = re.compile(FOLDER if group == "folder" else group)
    matches = (pattern.search(path.removeprefix("./")) for path in paths)
    return [(match[1] or "") if match else "" for match in matches]


def merged(groups: Groups, *pairs: NDArray[np.int64]) -> Groups:
    """Merge groups by pairs [2, n] of their members."""
    if not pairs:
        return groups
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(groups)
    starts, ends = np.hstack([*pairs, np.stack([np.arange(count), groups])])
    graph = coo_array((np.ones(len(starts), dtype=bool), (starts, ends)), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    _, first = np.unique(labels, return_index=True)
    return np.asarray(first[labels], dtype=np.int64)
