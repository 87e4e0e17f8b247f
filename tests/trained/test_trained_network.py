"""The three files of models/NAME come back as they were written, or one line says what is wrong."""

from pathlib import Path

import numpy as np
import pytest
from checkouts import ROOT
from random_predictions import drawn
from test_model import drawn as drawn_model

from shallowdeep.files.errors import InputError
from shallowdeep.settings import params
from shallowdeep.trained import trained_network
from shallowdeep.trained.trained_network import TrainedNetwork
from shallowdeep.trained.tuned import Tuned

RUNS, EPOCHS = 3, 2
FILES = ("weights.safetensors", "predictions.safetensors", "history.csv")


@pytest.fixture(scope="module")
def settings():
    """A single split, three runs and two epochs."""
    settings = params.read(ROOT / "params.yaml")
    deep = settings.models["deep"].model_copy(update={"epochs": EPOCHS})
    changes = {"folds": 1, "runs": RUNS, "models": dict(settings.models) | {"deep": deep}}
    return settings.model_copy(update=changes)


@pytest.fixture
def network(pictures, tmp_path, monkeypatch):
    """A network, written below the current folder."""
    monkeypatch.chdir(tmp_path)
    histories = np.random.default_rng(0).uniform(0, 1, (1, 1, RUNS, EPOCHS, 3))
    network = TrainedNetwork(drawn_model(), drawn(pictures, 0.6), histories)
    trained_network.write(network, "deep")
    return network


def read(settings, pictures) -> TrainedNetwork:
    return trained_network.read("deep", settings, tested=len(pictures.tested()))


def contents(tmp_path) -> list[bytes]:
    return [(tmp_path / "models/deep" / name).read_bytes() for name in FILES]


def history(tmp_path) -> list[str]:
    return (tmp_path / "models/deep/history.csv").read_text().splitlines()


def test_a_network_is_read_back(network, settings, pictures, tmp_path):
    """Predictions to the bit, the history to six decimals; written again, the same bytes."""
    found = read(settings, pictures)
    assert found.predictions.epochs == network.predictions.epochs
    assert found.predictions.tuned is None
    for one, other in zip(found.predictions[1:4], network.predictions[1:4], strict=True):
        assert one.dtype == np.float32
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(found.history, network.history, atol=5e-7)
    before = contents(tmp_path)
    trained_network.write(found, "deep")
    assert contents(tmp_path) == before


def test_the_history_reads_as_people_expect(network, tmp_path):
    """Fold by fold, run by run, epochs from 1, six decimals."""
    head, *lines = history(tmp_path)
    assert head == "fold,run,epoch,train_loss,validation_loss,validation_accuracy"
    assert [line[:5] for line in lines] == [f"0,{r},{e}" for r in range(RUNS) for e in (1, 2)]
    assert lines[0] == "0,0,1," + ",".join(f"{value:.6f}" for value in network.history[0, 0, 0])


def replace(old: bytes, new: bytes):
    """A change of one text in the file, which must be there."""
    return lambda whole: new.join(whole.split(old)) if old in whole else pytest.fail("not there")


DAMAGE = {
    "empty": lambda _: b"",
    "words": lambda _: b"words\n",
    "half": lambda whole: whole[: len(whole) // 2],
    "without its end": lambda whole: whole[:-30],
}
OF_PREDICTIONS = {"without metadata": replace(b"shallowdeep", b"shallowdeer")}
OF_HISTORY = {
    "other columns": replace(b"fold,run", b"run,fold"),
    "a run twice": replace(b"0,1,2,", b"0,1,1,"),
    "a run too many": replace(b"0,2,1,", b"0,7,1,"),
    "an epoch as a number with a point": replace(b"0,2,2,", b"0,2,2e99,"),
    "no number": lambda whole: whole[:-9] + b"x\n",
    "an infinite number": lambda whole: whole[:-9] + b"inf\n",
}
WRONG = "(damaged|not a model).*`dvc repro"
CASES = [
    *((name, damage, WRONG) for name in FILES for damage in DAMAGE),
    *((FILES[2], damage, WRONG) for damage in OF_HISTORY),
    (FILES[1], "without metadata", WRONG),
    *((name, "missing", "no such file; `dvc repro`") for name in FILES),
    *((name, "a folder", "") for name in FILES),
]


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize(("name", "damage", "message"), CASES)
def test_a_damaged_or_missing_file_is_named(settings, pictures, tmp_path, name, damage, message):
    """With a command that makes it anew; a folder in its place is one line, too."""
    file = tmp_path / "models/deep" / name
    content = file.read_bytes()
    file.unlink()
    if damage == "a folder":
        file.mkdir()
    elif damage != "missing":
        file.write_bytes((DAMAGE | OF_HISTORY | OF_PREDICTIONS)[damage](content))
    with pytest.raises(InputError, match=f"models/deep/{name}: {message}"):
        read(settings, pictures)


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("change", [{"runs": RUNS + 1}, {"folds": 3}, {"runs": 1, "folds": RUNS}])
def test_files_of_another_training_are_refused(settings, pictures, change):
    """Also where the history has as many rows."""
    with pytest.raises(InputError, match="other parameters"):
        read(settings.model_copy(update=change), pictures)


RATES = (1e-7, 0.01, 0.3)


def rates(settings, *listed):
    """Several learning rates for the deep network."""
    deep = settings.models["deep"].model_copy(update={"lr": listed})
    return settings.model_copy(update={"models": dict(settings.models) | {"deep": deep}})


@pytest.fixture
def tuned(network):
    """The network, tuned: its fold took the second, the third diverged; written."""
    histories = np.random.default_rng(1).uniform(0, 1, (3, 1, RUNS, EPOCHS, 3))
    histories[2, 0, 1, 1, :2] = np.inf, np.nan
    predictions = network.predictions._replace(tuned=Tuned(list(RATES), [0.01]))
    network = network._replace(predictions=predictions, histories=histories)
    trained_network.write(network, "deep")
    return network


def test_a_tuned_network_is_read_back(tuned, settings, pictures, tmp_path):
    """With all learning rates and the taken one; the history is that of the taken one."""
    found = read(rates(settings, *RATES), pictures)
    assert found.predictions.tuned == Tuned(list(RATES), [0.01])
    np.testing.assert_allclose(found.histories, tuned.histories, atol=5e-7)
    assert np.array_equal(found.history[0], found.histories[1, 0])
    head, *lines = history(tmp_path)
    assert head == "lr,fold,run,epoch,train_loss,validation_loss,validation_accuracy"
    assert [line[:10] for line in lines[::6]] == ["1e-07,0,0,", "0.01,0,0,1", "0.3,0,0,1,"]
    before = contents(tmp_path)
    trained_network.write(found, "deep")
    assert contents(tmp_path) == before


def test_other_learning_rates_are_of_another_training(tuned, settings, pictures):
    """Others, none, or taken ones that are none of them; and numbers that are not finite."""
    for wrong in (settings, rates(settings, *RATES[:2])):
        with pytest.raises(InputError, match=r"predictions\.safetensors: .*other parameters"):
            read(wrong, pictures)
    for taken, file in (([0.02], "predictions"), ([0.01] * 2, "predictions"), ([0.3], "history")):
        predictions = tuned.predictions._replace(tuned=Tuned(list(RATES), taken))
        if file == "history":
            trained_network.write(tuned._replace(predictions=predictions), "deep")
        else:
            trained_network.predictions.write(predictions, Path("models/deep", FILES[1]))
        with pytest.raises(InputError, match=rf"{file}\.\w+: .*other parameters"):
            read(rates(settings, *RATES), pictures)
