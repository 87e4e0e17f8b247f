"""The solver is chosen by what the Gram matrix would take, and by what is faster."""

import pytest
from checkouts import ROOT

from shallowdeep.files.errors import InputError
from shallowdeep.pictures.solver import GRAM_LIMIT, choose, warning
from shallowdeep.settings import params

MANY = int((GRAM_LIMIT / 4) ** 0.5) + 1


def asked(*, size=128, **changed):
    settings = params.read(ROOT / "params.yaml")
    data = settings.data.model_copy(update={"size": size})
    return settings.model_copy(update={"data": data} | changed)


@pytest.mark.parametrize(
    ("changed", "pictures", "expected"),
    [
        ({"folds": 10}, 2_000, "dual"),
        ({"folds": 1}, 2_000, "dual"),
        ({"folds": 10}, 25_000, "dual"),
        ({"folds": 1}, 25_000, "primal"),  # measured: 224 s against 354
        ({"folds": 10}, MANY, "primal"),
        ({"folds": 10, "size": 8}, 9_000, "dual"),
        ({"folds": 10, "size": 8}, 16_000, "primal"),
        ({"folds": 10, "solver": "primal"}, 2_000, "primal"),
        ({"folds": 1, "size": 8, "solver": "dual"}, MANY - 1, "dual"),
        ({"folds": 1, "runs": 100}, 25_000, "dual"),
        ({"folds": 1, "epochs": 1_000}, 25_000, "primal"),  # prepare does not know how many
    ],
)
def test_auto_takes_what_is_faster_within_the_limit(changed, pictures, expected):
    """More runs pay for a larger matrix, since all of them use it; a forced choice stands."""
    assert choose(asked(**changed), pictures) == expected


def test_a_dual_over_the_limit_is_refused():
    """The message gives both sizes and the way out."""
    with pytest.raises(InputError, match=r"4\.0 GiB for 32,769 pictures, at most 4 GiB.*primal"):
        choose(asked(solver="dual"), 32_769)


def test_folds_that_take_hours_are_told_before():
    """With how long, and the way out; not where they are quick."""
    assert warning(asked(), 2_000) is None
    assert warning(asked(solver="primal", folds=1), 30_000) is None
    assert warning(asked(), 100_000) == (
        "folds: 10 with the primal solver will train for about 4 hours of one core;"
        " folds: 1 takes one part in 10 of it"
    )
