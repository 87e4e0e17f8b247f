"""A further score, chart or network is one entry, and everything that is written has it."""

import numpy as np
import pytest
from random_predictions import SHARES, findings, networks, settings

from shallowdeep.evaluation import tables
from shallowdeep.evaluation.change import ExperimentPredictions, changes
from shallowdeep.evaluation.score_table import score_rows
from shallowdeep.evaluation.scores import SCORES, RunScores, Score
from shallowdeep.evaluation.sentences import cautions
from shallowdeep.evaluation.split_predictions import by_split
from shallowdeep.prepared.data_report import DataReport
from shallowdeep.report import charts, page, picture_sheets

WITH_WIDE = SHARES | {"wide": 0.9}
NOTHING_LEFT_OUT = DataReport(100, 0, 0)


def pages(pictures, shares=SHARES, data=NOTHING_LEFT_OUT):
    """The report in both forms, and a card."""
    predictions = networks(pictures, shares)
    test, found = by_split(predictions, pictures)["test"], findings(pictures, shares)
    histories = {name: np.ones((1, 3, 2, 3)) for name in shares}
    of_charts = tables.chart_tables(found.epochs, test, histories, pictures.classes)
    shown = charts.Shown(of_charts, list(shares), found)
    weights = {name: np.ones((4, 3, 12, 12), np.float32) for name in shares}
    facts = page.Facts(
        found=found,
        data=data,
        counts=pictures.counts(),
        left_out=[],
        cautions=cautions(data, dict.fromkeys(shares), {}),
        settings=settings(shares),
        parameters={"data.dir": "data"},
        identity=None,
    )
    html = page.render(facts, shown, picture_sheets.chosen(weights, pictures, test))
    return html, page.summarised(facts), page.card(facts, "deep")


def specificity(labels, probabilities):
    """Share of class 0 that is predicted as class 0."""
    right = (probabilities <= 0.5) * (labels == 0) / (labels == 0).sum()
    return RunScores(right.sum(1), right)


def test_a_score_is_one_entry(pictures, monkeypatch):
    """Then it is in scores.csv, in both reports, on the cards and in comparisons."""
    score = Score("specificity", "share of cats that are found", "higher", 1, specificity)
    monkeypatch.setitem(SCORES, "specificity", score)
    table = score_rows(findings(pictures).scores)
    rows = 3 * 3 + 2  # networks and their pair on three splits, two ensembles
    assert len(table[table.score == "specificity"]) == rows
    html, summary, card = pages(pictures)
    assert all("share of cats that are found" in text for text in (html, summary, card))
    assert "{type: specificity, name: " in card
    test = by_split(networks(pictures), pictures)["test"]
    checksums = np.array([f"{row:03}" for row in test.rows])
    one = ExperimentPredictions(checksums, test.design, 0, test.probabilities)
    found = [change.of for change in changes(one, one, alpha=0.05)[1] if change[1] == score.name]
    assert found == ["shallow", "deep", "deep minus shallow"]


@pytest.mark.parametrize("section", ["verdict", "scores", "learning"])
def test_a_chart_is_one_entry(pictures, monkeypatch, section):
    """Then its section of the page has it, with its caption."""

    def draw(axes, shown):
        axes.plot(shown.tables["roc"].low)

    chart = charts.Chart("lowest", section, "The lower band of ROC", "At {confidence}.", draw)
    monkeypatch.setattr(charts, "CHARTS", (*charts.CHARTS, chart))
    html, _, _ = pages(pictures)
    heading = {"verdict": "The verdict", "scores": "Scores", "learning": "Learning"}[section]
    (own,) = (part for part in html.split("<h2>") if part.startswith(heading))
    assert own.count("<title>The lower band of ROC</title>") == 1
    assert "<figcaption>At 95 %.</figcaption>" in own


def test_the_first_screen_names_the_best_of_several_networks(pictures):
    """Beside the verdict on two; with two networks there is nothing to add."""
    best = "Of all networks wide has the highest balanced accuracy, "
    html, summary, _ = pages(pictures, WITH_WIDE)
    assert html.index('<p class="verdict">') < html.index(best) < html.index("<main>")
    assert summary.index("Does a deeper network help?") < summary.index(best) < summary.index("|")
    html, summary, _ = pages(pictures)
    assert "Of all networks" not in html + summary


@pytest.mark.parametrize(
    ("data", "texts", "caution"),
    [
        ({}, [], None),
        ({"near_duplicates": 4, "groups": 2, "grouped": 6}, ["6 pictures in 2 groups"], None),
        (
            {"near_duplicates": 4, "near_duplicates_ignored": 3, "mirrored": 1},
            ["4 near-duplicates (1 mirrored), 3 of them taken for independent"],
            "3 near-duplicates count as independent pictures",
        ),
        ({"warning": "names tell of clips: (x.*)"}, [], "names tell of clips: (x."),
    ],
)
def test_a_report_says_which_pictures_belong_together(pictures, data, texts, caution):
    """In the caption of the data; what may spoil the interval stands beside the verdict."""
    html, summary, card = pages(pictures, data=NOTHING_LEFT_OUT._replace(**data))
    assert all(text in html for text in texts)
    assert ("each in one fold" in html) == ("groups" in data)
    for text in (html, summary, card):
        assert ("count as independent" in text) == ("near_duplicates_ignored" in data)
        assert caution is None or caution in text


def test_networks_are_named_with_widths_and_parameters(pictures):
    """3 x 128 x 128 inputs, four neurons, their biases and the output's weights."""
    html, summary, card = pages(pictures)
    assert "shallow [4]: 196,617 parameters, 2 epochs." in html
    assert "| shallow [4] | deep [4] | deep minus shallow | p |" in summary
    assert "49152 -> 4 ReLU -> 1 sigmoid; 196,617 parameters." in card
