"""ro-crate-metadata.json: the runs of all stages, as Provenance Run Crate 0.5.

https://www.researchobject.org/workflow-run-crate/. The workflow is dvc.yaml, a stage's script is
its tool, dvc.lock says what each read and wrote, and a record in results/provenance when and where,
if it is of the same outputs.
"""

import hashlib
import mimetypes
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from rocrate.model import ContextEntity
from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

from shallowdeep.commands.clean_clone import LOCKS, read_locks
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


_Stage = Mapping[str, Any]  # content of dvc.lock
_Stages = Mapping[str, _Stage]


def hashes(stage: _Stage, kind: Literal["deps", "outs"]) -> dict[str, str]:
    """DVC's hash of all that a stage reads or writes, by path."""
    return {one["path"]: one["md5"] for one in stage.get(kind, [])}


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
            with file.open("rb") as content:
                entity["sha256"] = hashlib.file_digest(content, "sha256").hexdigest()
            entity["contentSize"] = str(file.stat().st_size)
            entity["encodingFormat"] = FORMATS.get(file.suffix) or _format(file)
    readme = crate.get("README.md")
    readme["about"] = crate.root_dataset
    about = crate.root_dataset
    about["name"], about["description"] = f"shallowdeep at {commit[:12]}", ABOUT
    about["version"], about["datePublished"] = commit, date
    about["license"] = _add(crate, LICENSE, "CreativeWork", name="MIT licence", description="MIT")
    about["author"] = _add(crate, "#authors", "Organization", name="the shallowdeep authors")
    about["conformsTo"] = [_profile(crate, uri) for uri in PROFILES]
    _describe_runs(crate, payload)
    return crate


def _format(file: Path) -> str:
    guessed = mimetypes.guess_type(file.name)[0]
    binary = b"\0" in file.read_bytes()[:1024]
    return guessed or ("application/octet-stream" if binary else "text/plain")


def _profile(crate: ROCrate, uri: str) -> Entity:
    _, name, version = uri.rsplit("/", 2)
    return _add(crate, uri, "CreativeWork", name=name, version=version)


def _describe_runs(crate: ROCrate, payload: Path) -> None:
    """The workflow, its steps, and what ran in each."""
    stages: _Stages = read_locks(payload)[LOCKS[0]]["stages"]
    records = {  # others are of other runs
        name: record
        for name, record in read_all(payload / FOLDER).items()
        if name in stages and record.outputs == hashes(stages[name], "outs")
    }
    tools = {name: _tool(crate, payload, stage) for name, stage in stages.items()}
    runs, steps, controls = [], [], []
    for position, (name, stage) in enumerate(stages.items()):
        run = _run(crate, name, stage, tools[name], records.get(name))
        step = _add(crate, f"{WORKFLOW}#{name}", "HowToStep", name=name, position=str(position))
        step["workExample"] = tools[name]
        control = _add(crate, f"#control-{name}", "ControlAction", instrument=step, object=run)
        runs.append(run)
        steps.append(step)
        controls.append(control)
    kinds = ("SoftwareSourceCode", "ComputationalWorkflow", "HowTo")
    workflow = _code(crate, payload, WORKFLOW, kinds, "https://dvc.org/doc/user-guide/pipelines")
    workflow["conformsTo"] = {"@id": BIOSCHEMAS}
    workflow["hasPart"] = [crate.get(name) for name in sorted({tool.id for tool in tools.values()})]
    workflow["step"] = steps
    crate.mainEntity = workflow
    whole = _whole_run(crate, workflow, stages, list(records.values()))
    dvc = _add(crate, "https://dvc.org", "SoftwareApplication", name="DVC", url="https://dvc.org")
    versions = sorted({one.environment.packages["dvc"] for one in records.values()})
    dvc["version"] = ", ".join(versions) or "unknown"
    _add(crate, "#organize", "OrganizeAction", instrument=dvc, object=controls, result=whole)
    crate.root_dataset["mentions"] = [whole, *runs]


def _tool(crate: ROCrate, payload: Path, stage: _Stage) -> Entity:
    """The script that a stage runs; the pipeline itself where it runs none of ours."""
    script = next((dep for dep in hashes(stage, "deps") if dep.startswith("stages/")), WORKFLOW)
    return _code(crate, payload, script, ("SoftwareSourceCode",), "https://www.python.org")


def _code(
    crate: ROCrate, payload: Path, path: str, kinds: tuple[str, ...], language: str
) -> Entity:
    """A file of the crate that is code. Its type cannot be changed, so it is put there anew."""
    about = crate.get(path).properties() | {"@type": ["File", *kinds]}
    code = crate.add_file(payload / path, path, properties=about)
    name = language.removeprefix("https://").removeprefix("www.")
    code["name"], code["version"] = path, crate.root_dataset["version"]
    code["programmingLanguage"] = _add(crate, language, "ComputerLanguage", name=name, url=language)
    return code


def _whole_run(crate: ROCrate, workflow: Entity, stages: _Stages, records: list[Record]) -> Entity:
    """From what no stage wrote to what no stage reads."""
    read, wrote = (
        {path: md5 for one in stages.values() for path, md5 in hashes(one, kind).items()}
        for kind in ("deps", "outs")
    )
    return _add(
        crate,
        "#run",
        "CreateAction",
        name="dvc repro",
        description="All stages of dvc.yaml, as dvc.lock says",
        instrument=workflow,
        object=[_data(crate, path, md5) for path, md5 in read.items() if path not in wrote],
        result=[_data(crate, path, md5) for path, md5 in wrote.items() if path not in read],
        **_times(records),
    )


def _run(crate: ROCrate, name: str, stage: _Stage, tool: Entity, record: Record | None) -> Entity:
    """Inputs and outputs of one stage, with times and environment if there is a record."""
    run = _add(
        crate,
        f"#run-{name}",
        "CreateAction",
        name=name,
        description="No record says when and where: DVC had the outputs already",
        instrument=tool,
        object=[_data(crate, path, md5) for path, md5 in hashes(stage, "deps").items()]
        + _values(crate, name, stage.get("params", {}).get("params.yaml", {})),
        result=[_data(crate, path, md5) for path, md5 in hashes(stage, "outs").items()],
    )
    if record:
        where = record.environment
        device = f", {where.device['name']}" if where.device else ""
        run["description"] = f"On {where.processor}{device}, {where.platform}"
        about = {"python": where.python, **where.packages, **where.arithmetic}
        about["commit"] = record.git.commit if record.git else None
        run["environment"] = _values(crate, name, about)
        if where.image:
            run["containerImage"] = _image(crate, where.image)
        for key, value in _times([record]).items():
            run[key] = value
    return run


def _values(crate: ROCrate, stage: str, values: Mapping[str, object]) -> list[Entity]:
    return [
        _add(
            crate,
            f"#{stage}-{key}",
            "PropertyValue",
            name=key,
            value=str(dict(value)) if isinstance(value, Mapping) else str(value),
        )
        for key, value in values.items()
        if value is not None
    ]


def _times(records: list[Record]) -> dict[str, str]:
    """When the first began and the last ended; nothing where there is no record."""
    if not records:
        return {}
    starts = [datetime.fromisoformat(one.started) for one in records]
    ends = [
        start + timedelta(seconds=round(one.seconds))
        for start, one in zip(starts, records, strict=True)
    ]
    return {"startTime": min(starts).isoformat(), "endTime": max(ends).isoformat()}


def _image(crate: ROCrate, name: str) -> Entity:
    repository, _, tag = name.partition(":")
    image = _add(crate, f"#{name}", "ContainerImage", name=repository, tag=tag)
    image["additionalType"] = {"@id": f"{RUN_TERMS}DockerImage"}
    return image


def _data(crate: ROCrate, path: str, md5: str) -> Entity:
    """Input or output of a stage: a part of the crate, or a name with a hash."""
    folder = md5.endswith(".dir")
    entity = crate.get(f"{path}/" if folder else path)
    if entity is None:
        entity = crate.get(f"#{path}") or _add(
            crate,
            f"#{path}",
            "Dataset" if folder else "File",
            name=path,
            description="Not in this crate: `dvc repro` makes it, or asks for it",
        )
    entity["identifier"] = f"md5:{md5}"
    return entity


def _add(crate: ROCrate, name: str, kind: str, /, **properties: Any) -> Entity:
    entity = crate.get(name) or crate.add(ContextEntity(crate, name, {"@type": kind}))
    for key, value in properties.items():
        entity[key] = value
    return entity
