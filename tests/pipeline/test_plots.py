"""`dvc plots` draws every chart without a network, and runs nothing that a name says."""

import re
import shutil

import pandas as pd
import pytest
import yaml
from checkouts import ROOT, run
from dvc_render.html import PAGE_HTML, render_html
from dvc_render.vega import VegaRenderer
from in_process import dvc_main
from odd_names import CLASS, EXPERIMENT, OTHER, REVISION, TITLED

TEMPLATES = ROOT / ".dvc/plots"
LONG_MODEL = "a_third_network_with_a_long_name"
LONG_CLASS = "Norwegian forest cats with long hair that were photographed in winter"


def opened(browser, page, **options):
    """A page in a browser without network; what it asked for and what went wrong."""
    shown, asked, troubles = browser.new_context(offline=True, **options).new_page(), [], []
    shown.on("request", lambda request: asked.append(request.url.partition(":")[0]))
    shown.on("requestfailed", lambda request: troubles.append(request.url))
    shown.on("pageerror", lambda error: troubles.append(str(error)))
    shown.on("console", lambda message: message.type == "error" and troubles.append(message.text))
    shown.goto(page.as_uri())
    shown.wait_for_load_state("load")
    return shown, asked, troubles


def drawn(browser, page, **options):
    """A page of which all is drawn; it asked nobody for anything and nothing went wrong."""
    shown, asked, troubles = opened(browser, page, **options)
    charts = page.read_text().count('var spec = {"$schema"')
    tables = page.read_text().count('"usermeta": {"table"')
    assert charts - tables >= 7
    shown.wait_for_function(f"document.querySelectorAll('svg.marks').length == {charts - tables}")
    assert shown.locator("figure > table").count() == tables
    shown.wait_for_function("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert troubles == []
    assert set(asked) <= {"file", "data"}
    return shown


def test_the_page_opens_without_a_network(longer_project, browser):
    """Every chart and image of both revisions; written elsewhere and moved, it still does."""
    dvc_main(longer_project, "plots", "diff", "HEAD", "--out", "compared")
    (longer_project / "compared").rename(longer_project.parent / "moved")
    shown = drawn(browser, longer_project.parent / "moved/index.html")
    words = shown.inner_text("main")
    for text in ("workspace", "HEAD", "validation accuracy", "results/plots/first_layer.jpg"):
        assert text in words
    titles = (
        "deep minus shallow\n",
        "Every score",
        "Learning curves",
        "first_layer.jpg",
        "no rows",
    )
    assert sorted(titles, key=words.index) == list(titles)  # the answer first, lists of files last
    assert shown.title() == "Plots of shallowdeep"
    assert shown.inner_text("h1") == "Plots of workspace and HEAD"
    assert "results_rejected_csv: no rows" in words
    shown.context.close()


CUT = """() => [...document.querySelectorAll('td, th, h1, h2, svg.marks, img')]
  .filter(e => e.getBoundingClientRect().right > innerWidth)"""
COLOURS = "e => [getComputedStyle(e).color, getComputedStyle(document.body).backgroundColor]"


@pytest.mark.parametrize(("scheme", "text_is_darker"), [("light", True), ("dark", False)])
def test_the_page_is_read_on_a_telephone(longer_project, browser, scheme, text_is_darker):
    """At 390 pixels nothing is cut and nothing scrolls sideways, in both schemes of colours."""
    dvc_main(longer_project, "plots", "diff", "HEAD", "--out", "compared")
    screen = {"viewport": {"width": 390, "height": 800}, "color_scheme": scheme}
    shown = drawn(browser, longer_project / "compared/index.html", **screen)
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390
    assert shown.evaluate(CUT) == []
    for element in ("td", "svg.marks text"):
        part = shown.locator(element).first
        fill = "e => getComputedStyle(e).fill || getComputedStyle(e).color"
        text, back = part.evaluate(COLOURS)
        text = part.evaluate(fill) if element != "td" else text
        (text, back) = (sum(map(int, re.findall(r"\d+", one)[:3])) for one in (text, back))
        assert (text < back) == text_is_darker
        assert abs(text - back) > 300
    shown.context.close()


def test_a_checkout_without_what_draws_says_what_to_type(longer_project, browser):
    """What draws is not in git; `make setup` or docker/run brings it."""
    for name in ("config.local", "plots/page.local.html"):
        (longer_project / ".dvc" / name).unlink()
    page = longer_project / "dvc_plots/index.html"
    dvc_main(longer_project, "plots", "show")
    shown, _, troubles = opened(browser, page)
    assert "make setup" in shown.inner_text("body")
    assert troubles == []
    run(longer_project, "docker/run", "true")
    dvc_main(longer_project, "plots", "show")
    drawn(browser, page)
    assert run(longer_project, "git", "status", "--porcelain", "--", ".dvc") == ""


def test_names_are_text_and_nothing_that_they_say_runs(odd, browser, tmp_path):
    """Of files, classes, experiments and tags; on DVC's own page, a tag's name does run."""
    project = shutil.copytree(odd, tmp_path / "a project", symlinks=True)
    (tmp_path / "DVC's own.html").write_text(PAGE_HTML)
    own = ("--html-template", str(tmp_path / "DVC's own.html"), "--out", "own")
    dvc_main(project, "plots", "diff", REVISION, EXPERIMENT, *own)
    shown, _, _ = opened(browser, project / "own/index.html")
    assert shown.title() == "ran"
    shown.context.close()

    dvc_main(project, "plots", "diff", REVISION, EXPERIMENT)
    shown = drawn(browser, project / "dvc_plots/index.html")
    assert shown.title() == "Plots of shallowdeep"
    words = shown.locator("main").inner_text().replace("\u00a0", " ")
    for name in (REVISION, EXPERIMENT):
        assert name in words
    assert "\\u003cimg src=x onerror=document.title='ran'\\u003e.jpg" in words
    shown.context.close()


def test_tables_of_names_are_harmless_on_any_page(odd, browser):
    """No table that DVC draws holds markup; the report shows the names themselves."""
    tables = [*odd.glob("results/*.csv"), *odd.glob("results/*/*.csv")]
    assert len(tables) > 6
    assert [path for path in tables if set("<>&") & set(path.read_text())] == []
    shown, _, _ = opened(browser, odd / "results/report.html")
    assert not shown.title().startswith("ran")
    text = shown.inner_text("body")
    assert f"{OTHER}/{TITLED}" in text
    assert CLASS in text
    shown.context.close()


NAMES = ("shallow", "deep", LONG_MODEL)
REVISIONS = ("workspace", "HEAD")


def left_out(count):
    """As results/rejected.csv, with long names: few files, and more than are shown."""
    long = "cat/holidays at the sea/from the second camera/IMG_20260102_{:04d} (copy).jpg"
    names = [long.format(number) for number in range(4 if count == 1 else 40)]
    return [{"path": name, "reason": f"duplicate of {long.format(9999)}"} for name in names]


def listed():
    """What dvc.yaml draws with templates of its own, and how."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].values()
    return {
        name: {key: value for key, value in how.items() if key != "cache"}
        for stage in stages
        for plot in stage.get("plots", [])
        for name, how in plot.items()
        if "template" in how
    }


def table(name, count):
    """A table of this project's results, of one model, two or three; the third is the second."""
    if name.endswith(("rejected.csv", "near_duplicates.csv")):
        return left_out(count)
    found = pd.read_csv(ROOT / name, dtype=str, keep_default_na=False)
    if name.endswith("by_epoch.csv"):
        return found[: 1 if count == 1 else None].to_dict("records")
    found = found.replace({"actual": {"cat": LONG_CLASS}, "predicted": {"cat": LONG_CLASS}})
    if "model" in found:
        third = found[found.model.str.contains("deep")]
        third = third.assign(model=third.model.str.replace("deep", LONG_MODEL))
        found = pd.concat([found, third])
        found = found[[not any(name in of for name in NAMES[count:]) for of in found.model]]
    return found.to_dict("records")


def renderer(name, how, count, revisions):
    """DVC's own, as `dvc plots` has it for one revision or two."""
    data = [row | {"rev": rev} for rev in revisions for row in table(name, count)]
    return VegaRenderer(data, f"{name} {count} {len(revisions)}", template_dir=TEMPLATES, **how)


def words_of(name, count, revisions):
    """What must be legible in a chart."""
    if name.endswith("history.csv"):
        return []
    if name.endswith(("rejected.csv", "near_duplicates.csv")):
        return [*revisions, "IMG_20260102_0003 (copy).jpg"]
    if name.endswith("by_epoch.csv"):
        return list(revisions)
    return [*revisions, *NAMES[:count], *["forest cats"] * name.endswith("confusion.csv")]


@pytest.fixture(scope="module")
def everything():
    """Every chart, of one to three models and of one revision and two: words and DVC's renderer."""
    return [
        (words_of(name, count, revisions), renderer(name, how, count, revisions))
        for name, how in listed().items()
        for count in ((1, 2, 3) if not name.endswith("history.csv") else (1,))
        for revisions in (REVISIONS[:1], REVISIONS)
    ]


def test_every_template_is_in_use():
    """And dvc.yaml names none that is not there."""
    used = {how["template"] for how in listed().values()}
    assert used == {path.stem for path in TEMPLATES.glob("*.json")}


def test_committed_scores_fit_a_telephone(everything, longer, browser, tmp_path):
    """Those of one to three networks, with p-values below 0.001 and a long name."""
    page = tmp_path / "page.html"
    render_html([one for _, one in everything], page, longer / ".dvc/plots/page.local.html")
    shown = drawn(browser, page, viewport={"width": 390, "height": 800})
    assert shown.evaluate(CUT) == []
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390
    shown.context.close()


CROWDED = """svg => {
  const boxes = [...svg.querySelectorAll('text')]
    .filter(text => text.textContent.trim() && getComputedStyle(text).opacity > 0)
    .map(text => [text.getBoundingClientRect(), text.textContent]);
  const all = svg.getBoundingClientRect(), found = [];
  boxes.forEach(([a, words], i) => {
    if (a.left < all.left - 1 || a.right > all.right + 1 || a.bottom > all.bottom + 1)
      found.push(`${words} is cut off`);
    for (const [b, others] of boxes.slice(i + 1))
      if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 &&
          Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4)
        found.push(`${words} lies on ${others}`);
  });
  return found;
}"""


def test_every_chart_names_what_it_shows_and_none_is_crowded(everything, longer, browser, tmp_path):
    """No text lies on another one or is cut off, and two revisions fit a wide screen."""
    page = tmp_path / "page.html"
    render_html([one for _, one in everything], page, longer / ".dvc/plots/page.local.html")
    shown, found = drawn(browser, page), {}
    for words, one in everything:
        figure = shown.locator(f"#{one.remove_special_chars(one.name)}")
        texts = figure.evaluate("figure => figure.textContent").replace(" ", "")
        found[one.name] = [word for word in words if word.replace(" ", "") not in texts]
        for drawing in figure.locator("svg.marks").all():
            found[one.name] += drawing.evaluate(CROWDED)
            assert drawing.evaluate("svg => svg.getBoundingClientRect().width") < 1_900, one.name
    assert {name: texts for name, texts in found.items() if texts} == {}
    shown.context.close()
