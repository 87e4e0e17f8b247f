"""Remotes of DVC as they are elsewhere: servers that speak SSH and S3, on 127.0.0.1."""

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

KEY = ("an-access-key", "a-secret-key")


class Remote(NamedTuple):
    """Where one is, and who may use it."""

    url: str
    options: dict[str, str]

    def configure(self, project: Path) -> None:
        """Make it the project's default remote, in what git does not track."""
        lines = [
            f"    {key} = {value}" for key, value in ({"url": self.url} | self.options).items()
        ]
        text = "\n".join(["[core]", "    remote = there", "['remote \"there\"']", *lines, ""])
        (project / ".dvc/config.local").write_text(text)


def tool(name: str, package: str) -> str:
    """A program that Debian has; in CI its absence is a failure."""
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if not path and not os.environ.get("CI"):
        pytest.skip(f"there is no {name} here; on Debian: apt-get install {package}")
    assert path, f"CI has no {name}"
    return path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextmanager
def served(command: list[str], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server, from when it answers until it is not needed any more."""
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        try:
            for _ in range(200):
                assert process.poll() is None, log.read_text()
                with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.05)
            yield process
        finally:
            process.terminate()


@contextmanager
def folder(where: Path) -> Iterator[Remote]:
    """One that needs no server."""
    yield Remote(str(where), {})


@contextmanager
def ssh(where: Path) -> Iterator[Remote]:
    """OpenSSH, which lets in who has a key."""
    sshd, port = tool("sshd", "openssh-server"), free_port()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where init is not systemd nobody has made it
    for name in ("host", "key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", where / name], check=True
        )
    (where / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {where}/host\nPidFile none\n"
        f"AuthorizedKeysFile {where}/key.pub\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nStrictModes no\nSubsystem sftp internal-sftp\n"
    )
    options = {"keyfile": f"{where}/key", "allow_agent": "false"}
    url = f"ssh://{getpass.getuser()}@127.0.0.1:{port}{where}/store"
    with served([sshd, "-D", "-e", "-f", f"{where}/config"], port, where / "log"):
        yield Remote(url, options)


@contextmanager
def s3(where: Path) -> Iterator[Remote]:
    """A folder's subfolders are buckets, served by rclone to who signs with a key."""
    port, rclone = free_port(), Path(sys.prefix) / "publishing/bin/rclone"
    (where / "store").mkdir()
    command = [str(rclone), "serve", "s3", "--addr", f"127.0.0.1:{port}"]
    command += ["--auth-key", ",".join(KEY), "--config", os.devnull, str(where)]
    options = {"endpointurl": f"http://127.0.0.1:{port}", "region": "us-east-1"}
    options |= {"access_key_id": KEY[0], "secret_access_key": KEY[1]}
    with served(command, port, where.with_name("rclone.log")):
        yield Remote("s3://store", options)
