"""A stage refuses to run on other packages than those that dvc.lock will name."""

import sys

import pytest
from checkouts import ROOT, run, with_environment

from shallowdeep.files.errors import InputError
from shallowdeep.provenance.requirements import (
    differing_packages,
    installed,
    refuse_another_environment,
)

REQUIREMENTS = """\
a-b.c==1.0 \\
    --hash=sha256:0
    # via x
tool==2.0 ; sys_platform == 'win32' \\
    --hash=sha256:0
old==1.0 ; python_full_version < '3.5' \\
    --hash=sha256:0
old==2.0 ; python_full_version >= '3.5' and sys_platform != 'win32' \\
    --hash=sha256:0
"""
HERE = {"a-b-c": "1.0", "old": "2.0"}


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        ({}, []),
        ({"more": "1"}, []),  # a debugger, say
        ({"tool": "1.9"}, []),
        ({"a-b-c": "1.1"}, ["a-b.c 1.0, installed is 1.1"]),
        ({"a-b-c": None}, ["a-b.c 1.0, installed is none"]),
        ({"old": "1.0"}, ["old 2.0, installed is 1.0"]),
    ],
)
def test_what_differs_is_named(change, messages):
    """Versions and missing packages, of those that are for this machine."""
    here = {name: version for name, version in (HERE | change).items() if version}
    assert differing_packages(REQUIREMENTS, here) == messages


def test_names_are_compared_as_pip_compares_them(tmp_path):
    """In any case, with any of - _ and a dot; of two places, the first counts."""
    for place, version in (("first", "1.0"), ("second", "2.0")):
        (tmp_path / place / f"A_b.C-{version}.dist-info").mkdir(parents=True)
    places = [str(tmp_path / place) for place in ("nowhere", "first", "second")]
    assert installed(places) == {"a-b-c": "1.0"}


def test_a_stage_in_another_environment_is_one_line(project):
    """It names the package and the command that installs it; nothing is written."""
    file = with_environment(project) / "requirements.txt"
    version = installed(sys.path)["numpy"]
    assert f"\nnumpy=={version} " in file.read_text()
    file.write_text(file.read_text().replace(f"\nnumpy=={version} ", "\nnumpy==1.0 "))
    of_dvc = ("env", f"DVC_ROOT={project}", str(project / "docker/run"), "python")
    refusal = f"requirements.txt pins numpy 1.0, installed is {version}; type `make -B setup`\n"
    for stage, *command in (
        ("prepare", "stages/prepare.py"),
        ("train-deep", "stages/train.py", "deep"),
        ("sample", "-m", "shallowdeep.datasets.sample", "elsewhere"),
    ):
        assert run(project, *of_dvc, *command, status=1) == f"{stage}: {refusal}"
    assert run(project, "git", "status", "--porcelain") == " M requirements.txt\n"


def test_the_error_names_the_first_and_counts_the_rest(tmp_path):
    """None where these tests run, nor where there is no file, as beside a data set."""
    refuse_another_environment(ROOT / "requirements.txt")
    file = tmp_path / "requirements.txt"
    refuse_another_environment(file)
    file.write_text("nowhere-1==1.0\nnowhere-2==1.0\n")
    with pytest.raises(InputError, match=r"nowhere-1 1\.0, installed is none \(and 1 more\)"):
        refuse_another_environment(file)
