"""What others take: a citation, a data card, models by name, an environment, a release."""

import json
import re
import shutil
import sys
import tomllib
import zipfile

import pytest
import yaml
from checkouts import ROOT, commit, run, with_environment
from in_process import dvc_main

WEIGHTS = "models/deep/weights.safetensors"
RELEASE = ("make", "--silent", "--old-file=.venv/installed", "release")


def test_the_citation_is_of_this_version():
    """A release writes both; `make lint` holds the file against its format's schema."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    assert all(one["doi"].startswith("10.") for one in citation["references"])


READ = """
import json, mlcroissant
data = mlcroissant.Dataset("croissant.json")
assert not data.metadata.ctx.issues.errors and not data.metadata.ctx.issues.warnings
records = data.records("animals")
found = [(one["animals/class"].decode(), one["animals/picture"].size) for one in records]
print(json.dumps(found))
"""


def test_the_data_card_reads_the_sample(publishing, tmp_path):
    """Valid by Croissant's own library, which finds every picture and its class."""
    shutil.copy(ROOT / "data/croissant.json", tmp_path)
    sample = (sys.executable, "-m", "shallowdeep", "sample", "sample", "--per-class", "3")
    run(tmp_path, *sample)
    said = run(tmp_path, str(publishing / "python"), "-c", READ)
    records = json.loads(said.splitlines()[-1])
    assert sorted(name for name, _ in records) == ["cat"] * 3 + ["dog"] * 3
    assert all(140 <= pixels <= 270 for _, size in records for pixels in size)


def test_a_model_is_got_by_its_name(project, tmp_path):
    """`dvc artifacts get`, from a repository with a remote, by the tag that a release leaves."""
    dvc_main(project, "remote", "add", "--default", "store", str(tmp_path / "store"))
    commit(project)
    dvc_main(project, "push", WEIGHTS)
    run(project, "gto", "register", "deep", "--version", "v0.1.0")
    dvc_main(tmp_path, "artifacts", "get", str(project), "deep")
    got = tmp_path / "weights.safetensors"
    assert got.read_bytes() == (project / WEIGHTS).read_bytes()
    artifacts = yaml.safe_load((project / "dvc.yaml").read_text())["artifacts"]
    assert {name: one["path"] for name, one in artifacts.items()} == {
        name: f"models/{name}/weights.safetensors" for name in ("shallow", "deep")
    }


@pytest.mark.usefixtures("publishing")
def test_a_release_is_one_command(project):
    """Version, citation, changelog, commit, tags and the archive; a dry run only says so."""
    with_environment(project)
    before = run(project, "git", "log", "--format=%H")
    said = run(project, *RELEASE, "VERSION=0.1.0", "DRY_RUN=1")
    for part in ("Would change file CHANGELOG.md", "'v0.1.0'", "Would run gto register deep"):
        assert part in said
    assert run(project, "git", "log", "--format=%H") == before
    assert run(project, "git", "status", "--porcelain") + run(project, "git", "tag") == ""
    run(project, *RELEASE, "VERSION=0.1.0")
    assert run(project, "git", "tag").split() == ["deep@v0.1.0", "shallow@v0.1.0", "v0.1.0"]
    assert run(project, "git", "status", "--porcelain") == ""
    head = run(project, "git", "rev-parse", "v0.1.0^{commit}").strip()
    with zipfile.ZipFile(project / "shallowdeep-0.1.0.zip") as archive:
        metadata = json.loads(archive.read("ro-crate-metadata.json"))
        (root,) = (one for one in metadata["@graph"] if one["@id"] == "./")
        assert root["version"] == head
        assert 'version = "0.1.0"' in archive.read("pyproject.toml").decode()
        assert re.search(
            r"^version: 0\.1\.0\ndate-released: \d{4}-\d\d-\d\d\n",
            archive.read("CITATION.cff").decode(),
            re.MULTILINE,
        )
        changes = archive.read("CHANGELOG.md").decode()
        assert re.match(
            r"# Changelog\n\n## Unreleased\n\n## 0\.1\.0 \(\d{4}-\d\d-\d\d\)\n", changes
        )
    schema = ("--builtin-schema", "vendor.citation-file-format", "CITATION.cff")
    run(project, "check-jsonschema", *schema)
    assert "there is a tag v0.1.0 already" in run(project, *RELEASE, "VERSION=0.1.0", status=2)
    run(project, *RELEASE, "VERSION=0.2.0")
    citation = yaml.safe_load((project / "CITATION.cff").read_text())
    assert citation["version"] == "0.2.0"


@pytest.mark.usefixtures("publishing")
@pytest.mark.parametrize("version", ["", "1.0", "v1.0.0", "$(touch x)", "1.0.0;touch x"])
def test_a_wrong_version_is_one_line(project, version):
    """Nothing is changed."""
    with_environment(project)
    said = run(project, *RELEASE, f"VERSION={version}", status=2)
    assert said.startswith(f"make release: VERSION: '{version}' is not three numbers; make release")
    assert run(project, "git", "status", "--porcelain") + run(project, "git", "tag") == ""


@pytest.mark.usefixtures("publishing")
def test_results_of_other_code_are_not_released(project):
    """Refused before there is a tag."""
    with_environment(project)
    stage = project / "stages/train.py"
    stage.write_text(stage.read_text() + "# an edit\n")
    commit(project)
    said = run(project, *RELEASE, "VERSION=0.1.0", status=2)
    assert said.startswith("crate: workspace: these results are of another stages/train.py")
    assert run(project, "git", "tag") == ""


# As Debian's images have it.
SOURCES = """\
Types: deb
# http://snapshot.debian.org/archive/debian/20260824T000000Z
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates

Types: deb
# http://snapshot.debian.org/archive/debian-security/20260824T000000Z
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
"""


def test_packages_come_from_the_snapshot_that_the_base_names(tmp_path):
    """The recipe's own expression, on what the pinned image has."""
    recipe = (ROOT / "docker/Dockerfile").read_text()
    (expression,) = re.findall(r"^ +'(/\^# .*)' \{\}", recipe, re.MULTILINE)
    file = tmp_path / "debian.sources"
    file.write_text(SOURCES)
    run(tmp_path, "sed", "-i", "-E", expression, str(file))
    found = re.findall(r"^URIs: (\S+)$", file.read_text(), re.MULTILINE)
    assert found == re.findall(r"# (\S+)", SOURCES)


def test_an_editor_opens_the_image_that_is_built():
    """.devcontainer.json names what docker/build and the recipe make."""
    text = (ROOT / ".devcontainer.json").read_text()
    container = json.loads(re.sub(r"^ *//.*$", "", text, flags=re.MULTILINE))
    build = ROOT / container["initializeCommand"]
    assert build.stat().st_mode & 0o100
    assert f"--tag {container['image']}" in build.read_text()
    editor = container["customizations"]["vscode"]
    assert "iterative.dvc" in editor["extensions"]
    environment = re.findall(
        r"-m venv --without-pip (\S+)", (ROOT / "docker/Dockerfile").read_text()
    )
    assert [editor["settings"]["python.defaultInterpreterPath"]] == [
        f"{folder}/bin/python" for folder in environment
    ]
