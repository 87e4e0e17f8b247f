"""The gate lets through what is within tolerance, and nothing that is worse or missing."""

import re
import shutil

import pytest
from checkouts import run
from in_process import told
from scipy.stats import binomtest

from shallowdeep.commands.experiments import numbers
from shallowdeep.commands.gate import Rule, intervals, judge, rules, shown, unpaired
from shallowdeep.evaluation.change import Change
from shallowdeep.files.errors import InputError

NAME = "deep.balanced_accuracy.mean"


def metrics(value):
    return numbers({"deep": {"balanced_accuracy": {"mean": value}}})


def judged(before, after, known=None, **rule):
    return judge(NAME, Rule(**rule), before, after, known or {})


@pytest.mark.parametrize(
    ("better", "kind", "tolerance", "after", "verdict"),
    [
        ("higher", "absolute", 0.02, 0.60, "ok"),
        ("higher", "absolute", 0.02, 0.48, "ok"),  # just so
        ("higher", "absolute", 0.02, 0.479, "worse"),
        ("higher", "absolute", 0.0, 0.5, "ok"),
        ("lower", "absolute", 0.02, 0.40, "ok"),
        ("lower", "absolute", 0.02, 0.53, "worse"),
        ("higher", "relative", 0.1, 0.45, "ok"),
        ("higher", "relative", 0.1, 0.44, "worse"),
        ("lower", "relative", 0.1, 0.56, "worse"),
    ],
)
def test_a_tolerance_is_absolute_or_relative(better, kind, tolerance, after, verdict):
    """The baseline is 0.5; better is never worse, and chance is not asked about."""
    rule = {"better": better, kind: tolerance}
    found = judged(metrics(0.5), metrics(after), {NAME: (-1.0, 1.0)}, **rule)
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("better", "tolerance", "interval", "verdict"),
    [
        ("higher", 0.0, (-0.2, 0.001), "ok"),  # may be chance
        ("higher", 0.0, (-0.2, -0.001), "worse"),
        ("higher", 0.02, (-0.2, -0.019), "ok"),  # surely worse, not surely by so much
        ("higher", 0.02, (-0.2, -0.021), "worse"),
        ("lower", 0.0, (-0.001, 0.2), "ok"),
        ("lower", 0.0, (0.001, 0.2), "worse"),
        ("lower", 0.0, (-0.2, -0.1), "ok"),
    ],
)
def test_beyond_chance_is_where_the_whole_interval_is_worse(better, tolerance, interval, verdict):
    """By more than the tolerance; without an interval it is missing."""
    rule = {"better": better, "absolute": tolerance, "beyond_chance": True}
    found = judged(metrics(0.5), metrics(0.4), {NAME: interval}, **rule)
    assert found.verdict == verdict
    assert f"{interval[0]:+.4f} to {interval[1]:+.4f}" in shown([found], ("a", "b"), markdown=True)
    assert judged(metrics(0.5), metrics(0.4), **rule).verdict == "missing"


def test_without_answers_the_interval_is_the_published_one():
    """56/70 against 48/80: Newcombe 1998, Statistics in Medicine 17, table II (a), method 10."""

    def wilson(successes, trials):
        low, high = binomtest(successes, trials).proportion_ci(method="wilson")
        return numbers({"a": {"mean": successes / trials, "low": low, "high": high}, "b": 1})

    found = unpaired(wilson(48, 80), wilson(56, 70))
    assert {name: tuple(round(side, 4) for side in sides) for name, sides in found.items()} == {
        "a.mean": (0.0524, 0.3339)
    }
    back = unpaired(wilson(56, 70), wilson(48, 80))["a.mean"]
    assert back == pytest.approx((-found["a.mean"][1], -found["a.mean"][0]))


def test_changes_have_the_names_of_metrics():
    """So that gate.yaml can call them."""
    one = Change("deep", "balanced_accuracy", 0.5, 0.4, -0.2, -0.1, 0.01, real=True)
    question = one._replace(of="deep minus shallow")
    assert intervals([one, one._replace(score="roc_auc"), question]) == {
        "deep.balanced_accuracy.mean": (-0.2, -0.1),
        "deep.roc_auc": (-0.2, -0.1),
        "difference.balanced_accuracy.mean": (-0.2, -0.1),
    }


@pytest.mark.parametrize("bad", [{}, metrics(float("nan")), metrics("x"), numbers({"deep": 1})])
def test_what_is_missing_or_no_number_does_not_pass(bad):
    """On either side; DVC's own diff says nothing then."""
    for two in ((bad, metrics(0.5)), (metrics(0.5), bad)):
        found = judged(*two, better="higher", absolute=1.0)
        assert found.verdict == "missing"
        assert "missing" in shown([found], ("a", "b"), markdown=True)


def test_numbers_have_the_names_that_dvc_gives_them():
    """Keys joined by dots; truths, words and what is not finite are no numbers."""
    content = {"a": {"b": 1, "c": {"d": 0.5}}, "e": True, "f": "x", "g": float("inf"), "h": [1]}
    assert numbers(content) == {"a.b": 1.0, "a.c.d": 0.5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "names no metric"),
        ("a: {better: more, absolute: 1}", "'more' is not one of higher, lower"),
        ("a: {better: higher}", "needs one of absolute, relative; has 0"),
        ("a: {better: higher, absolute: 1, relative: 1}", "needs one of absolute.* has 2"),
        ("a: {better: higher, absolute: -1}", "-1 is below 0"),
        ("a: {better: higher, absolute: 1, beyond_chance: 1}", "beyond_chance: 1 is not true or"),
        ("a: 3", "gate.yaml: a: 3 is not a mapping"),
        ("3: {better: higher, absolute: 1}", "gate.yaml: 3 is not a text"),
        ("a: {better: higher, absolut: 1}", r"'absolut'; did you mean absolute\?$"),
        ("a: {better: higher, relative: .inf}", "relative: inf is above 1,000,000,000"),
        ("a: {absolute: 1}", "gate.yaml: a: the key better is missing"),
        ("a: {better: up, absolute: 1}\nb: 3", r"a: better: 'up' .* \(and 1 more\)"),
        ("a: {better: higher, absolute: 1}\na: 3", "line 2, column 1: the key a stands twice"),
    ],
)
def test_a_wrong_rule_is_one_line(tmp_path, text, message):
    """It names the file, the metric and what is allowed."""
    (tmp_path / "gate.yaml").write_text(text)
    with pytest.raises(InputError, match=message):
        rules(tmp_path / "gate.yaml")


def test_the_gate_in_a_project(longer_project, monkeypatch, capsys):
    """Equal metrics pass; a worse metric and a missing one do not; Markdown is a table."""
    monkeypatch.chdir(longer_project)
    assert told("gate", "HEAD", "HEAD") == ""
    assert capsys.readouterr().out.count("  ok") == 4
    (longer_project / "gate.yaml").write_text(
        "shallow.log_loss: {better: higher, absolute: 0}\n"  # it falls with more epochs
        "shallow.accuracy: {better: lower, relative: 9, beyond_chance: true}\n"
        "shallow.colour: {better: higher, absolute: 0}\n"
    )
    worse = "gate: shallow.log_loss is worse, shallow.colour is missing"
    assert told("gate", "HEAD", "longer", "--md") == worse
    printed = capsys.readouterr().out
    assert re.search(r"\| shallow.accuracy +\| 0\.\d+ .* to .*\| 900 % higher \| ok +\|", printed)
    assert len(re.findall(r"worse +\|", printed)) == 1
    assert len(re.findall(r"missing +\|", printed)) == 3  # both values, the verdict
    shutil.rmtree(longer_project / ".dvc/cache/files")
    run(longer_project, "git", "checkout", "--quiet", "gate.yaml")
    assert told("gate", "HEAD", "HEAD") == ""
    printed = capsys.readouterr()
    assert "gate: HEAD: DVC's cache has no data/prepared/manifest.csv" in printed.err
    assert printed.out.count("  ok") == 4
