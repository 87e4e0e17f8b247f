"""The verdict in sentences for readers without statistics."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

from shallowdeep.evaluation.verdict import (
    EQUAL,
    GUESSING,
    QUESTION,
    UNDECIDED,
    Comparison,
    Pair,
    guessing,
    verdict,
)
from shallowdeep.prepared.data_report import DataReport
from shallowdeep.settings.params import Network, Params
from shallowdeep.trained.tuned import Tuned

INITIAL = {"torch": "weights as torch draws them", "he": "weights as He draws them"}


def best_sentence(compared: Sequence[Comparison]) -> str:
    """The network with the highest score and its pairs' verdicts; empty with two networks.

    The differences of all pairs have simultaneous intervals.
    """
    scores = {name: of.scores[name] for of in compared for name in of.pair}
    if len(scores) < 3:
        return ""
    best = max(scores, key=lambda name: scores[name].mean)
    highest = percent(scores[best].mean)
    if sum(of.mean == scores[best].mean for of in scores.values()) > 1:
        return f"Several networks share the highest balanced accuracy, {highest}."
    found = f"Of all networks {best} has the highest balanced accuracy, {highest}"
    if compared[0].runs < 2:
        return f"{found}; one run of each cannot tell whether another seed changes that."
    clauses = []
    for word, clause in (
        (best, "is ahead of"),
        (EQUAL, "is equal for all that matters to"),
        (UNDECIDED, "cannot be told from"),
    ):
        judged = [of.pair for of in compared if best in of.pair and verdict(of) == word]
        if names := [name for pair in judged for name in pair if name != best]:
            listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
            clauses.append(f"{clause} {listed}")
    confidence = f"{100 * (1 - compared[0].alpha):g} % confidence for all pairs together"
    return f"{found}; with {confidence} it {', '.join(clauses)}."


def rounded(value: float, digits: int, *, sign: str = "") -> str:
    """Round half up as readers do, from six digits: 0.6495 is 0.650, whatever its last bit."""
    exact = Decimal(f"{value:.6f}").quantize(Decimal(10) ** -digits, ROUND_HALF_UP)
    return f"{exact + 0:{sign}f}"  # 0 has no sign


def points(share: float, *, sign: str = "") -> str:
    """A share, or a difference of two, in points with one digit."""
    return rounded(100 * share, 1, sign=sign)


def percent(share: float) -> str:
    """A share in per cent with one digit."""
    return f"{points(share)} %"


def p_text(p: float) -> str:
    """A p-value as "= 0.013" or "< 0.001"."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def covered(*, runs: int, folds: int) -> str:
    """Sources of chance that an interval covers."""
    if runs < 2:
        return "new pictures"
    if folds < 2:
        return "new pictures and new seeds"
    return "new pictures, new training sets and new seeds"


def sentence(of: Comparison) -> str:
    """The verdict on two networks for readers without statistics."""
    (first, second), depth = of.pair, of.pair == QUESTION
    right = {name: percent(of.scores[name].mean) for name in of.pair}
    low, high = 100 * of.difference.low, 100 * of.difference.high
    unknown = "whether depth helps" if depth else f"which of {first} and {second} is better"
    if of.runs == 1:
        return (
            f"One run of each network cannot tell {unknown}: the {first} one has a balanced"
            f" accuracy of {right[first]}, the {second} one of {right[second]}; another seed may"
            " reverse that."
        )
    settings = f" ({of.training})" if of.training else ""
    trained = f"Trained on {of.trained:,} pictures like these{settings},"
    chance = (
        f"with {100 * (1 - of.alpha):g} % confidence over {covered(runs=of.runs, folds=of.folds)}"
    )
    both = f"has a balanced accuracy of {right[first]} on new ones and the {second} one of"
    both += f" {right[second]}"
    better = verdict(of)
    least, most = (rounded(one, 1) for one in sorted((abs(low), abs(high))))
    if better == EQUAL:
        found = (
            f"{trained} the two networks are equal for all that matters: the {first} network"
            f" {both}, and {chance} they are at most {most} points apart."
        )
    elif better == UNDECIDED:
        found = (
            f"These pictures cannot tell {unknown}: trained on {of.trained:,} of them{settings},"
            f" the {first} network {both}, and {chance} the difference is between"
            f" {_points(low, of.pair)} and {_points(high, of.pair)}."
        )
    else:
        worse = second if better == first else first
        found = (
            f"{trained} the {better} network is better on new ones, balanced accuracy"
            f" {right[better]} against {right[worse]}: it is ahead by {least} to {most} points,"
            f" {chance}."
        )
    return found + _learned(of)


def _points(difference: float, pair: Pair) -> str:
    """A difference in points, in words."""
    if round(difference, 1) == 0:
        return "none"
    return f"{rounded(abs(difference), 1)} points for the {pair[difference < 0]} one"


def _learned(of: Comparison) -> str:
    """A remark on networks that cannot be told from guessing."""
    names = guessing(of)
    worse = [name for name in names if of.scores[name].high < GUESSING]
    if len(names) == 2 and not worse:
        return " Neither has learned to tell them apart: guessing, 50 %, is within their intervals."
    found = "guessing, 50 %, is within its interval"
    remarks = {name: "it does worse than guessing" if name in worse else found for name in names}
    return "".join(
        f" The {name} network has not learned to tell them apart: {remark}."
        for name, remark in remarks.items()
    )


def cautions(
    data: DataReport, tuned: Mapping[str, Tuned | None], dead: Mapping[str, float]
) -> list[str]:
    """Remarks that a reader of the verdict needs.

    Args:
        data: what `prepare` has found.
        tuned: learning rates that the folds of each network took; None if there was one.
        dead: share of dead runs of each network that has learned much otherwise.
    """
    found = [data.warning] if data.warning else []
    found += [
        f"{percent(share)} of the runs of the {name} network give every picture the same"
        " probability. In simulations with such runs the interval of the difference covered 92 %,"
        " not 95."
        for name, share in dead.items()
        if share
    ]
    if names := [name for name, own in tuned.items() if own]:
        found.append(
            f"Where each fold chose a learning rate ({', '.join(names)}), intervals of a single"
            " network covered 88 to 92 % in simulations, those of differences 94 to 95 %."
        )
    found += [
        f"Of the learning rates of the {name} network {own.edge}."
        for name, own in tuned.items()
        if own and own.edge
    ]
    if ignored := data.near_duplicates_ignored:
        found.append(
            f"{ignored:,} near-duplicates count as independent pictures, since params.yaml has"
            " data.near_duplicates: ignore; if they are not, the interval is too narrow."
        )
    return found


def training_clause(settings: Params, pair: Pair, tuned: Mapping[str, Tuned | None]) -> str:
    """Settings for which a verdict holds, in words.

    Args:
        settings: all of params.yaml.
        pair: the two networks.
        tuned: learning rates that the folds of each network took; None if there was one.
    """
    names = sorted(pair, key=list(settings.networks).index)
    networks = {name: settings.networks[name] for name in names}
    at_most = "at most " if settings.keep == "best" else ""

    def each(before: str, values: Mapping[str, str], after: str = "") -> str:
        if len(set(values.values())) == 1:
            return f"{before}{values[names[0]]}{after}"
        first, second = names
        return f"{before}{values[first]}{after} for {first}, {values[second]} for {second}"

    rates = {name: _rate(one, tuned[name]) for name, one in networks.items()}
    rate = each("learning rate ", rates)
    same = len(set(rates.values())) == 1
    parts = [
        f"{rate} for both" if same else rate,
        each(at_most, {name: f"{one.epochs:,}" for name, one in networks.items()}, " epochs"),
        each("", {name: INITIAL[one.init] for name, one in networks.items()}),
    ]
    return f"{', '.join([*parts, *_further(settings)])}; {_tuned(names, tuned)}"


def optimiser_clause(settings: Params, name: str) -> str:
    """The optimiser of one network, in words."""
    network = settings.networks[name]
    rates = ", ".join(f"{lr:g}" for lr in network.lrs or ())
    rate = f"chosen by validation from {rates}" if rates else f"{network.lr:g}"
    return ", ".join([f"learning rate {rate}", INITIAL[network.init], *_further(settings)])


def _further(settings: Params) -> list[str]:
    """Momentum and weight decay, if there are any."""
    parts = []
    if settings.momentum:
        kind = "Nesterov momentum" if settings.nesterov else "momentum"
        parts.append(f"{kind} {settings.momentum:g}")
    if settings.weight_decay:
        parts.append(f"weight decay {settings.weight_decay:g}")
    return parts


def _rate(network: Network, tuned: Tuned | None) -> str:
    """The learning rate, or the ones that the folds took, as "0.01 in 6 folds and 0.03 in 4"."""
    if not tuned:
        return f"{network.lr:g}"
    (first, count), *more = sorted(Counter(tuned.taken).items())
    if not more:
        return f"{first:g}"
    shown = [f"{first:g} in {count} fold{'s' * (count > 1)}"]
    return " and ".join([*shown, *(f"{rate:g} in {folds}" for rate, folds in more)])


def _tuned(names: Sequence[str], tuned: Mapping[str, Tuned | None]) -> str:
    chosen = [name for name in names if tuned[name]]
    if not chosen:
        return "neither was tuned"
    if len(chosen) == 2:
        return "each fold chose the learning rates by validation"
    return f"each fold chose the learning rate of {chosen[0]} by validation"
