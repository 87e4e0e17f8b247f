"""Normalisation is the article's."""

import torch

from shallowdeep.prepared.normalisation import Normalisation


def test_it_is_torchvisions():
    """Equal to ToTensor and Normalize on every byte, each channel with its own numbers."""
    from torchvision.transforms import v2  # a second

    mean, std = (0.5, 0.4, 0.3), (0.5, 0.2, 0.1)
    picture = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16).expand(3, -1, -1)
    peer = v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, std)])
    torch.testing.assert_close(Normalisation(mean, std).apply(picture), peer(picture))


def test_a_half_and_a_half_give_minus_one_to_one():
    """The article's numbers; no second array is made where one is given."""
    half = Normalisation((0.5,) * 3, (0.5,) * 3)
    ends = torch.tensor([0, 255], dtype=torch.uint8).expand(3, 1, 2)
    torch.testing.assert_close(half.apply(ends), torch.tensor([-1.0, 1.0]).expand(3, 1, 2))
    out = torch.empty(2, 3, 4, 4, dtype=torch.float64)
    assert half.apply(torch.zeros_like(out), out=out) is out
