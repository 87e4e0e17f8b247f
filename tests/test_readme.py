"""The commands in the documents work as they stand there."""

import json
import re

import pytest
from conftest import ROOT, run

RECIPES = "CONTRIBUTING.md"


def commands(document: str, *, in_container: bool = False) -> list[str]:
    """What follows the prompt in a document's console blocks, for containers or for the host."""
    found = re.findall(r"```console\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    lines = [
        line
        for block in found
        if ("STAGE_ENGINE" in block) == in_container
        for line in block.splitlines()
    ]
    return [line[2:] for line in lines if line.startswith("$ ")]


def with_environment(project):
    """Lend a project the checkout's .venv, so that make does not have to install another."""
    (project / ".venv").symlink_to(ROOT / ".venv")
    return project


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_the_commands_work_from_top_to_bottom(project, pictures_folder, document):
    """In one shell, on the miniature picture set."""
    script = "\n".join(commands(document)).replace("/path/to/pictures", str(pictures_folder))
    assert "make " in script
    run(with_environment(project), "bash", "-euxc", script)


def blocks(document: str) -> list[str]:
    """A document's YAML blocks."""
    found = re.findall(r"```yaml\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    return [re.sub("^   ", "", block, flags=re.MULTILINE) for block in found]


def test_the_recipe_for_a_model_works(project):
    """Followed to the letter, the new model is in the metrics and in the charts."""
    params, pipeline = project / "params.yaml", project / "dvc.yaml"
    text = params.read_text()
    assert "\nmodels:" in text
    params.write_text(re.sub(r"(\nmodels:.*\n)", lambda found: found[1] + blocks(RECIPES)[0], text))
    text = pipeline.read_text()
    stage = re.search(r"  train-deep:\n.*?\n\n", text, re.DOTALL)
    assert stage
    fresh = stage[0].replace("deep", "wide")
    deps = "      - models/wide.pt\n      - results/wide/history.csv\n"
    text = text.replace(stage[0], stage[0] + fresh)
    text = text.replace(
        "      - models/deep.pt\n      - results", deps + "      - models/deep.pt\n      - results"
    )
    pipeline.write_text(text)
    run(project, "dvc", "repro")
    metrics = json.loads((project / "results/metrics.json").read_text())
    assert 0 < metrics["wide"]["test"]["accuracy"]["mean"] < 1
    assert "\nwide," in (project / "results/plots/roc.csv").read_text()


def test_the_recipe_for_a_data_set_works(project):
    """Followed to the letter, the pipeline reaches into data/dvc.yaml for it."""
    with (project / "data/dvc.yaml").open("a") as file:
        file.write("\n" + blocks(RECIPES)[1])
    with (project / ".gitignore").open("a") as file:
        file.write("/data/shapes\n")
    run(project, "dvc", "exp", "run", "-S", "data.dir=data/shapes")
    assert json.loads((project / "results/data.json").read_text())["pictures"] == 1_000
