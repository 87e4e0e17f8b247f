"""Facts that a project knows about one of its models: its training pictures and its accuracy."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from shallowdeep.files.errors import InputError
from shallowdeep.prepared.folds import fold, shared
from shallowdeep.settings import params

MANIFEST, SCORES = "data/prepared/manifest.csv", "results/scores.csv"
LARGEST = 20_000_000  # bytes of the manifest: 150,000 pictures, half a second


class Known(NamedTuple):
    """Facts about a model, of the project whose dvc.lock names it."""

    pictures: Mapping[str, str]  # by the hash of prepared pixels: "trained on" or "validated on"
    accuracy: str  # of its mean prediction, as a line; empty where it is not known


NOTHING = Known({}, "")


def known(root: Path, name: str, lock: Mapping[str, Any]) -> Known:
    """Read what the project in `root` knows of its model `name`, as far as its files are current.

    Args:
        root: folder of the project.
        name: of the network.
        lock: content of its dvc.lock.
    """
    stages = {key: stage for key, stage in lock["stages"].items() if "outs" in stage}
    outs = {out["path"]: out.get("md5") for stage in stages.values() for out in stage["outs"]}
    (deps,) = (
        {dep["path"]: dep.get("md5") for dep in stage["deps"]}
        for stage in stages.values()
        if any(out["path"].startswith(f"models/{name}/") for out in stage["outs"])
    )
    prepared = outs.get("data/prepared")
    pictures = _pictures(root) if prepared and deps.get("data/prepared") == prepared else {}
    judged = stages.get("evaluate", {"deps": ()})["deps"]
    models = next((dep.get("md5") for dep in judged if dep["path"] == "models"), None)
    return Known(pictures, _accuracy(root, name) if models == _hash_of_models(outs) else "")


def _pictures(root: Path) -> Mapping[str, str]:
    from shallowdeep.prepared.prepared_set import read_manifest

    path = root / MANIFEST
    if not _small(root, path):
        return {}
    try:
        settings, manifest = params.read(root / "params.yaml"), read_manifest(path)
    except (InputError, ValueError, LookupError):
        return {}
    labels, hashes = manifest["label"].to_numpy(), manifest["sha256"].to_numpy()
    train, validation, _ = fold(manifest["fold"].to_numpy(), 0, folds=settings.folds)
    train = shared(train, labels, settings.share, seed=settings.seed, number=0)
    return dict.fromkeys(hashes[validation], "validated on") | dict.fromkeys(
        hashes[train], "trained on"
    )


def _hash_of_models(outs: Mapping[str, str | None]) -> str | None:
    """Hash of the folder `models` as DVC computes it from the hashes of its files."""
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.tree import Tree

    tree = Tree()  # type: ignore[no-untyped-call]
    for path, md5 in outs.items():
        if path.startswith("models/"):
            tree.add(tuple(path.split("/")[1:]), None, HashInfo("md5", md5))
    tree.digest()
    value: str | None = tree.hash_info.value if tree.hash_info else None
    return value


def _small(root: Path, path: Path) -> bool:
    """True if a file of the project is ordinary and has at most LARGEST bytes."""
    inside = path.is_file() and path.resolve().is_relative_to(root.resolve())
    return inside and path.stat().st_size <= LARGEST


def _accuracy(root: Path, name: str) -> str:
    if not _small(root, root / SCORES):
        return ""
    with (root / SCORES).open(newline="", encoding="utf-8") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if (row["split"], row["score"]) == ("test", "balanced_accuracy")
        ]
    of = {row["model"]: row for row in rows}
    row = of.get(f"{name} ensemble", of.get(name))
    if row is None:
        return ""
    mean, low, high = (100 * float(row[key]) for key in ("mean", "low", "high"))
    return (
        f"in cross-validation, the mean of {name}'s runs has a balanced accuracy of {mean:.1f} %"
        f" ({low:.1f} to {high:.1f})"
    )
