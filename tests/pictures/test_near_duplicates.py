"""Copies that differ in size or compression, or are mirrored, are found."""

import io
from functools import cache

import numpy as np
import pytest
from PIL import Image

from shallowdeep.pictures import near_duplicates
from shallowdeep.pictures.near_duplicates import Copies, copies, described, reduced, warnings
from shallowdeep.prepared.prepared_set import ManifestRow, as_table


@cache
def scene(seed):
    """Coarse colour and fine grain, as photographs have."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((400, 300))
    grain = rng.normal(0, 12, (300, 400, 3))
    return Image.fromarray(np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8))


def prepared(image, size=128):
    return np.asarray(image.convert("RGB").resize((size, size))).transpose(2, 0, 1)


def saved_anew(image, form, quality):
    image.save(file := io.BytesIO(), form, quality=quality)
    return Image.open(file)


COPIES = [
    lambda image: image.resize((100, 75)),
    lambda image: image.resize((900, 700)),
    lambda image: saved_anew(image, "JPEG", 20),
    lambda image: saved_anew(image, "WEBP", 30),
    lambda image: saved_anew(image, "GIF", None),
    lambda image: saved_anew(image.resize((160, 120)), "JPEG", 50),
]


def test_copies_are_found_and_nothing_else(monkeypatch):
    """Of each of five pictures all copies, mirrored ones too; other things or colours are none.

    Pictures are compared tile by tile; a chain across them is one group.
    """
    originals = [scene(seed) for seed in range(5)]
    others = [image.transpose(Image.Transpose.FLIP_TOP_BOTTOM) for image in originals]
    others += [Image.fromarray(np.asarray(image)[..., ::-1]) for image in originals]
    small = [copy(image) for image in originals for copy in COPIES]
    mirrored = [image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for image in small]
    of_each = np.repeat(np.arange(5), len(COPIES))
    near, everything = np.concatenate([np.arange(15), of_each, of_each]) + np.zeros((2, 1), int)
    near[-30:] = 45 + 6 * of_each
    for size in (16, 50):
        array = [prepared(image, size) for image in [*originals, *others, *small, *mirrored]]
        assert np.array_equal(copies(reduced(np.stack(array))), [near, everything])
        monkeypatch.setattr(near_duplicates, "TILE", 7)
        monkeypatch.setattr(near_duplicates, "BLOCK", 3)


def test_what_is_all_alike_is_no_copy():
    """Pictures of one colour each, or hardly more; and pictures too small to tell."""
    plain = np.repeat(np.arange(60, dtype=np.uint8), 3 * 32 * 32).reshape(60, 3, 32, 32)
    assert np.array_equal(copies(reduced(plain)).all, np.arange(60))
    tiny = np.random.default_rng(0).integers(0, 256, (500, 3, 4, 4), dtype=np.uint8)
    assert np.array_equal(copies(reduced(tiny)).all, np.arange(500))
    assert copies(reduced(tiny[:0])).all.tolist() == []


@pytest.mark.parametrize("size", [8, 64])
@pytest.mark.parametrize(("tile", "few"), [(2_048, 10**6), (2_048, 0), (7, 3)])
@pytest.mark.parametrize("mirrored", [False, True])
def test_what_is_passed_over_is_not_near(monkeypatch, size, tile, few, mirrored):
    """Against all pairs by the definition, many of them about as far apart as near ones may be."""
    monkeypatch.setattr(near_duplicates, "TILE", tile)
    monkeypatch.setattr(near_duplicates, "FEW", few)
    rng = np.random.default_rng(size)
    scenes = [prepared(scene(seed), size).astype(float) for seed in range(12)]
    array = []
    for weight in rng.uniform(0, 0.4, 200):
        one, other = rng.choice(12, 2)
        blend = (1 - weight) * scenes[one] + weight * scenes[other]
        duller = rng.uniform(0.7, 1) if rng.random() < 0.3 else 1
        brighter = rng.uniform(-12, 12) if rng.random() < 0.3 else 0
        array.append(128 + duller * (blend - 128) + brighter)
    array = np.clip(array, 0, 255).astype(np.uint8)
    if mirrored:
        array[::2] = array[::2, ..., ::-1]
    means = np.concatenate([*near_duplicates._means(array, lambda _: None)])
    contrasts = np.linalg.norm(means - means.mean(1, keepdims=True), axis=1)
    reading = np.arange(means.shape[1]).reshape(3, min(size, 16), -1)
    reading = (reading[..., ::-1] if mirrored else reading).ravel()
    apart = np.linalg.norm(means[:, None] - means[:, reading], axis=2)
    near = apart <= 0.2 * np.sqrt(np.outer(contrasts, contrasts))
    np.fill_diagonal(near, val=False)
    assert near.sum() > 100
    found = np.zeros_like(near)
    for one, other in near_duplicates._near_pairs(means, reading):
        found[one, other] = found[other, one] = True
    assert np.array_equal(found, near)


def test_each_is_listed_with_the_first_of_its_group():
    """And if the two are in both classes or not kept together, on the terminal too."""
    rows = (("cat/a", 0, 0), ("cat/b", 0, 0), ("dog/c", 1, 2), ("dog/d", 1, 0), ("cat/e", 0, 4))
    table = as_table(ManifestRow(path, "", label, 3, 1, 1, group) for path, label, group in rows)
    found = Copies(np.array([0, 0, 2, 0, 4]), np.array([0, 0, 2, 0, 0]))
    across = "near-duplicate of cat/a, which is in the other class"
    apart = "mirrored copy of cat/a, not kept with it"
    alike = [("cat/b", "near-duplicate of cat/a"), ("dog/d", across), ("cat/e", apart)]
    assert described(table, found) == alike
    ignored = "are not kept together (data.near_duplicates: ignore)"
    assert warnings(described(table, found)) == [
        f"1 near-duplicates lie in both classes, first dog/d: {across}",
        f"1 near-duplicates {ignored}, first cat/e: {apart}",
    ]
    assert warnings(described(table, found)[:1]) == []
