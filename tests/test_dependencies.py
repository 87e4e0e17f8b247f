"""A stage depends on exactly the modules that it imports: DVC does not follow imports."""

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "shallowdeep"


def stages() -> list[tuple[Path, str]]:
    files = (ROOT / "dvc.yaml", ROOT / "data" / "dvc.yaml")
    return [(file, name) for file in files for name in yaml.safe_load(file.read_text())["stages"]]


def script(file: Path, command: str) -> Path:
    """The Python file that a stage's command runs."""
    if found := re.search(r"python -m shallowdeep\.(\w+)", command):
        return PACKAGE / f"{found[1]}.py"
    found = re.search(r"python (\S+\.py)", command)
    assert found, f"{command} runs no Python file of ours"
    return file.parent / found[1]


def imports(path: Path) -> set[Path]:
    """The modules of the package that a file imports, directly."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    files = {PACKAGE / f"{name.removeprefix('shallowdeep.')}.py" for name in names}
    return {file for file in files if file.exists()}


def closure(path: Path) -> set[Path]:
    """A file, and all modules of the package that importing it imports."""
    found, waiting = {path}, [path]
    while waiting:
        fresh = imports(waiting.pop()) - found
        found |= fresh
        waiting += fresh
    return found


@pytest.mark.parametrize(
    ("file", "name"), stages(), ids=lambda value: getattr(value, "stem", value)
)
def test_a_stage_depends_on_what_it_imports(file, name):
    """No module is missing, so that no change is overlooked; none is too many."""
    stage = yaml.safe_load(file.read_text())["stages"][name]
    listed = {(file.parent / dep).resolve() for dep in stage["deps"] if dep.endswith(".py")}
    modules = closure(script(file, stage["cmd"]))
    assert listed == modules
    templates = re.findall(r'"(\S+\.jinja)"', "".join(module.read_text() for module in modules))
    assert {f"src/shallowdeep/{name}" for name in templates} <= set(stage["deps"])


@pytest.mark.parametrize(
    ("file", "name"), stages(), ids=lambda value: getattr(value, "stem", value)
)
def test_a_stage_depends_on_the_environment(file, name):
    """Another version of a package may give another result, but for a download with a checksum."""
    stage = yaml.safe_load(file.read_text())["stages"][name]
    deps = {(file.parent / dep).resolve() for dep in stage["deps"]}
    assert (ROOT / "requirements.txt" in deps) == (name != "oxford-pets")


def test_no_import_goes_round():
    """Imports go one way: no module needs itself."""
    for module in PACKAGE.glob("*.py"):
        for imported in imports(module):
            assert module not in closure(imported), f"{module.name} and {imported.name} go round"
