"""The split: cut pictures into the parts of the folds.

Every class is cut into as many parts as there are folds; a single fold has three parts of any size
(`prepared.folds` gives their roles). So fold 0 of ten is the single split of 80/10/10.

Groups of pictures that belong together stay in one part. Our own greedy algorithm deals them out:
scikit-learn's StratifiedGroupKFold has no parts of different sizes, and spreads less evenly
(docs/decisions.md).
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shallowdeep.files.errors import InputError
from shallowdeep.prepared.folds import SPLITS, Groups, Parts
from shallowdeep.settings.params import Split, fractions

Counts = NDArray[np.int64]  # of each class and part [C, P]


def cut(
    labels: NDArray[np.int64],
    single: Split,
    *,
    folds: int,
    classes: Sequence[str],
    seed: int,
    groups: Groups | None = None,
    hint: str = "",
) -> Parts:
    """Cut pictures into parts so that each has its share of every class and groups stay whole.

    Without groups, shares are exact to one picture. A class's pictures are shuffled by a generator
    seeded with the seed and the class's number, so that a picture added to one class leaves the
    other's parts as they were.

    Args:
        labels: class of each picture [N].
        single: shares of each class if there is one fold.
        folds: number of folds, 1 or at least 3.
        classes: their names, for messages.
        seed: of the shuffling.
        groups: pictures that belong together [N]; none do if not given.
        hint: a further way out for the message on groups.

    Returns:
        The part of each picture [N].

    Raises:
        InputError: a class has too few pictures for two in every part, as intervals need, or too
            few groups for one in every part (two in the tested one of a single fold).
    """
    groups = np.arange(len(labels)) if groups is None else groups

    def attempt(folds: int) -> Parts | None:
        counts = np.bincount(labels, minlength=len(classes)).tolist()
        sizes = [
            _sizes(name, count, single, folds=folds)
            for name, count in zip(classes, counts, strict=True)
        ]
        needed = np.ones_like(sizes)
        needed[:, 0] += folds == 1
        return _parts(labels, groups, np.array(sizes), needed, seed=seed)

    if (parts := attempt(folds)) is not None:
        return parts
    count, name = min((len(set(groups[labels == i])), name) for i, name in enumerate(classes))
    fewer = range(min(folds - 1, count), 2, -1)
    most = next((few for few in fewer if attempt(few) is not None), None)
    fewer_folds = f"there can be folds: {most}" if most else "there must be more groups"
    raise InputError(
        f"data: class {name}: its pictures belong together in {count:,} group{'s' * (count > 1)},"
        f" too few for folds: {folds}; {fewer_folds}{hint}"
    )


def _parts(
    labels: NDArray[np.int64], groups: Groups, sizes: Counts, needed: Counts, *, seed: int
) -> Parts | None:
    """Deal out groups of several pictures, then fill the parts up with the others.

    Args:
        labels: class of each picture [N].
        groups: pictures that belong together [N].
        sizes: wanted numbers of pictures.
        needed: numbers of groups, those of one picture too.
        seed: of the shuffling.

    Returns:
        The part of each picture [N]; None if some part has fewer groups than it needs.
    """
    parts, lacking = _dealt(labels, groups, sizes, needed, seed=seed)
    for label, wanted in enumerate(sizes):
        rows = np.flatnonzero(labels == label)
        shuffled = np.random.default_rng([seed, label]).permutation(rows)[::-1]
        alone = shuffled[parts[shuffled] < 0]
        filled = np.bincount(parts[rows] + 1, minlength=len(wanted) + 1)[1:]
        room = np.maximum(wanted - filled, lacking[label])
        for _ in range(room.sum() - len(alone)):  # pictures by which groups exceed their parts
            room[np.argmax((room - lacking[label]) / wanted)] -= 1
        if (room < lacking[label]).any():
            return None
        parts[alone] = np.repeat(np.arange(len(wanted)), room)
    return parts


def _dealt(
    labels: NDArray[np.int64], groups: Groups, sizes: Counts, needed: Counts, *, seed: int
) -> tuple[Parts, Counts]:
    """Deal out groups, the largest first, each to the part that needs it most.

    That is the part where it adds least to the sum of (pictures / all of the class)**2 / share; and
    once no more groups of a class are left than parts need, a part that needs one.

    Returns:
        The part of each picture, -1 for one that is alone [N]; groups that parts still need.
    """
    members = np.zeros((len(labels), len(sizes)), dtype=np.int64)  # of each group and class
    np.add.at(members, (groups, labels), 1)
    left = (members > 0).sum(0)
    needed, filled = needed.copy(), np.zeros(sizes.shape)
    totals = sizes.sum(1, keepdims=True)
    part_of = np.full(len(labels), -1)
    several = np.flatnonzero(members.sum(1) > 1)
    order = np.random.default_rng([seed, len(sizes)]).permutation(several)
    for group in order[np.argsort(-members[order].sum(1), kind="stable")]:
        share = members[group, :, None] / totals
        cost = ((2 * filled + share) * share / (sizes / totals)).sum(0)
        own = members[group] > 0
        last = own & (left <= needed.sum(1))
        missed = (needed[last] > 0).sum(0)
        part = np.argmin(np.where(missed == missed.max(), cost, np.inf))
        part_of[group] = part
        filled[:, part] += share[:, 0]
        needed[own, part] = np.maximum(needed[own, part] - 1, 0)
        left -= own
    return part_of[groups], needed


def _sizes(name: str, pictures: int, single: Split, *, folds: int) -> list[int]:
    """Return the number of pictures of a class in each part."""
    train, validation, test = counts = _rounded(pictures, fractions(folds, single))
    parts = max(folds - 2, 1)  # that fold 0 trains on, the first ones larger by one if need be
    evenly = [(train + parts - 1 - part) // parts for part in range(parts)]
    if min(test, validation, *evenly) >= 2:
        return [test, validation, *evenly]
    problem = f"data: class {name}: {pictures} usable pictures are too few"
    if folds == 1:
        wanted = ", ".join(f"{n} {split}" for n, split in zip(counts, SPLITS, strict=True))
        raise InputError(f"{problem} to split ({wanted}); every split needs two")
    raise InputError(
        f"{problem} for folds: {folds}, which need two each to test: {2 * folds - pictures} more,"
        " or fewer folds"
    )


def _rounded(pictures: int, shares: Split) -> list[int]:
    """Round the shares to whole numbers that add up; the largest remainders are rounded up."""
    exact = [pictures * getattr(shares, name) for name in SPLITS]
    counts = [math.floor(number + 1e-9) for number in exact]
    by_remainder = sorted(range(3), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: pictures - sum(counts)]:
        counts[i] += 1
    return counts
