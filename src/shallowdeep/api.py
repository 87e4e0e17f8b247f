"""Results and comparisons for notebooks and scripts: `import shallowdeep`."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException
from dvc_data.index import DataIndexDirError
from numpy.typing import ArrayLike, NDArray
from safetensors.numpy import load
from scmrepo.exceptions import SCMError

from shallowdeep.commands.stale import locked_differences
from shallowdeep.evaluation import verdict
from shallowdeep.evaluation.intervals import Design, Difference, Interval, check_predictions
from shallowdeep.evaluation.sentences import sentence
from shallowdeep.evaluation.verdict import Pair
from shallowdeep.files.errors import InputError, one_line
from shallowdeep.files.reading import DAMAGED
from shallowdeep.files.yaml_file import parse_bytes
from shallowdeep.settings import params


class Results(NamedTuple):
    """Results of one experiment as tables."""

    verdict: str  # deep, shallow, equal or undecided
    metrics: Mapping[str, Any]  # results/metrics.json
    scores: pd.DataFrame  # results/scores.csv: a row per model or pair, split and score
    history: pd.DataFrame  # a row per model, fold, run and epoch: losses and accuracy
    predictions: pd.DataFrame  # a row per model, tested picture and run: probability of class 1
    manifest: pd.DataFrame  # a row per picture: path, sha256, label, fold, ...


class Compared(NamedTuple):
    """A comparison of two models' predictions by balanced accuracy."""

    verdict: str  # a name, equal or undecided
    sentence: str
    difference: Difference  # first minus second: mean, std, low, high, p_value
    scores: Mapping[str, Interval]  # by name: mean, std, low, high


def results(revision: str | None = None, *, repository: str = ".") -> Results:
    """Read the results of the workspace, or of a commit, branch, tag or experiment.

    What git does not hold comes from DVC's cache, or else its remote.

    Args:
        revision: the workspace if not given.
        repository: a folder or address, as `dvc.api` takes it.

    Raises:
        InputError: the revision has no such results.
    """
    where = revision or "the workspace"
    try:
        files = DVCFileSystem(repository, rev=revision)
        content = parse_bytes(files.read_bytes("params.yaml"), f"{where}: params.yaml")
        settings = params.from_content(content, f"{where}: params.yaml")
        lock = parse_bytes(files.read_bytes("dvc.lock"), f"{where}: dvc.lock")
        if other := locked_differences(lock, content):
            raise InputError(f"{where}: {other}; `dvc repro` makes results anew")
        manifest = _table(files, "data/prepared/manifest.csv")
        metrics = json.loads(files.read_bytes("results/metrics.json"))
        scores = _table(files, "results/scores.csv")
        tested = manifest[manifest["fold"] < settings.folds]
        tables = [_of_network(files, name, tested, settings.runs) for name in settings.networks]
        found = metrics["verdict"]
    except (OSError, DvcException, SCMError, DataIndexDirError) as error:
        advice = "" if revision else "; `dvc repro` makes it"
        raise InputError(f"{where}: {one_line(str(error))}{advice}") from None
    except DAMAGED as error:
        raise InputError(f"{where}: damaged, or not of this project: {error!r:.200}") from None
    history, predictions = (pd.concat(of, ignore_index=True) for of in zip(*tables, strict=True))
    return Results(found, metrics, scores, history, predictions, manifest)


def compare(  # noqa: PLR0913
    labels: ArrayLike,
    folds: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    trained: int,
    groups: ArrayLike | None = None,
    names: tuple[str, str] = ("first", "second"),
    alpha: float = 0.05,
    equivalence_margin: float = 0.02,
) -> Compared:
    """Compare any two models' predictions for the same samples, by balanced accuracy.

    Args:
        labels: class of each sample, 0 or 1 [N].
        folds: number of the fold that tested it; any number if there was a single split [N].
        first: probability of class 1, by the R runs of the sample's fold that did not train on
            it [R, N].
        second: the same of the other model; run r of both may share a seed.
        trained: samples that each run was trained on.
        groups: number of the group of each sample, such as its patient [N]; None: independent.
        names: of the two models, for the verdict and the sentence.
        alpha: 1 - alpha is the confidence.
        equivalence_margin: largest difference that does not matter, 0.02 is two points.

    Returns:
        The verdict, a sentence, the difference (first minus second) and both models' scores.

    Raises:
        InputError: shapes do not fit, or values are out of range.
    """
    if not 0 < alpha <= 0.5:
        raise InputError(f"alpha: {alpha} is not above 0 and at most 0.5")
    if not 0 <= equivalence_margin <= 0.5:
        raise InputError(f"equivalence_margin: {equivalence_margin} is not from 0 to 0.5")
    if len(set(names)) != 2 or {verdict.EQUAL, verdict.UNDECIDED} & set(names):
        raise InputError(f"names: {names} are not two different names, or one is a verdict")
    design = _design(labels, folds, groups, trained)
    probabilities = {}
    for name, given in zip(names, (first, second), strict=True):
        try:
            own = np.asarray(given, np.float64)
        except (TypeError, ValueError):
            raise InputError(f"{name}: not an array of numbers") from None
        if own.ndim != 2 or own.shape[1] != len(design.labels) or not len(own):
            raise InputError(
                f"{name}: shape {list(own.shape)}; it must be [R, {len(design.labels)}]"
            )
        check_predictions(design, own)
        probabilities[name] = own
    if len({len(own) for own in probabilities.values()}) > 1:
        raise InputError(f"{names[0]}, {names[1]}: not the same number of runs")
    of = verdict.compare(
        Pair(*names),
        design,
        *probabilities.values(),
        alpha=alpha,
        equivalence_margin=equivalence_margin,
    )
    return Compared(verdict.verdict(of), sentence(of), of.difference, of.scores)


def _design(labels: ArrayLike, folds: ArrayLike, groups: ArrayLike | None, trained: int) -> Design:
    given = {"labels": labels, "folds": folds}
    if groups is not None:
        if pd.isna(np.asarray(groups, object)).any():
            raise InputError("groups: some are missing; give each such sample a group of its own")
        given["groups"] = groups
    own = {name: _numbers(name, values) for name, values in given.items()}
    for name, array in own.items():
        if len(array) != len(own["labels"]):
            raise InputError(f"{name}: {len(array)} values for {len(own['labels'])} labels")
    if other := set(own["labels"].tolist()) - {0, 1}:
        raise InputError(f"labels: {min(other)} is not 0 or 1")
    if not (isinstance(trained, int | np.integer) and trained >= 1):
        raise InputError(f"trained: {trained!r} is not a whole number of at least 1")
    return Design(own["labels"], own["folds"], trained, own.get("groups"))


def _numbers(name: str, values: ArrayLike) -> NDArray[np.int64]:
    """Whole numbers, one a sample; floats too, which pandas uses where values are missing."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise InputError(f"{name}: shape {list(array.shape)}; it must be [N]")
    if name == "groups":  # of any names
        return np.unique(array, return_inverse=True)[1].astype(np.int64)
    try:
        numbers = array.astype(np.float64)
        wrong = [one for one in numbers.tolist() if one != np.round(one)]
    except (TypeError, ValueError):
        wrong = [value for value in array.tolist() if isinstance(value, str)] or array.tolist()
    if wrong:
        hint = "; map the classes to 0 and 1" if name == "labels" else ""
        raise InputError(f"{name}: {wrong[0]!r:.80} is not a whole number{hint}")
    return numbers.astype(np.int64)


def _table(files: DVCFileSystem, path: str) -> pd.DataFrame:
    with files.open(path) as file:
        return pd.read_csv(file)


def _of_network(
    files: DVCFileSystem, name: str, tested: pd.DataFrame, runs: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """History and predictions of one network."""
    history = _table(files, f"models/{name}/history.csv")
    test = load(files.read_bytes(f"models/{name}/predictions.safetensors"))["test"][-1]  # [R, N]
    if test.shape != (runs, len(tested)):
        raise ValueError(f"{name}: predictions of shape {test.shape}, not {runs}, {len(tested)}")
    run, row = np.indices(test.shape)
    columns = {
        "path": tested["path"].to_numpy()[row.ravel()],
        "label": tested["label"].to_numpy()[row.ravel()],
        "fold": tested["fold"].to_numpy()[row.ravel()],
        "run": run.ravel(),
        "probability": test.ravel(),
    }
    predictions = pd.DataFrame({"model": name, **columns})
    history.insert(0, "model", name)
    return history, predictions
