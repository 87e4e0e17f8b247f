"""The ordinary solver: a first layer whose weights move over pixels."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor

from shallowdeep.files.cores import side_by_side
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.training.network import Layer, product
from shallowdeep.training.picture_file import Pictures, announced, copy_rows
from shallowdeep.training.ranks import BY_ITSELF, Team

CHUNK = 32  # pictures normalised at a time where no gradient is wanted: 6 MiB at 128 x 128 pixels


class Batches:
    """Pictures stay bytes; a batch is gathered into one buffer and normalised into another.

    Attributes:
        pictures: uint8 [N, 3, S, S].
        normalisation: what makes them a network's inputs.
    """

    def __init__(
        self, pictures: Pictures, normalisation: Normalisation, dtype: torch.dtype
    ) -> None:
        self.pictures, self.normalisation = pictures, normalisation
        self._bytes = _bytes(pictures, 0)
        self._inputs = self._bytes.to(dtype)

    def gather(self, rows: Tensor) -> Tensor:
        """Inputs [R, m, D] of the pictures `rows` [R, m]; the next batch overwrites them."""
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

    def __init__(self, layer: Layer, batches: Batches, team: Team = BY_ITSELF) -> None:
        """From a layer and pictures, or from a band of both that is a team member's."""
        self.weight, self.bias = layer
        self._batches, self._team = batches, team
        self.can_be_recorded = team.size == 1

    @property
    def state(self) -> list[Tensor]:
        """All that training changes, each with the runs along its first axis."""
        return [self.weight, self.bias]

    def in_turn(self, batches: Sequence[Tensor]) -> Iterable[Tensor]:
        """Batches of an epoch, int64 [R, m], whose pictures are read ahead of their turn."""
        return announced(self._batches.pictures, batches)

    def forward(self, rows: Tensor) -> Tensor:
        """Outputs [R, h, m] for a batch: int64 [R, m], rows of the pictures."""
        self._inputs = self._batches.gather(rows)
        return self._team.summed(self.weight @ self._inputs.mT) + self.bias

    def backward(self, dZ: Tensor, lr: float) -> None:
        """Descend along the gradient, `dZ` [R, h, m] being the loss's for the latest outputs."""
        m = dZ.shape[-1]
        self.weight.baddbmm_(dZ, self._inputs, alpha=-lr / m)
        self.bias.sub_(dZ.sum(-1, keepdim=True), alpha=lr / m)

    def outputs(self, rows: Tensor) -> Tensor:
        """Outputs [R, h, n] for pictures int64 [R, n], the same for every run."""
        pictures, normalisation = self._batches.pictures, self._batches.normalisation
        part = pixel_outputs(self.weight, pictures, normalisation, rows[0])
        return self._team.summed(part) + self.bias


def _bytes(pictures: Pictures, count: int) -> Tensor:
    """Room for so many pictures."""
    return torch.empty((count, *pictures.shape[1:]), dtype=torch.uint8, device=pictures.device)


def inputs(
    pictures: Pictures, normalisation: Normalisation, rows: Tensor, *, dtype: torch.dtype
) -> Iterator[Tensor]:
    """What a network is given of `rows` [n] of `pictures` uint8 [N, 3, S, S], in chunks.

    Yields:
        Normalised pictures [m, D]; the next chunk overwrites them.
    """
    picked = _bytes(pictures, min(CHUNK, len(rows)))
    numbers = picked.new_empty(picked.shape, dtype=dtype)
    for some in announced(pictures, torch.split(rows, CHUNK)):
        m = len(some)
        copy_rows(pictures, some, out=picked[:m])
        yield normalisation.apply(picked[:m], out=numbers[:m]).flatten(1)


def pixel_outputs(
    weight: Tensor, pictures: Pictures, normalisation: Normalisation, rows: Tensor
) -> Tensor:
    """What a first layer [R, h, D] says, without its bias, about `rows` [n]: [R, h, n]."""
    runs, h, _ = weight.shape
    of_all = weight.flatten(0, 1)
    chunks = inputs(pictures, normalisation, rows, dtype=weight.dtype)
    outputs = torch.cat([product(of_all, chunk.T) for chunk in chunks], -1)
    return outputs.view(runs, h, -1)


def one_thread() -> None:
    """Let torch compute in this thread alone: a new one takes as many as there are cores."""
    torch.set_num_threads(1)


def on_all_pictures(
    weights: Sequence[Tensor],
    pictures: Pictures,
    normalisation: Normalisation,
    *,
    threads: int,
    advance: Callable[[int], None] = lambda _: None,
) -> list[Tensor]:
    """What first layers say about all pictures, without their bias.

    Args:
        weights: floating point [R, h, D], of several stacks of runs.
        pictures: uint8 [N, 3, S, S]; they are gone through once for all stacks.
        normalisation: what makes bytes the inputs of a network.
        threads: how many share the work; the bits are the same for any number.
        advance: called with each number of pictures that are done, from any thread.

    Returns:
        Floating point [R, h, N] for each stack.
    """
    found = [weight.new_empty((*weight.shape[:2], len(pictures))) for weight in weights]

    def some(start: int) -> None:
        end = min(start + CHUNK, len(pictures))
        rows = torch.arange(start, end, device=pictures.device)
        for numbers in inputs(pictures, normalisation, rows, dtype=weights[0].dtype):
            for weight, Z in zip(weights, found, strict=True):
                moved = product(weight.flatten(0, 1), numbers.T)
                Z[..., start:end] = moved.view(*weight.shape[:2], end - start)
        advance(end - start)

    starts = range(0, len(pictures), CHUNK)
    side_by_side(some, starts, threads=threads, begin=one_thread)
    return found
