"""params.yaml is checked whole before any work, and every mistake is named."""

import json
import re
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from checkouts import ROOT, run
from dvc.utils.hydra import apply_overrides

from shallowdeep.files.errors import InputError
from shallowdeep.files.yaml_file import parse
from shallowdeep.settings import params

COMMITTED = ROOT / "params.yaml"
TEXT = COMMITTED.read_text()
COMMON = {"lr": 0.01, "init": "torch"}


def loaded(tmp_path: Path, text: str | None) -> params.Params:
    if text is not None:
        (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    return params.read(tmp_path / "params.yaml")


def changed(tmp_path: Path, keys: str, value: object) -> params.Params:
    """The project's settings with one value changed."""
    content = section = parse(COMMITTED)
    *parents, last = keys.split(".")
    for key in parents:
        section = section[key]
    section[last] = value
    return loaded(tmp_path, yaml.safe_dump(content, sort_keys=False))


def overridden(tmp_path: Path, overrides: str) -> params.Params:
    """Those that `dvc exp run -S` makes of the file in the folder, at first the project's."""
    path = tmp_path / "params.yaml"
    if not path.exists():
        path.write_text(TEXT)
    apply_overrides(path, overrides.split())
    return params.read(path)


def refused(read, *arguments) -> str:
    """The short line with which reading ends."""
    with pytest.raises(InputError) as error:
        read(*arguments)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400
    return str(error.value)


def test_the_committed_file_holds_the_articles_set_up():
    """Widths, batch, rate, epochs, size and normalisation are the source article's.

    The records do not change, nor do they take what params.yaml could not hold.
    """
    settings = params.read(COMMITTED)
    assert settings.models["shallow"] == params.Network(hidden=(4,), epochs=10, **COMMON)
    assert settings.models["deep"] == params.Network(hidden=(5, 5, 3), epochs=10, **COMMON)
    assert (settings.batch_size, settings.lr, settings.data.size) == (32, 0.01, 128)
    assert settings.data.mean == settings.data.std == (0.5, 0.5, 0.5)
    assert settings.data.split == params.Split(train=0.8, validation=0.1, test=0.1)
    for record, name in ((settings, "seed"), (settings.data.split, "test")):
        with pytest.raises(ValueError, match="frozen"):
            setattr(record, name, 1)
    with pytest.raises(ValueError, match="add up to"):
        params.Split(train=0.5, validation=0.1, test=0.1)


def test_a_network_has_a_title_and_so_many_parameters():
    """The article's two, its deep one with a single layer, and logistic regression."""
    network = params.read(COMMITTED).models["deep"]
    for hidden, title, count in (
        ((4,), "[4]", 196_617),
        ((5, 5, 3), "[5, 5, 3]", 245_817),
        ((5,), "[5]", 245_771),
        ((), "(logistic regression)", 49_153),
    ):
        other = network.model_copy(update={"hidden": hidden})
        assert (other.title, other.parameters(3 * 128**2)) == (title, count)


def test_a_networks_own_epochs_override_the_common_ones(tmp_path):
    """Further networks follow the two of the question; without hidden layers: logistic."""
    wide = {"wide": {"hidden": [32], "epochs": 3}, "logistic": {"hidden": []}}
    settings = changed(tmp_path, "others", wide)
    assert list(settings.networks) == ["shallow", "deep", "wide", "logistic"]
    assert settings.networks["wide"] == params.Network(hidden=(32,), epochs=3, **COMMON)
    assert settings.others["logistic"] == params.Network(hidden=(), epochs=10, **COMMON)
    for same in (TEXT.replace("    epochs:\n", "", 1), TEXT.partition("others:")[0]):
        assert loaded(tmp_path, same) == params.read(COMMITTED)


def test_dvc_adds_a_network_and_groups_for_one_experiment(tmp_path):
    """By `dvc exp run -S`; an expression that groups pictures needs quotes there."""
    wide = "+others.wide.hidden=[32] +others.wide.epochs=3 epochs=5"
    networks = overridden(tmp_path, wide).networks
    assert (networks["wide"].hidden, networks["wide"].epochs) == ((32,), 3)
    assert networks["deep"].epochs == 5
    group = overridden(tmp_path, r"data.group='(clip\d+)_frame'").data.group
    assert group == r"(clip\d+)_frame"


def test_a_learning_rate_may_be_several(tmp_path):
    """They come out ascending; a network's own stand for it alone. By `dvc exp run -S`."""
    settings = overridden(tmp_path, "lr=[0.03,1e-3] models.deep.lr=[0.1] models.shallow.lr=0.02")
    assert settings.lr == (0.001, 0.03)
    assert [one.lrs for one in settings.networks.values()] == [None, (0.1,)]
    networks = overridden(tmp_path, "models.shallow.lr=null models.deep.lr=null").networks
    assert [one.lr for one in networks.values()] == [settings.lr] * 2
    overridden(tmp_path, "lr=0.01")
    assert (tmp_path / "params.yaml").read_text() == TEXT


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("mean", 0.4, (0.4, 0.4, 0.4)),
        ("mean", [0.1, 0.2, 0.3], (0.1, 0.2, 0.3)),
        ("mean", "train", "train"),
        ("group", "", ""),
        ("group", None, ""),
        ("group", "folder", "folder"),
        ("group", "(a)b", "(a)b"),
    ],
)
def test_a_value_has_several_forms(tmp_path, key, value, expected):
    """A mean is one number for all channels, three or measured; groups are a word or more."""
    assert getattr(changed(tmp_path, f"data.{key}", value).data, key) == expected


# A key of params.yaml, and wrong values with what is said of them.
REFUSED = [
    ("epochs", (0, "params.yaml: epochs: 0 is below 1")),
    ("epochs", ("abc", "params.yaml: epochs: 'abc' is not a whole number")),
    ("epochs", (True, "epochs: True is not a whole number"), (10**400, "is above 1,000,000")),
    ("epochs", ("30", "epochs: '30' is not a whole number; it is text, write 30 without quotes")),
    ("epochs", ([10, 30], "epochs: [10, 30] is not a whole number")),
    ("lr", ("0.1", "lr: '0.1' is not a number; it is text, write 0.1 without quotes")),
    ("lr", (0, "lr: 0 is not above 0"), (None, "lr: None is not a number")),
    ("lr", ([], "lr: [] holds no learning rate; one number or more are needed")),
    ("lr", ([0.01, 0], "lr[1]: 0 is not above 0")),
    ("lr", ([0.1, "0.2"], "lr[1]: '0.2' is not a number; it is text, write 0.2 without quotes")),
    ("lr", ([0.03, 0.01, 3e-2], "lr: [0.03, 0.01, 0.03] holds 0.03 twice")),
    ("lr", ([[0.01]], "lr[0]: [0.01] is not a number")),
    ("lr", ([1] * 65, "lr: 65 entries are more than 64")),
    ("lr", (float("nan"), "lr: nan is not a number"), (float("inf"), "lr: inf is above 1,000")),
    ("lr", (10**400, "lr: 1")),
    ("models.deep.lr", ([0.1, 0.1], "models: deep: lr: [0.1, 0.1] holds 0.1 twice")),
    ("models.deep.lr", (0, "models: deep: lr: 0 is not above 0")),
    ("momentum", ([0, 0.9], "momentum: [0, 0.9] is not a number")),
    ("momentum", (1, "momentum: 1 is not below 1"), (-0.1, "momentum: -0.1 is below 0")),
    ("models.deep.init", (["he"], "models: deep: init: ['he'] is not one of torch, he")),
    ("models.deep.init", ("zero", "models: deep: init: 'zero' is not one of torch, he")),
    ("share", (0, "share: 0 is not above 0"), (1.5, "share: 1.5 is above 1")),
    ("share", ([0.5, 1], "share: [0.5, 1] is not a number")),
    ("seed", (date(2026, 1, 1), "is not a whole number"), (-1, "seed: -1 is below 0")),
    ("solver", ("dula", "solver: 'dula' is not one of auto, primal, dual")),
    ("keep", (False, "keep: False is not one of last, best")),
    ("models", (None, "models: None is not a mapping of keys to values")),
    ("models", ({"deep": {"hidden": [], "epochs": None}}, "models: the key shallow is missing")),
    ("models.deep.hidden", (5, "models: deep: hidden: 5 is not a list")),
    ("models.deep.hidden", ([5, 0], "hidden[1]: 0 is below 1")),
    ("models.deep.hidden", ([1] * 65, "hidden: 65 entries are more than 64")),
    ("models.deep.hidden", ({5: 3}, "hidden: {5: 3} is not a list")),
    ("models.deep.widths", ([5], "deep: unknown key 'widths'; known: epochs, lr, init, hidden")),
    ("data.group", ("(clip", r"data: group: '(clip' is no regular expression: missing ), unter")),
    ("data.group", (r"clip\d", r"group: 'clip\\d' is neither `folder` nor has a group; its first")),
    ("data.group", ("(a" * 200, "is no regular expression"), (3, "group: 3 is not a text")),
    ("data.near_duplicates", ("join", "near_duplicates: 'join' is not one of group, ignore")),
    ("nesterov", (1, "nesterov: 1 is not true or false")),
    ("nesterov", (True, "nesterov: true needs momentum above 0")),
    ("weight_decay", (2, "weight_decay: 2 is above 1")),
    ("init", ("xavier", "init: 'xavier' is not one of torch, he")),
    ("models.deep", (3, "models: deep: 3 is not a mapping of keys to values")),
    ("models.wide", ({"hidden": [2]}, "models: 'wide' is not one of shallow, deep; put further")),
    ("others", (None, "others: None is not a mapping of keys to values")),
    ("others.wide", ({"hidden": [0]}, "others: wide: hidden[0]: 0 is below 1")),
    ("others.Deep Net", ({}, "others: 'Deep Net' is no name for a network")),
    ("others.deep", ({}, "'deep' is no name for a network; it is a network below `models`")),
    ("others.verdict", ({}, "no name for a network; it is a key of results/metrics.json")),
    ("others.plots", ({}, "'plots' is no name for a network; it is a folder of results/")),
    ("data.dir", ("", "data: dir: '' is not a text with at least one character")),
    ("data.dir", (7, "data: dir: 7 is not a text")),
    ("data.mean", ([0.5, 0.5], "mean: 2 numbers; 3 are needed, one per channel")),
    ("data.mean", ([0.5, 0.5, 1.5], "mean[2]: 1.5 is above 1")),
    ("data.mean", (["0.5", 0.5, 0.5], "mean[0]: '0.5' is not a number; it is text, write 0.5")),
    ("data.mean", ("0.5", "mean: '0.5' is not a number, a list of 3 or `train`; it is text")),
    ("data.mean", (None, "mean: None is not a number, a list of 3 or `train`")),
    ("data.mean", (float("nan"), "mean: nan is not a number")),
    ("data.std", (0, "std: 0 is below 1e-06")),
    ("data.std", ("measured", "std: 'measured' is not a number, a list of 3 or `train`")),
    ("data.split.test", (0.2, "split: the fractions add up to 1.1, not to 1")),
    ("data.split.test", (0, "split: test: 0 is not above 0")),
    ("folds", (0, "folds: 0 is below 1")),
    ("folds", (2, "folds: 2 is not allowed: 1 is a single split; 3 or more leave pictures")),
    ("folds", (5, "folds: 5 needs data.split: train 0.6, validation 0.2, test 0.2; other")),
    ("folds", (3, "data.split: train 0.3333333333, validation 0.3333333333, test 0.3333333333")),
    ("equivalence_margin", (-0.01, "equivalence_margin: -0.01 is below 0")),
    ("epoch", (3, "unknown key 'epoch'; did you mean epochs?")),
    ("alpha", (1, "alpha: 1 is above 0.5")),
]


@pytest.mark.parametrize(
    ("keys", "value", "message"), [(keys, *case) for keys, *cases in REFUSED for case in cases]
)
def test_a_wrong_value_is_named_with_what_is_allowed(tmp_path, keys, value, message):
    """One line: the key, the value, what would be right."""
    assert message in refused(changed, tmp_path, keys, value)


@pytest.mark.parametrize("folds", [1, 3, 4, 5, 7, 10, 30])
def test_the_fractions_of_the_message_fit(tmp_path, folds):
    """They can be typed as they stand there; a single split may have any."""
    shares = ((folds - 2) / folds, 1 / folds, 1 / folds) if folds > 1 else (0.5, 0.1, 0.4)
    text = TEXT.replace("folds: 10", f"folds: {folds}")
    for old, share in zip(("train: 0.8", "validation: 0.1", "test: 0.1"), shares, strict=True):
        text = text.replace(old, f"{old.partition(':')[0]}: {share:.10g}")
    settings = loaded(tmp_path, text)
    assert (settings.folds, settings.data.split.test) == (folds, pytest.approx(shares[2]))


def test_of_several_mistakes_the_first_is_named(tmp_path):
    """With the number of the others; a misspelt key comes before the missing one."""
    text = TEXT
    for old, new, message in (
        ("alpha: 0.05", "alpha: 0", "alpha: 0 is not above 0"),
        ("- 5", "- 0", "alpha: 0 is not above 0 (and 2 more)"),
        ("runs: 10", "runs: x", "runs: 'x' is not a whole number (and 3 more)"),
        ("seed:", "sed:", "unknown key 'sed'; did you mean seed?"),
    ):
        text = text.replace(old, new)
        assert refused(loaded, tmp_path, text).endswith(f"params.yaml: {message}")


@pytest.mark.parametrize("place", ["seed", "models", "unknown"])
def test_an_alias_bomb_is_refused_in_a_short_line(tmp_path, place):
    """A few lines that stand for millions of values."""
    names = "abcdefghij"
    rows = [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in pairwise(names)]
    refused(loaded, tmp_path, "\n".join(["a: &a [x]", *rows, f"{place}: *j"]))
    refused(loaded, tmp_path, f"{place}: {'[' * 20}x{', x]' * 20}")


SCHEMA = ROOT / "params.schema.json"
PLAIN = TEXT.replace("others: {}", "others:")


def test_the_committed_schema_is_that_of_the_records():
    """Stage `check` writes it; params.yaml tells editors where it is."""
    assert SCHEMA.read_text() == params.schema() + "\n"
    assert TEXT.startswith("# yaml-language-server: $schema=params.schema.json\n")


def test_the_schema_takes_the_settings_and_refuses_wrong_ones(tmp_path):
    """By check-jsonschema, with which editors agree."""
    run(ROOT, "check-jsonschema", "--check-metaschema", str(SCHEMA))
    check = ("check-jsonschema", "--schemafile", str(SCHEMA))
    wide = "{wide: {hidden: [3], lr: [0.1, 1]}, other: {hidden: [], lr: null}}"
    right = [
        ("lr: 0.01", "lr: 1e-5"),
        ("lr: 0.01", "lr: [0.1, 1e-5]"),
        ("others: {}", f"others: {wide}"),
    ]
    for number, (old, new) in enumerate([*right, *WRONG]):
        assert old in TEXT
        (tmp_path / f"{number:02}.yaml").write_text(TEXT.replace(old, new, 1))
    paths = [str(path) for path in sorted(tmp_path.iterdir())]
    run(ROOT, *check, "params.yaml", *paths[: len(right)])
    wrong = paths[len(right) :]
    found = json.loads(run(ROOT, *check, "--output-format", "json", *wrong, status=1))
    assert {error["filename"] for error in found["errors"]} == set(wrong)


WRONG = [
    ("folds: 10", "folds: 2"),
    ("seed: 0", "seed: -1"),
    ("seed: 0", "seed: '0'"),
    ("seed:", "sed:"),
    ("lr: 0.01", "lr: 0"),
    ("lr: 0.01", "lr: []"),
    ("lr: 0.01", "lr: [0.1, 0.1]"),
    ("keep: last", "keep: first"),
    ("alpha: 0.05", "alpha: 1"),
    ("dir: data/sample", "dir: ''"),
    ("mean: 0.5", "mean: [0.5, 0.5]"),
    ("std: 0.5", "std: 0"),
    ("std: 0.5", "std: measured"),
    ("    - 4", "    - 0"),
    ("  deep:", "  deeper:"),
    ("models:", "models:\n  wide: {hidden: []}\n#"),
    ("others: {}", "others: {plots: {hidden: []}}"),
    ("others: {}", "others: {deep: {hidden: []}}"),
    ("others: {}", "others: {Wide: {hidden: []}}"),
    ("others: {}", "others: {wide: {epochs: 3}}"),
]


def test_the_schema_describes_the_keys_as_the_comments_do():
    """An editor shows it at each key."""
    schema = json.loads(SCHEMA.read_text())
    sections = [schema["properties"], *(one["properties"] for one in schema["$defs"].values())]
    fields = {name: field for one in sections for name, field in one.items() if name != "data"}
    comments = re.findall(r"^ *(\w+):.* # (.+)$", TEXT, re.MULTILINE)
    assert len(comments) == 27
    for name, comment in comments:
        if name not in ("epochs", "lr", "init"):  # there are two of each
            assert fields[name]["description"] == comment
    for name in ("epochs", "lr", "init"):
        assert schema["properties"][name]["description"] in dict(comments)[name]
    assert all(field["description"] for field in fields.values())
    assert all(field.get("title") for name, field in fields.items() if name != "split")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochs: 10\nepochs: 20\n", "line 2, column 1: the key epochs stands twice"),
        ("epochs: [10", "params.yaml: line"),
        ("", "None is not a mapping"),
        ("- 1\n", "[1] is not a mapping"),
        ("a: &a [x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: [*b, *b, *b]\n", "unknown key 'a'"),
        ("3: 1\n", "unknown key 3; known: seed, folds, runs"),
        ("[1, 2]: 1\n", "unknown key (1, 2); known: seed, folds, runs"),
        ('"\\ud800": 1\n', "unknown key '\\ud800'"),
        (f"{PLAIN}  1: {{}}\n", "others: 1 is no name for a network"),
        (f"{PLAIN}  null: {{}}\n", "others: None is no name for a network"),
        (f'{PLAIN}  "\\ud800": {{}}\n', "others: '\\ud800' is no name for a network"),
        (PLAIN.replace("data/sample", '"\\ud800"'), "data: dir: '\\ud800'"),
        ("seed: 0x" + "f" * 10_000, "seed: a number of thousands of digits is above 2,147,483,648"),
        (None, "params.yaml: no such file"),
    ],
)
def test_a_file_that_is_no_settings_is_refused(tmp_path, text, message):
    """Not YAML, not a mapping, strange keys, absurd sizes, no file: one line each."""
    assert message in refused(loaded, tmp_path, text)
