"""The verdict follows from the intervals, as a word and as a sentence."""

import json

import numpy as np
import pytest
from checkouts import ROOT

from shallowdeep.evaluation import sentences
from shallowdeep.evaluation import verdict as verdicts
from shallowdeep.evaluation.intervals import Design, Difference, Interval
from shallowdeep.evaluation.sentences import best_sentence, cautions, sentence, training_clause
from shallowdeep.evaluation.split_predictions import SplitPredictions
from shallowdeep.evaluation.verdict import QUESTION, Comparison, Pair, pairs, verdict
from shallowdeep.prepared.data_report import DataReport
from shallowdeep.settings import params
from shallowdeep.trained.tuned import Tuned

RATES = [0.01, 0.03]


def comparison(
    low, high, *, deep=(0.57, 0.55, 0.59), shallow=(0.57, 0.55, 0.59), runs=10, folds=10, alpha=0.05
):
    """With an equivalence margin of 2 points; of a network its mean, low and high."""
    scores = {
        name: Interval(mean, 0.0, least, most)
        for name, (mean, least, most) in {"deep": deep, "shallow": shallow}.items()
    }
    apart = Difference((low + high) / 2, 0.0, low, high, 0.5)
    return Comparison(QUESTION, scores, apart, runs, folds, 1_600, alpha, 0.02, "10 epochs")


@pytest.mark.parametrize(
    ("expected", "ends"),
    [
        ("deep", [(0.01, 0.03), (0.005, 0.021)]),
        ("shallow", [(-0.03, -0.01)]),
        ("undecided", [(-0.01, 0.05), (-0.05, 0.01), (-0.021, 0.01)]),
        # The last is surely ahead, and surely by less than what matters.
        ("equal", [(-0.02, 0.02), (-0.01, 0.015), (0.005, 0.015)]),
    ],
)
def test_the_interval_decides(expected, ends):
    """A network where it leaves 0 out, equal where all of it is within the margin; not one run."""
    assert {verdict(comparison(*both)) for both in ends} == {expected}
    assert {verdict(comparison(*both, runs=1)) for both in ends} == {"undecided"}


@pytest.mark.parametrize(
    ("low", "high", "least"), [(0.01, 0.07, 0.5), (0.01, 0.07, 0.47), (-0.01, 0.01, 0.49)]
)
def test_networks_that_guess_are_neither_better_nor_equal(low, high, least):
    """Though the other may be worse than guessing, surely so; one that has learned is enough."""
    of = comparison(low, high, deep=(0.51, least, 0.53), shallow=(0.47, 0.45, 0.49))
    assert verdict(of) == "undecided"
    assert "The shallow network has not learned to tell them apart: it does worse" in sentence(of)
    assert ("The deep network has not learned" in sentence(of)) == (least <= 0.5)
    both = of._replace(scores=of.scores | {"shallow": of.scores["deep"]})
    assert sentence(both).endswith(
        "Neither has learned to tell them apart: guessing, 50 %, is within their intervals."
    )
    assert verdict(comparison(0.01, 0.07, shallow=(0.5, 0.48, 0.52))) == "deep"
    assert verdict(comparison(-0.01, 0.01, shallow=(0.5, 0.48, 0.52))) == "equal"


def test_an_undecided_verdict_says_how_far_it_may_be_off():
    """Both ways, in points, with the confidence and what it is over."""
    found = sentence(comparison(-0.04, 0.036, shallow=(0.572, 0.55, 0.59)))
    assert found == (
        "These pictures cannot tell whether depth helps: trained on 1,600 of them (10 epochs), the"
        " deep network has a balanced accuracy of 57.0 % on new ones and the shallow one of 57.2 %,"
        " and with 95 % confidence over new pictures, new training sets and new seeds the"
        " difference is between 4.0 points for the shallow one and 3.6 points for the deep one."
    )
    found = sentence(comparison(0.0001, 0.09, deep=(0.51, 0.49, 0.52)))
    assert "between none and 9.0 points for the deep one" in found
    assert found.endswith(
        "The deep network has not learned to tell them apart: guessing, 50 %, is within its"
        " interval."
    )


SHALLOW = comparison(-0.09, -0.01, alpha=0.1)
ONE_RUN = comparison(0.01, 0.19, deep=(0.7, 0.6, 0.8), runs=1)


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (comparison(-0.0149, 0.01), "Trained on 1,600 pictures like these (10 epochs), the two"),
        (comparison(-0.0149, 0.01), "the two networks are equal for all that matters: the deep"),
        (comparison(-0.0149, 0.01), "they are at most 1.5 points apart."),
        (comparison(0.01, 0.09, alpha=0.1), "the deep network is better on new ones"),
        (SHALLOW, "the shallow network is better on new ones"),
        (SHALLOW, "ahead by 1.0 to 9.0 points, with 90 % confidence over new pictures, new train"),
        (SHALLOW._replace(folds=1), "with 90 % confidence over new pictures and new seeds."),
        (ONE_RUN, "another seed may reverse that"),
    ],
)
def test_a_sentence_names_the_network_and_how_far_it_is_ahead(of, expected):
    """In points, with the confidence that alpha means; one run cannot tell.

    Training sets vary over folds, seeds over runs.
    """
    assert expected in sentence(of)
    assert sentences.covered(runs=1, folds=10) == "new pictures"
    assert sentences.covered(runs=2, folds=1) == "new pictures and new seeds"
    assert sentences.covered(runs=2, folds=10) == "new pictures, new training sets and new seeds"


def test_the_readme_has_the_verdict_of_the_committed_run():
    """A new committed run with another result must change it."""
    metrics = json.loads((ROOT / "results/metrics.json").read_text())
    settings = params.read(ROOT / "params.yaml")
    pictures = json.loads((ROOT / "results/data.json").read_text())["pictures"]
    readme = " ".join((ROOT / "README.md").read_text().replace("> ", "").split())
    of_verdict = {name: metrics[name]["balanced_accuracy"] for name in (*QUESTION, "difference")}
    means = {name: (of_verdict[name]["mean"], of_verdict[name]["low"], 1) for name in QUESTION}
    of = comparison(0, 0, **means)._replace(
        difference=Difference(std=0, **of_verdict["difference"]),
        runs=settings.runs,
        folds=settings.folds,
        trained=pictures * (settings.folds - 2) // settings.folds,
        alpha=settings.alpha,
        equivalence_margin=settings.equivalence_margin,
        training=training_clause(settings, QUESTION, dict.fromkeys(QUESTION)),
    )
    assert verdict(of) == metrics["verdict"]
    assert sentence(of) in readme


def test_every_two_models_are_a_pair():
    """The question comes first, wherever its models stand in params.yaml."""
    assert pairs(["shallow", "deep"]) == [QUESTION]
    others = [Pair("wide", "shallow"), Pair("wide", "deep")]
    assert pairs(["wide", "deep", "shallow"]) == [QUESTION, *others]
    assert str(others[1]) == "wide minus deep"
    scores = {"wide": Interval(0.6, 0.0, 0.58, 0.62), "deep": Interval(0.55, 0.0, 0.53, 0.57)}
    assert verdict(comparison(0.01, 0.07)._replace(pair=others[1], scores=scores)) == "wide"


def of_pair(name, low, high):
    """The best network, `wide`, against another; their difference's interval."""
    of = comparison(low, high)
    means = {"wide": 0.681, "deep": 0.57, "shallow": 0.65}
    scores = {one: Interval(means[one], 0.0, means[one] - 0.02, 0.7) for one in ("wide", name)}
    return of._replace(pair=Pair("wide", name), scores=scores)


@pytest.mark.parametrize(
    ("shallow", "deep", "expected"),
    [
        ((-0.01, 0.05), (0.01, 0.2), "is ahead of deep, cannot be told from shallow."),
        ((0.01, 0.05), (0.01, 0.2), "is ahead of shallow and deep."),
        ((-0.01, 0.01), (0.01, 0.2), "is ahead of deep, is equal for all that matters to shallow."),
        ((-0.01, 0.05), (-0.01, 0.2), "cannot be told from shallow and deep."),
    ],
)
def test_the_best_of_several_networks_is_named(shallow, deep, expected):
    """With the verdicts on its pairs; one run names none, and of two the question is enough."""
    start = "Of all networks wide has the highest balanced accuracy, 68.1 %"
    pairs = [comparison(0.01, 0.05), of_pair("shallow", *shallow), of_pair("deep", *deep)]
    together = "with 95 % confidence for all pairs together it"
    assert best_sentence(pairs) == f"{start}; {together} {expected}"
    once = [of._replace(runs=1) for of in pairs]
    told = "one run of each cannot tell whether another seed changes that."
    assert best_sentence(once) == f"{start}; {told}"
    assert best_sentence(pairs[:1]) == ""


def test_a_series_of_experiments_has_a_familywise_error_rate():
    """Ten at a level of 5 %: at most in 40 % of cases (1 - 0.95^10)."""
    assert verdicts.familywise_error_rate(10, alpha=0.05) == pytest.approx(0.4013, abs=1e-4)
    assert "tried 10 experiments" in verdicts.familywise_note(10, alpha=0.05)
    assert "up to 40 % of such series" in verdicts.familywise_note(10, alpha=0.05)
    assert "No other experiment" in verdicts.familywise_note(1, alpha=0.05)


TORCH = "weights as torch draws them"


@pytest.mark.parametrize(
    ("changed", "deep", "tuned", "expected"),
    [
        ({}, {}, (None, None), f"0.01 for both, 10 epochs, {TORCH}; neither was tuned"),
        (
            {"momentum": 0.9, "nesterov": True, "weight_decay": 0.001, "keep": "best"},
            {"lr": 0.03, "epochs": 100, "init": "he"},
            (None, None),
            "0.01 for shallow, 0.03 for deep, at most 10 epochs for shallow, 100 for deep,"
            f" {TORCH} for shallow, weights as He draws them for deep, Nesterov momentum 0.9,"
            " weight decay 0.001; neither was tuned",
        ),
        (
            {},
            {"lr": (0.01, 0.03)},
            (Tuned(RATES, [0.03, 0.01, 0.01]), Tuned(RATES, [0.03] * 3)),
            f"0.01 in 2 folds and 0.03 in 1 for shallow, 0.03 for deep, 10 epochs, {TORCH}; each"
            " fold chose the learning rates by validation",
        ),
        (
            {},
            {"lr": (0.01, 0.03)},
            (None, Tuned(RATES, [0.01])),
            f"0.01 for both, 10 epochs, {TORCH}; each fold chose the learning rate of deep by"
            " validation",
        ),
    ],
)
def test_a_verdict_names_its_settings(changed, deep, tuned, expected):
    """Those of both networks once, others by network, and what chose the learning rates."""
    settings = params.read(ROOT / "params.yaml")
    of_deep = settings.models["deep"].model_copy(update=deep)
    changed = {**changed, "models": {**settings.models, "deep": of_deep}}
    by_name = dict(zip(("shallow", "deep"), tuned, strict=True))
    found = training_clause(settings.model_copy(update=changed), QUESTION, by_name)
    assert found == f"learning rate {expected}"


def test_dead_runs_and_chosen_learning_rates_are_told_beside_the_verdict():
    """With the coverage that simulations found; runs are dead whose predictions are all alike."""
    design = Design(np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]), 8)
    alive = np.array([[0.1, 0.9, 0.2, 0.8], [0.3, 0.3, 0.4, 0.6]])  # run 1 is dead on fold 0
    split = SplitPredictions(design, np.arange(4), {"deep": alive, "shallow": alive[:1]})
    dead = {name: split.dead(name) for name in ("deep", "shallow")}
    assert dead == {"deep": 0.25, "shallow": 0.0}
    data = DataReport(4, 0, 0)
    tuned = {"deep": None, "shallow": Tuned([0.1, 0.2, 0.3], [0.2, 0.2])}
    of_runs, of_rates = cautions(data, tuned, dead)
    assert of_runs.startswith("25.0 % of the runs of the deep network give every picture the same")
    assert of_rates.startswith("Where each fold chose a learning rate (shallow), intervals of a")
    assert cautions(data, dict.fromkeys(tuned), {}) == []
