"""The page of the records shows those of the report that called it, and no others."""

import json
import shutil
from pathlib import Path

import pytest
from in_process import dvc_main

from shallowdeep.provenance.environment import environment
from shallowdeep.provenance.records import Record
from shallowdeep.report.records_page import matching, training_seconds

STAGES = ["check", "prepare", "train-shallow", "train-deep", "sample", "oxford-pets", "evaluate"]


def test_the_report_leads_to_the_records_of_its_stages(browser, miniature):
    """With commit, machine, and every file by its hash; to no records of another report."""
    page, troubles = browser.new_page(), []
    page.on("console", lambda message: troubles.append(message.text))
    page.goto((miniature / "results/report.html").as_uri())
    page.click("text=what made these results")
    page.wait_for_selector("h1:has-text('What made these results')")
    assert page.locator(".stages tbody th").all_inner_texts() == STAGES
    record = json.loads((miniature / "results/provenance/train-deep.json").read_text())
    text = page.inner_text("main")
    assert record["git"]["commit"][:12] in text
    assert record["environment"]["processor"] in text
    page.click("summary:has-text('train-deep')")
    text = page.inner_text("main")
    assert record["outputs"]["models/deep/weights.safetensors"] in text
    assert record["inputs"]["src/shallowdeep/training"] in text
    assert not page.locator(".stranger").is_visible()
    page.goto((miniature / "results/provenance/index.html").as_uri() + "#0-0")
    page.reload()  # or the browser only scrolls
    assert not page.locator("main").is_visible()
    assert "do not belong to the report" in page.inner_text("body")
    assert troubles == []
    page.close()


def test_what_came_from_the_cache_has_no_record(longer_project, browser):
    """The record is of other outputs: 2, 3 and again 2 epochs, then other intervals."""
    project = longer_project
    dvc_main(project, "exp", "run", "-S", "epochs=2")
    dvc_main(project, "exp", "run", "-S", "alpha=0.1")
    page = browser.new_page()
    page.goto((project / "results/report.html").as_uri())
    page.click("text=what made these results")
    shown = page.locator(".stages tbody th").all_inner_texts()
    assert shown == ["prepare", "sample", "oxford-pets", "check", "evaluate"]
    assert "Not shown" in page.inner_text("body")
    assert page.inner_text(".others").endswith("from its cache: train-deep, train-shallow.")
    page.close()


def record(inputs, outputs):
    """One of some stage, with these hashes."""
    return Record("", "", 0.0, inputs, outputs, None, environment())


def test_the_chain_goes_back_to_the_data():
    """In whatever order the stages ran: the same outputs are the same."""
    records = {
        "sample": record({"code": "0"}, {"data/sample": "a"}),
        "prepare": record({"data/sample": "a"}, {"data/prepared": "b", "log": "x"}),
        "train": record({"data/prepared": "b"}, {"model": "c"}),
        "evaluate": record({"model": "c"}, {}),
        "pets": record({}, {"data/pets": "e"}),
    }
    assert set(matching(records)) == {"sample", "prepare", "train", "evaluate"}
    records["prepare"] = record({"data/sample": "a"}, {"data/prepared": "other", "log": "x"})
    assert set(matching(records)) == {"train", "evaluate"}


def test_a_training_of_several_files_counts_once(miniature, monkeypatch):
    """The time that the outlook multiplies is that of both trainings."""
    monkeypatch.chdir(miniature)
    records = [Path(f"results/provenance/train-{name}.json") for name in ("deep", "shallow")]
    seconds = [json.loads(path.read_text())["seconds"] for path in records]
    assert training_seconds() == pytest.approx(sum(seconds))


def test_a_missing_record_is_no_trouble(project):
    """The page has what there is."""
    shutil.rmtree(project / "results/provenance")
    dvc_main(project, "repro", "--force", "--single-item", "evaluate")
    page = (project / "results/provenance/index.html").read_text()
    assert "evaluate: versions" in page and "train-deep: versions" not in page
