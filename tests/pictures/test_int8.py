"""Products of bytes by the processor's own instructions are exact, or are not used."""

import numpy as np
import pytest
import torch

from shallowdeep.pictures import int8
from shallowdeep.pictures.gram import gram
from shallowdeep.pictures.int8 import PIXELS, byte_product, is_exact, quick_product
from shallowdeep.prepared.normalisation import Normalisation


@pytest.fixture
def always(monkeypatch):
    """Whatever processor this is: torch can do it on any."""
    monkeypatch.setattr(int8, "_has_instructions", lambda: True)


@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 5, 1_023), (3, 2, PIXELS + 1)])
def test_products_are_those_of_integers(shape):
    """In shapes that no vector divides, and beyond the pixels that int32 holds."""
    rng = np.random.default_rng(0)
    u, v = (rng.integers(0, 256, (n, shape[2]), dtype=np.uint8) for n in shape[:2])
    exact = (u.astype(np.int64) - 128) @ (v.astype(np.int64) - 128).T
    assert np.array_equal(byte_product(u, v), exact)
    apart = np.stack([v, u[:1].repeat(len(v), 0)], axis=1)[:, 0]  # one channel of several
    assert np.array_equal(byte_product(u, apart), exact)


@pytest.mark.usefixtures("always")
def test_the_gram_matrix_has_the_same_bits(monkeypatch):
    """As by products of floats."""
    pictures = np.random.default_rng(0).integers(0, 256, (40, 3, 9, 9), dtype=np.uint8)
    how = Normalisation((0.5, 0.4, 0.3), (0.5, 0.2, 0.1))
    quick, plain = np.empty((2, 40, 40), dtype=np.float32)
    used = []
    monkeypatch.setattr(int8, "byte_product", lambda u, v: used.append(1) or byte_product(u, v))
    gram(pictures, how, out=quick)
    assert len(used) > 1  # beyond the check
    monkeypatch.setattr(int8, "_has_instructions", lambda: False)
    gram(pictures, how, out=plain)
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


def test_without_the_instructions_torch_is_not_asked(monkeypatch):
    """It would take twenty times as long."""
    monkeypatch.setattr(int8, "is_exact", lambda: pytest.fail("asked"))
    monkeypatch.setattr(int8, "_has_instructions", lambda: False)
    assert quick_product() is None
