"""Results go through a remote from one clone to another."""

import re

import pytest
import remotes
from checkouts import run, with_environment

KINDS = {"folder": remotes.folder, "ssh": remotes.ssh, "s3": remotes.s3}


@pytest.fixture(params=KINDS)
def remote(request, tmp_path):
    """A remote of each kind."""
    if request.param == "s3":
        request.getfixturevalue("publishing")  # has the server
    where = tmp_path / "served"
    where.mkdir()
    with KINDS[request.param](where) as made:
        yield made


def test_another_clone_trains_nothing(remote, project, tmp_path):
    """All outputs arrive, and DVC runs no stage."""
    clone = tmp_path / "another clone"
    run(tmp_path, "git", "clone", "--quiet", str(project), str(clone))
    for one, way in ((project, "push"), (clone, "pull")):
        remote.configure(with_environment(one))
        assert re.search(r"\d files (pushed|fetched)", run(one, "dvc", way))
    ran = re.findall("Running stage '(.+)'", run(clone, "dvc", "repro"))
    assert set(ran) == {"data/dvc.yaml:sample", "data/dvc.yaml:oxford-pets"}  # a note in each
    assert run(clone, "git", "status", "--porcelain") == ""
    weights = "models/deep/weights.safetensors"
    assert (clone / weights).read_bytes() == (project / weights).read_bytes()
