"""The stage that DVC is running, by DVC's own index: its inputs and outputs, and their hashes."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from shallowdeep.files.errors import InputError
from shallowdeep.files.progress import Progress

if TYPE_CHECKING:
    from dvc.output import Output
    from dvc.repo import Repo

Hashes = Mapping[str, str | None]  # by path; None where there is nothing, or it cannot be read


class DvcStage:
    """The stage of dvc.yaml, or of data/dvc.yaml, that DVC runs in this process.

    Attributes:
        inputs: paths of its dependencies; of a folder like `models` the outputs of stages in it.
        outputs: paths of its outputs, metrics and plots.
        repo: DVC's, of the project.
        name: as DVC has it, `train-deep`, `train@wide` or `data/dvc.yaml:sample`.
        root: the project's folder.
    """

    def __init__(self, name: str, root: Path) -> None:
        from dvc.repo import Repo  # a sixth of a second

        self.name, self.root = name, root
        self.repo = Repo(str(root))
        file, _, short = name.rpartition(":")
        path = str(root / (file or "dvc.yaml"))  # an addressing is relative to the current folder
        for stage in self.repo.index.stages:
            if stage.path == path and stage.name == short:  # a .dvc file is a stage without a name
                break
        else:
            raise InputError(f"{short} is no stage of {file or 'dvc.yaml'}")
        outs = list(map(self._relative, self.repo.index.outs))
        deps = dict.fromkeys(map(self._relative, stage.deps))
        below = {dep: [out for out in outs if out.startswith(f"{dep}/")] for dep in deps}
        self.inputs = [path for dep in deps for path in below[dep] or [dep]]
        self.outputs = list(map(self._relative, stage.outs))

    def _relative(self, file: "Output") -> str:
        path = Path(file.fs_path)
        inside = path.is_relative_to(self.root)
        return path.relative_to(self.root).as_posix() if inside else str(path)

    def hashes(self, paths: list[str]) -> Hashes:
        """DVC's hash of each file or folder, by its path as seen from the root."""
        with Progress("hashing"):
            return {path: md5(self.repo, self.root / path) for path in paths}


def md5(repo: "Repo", path: Path) -> str | None:
    """DVC's hash of a file or folder; None where there is none or it cannot be read."""
    from dvc.fs import localfs
    from dvc_data.hashfile.build import build

    with suppress(OSError):
        if path.is_file() or path.is_dir():  # not a pipe, which would wait for a writer
            odb = repo.cache.local
            _, _, found = build(odb, str(path), localfs, "md5", dry_run=True, ignore=repo.dvcignore)
            return str(found.hash_info.value)
    return None
