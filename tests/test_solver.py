"""The solver is chosen by what the Gram matrix would take."""

import pytest

from shallowdeep.errors import InputError
from shallowdeep.solver import GRAM_LIMIT, choose

MANY = int((GRAM_LIMIT / 4) ** 0.5) + 1


@pytest.mark.parametrize(
    ("solver", "pictures", "expected"),
    [
        ("auto", 2_000, "dual"),
        ("auto", MANY, "primal"),
        ("primal", 2_000, "primal"),
        ("dual", MANY - 1, "dual"),
    ],
)
def test_auto_takes_dual_within_the_limit(solver, pictures, expected):
    """A forced choice stands."""
    assert choose(solver, pictures=pictures, train=pictures) == expected


def test_a_dual_over_the_limit_is_refused():
    """The message gives both sizes and the way out."""
    with pytest.raises(InputError, match=r"4\.0 GiB for 32,768 pictures, at most 4 GiB.*primal"):
        choose("dual", pictures=32_768, train=32_769)
