"""The commands in the documents work as they stand there."""

import json
import re

import pytest
from checkouts import run, with_environment
from documents import blocks, commands

RECIPES = "CONTRIBUTING.md"


@pytest.mark.usefixtures("publishing")
@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_the_commands_work_from_top_to_bottom(project, pictures_folder, document):
    """In one shell, on the miniature picture set."""
    script = "\n".join(commands(document)).replace("/path/to/pictures", str(pictures_folder))
    script = script.replace("/path/to/storage", f"'{project.parent / 'storage'}'")
    assert "make " in script
    run(with_environment(project), "bash", "-euxc", script)


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
    deps = "".join(
        f"      - {path}\n"
        for path in (
            "models/wide.pt",
            "results/wide/answers.npy",
            "results/wide/fold_0.safetensors",
            "results/wide/history.csv",
        )
    )
    text = text.replace(stage[0], stage[0] + fresh)
    text = text.replace(
        "      - models/deep.pt\n      - results", deps + "      - models/deep.pt\n      - results"
    )
    pipeline.write_text(text)
    run(project, "dvc", "repro")
    metrics = json.loads((project / "results/metrics.json").read_text())
    assert 0 < metrics["wide"]["balanced_accuracy"]["mean"] < 1
    assert "\nwide," in (project / "results/plots/roc.csv").read_text()


def test_the_recipe_for_a_data_set_works(project):
    """Followed to the letter, the pipeline reaches into data/dvc.yaml for it."""
    with (project / "data/dvc.yaml").open("a") as file:
        file.write("\n" + blocks(RECIPES)[1])
    with (project / ".gitignore").open("a") as file:
        file.write("/data/shapes\n")
    run(project, "dvc", "exp", "run", "-S", "data.dir=data/shapes")
    assert json.loads((project / "results/data.json").read_text())["pictures"] == 1_000
