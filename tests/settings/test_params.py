"""params.yaml is checked whole before any work, and every mistake is named."""

import json
import re
import shutil
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


@pytest.fixture
def changed(tmp_path):
    """A function that writes the project's params.yaml with one value changed and loads it."""

    def load(keys: str, value: object) -> params.Params:
        content = parse(ROOT / "params.yaml")
        *parents, last = keys.split(".")
        section = content
        for key in parents:
            section = section[key]
        section[last] = value
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
        return params.read(tmp_path / "params.yaml")

    return load


COMMON = {"lr": 0.01, "init": "torch"}


def loaded(tmp_path: Path, text: str) -> params.Params:
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    return params.read(tmp_path / "params.yaml")


def test_the_committed_file_holds_the_articles_set_up():
    """Widths, batch, rate, epochs, size and normalisation are the source article's."""
    settings = params.read(ROOT / "params.yaml")
    assert settings.models["shallow"] == params.Network(hidden=(4,), epochs=10, **COMMON)
    assert settings.models["deep"] == params.Network(hidden=(5, 5, 3), epochs=10, **COMMON)
    assert (settings.batch_size, settings.lr, settings.data.size) == (32, 0.01, 128)
    assert settings.data.mean == settings.data.std == (0.5, 0.5, 0.5)
    assert settings.data.split == params.Split(train=0.8, validation=0.1, test=0.1)


def test_a_network_has_a_title_and_so_many_parameters():
    """The article's two, its deep one with a single layer, and logistic regression."""
    network = params.read(ROOT / "params.yaml").models["deep"]
    for hidden, title, count in (
        ((4,), "[4]", 196_617),
        ((5, 5, 3), "[5, 5, 3]", 245_817),
        ((5,), "[5]", 245_771),
        ((), "(logistic regression)", 49_153),
    ):
        other = network.model_copy(update={"hidden": hidden})
        assert (other.title, other.parameters(3 * 128**2)) == (title, count)


def test_a_networks_own_epochs_override_the_common_ones(changed, tmp_path):
    """Further networks follow the two of the question; without hidden layers: logistic."""
    wide = {"wide": {"hidden": [32], "epochs": 3}, "logistic": {"hidden": []}}
    settings = changed("others", wide)
    assert list(settings.networks) == ["shallow", "deep", "wide", "logistic"]
    assert settings.networks["wide"] == params.Network(hidden=(32,), epochs=3, **COMMON)
    assert settings.others["logistic"] == params.Network(hidden=(), epochs=10, **COMMON)
    text = (ROOT / "params.yaml").read_text()
    settings = loaded(tmp_path, text.replace("    epochs:\n", "", 1))
    assert (
        settings
        == loaded(tmp_path, text.partition("others:")[0])
        == params.read(ROOT / "params.yaml")
    )


def test_dvc_adds_a_network_for_one_experiment(tmp_path):
    """By `dvc exp run -S`."""
    path = shutil.copy(ROOT / "params.yaml", tmp_path)
    apply_overrides(path, ["+others.wide.hidden=[32]", "+others.wide.epochs=3", "epochs=5"])
    networks = params.read(tmp_path / "params.yaml").networks
    assert (networks["wide"].hidden, networks["wide"].epochs) == ((32,), 3)
    assert networks["deep"].epochs == 5


def test_pictures_that_belong_together(changed, tmp_path):
    """Nothing, a word or an expression; DVC takes the latter in quotes."""
    for value, expected in (("", ""), (None, ""), ("folder", "folder"), ("(a)b", "(a)b")):
        assert changed("data.group", value).data.group == expected
    path = shutil.copy(ROOT / "params.yaml", tmp_path)
    apply_overrides(path, [r"data.group='(clip\d+)_frame'"])
    assert params.read(tmp_path / "params.yaml").data.group == r"(clip\d+)_frame"


def test_a_learning_rate_may_be_several(tmp_path):
    """They come out ascending; a network's own stand for it alone. By `dvc exp run -S`."""
    path = shutil.copy(ROOT / "params.yaml", tmp_path)
    apply_overrides(path, ["lr=[0.03,1e-3]", "models.deep.lr=[0.1]", "models.shallow.lr=0.02"])
    settings = params.read(tmp_path / "params.yaml")
    assert settings.lr == (0.001, 0.03)
    assert [one.lrs for one in settings.networks.values()] == [None, (0.1,)]
    apply_overrides(path, ["models.shallow.lr=null", "models.deep.lr=null"])
    networks = params.read(tmp_path / "params.yaml").networks
    assert [one.lr for one in networks.values()] == [settings.lr] * 2
    apply_overrides(path, ["lr=0.01"])
    assert Path(path).read_text() == (ROOT / "params.yaml").read_text()


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.4, (0.4, 0.4, 0.4)), ([0.1, 0.2, 0.3], (0.1, 0.2, 0.3)), ("train", "train")],
)
def test_mean_is_a_number_three_or_measured(changed, value, expected):
    """One number counts for all channels."""
    assert changed("data.mean", value).data.mean == expected


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        ("epochs", 0, "params.yaml: epochs: 0 is below 1"),
        ("epochs", "abc", "params.yaml: epochs: 'abc' is not a whole number"),
        ("epochs", True, "epochs: True is not a whole number"),
        ("epochs", 10**400, "is above 1,000,000"),
        ("lr", "0.1", "lr: '0.1' is not a number; it is text, write 0.1 without quotes"),
        ("epochs", "30", "epochs: '30' is not a whole number; it is text, write 30 without quotes"),
        ("lr", 0, "lr: 0 is not above 0"),
        ("lr", None, "lr: None is not a number"),
        ("lr", [], "lr: [] holds no learning rate; one number or more are needed"),
        ("lr", [0.01, 0], "lr[1]: 0 is not above 0"),
        ("lr", [0.1, "0.2"], "lr[1]: '0.2' is not a number; it is text, write 0.2 without quotes"),
        ("lr", [0.03, 0.01, 3e-2], "lr: [0.03, 0.01, 0.03] holds 0.03 twice"),
        ("lr", [[0.01]], "lr[0]: [0.01] is not a number"),
        ("lr", [1] * 65, "lr: 65 entries are more than 64"),
        ("models.deep.lr", [0.1, 0.1], "models: deep: lr: [0.1, 0.1] holds 0.1 twice"),
        ("epochs", [10, 30], "epochs: [10, 30] is not a whole number"),
        ("momentum", [0, 0.9], "momentum: [0, 0.9] is not a number"),
        ("models.deep.init", ["he"], "models: deep: init: ['he'] is not one of torch, he"),
        ("share", 0, "share: 0 is not above 0"),
        ("share", 1.5, "share: 1.5 is above 1"),
        ("share", [0.5, 1], "share: [0.5, 1] is not a number"),
        ("lr", float("nan"), "lr: nan is not a number"),
        ("lr", float("inf"), "lr: inf is above 1,000"),
        ("lr", 10**400, "lr: 1"),
        ("seed", date(2026, 1, 1), "is not a whole number"),
        ("seed", -1, "seed: -1 is below 0"),
        ("solver", "dula", "solver: 'dula' is not one of auto, primal, dual"),
        ("keep", False, "keep: False is not one of last, best"),
        ("models", None, "models: None is not a mapping of keys to values"),
        ("models", {"deep": {"hidden": [], "epochs": None}}, "models: the key shallow is missing"),
        ("models.deep.hidden", 5, "models: deep: hidden: 5 is not a list"),
        ("models.deep.hidden", [5, 0], "hidden[1]: 0 is below 1"),
        ("models.deep.hidden", [1] * 65, "hidden: 65 entries are more than 64"),
        ("models.deep.widths", [5], "deep: unknown key 'widths'; known: epochs, lr, init, hidden"),
        ("data.group", "(clip", r"data: group: '(clip' is no regular expression: missing ), unter"),
        (
            "data.group",
            r"clip\d",
            r"group: 'clip\\d' is neither `folder` nor has a group; its first",
        ),
        ("data.group", "(a" * 200, "is no regular expression"),
        ("data.group", 3, "group: 3 is not a text"),
        ("data.near_duplicates", "join", "near_duplicates: 'join' is not one of group, ignore"),
        ("momentum", 1, "momentum: 1 is not below 1"),
        ("momentum", -0.1, "momentum: -0.1 is below 0"),
        ("nesterov", 1, "nesterov: 1 is not true or false"),
        ("nesterov", True, "nesterov: true needs momentum above 0"),
        ("weight_decay", 2, "weight_decay: 2 is above 1"),
        ("init", "xavier", "init: 'xavier' is not one of torch, he"),
        ("models.deep.lr", 0, "models: deep: lr: 0 is not above 0"),
        ("models.deep.init", "zero", "models: deep: init: 'zero' is not one of torch, he"),
        ("models.deep", 3, "models: deep: 3 is not a mapping of keys to values"),
        ("models.deep.hidden", {5: 3}, "hidden: {5: 3} is not a list"),
        (
            "models.wide",
            {"hidden": [32]},
            "models: 'wide' is not one of shallow, deep; put further",
        ),
        ("others", None, "others: None is not a mapping of keys to values"),
        ("others.wide", {"hidden": [0]}, "others: wide: hidden[0]: 0 is below 1"),
        ("others.Deep Net", {}, "others: 'Deep Net' is no name for a network"),
        ("others.deep", {}, "'deep' is no name for a network; it is a network below `models`"),
        ("others.verdict", {}, "no name for a network; it is a key of results/metrics.json"),
        ("others.plots", {}, "'plots' is no name for a network; it is a folder of results/"),
        ("data.dir", "", "data: dir: '' is not a text with at least one character"),
        ("data.dir", 7, "data: dir: 7 is not a text"),
        ("data.mean", [0.5, 0.5], "mean: 2 numbers; 3 are needed, one per channel"),
        ("data.mean", [0.5, 0.5, 1.5], "mean[2]: 1.5 is above 1"),
        ("data.mean", ["0.5", 0.5, 0.5], "mean[0]: '0.5' is not a number; it is text, write 0.5"),
        ("data.mean", "0.5", "mean: '0.5' is not a number, a list of 3 or `train`; it is text"),
        ("data.mean", None, "mean: None is not a number, a list of 3 or `train`"),
        ("data.mean", float("nan"), "mean: nan is not a number"),
        ("data.std", 0, "std: 0 is below 1e-06"),
        ("data.std", "measured", "std: 'measured' is not a number, a list of 3 or `train`"),
        ("data.split.test", 0.2, "split: the fractions add up to 1.1, not to 1"),
        ("data.split.test", 0, "split: test: 0 is not above 0"),
        ("folds", 0, "folds: 0 is below 1"),
        ("folds", 2, "folds: 2 is not allowed: 1 is a single split; 3 or more leave pictures"),
        ("folds", 5, "folds: 5 needs data.split: train 0.6, validation 0.2, test 0.2; other"),
        ("folds", 3, "data.split: train 0.3333333333, validation 0.3333333333, test 0.3333333333"),
        ("equivalence_margin", -0.01, "equivalence_margin: -0.01 is below 0"),
        ("epoch", 3, "unknown key 'epoch'; did you mean epochs?"),
        ("alpha", 1, "alpha: 1 is above 0.5"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(changed, keys, value, message):
    """One line: the key, the value, what would be right."""
    with pytest.raises(InputError) as error:
        changed(keys, value)
    assert message in str(error.value)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


@pytest.mark.parametrize("folds", [1, 3, 4, 5, 7, 10, 30])
def test_the_fractions_of_the_message_fit(tmp_path, folds):
    """They can be typed as they stand there; a single split may have any."""
    shares = ((folds - 2) / folds, 1 / folds, 1 / folds) if folds > 1 else (0.5, 0.1, 0.4)
    text = (ROOT / "params.yaml").read_text().replace("folds: 10", f"folds: {folds}")
    for old, share in zip(("train: 0.8", "validation: 0.1", "test: 0.1"), shares, strict=True):
        text = text.replace(old, f"{old.partition(':')[0]}: {share:.10g}")
    settings = loaded(tmp_path, text)
    assert (settings.folds, settings.data.split.test) == (folds, pytest.approx(shares[2]))


def test_of_several_mistakes_the_first_is_named(tmp_path):
    """With the number of the others; a misspelt key comes before the missing one."""
    text = (ROOT / "params.yaml").read_text()
    for old, new, message in (
        ("alpha: 0.05", "alpha: 0", "alpha: 0 is not above 0"),
        ("- 5", "- 0", "alpha: 0 is not above 0 (and 2 more)"),
        ("runs: 10", "runs: x", "runs: 'x' is not a whole number (and 3 more)"),
        ("seed:", "sed:", "unknown key 'sed'; did you mean seed?"),
    ):
        text = text.replace(old, new)
        with pytest.raises(InputError) as error:
            loaded(tmp_path, text)
        assert str(error.value).endswith(f"params.yaml: {message}")


def test_the_records_do_not_change():
    """Nor do they take what params.yaml could not hold."""
    settings = params.read(ROOT / "params.yaml")
    for record, name in ((settings, "seed"), (settings.data.split, "test")):
        with pytest.raises(ValueError, match="frozen"):
            setattr(record, name, 1)
    with pytest.raises(ValueError, match="add up to"):
        params.Split(train=0.5, validation=0.1, test=0.1)


@pytest.mark.parametrize("place", ["seed", "models", "unknown"])
def test_an_alias_bomb_is_refused_in_a_short_line(tmp_path, place):
    """A few lines that stand for millions of values."""
    names = "abcdefghij"
    rows = [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in pairwise(names)]
    for text in (
        "\n".join(["a: &a [x]", *rows, f"{place}: *j"]),
        f"{place}: {'[' * 20}x{', x]' * 20}",
    ):
        with pytest.raises(InputError) as error:
            loaded(tmp_path, text)
        assert len(str(error.value)) < 400


CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
SCHEMA = ROOT / "params.schema.json"
PLAIN = (ROOT / "params.yaml").read_text().replace("others: {}", "others:")


def test_the_committed_schema_is_that_of_the_records():
    """Stage `check` writes it; params.yaml tells editors where it is."""
    assert SCHEMA.read_text() == params.schema() + "\n"
    first = (ROOT / "params.yaml").read_text().partition("\n")[0]
    assert first == "# yaml-language-server: $schema=params.schema.json"


def test_the_schema_takes_the_settings_and_refuses_wrong_ones(tmp_path):
    """By check-jsonschema, with which editors agree."""
    run(ROOT, "check-jsonschema", "--check-metaschema", str(SCHEMA))
    check = ("check-jsonschema", "--schemafile", str(SCHEMA))
    run(ROOT, *check, "params.yaml")
    text = (ROOT / "params.yaml").read_text()
    path = tmp_path / "params.yaml"
    wide = "{wide: {hidden: [3], lr: [0.1, 1]}, other: {hidden: [], lr: null}}"
    for lr in ("1e-5", "[0.1, 1e-5]"):
        path.write_text(text.replace("lr: 0.01", f"lr: {lr}").replace("{}", wide))
        run(ROOT, *check, str(path))
    for number, (old, new) in enumerate(WRONG):
        assert old in text
        (tmp_path / f"{number}.yaml").write_text(text.replace(old, new, 1))
    wrong = [str(tmp_path / f"{number}.yaml") for number in range(len(WRONG))]
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
    described = {
        name: (field.get("title", ""), field["description"])
        for section in (schema, *schema["$defs"].values())
        for name, field in section["properties"].items()
        if name != "data"
    }
    comments = re.findall(r"^ *(\w+):.* # (.+)$", (ROOT / "params.yaml").read_text(), re.MULTILINE)
    assert len(comments) == 27
    for name, comment in comments:
        if name not in ("epochs", "lr", "init"):  # there are two of each
            assert described[name][1] == comment
    for name in ("epochs", "lr", "init"):
        assert schema["properties"][name]["description"] in dict(comments)[name]
    assert all(title for name, (title, _) in described.items() if name != "split")


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
    with pytest.raises(InputError) as error:
        params.read(tmp_path / "params.yaml") if text is None else loaded(tmp_path, text)
    assert message in str(error.value)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400
