"""The data set's download, from a small archive pair of the same form on this machine."""

import contextlib
import gzip
import hashlib
import io
import os
import resource
import socket
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from checkouts import run
from PIL import Image

from shallowdeep.datasets.oxford_pets import download
from shallowdeep.datasets.sample import picture
from shallowdeep.files.errors import InputError

SPLITS = {  # picture, breed, 1 for cats or 2 for dogs, breed within the species
    "trainval": ["Bengal_2 1 1 1", "beagle_1 2 2 1", "beagle_20 2 2 1"],
    "test": ["Bengal_1 1 1 1", "saint_bernard_7 3 2 2"],
}
UNLISTED = "Bengal_3"  # the real archive, too, has pictures that its lists leave out


class QuietHandler(SimpleHTTPRequestHandler):
    """Serve files without a log."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def copyfile(self, source: Any, outputfile: Any) -> None:
        """Send a file; a client that cannot store it hangs up."""
        with contextlib.suppress(ConnectionError):
            super().copyfile(source, outputfile)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both archives, `images/` and `annotations/` inside as in the real ones."""
    folder = tmp_path_factory.mktemp("served")
    files = {f"annotations/{split}.txt": "\n".join(rows).encode() for split, rows in SPLITS.items()}
    write_archive(folder / "annotations.tar.gz", files)
    names = [row.split()[0] for rows in SPLITS.values() for row in rows] + [UNLISTED]
    forms = ["JPEG"] * (len(names) - 2) + ["PNG", "GIF"]
    pictures = {
        f"images/{name}.jpg": encoded(picture(1, 0, number), form)
        for number, (name, form) in enumerate(zip(names, forms, strict=True))
    }
    write_archive(folder / "images.tar.gz", pictures)
    return folder


def encoded(image: Image.Image, form: str) -> bytes:
    """A picture file."""
    buffer = io.BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()


def write_archive(path: Path, files: dict[str, bytes]) -> None:
    """A .tar.gz of these files."""
    with gzip.open(path, "wb") as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


@pytest.fixture
def address(served: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where this machine serves the archives."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(QuietHandler, directory=str(served))
    ) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def archives(address: str, served: Path) -> list[tuple[str, str]]:
    """Addresses and true checksums of both archives."""
    return [
        (f"{address}/{name}", hashlib.md5((served / name).read_bytes()).hexdigest())
        for name in ("images.tar.gz", "annotations.tar.gz")
    ]


def test_every_listed_picture_lies_in_the_folder_of_its_species(
    address: str, served: Path, tmp_path: Path
) -> None:
    """Cats and dogs of both splits, byte for byte, whatever their format, and no others."""
    download(tmp_path / "pets", archives(address, served))

    found = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert found == {
        "pets/cat/Bengal_1.jpg",
        "pets/cat/Bengal_2.jpg",
        "pets/dog/beagle_1.jpg",
        "pets/dog/beagle_20.jpg",
        "pets/dog/saint_bernard_7.jpg",
    }
    with tarfile.open(served / "images.tar.gz") as tar:
        for name in found:
            original = tar.extractfile(f"images/{Path(name).name}")
            assert original is not None
            assert (tmp_path / name).read_bytes() == original.read()
    assert [path.name for path in tmp_path.iterdir()] == ["pets"]


@pytest.mark.parametrize("wrong", [0, 1])
def test_an_archive_with_another_checksum_is_refused(
    address: str, served: Path, tmp_path: Path, wrong: int
) -> None:
    """Neither archive is used if its MD5 is wrong, and nothing stays."""
    changed = archives(address, served)
    changed[wrong] = (changed[wrong][0], "0" * 32)
    refused(tmp_path, changed, f"{address}: download is not what its MD5 promises")


def refused(folder: Path, sources: list[tuple[str, str]], message: str) -> None:
    """A download that fails with this message and leaves nothing."""
    with pytest.raises(InputError, match=message):
        download(folder / "pets", sources)
    assert list(folder.iterdir()) == []


def test_the_archives_are_kept_and_not_downloaded_again(
    address: str, served: Path, tmp_path: Path
) -> None:
    """The second time the server is gone; a damaged archive is downloaded again."""
    kept, true = tmp_path / "kept", archives(address, served)
    download(tmp_path / "pets", true, keep=kept)
    gone = [(f"http://127.0.0.1:9/{Path(url).name}", md5) for url, md5 in true]
    download(tmp_path / "again", gone, keep=kept)
    (kept / "images.tar.gz").write_bytes(b"words")
    with pytest.raises(InputError, match="download failed"):
        download(tmp_path / "not", gone, keep=kept)
    download(tmp_path / "anew", true, keep=kept)
    assert {path.name for path in tmp_path.iterdir()} == {"kept", "pets", "again", "anew"}
    for name in ("again", "anew"):
        run(tmp_path, "diff", "--recursive", "pets", name)


def test_a_missing_archive_is_named(address: str, served: Path, tmp_path: Path) -> None:
    """With the server's answer."""
    missing = [(f"{address}/moved/images.tar.gz", "0" * 32), *archives(address, served)[1:]]
    refused(tmp_path, missing, f"{address}/moved: download failed: HTTP Error 404")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "download failed: Remote end closed connection"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 99999\r\n\r\nhalf", "not what its MD5 promises"),
        (b"This is no web server.\r\n", "download failed: This is no web server"),
    ],
    ids=["none", "half", "garbled"],
)
def test_a_broken_connection_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, message: str
) -> None:
    """A server that hangs up at once or half-way, or talks nonsense, is reported in one line."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer_with, args=(server, answer))
        thread.start()
        port = server.getsockname()[1]
        refused(tmp_path, [(f"http://127.0.0.1:{port}/images.tar.gz", "0" * 32)] * 2, message)
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join()


def answer_with(server: socket.socket, answer: bytes) -> None:
    """Answer each request with these bytes and hang up; end at a connection without a request."""
    while True:
        connection, _ = server.accept()
        with connection:
            if not connection.recv(4096):
                return
            connection.sendall(answer)


def test_a_silent_server_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download without a byte for as long as the time limit ends."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    limit = socket.getdefaulttimeout()
    with socket.create_server(("127.0.0.1", 0)) as server:
        silent = [(f"http://127.0.0.1:{server.getsockname()[1]}/images.tar.gz", "0" * 32)] * 2
        socket.setdefaulttimeout(0.2)
        try:
            refused(tmp_path, silent, "download failed: timed out")
        finally:
            socket.setdefaulttimeout(limit)


def test_a_full_disk_is_reported(address: str, served: Path, tmp_path: Path) -> None:
    """A write that fails (here at a limit on the size of files) names the space that is needed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        refused(tmp_path, archives(address, served), "File too large; it needs 2 GB of disk")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_command_without_a_network_ends_in_one_line(tmp_path: Path) -> None:
    """No way to the data set's site (a proxy that refuses): one line, status 1, nothing left."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
    proxies = {"http_proxy": nowhere, "https_proxy": nowhere, "no_proxy": ""}
    ended = subprocess.run(
        [sys.executable, "-m", "shallowdeep", "oxford-pets", tmp_path / "pets"],
        env={k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")} | proxies,
        capture_output=True,
        text=True,
        check=False,
    )
    site = "https://www.robots.ox.ac.uk/~vgg/data/pets/data: "
    assert ended.returncode == 1 and ended.stderr.count("\n") == 1
    assert ended.stderr.startswith(f"oxford-pets: {site}")
    assert ended.stderr.endswith("Connection refused>\n")
    assert list(tmp_path.iterdir()) == []
