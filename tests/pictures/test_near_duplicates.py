"""Copies that differ in size or compression are found, and lie in one part."""

import io

import numpy as np
import pytest
from PIL import Image

from shallowdeep.pictures import near_duplicates
from shallowdeep.pictures.near_duplicates import described, groups, warnings
from shallowdeep.pictures.splitting import cut, keep_together
from shallowdeep.prepared.data_report import LeftOut
from shallowdeep.prepared.prepared_set import ManifestRow, as_table
from shallowdeep.settings.params import Split

ARTICLE = Split(train=0.8, validation=0.1, test=0.1)


def scene(seed):
    """Coarse colour and fine grain, as photographs have."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((400, 300))
    grain = rng.normal(0, 12, (300, 400, 3))
    return Image.fromarray(np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8))


def prepared(image, size=128):
    return np.asarray(image.convert("RGB").resize((size, size))).transpose(2, 0, 1)


def saved_anew(image, form, quality):
    file = io.BytesIO()
    image.save(file, form, quality=quality)
    return Image.open(file)


COPIES = {
    "a thumbnail": lambda image: image.resize((100, 75)),
    "larger": lambda image: image.resize((900, 700)),
    "JPEG": lambda image: saved_anew(image, "JPEG", 20),
    "WebP": lambda image: saved_anew(image, "WEBP", 30),
    "GIF": lambda image: saved_anew(image, "GIF", None),
    "a small JPEG": lambda image: saved_anew(image.resize((160, 120)), "JPEG", 50),
}


@pytest.mark.parametrize("size", [16, 50])
def test_copies_are_found_and_nothing_else(size):
    """Of each of ten pictures all copies; pictures of other things, or other colours, are none."""
    originals = [scene(seed) for seed in range(10)]
    others = [scene(seed).transpose(Image.Transpose.FLIP_LEFT_RIGHT) for seed in range(10)]
    others += [Image.fromarray(np.asarray(scene(seed))[..., ::-1]) for seed in range(10)]
    copies = [copy(image) for image in originals for copy in COPIES.values()]
    array = np.stack([prepared(image, size) for image in [*originals, *others, *copies]])
    expected = np.arange(len(array))
    expected[30:] = np.repeat(np.arange(10), len(COPIES))
    assert np.array_equal(groups(array), expected)


def test_what_is_all_alike_is_no_copy():
    """Pictures of one colour each, or hardly more; and pictures too small to tell."""
    plain = np.repeat(np.arange(60, dtype=np.uint8), 3 * 32 * 32).reshape(60, 3, 32, 32)
    assert np.array_equal(groups(plain), np.arange(60))
    tiny = np.random.default_rng(0).integers(0, 256, (500, 3, 4, 4), dtype=np.uint8)
    assert np.array_equal(groups(tiny), np.arange(500))
    assert groups(tiny[:0]).tolist() == []


@pytest.mark.parametrize("size", [8, 64])
@pytest.mark.parametrize(("tile", "few"), [(2_048, 10**6), (2_048, 0), (7, 3)])
def test_what_is_passed_over_is_not_near(monkeypatch, size, tile, few):
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
    means = np.concatenate([*near_duplicates._means(array, lambda _: None)])
    contrasts = np.linalg.norm(means - means.mean(1, keepdims=True), axis=1)
    apart = np.linalg.norm(means[:, None] - means, axis=2)
    near = apart <= 0.2 * np.sqrt(np.outer(contrasts, contrasts))
    assert near.sum() > 500
    found = np.eye(200, dtype=bool)
    for one, other in near_duplicates._near_pairs(means):
        found[one, other] = found[other, one] = True
    assert np.array_equal(found, near)


def test_groups_do_not_end_at_tiles(monkeypatch):
    """Pictures are compared tile by tile; a chain across them is one group."""
    monkeypatch.setattr(near_duplicates, "TILE", 7)
    monkeypatch.setattr(near_duplicates, "BLOCK", 3)
    array = np.stack([prepared(scene(seed % 9), 64) for seed in range(40)])
    assert np.array_equal(groups(array), np.arange(40) % 9)


def parts_and_labels(count, *, folds, seed=0):
    labels = np.arange(2 * count) // count
    return cut(labels, ARTICLE, folds=folds, classes=("cat", "dog"), seed=seed), labels


@pytest.mark.parametrize("folds", [1, 10])
@pytest.mark.parametrize("seed", range(5))
def test_near_duplicates_lie_in_one_part(folds, seed):
    """All parts keep their sizes, class by class; what has no near-duplicate hardly moves."""
    parts, labels = parts_and_labels(200, folds=folds, seed=seed)
    near = np.arange(400)
    rng = np.random.default_rng(seed)
    for group in np.array_split(rng.permutation(400)[:40], 16):  # of both classes, some of them
        near[group] = group.min()
    moved = keep_together(parts, labels, near, seed=seed)
    assert np.array_equal(moved, moved[near])
    for label in (0, 1):
        assert np.array_equal(
            np.bincount(moved[labels == label]), np.bincount(parts[:][labels == label])
        )
    assert (moved != parts).sum() <= 2 * 24
    assert np.array_equal(keep_together(parts, labels, near, seed=seed), moved)


def test_without_near_duplicates_nothing_moves():
    """The folds are those of the seed."""
    parts, labels = parts_and_labels(100, folds=10)
    assert np.array_equal(keep_together(parts, labels, np.arange(200), seed=0), parts)


def test_a_group_larger_than_a_fold_fills_it_and_is_told():
    """The rest stays where it was; nothing hangs, no part changes its size."""
    parts, labels = parts_and_labels(100, folds=10)
    near = np.arange(200)
    near[:50] = 0
    moved = keep_together(parts, labels, near, seed=0)
    assert np.array_equal(np.bincount(moved), np.bincount(parts))
    assert (moved[:50] == moved[0]).sum() == 10
    table = as_table(
        ManifestRow(f"{i}.png", "", int(labels[i]), int(moved[i]), 1, 1) for i in range(200)
    )
    (line,) = warnings(described(table, near))
    assert line.startswith("40 near-duplicates are too many for one fold, first ")


def test_each_is_listed_with_the_first_of_its_group():
    """And where the two are in both classes, that is said, on the terminal too."""
    rows = (("cat/a", 0), ("cat/b", 0), ("dog/c", 1), ("dog/d", 1))
    table = as_table(ManifestRow(path, "", label, 3, 1, 1) for path, label in rows)
    alike = described(table, np.array([0, 0, 2, 0]))
    across = "near-duplicate of cat/a, which is in the other class"
    assert alike == [LeftOut("cat/b", "near-duplicate of cat/a"), LeftOut("dog/d", across)]
    assert warnings(alike) == [f"1 near-duplicates lie in both classes, first dog/d: {across}"]
    assert warnings(alike[:1]) == []
