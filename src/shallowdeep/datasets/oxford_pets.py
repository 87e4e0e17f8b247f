"""Download the Oxford-IIIT Pet data set: 7,349 photographs of cats and dogs.

https://www.robots.ox.ac.uk/~vgg/data/pets/ -> FOLDER/cat/*.jpg, FOLDER/dog/*.jpg

The files are unchanged; a few are damaged, or no JPEG files in spite of their names.

Source: O. M. Parkhi, A. Vedaldi, A. Zisserman, C. V. Jawahar: Cats and Dogs. CVPR 2012.
"""

import argparse
import http.client
import os
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from shallowdeep.datasets.class_folders import CLASSES, is_to_make, new_class_folders
from shallowdeep.files.checkout import original_checkout
from shallowdeep.files.errors import InputError
from shallowdeep.provenance.records import Run
from shallowdeep.provenance.stage import stage

KEPT = Path(".dvc/tmp/oxford-pets")  # of the checkout; holds the archives for the next time
SILENCE = 60.0  # seconds without a byte after which a download has failed


def download(folder: Path, *, keep: Path | None = None) -> None:
    """Fill a new `folder` with the pictures of the data set, completely or not at all.

    Args:
        folder: new or empty.
        keep: folder on the same file system for the archives; an archive in it with the right
            checksum is not downloaded.

    Raises:
        InputError: the download fails, or a checksum is wrong.
    """
    with new_class_folders(folder) as new, tempfile.TemporaryDirectory(dir=new.parent) as scratch:
        unpacked = Path(scratch, "oxford-iiit-pet")  # torchvision's name
        if keep:
            unpacked.mkdir()
            keep.mkdir(parents=True, exist_ok=True)
            for archive in keep.iterdir():
                os.link(archive, unpacked / archive.name)
        for picture, label in _labelled(Path(scratch)):
            picture.rename(new / CLASSES[label] / picture.name)
        if keep:
            for archive in unpacked.glob("*.tar.gz"):
                archive.replace(keep / archive.name)


def _labelled(scratch: Path) -> Iterator[tuple[Path, int]]:
    """Download into `scratch`; yield the file and the index in CLASSES of each picture."""
    from torchvision.datasets import OxfordIIITPet

    address = OxfordIIITPet._RESOURCES[0][0].rpartition("/")[0]
    for split in ("trainval", "test"):
        with _failures_named(address):
            pets = OxfordIIITPet(scratch, split, target_types="binary-category", download=True)
        # pets[i] would decode the picture; only these attributes name its file.
        yield from zip(pets._images, pets._bin_labels, strict=True)


@contextmanager
def _failures_named(address: str) -> Iterator[None]:
    """Report a failed download from `address` in one line."""
    try:
        yield
    except (URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        raise InputError(f"{address}: download failed: {error}") from None
    except RuntimeError as error:  # torchvision's error for a wrong checksum
        raise InputError(f"{address}: download is not what its MD5 promises: {error}") from None
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{address}: download failed: {reason}; it needs 2 GB of disk") from None


@stage("oxford-pets")
def fetch(run: Run, folder: Path) -> None:
    """Download the data set; a stage only if params.yaml names it, and it keeps the archives."""
    socket.setdefaulttimeout(SILENCE)
    if is_to_make(run, folder):
        download(folder, keep=original_checkout(Path("..")) / KEPT if run.stage else None)


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    options = argparse.ArgumentParser(
        "shallowdeep oxford-pets", description=__doc__.splitlines()[0]
    )
    options.add_argument("folder", type=Path, help="a new or an empty folder")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Download the data set into the folder named on the command line."""
    fetch(parser().parse_args(arguments).folder)


if __name__ == "__main__":
    main()
