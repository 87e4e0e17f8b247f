"""A stage depends on exactly the folders of code that it imports: DVC does not follow imports."""

import ast
import functools
import re
from pathlib import Path

import pytest
import yaml
from checkouts import ROOT

PACKAGE = ROOT / "src" / "shallowdeep"
FILES = (ROOT / "dvc.yaml", ROOT / "data" / "dvc.yaml")
STAGES = [(file, name) for file in FILES for name in yaml.safe_load(file.read_text())["stages"]]


def script(file: Path, command: str) -> Path:
    """The Python file that a stage's command runs."""
    if found := re.search(r"python -m shallowdeep\.([\w.]+)", command):
        return PACKAGE / f"{found[1].replace('.', '/')}.py"
    found = re.search(r"python (\S+\.py)", command)
    assert found, f"{command} runs no Python file of ours"
    return file.parent / found[1]


@functools.cache
def imports(path: Path) -> frozenset[Path]:
    """The modules of the package that a file imports, directly."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    files = {PACKAGE.parent / f"{name.replace('.', '/')}.py" for name in names}
    return frozenset(file for file in files if file.exists())


def closure(path: Path) -> set[Path]:
    """A file, and all modules of the package that importing it imports."""
    found, waiting = {path}, [path]
    while waiting:
        fresh = imports(waiting.pop()) - found
        found |= fresh
        waiting += fresh
    return found


@pytest.mark.parametrize(("file", "name"), STAGES, ids=lambda value: getattr(value, "stem", value))
def test_a_stage_depends_on_what_it_imports(file, name):
    """No folder is missing, so that no change is overlooked; none is too many.

    But for a download: checksums say what it is, whatever code took it, and it is 0.8 GB.
    """
    stage = yaml.safe_load(file.read_text())["stages"][name]
    stage = stage.get("do", stage)
    deps = {(file.parent / dep).resolve() for dep in stage["deps"]}
    code = {dep for dep in deps if dep.suffix == ".py" or dep.is_relative_to(PACKAGE)}
    modules = closure(script(file, stage["cmd"]))
    unused = {dep for dep in code if not any(module.is_relative_to(dep) for module in modules)}
    assert unused == set()
    assert not any((ROOT / "lessons").is_relative_to(dep) for dep in deps)
    missing = {one for one in modules if not any(one.is_relative_to(dep) for dep in code)}
    if name == "oxford-pets":
        missing = {one for one in missing if one.is_relative_to(PACKAGE / "datasets")}
    assert missing == set()
    assert (ROOT / "requirements.txt" in deps) == (name != "oxford-pets")


def test_no_import_goes_round():
    """Imports go one way: no module needs itself."""
    for module in PACKAGE.rglob("*.py"):
        for imported in imports(module):
            assert module not in closure(imported), f"{module.name} and {imported.name} go round"


def test_dvc_yaml_can_be_read_at_a_glance():
    """Six stages, each with its code as a few folders."""
    text = (ROOT / "dvc.yaml").read_text()
    assert len(text.splitlines()) < 150
    stages = ["check", "prepare", "train-shallow", "train-deep", "train", "evaluate"]
    assert list(yaml.safe_load(text)["stages"]) == stages
