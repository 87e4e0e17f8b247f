"""docs/depth.md is of its figures, the figures are of the code, and the exercise can be solved."""

import inspect
import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from checkouts import ROOT

from lessons import depth, depth_page, exercise, propagation
from shallowdeep.datasets.sample import draw_sample
from shallowdeep.pictures.preparation import planned, prepare_pictures
from shallowdeep.settings import params
from shallowdeep.training.network import draw

KEYS = ["network", "weights", "biases", "run", "epoch", "layer"]
FIGURES = pd.read_csv(ROOT / depth_page.TABLE, dtype={"biases": str})
PAGE = (ROOT / depth_page.PAGE).read_text()


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> depth.Pictures:
    """Fold 0's training pictures of the embedded sample."""
    folder = tmp_path_factory.mktemp("sample")
    draw_sample(folder / "pictures", seed=0, per_class=500)
    settings = params.read(ROOT / "params.yaml")
    data = settings.data.model_copy(update={"dir": str(folder / "pictures")})
    settings = settings.model_copy(update={"data": data, "solver": "primal"})
    (folder / "prepared").mkdir()
    prepare_pictures(settings, planned(settings), folder / "prepared")
    return depth.read_fold_0(folder / "prepared")


def median(measure: str, init: depth.Init, layer: int, epoch: int) -> float:
    """Of the deep network's runs."""
    keys = ["network", "weights", "biases", "layer", "epoch"]
    return FIGURES.groupby(keys)[measure].median()["deep", *init, layer, epoch]


def test_the_committed_page_and_chart_are_of_the_committed_figures(tmp_path):
    """Byte for byte."""
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / depth_page.TABLE).write_bytes((ROOT / depth_page.TABLE).read_bytes())
    depth_page.write_page(tmp_path)
    for name in (depth_page.PAGE, depth_page.CHART):
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()


def test_the_committed_figures_are_of_the_code(sample):
    """Run 0 measured again, drawn both ways, at the start and after an epoch; and complete."""
    assert sample.X.shape == (800, depth_page.INPUTS)
    for init in (depth.TORCH, depth.HE):
        again = pd.DataFrame(depth.measure_run(sample, "deep", init, 0, epochs=1))
        both = again.merge(FIGURES, on=KEYS, suffixes=("", "_committed"))
        assert len(both) == 8
        for measure in ("power", "signal", "gradient", "dead", "loss"):
            np.testing.assert_allclose(both[measure], both[f"{measure}_committed"], rtol=1e-3)
    assert not FIGURES.duplicated(KEYS).any()
    assert len(FIGURES) == depth.RUNS * len(depth.SHOWN) * (4 * 4 + 2 * 2)


@pytest.mark.parametrize("init", [depth.TORCH, depth.HE])
def test_weights_are_drawn_as_the_pipeline_draws_them(init):
    """Of the same variance layer by layer, to 3 %, within the same bounds; biases too."""
    hidden = (500, 400)
    ours = depth.draw_weights(300, hidden, init, np.random.default_rng(0))
    theirs = draw(300, hidden, [torch.Generator().manual_seed(0)], init.weights)
    for our, their in itertools.islice(zip(ours, theirs, strict=True), 2):
        for array, tensor in zip(our, their, strict=True):
            assert array.std() == pytest.approx(tensor.numpy().std(), rel=0.06)
            assert np.abs(array).max() == pytest.approx(tensor.abs().max().item(), rel=0.02)


def test_the_factor_is_exact():
    """With biases 0 He's weights have 6 times the power a layer, network by network."""
    rng = np.random.default_rng(0)
    pictures = depth.Pictures(rng.normal(size=(40, 30)), np.ones((1, 40)))
    he, bare = (
        np.array(
            depth.measure_layers(
                pictures, depth.draw_weights(30, (5, 5, 3), init, np.random.default_rng(3))
            )
        )[:, :2]
        for init in (depth.HE, depth_page.BARE)
    )
    factors = 6.0 ** np.arange(1, 5)[:, None]
    np.testing.assert_allclose(he, factors * bare, rtol=1e-4)


def test_the_measures_are_those_of_the_lessons_way_back():
    """Mean square of dZ; its mean is the gradient of the bias, which network_backward gives."""
    rng = np.random.default_rng(1)
    pictures = depth.Pictures(rng.normal(size=(1, 30)), np.ones((1, 1)))
    network = depth.draw_weights(30, (5, 5, 3), depth.HE, rng)
    _, caches = propagation.network_forward(pictures.X.T, network)
    gradients = propagation.network_backward(pictures.Y, caches)
    for measured, (_, db) in zip(depth.measure_layers(pictures, network), gradients, strict=True):
        assert measured[2] == pytest.approx(np.square(db).mean(), rel=1e-5)


def test_the_words_are_of_the_figures():
    """What the page says without a number."""
    torch_, he = depth.TORCH, depth.HE
    signal = {epoch: median("signal", torch_, 4, epoch) for epoch in depth.SHOWN}
    assert signal[10] < median("signal", he, 4, 0)  # "has not reached what He's begin with"
    assert median("gradient", torch_, 1, 10) < median("gradient", he, 1, 0) / 100
    assert median("signal", he, 1, 1) > 10 * median("signal", he, 1, 0)  # "overshoots"
    assert median("signal", torch_, 2, 0) < 1 / 15  # "more than is left of the pictures"
    assert median("signal", torch_, 4, 0) < 0.01 * median("power", torch_, 4, 0)
    last = FIGURES[(FIGURES["epoch"] == 10) & (FIGURES["network"] == "deep")]
    loss = last.groupby(["weights", "biases"])["loss"].mean()
    by_weights, by_biases = (
        loss["torch", "torch"] - loss[i] for i in (("he", "torch"), ("torch", "0"))
    )
    assert 0 < 3 * by_biases < by_weights  # "it is the weights"
    dead = last.groupby(["weights", "biases"])["dead"].sum()
    assert dead["torch", "0"] < dead["torch", "torch"] / 2  # "fewer dead neurons"


def test_parameters_are_counted():
    """The sums of the page are those of the networks that are drawn."""
    for hidden, total in (((4,), 196_617), ((5, 5, 3), 245_817), ((5,), 245_771)):
        layers = draw(depth_page.INPUTS, hidden, [torch.Generator()])
        assert sum(tensor.numel() for layer in layers for tensor in layer) == total
        written, counted = depth_page.count_parameters(hidden)
        assert counted == total == eval(written.replace(",", "").replace("x", "*"))
        assert f"| {written} | {total:,} |" in PAGE


def test_the_check_finds_the_mistake_that_the_loss_does_not_show(capsys):
    """Gradients below the ReLU are wrong; after the solution's one character all are right.

    The loss falls at every step, if less; the command prints both and what the check finds.
    """
    wrong, right = exercise.backward_with_a_mistake, propagation.network_backward
    below, above = exercise.check_gradients(wrong)
    assert min(below) > 0.1 and max(above) < 1e-9
    source = inspect.getsource(wrong)
    assert source.count(">=") == 1
    names = dict(vars(exercise))
    exec(source.replace(">=", ">"), names)
    for solved in (names["backward_with_a_mistake"], right):
        assert max(itertools.chain(*exercise.check_gradients(solved))) < 1e-9
    of_wrong, of_right = exercise.losses_by_step(wrong), exercise.losses_by_step(right)
    assert (np.diff(of_wrong) < 0).all() and of_right[-1] < of_wrong[-1]
    exercise.main()
    assert capsys.readouterr().out.count("layer 1: dW1 off by") == 2


def test_missing_pictures_are_one_line(tmp_path):
    """With the command that makes them."""
    with pytest.raises(SystemExit, match=r"^depth: .*manifest.csv: not found; `dvc repro prepare`"):
        depth.main(["--prepared", str(tmp_path), "--to", str(tmp_path)])
    assert not list(tmp_path.rglob("*.csv"))
