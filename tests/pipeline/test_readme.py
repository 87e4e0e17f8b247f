"""The documents can be followed to the letter."""

import json
import re
import shlex

import numpy as np
import pytest
import torch
from checkouts import ROOT, run, with_environment
from documents import blocks, commands
from in_process import dvc_main, told

from shallowdeep.commands.sweep import settings_of
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.trained import model

RECIPES = "CONTRIBUTING.md"

# make would install packages in a fresh clone for 20 s: lend it the environment of this checkout.
LEND = f"ln -s '{ROOT}/.venv' .venv; touch -d 2000-01-01T00:00:00 requirements*.txt pyproject.toml"


@pytest.fixture
def elsewhere(project, tmp_path):
    """A folder with pictures, and an empty repository that the project has as its origin."""
    sample = ("sample", f"{tmp_path}/elsewhere/pictures", "--seed", "2", "--per-class", "20")
    assert told(*sample) == ""
    repository = f"{tmp_path}/elsewhere/repository"
    run(project, "git", "init", "--quiet", "--bare", "--initial-branch", "main", repository)
    run(project, "git", "remote", "add", "origin", repository)
    run(project, "git", "config", "push.autoSetupRemote", "true")
    with_environment(project)
    return f"{tmp_path}/elsewhere"


def test_the_readme_works_from_top_to_bottom(project, elsewhere):
    """In one shell, on the miniature picture set; its second clone included."""
    script = "\n".join(commands("README.md")).replace("/path/to", elsewhere)
    script = script.replace("make setup", f"{LEND}; make setup")
    printed = run(project, "bash", "-euxc", script)
    _, _, second = printed.partition("git clone")
    fetched, _, experiment = second.partition("exp run")
    assert "Stage 'train-deep' didn't change" in fetched and "Running stage 'train" not in fetched
    assert "Running stage 'train@wide'" in experiment
    assert printed.count("elsewhere/new/") == 10  # a line of `predict` for each new picture


@pytest.mark.usefixtures("publishing", "elsewhere")
@pytest.mark.parametrize("document", [RECIPES, "docs/experiments.md", "docs/reproducibility.md"])
def test_the_commands_of_a_page_work(project, document, monkeypatch):
    """One after the other; DVC in this process, but for its queue."""
    monkeypatch.chdir(project)
    for command in commands(document):
        program, *words = shlex.split(command)
        if program == "dvc" and not {"--queue", "--run-all"} & set(words):
            dvc_main(project, *words)
        elif words[:1] == ["sweep"]:  # test_sweep.py runs one
            assert len(settings_of(words[1].removeprefix("OVER=").split())) == 4
        else:
            run(project, "bash", "-euc", command)


def test_the_lines_for_plain_pytorch_give_our_probabilities(tmp_path, monkeypatch):
    """The README's lines load run 0 of a network of three runs on 128 x 128 pixels."""
    rng = np.random.default_rng(0)
    shapes = [(3, 4, 49152), (3, 4), (3, 1, 4), (3, 1)]
    first, b1, second, b2 = (rng.normal(0, 0.1, shape).astype(np.float32) for shape in shapes)
    layers = [model.StoredLayer(first, b1), model.StoredLayer(second, b2)]
    (tmp_path / "models/shallow").mkdir(parents=True)
    half = (0.5, 0.5, 0.5)
    trained = model.Model(layers, [7, 8, 9], ("cat", "dog"), 128, Normalisation(half, half))
    model.write(trained, tmp_path / "models/shallow" / model.FILE)
    monkeypatch.chdir(tmp_path)
    names = {}
    (code,) = blocks("README.md", "python")
    exec(code, names)
    inputs = rng.uniform(-1, 1, (5, 49152)).astype(np.float32)
    with torch.no_grad():
        found = names["network"](torch.from_numpy(inputs))[:, 0]
    hidden = np.maximum(inputs @ first[0].T + b1[0], 0)
    expected = 1 / (1 + np.exp(-(hidden @ second[0].T + b2[0])[:, 0]))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_readme_is_short():
    """A newcomer reads it in five minutes: at most 1,300 words, blocks of code included."""
    assert len((ROOT / "README.md").read_text().split()) <= 1_300


@pytest.mark.parametrize(
    "document", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("*/*.md")), ids=lambda path: path.name
)
def test_every_link_leads_to_a_file(document):
    """Links within the repository only."""
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_recipe_for_a_data_set_works(project):
    """Followed to the letter, the pipeline reaches into data/dvc.yaml for it."""
    with (project / "data/dvc.yaml").open("a") as file:
        file.write("\n" + blocks(RECIPES, "yaml")[1])
    with (project / ".gitignore").open("a") as file:
        file.write("/data/shapes\n")
    dvc_main(project, "exp", "run", "prepare", "-S", "data.dir=data/shapes")
    assert json.loads((project / "results/data.json").read_text())["pictures"] == 40
