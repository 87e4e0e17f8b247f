"""The solver is chosen by what the Gram matrix would take, and by what is faster."""

import pytest

from shallowdeep.files.errors import InputError
from shallowdeep.prepared.solver import GRAM_LIMIT, choose

MANY = int((GRAM_LIMIT / 4) ** 0.5) + 1


@pytest.mark.parametrize(
    ("solver", "pictures", "size", "expected"),
    [
        ("auto", 2_000, 128, "dual"),
        ("auto", MANY, 128, "primal"),
        ("auto", 12_000, 8, "dual"),
        ("auto", 16_000, 8, "primal"),
        ("auto", 16_000, 32, "dual"),
        ("primal", 2_000, 128, "primal"),
        ("dual", MANY - 1, 8, "dual"),
    ],
)
def test_auto_takes_what_is_faster_within_the_limit(solver, pictures, size, expected):
    """A forced choice stands."""
    sizes = {"pictures": pictures, "train": pictures, "size": size}
    assert choose(solver, **sizes) == expected


def test_a_dual_over_the_limit_is_refused():
    """The message gives both sizes and the way out."""
    with pytest.raises(InputError, match=r"4\.0 GiB for 32,768 pictures, at most 4 GiB.*primal"):
        choose("dual", pictures=32_768, train=32_769, size=128)
