"""The gate lets through what is within tolerance, and nothing that is worse or missing."""

import json
import re

import pytest
from checkouts import run

from shallowdeep.commands.experiments import numbers
from shallowdeep.commands.gate import Rule, judge, rules, shown
from shallowdeep.files.errors import InputError


def metrics(value):
    return numbers({"deep": {"test": {"accuracy": {"mean": value}}}})


NAME = "deep.test.accuracy.mean"


@pytest.mark.parametrize(
    ("better", "tolerance", "relative", "after", "verdict"),
    [
        ("higher", 0.02, False, 0.60, "ok"),
        ("higher", 0.02, False, 0.48, "ok"),  # just so
        ("higher", 0.02, False, 0.479, "worse"),
        ("higher", 0.0, False, 0.5, "ok"),
        ("lower", 0.02, False, 0.40, "ok"),
        ("lower", 0.02, False, 0.53, "worse"),
        ("higher", 0.1, True, 0.45, "ok"),
        ("higher", 0.1, True, 0.44, "worse"),
        ("lower", 0.1, True, 0.56, "worse"),
    ],
)
def test_a_tolerance_is_absolute_or_relative(better, tolerance, relative, after, verdict):
    """The baseline is 0.5; better is never worse."""
    rule = Rule(NAME, better, tolerance, relative)
    assert judge(rule, metrics(0.5), metrics(after)).verdict == verdict


@pytest.mark.parametrize(
    "bad", [{}, numbers({"deep": {}}), metrics(float("nan")), metrics("x"), numbers({"deep": 1})]
)
def test_what_is_missing_or_no_number_does_not_pass(bad):
    """On either side; DVC's own diff says nothing then."""
    rule = Rule(NAME, "higher", 1.0, relative=False)
    assert judge(rule, metrics(0.5), bad).verdict == "missing"
    assert judge(rule, bad, metrics(0.5)).verdict == "missing"
    assert "missing" in shown([judge(rule, metrics(0.5), bad)], ("a", "b"), markdown=True)


def test_numbers_have_the_names_that_dvc_gives_them():
    """Keys joined by dots; truths, words and what is not finite are no numbers."""
    content = {"a": {"b": 1, "c": {"d": 0.5}}, "e": True, "f": "x", "g": float("inf"), "h": [1]}
    assert numbers(content) == {"a.b": 1.0, "a.c.d": 0.5}
    assert numbers("x") == numbers([1]) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "names no metric"),
        ("a: {better: more, absolute: 1}", "'more' is not one of higher, lower"),
        ("a: {better: higher}", "needs one of absolute, relative; has 0"),
        ("a: {better: higher, absolute: 1, relative: 1}", "has 2"),
        ("a: {better: higher, absolute: -1}", "-1 is below 0"),
        ("a: {better: higher, absolute: 1, colour: red}", "unknown key 'colour'"),
        ("a: 3", "gate.yaml: a: 3 is not a mapping"),
        ("3: {better: higher, absolute: 1}", "gate.yaml: 3 is not a text"),
        ("a: {better: higher, absolute: null}", "a: absolute: None is not a number"),
        ("a: {better: higher, absolut: 1}", r"'absolut'; did you mean absolute\?$"),
        ("a: {better: higher, relative: '1'}", "'1' is not a number; it is text, write 1 without"),
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


def test_a_rule_is_read_as_dvc_reads_yaml(tmp_path):
    """A tolerance of 1e-3 is a number, absolute or relative."""
    text = "a: {better: higher, absolute: 1e-3}\nb: {better: lower, relative: 010}\n"
    (tmp_path / "gate.yaml").write_text(text)
    found = rules(tmp_path / "gate.yaml")
    assert found == [Rule("a", "higher", 1e-3, False), Rule("b", "lower", 10, True)]


def test_the_gate_in_a_project(project):
    """The committed result passes, a worse one and a missing one do not, Markdown is a table."""
    gate = ("python", "-m", "shallowdeep", "gate")
    assert run(project, *gate).count("  ok") == 4
    path = project / "results/metrics.json"
    content = json.loads(path.read_text())
    content["deep"]["test"]["accuracy"]["mean"] -= 0.3
    del content["shallow"]["test"]["log_loss"]
    path.write_text(json.dumps(content))
    said = run(project, *gate, "--md", status=1)
    assert "| deep.test.accuracy.mean    | 0." in said
    assert len(re.findall(r"worse +\|", said)) == 1
    assert len(re.findall(r"missing +\|", said)) == 2  # the value, the verdict
    assert said.splitlines()[-1].startswith("gate: deep.test.accuracy.mean, shallow.test.log_loss")
