"""Commands that a message names are typed, in the state in which it names them."""

import ast
import re
import shlex
import shutil

import pytest
from checkouts import ROOT, commit, run
from in_process import call_alone, dvc_main, told

import shallowdeep
from shallowdeep.files.errors import InputError

COMMAND = r"`((?:git|dvc|make) [^`]*)`"
WEIGHTS, PREDICTIONS = "models/deep/weights.safetensors", "models/deep/predictions.safetensors"
HISTORY, META = "models/deep/history.csv", "data/prepared/meta.json"


def predict(project):
    picture = str(min((project.parent / "pictures").rglob("*.jpg")))
    return told("predict", "models/deep", picture)


def report(_):
    return told("report")


def crate(_):
    return told("crate", "x.zip")


def results(_):
    try:
        shallowdeep.results()
    except InputError as error:
        return str(error)
    return ""


def evaluate(project):
    return call_alone(project, "evaluate").err


def train(project):
    ended = call_alone(project, "train", "deep")
    return ended.err if ended.status else ""


def remove(name):
    """A state in which a file is missing."""
    return lambda project: (project / name).unlink()


def write(name, content=b"what is this"):
    """A state in which a file, a link into DVC's cache perhaps, has another content."""

    def change(project):
        (project / name).unlink(missing_ok=True)
        (project / name).write_bytes(content)

    return change


def other_model(project):
    shutil.copy(project / "models/shallow/weights.safetensors", project / "copy")
    (project / "copy").replace(project / WEIGHTS)


def edit(project, old="epochs: 2", new="epochs: 1"):
    path = project / "params.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


def other_folds(project):
    edit(project, "folds: 10", "folds: 1")


def compiled(project):
    (project / "src/shallowdeep/x.pyc").write_bytes(b"")
    run(project, "git", "add", "--force", "src/shallowdeep/x.pyc")
    commit(project)


# A state, the command that cannot work in it, and the file of the message; what is advised follows.
STATES = {
    "no model": (remove(WEIGHTS), predict, "trained/model.py"),
    "no model of ours": (write(WEIGHTS), predict, "trained/model.py"),
    "another model": (other_model, predict, "commands/stale.py"),
    "a model of other parameters": (edit, predict, "commands/stale.py"),
    "no history": (remove(HISTORY), evaluate, "files/reading.py"),
    "damaged predictions": (write(PREDICTIONS), evaluate, "files/reading.py"),
    "nothing prepared": (remove(META), train, "files/reading.py"),
    "damaged pictures": (write(META), train, "files/reading.py"),
    "other folds": (other_folds, train, "prepared/prepared_set.py"),
    "no report": (remove("results/report.html"), report, "commands/report.py"),
    "no results": (remove("results/metrics.json"), results, "api.py"),
    "compiled code": (compiled, crate, "commands/clean_clone.py"),
    "a change": (
        lambda project: (project / "README.md").write_text(""),
        crate,
        "commands/crate.py",
    ),
}
# Advice whose state another test makes, by file: how many commands, and the test.
ELSEWHERE = {
    "commands/clean_clone.py": (1, "README: make repro"),
    "commands/experiments.py": (8, "tests/commands/test_experiments.py"),
    "commands/run_crate.py": (1, "no advice: a remark in the crate"),
    "commands/sweep.py": (1, "no advice: the command that has failed"),
    "pictures/cluster.py": (1, "tests/pipeline/test_decoding_together.py"),
    "pictures/other_formats.py": (1, "git-lfs is not installed here"),
    "provenance/records.py": (1, "tests/pipeline/test_interruption.py"),
    "provenance/requirements.py": (1, "make setup, with make's own option -B"),
    "training/launching.py": (2, "tests/pipeline/test_ranks.py"),
}


def ways_out(message):
    """Alternatives of a message, each a sequence of commands."""
    for way in message.split(" or "):
        if commands := re.findall(COMMAND, way):
            yield [shlex.split(one) for one in commands]


@pytest.mark.parametrize("name", STATES)
def test_what_a_message_advises_helps(project, pictures_folder, tmp_path, monkeypatch, name):
    """After it, the command that was refused works; each alternative by itself."""
    spoil, command, _ = STATES[name]
    (tmp_path / "pictures").symlink_to(pictures_folder)
    monkeypatch.chdir(project)
    spoil(project)
    message = command(project).strip()
    assert len(message.splitlines()) == 1, message
    ways = list(ways_out(message))
    assert ways, message
    for number, way in enumerate(ways):
        again = shutil.copytree(project, tmp_path / f"{number}" / "a project", symlinks=True)
        (again.parent / "pictures").symlink_to(pictures_folder)
        monkeypatch.chdir(again)
        for words in way:
            file = re.match(r"(?:\w+: )?([^:]+): ", message)[1]  # "`git rm` it"
            it = [file] if words[:2] in (["git", "restore"], ["git", "rm"]) else []
            dvc_main(again, *words[1:]) if words[0] == "dvc" else run(again, *words, *it)
        if way[0][:2] == ["git", "rm"]:
            commit(again)
        assert command(again) == ""


DOCUMENTED = ast.Module | ast.FunctionDef | ast.ClassDef


def literals(path):
    """Text of every message in a module: its strings, but for docstrings and comments."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:]
    parts = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    inside = {id(part) for whole in parts for part in whole.values}
    for whole in parts:
        yield "".join(
            part.value if isinstance(part, ast.Constant) else "X" for part in whole.values
        )
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in inside
        ):
            yield node.value


def test_no_advice_is_untried():
    """A message that names a command has its state above, or is counted as tested elsewhere."""
    source = ROOT / "src/shallowdeep"
    found = {}
    for path in sorted(source.rglob("*.py")):
        count = sum(len(re.findall(f"{COMMAND}|`X`", text)) for text in literals(path))
        if count:
            found[path.relative_to(source).as_posix()] = count
    here = [file for *_, file in STATES.values()]
    assert set(found) == {*here, *ELSEWHERE}
    for file, (count, _) in ELSEWHERE.items():
        assert found[file] == count + here.count(file), file
