"""Mini-batch SGD on many runs at once, whichever solver moves the first layer."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from shallowdeep.files.errors import InputError
from shallowdeep.training.checkpoint import Checkpoint
from shallowdeep.training.network import Layer, logits_above
from shallowdeep.training.propagation import linear_backward, linear_forward, relu, relu_backward


class FirstLayer(Protocol):
    """What a solver brings: the layer that sees the pictures, of R runs, h neurons each."""

    @property
    def state(self) -> list[Tensor]: ...  # noqa: D102
    def forward(self, rows: Tensor, turn: slice) -> Tensor: ...  # noqa: D102
    def backward(self, dZ: Tensor, lr: float) -> None: ...  # noqa: D102
    def validation(self) -> Tensor: ...  # noqa: D102
    def trained(self) -> Layer: ...  # noqa: D102


class Labels(NamedTuple):
    """The right answers, 0 or 1, in floating point."""

    train: Tensor  # [N_train]
    validation: Tensor  # [N_validation]


class Epoch(NamedTuple):
    """What one epoch came to, run by run."""

    train_loss: Tensor  # [R], mean over the training pictures, each as its batch came up
    validation_loss: Tensor  # [R], after the epoch
    validation_accuracy: Tensor  # [R], after the epoch


class Runs:
    """Independent runs of one network.

    Args:
        first: the layer that sees the pictures.
        upper: the others.
        labels: the right answers.
        generators: where each run draws its batch orders from.
        turns: which runs train in step; the turns follow each other, an epoch each.
    """

    def __init__(
        self,
        first: FirstLayer,
        upper: Sequence[Layer],
        labels: Labels,
        generators: Sequence[torch.Generator],
        *,
        turns: Sequence[slice],
    ) -> None:
        self._first = first
        self._upper = list(upper)
        self._labels = labels
        self._generators = generators
        self._turns = turns
        # On a CPU the small upper layers run in NumPy, whose calls cost half of torch's.
        on_cpu = labels.train.device.type == "cpu"
        self._native: Callable[[Tensor], Any] = Tensor.numpy if on_cpu else lambda tensor: tensor
        self._native_upper = [
            [tuple(self._native(tensor[turn]) for tensor in layer) for layer in self._upper]
            for turn in turns
        ]

    @property
    def state(self) -> list[Tensor]:
        """All that training changes, each with the runs along its first axis."""
        return [*self._first.state, *(tensor for layer in self._upper for tensor in layer)]

    @property
    def generators(self) -> Sequence[torch.Generator]:
        """Where the runs draw their orders from."""
        return self._generators

    def epoch(self, *, batch_size: int, lr: float) -> Epoch:
        """See every training picture once, each run in an order of its own."""
        labels = self._labels.train
        orders = [torch.randperm(len(labels), generator=each) for each in self._generators]
        order = torch.stack(orders).to(labels.device)
        expected = labels[order]
        with np.errstate(over="ignore", invalid="ignore"):  # told from the loss, after the epoch
            seen = torch.cat(
                [
                    self._train(turn, order, expected, batch_size, lr)
                    for turn in range(len(self._turns))
                ]
            )
            outputs = logits_above(self._first.validation(), self._upper)
        return Epoch(
            _loss(seen, expected),
            _loss(outputs, self._labels.validation.expand_as(outputs)),
            ((outputs > 0) == self._labels.validation).to(outputs.dtype).mean(1),
        )

    def _train(
        self, turn: int, order: Tensor, expected: Tensor, batch_size: int, lr: float
    ) -> Tensor:
        """An epoch of one turn's runs, r of R; returns what came out before each step, [r, N]."""
        runs = self._turns[turn]
        batches = zip(
            torch.split(order[runs], batch_size, 1),
            torch.split(expected[runs], batch_size, 1),
            strict=True,
        )
        return torch.cat([self._step(turn, rows, answers, lr) for rows, answers in batches], 1)

    def _step(self, turn: int, rows: Tensor, labels: Tensor, lr: float) -> Tensor:
        """One step of SGD on a batch, both [r, m]; returns the outputs before it, [r, m]."""
        Z = self._native(self._first.forward(rows, self._turns[turn]))
        upper = self._native_upper[turn]
        inputs = []
        for weight, bias in upper:
            inputs.append(relu(Z))
            Z = linear_forward(inputs[-1], weight, bias)
        outputs = torch.as_tensor(Z)
        dZ = self._native(outputs.sigmoid() - labels[:, None])  # of binary cross-entropy
        for layer, A in zip(reversed(upper), reversed(inputs), strict=True):
            weight, bias = layer
            dA, dW, db = linear_backward(dZ, A, weight)
            weight -= lr * dW
            bias -= lr * db
            dZ = relu_backward(dA, A)
        self._first.backward(torch.as_tensor(dZ), lr)
        return outputs[:, 0]

    def trained(self) -> list[Layer]:
        """The network as it is now."""
        return [self._first.trained(), *self._upper]


def _loss(outputs: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy per run, of outputs before the sigmoid [R, n]: [R]."""
    return binary_cross_entropy_with_logits(outputs, labels, reduction="none").mean(1)


class Best:
    """The state of each run after the epoch with its lowest validation loss."""

    def __init__(self, runs: Runs) -> None:
        self._now = runs.state
        self._kept = [tensor.clone() for tensor in self._now]
        self._loss = torch.full(self._now[0].shape[:1], torch.inf).to(self._now[0])

    @property
    def state(self) -> list[Tensor]:
        """What is kept, and the loss of each run that it had."""
        return [*self._kept, self._loss]

    def update(self, loss: Tensor) -> None:
        """Keep the runs whose validation loss [R] has gone down."""
        better = loss < self._loss
        self._loss[better] = loss[better]
        for kept, now in zip(self._kept, self._now, strict=True):
            kept[better] = now[better]

    def restore(self) -> None:
        """Put every run back to its best epoch."""
        for kept, now in zip(self._kept, self._now, strict=True):
            now.copy_(kept)


def train(
    runs: Runs,
    *,
    epochs: int,
    batch_size: int,
    lr: float,
    keep: Literal["last", "best"],
    report: Callable[[Epoch], None],
    checkpoint: Checkpoint | None = None,
) -> list[Epoch]:
    """Train all runs.

    Args:
        runs: all runs of one network.
        epochs: passes over the training pictures.
        batch_size: pictures in a mini-batch; the last of an epoch may be smaller.
        lr: learning rate.
        keep: leave the weights of the last epoch or, run by run, of the best.
        report: called after each epoch with what it came to.
        checkpoint: where an interrupted training has left its state, and this one leaves its own;
            what comes of a training that goes on from there is the same to the last bit.

    Returns:
        One entry per epoch.

    Raises:
        InputError: a loss is not finite; the message names run, epoch and learning rate.
    """
    best = Best(runs) if keep == "best" else None
    changing = runs.state + (best.state if best else [])
    history = _resume(changing, runs.generators, checkpoint)
    for epoch in history:
        report(epoch)
    for number in range(len(history) + 1, epochs + 1):
        epoch = runs.epoch(batch_size=batch_size, lr=lr)
        if best:
            best.update(epoch.validation_loss)
        epoch = Epoch(*(tensor.cpu() for tensor in epoch))
        _check_finite(epoch, number, lr)
        history.append(epoch)
        report(epoch)
        if checkpoint and number < epochs:
            checkpoint.offer(lambda: _state(changing, runs.generators, history))
    if best:
        best.restore()
    return history


def _state(
    changing: Sequence[Tensor], generators: Sequence[torch.Generator], history: list[Epoch]
) -> dict[str, Any]:
    """What a checkpoint holds."""
    past = torch.stack([torch.stack(epoch) for epoch in history])
    drawn = [generator.get_state() for generator in generators]
    return {"tensors": [*(tensor.cpu() for tensor in changing), *drawn, past]}


def _resume(
    changing: Sequence[Tensor],
    generators: Sequence[torch.Generator],
    checkpoint: Checkpoint | None,
) -> list[Epoch]:
    """Put everything back to where a checkpoint left it; returns the epochs so far."""
    content = checkpoint.read() if checkpoint else None
    if content is None:
        return []
    *saved, past = content["tensors"]
    for tensor, value in zip(changing, saved[: len(changing)], strict=True):
        tensor.copy_(value)
    for generator, value in zip(generators, saved[len(changing) :], strict=True):
        generator.set_state(value)
    return [Epoch(*epoch) for epoch in past]


def _check_finite(epoch: Epoch, number: int, lr: float) -> None:
    finite = epoch.train_loss.isfinite() & epoch.validation_loss.isfinite()
    if not finite.all():
        run = int((~finite).nonzero()[0])
        raise InputError(
            f"run {run}, epoch {number}: the loss is not finite at lr {lr:g}; a smaller lr may help"
        )
