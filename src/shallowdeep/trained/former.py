"""Networks that params.yaml no longer names: DVC leaves their files in models and in dvc.lock."""

import shutil
from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace

from shallowdeep.provenance.dvc_stage import md5
from shallowdeep.trained import history, trained_network

STAGE = "train@"  # of dvc.yaml, before the name of a further network


def remove_former_networks(names: Collection[str]) -> list[str]:
    """Remove the files and the locked stages of networks that params.yaml no longer names.

    The stage `evaluate` depends on the whole folder: what is left of one would change its hash.
    Nothing is lost, since only files that DVC's cache has too are removed. There is a line for each
    folder: that it is removed, or why it stays.
    """
    former = sorted(
        path
        for path in trained_network.FOLDER.iterdir()
        if path.is_dir() and path.name not in names
    )
    text = Path("dvc.lock").read_text(encoding="utf-8") if Path("dvc.lock").exists() else ""
    if not former and STAGE not in text:
        return []
    from dvc.dvcfile import Lockfile
    from dvc.repo import Repo

    lines = []
    with Repo() as repo:
        for folder in former:
            files = [file for file in folder.rglob("*") if file.name != history.FILE]
            if all(repo.cache.local.exists(md5(repo, file) or "") for file in files):
                shutil.rmtree(folder)
                lines.append(f"{folder} removed: params.yaml no longer names that network")
            else:
                lines.append(
                    f"{folder} is no network of params.yaml, and not in DVC's cache: it stays, and"
                    " dvc.lock's hash of models includes it"
                )
        lock = Lockfile(repo, "dvc.lock")
        for stage in list(lock.load().get("stages", {})) if text else []:
            if stage.startswith(STAGE) and stage.removeprefix(STAGE) not in names:
                lock.remove_stage(SimpleNamespace(name=stage))
    return lines
