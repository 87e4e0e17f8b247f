"""What `prepare` has decoded so far, on disk while it decodes, so that an interrupted one goes on.

Two files: the array, as long as it is, and a line for each file of the folder that is done. What
was lost of either, with the machine's power say, is decoded again: a picture counts where its
pixels have the hash that its line names.
"""

import fcntl
import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from shallowdeep.files.checkout import checkpoints, remove_checkpoints
from shallowdeep.files.checksums import of_json
from shallowdeep.files.progress import Progress
from shallowdeep.pictures.limits import Unusable

WORTH = 10.0  # seconds of decoding that are kept
EVERY = 1.0  # seconds between those in which all is handed to the system


class Known(NamedTuple):
    """A picture that is decoded; its pixels are in the array, once for all that have this hash."""

    sha256: str  # of its prepared pixels
    width: int
    height: int


class SoFar:
    """The outcomes for the first files of a folder, in order.

    Args:
        array: where their pixels go.
        lines: where they are kept; None where they are not.

    Attributes:
        array: the same.
        goes_on: whether an earlier try has left something.
    """

    def __init__(self, array: Path, lines: BinaryIO | None = None) -> None:
        self.array = array
        self.goes_on = lines is not None and array.stat().st_size > 0
        self._lines = lines
        self._begun = self._flushed = time.monotonic()

    @property
    def worth_keeping(self) -> bool:
        """Whether it has taken long."""
        return self.goes_on or time.monotonic() - self._begun > WORTH

    def known(
        self, pixels: BinaryIO, *, most: int, header: int, picture: int
    ) -> list[Known | Unusable]:
        """What an earlier try has left, as far as it is whole; the rest is cut off.

        Args:
            pixels: the array, open to read and write.
            most: files that there are.
            header: bytes before the first picture.
            picture: bytes of each.
        """
        found: list[Known | Unusable] = []
        if self._lines is None:
            return found
        seen: set[str] = set()
        lines = self._lines.readlines()[:most]
        pixels.seek(header)
        with Progress("checking what is decoded", len(lines), unit="pictures") as progress:
            for line in lines:
                outcome = _outcome(line)
                if outcome is None:
                    break
                if isinstance(outcome, Known) and outcome.sha256 not in seen:
                    if hashlib.sha256(pixels.read(picture)).hexdigest() != outcome.sha256:
                        break
                    seen.add(outcome.sha256)
                found.append(outcome)
                progress.advance()
        self._lines.seek(sum(map(len, lines[: len(found)])))
        self._lines.truncate()
        pixels.truncate(header + len(seen) * picture)
        return found

    def hand_over(self, path: Path) -> None:
        """Let the array be `path` too, which may then go without it."""
        if path != self.array:
            try:
                path.hardlink_to(self.array)
            except OSError:  # on another disk
                shutil.copyfile(self.array, path)

    def add(self, outcome: Known | Unusable, pixels: BinaryIO) -> None:
        """Keep another one, whose pixels are written already."""
        if self._lines is None:
            return
        content = list(outcome) if isinstance(outcome, Known) else str(outcome)
        self._lines.write(json.dumps(content).encode() + b"\n")
        if time.monotonic() - self._flushed > EVERY:
            pixels.flush()  # first: a line without its pixels is cut off
            self._lines.flush()
            self._flushed = time.monotonic()


def _outcome(line: bytes) -> Known | Unusable | None:
    """What a line says; None where it is not whole."""
    try:
        content = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    if isinstance(content, str):
        return Unusable(content)
    match content:
        case [str(sha256), int(width), int(height)]:
            return Known(sha256, width, height)
    return None


@contextmanager
def kept(inputs: Mapping[str, str | None] | None, otherwise: Path) -> Iterator[SoFar]:
    """Keep what is decoded in the body where something ends the process; otherwise it goes.

    Args:
        inputs: hashes of all that it depends on; None where nothing is to be kept.
        otherwise: where the array goes then, or if another process prepares just the same.
    """
    if inputs is None or None in inputs.values():
        yield SoFar(otherwise)
        return
    folder, name = checkpoints(), f"prepare.{of_json(inputs)}"
    array, lines = folder / f"{name}.npy", folder / f"{name}.jsonl"
    folder.mkdir(exist_ok=True)
    with lines.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield SoFar(otherwise)
            return
        array.touch()
        file.seek(0)
        so_far = SoFar(array, file)
        keep = False
        try:
            yield so_far
        except (KeyboardInterrupt, SystemExit):
            keep = so_far.worth_keeping
            raise
        finally:
            if not keep:
                remove_checkpoints(name)
