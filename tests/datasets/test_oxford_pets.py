"""The data set's download, from a small archive pair of the same form on this machine."""

import contextlib
import hashlib
import resource
import socket
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from checkouts import run
from in_process import told

from shallowdeep.datasets.oxford_pets import download
from shallowdeep.datasets.sample import picture
from shallowdeep.files.errors import InputError

PARTS = ("images", "annotations")
NAMES = ("images.tar.gz", "annotations.tar.gz")
SPLITS = {  # picture, breed, 1 for cats or 2 for dogs, breed within the species
    "trainval": ["Bengal_2 1 1 1", "beagle_1 2 2 1", "beagle_20 2 2 1"],
    "test": ["Bengal_1 1 1 1", "saint_bernard_7 3 2 2"],
}
UNLISTED = "Bengal_3"  # the real archive, too, has pictures that its lists leave out


class QuietHandler(SimpleHTTPRequestHandler):
    """Serve files without a log."""

    def log_message(self, *_):
        """Say nothing."""

    def copyfile(self, source, outputfile):
        """Send a file; a client that cannot store it hangs up."""
        with contextlib.suppress(ConnectionError):
            super().copyfile(source, outputfile)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A folder with both archives, `images/` and `annotations/` inside as in the real ones."""
    folder = tmp_path_factory.mktemp("served")
    for part in PARTS:
        (folder / part).mkdir()
    for split, rows in SPLITS.items():
        (folder / f"annotations/{split}.txt").write_text("\n".join(rows))
    names = [row.split()[0] for rows in SPLITS.values() for row in rows] + [UNLISTED]
    for number, name in enumerate(names):  # some are no JPEG files in spite of their names
        form = ("JPEG", "PNG", "GIF")[number % 3]
        picture(1, 0, number).save(folder / f"images/{name}.jpg", form)
    for name, part in zip(NAMES, PARTS, strict=True):
        with tarfile.open(folder / name, "w:gz") as tar:
            tar.add(folder / part, part)
    return folder


@pytest.fixture
def address(served, monkeypatch):
    """Of a server of the archives on this machine, which torchvision takes for the data set's."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    handler = partial(QuietHandler, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        found = f"http://127.0.0.1:{server.server_port}"
        expect(monkeypatch, served, found)
        yield found
        server.shutdown()


def expect(monkeypatch, served, address, *, changed=()):
    """Let torchvision look for the archives at an address; it knows no checksum of `changed`."""
    md5s = {name: hashlib.md5((served / name).read_bytes()).hexdigest() for name in NAMES}
    sources = [(f"{address}/{name}", "0" * 32 if name in changed else md5s[name]) for name in NAMES]
    monkeypatch.setattr("torchvision.datasets.OxfordIIITPet._RESOURCES", sources)


def refused(folder, message):
    """A download that fails with this message and leaves nothing."""
    with pytest.raises(InputError, match=message):
        download(folder / "pets")
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("address")
def test_every_listed_picture_lies_in_the_folder_of_its_species(served, tmp_path):
    """Cats and dogs of both splits, byte for byte, whatever their format, and no others."""
    download(tmp_path / "pets")
    pets = {"cat": ["Bengal_1", "Bengal_2"], "dog": ["beagle_1", "beagle_20", "saint_bernard_7"]}
    for species, names in pets.items():
        assert sorted(file.stem for file in (tmp_path / "pets" / species).iterdir()) == names
        for name in names:
            original = (served / f"images/{name}.jpg").read_bytes()
            assert (tmp_path / f"pets/{species}/{name}.jpg").read_bytes() == original
    assert {file.name for file in (tmp_path / "pets").iterdir()} == {"cat", "dog"}
    assert [path.name for path in tmp_path.iterdir()] == ["pets"]


def test_the_archives_are_kept_and_not_downloaded_again(address, served, tmp_path, monkeypatch):
    """The second time the server is gone; a damaged archive is downloaded again."""
    kept = tmp_path / "kept"
    download(tmp_path / "pets", keep=kept)
    expect(monkeypatch, served, "http://127.0.0.1:9")
    download(tmp_path / "again", keep=kept)
    (kept / "images.tar.gz").write_bytes(b"words")
    with pytest.raises(InputError, match="download failed"):
        download(tmp_path / "not", keep=kept)
    expect(monkeypatch, served, address)
    download(tmp_path / "anew", keep=kept)
    assert {path.name for path in tmp_path.iterdir()} == {"kept", "pets", "again", "anew"}
    for name in ("again", "anew"):
        run(tmp_path, "diff", "--recursive", "pets", name)


def test_a_missing_archive_or_another_is_named(address, served, tmp_path, monkeypatch):
    """With the server's answer; if one has another checksum, neither is used."""
    for name in NAMES:
        expect(monkeypatch, served, address, changed=[name])
        refused(tmp_path, f"{address}: download is not what its MD5 promises")
    expect(monkeypatch, served, f"{address}/moved")
    refused(tmp_path, f"{address}/moved: download failed: HTTP Error 404")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "download failed: Remote end closed connection"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 99999\r\n\r\nhalf", "not what its MD5 promises"),
        (b"This is no web server.\r\n", "download failed: This is no web server"),
        (None, "download failed: timed out"),
    ],
    ids=["none", "half", "garbled", "silence"],
)
def test_a_broken_connection_leaves_nothing(served, tmp_path, monkeypatch, answer, message):
    """The server hangs up at once or half-way, talks nonsense, or says nothing for too long."""

    def serve():  # until the server is shut down: torchvision asks again after a failure
        with contextlib.suppress(OSError):
            while True:
                with server.accept()[0] as connection:
                    connection.settimeout(60)
                    if connection.recv(4096) and answer is not None:
                        connection.sendall(answer)
                    else:
                        connection.recv(1)  # until the other side gives up

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    limit = socket.getdefaulttimeout()
    with socket.create_server(("127.0.0.1", 0)) as server:
        expect(monkeypatch, served, f"http://127.0.0.1:{server.getsockname()[1]}")
        thread = threading.Thread(target=serve)
        thread.start()
        socket.setdefaulttimeout(0.5)
        try:
            refused(tmp_path, message)
        finally:
            socket.setdefaulttimeout(limit)
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.usefixtures("address")
def test_a_full_disk_is_reported(tmp_path):
    """A write that fails (here at a limit on the size of files) names the space that is needed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        refused(tmp_path, "File too large; it needs 2 GB of disk")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_command_without_a_network_ends_in_one_line(tmp_path, monkeypatch):
    """No way to the data set's site (a proxy that refuses): one line, status 1, nothing left."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
    for name, value in (("http_proxy", nowhere), ("https_proxy", nowhere), ("no_proxy", "")):
        monkeypatch.setenv(name, value)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr("urllib.request._opener", None)  # made of the proxies that there were
    limit = socket.getdefaulttimeout()
    try:
        line = told("oxford-pets", str(tmp_path / "pets"))
    finally:
        socket.setdefaulttimeout(limit)
    assert line.startswith("oxford-pets: https://www.robots.ox.ac.uk/~vgg/data/pets/data: ")
    assert line.endswith("Connection refused>") and "\n" not in line
    assert list(tmp_path.iterdir()) == []
