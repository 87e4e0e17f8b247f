"""`python -m shallowdeep crate` packs results with what made them, for tools of others."""

import hashlib
import json
import re
import shutil
import sys
import zipfile
from pathlib import Path

import rocrate
import yaml
from checkouts import commit, run
from in_process import told

from shallowdeep.provenance import records

CRATE = (sys.executable, "-m", "shallowdeep", "crate")
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


def packed(project: Path) -> tuple[Path, dict]:
    """The crate of a project, unpacked, and its entities by their ids."""
    file, folder = project.parent / "crate.zip", project.parent / "crate"
    shutil.rmtree(folder, ignore_errors=True)
    printed = run(project, *CRATE, str(file))
    with zipfile.ZipFile(file) as content:
        content.extractall(folder)
    count = sum(path.is_file() for path in folder.rglob("*")) - 1
    assert re.fullmatch(rf"{file}: {count} files, \d MB, verdict: \w+\n", printed)
    graph = json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]
    return folder, {entity["@id"]: entity for entity in graph}


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


def test_the_crate_is_a_provenance_run_crate(publishing, project, tmp_path):
    """By the profiles' own validator: nothing that is required is missing."""
    folder, _ = packed(project)
    assert issues(publishing, folder, tmp_path) == set()
    (folder / "results/metrics.json").unlink()
    assert {severity for severity, _ in issues(publishing, folder, tmp_path)} == {"REQUIRED"}


def test_what_no_record_says_is_left_out(publishing, project, tmp_path):
    """When and where a stage ran is in the record of these outputs, or not known."""
    forget_and_change(project)
    folder, found = packed(project)
    assert issues(publishing, folder, tmp_path) == {
        ("RECOMMENDED", "The Action SHOULD have an endTime in ISO 8601 format"),
        ("RECOMMENDED", "The ContainerImage SHOULD have a registry"),
    }
    with_times = [name for name in STAGES if "endTime" in found[f"#run-{name}"]]
    assert with_times == ["check", "train-shallow", "evaluate"]
    image = found[found["#run-evaluate"]["containerImage"]["@id"]]
    assert (image["name"], image["tag"]) == ("shallowdeep", "0123456789ab")


def test_another_s_tool_lists_what_ran_on_what(publishing, project):
    """runcrate, of the people who made the profiles: every stage with its inputs and outputs."""
    folder, _ = packed(project)
    printed = run(project.parent, str(publishing / "runcrate"), "report", str(folder))
    actions = dict(
        zip(*[iter(re.split(r"^action: (\S+)$", printed, flags=re.MULTILINE)[1:])] * 2, strict=True)
    )
    assert set(actions) == {"#run", *(f"#run-{name}" for name in STAGES)}
    lock = yaml.safe_load((project / "dvc.lock").read_text())["stages"]
    for name, stage in lock.items():
        assert f"step: dvc.yaml#{name}" in actions[f"#run-{name}"]
        inputs, outputs = actions[f"#run-{name}"].split("  outputs:\n")
        for entries, listed in ((stage["deps"], inputs), (stage["outs"], outputs)):
            for entry in entries:
                assert re.search(rf"^    #?{re.escape(entry['path'])}/?$", listed, re.MULTILINE)


def test_hashes_are_those_of_the_lock_and_of_the_files(project):
    """Of what is in the crate by SHA-256, of all that was read and written as DVC has it."""
    folder, found = packed(project)
    for name, entity in found.items():
        if "sha256" in entity:
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == entity["sha256"]
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {name for name in found if "sha256" in found[name]} == files - {"ro-crate-metadata.json"}
    lock = yaml.safe_load((project / "dvc.lock").read_text())["stages"]
    for stage in lock.values():
        for entry in stage["deps"] + stage["outs"]:
            path = entry["path"]
            (entity,) = (found[one] for one in (path, f"{path}/", f"#{path}") if one in found)
            assert entity["identifier"] == f"md5:{entry['md5']}"
    parameters = found["#train-deep-lr"]
    assert (parameters["name"], parameters["value"]) == ("lr", "0.01")
    head = run(project, "git", "rev-parse", "HEAD").strip()
    assert found["./"]["version"] == head
    assert "results/report.html" in files
    assert "models/deep/weights.safetensors" in files
    assert not [name for name in files if name.endswith((".npy", ".jpg")) and "plots" not in name]


def test_what_does_not_belong_together_is_refused(project, monkeypatch):
    """One line, and no file."""
    monkeypatch.chdir(project)
    params = project / "params.yaml"
    text = params.read_text()
    params.write_text(text.replace("lr: 0.01", "lr: 0.02"))
    assert told("crate", "a.zip").startswith("crate: workspace: these results are of lr 0.01")
    params.write_text(text)
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


def test_it_is_written_where_it_is_asked_for(project, monkeypatch):
    """In a folder that is made; over an older one."""
    monkeypatch.chdir(project)
    for _ in range(2):
        assert told("crate", "a folder/a b.zip") == ""
        assert zipfile.is_zipfile("a folder/a b.zip")
    assert run(project, "git", "status", "--porcelain") == '?? "a folder/"\n'
