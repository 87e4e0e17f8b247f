"""The Gram matrix is exact; the processor's products of bytes are, too, or are not used."""

import hashlib
import os
import subprocess
import sys
import time
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from shallowdeep.pictures import gram as module
from shallowdeep.pictures import int8
from shallowdeep.pictures.gram import TILE, _tile, centred_product, gram
from shallowdeep.pictures.int8 import PIXELS, byte_product, is_exact, quick_product
from shallowdeep.prepared.normalisation import Normalisation

HASH = """
import hashlib, os, sys, numpy as np
from threadpoolctl import threadpool_info
from shallowdeep.pictures import gram as module, int8
from shallowdeep.pictures.gram import gram
from shallowdeep.prepared.normalisation import Normalisation
int8._has_instructions = lambda: sys.argv[2] == "bytes"
os.sched_getaffinity = lambda _: range(int(sys.argv[1]))  # a thread for each
module.TILE = 16
pictures = np.random.default_rng(0).integers(0, 256, (40, 3, 64, 64), dtype=np.uint8)
out = np.empty((40, 40), dtype=np.float32)
gram(pictures, Normalisation((0.5, 0.4, 0.3), (0.5, 0.2, 0.1)), out=out)
print(hashlib.sha256(out.tobytes()).hexdigest())
print(next(one["architecture"] for one in threadpool_info() if one["internal_api"] == "openblas"))
print([name for name, there in np._core._multiarray_umath.__cpu_features__.items() if there])
"""


def test_products_of_bytes_are_exact():
    """Equal bit for bit to integer arithmetic, for random bytes and for the most extreme ones.

    Those are -128 and -127 mixed: of -128 alone, a power of two, sums are exact at any length.
    """
    rng = np.random.default_rng(0)
    u = rng.integers(-128, 128, (9, 20_000)).astype(np.float32)
    v = rng.choice([-128, -127], (9, 20_000)).astype(np.float32)
    w = np.full((2, 20_000), -128, dtype=np.float32)
    for left, right in ((u, u), (u, v), (v, v), (w, v), (w, w)):
        exact = left.astype(np.int64) @ right.astype(np.int64).T
        assert np.array_equal(centred_product(left, right), exact)


@pytest.mark.parametrize("pictures", [30, TILE + 60])
def test_it_is_the_product_of_normalised_pictures(pictures):
    """Each entry is the product, rounded to float32."""
    rng = np.random.default_rng(1)
    array = rng.integers(0, 256, (pictures, 3, 9, 9), dtype=np.uint8)
    mean, std = np.array([0.5, 0.4, 0.3]), np.array([0.5, 0.2, 0.1])
    out = np.empty((pictures, pictures), dtype=np.float32)
    gram(array, Normalisation(tuple(mean), tuple(std)), out=out)
    inputs = (array / 255 - mean[:, None, None]) / std[:, None, None]
    inputs = inputs.reshape(pictures, -1)
    np.testing.assert_allclose(out, inputs @ inputs.T, rtol=1e-6, atol=1e-4)
    assert np.array_equal(out, out.T)


@pytest.mark.parametrize(("limit", "value"), [("TILE", 10), ("TILE_PIXELS", 810)])
def test_half_of_a_symmetric_product_is_enough(monkeypatch, limit, value):
    """Of 4 x 4 tiles 10 are computed, smaller ones of larger pictures; the last ones are rests."""
    tile = Mock(wraps=_tile)
    monkeypatch.setattr(module, limit, value)
    monkeypatch.setattr(module, "_tile", tile)
    test_it_is_the_product_of_normalised_pictures(37)
    computed = [(len(left), len(right)) for (left, right, *_), _ in tile.call_args_list]
    assert sorted(computed) == [(7, 7)] + [(7, 10)] * 3 + [(10, 10)] * 6


def test_an_interruption_does_not_wait_for_all_tiles(monkeypatch):
    """Those that no thread has begun are left undone."""
    begun = []

    def tile(left, right, *_how):
        begun.append(len(left))
        if len(begun) == 1:
            raise KeyboardInterrupt
        time.sleep(0.05)
        return np.zeros((len(left), len(right)))

    monkeypatch.setattr(module, "TILE", 1)
    monkeypatch.setattr(module, "_tile", tile)
    array, half = np.zeros((20, 3, 1, 1), dtype=np.uint8), (0.5, 0.5, 0.5)
    with pytest.raises(KeyboardInterrupt):
        gram(array, Normalisation(half, half), out=np.empty((20, 20)))
    assert len(begun) < 20 * 21 / 2


@pytest.mark.parametrize(
    ("cores", "by", "limits", "architecture", "feature"),
    [
        (1, "floats", {"OPENBLAS_CORETYPE": "Nehalem"}, "Nehalem", None),
        (2, "floats", {"OPENBLAS_CORETYPE": "Haswell"}, "Haswell", None),
        (2, "floats", {"NPY_DISABLE_CPU_FEATURES": "X86_V3"}, None, "X86_V3"),
        (2, "bytes", {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "AVX2"}, None, None),
    ],
)
def test_threads_and_instruction_sets_change_no_bit(cores, by, limits, architecture, feature):
    """The same hash as from integer arithmetic followed by the same float64 steps."""
    command = [sys.executable, "-W", "error", "-c", HASH, str(cores), by]
    printed = subprocess.check_output(command, env=os.environ | limits, text=True)
    found, taken, features = printed.splitlines()
    assert architecture in (None, taken)
    assert feature is None or f"'{feature}'" not in features
    pictures = np.random.default_rng(0).integers(0, 256, (40, 3, 64, 64), dtype=np.uint8)
    total = np.zeros((40, 40))
    for channel, (mean, std) in enumerate(zip((0.5, 0.4, 0.3), (0.5, 0.2, 0.1), strict=True)):
        slope, intercept = 1 / (255 * std), -mean / std
        offset = intercept + 128 * slope
        u = pictures[:, channel].reshape(40, -1).astype(np.int64) - 128
        total += slope * slope * (u @ u.T)
        total += slope * offset * (u.sum(1)[:, None] + u.sum(1))
        total += 64 * 64 * offset * offset
    assert found == hashlib.sha256(total.astype(np.float32).tobytes()).hexdigest()


@pytest.fixture
def always(monkeypatch):
    """Whatever processor this is: torch can do it on any."""
    monkeypatch.setattr(int8, "_has_instructions", lambda: True)


@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 5, 1_023), (3, 2, PIXELS + 1)])
def test_products_of_bytes_are_those_of_integers(shape):
    """In shapes that no vector divides, and beyond the pixels that int32 holds."""
    rng = np.random.default_rng(0)
    u, v = (rng.integers(0, 256, (n, shape[2]), dtype=np.uint8) for n in shape[:2])
    exact = (u.astype(np.int64) - 128) @ (v.astype(np.int64) - 128).T
    assert np.array_equal(byte_product(u, v), exact)
    apart = np.stack([v, u[:1].repeat(len(v), 0)], axis=1)[:, 0]  # one channel of several
    assert np.array_equal(byte_product(u, apart), exact)


@pytest.mark.usefixtures("always")
def test_the_gram_matrix_has_the_same_bits(monkeypatch):
    """As by products of floats; torch is not asked for its own where it would take longer."""
    monkeypatch.setattr(module, "TILE", 16)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(1))
    pictures = np.random.default_rng(0).integers(0, 256, (40, 3, 64, 64), dtype=np.uint8)
    how = Normalisation((0.5, 0.4, 0.3), (0.5, 0.2, 0.1))
    quick, plain = np.empty((2, 40, 40), dtype=np.float32)
    used = []
    monkeypatch.setattr(int8, "byte_product", lambda u, v: used.append(1) or byte_product(u, v))
    gram(pictures, how, out=quick)
    assert len(used) > 1  # beyond the check
    monkeypatch.setattr(int8, "_has_instructions", lambda: False)
    monkeypatch.setattr(int8, "is_exact", lambda: pytest.fail("asked"))
    gram(pictures, how, out=plain)
    assert quick_product() is None
    assert np.array_equal(quick, plain)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(
    "wrong",
    [
        lambda u, v: torch.zeros(len(u), v.shape[1]),
        lambda u, v: (u.int() @ v.int()).clamp(max=2**29),
        lambda u, v: (u.short() @ v.short()).int(),
        lambda u: u,
    ],
    ids=["zeros", "saturated", "overflown", "other arguments"],
)
def test_what_does_not_compute_exactly_is_not_used(wrong, monkeypatch):
    """Nor what is not there any more."""
    assert quick_product() is byte_product
    monkeypatch.setattr(torch, "_int_mm", wrong)
    assert not is_exact()
    assert quick_product() is None
    monkeypatch.delattr(torch, "_int_mm")
    assert quick_product() is None
