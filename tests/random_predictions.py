"""Predictions drawn at random, and the findings from them."""

from collections.abc import Mapping

import numpy as np
from checkouts import ROOT

from shallowdeep.evaluation.findings import Findings, conclude
from shallowdeep.evaluation.intervals import Design, Difference, difference, estimate, paired
from shallowdeep.evaluation.scores import SCORES, Floats
from shallowdeep.evaluation.split_predictions import by_split
from shallowdeep.prepared.prepared_set import Prepared
from shallowdeep.settings import params
from shallowdeep.settings.params import Network, Params
from shallowdeep.trained.predictions import Predictions

SHARES = {"shallow": 0.6, "deep": 0.7}  # of the pictures that a network predicts rightly


def settings(names=tuple(SHARES), *, runs=3) -> Params:
    """Those of the repository, but for networks, runs and folds."""
    networks = {name: Network(hidden=(4,), epochs=2, lr=0.01, init="torch") for name in names}
    changed = {"models": networks, "runs": runs, "folds": 1}
    return params.read(ROOT / "params.yaml").model_copy(update=changed)


def drawn(prepared: Prepared, share: float, *, runs=3, seed=0) -> Predictions:
    """Predictions after two epochs, so many of them right."""
    rng = np.random.default_rng(seed)

    def of(rows, *shape):
        right = rng.random((*shape, runs, len(rows))) < share
        near = rng.uniform(0.5, 1, right.shape)
        return np.where(right == prepared.labels[rows], near, 1 - near).astype(np.float32)

    train, validation = of(prepared.rows("train")), of(prepared.rows("validation"))
    return Predictions([1, 2], of(prepared.tested(), 2), train, validation)


def networks(prepared: Prepared, shares: Mapping[str, float] = SHARES, *, runs=3):
    """Predictions by network."""
    numbered = enumerate(shares.items())
    return {name: drawn(prepared, share, runs=runs, seed=n) for n, (name, share) in numbered}


def findings(prepared: Prepared, shares: Mapping[str, float] = SHARES, *, runs=3) -> Findings:
    """All that follows from random predictions."""
    predictions = networks(prepared, shares, runs=runs)
    return conclude(by_split(predictions, prepared), predictions, settings(shares, runs=runs))


def differences(
    design: Design, first: Floats, second: Floats, *, alpha: float
) -> dict[str, Difference]:
    """All scores of one network minus those of another, each interval by itself."""
    return {
        name: difference(estimate(design, paired(design, score, first, second)), score.bound, alpha)
        for name, score in SCORES.items()
    }
