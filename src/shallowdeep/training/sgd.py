"""Mini-batch SGD on many runs at once, whichever solver moves the first layer."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from shallowdeep.training.checkpoint import Checkpoint
from shallowdeep.training.history import Epoch
from shallowdeep.training.network import Layer, logits_above, probability
from shallowdeep.training.propagation import linear_backward, linear_forward, relu, relu_backward


class FirstLayer(Protocol):
    """What a solver brings: the layer that sees the pictures, of R runs, h neurons each."""

    bias: Tensor
    can_be_recorded: bool  # a step does nothing but compute on its device

    @property
    def state(self) -> list[Tensor]: ...  # noqa: D102
    def in_turn(self, batches: Sequence[Tensor]) -> Iterable[Tensor]: ...  # noqa: D102
    def forward(self, rows: Tensor) -> Tensor: ...  # noqa: D102
    def backward(self, dZ: Tensor, lr: float) -> None: ...  # noqa: D102
    def outputs(self, rows: Tensor) -> Tensor: ...  # noqa: D102


class Rows(NamedTuple):
    """Which pictures each run uses, as rows of the prepared set; int64."""

    train: Tensor  # [R, N_train]
    validation: Tensor  # [R, N_validation]
    test: Tensor  # [R, N_test]


class Runs:
    """Independent runs of one network that train in step.

    Args:
        first: the layer that sees the pictures.
        upper: the others.
        labels: the right answer for every picture, 0 or 1, in floating point [N].
        rows: which pictures each run uses.
        generators: where each run draws its batch orders from.

    Attributes:
        first: the layer that sees the pictures, trained in place.
        upper: the others, trained in place.
        rows: which pictures each run uses.
    """

    def __init__(
        self,
        first: FirstLayer,
        upper: Sequence[Layer],
        labels: Tensor,
        rows: Rows,
        generators: Sequence[torch.Generator],
    ) -> None:
        self.first = first
        self.upper = list(upper)
        self._labels, self.rows = labels, rows
        self._generators = generators
        # On a CPU the small upper layers run in NumPy, whose calls cost half of torch's.
        on_cpu = labels.device.type == "cpu"
        self._native: Callable[[Tensor], Any] = Tensor.numpy if on_cpu else lambda tensor: tensor
        self._native_upper = [tuple(map(self._native, layer)) for layer in self.upper]
        on_cuda = labels.is_cuda and torch.cuda.is_available()
        self._record = on_cuda and first.can_be_recorded
        self._recorded: dict[tuple[int, float], _Recorded | None] = {}

    @property
    def state(self) -> list[Tensor]:
        """All that training changes, each with the runs along its first axis."""
        return [*self.first.state, *(tensor for layer in self.upper for tensor in layer)]

    @property
    def generators(self) -> Sequence[torch.Generator]:
        """Where the runs draw their orders from."""
        return self._generators

    def epoch(
        self,
        *,
        batch_size: int,
        lr: float,
        seen: list[Tensor] | None = None,
        before_step: Callable[[], None] = lambda: None,
    ) -> Epoch:
        """See every training picture once, each run in an order of its own.

        Args:
            batch_size: pictures in a mini-batch.
            lr: learning rate.
            seen: what came out before each step, [R, m]; of an epoch that was interrupted those
                that were done, which are not done again. It grows with each step.
            before_step: called before each; an exception of its own ends the epoch.
        """
        seen = [] if seen is None else seen
        first = sum(outputs.shape[1] for outputs in seen)
        train, validation, _ = self.rows
        drawn = [torch.randperm(train.shape[1], generator=each) for each in self._generators]
        order = train.gather(1, torch.stack(drawn).to(train.device))
        expected = self._labels[order]
        with np.errstate(over="ignore", invalid="ignore"):  # told from the loss, after the epoch
            batches = self.first.in_turn(torch.split(order[:, first:], batch_size, 1))
            right = torch.split(expected[:, first:], batch_size, 1)
            for rows, answers in zip(batches, right, strict=True):
                before_step()
                step = self._recorded_step if self._record else self._step
                seen.append(step(rows, answers, lr))
            outputs = logits_above(self.first.outputs(validation), self.upper)
        wanted = self._labels[validation]
        return Epoch(
            _loss(torch.cat(seen, 1), expected),
            _loss(outputs, wanted),
            ((outputs > 0) == wanted).to(outputs.dtype).mean(1),
        )

    def answers(self) -> Tensor:
        """Probability of the second class by each run, for its test pictures: [R, N_test]."""
        return probability(logits_above(self.first.outputs(self.rows.test), self.upper))

    def _step(self, rows: Tensor, labels: Tensor, lr: float) -> Tensor:
        """One step of SGD on a batch, both [R, m]; returns the outputs before it, [R, m]."""
        Z = self._native(self.first.forward(rows))
        inputs = []
        for weight, bias in self._native_upper:
            inputs.append(relu(Z))
            Z = linear_forward(inputs[-1], weight, bias)
        outputs = torch.as_tensor(Z)
        dZ = self._native(probability(outputs) - labels[:, None])  # of binary cross-entropy
        for layer, A in zip(reversed(self._native_upper), reversed(inputs), strict=True):
            weight, bias = layer
            dA, dW, db = linear_backward(dZ, A, weight)
            weight -= lr * dW
            bias -= lr * db
            dZ = relu_backward(dA, A)
        self.first.backward(torch.as_tensor(dZ), lr)
        return outputs[:, 0]

    def _recorded_step(self, rows: Tensor, labels: Tensor, lr: float) -> Tensor:
        """A step on a CUDA device: the first of its kind as it is, all others from its record."""
        kind = (rows.shape[1], lr)
        if kind not in self._recorded:  # in it, libraries set themselves up
            self._recorded[kind] = None
            return self._step(rows, labels, lr)
        recorded = self._recorded[kind] or _Recorded(self._step, rows, labels, lr)
        self._recorded[kind] = recorded
        return recorded.repeat(rows, labels)


class _Recorded:
    """A step that a CUDA device repeats by itself, as a CUDA graph, to the same bits.

    A step is up to 55 kernels, most of 2 microseconds; to start one takes the CPU five times that.
    """

    def __init__(
        self,
        step: Callable[[Tensor, Tensor, float], Tensor],
        rows: Tensor,
        labels: Tensor,
        lr: float,
    ) -> None:
        """Record a step for a batch like this one, without doing it."""
        self._rows, self._labels = rows.clone(), labels.clone()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._outputs = step(self._rows, self._labels, lr)

    def repeat(self, rows: Tensor, labels: Tensor) -> Tensor:
        """Do it for another batch."""
        self._rows.copy_(rows)
        self._labels.copy_(labels)
        self._graph.replay()
        return self._outputs.clone()


def _loss(outputs: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy per run, of outputs before the sigmoid [R, n]: [R]."""
    return binary_cross_entropy_with_logits(outputs, labels, reduction="none").mean(1)


class Best:
    """The state of each run after the epoch with its lowest validation loss."""

    def __init__(self, runs: Runs) -> None:
        self._now = runs.state
        self._kept = [tensor.clone() for tensor in self._now]
        most = torch.finfo(self._now[0].dtype).max  # not infinite: a checkpoint holds numbers
        self._loss = torch.full(self._now[0].shape[:1], most).to(self._now[0])

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


class Trained(NamedTuple):
    """What a training came to."""

    history: Tensor  # [E, 3, R], measures as in Epoch
    answers: Tensor  # [A, R, N_test], after each epoch that was asked for; the last of what is kept


@dataclass
class _Past:
    """What has been done of a training, besides what it has changed."""

    history: list[Epoch]
    answers: list[Tensor]  # [R, N_test], after each epoch that was asked for
    seen: list[Tensor]  # [R, m], what came out before each step of the epoch that has begun
    drawn: list[Tensor]  # states of the generators before that epoch's orders were drawn


def train(  # noqa: PLR0913
    runs: Runs,
    *,
    epochs: int,
    batch_size: int,
    lr: float,
    keep: Literal["last", "best"],
    report: Callable[[Epoch], None],
    go_on: Callable[[int], None] = lambda _: None,
    ask_after: Sequence[int] = (),
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train all runs.

    Args:
        runs: runs of one network.
        epochs: passes over the training pictures.
        batch_size: pictures in a mini-batch; the last of an epoch may be smaller.
        lr: learning rate.
        keep: leave the weights of the last epoch or, run by run, of the best.
        report: called after each epoch with what it came to.
        go_on: called before each step with 1, and with the number of those that an interrupted
            training has done; an exception of its own ends the training.
        ask_after: epochs before the last after which the runs answer their test pictures too.
        checkpoint: where an interrupted training has left its state, and this one leaves its own;
            what comes of a training that goes on from there is the same to the last bit.

    Raises:
        NotFiniteError: a loss is not a finite number.
    """
    best = Best(runs) if keep == "best" else None
    changing = runs.state + (best.state if best else [])
    asked = [number for number in ask_after if number < epochs]
    past = _resume(changing, runs, checkpoint, _Length(epochs, batch_size, asked))
    steps = -(-runs.rows.train.shape[1] // batch_size)
    go_on(len(past.history) * steps + len(past.seen))

    def before_step() -> None:
        go_on(1)
        if checkpoint:
            checkpoint.offer(state, finished=False)

    def state() -> list[Tensor]:
        return _state(changing, past)

    for epoch in past.history:
        report(epoch)
    for number in range(len(past.history) + 1, epochs + 1):
        epoch = runs.epoch(batch_size=batch_size, lr=lr, seen=past.seen, before_step=before_step)
        if best:
            best.update(epoch.validation_loss)
        epoch = Epoch(*(tensor.cpu() for tensor in epoch))
        _check_finite(epoch, number)
        past.history.append(epoch)
        if number in asked:
            past.answers.append(runs.answers().cpu())
        past.seen, past.drawn = [], _drawn(runs)
        report(epoch)
        if checkpoint:
            checkpoint.offer(state, finished=number == epochs)
    if best:
        best.restore()
    past.answers.append(runs.answers().cpu())
    history = torch.stack([torch.stack(epoch) for epoch in past.history])
    return Trained(history, torch.stack(past.answers))


def _drawn(runs: Runs) -> list[Tensor]:
    return [generator.get_state() for generator in runs.generators]


def _state(changing: Sequence[Tensor], past: _Past) -> list[Tensor]:
    """What a checkpoint holds."""
    runs = len(past.drawn)
    history = [torch.stack(epoch) for epoch in past.history]
    measures = torch.stack(history) if history else torch.empty(0, len(Epoch._fields), runs)
    seen = torch.cat(past.seen, 1).cpu() if past.seen else torch.empty(runs, 0)
    return [*(tensor.cpu() for tensor in changing), *past.drawn, measures, seen, *past.answers]


class _Length(NamedTuple):
    """How long a training is."""

    epochs: int
    batch_size: int
    asked: Sequence[int]


def _resume(
    changing: Sequence[Tensor], runs: Runs, checkpoint: Checkpoint | None, length: _Length
) -> _Past:
    """Put everything back to where a checkpoint left it; returns what has been done so far."""
    past = _Past([], [], [], _drawn(runs))
    now = [*changing, *past.drawn]
    saved = checkpoint.read(lambda saved: _fits(now, saved, runs, length)) if checkpoint else None
    if saved is None:
        return past
    measures, seen, *answers = saved[len(now) :]
    for tensor, value in zip(changing, saved, strict=False):
        tensor.copy_(value)
    past.drawn = saved[len(changing) : len(now)]
    for generator, value in zip(runs.generators, past.drawn, strict=True):
        generator.set_state(value)
    past.history, past.answers = [Epoch(*epoch) for epoch in measures], answers
    if seen.shape[1]:
        past.seen = list(torch.split(seen.to(changing[0].device), length.batch_size, 1))
    return past


def _fits(now: Sequence[Tensor], saved: Sequence[Tensor], runs: Runs, length: _Length) -> bool:
    """Whether a checkpoint's tensors are of such a training, somewhere on its way."""
    if len(saved) < len(now) + 2:
        return False
    measures, seen, *answers = saved[len(now) :]
    count, pictures = runs.rows.train.shape
    known = [number for number in length.asked if number <= len(measures)]
    shapes = [torch.Size((len(measures), len(Epoch._fields), count))]
    shapes += [torch.Size((count, seen.shape[-1]))]
    shapes += [runs.rows.test.shape] * len(known)
    left = pictures if len(measures) < length.epochs else 1
    return (
        all(_alike(tensor, value) for tensor, value in zip(now, saved, strict=False))
        and len(measures) <= length.epochs
        and [tensor.shape for tensor in (measures, seen, *answers)] == shapes
        and seen.shape[-1] < left
        and seen.shape[-1] % length.batch_size == 0
        and all(bool(tensor.isfinite().all()) for tensor in saved)
    )


def _alike(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype


class NotFiniteError(Exception):
    """A run's loss is not a finite number.

    Attributes:
        run: its position among the runs that trained in step.
        epoch: from 1.
    """

    def __init__(self, run: int, epoch: int) -> None:
        super().__init__(run, epoch)
        self.run, self.epoch = run, epoch


def _check_finite(epoch: Epoch, number: int) -> None:
    finite = epoch.train_loss.isfinite() & epoch.validation_loss.isfinite()
    if not finite.all():
        raise NotFiniteError(int((~finite).nonzero()[0]), number)
