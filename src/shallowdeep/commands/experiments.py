"""What a git revision, an experiment of DVC or the workspace says."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from shallowdeep.files.errors import InputError

METRICS, PARAMS = "results/metrics.json", "params.yaml"
WORKSPACE = "workspace"


class Experiment(NamedTuple):
    """The two files that say it; as JSON and YAML have them, unchecked."""

    metrics: Mapping[str, object]
    params: Mapping[str, Any]


def numbers(metrics: object, prefix: str = "") -> dict[str, float]:
    """All finite numbers of a metrics file, by their names in `dvc metrics diff`: keys and dots."""
    if isinstance(metrics, Mapping):
        return {
            name: number
            for key, value in metrics.items()
            for name, number in numbers(value, f"{prefix}.{key}" if prefix else str(key)).items()
        }
    if isinstance(metrics, bool) or not isinstance(metrics, int | float):
        return {}
    return {prefix: float(metrics)} if math.isfinite(metrics) else {}


def read(revision: str) -> Experiment:
    """Read an experiment's metrics and parameters.

    Args:
        revision: of git, the name of an experiment of DVC, or `workspace`.

    Raises:
        InputError: no such revision, or one without metrics; or this is not the project's folder.
    """
    if not Path("dvc.yaml").exists():
        raise InputError("there is no dvc.yaml here; run it at the top of the project")
    import dvc.api  # takes a second
    from dvc.exceptions import DvcException

    rev = None if revision == WORKSPACE else revision
    try:
        metrics = dvc.api.metrics_show(METRICS, rev=rev)
        return Experiment(metrics, dvc.api.params_show(PARAMS, rev=rev))
    except (OSError, KeyError):
        raise InputError(f"{revision}: has no {METRICS} of this project") from None
    except DvcException as error:
        raise InputError(f"{revision}: {error}") from None
