"""A model card is what Hugging Face's own library reads, with the numbers of scores.csv."""

import json

import pandas as pd
import pytest
from checkouts import run
from odd_names import FOLDER

READ = """
import json, sys
from huggingface_hub import ModelCard
found = ModelCard.load(sys.argv[1]).data
print(json.dumps([found.license, found.pipeline_tag, found.to_dict()["model-index"]]))
"""


def read(publishing, project, model):
    """Licence, task, name, data set and metrics by the hub's own library."""
    card = str(project / "results/model_cards" / f"{model}.md")
    said = run(project, str(publishing / "python"), "-c", READ, card)
    licence, task, [index] = json.loads(said.splitlines()[-1])
    (result,) = index["results"]
    return licence, task, index["name"], result["dataset"], result["metrics"]


@pytest.mark.parametrize("model", ["shallow", "deep"])
def test_the_index_has_every_score_with_its_margin(publishing, miniature, model):
    """Mean and half the interval's width, on the tested pictures."""
    licence, task, name, data_set, metrics = read(publishing, miniature, model)
    assert (licence, task, name) == ("mit", "image-classification", model)
    assert data_set == {"type": "imagefolder", "name": "pictures"}
    table = pd.read_csv(miniature / "results/scores.csv")
    scores = table[(table.model == model) & (table.split == "test")].set_index("score")
    assert {metric["type"] for metric in metrics} == set(scores.index)
    for metric in metrics:
        mean, margin = map(float, metric["value"].split(" ± "))
        row = scores.loc[metric["type"]]
        assert mean == pytest.approx(row["mean"], abs=6e-4)
        assert margin == pytest.approx((row["high"] - row["low"]) / 2, abs=6e-4)


def test_names_of_folders_are_text_and_nobodys_path_is_told(publishing, odd):
    """Whatever YAML, Markdown and HTML make of them."""
    assert read(publishing, odd, "deep")[3]["name"] == FOLDER
    text = (odd / "results/model_cards/deep.md").read_text()
    assert "<b>" not in text
    assert str(odd.parent) not in text
