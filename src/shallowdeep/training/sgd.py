"""Mini-batch SGD on many runs at once, with either solver of the first layer."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from shallowdeep.trained.history import MEASURES
from shallowdeep.training.checkpoint import Checkpoint
from shallowdeep.training.network import Init, Layer, logits_above, probability
from shallowdeep.training.optimiser import Optimiser
from shallowdeep.training.propagation import linear_backward, linear_forward, relu, relu_backward


class Settings(NamedTuple):
    """Settings of every run of a network."""

    hidden: Sequence[int]  # widths of the hidden layers
    epochs: int  # passes over the training pictures
    batch_size: int  # pictures; the last batch of an epoch may be smaller
    lr: float | tuple[float, ...]  # learning rate; of several, each fold takes one
    keep: Literal["last", "best"]  # weights of the last epoch or, run by run, of the best
    init: Init = "torch"
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    @property
    def lrs(self) -> tuple[float, ...]:
        """All learning rates, ascending."""
        return self.lr if isinstance(self.lr, tuple) else (self.lr,)

    def optimiser(self, lr: float | tuple[float, ...]) -> Optimiser:
        """Settings of every step, at some of the learning rates."""
        return Optimiser(lr, self.momentum, self.nesterov, self.weight_decay)


class Epoch(NamedTuple):
    """Measures of one epoch, run by run; fields as in MEASURES."""

    train_loss: Tensor  # [R], mean over the training pictures, each as its batch came up
    validation_loss: Tensor  # [R], after the epoch
    validation_accuracy: Tensor  # [R], after the epoch


class FirstLayer(Protocol):
    """A solver: the layer that sees the pictures, of R runs with h neurons each."""

    bias: Tensor

    def start(self, optimiser: Optimiser) -> None: ...  # noqa: D102
    @property
    def state(self) -> list[Tensor]: ...  # noqa: D102
    def prefetched(self, batches: Sequence[Tensor]) -> Iterable[Tensor]: ...  # noqa: D102
    def forward(self, rows: Tensor) -> Tensor: ...  # noqa: D102
    def backward(self, dZ: Tensor, optimiser: Optimiser) -> None: ...  # noqa: D102
    def outputs(self, rows: Tensor) -> Tensor: ...  # noqa: D102


class Rows(NamedTuple):
    """Pictures of each run, as rows of the prepared set; int64."""

    train: Tensor  # [R, N_train]
    validation: Tensor  # [R, N_validation]
    test: Tensor  # [R, N_test]


class Runs:
    """Independent runs of one network that train in step.

    Args:
        first: the layer that sees the pictures, trained in place.
        upper: the others, trained in place.
        labels: class of every picture, 0 or 1, in floating point [N].
        rows: pictures of each run.
        generators: source of each run's batch orders.
        optimiser: of every step.

    Attributes:
        outputs: of the current epoch's training pictures, each as its batch came up [R, N_train].
    """

    def __init__(
        self,
        first: FirstLayer,
        upper: Sequence[Layer],
        labels: Tensor,
        rows: Rows,
        generators: Sequence[torch.Generator],
        optimiser: Optimiser,
    ) -> None:
        self.first, self.upper, self.rows, self.generators = first, upper, rows, generators
        self._optimiser = optimiser
        first.start(optimiser)
        self.outputs = labels.new_zeros(rows.train.shape)
        self._labels = labels
        # On a CPU the small upper layers run in NumPy, whose calls cost half of torch's.
        on_cpu = labels.device.type == "cpu"
        self._native: Callable[[Tensor], Any] = Tensor.numpy if on_cpu else lambda tensor: tensor
        self._native_upper = [tuple(map(self._native, layer)) for layer in self.upper]
        self._velocity = [tuple(map(torch.zeros_like, layer)) for layer in self.upper]
        self._native_velocity = [tuple(map(self._native, layer)) for layer in self._velocity]
        self._record = labels.is_cuda and torch.cuda.is_available()
        self._recorded: dict[int, _Recorded | None] = {}  # by pictures in a batch

    @property
    def state(self) -> list[Tensor]:
        """All that a step changes, each tensor with the runs along its first axis."""
        return [*self.first.state, *itertools.chain(*self.upper, *self._velocity)]

    def epoch(
        self,
        *,
        batch_size: int,
        seen: int = 0,
        before_batch: Callable[[int], None] = lambda _: None,
    ) -> Epoch:
        """Train on every training picture once, each run in an order of its own.

        Args:
            batch_size: pictures in a mini-batch.
            seen: training pictures that an interrupted epoch has seen; `outputs` holds theirs.
            before_batch: called with the number of pictures seen; an exception ends the epoch.
        """
        train, validation, _ = self.rows
        orders = [torch.randperm(train.shape[1], generator=each) for each in self.generators]
        order = train.gather(1, torch.stack(orders).to(train.device))
        labels = self._labels[order]
        batches, right, outputs = (
            torch.split(tensor[:, seen:], batch_size, 1) for tensor in (order, labels, self.outputs)
        )
        step = self._recorded_step if self._record else self._step
        with np.errstate(over="ignore", invalid="ignore"):  # the loss shows it, after the epoch
            for rows, answers, out in zip(
                self.first.prefetched(batches), right, outputs, strict=True
            ):
                before_batch(seen)
                out.copy_(step(rows, answers))
                seen += rows.shape[1]
            logits = logits_above(self.first.outputs(validation), self.upper)
        wanted = self._labels[validation]
        return Epoch(
            _loss(self.outputs, labels),
            _loss(logits, wanted),
            ((logits > 0) == wanted).to(logits.dtype).mean(1),
        )

    def predict(self, rows: Tensor) -> Tensor:
        """Predict the probability of the second class by each run: [R, n] for rows [R, n]."""
        return probability(logits_above(self.first.outputs(rows), self.upper))

    def _step(self, rows: Tensor, labels: Tensor) -> Tensor:
        """Take one step of SGD on a batch, both [R, m]; returns the outputs before it, [R, m]."""
        Z = self._native(self.first.forward(rows))
        inputs = []
        for weight, bias in self._native_upper:
            inputs.append(relu(Z))
            Z = linear_forward(inputs[-1], weight, bias)
        outputs = torch.as_tensor(Z)
        dZ = self._native(probability(outputs) - labels[:, None])  # of binary cross-entropy
        for (weight, bias), velocity, A in zip(
            reversed(self._native_upper),
            reversed(self._native_velocity),
            reversed(inputs),
            strict=True,
        ):
            dA, dW, db = linear_backward(dZ, A, weight)
            self._optimiser.descend(weight, dW, velocity[0])
            self._optimiser.descend(bias, db, velocity[1])
            dZ = relu_backward(dA, A)
        self.first.backward(torch.as_tensor(dZ), self._optimiser)
        return outputs[:, 0]

    def _recorded_step(self, rows: Tensor, labels: Tensor) -> Tensor:
        """Take a step on a CUDA device: the first of each batch size directly, others by graph."""
        size = rows.shape[1]
        if size not in self._recorded:  # in it, libraries set themselves up
            self._recorded[size] = None
            return self._step(rows, labels)
        recorded = self._recorded[size] or _Recorded(self._step, rows, labels)
        self._recorded[size] = recorded
        return recorded.repeat(rows, labels)


class _Recorded:
    """A step that a CUDA device repeats by itself, as a CUDA graph, to the same bits.

    A step is up to 55 kernels, most of 2 microseconds; to start one takes the CPU five times that.
    """

    def __init__(
        self,
        step: Callable[[Tensor, Tensor], Tensor],
        rows: Tensor,
        labels: Tensor,
    ) -> None:
        """Record a step for a batch like this one, without doing it."""
        self._rows, self._labels = rows.clone(), labels.clone()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._outputs = step(self._rows, self._labels)

    def repeat(self, rows: Tensor, labels: Tensor) -> Tensor:
        """Do it for another batch; the next repetition overwrites the outputs."""
        self._rows.copy_(rows)
        self._labels.copy_(labels)
        self._graph.replay()
        return self._outputs


def measures_line(train_loss: float, validation_accuracy: float) -> str:
    """Two measures for the terminal, as means over runs."""
    return f"training loss {train_loss:.4f}, validation accuracy {validation_accuracy:.3f}"


def _loss(outputs: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy per run, of outputs before the sigmoid [R, n]: [R]."""
    return binary_cross_entropy_with_logits(outputs, labels, reduction="none").mean(1)


class Best:
    """Weights of each run after the epoch with its lowest validation loss.

    Attributes:
        state: the kept weights, and the loss of each run [R] that they had.
    """

    def __init__(self, runs: Runs) -> None:
        self._now = runs.state
        self._kept = [tensor.clone() for tensor in self._now]
        self._loss = runs.outputs.new_full(runs.outputs.shape[:1], torch.inf)
        self.state = [*self._kept, self._loss]

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


class Trained(NamedTuple):
    """Result of a training, on the CPU."""

    history: Tensor  # [E, 3, R], measures as in Epoch
    test: Tensor  # [A, R, N_test], probabilities; the last are of the kept weights


def train(
    runs: Runs,
    settings: Settings,
    *,
    predict_after: Sequence[int] = (),
    before_batches: Callable[[int], None] = lambda _: None,
    after_epoch: Callable[[int, Epoch], None] = lambda *_: None,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train all runs, and leave them with the weights that are kept.

    Args:
        runs: runs of one network.
        settings: their settings.
        predict_after: epochs before the last after which the test pictures are predicted too.
        before_batches: called with 1 before each batch, and at first with the number of batches
            that the checkpoint holds; an exception ends the training.
        after_epoch: called with number and measures of each epoch; an exception ends the training.
        checkpoint: of an interrupted training, and of this one. A resumed training gives the bits
            of one that was not interrupted.
    """
    epochs, batch_size = settings.epochs, settings.batch_size
    best = Best(runs) if settings.keep == "best" else None
    predicted = [number for number in predict_after if number < epochs]
    count, pictures = runs.rows.train.shape
    done = torch.zeros(2, dtype=torch.int64)  # epochs, and pictures of the current one
    generators = _generator_states(runs)  # before the current epoch's orders were drawn
    history = torch.zeros(epochs, len(MEASURES), count, dtype=runs.outputs.dtype)
    test = history.new_zeros(len(predicted) + 1, *runs.rows.test.shape)
    state = {"done": done, "generators": generators, "history": history, "test": test}
    state |= {"outputs": runs.outputs} | _numbered("weights", runs.state)
    state |= _numbered("best", best.state) if best else {}
    if checkpoint and (saved := checkpoint.read(state)):
        for name, tensor in state.items():
            tensor.copy_(saved[name])
        for generator, value in zip(runs.generators, generators, strict=True):
            generator.set_state(value.clone())  # at a view of a larger tensor torch 2.15 crashes
    first, seen = done.tolist()
    before_batches(first * -(-pictures // batch_size) + seen // batch_size)

    def before_batch(seen: int) -> None:
        before_batches(1)
        if checkpoint and checkpoint.is_due():
            done[1] = seen
            checkpoint.write(state)

    for number in range(first + 1, epochs + 1):
        epoch = runs.epoch(batch_size=batch_size, seen=seen, before_batch=before_batch)
        if best:
            best.update(epoch.validation_loss)
        history[number - 1] = torch.stack(epoch).cpu()
        if number in predicted:
            test[predicted.index(number)] = runs.predict(runs.rows.test).cpu()
        seen = 0
        done.copy_(torch.tensor([number, seen]))
        generators.copy_(_generator_states(runs))
        after_epoch(number, Epoch(*history[number - 1]))
        if checkpoint and checkpoint.is_due(finished=number == epochs):
            checkpoint.write(state)
    if best:
        best.restore()
    test[-1] = runs.predict(runs.rows.test).cpu()
    return Trained(history, test)


def _generator_states(runs: Runs) -> Tensor:
    return torch.stack([generator.get_state() for generator in runs.generators])


def _numbered(name: str, tensors: Sequence[Tensor]) -> dict[str, Tensor]:
    return {f"{name}.{number}": tensor for number, tensor in enumerate(tensors)}
