"""ro-crate-metadata.json: the runs of all stages, as Provenance Run Crate 0.5.

https://www.researchobject.org/workflow-run-crate/. The workflow is dvc.yaml, a stage's script is
its tool, dvc.lock says what each read and wrote, and a record in results/provenance when and where,
if it is of the same outputs.
"""

import hashlib
import mimetypes
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from rocrate.model import ContextEntity
from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

from shallowdeep.files.yaml_file import parse
from shallowdeep.provenance.records import FOLDER, Record, read_all

PROFILES = (
    "https://w3id.org/ro/wfrun/process/0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/ro/wfrun/provenance/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
)
SPECIFICATION = "https://w3id.org/ro/crate/1.1"  # that these profiles build on
BIOSCHEMAS = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
LICENSE = "https://spdx.org/licenses/MIT"
RUN_TERMS = "https://w3id.org/ro/terms/workflow-run#"
TERMS = {  # that RO-Crate 1.1 does not know
    "sha256": "http://schema.org/sha256",
    **{
        name: RUN_TERMS + name
        for name in ("ContainerImage", "containerImage", "environment", "tag")
    },
}
FORMATS = {".md": "text/markdown", ".yaml": "application/yaml", ".lock": "application/yaml"}
WORKFLOW = "dvc.yaml"
ABOUT = "Does a deeper network help on these pictures? The answer, and its provenance."


def hashes(stages: Iterable[Mapping[str, Any]], kind: Literal["deps", "outs"]) -> dict[str, str]:
    """DVC's hash of all that stages of dvc.lock read or write, by path."""
    return {one["path"]: one["md5"] for stage in stages for one in stage.get(kind, [])}


def crate_of(payload: Path, commit: str, date: str) -> ROCrate:
    """Describe a folder that holds a commit and what its stages wrote.

    Args:
        payload: the folder.
        commit: its hash.
        date: of the commit, ISO 8601.
    """
    crate = ROCrate(str(payload), init=True, version="1.1")
    crate.metadata.extra_terms.update(TERMS)
    crate.metadata["conformsTo"] = [{"@id": SPECIFICATION}, {"@id": PROFILES[-1]}]
    for entity in crate.data_entities:
        file = payload / entity.id
        if file.is_file():
            content = file.read_bytes()
            guessed = FORMATS.get(file.suffix) or mimetypes.guess_type(file.name)[0]
            binary = "application/octet-stream" if b"\0" in content[:1024] else "text/plain"
            entity["sha256"] = hashlib.sha256(content).hexdigest()
            entity["contentSize"] = str(len(content))
            entity["encodingFormat"] = guessed or binary
    about = crate.root_dataset
    crate.get("README.md")["about"] = about
    about["name"], about["description"] = f"shallowdeep at {commit[:12]}", ABOUT
    about["version"], about["datePublished"] = commit, date
    about["license"] = _add(crate, LICENSE, "CreativeWork", name="MIT licence", description="MIT")
    about["author"] = _add(crate, "#authors", "Organization", name="the shallowdeep authors")
    about["conformsTo"] = [
        _add(crate, uri, "CreativeWork", name=uri.split("/")[-2], version=uri.split("/")[-1])
        for uri in PROFILES
    ]
    _describe_runs(crate, payload)
    return crate


def _describe_runs(crate: ROCrate, payload: Path) -> None:
    """The workflow, its steps, the run of each, and the run of the whole."""
    stages = parse(payload / "dvc.lock")["stages"]
    records = {  # others are of other runs
        name: record
        for name, record in read_all(payload / FOLDER).items()
        if name in stages and record.outputs == hashes([stages[name]], "outs")
    }
    runs, steps, controls, tools = [], [], [], {}
    for position, (name, stage) in enumerate(stages.items()):
        read = hashes([stage], "deps")
        # Its script; the pipeline itself where a stage runs none of ours.
        script = next((dep for dep in read if dep.startswith("stages/")), WORKFLOW)
        tools[script] = _code(crate, payload, script, (), "https://www.python.org")
        run = _run(crate, f"#run-{name}", tools[script], read, hashes([stage], "outs"))
        run["name"], run["description"] = name, "No record of its time: DVC had the outputs already"
        run.append_to(
            "object", _values(crate, name, stage.get("params", {}).get("params.yaml", {}))
        )
        if name in records:
            _describe_environment(crate, run, records[name])
        step = _add(crate, f"{WORKFLOW}#{name}", "HowToStep", name=name, position=str(position))
        step["workExample"] = tools[script]
        control = _add(crate, f"#control-{name}", "ControlAction", instrument=step, object=run)
        runs.append(run)
        steps.append(step)
        controls.append(control)
    language = "https://dvc.org/doc/user-guide/pipelines"
    workflow = _code(crate, payload, WORKFLOW, ("ComputationalWorkflow", "HowTo"), language)
    workflow["conformsTo"], workflow["step"] = {"@id": BIOSCHEMAS}, steps
    workflow["hasPart"] = [crate.get(script) for script in sorted(tools)]
    crate.mainEntity = workflow
    read, wrote = hashes(stages.values(), "deps"), hashes(stages.values(), "outs")
    first = {path: md5 for path, md5 in read.items() if path not in wrote}
    last = {path: md5 for path, md5 in wrote.items() if path not in read}
    whole = _run(crate, "#run", workflow, first, last)
    about = {"name": "dvc repro", "description": "All stages of dvc.yaml, as dvc.lock says"}
    _add(crate, whole.id, "CreateAction", **about, **_times(list(records.values())))
    versions = sorted({one.environment.packages["dvc"] for one in records.values()})
    dvc = _add(crate, "https://dvc.org", "SoftwareApplication", name="DVC", url="https://dvc.org")
    dvc["version"] = ", ".join(versions) or "unknown"
    _add(crate, "#organize", "OrganizeAction", instrument=dvc, object=controls, result=whole)
    crate.root_dataset["mentions"] = [whole, *runs]


def _code(crate: ROCrate, payload: Path, path: str, kinds: Sequence[str], language: str) -> Entity:
    """A file of the crate that is code. Its type cannot be changed, so it is put there anew."""
    about = crate.get(path).properties() | {"@type": ["File", "SoftwareSourceCode", *kinds]}
    code = crate.add_file(payload / path, path, properties=about)
    name = language.removeprefix("https://").removeprefix("www.")
    code["name"], code["version"] = path, crate.root_dataset["version"]
    code["programmingLanguage"] = _add(crate, language, "ComputerLanguage", name=name, url=language)
    return code


def _run(
    crate: ROCrate, name: str, tool: Entity, read: Mapping[str, str], wrote: Mapping[str, str]
) -> Entity:
    inputs, outputs = (
        [_data(crate, path, md5) for path, md5 in hashed.items()] for hashed in (read, wrote)
    )
    result = outputs if len(outputs) > 1 else outputs[0]  # as JSON-LD recommends
    return _add(crate, name, "CreateAction", instrument=tool, object=inputs, result=result)


def _describe_environment(crate: ROCrate, run: Entity, record: Record) -> None:
    """Time, machine, versions and image of a run."""
    where = record.environment
    device = f", {where.device['name']}" if where.device else ""
    run["description"] = f"On {where.processor}{device}, {where.platform}"
    commit = {"commit": record.git.commit if record.git else None}
    about = {"python": where.python, **where.packages, **where.arithmetic, **commit}
    run["environment"] = _values(crate, run["name"], about)
    if where.image:
        repository, _, tag = where.image.partition(":")
        image = _add(crate, f"#{where.image}", "ContainerImage", name=repository, tag=tag)
        image["additionalType"] = {"@id": f"{RUN_TERMS}DockerImage"}
        run["containerImage"] = image
    _add(crate, run.id, "CreateAction", **_times([record]))


def _values(crate: ROCrate, stage: str, values: Mapping[str, object]) -> list[Entity]:
    return [
        _add(crate, f"#{stage}-{key}", "PropertyValue", name=key, value=str(value))
        for key, value in values.items()
        if value is not None
    ]


def _times(records: Sequence[Record]) -> dict[str, str]:
    """Start of the first and end of the last; nothing where there is no record."""
    starts = [datetime.fromisoformat(one.started) for one in records]
    ends = [
        start + timedelta(seconds=round(one.seconds))
        for start, one in zip(starts, records, strict=True)
    ]
    times = {"startTime": min(starts), "endTime": max(ends)} if records else {}
    return {name: time.isoformat(timespec="seconds") for name, time in times.items()}


def _data(crate: ROCrate, path: str, md5: str) -> Entity:
    """Input or output of a stage: a part of the crate, or a name with a hash."""
    folder = md5.endswith(".dir")
    entity = crate.get(f"{path}/" if folder else path)
    if entity is None:
        about = "Not in this crate: `dvc repro` makes it, or asks for it"
        kind = "Dataset" if folder else "File"
        entity = _add(crate, f"#{path}", kind, name=path, description=about)
    entity["identifier"] = f"md5:{md5}"
    return entity


def _add(crate: ROCrate, name: str, kind: str, /, **properties: Any) -> Entity:
    """Entity of this name, made if there is none, with these properties."""
    entity = crate.get(name) or crate.add(ContextEntity(crate, name, {"@type": kind}))
    for key, value in properties.items():
        entity[key] = value
    return entity
