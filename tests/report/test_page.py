"""The report is one page that needs nothing else."""

import re
from pathlib import Path

import pytest
import yaml
from odd_names import BAD, FIRST

# Tables of numbers that a reader would have to scroll sideways.
CUT = """() => [...document.querySelectorAll('.scroll:has(.numbers)')]
  .filter(e => e.scrollWidth > e.clientWidth).map(e => e.innerText.slice(0, 80))"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_a_browser_shows_the_page_without_network(browser, miniature, scheme, width):
    """No request, no error, every picture decoded, text against paper, no sideways scrolling."""
    context = browser.new_context(
        offline=True, color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    page, troubles, requests = context.new_page(), [], []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("requestfailed", lambda request: troubles.append(request.url))
    page.on("request", lambda request: requests.append(request.url.partition(":")[0]))
    page.goto((miniature / "results/report.html").as_uri())
    assert troubles == []
    assert requests.count("file") == 1
    assert set(requests) <= {"file", "data"}
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert page.evaluate("document.images.length") > 20
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT) == []
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", colour))) < 3 * 128) == (scheme == "dark")
    assert len(page.screenshot(full_page=True)) > 50_000
    context.close()


def test_pictures_tables_and_charts_have_words(browser, miniature):
    """For those who do not see them; and the page has its sections in order."""
    page = browser.new_page()
    page.goto((miniature / "results/report.html").as_uri())
    assert page.evaluate("[...document.images].every(i => i.alt.trim())")
    assert page.evaluate("[...document.querySelectorAll('table')].every(t => t.caption)")
    assert page.evaluate("[...document.querySelectorAll('svg')].map(s => s.role)") == ["img"] * 7
    assert page.locator("h1").count() == 1
    first, second, *_, last = page.locator("h2").all_inner_texts()
    assert (first, second, last) == ("The verdict", "Scores", "Reproduce these results")
    params = yaml.safe_load((miniature / "params.yaml").read_text())
    for text in (Path(params["data"]["dir"]).name, "models.deep.hidden", "scikit-learn"):
        assert text in page.inner_text("body")
    assert str(Path(params["data"]["dir"]).parent) not in page.content()
    page.close()


def test_odd_names_of_files_are_text_and_no_markup(odd, browser):
    """File names come from anywhere."""
    page = browser.new_page()
    page.goto((odd / "results/report.html").as_uri())
    text = page.inner_text("body")
    assert BAD in text and FIRST.removesuffix(".jpg").replace("\t", "\\t") in text
    page.close()
