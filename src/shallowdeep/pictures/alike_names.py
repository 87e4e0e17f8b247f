"""Names that suggest which pictures belong together.

Frames of a clip, saved augmentations and pictures of a patient share a part of their names; taken
for independent they make intervals too narrow. A shared part alone is no sign (`cat.1 ...
cat.1000`): the pictures must be nearer to each other than to others of their class.

The statistic counts the pictures whose nearest neighbour has the same name (Schilling 1986); the
null hypothesis is that names are shuffled within a class. Among thousands of pictures a trifle is
significant, so there must be an effect too: the share beyond chance, as in Cohen's kappa. Frames
and turned copies of blurred noise have 0.88 to 1, 2,000 photographs in groups of 2 to 500 by number
at most 0.03.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from shallowdeep.files.progress import Progress
from shallowdeep.pictures.gram import centred_product
from shallowdeep.pictures.groups import keys_of

# Parts of a path: to the first number, to the last one, to the last word, the first word, the
# folder. The first of a pair takes in the class.
EXPRESSIONS = (
    (r"(.*/\D*\d+)", r".*/(\D*\d+)"),
    (r"(.*/.*?)\d+\D*$", r".*/(.*?)\d+\D*$"),
    (r"(.*/.*)[ _-]", r".*/(.*)[ _-]"),
    (r"(.*/[^ ._-]+)", r".*/([^ ._-]+)"),
    (r"^([^/]+/[^/]+)/", "folder"),
)
LEAST_EFFECT = 0.3
LEAST_SHARE = 0.02  # of the pictures share their name with another; fewer change no interval
PERMUTATIONS = 999  # none may reach the number that was found: p = 0.001
ASKED = 1_000  # pictures of a class whose nearest neighbours are looked for
BLOCK = 2**22  # distances at a time

Rows = NDArray[np.intp]


class Neighbours(NamedTuple):
    """Pictures, and the nearest other picture to each among some."""

    asked: Rows
    nearest: Rows
    among: Rows


class Shares(NamedTuple):
    """Shares of pictures whose nearest neighbour has the same name, of those where one can."""

    found: float
    by_chance: float

    @property
    def effect(self) -> float:
        """The share beyond chance."""
        return (self.found - self.by_chance) / (1 - self.by_chance)


def suggestion(means: NDArray[np.float32], manifest: pd.DataFrame) -> str:
    """Return a line with the value of data.group that names suggest, or nothing.

    Of each group only the first picture counts: nothing is said of what is together already.

    Args:
        means: as `near_duplicates.reduced` returns them.
        manifest: a row for each picture.
    """
    labels, paths = manifest["label"].to_numpy(), manifest["path"].to_list()
    firsts = manifest["group"].to_numpy() == np.arange(len(manifest))
    classes = [np.flatnonzero(firsts & (labels == label)) for label in (0, 1)]
    keys = {pair: _keys(paths, pair[0]) for pair in EXPRESSIONS}
    shared = [pair for pair in EXPRESSIONS if any(_is_shared(keys[pair][of]) for of in classes)]
    if not shared:
        return ""
    within = [_neighbours(means, rows, rows) for rows in classes]
    shares = {pair: _shares(keys[pair], within) for pair in shared}
    best = max(shared, key=lambda pair: shares[pair].effect)
    if shares[best].effect < LEAST_EFFECT or _is_chance(keys[best], within, classes):
        return ""
    across = [_neighbours(means, *pair) for pair in (classes, classes[::-1])]
    expression, regardless = best
    if _shares(_keys(paths, regardless), across).effect >= LEAST_EFFECT:
        expression = regardless
    found, by_chance = shares[best]
    return (
        f"of the pictures that share a part of their names {found:.0%} have such a one as nearest"
        f" picture of their class, by chance {by_chance:.0%}: frames of clips, or copies? If they"
        f" belong together, params.yaml needs data.group: '{expression}'"
    )


def _keys(paths: Sequence[str], expression: str) -> NDArray[np.intp]:
    """Number the names that an expression captures; a path without has a number of its own."""
    names = [name or f"/{row}" for row, name in enumerate(keys_of(paths, expression))]
    return pd.factorize(np.array(names, dtype=object))[0]


def _is_shared(keys: NDArray[np.intp]) -> bool:
    """True if some, not all, have the same key."""
    return 1 < len(np.unique(keys)) < len(keys)


def _neighbours(means: NDArray[np.float32], asked: Rows, among: Rows) -> Neighbours:
    """Find the nearest neighbours of at most ASKED pictures, exactly; of equal ones the first."""
    if len(asked) > ASKED:
        asked = np.random.default_rng(0).choice(asked, ASKED, replace=False)
    squares = np.einsum("ij,ij->i", means[among], means[among], dtype=np.float64)
    nearest = []
    blocks = np.array_split(asked, len(asked) * len(among) // BLOCK + 1)
    progress = Progress("comparing names", len(blocks), unit="blocks")
    with threadpool_limits(1, "blas"), progress:
        for some in blocks:
            progress.advance()
            apart = squares - 2 * centred_product(means[some], means[among])
            apart[some[:, None] == among] = np.inf
            nearest.append(among[apart.argmin(1)])
    return Neighbours(asked, np.concatenate(nearest), among)


def _shares(keys: NDArray[np.intp], neighbours: Sequence[Neighbours]) -> Shares:
    """Measure how often the nearest neighbour has the same name."""
    chances = []
    for asked, _, among in neighbours:
        itself = np.isin(asked, among)
        of_name = np.bincount(keys[among], minlength=keys.max() + 1)[keys[asked]]
        chances.append((of_name - itself) / np.maximum(len(among) - itself, 1))
    chance = np.concatenate(chances)
    possible, expected = np.count_nonzero(chance), float(chance.sum())
    if possible <= LEAST_SHARE * len(chance) or expected == possible:  # or all have one name
        return Shares(0.0, 0.0)
    return Shares(_matches(keys, neighbours) / possible, expected / possible)


def _matches(keys: NDArray[np.intp], neighbours: Sequence[Neighbours]) -> int:
    return sum(int((keys[asked] == keys[nearest]).sum()) for asked, nearest, _ in neighbours)


def _is_chance(
    keys: NDArray[np.intp], neighbours: Sequence[Neighbours], classes: Sequence[Rows]
) -> bool:
    """True if names shuffled within their class have as many matches in any permutation."""
    found, shuffled, rng = _matches(keys, neighbours), keys.copy(), np.random.default_rng(0)
    for _ in range(PERMUTATIONS):
        for rows in classes:
            shuffled[rows] = rng.permutation(shuffled[rows])
        if _matches(shuffled, neighbours) >= found:
            return True
    return False
