"""Number of experiments that this checkout has evaluated on the same pictures.

Each is another chance to find a difference that is not there. DVC's run cache has every evaluation
that ended well here, in queues and temporary folders too. An experiment counts once, whatever its
intervals' confidence and whatever further networks it has.
"""

import functools
import json
import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dvc.repo import Repo

METRICS, PREPARED, PICTURES = "results/metrics.json", "data/prepared", "pictures.npy"
_COMMAND = "stages/evaluate.py"
_ENTRY = re.compile(r"^- path: (\S+)\n(?:  \w+: .*\n)*?  md5: (\S+)$", re.MULTILINE)
_DAMAGE = (OSError, LookupError, ValueError, TypeError, AttributeError)


def count_experiments(repo: "Repo", metrics: Any, networks: Collection[str]) -> int:
    """Count experiments on the pictures of the revision that a repository is switched to.

    Args:
        repo: DVC's.
        metrics: content of that revision's metrics.json, which counts as one.
        networks: whose scores tell experiments apart.
    """

    @functools.cache
    def content(md5: str) -> Any:
        return json.loads(Path(repo.cache.local.oid_to_path(md5)).read_text(encoding="utf-8"))

    def pictures(prepared: str) -> str:
        return next(str(one["md5"]) for one in content(prepared) if one["relpath"] == PICTURES)

    found = {_identity(metrics, networks)}
    prepared = repo.fs.join(repo.root_dir, PREPARED)
    with suppress(*_DAMAGE, StopIteration):
        (ours,) = (
            pictures(one.hash_info.value) for one in repo.index.outs if one.fs_path == prepared
        )
        for path in Path(repo.stage_cache.cache_dir).glob("*/*/*"):
            with suppress(*_DAMAGE, StopIteration):
                text = path.read_text(encoding="utf-8")
                if _COMMAND not in text.partition("\n")[0]:
                    continue
                files = dict(_ENTRY.findall(text))  # a YAML parser takes 0.1 s for each
                if pictures(files[PREPARED]) == ours:
                    found.add(_identity(content(files[METRICS]), networks))
    return len(found)


def _identity(metrics: Any, networks: Collection[str]) -> str:
    """Scores of some networks, as text; without what depends on an interval's confidence."""
    scores = {
        f"{network}.{name}": value["mean"] if isinstance(value, dict) else value
        for network in networks
        for name, value in metrics[network].items()
    }
    return json.dumps(scores, sort_keys=True)
