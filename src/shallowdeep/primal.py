"""The ordinary solver: a first layer whose weights move over pixels."""

from collections.abc import Iterator

import torch
from torch import Tensor

from shallowdeep.network import Layer, product
from shallowdeep.normalisation import Normalisation
from shallowdeep.propagation import linear_forward

CHUNK = 32  # pictures normalised at a time where no gradient is wanted: 6 MiB at 128 x 128 pixels


class PixelLayer:
    """The first layer of R runs, trained on the pictures themselves.

    Pictures stay bytes; a batch is gathered into one buffer and normalised into another.

    Attributes:
        weight: floating point [R, h, D], trained in place.
        bias: floating point [R, h, 1], trained in place.
    """

    def __init__(
        self,
        layer: Layer,
        pictures: Tensor,  # uint8 [N, 3, S, S]
        normalisation: Normalisation,
        *,
        train: Tensor,  # int64 [N_train], rows of `pictures`
        validation: Tensor,  # int64 [N_validation]
    ) -> None:
        self.weight, self.bias = layer
        self._pictures = pictures
        self._normalisation = normalisation
        self._train = train
        self._validation = validation
        self._inputs = self.weight.new_empty(0)  # the latest batch [R, m, D]

    @property
    def state(self) -> list[Tensor]:
        """All that training changes, each with the runs along its first axis."""
        return [self.weight, self.bias]

    def forward(self, rows: Tensor) -> Tensor:
        """Outputs [R, h, m] for a batch: int64 [R, m], positions in `train`."""
        if self._inputs.shape[:2] != rows.shape:
            self._make_buffers(*rows.shape)
        rows = self._train[rows]
        torch.index_select(self._pictures, 0, rows.reshape(-1), out=self._bytes)
        self._normalisation.apply(self._bytes, out=self._inputs.view(self._bytes.shape))
        outputs: Tensor = linear_forward(self._inputs.mT, self.weight, self.bias)
        return outputs

    def backward(self, dZ: Tensor, lr: float) -> None:
        """Descend along the gradient, `dZ` [R, h, m] being the loss's for the latest outputs."""
        m = dZ.shape[-1]
        self.weight.baddbmm_(dZ, self._inputs, alpha=-lr / m)
        self.bias.sub_(dZ.sum(-1, keepdim=True), alpha=lr / m)

    def validation(self) -> Tensor:
        """Outputs [R, h, N_validation]."""
        return pixel_outputs(
            Layer(self.weight, self.bias), self._pictures, self._normalisation, self._validation
        )

    def trained(self) -> Layer:
        """The layer as it is now."""
        return Layer(self.weight, self.bias)

    def _make_buffers(self, runs: int, m: int) -> None:
        shape = self._pictures.shape[1:]
        self._bytes = self._pictures.new_empty((runs * m, *shape))
        self._inputs = self.weight.new_empty((runs, m, shape.numel()))


def inputs(
    pictures: Tensor, normalisation: Normalisation, rows: Tensor, *, dtype: torch.dtype
) -> Iterator[Tensor]:
    """What a network is given of `rows` [n] of `pictures` uint8 [N, 3, S, S], in chunks.

    Yields:
        Normalised pictures [m, D]; the next chunk overwrites them.
    """
    shape = pictures.shape[1:]
    picked = pictures.new_empty((min(CHUNK, len(rows)), *shape))
    numbers = picked.new_empty(picked.shape, dtype=dtype)
    for some in torch.split(rows, CHUNK):
        m = len(some)
        torch.index_select(pictures, 0, some, out=picked[:m])
        yield normalisation.apply(picked[:m], out=numbers[:m]).flatten(1)


def pixel_outputs(
    layer: Layer, pictures: Tensor, normalisation: Normalisation, rows: Tensor
) -> Tensor:
    """A first layer's outputs [R, h, n] for `rows` [n] of `pictures` uint8 [N, 3, S, S]."""
    runs, h, _ = layer.weight.shape
    weight = layer.weight.flatten(0, 1)
    chunks = inputs(pictures, normalisation, rows, dtype=weight.dtype)
    outputs = torch.cat([product(weight, chunk.T) for chunk in chunks], -1)
    return outputs.view(runs, h, -1) + layer.bias
