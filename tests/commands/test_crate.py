"""`python -m shallowdeep crate` packs results with what made them, for tools of others."""

import contextlib
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path

import pytest
import rocrate
import yaml
from checkouts import commit, run
from in_process import told

from shallowdeep.provenance import records

STAGES = ("check", "prepare", "train-shallow", "train-deep", "evaluate")

# The validator asks the network for RO-Crate's context, and its own cache before that. rocrate
# brings that of 1.3; of the terms in use, one is another in 1.1, and one of ours is not in it.
CONTEXT = Path(rocrate.__file__).with_name("data") / "ro-crate.jsonld"
OTHER = {"ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow", "sha256": None}
REMEMBER = """
import io, sys
import requests, requests_cache, urllib3
url, content = "https://w3id.org/ro/crate/1.1/context", sys.stdin.buffer.read()
response = requests.Response()
response.status_code, response.url, response._content = 200, url, content
response.headers["Content-Type"] = "application/ld+json"
response.raw = urllib3.HTTPResponse(io.BytesIO(content), status=200, preload_content=False)
response.request = requests.Request("GET", url).prepare()
requests_cache.CachedSession(sys.argv[1], backend="sqlite").cache.save_response(response)
"""


def packed(project: Path, file: Path, folder: Path) -> tuple[Path, dict]:
    """The crate of a project, unpacked into a folder, and its entities by their ids."""
    printed = io.StringIO()
    with contextlib.chdir(project), contextlib.redirect_stdout(printed):
        assert told("crate", str(file)) == ""
    with zipfile.ZipFile(file) as content:
        content.extractall(folder)
    count = sum(path.is_file() for path in folder.rglob("*")) - 1
    line = rf"{file}: {count} files, \d MB, verdict: \w+\n"
    assert re.fullmatch(line, printed.getvalue())
    graph = json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]
    return folder, {entity["@id"]: entity for entity in graph}


@pytest.fixture(scope="module")
def crate(miniature, tmp_path_factory) -> tuple[Path, dict]:
    """That of the miniature project, from a file in a folder that is made; not to be changed."""
    folder = tmp_path_factory.mktemp("crate")
    return packed(miniature, folder / "a folder/a b.zip", folder / "crate")


def issues(publishing: Path, folder: Path, tmp_path: Path) -> set[tuple[str, str]]:
    """Issues of the validator that could be mended: severity and message."""
    cache, report = tmp_path / "contexts.sqlite", tmp_path / "issues.json"
    context = json.loads(CONTEXT.read_text())
    terms = {key: OTHER.get(key, value) for key, value in context["@context"].items()}
    context["@context"] = {key: value for key, value in terms.items() if value}
    (tmp_path / "context.json").write_text(json.dumps(context))
    remember = f"{publishing}/python -c '{REMEMBER}' {cache} <{tmp_path}/context.json"
    run(tmp_path, "bash", "-c", remember)
    validate = [f"{publishing}/rocrate-validator", "-y", "validate", str(folder), "--offline"]
    validate += ["--cache-path", str(cache), "--profile-identifier", "provenance-run-crate-0.5"]
    validate += ["--requirement-severity", "recommended", "-f", "json", "-o", str(report)]
    run(tmp_path, *validate, status=1)
    found = json.loads(report.read_text())["issues"]
    printed = {(one["severity"], one["message"]) for one in found}
    return {one for one in printed if not UNKNOWN.search(one[1])}


# Recommended, and not to be had: the project knows no address of its own, and not who ran it.
UNKNOWN = re.compile(r"SHOULD have a(n agent| url| URL)|absolute URI|`publisher`")


def forget_and_change(project: Path) -> None:
    """Remove one record, make one another run's, and one of a container of the project's image."""
    folder = project / records.FOLDER
    (folder / "prepare.json").unlink()
    for name, change in (
        ("train-deep", {"outputs": {"models/deep/weights.safetensors": "0" * 32}}),
        ("evaluate", {"environment": {"image": "shallowdeep:0123456789ab"}}),
    ):
        content = json.loads((folder / f"{name}.json").read_text())
        for key, values in change.items():
            content[key] |= values
        (folder / f"{name}.json").write_text(json.dumps(content))


def test_the_crate_is_a_provenance_run_crate(publishing, crate, tmp_path):
    """By the profiles' own validator: nothing that is required is missing."""
    assert issues(publishing, crate[0], tmp_path) == set()


def test_what_no_record_says_is_left_out(publishing, crate, project, tmp_path):
    """When and where a stage ran is in the record of these outputs, or not known."""
    forget_and_change(project)
    file = crate[0].parent / "a folder/a b.zip"  # an older crate, which this one replaces
    folder, entities = packed(project, file, tmp_path / "crate")
    assert list(file.parent.iterdir()) == [file]
    assert run(project, "git", "status", "--porcelain") == ""
    with_times = [name for name in STAGES if "endTime" in entities[f"#run-{name}"]]
    assert with_times == ["check", "train-shallow", "evaluate"]
    image = entities[entities["#run-evaluate"]["containerImage"]["@id"]]
    assert (image["name"], image["tag"]) == ("shallowdeep", "0123456789ab")
    left_out = {
        ("RECOMMENDED", "The Action SHOULD have an endTime in ISO 8601 format"),
        ("RECOMMENDED", "The ContainerImage SHOULD have a registry"),
    }
    assert issues(publishing, folder, tmp_path) == left_out
    (folder / "results/metrics.json").unlink()
    found = issues(publishing, folder, tmp_path) - left_out
    assert {severity for severity, _ in found} == {"REQUIRED"}


def test_another_s_tool_lists_what_ran_on_what(publishing, crate, miniature, tmp_path):
    """runcrate, of the people who made the profiles: every stage with its inputs and outputs."""
    printed = run(tmp_path, str(publishing / "runcrate"), "report", str(crate[0]))
    actions = dict(
        zip(*[iter(re.split(r"^action: (\S+)$", printed, flags=re.MULTILINE)[1:])] * 2, strict=True)
    )
    assert set(actions) == {"#run", *(f"#run-{name}" for name in STAGES)}
    lock = yaml.safe_load((miniature / "dvc.lock").read_text())["stages"]
    for name, stage in lock.items():
        assert f"step: dvc.yaml#{name}" in actions[f"#run-{name}"]
        inputs, outputs = actions[f"#run-{name}"].split("  outputs:\n")
        for entries, listed in ((stage["deps"], inputs), (stage["outs"], outputs)):
            for entry in entries:
                assert re.search(rf"^    #?{re.escape(entry['path'])}/?$", listed, re.MULTILINE)


def test_hashes_are_those_of_the_lock_and_of_the_files(crate, miniature):
    """Of what is in the crate by SHA-256, of all that was read and written as DVC has it."""
    folder, found = crate
    for name, entity in found.items():
        if "sha256" in entity:
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == entity["sha256"]
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {name for name in found if "sha256" in found[name]} == files - {"ro-crate-metadata.json"}
    lock = yaml.safe_load((miniature / "dvc.lock").read_text())["stages"]
    for stage in lock.values():
        for entry in stage["deps"] + stage["outs"]:
            path = entry["path"]
            (entity,) = (found[one] for one in (path, f"{path}/", f"#{path}") if one in found)
            assert entity["identifier"] == f"md5:{entry['md5']}"
    lr = found["#train-deep-lr"]
    assert (lr["name"], lr["value"]) == ("lr", "0.01")
    assert found["./"]["version"] == run(miniature, "git", "rev-parse", "HEAD").strip()
    assert {"results/report.html", "models/deep/weights.safetensors"} <= files
    assert not [name for name in files if name.endswith((".npy", ".jpg")) and "plots" not in name]


def test_what_does_not_belong_together_is_refused(project, monkeypatch):
    """One line, and no file."""
    monkeypatch.chdir(project)
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("lr: 0.01", "lr: 0.02"))
    assert told("crate", "a.zip").startswith("crate: workspace: these results are of lr 0.01")
    Path("params.yaml").write_text(text)
    (project / "README.md").write_text("mine\n")
    uncommitted = "is not committed; commit it, or type `git restore` for it"
    for argument in ("a.zip", "--check"):
        assert told("crate", argument) == f"crate: README.md: {uncommitted}"
    commit(project)
    assert told("crate", "--check") == ""
    assert told("crate", "a.tar") == "crate: a.tar: does not end with .zip"
    for arguments in ([], ["a.zip", "--check"]):
        assert told("crate", *arguments) == "2"
    assert not list(project.glob("*.zip")) + list(project.glob("*.tar"))
    monkeypatch.chdir(project.parent)
    assert "no dvc.yaml here" in told("crate", "a.zip")
