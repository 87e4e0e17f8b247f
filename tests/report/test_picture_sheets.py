"""Pictures in the results are those of their captions."""

import io

import numpy as np
import pytest
from PIL import Image

from shallowdeep.evaluation.intervals import Design
from shallowdeep.evaluation.split_predictions import SplitPredictions
from shallowdeep.report import picture_sheets
from shallowdeep.report.picture_sheets import Tile, examples, first_layer, jpeg, most_wrong, sheet


def test_weights_become_grey_around_zero():
    """The largest is the end of the scale, 0 its middle, and each neuron has a tile."""
    weights = np.zeros((4, 3, 12, 12), np.float32)
    weights[0, 0, 0, :5] = 0.0, 1.0, -1.0, 0.5, -0.5
    tiles = first_layer(weights)
    assert [tile.caption for tile in tiles] == ["neuron 1", "neuron 2", "neuron 3", "neuron 4"]
    assert tiles[0].pixels.shape == (3, 12, 12)
    assert tiles[0].pixels[0, 0, :5].tolist() == [128, 255, 0, 191, 64]
    tiles = first_layer(np.zeros((4, 3, 12, 12), np.float32))  # without a largest to divide by
    assert {int(tile.pixels.max()) for tile in tiles} == {128}


def test_the_most_wrong_come_first_and_none_that_is_right(pictures, monkeypatch):
    """By the mean of the runs; the caption has the class and the prediction."""
    rows = pictures.rows("test")
    labels = pictures.labels[rows]
    wrong = np.full(len(rows), 0.3)
    wrong[[2, 5]] = 0.9, 0.7
    of_dog = np.where(labels == 1, 1 - wrong, wrong)
    runs = np.array([of_dog - 0.05, of_dog + 0.05])
    test = SplitPredictions(Design(labels, np.zeros_like(rows), 82), rows, {"deep": runs})
    first, second = most_wrong(test, "deep", pictures)
    assert (first.pixels == pictures.pictures[rows[2]]).all()
    assert (second.pixels == pictures.pictures[rows[5]]).all()
    actual, called = pictures.classes[labels[2]], pictures.classes[1 - labels[2]]
    assert first.caption == f"{actual}, called {called}: 90 %"
    monkeypatch.setattr(picture_sheets, "COUNT", 1)
    assert [tile.caption for tile in most_wrong(test, "deep", pictures)] == [first.caption]


@pytest.mark.parametrize(("count", "shown"), [(3, 3), (1_000, 41)])
def test_examples_are_training_pictures_of_one_class(pictures, monkeypatch, count, shown):
    """None twice, however many are asked for."""
    monkeypatch.setattr(picture_sheets, "COUNT", count)
    paths = [tile.caption for tile in examples(pictures, 1)]
    entries = pictures.manifest.set_index("path")
    assert len(set(paths)) == len(paths) == shown
    assert set(entries["label"][paths]) == {1}
    assert set(entries["fold"][paths]) == {2}  # of the single split: it trains


def test_a_jpeg_shows_the_picture():
    """Within what its compression loses."""
    pixels = np.zeros((3, 16, 16), np.uint8)
    pixels[0, :, 8:] = 200
    decoded = np.asarray(Image.open(io.BytesIO(jpeg(pixels)))).transpose(2, 0, 1)
    assert np.abs(decoded[:, :, [1, 14]].astype(int) - pixels[:, :, [1, 14]]).max() < 40


def test_a_sheet_has_room_for_every_tile():
    """Rows of different length, an empty one and a long caption too."""
    tile = Tile(np.full((3, 8, 8), 90, np.uint8), "a caption that is much too long for its tile")
    image = Image.open(io.BytesIO(sheet({"one": [tile] * 3, "none": [], "two": [tile]})))
    assert image.width > 3 * 128
    assert image.getpixel((20, 60)) != (255, 255, 255)
    assert image.getpixel((image.width - 20, image.height - 60)) == (255, 255, 255)
