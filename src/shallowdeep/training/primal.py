"""The ordinary solver: a first layer whose weights move over pixels."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor

from shallowdeep.files.cores import side_by_side
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.training.network import Layer, product
from shallowdeep.training.optimiser import Optimiser
from shallowdeep.training.picture_file import Pictures, copy_rows, prefetched

CHUNK = 32  # pictures normalised at a time where no gradient is wanted: 6 MiB at 128 x 128 pixels


class Batches:
    """Pictures as bytes; a batch is gathered into one buffer and normalised into another.

    Attributes:
        pictures: uint8 [N, 3, S, S].
        normalisation: from bytes to a network's inputs.
    """

    def __init__(
        self, pictures: Pictures, normalisation: Normalisation, dtype: torch.dtype
    ) -> None:
        self.pictures, self.normalisation = pictures, normalisation
        self._bytes = _empty(pictures, 0)
        self._inputs = self._bytes.to(dtype)

    def gather(self, rows: Tensor) -> Tensor:
        """Gather inputs [R, m, D] of pictures `rows` [R, m]; the next batch overwrites them."""
        n = rows.numel()
        if n > len(self._bytes):  # an epoch's last batch, which is smaller, takes part of both
            self._bytes = self._bytes.new_empty((n, *self._bytes.shape[1:]))
            self._inputs = self._inputs.new_empty(self._bytes.shape)
        picked, inputs = self._bytes[:n], self._inputs[:n]
        copy_rows(self.pictures, rows.reshape(-1), out=picked)
        return self.normalisation.apply(picked, out=inputs).view(*rows.shape, -1)


class PixelLayer:
    """The first layer of R runs, trained on the pictures themselves.

    Attributes:
        weight: floating point [R, h, D], trained in place.
        bias: floating point [R, h, 1], trained in place.
    """

    def __init__(self, layer: Layer, batches: Batches) -> None:
        self.weight, self.bias = layer
        self._batches = batches
        self._velocity: list[Tensor] = []  # of weight and bias, where they are used

    @property
    def state(self) -> list[Tensor]:
        """All that a step changes, each tensor with the runs along its first axis."""
        return [self.weight, self.bias, *self._velocity]

    def start(self, optimiser: Optimiser) -> None:
        """Make room for velocities, 786 kB a run of four neurons, if the optimiser uses them."""
        if not optimiser.is_plain:
            self._velocity = [torch.zeros_like(self.weight), torch.zeros_like(self.bias)]

    def prefetched(self, batches: Sequence[Tensor]) -> Iterable[Tensor]:
        """Yield batches of an epoch, int64 [R, m], with their pictures prefetched."""
        return prefetched(self._batches.pictures, batches)

    def forward(self, rows: Tensor) -> Tensor:
        """Outputs [R, h, m] for a batch: int64 [R, m], rows of the pictures."""
        self._inputs = self._batches.gather(rows)
        return self.weight @ self._inputs.mT + self.bias

    def backward(self, dZ: Tensor, optimiser: Optimiser) -> None:
        """Descend along the gradient, `dZ` [R, h, m] being the loss's for the latest outputs.

        Runs in step share one learning rate.
        """
        m = dZ.shape[-1]
        if optimiser.is_plain:  # in one pass over the weights
            rate = optimiser.rate(dZ, m)
            self.weight.baddbmm_(dZ, self._inputs, alpha=-rate)
            self.bias.sub_(dZ.sum(-1, keepdim=True), alpha=rate)
            return
        weight, bias = self._velocity
        optimiser.descend(self.weight, dZ @ self._inputs / m, weight)
        optimiser.descend(self.bias, dZ.sum(-1, keepdim=True) / m, bias)

    def outputs(self, rows: Tensor) -> Tensor:
        """Outputs [R, h, n] for pictures int64 [R, n], the same for every run."""
        pictures, normalisation = self._batches.pictures, self._batches.normalisation
        return pixel_outputs(self.weight, pictures, normalisation, rows[0]) + self.bias


def _empty(pictures: Pictures, count: int) -> Tensor:
    """An uninitialised buffer for so many pictures."""
    return torch.empty((count, *pictures.shape[1:]), dtype=torch.uint8, device=pictures.device)


def inputs(
    pictures: Pictures, normalisation: Normalisation, rows: Tensor, *, dtype: torch.dtype
) -> Iterator[Tensor]:
    """Yield a network's inputs for `rows` [n] of `pictures` uint8 [N, 3, S, S], in chunks.

    Yields:
        Normalised pictures [m, D]; the next chunk overwrites them.
    """
    picked = _empty(pictures, min(CHUNK, len(rows)))
    numbers = picked.new_empty(picked.shape, dtype=dtype)
    for some in prefetched(pictures, torch.split(rows, CHUNK)):
        m = len(some)
        copy_rows(pictures, some, out=picked[:m])
        yield normalisation.apply(picked[:m], out=numbers[:m]).flatten(1)


def pixel_outputs(
    weight: Tensor, pictures: Pictures, normalisation: Normalisation, rows: Tensor
) -> Tensor:
    """Outputs of a first layer [R, h, D], without its bias, for `rows` [n]: [R, h, n]."""
    runs, h, _ = weight.shape
    of_all = weight.flatten(0, 1)
    chunks = inputs(pictures, normalisation, rows, dtype=weight.dtype)
    outputs = torch.cat([product(of_all, chunk.T) for chunk in chunks], -1)
    return outputs.view(runs, h, -1)


def one_thread() -> None:
    """Let torch compute in this thread alone: a new thread takes all cores."""
    torch.set_num_threads(1)


def on_all_pictures(
    weights: Sequence[Tensor],
    pictures: Pictures,
    normalisation: Normalisation,
    *,
    threads: int,
    advance: Callable[[int], None] = lambda _: None,
) -> list[Tensor]:
    """Outputs of first layers for all pictures, without their bias.

    Args:
        weights: floating point [R, h, D], of several stacks of runs.
        pictures: uint8 [N, 3, S, S], read once for all stacks.
        normalisation: from bytes to a network's inputs.
        threads: that share the work; the bits are the same for any number.
        advance: called from any thread with each number of pictures that are done.

    Returns:
        Floating point [R, h, N] for each stack.
    """
    outputs = [weight.new_empty((*weight.shape[:2], len(pictures))) for weight in weights]

    def chunk(start: int) -> None:
        end = min(start + CHUNK, len(pictures))
        rows = torch.arange(start, end, device=pictures.device)
        for numbers in inputs(pictures, normalisation, rows, dtype=weights[0].dtype):
            for weight, Z in zip(weights, outputs, strict=True):
                moved = product(weight.flatten(0, 1), numbers.T)
                Z[..., start:end] = moved.view(*weight.shape[:2], end - start)
        advance(end - start)

    starts = range(0, len(pictures), CHUNK)
    side_by_side(chunk, starts, threads=threads, begin=one_thread)
    return outputs
