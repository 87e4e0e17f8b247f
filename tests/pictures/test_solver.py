"""The solver is chosen by what the Gram matrix would take, and by what is faster."""

from pathlib import Path

import pytest
from checkouts import ROOT

from shallowdeep.files.errors import InputError
from shallowdeep.pictures.solver import GRAM_LIMIT, choose, warning
from shallowdeep.settings import params

MANY = int((GRAM_LIMIT / 4) ** 0.5) + 1


def asked(*, size=128, **changed):
    settings = params.read(Path(ROOT / "params.yaml"))
    data = settings.data.model_copy(update={"size": size})
    return settings.model_copy(update={"data": data} | changed)


@pytest.mark.parametrize(
    ("solver", "folds", "pictures", "size", "expected"),
    [
        ("auto", 10, 2_000, 128, "dual"),
        ("auto", 1, 2_000, 128, "dual"),
        ("auto", 10, 25_000, 128, "dual"),
        ("auto", 1, 25_000, 128, "primal"),  # measured: 224 s against 354
        ("auto", 10, MANY, 128, "primal"),
        ("auto", 10, 9_000, 8, "dual"),
        ("auto", 10, 16_000, 8, "primal"),
        ("primal", 10, 2_000, 128, "primal"),
        ("dual", 1, MANY - 1, 8, "dual"),
    ],
)
def test_auto_takes_what_is_faster_within_the_limit(solver, folds, pictures, size, expected):
    """A forced choice stands."""
    assert choose(asked(solver=solver, folds=folds, size=size), pictures) == expected


def test_more_runs_pay_for_a_larger_matrix():
    """Since all of them use it; how many epochs there are, prepare does not know."""
    assert choose(asked(folds=1, runs=100), 25_000) == "dual"
    assert choose(asked(folds=1, epochs=1_000), 25_000) == "primal"


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
