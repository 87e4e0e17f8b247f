"""The house explains itself: a sentence a room, one meaning a name, and edits stay in."""

import ast
import sys
from collections import defaultdict

import pytest
from checkouts import ROOT, changed_stages, run
from in_process import dvc_main

PACKAGE = ROOT / "src" / "shallowdeep"
ROOMS = sorted(path for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__")
MODULES = sorted(path for room in ROOMS for path in room.glob("*.py") if path.stem != "__init__")
TRAINING = {"train-shallow", "train-deep"}
ALL = {"prepare", *TRAINING, "evaluate"}

# One name, one meaning: these do the same thing with another thing.
SHARED = {
    "main",  # of a command, with its arguments
    "parser",  # of them
    "read",  # from the one file that the module owns
    "write",  # to it
    "page",  # the text of a page of docs/
    "shown",  # for the terminal
    "forward",  # a layer's outputs, vectorised or with its loops
    "backward",  # its gradients
    "count",  # of things of one kind
    "clipped",  # to a range
    "draw",  # at random
    "md5",  # as DVC has it
}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_says_what_lives_there(room):
    """Its __init__.py is a docstring and nothing else."""
    module = ast.parse((room / "__init__.py").read_text())
    assert len(module.body) == 1
    assert ast.get_docstring(module)


def test_nothing_lies_about():
    """Only the package's docstring and its front door are in no room."""
    loose = {path.name for path in PACKAGE.iterdir() if path.is_file()}
    assert loose == {"__init__.py", "__main__.py", "api.py", "py.typed"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_module_has_a_name_of_its_own(module):
    """Neither one of Python's, nor its room's, nor one that says nothing."""
    assert module.stem not in sys.stdlib_module_names
    assert module.stem != module.parent.name
    assert module.stem not in {"utils", "common", "base", "helpers"}


def test_one_name_has_one_meaning():
    """No two modules have a public function of one name, but for those that do the same."""
    where = defaultdict(set)
    for module in MODULES:
        for node in ast.parse(module.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                where[node.name].add(f"{module.parent.name}/{module.name}")
    twice = {name: places for name, places in where.items() if len(places) > 1}
    assert {name: places for name, places in twice.items() if name not in SHARED} == {}
    assert not {"load", "save"} & set(where)


def test_deep_and_shallow_are_names_in_two_places():
    """In params.yaml and where the verdict is named: a further network is an equal."""
    places = {
        module.relative_to(PACKAGE).as_posix()
        for module in [*MODULES, *(ROOT / "stages").glob("*.py")]
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Constant) and node.value in ("deep", "shallow")
    }
    assert places == {"settings/params.py", "evaluation/verdict.py"}


def test_evaluate_needs_no_torch(project):
    """Its import would be a third of the stage; the training asks the networks what is asked."""
    script = (
        "import runpy, sys; sys.path.insert(0, 'src');"
        " runpy.run_path('stages/evaluate.py', run_name='__main__'); print('torch' in sys.modules)"
    )
    assert run(project, sys.executable, "-c", script).split()[-1] == "False"


def after_an_edit(project, room):
    """The stages that DVC would run after an edit in a room."""
    module = next(path for path in sorted((project / room).glob("*.py")) if path.stem[0] != "_")
    text = module.read_text()
    module.write_text(text + "\n# an edit\n")
    found = changed_stages(project)
    module.write_text(text)
    return found


def test_an_edit_in_a_room_runs_the_stages_that_use_it(project):
    """Asked of DVC; what nobody has edited is up to date."""
    after = {
        "pictures": {"prepare"},
        "datasets": set(),
        "training": TRAINING,
        "evaluation": {"evaluate"},
        "report": {"evaluate"},
        "commands": set(),
        "trained": {*TRAINING, "evaluate"},
    }
    for room in (path.name for path in ROOMS):
        assert after_an_edit(project, f"src/shallowdeep/{room}") == after.get(room, ALL), room


def test_an_edited_decoder_with_the_same_pixels_retrains_nothing(project):
    """Prepare alone has to run."""
    with (project / "src/shallowdeep/pictures/decoding.py").open("a") as file:
        file.write("\n# an edit\n")
    assert "Running stage 'prepare'" in dvc_main(project, "repro", "prepare")
    assert changed_stages(project) == set()
