"""params.yaml is checked whole before any work, and every mistake is named."""

from pathlib import Path

import pytest
import yaml
from checkouts import ROOT

from shallowdeep.files.errors import InputError
from shallowdeep.settings import params


@pytest.fixture
def changed(tmp_path):
    """A function that writes the project's params.yaml with one value changed and loads it."""

    def load(keys: str, value: object) -> params.Params:
        content = yaml.safe_load((ROOT / "params.yaml").read_text())
        *parents, last = keys.split(".")
        section = content
        for key in parents:
            section = section[key]
        section[last] = value
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
        return params.read(tmp_path / "params.yaml")

    return load


def loaded(tmp_path: Path, text: str) -> params.Params:
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    return params.read(tmp_path / "params.yaml")


def test_the_committed_file_holds_the_articles_set_up():
    """Widths, batch, rate, epochs, size and normalisation are the source article's."""
    settings = params.read(ROOT / "params.yaml")
    assert settings.models["shallow"] == params.Model(hidden=(4,), epochs=10)
    assert settings.models["deep"] == params.Model(hidden=(5, 5, 3), epochs=10)
    assert (settings.batch_size, settings.lr, settings.data.size) == (32, 0.01, 128)
    assert settings.data.mean == settings.data.std == (0.5, 0.5, 0.5)
    assert settings.data.split == params.Split(0.8, 0.1, 0.1)


def test_a_models_own_epochs_override_the_common_ones(changed):
    """`models.deep.epochs` counts for deep alone."""
    settings = changed("models.deep.epochs", 3)
    assert (settings.models["deep"].epochs, settings.models["shallow"].epochs) == (3, 10)


def test_a_further_model_is_a_few_lines(changed):
    """Any name will do; an empty list of hidden layers is logistic regression."""
    settings = changed("models.logistic", {"hidden": [], "epochs": None})
    assert settings.models["logistic"] == params.Model(hidden=(), epochs=10)


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
        ("epochs", 2.5, "epochs: 2.5 is not a whole number"),
        ("epochs", True, "epochs: True is not a whole number"),
        ("epochs", None, "epochs: None is not a whole number"),
        ("epochs", 10**400, "is above 1,000,000"),
        ("lr", "1e-5", "lr: '1e-5' is not a number; YAML reads it as text, write 1.0e-5"),
        ("lr", "0.1", "lr: '0.1' is not a number; it is text, write 0.1 without quotes"),
        ("lr", 0, "lr: 0 is not above 0"),
        ("lr", float("nan"), "lr: nan is not a number"),
        ("lr", float("inf"), "lr: inf is above 1,000"),
        ("lr", 10**400, "is above 1,000"),
        ("batch_size", -1, "batch_size: -1 is below 1"),
        ("runs", 1.0, "runs: 1.0 is not a whole number"),
        ("seed", -1, "seed: -1 is below 0"),
        ("solver", "dula", "solver: 'dula' is not one of auto, primal, dual"),
        ("device", "tpu", "device: 'tpu' is not one of auto, cpu, cuda"),
        ("keep", False, "keep: False is not one of last, best"),
        ("models", None, "models: None is not a mapping of keys to values"),
        ("models", {"deep": {"hidden": [], "epochs": None}}, "models: the key shallow is missing"),
        ("models.deep.hidden", 5, "models: deep: hidden: 5 is not a list"),
        ("models.deep.hidden", [5, 0], "hidden[1]: 0 is below 1"),
        ("models.deep.hidden", [1] * 65, "hidden: 65 entries are more than 64"),
        ("models.deep.widths", [5], "models: deep: unknown key 'widths'; known: epochs, hidden"),
        ("models.Deep Net", {}, "'Deep Net' is no name for a model"),
        ("data.dir", "", "data: dir: '' is not a text with at least one character"),
        ("data.dir", 7, "data: dir: 7 is not a text"),
        ("data.mean", [0.5, 0.5], "mean: 2 numbers; 3 are needed, one per channel"),
        ("data.std", 0, "std: 0 is not above 0"),
        ("data.std", "measured", "std: 'measured' is not a number, a list of 3 or `train`"),
        ("data.split.test", 0.2, "split: the fractions add up to 1.1, not to 1"),
        ("data.split.test", 0, "split: test: 0 is not above 0"),
        ("epoch", 3, "unknown key 'epoch'; did you mean epochs?"),
        ("alpha", 1, "alpha: 1 is above 0.5"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(changed, keys, value, message):
    """One line: the key, the value, what would be right."""
    with pytest.raises(InputError) as error:
        changed(keys, value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochs: 10\nepochs: 20\n", "line 2, column 1: the key epochs stands twice"),
        ("epochs:\t10\n", "line 1, column 8: found character '\\t'"),
        ("epochs: [10", "params.yaml: line"),
        ("", "None is not a mapping"),
        ("- 1\n", "[1] is not a mapping"),
        ("!!python/object/apply:os.system [false]\n", "could not determine a constructor"),
        ("epochs: " + "9" * 10_000, "params.yaml:"),
        ("[" * 10_000, "params.yaml:"),
        ("a: &a [x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: [*b, *b, *b]\n", "the key epochs"),
    ],
)
def test_a_file_that_is_no_settings_is_refused(tmp_path, text, message):
    """Not YAML, not a mapping, a key twice, code, absurd sizes: one line each."""
    with pytest.raises(InputError) as error:
        loaded(tmp_path, text)
    assert message in str(error.value)
    assert len(str(error.value)) < 400


def test_a_byte_order_mark_is_no_harm(tmp_path):
    """Editors on Windows write one."""
    text = (ROOT / "params.yaml").read_text()
    assert loaded(tmp_path, "\ufeff" + text) == params.read(ROOT / "params.yaml")


def test_a_missing_file_is_named(tmp_path):
    """The commands run in the project's folder."""
    with pytest.raises(InputError, match=r"params\.yaml: no such file"):
        params.read(tmp_path / "params.yaml")
