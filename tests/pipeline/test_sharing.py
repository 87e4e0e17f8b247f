"""Results go through a remote from one clone to another, whatever becomes of the way there."""

import os
import re

import pytest
import remotes
from checkouts import run, with_environment
from remotes import cut_after, enlarge, small_disk

KINDS = {"folder": remotes.folder, "ssh": remotes.ssh, "s3": remotes.s3}
NO_PRIVILEGES = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
ENOUGH = 100_000  # bytes; a third of what there is to push


@pytest.fixture(scope="module", params=KINDS)
def remote(request, tmp_path_factory):
    """A remote of each kind."""
    if request.param == "s3":
        request.getfixturevalue("publishing")  # has the server
    where = tmp_path_factory.mktemp(request.param) / "served"
    where.mkdir()
    with KINDS[request.param](where) as made:
        yield made


@pytest.fixture
def shared(project, monkeypatch):
    """The miniature project."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # five take three quarters of a minute
    return with_environment(project)


def told(project, *command):
    """What DVC says of a failure, without where it offers help: errors, a line each."""
    said = run(project, *command, status=None)
    lines = [line for line in said.splitlines() if line and not line.startswith("Having any")]
    assert lines and all(line.startswith("ERROR: ") for line in lines), said
    return lines


@pytest.mark.parametrize("remote", ["ssh", "s3"], indirect=True)
def test_another_clone_trains_nothing(remote, shared, tmp_path):
    """Both ways break once, in the middle; the next try completes."""
    clone = tmp_path / "another clone"
    run(tmp_path, "git", "clone", "--quiet", str(shared), str(clone))
    for project, way in ((shared, "push"), (with_environment(clone), "pull")):
        with cut_after(ENOUGH, remote.port) as port:
            remote.configure(project, port=port)
            *each, last = told(project, "dvc", way)
        assert "failed to" in last or "onnect" in last
        assert all(line.startswith("ERROR: failed to transfer ") for line in each), each
        remote.configure(project)
        assert re.search(r"\d files (pushed|fetched)", run(project, "dvc", way))
    ran = re.findall("Running stage '(.+)'", run(clone, "dvc", "repro"))
    assert set(ran) == {"data/dvc.yaml:sample", "data/dvc.yaml:oxford-pets"}  # a note in each
    assert run(clone, "git", "status", "--porcelain") == ""
    assert (clone / "models/deep/weights.safetensors").read_bytes() == (
        shared / "models/deep/weights.safetensors"
    ).read_bytes()


def test_who_may_not_is_told_so(remote, shared):
    """Another's key; or, of a folder, no right to write to it."""
    remote.configure(shared, wrong=True)
    before = []
    if not remote.port:
        (remote.folder / "closed").mkdir(mode=0o555)
        before = NO_PRIVILEGES
    (error,) = told(shared, *before, "dvc", "push")
    assert "ermission denied" in error or "Forbidden" in error


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
def test_a_remote_that_is_full(remote, shared):
    """What has found room stays; with more of it, the rest follows."""
    remote.configure(shared, path="small")
    with small_disk(remote.folder / "small", kilobytes=100):
        *each, last = told(shared, "dvc", "push")
        assert each
        assert last.endswith(f"to push data to the cloud - {len(each)} files failed to upload")
        enlarge(remote.folder / "small")
        assert run(shared, "dvc", "push") == f"{len(each)} files pushed\n"
