"""Train all runs of one network on all folds, in groups of runs that train in step.

Grouping changes no bit. On a CPU each group trains on one core with one thread, as many groups at a
time as there are cores.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from threading import Event, Lock
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shallowdeep.files.cores import side_by_side
from shallowdeep.files.progress import Progress
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.prepared.prepared_set import Prepared
from shallowdeep.training import live
from shallowdeep.training.checkpoint import Checkpoints
from shallowdeep.training.dual import GramLayer, written_out
from shallowdeep.training.network import Layer, draw, logits_above, probability
from shallowdeep.training.picture_file import at_hand
from shallowdeep.training.primal import Batches, PixelLayer, on_all_pictures, one_thread
from shallowdeep.training.ranks import ALONE, Ranks
from shallowdeep.training.sgd import (
    Epoch,
    FirstLayer,
    Rows,
    Runs,
    Settings,
    measures_line,
    train,
)
from shallowdeep.training.tuning import not_finite, taken

Floats = NDArray[np.floating[Any]]

GROUP = 25  # runs in step on a core: of more, a step takes as long for each
LEAST = 15  # of fewer, threads wait for Python's lock longer than another core helps
LEAST_OF_A_RANK = 5  # of fewer, a step takes so much longer for each that another one does not help
ASKED = 16  # epochs at most whose predictions are kept
WEIGHTS = 2**28  # bytes of first layers that the dual solver draws at a time, or one fold's


class Predicted(NamedTuple):
    """Probabilities of the second class."""

    test: Floats  # [A, R, N_tested], columns as in Prepared.tested; the last of the kept weights
    train: Floats  # [R, n], of fold 0's runs for fold 0's training pictures; of the kept weights
    validation: Floats  # [R, n], and for its validation pictures


class Fitted(NamedTuple):
    """Result of training all runs of one network."""

    layers: list[Layer]  # of fold 0's runs, at the learning rate that it takes
    history: Floats  # [L, K, R, E, 3], measures as in Epoch, at each learning rate
    predictions: Predicted  # at the learning rate that each fold takes
    taken: list[int]  # its number, of each fold [K]


class Member(NamedTuple):
    """One run of one fold at one learning rate."""

    lr: int  # its number among those of the settings
    fold: int
    run: int


class _Group(NamedTuple):
    """Result of training one group of runs, on the CPU."""

    history: Tensor  # [E, 3, R]
    test: Tensor  # [A, R, N_test]
    fold_0: dict[Member, list[Tensor]]  # weights and biases; of the dual solver predictions


def seeds(seed: int, *, folds: int, runs: int) -> list[list[int]]:
    """Seeds for the runs of each fold, which no other run, fold or first seed shares."""

    def one(fold: int, run: int) -> int:
        state = np.random.SeedSequence([seed, fold, run]).generate_state(1, np.uint64)
        return int(state[0]) >> 1

    return [[one(fold, run) for run in range(runs)] for fold in range(folds)]


def asked_after(epochs: int) -> list[int]:
    """Epochs whose predictions are kept: all of a few, else evenly in the logarithm; the last."""
    if epochs <= ASKED:
        return list(range(1, epochs + 1))
    return sorted({round(float(epoch)) for epoch in np.geomspace(1, epochs, ASKED)})


class Fitting:
    """The training of all runs of one network on all folds.

    Args:
        prepared: the pictures; with their Gram matrix for the dual solver.
        settings: of every run.
        seeds: one a run, for each fold; a run's weights and batch orders come from its own alone.
        solver: of the first layer. The dual solver trains many runs in step, the primal each by
            itself on a CPU, since a batch of ten runs, 63 MB, does not stay in a CPU's cache;
            elsewhere a fold's runs in step.
        device: of the training.
        cores: groups that train side by side on a CPU.
        ranks: this process among the ranks that share the groups.
        dtype: of weights and arithmetic.

    Attributes:
        groups: the runs that train in step.
        mine: numbers of the groups that this process trains.

    Raises:
        InputError: there are more ranks than groups.
    """

    def __init__(  # noqa: PLR0913
        self,
        prepared: Prepared,
        settings: Settings,
        seeds: Sequence[Sequence[int]],
        *,
        solver: Literal["primal", "dual"],
        device: torch.device,
        cores: int = 1,
        ranks: Ranks = ALONE,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._prepared, self._settings, self._seeds = prepared, settings, seeds
        self._device, self._dtype, self._ranks = device, dtype, ranks
        self._dual = solver == "dual"
        self._cores = cores if device.type == "cpu" else 1
        self._folds = [prepared.fold(number) for number in range(len(seeds))]
        self._labels = torch.from_numpy(prepared.labels).to(device, dtype)
        self._normalisation = Normalisation(prepared.mean, prepared.std)
        self._pictures = at_hand(prepared.pictures, device)
        self.groups = self._in_step()
        self.mine = ranks.share(len(self.groups))

    def _in_step(self) -> list[list[Member]]:
        """Group runs with equal numbers of pictures to train, to validate and to test on.

        Runs of one learning rate are adjacent, so that most groups have a single one.
        """
        alike: defaultdict[tuple[int, ...], list[Member]] = defaultdict(list)
        lrs = range(len(self._settings.lrs))
        for lr, (number, fold) in itertools.product(lrs, enumerate(self._folds)):
            kind = tuple(map(len, fold)) if self._dual else (lr, number)
            alike[kind] += [Member(lr, number, run) for run in range(len(self._seeds[number]))]
        size = self._group_size()
        return [
            members[start : start + size]
            for members in alike.values()
            for start in range(0, len(members), size)
        ]

    def _group_size(self) -> int:
        """Most runs that train in step, so that all cores or ranks have some."""
        on_cpu = self._device.type == "cpu"
        if not self._dual:
            return 1 if on_cpu else len(self._seeds[0])
        total = len(self._settings.lrs) * sum(map(len, self._seeds))
        if not on_cpu:  # one kernel for all of them
            return -(-total // self._ranks.count)
        alone = self._ranks.count == 1
        lanes, least = (self._cores, LEAST) if alone else (self._ranks.count, LEAST_OF_A_RANK)
        at_once = max(1, min(lanes, total // least))
        rounds = -(-total // (at_once * GROUP))
        return -(-total // (at_once * rounds))

    def fit(
        self, checkpoints: Checkpoints | None = None, curves: live.Live | None = None
    ) -> Fitted:
        """Train; all ranks but the first end here.

        Args:
            checkpoints: of an interrupted training, and of this one. A resumed training gives the
                bits of one that was not interrupted.
            curves: for TensorBoard, if asked for.

        Raises:
            InputError: a loss is not finite, at the only learning rate or at all of some fold;
                the message names fold, run, epoch, learning rate.
        """
        ready, lrs = self.ready(), self._settings.lrs
        predict_after = asked_after(self._settings.epochs)
        done: dict[int, _Group] = {}
        stopped, lock = Event(), Lock()
        pictures = [len(self._folds[self.groups[number][0].fold].train) for number in self.mine]
        batches = sum(-(-count // self._settings.batch_size) for count in pictures)
        progress = Progress("training", batches * self._settings.epochs, unit="batches")

        def before_batches(count: int) -> None:
            if stopped.is_set():
                raise _StoppedError
            progress.advance(count)

        def one(group: int) -> None:
            members, runs = self.groups[group], ready(group)

            def after_epoch(number: int, epoch: Epoch) -> None:
                finite = torch.stack(epoch).isfinite().all(0)
                if len(lrs) == 1 and not finite.all():
                    _, fold, run = members[int(finite.int().argmin())]
                    raise not_finite(fold, run, number, lrs, folds=len(self._seeds))
                if writer:
                    live.add(writer, number, epoch, self._by_rate(members, finite))
                measures = (epoch.train_loss, epoch.validation_accuracy)
                with lock:
                    progress.say(measures_line(*(float(of[finite].mean()) for of in measures)))

            with curves.curves(self._name_of(members)) if curves else nullcontext() as writer:
                trained = train(
                    runs,
                    self._settings,
                    predict_after=predict_after,
                    before_batches=before_batches,
                    after_epoch=after_epoch,
                    checkpoint=checkpoints.of(group) if checkpoints else None,
                )
            done[group] = _Group(*trained, self._of_fold_0(runs, members))

        with progress:
            side_by_side(one, self.mine, threads=self._cores, begin=one_thread, stop=stopped.set)
        every = {
            number: group for part in self._ranks.collected(done) for number, group in part.items()
        }
        return self._fitted([every[number] for number in range(len(self.groups))])

    def _name_of(self, members: Sequence[Member]) -> str:
        """Name a group by its first and last run."""
        ends = dict.fromkeys((members[0], members[-1]))
        lrs = self._settings.lrs
        of = [f"lr {lrs[lr]:g}, fold {fold}, run {run}" for lr, fold, run in ends]
        return " to ".join(of)

    def _by_rate(self, members: Sequence[Member], finite: Tensor) -> dict[str, Tensor]:
        """Split the runs of a group whose losses are finite by learning rate."""
        lrs = self._settings.lrs
        if len(lrs) == 1:
            return {"": finite}
        own = torch.tensor([member.lr for member in members])
        rates = sorted({member.lr for member in members})
        return {f"/lr_{lrs[lr]:g}": finite & (own == lr) for lr in rates}

    def ready(self) -> Callable[[int], Runs]:
        """Return a function that makes a group of runs, by its number, ready to train."""
        return self._over_gram() if self._dual else self._over_pixels

    def _start(
        self, fold: int, runs: Sequence[int] | None = None
    ) -> tuple[list[torch.Generator], list[Layer]]:
        """Draw some runs of a fold, or all of them; their generators then draw batch orders."""
        own, settings = self._seeds[fold], self._settings
        generators = [
            torch.Generator().manual_seed(own[run])
            for run in (range(len(own)) if runs is None else runs)
        ]
        layers = draw(3 * self._prepared.size**2, settings.hidden, generators, settings.init)
        return generators, [
            Layer(*(tensor.to(self._device, self._dtype) for tensor in one)) for one in layers
        ]

    def _rows(self, members: Sequence[Member]) -> Rows:
        """Pictures that the runs of a group use."""
        folds = [self._folds[member.fold] for member in members]
        return Rows(
            *(
                torch.from_numpy(np.stack(rows)).to(self._device)
                for rows in zip(*folds, strict=True)
            )
        )

    def _over_pixels(self, number: int) -> Runs:
        """Make some runs of one fold ready for the primal solver."""
        members = self.groups[number]
        runs = [member.run for member in members]
        generators, (first, *upper) = self._start(members[0].fold, runs)
        layer = PixelLayer(first, Batches(self._pictures, self._normalisation, self._dtype))
        return self._runs(layer, upper, members, generators)

    def _runs(
        self,
        first: FirstLayer,
        upper: Sequence[Layer],
        members: Sequence[Member],
        generators: Sequence[torch.Generator],
    ) -> Runs:
        """Let the runs of a group train in step."""
        lrs = tuple(self._settings.lrs[member.lr] for member in members)
        optimiser = self._settings.optimiser(lrs if len(set(lrs)) > 1 else lrs[0])
        return Runs(first, upper, self._labels, self._rows(members), generators, optimiser)

    def _over_gram(self) -> Callable[[int], Runs]:
        """Compute the outputs of all first layers, from which the dual solver starts."""
        gram = torch.from_numpy(self._prepared.gram()).to(self._device, self._dtype)
        starts: dict[tuple[int, int], tuple[torch.Generator, list[Tensor]]] = {}  # by fold, run
        width = 3 * self._prepared.size**2 * self._dtype.itemsize
        neurons = (*self._settings.hidden, 1)[0]
        at_once = max(1, WEIGHTS // (width * neurons * len(self._seeds[0])))  # folds
        folds = sorted({member.fold for number in self.mine for member in self.groups[number]})
        for first in range(0, len(folds), at_once):
            numbers = folds[first : first + at_once]
            drawn = [self._start(fold) for fold in numbers]
            name = f"setting up, folds {', '.join(map(str, numbers))}"
            with Progress(name, len(self._pictures), unit="pictures") as progress:
                outputs = on_all_pictures(
                    [layers[0].weight for _, layers in drawn],
                    self._pictures,
                    self._normalisation,
                    threads=self._cores,
                    advance=progress.advance,
                )
            for fold, Z, (generators, (layer, *upper)) in zip(numbers, outputs, drawn, strict=True):
                stacks = [Z, layer.bias, *itertools.chain(*upper)]
                for run, generator in enumerate(generators):
                    starts[fold, run] = generator, [stack[run] for stack in stacks]

        def ready(number: int) -> Runs:
            members = self.groups[number]
            drawn = [starts[fold, run] for _, fold, run in members]
            tensors = zip(*(of_run for _, of_run in drawn), strict=True)
            (Z, bias), *upper = _layers([torch.stack(each) for each in tensors])
            # Copies: at another learning rate the run sees the same batches.
            generators = [generator.clone_state() for generator, _ in drawn]
            return self._runs(GramLayer(Z, bias, gram), upper, members, generators)

        return ready

    def _fitted(self, groups: Sequence[_Group]) -> Fitted:
        """Choose each fold's learning rate, and sort its results by fold and run."""
        tested, folds, runs = self._prepared.tested(), len(self._seeds), len(self._seeds[0])
        lrs, keep = self._settings.lrs, self._settings.keep
        places = {
            member: (group, i)
            for members, group in zip(self.groups, groups, strict=True)
            for i, member in enumerate(members)
        }
        history = np.empty(
            (len(lrs), folds, runs, *groups[0].history.shape[:2]), groups[0].history.numpy().dtype
        )
        for (lr, fold, run), (group, i) in places.items():
            history[lr, fold, run] = group.history[..., i].numpy()
        numbers = taken(history, lrs, keep).tolist()
        test = np.empty((len(groups[0].test), runs, len(tested)), history.dtype)
        for fold, run in itertools.product(range(folds), range(runs)):
            group, i = places[Member(numbers[fold], fold, run)]
            columns = np.searchsorted(tested, self._folds[fold].test)
            test[:, run, columns] = group.test[:, i].numpy()
        fold_0 = {member: found for group in groups for member, found in group.fold_0.items()}
        own_runs = (fold_0[Member(numbers[0], 0, run)] for run in range(runs))
        tensors = [torch.stack(each).to(self._device) for each in zip(*own_runs, strict=True)]
        train, validation = self._folds[0][:2]
        if self._dual:
            first, bias, scale, *tensors, of_train, of_validation = tensors
            weight = written_out(
                self._start(0)[1][0].weight,
                first,
                scale,
                self._pictures,
                self._normalisation,
                torch.from_numpy(train).to(self._device),
            )
            layers = _layers([weight, bias, *tensors])
            own = [of_train.cpu().numpy(), of_validation.cpu().numpy()]
        else:
            layers = _layers(tensors)
            predictions = self._predict_all(layers)
            own = [predictions[:, train], predictions[:, validation]]
        return Fitted(layers, history, Predicted(test, *own), numbers)

    def _of_fold_0(self, runs: Runs, members: Sequence[Member]) -> dict[Member, list[Tensor]]:
        """Collect weights and biases of fold 0's runs in a group.

        Of the first layer the dual solver has coefficients and scale; of all pictures it has the
        outputs, so that it predicts fold 0's training and validation pictures too.
        """
        mine = {i: member for i, member in enumerate(members) if member.fold == 0}
        first = runs.first.state[: 3 if self._dual else 2]
        tensors = [*first, *itertools.chain(*runs.upper)]
        if self._dual and mine:
            tensors += [runs.predict(runs.rows.train), runs.predict(runs.rows.validation)]
        return {member: [tensor[i].cpu() for tensor in tensors] for i, member in mine.items()}

    def _predict_all(self, layers: Sequence[Layer]) -> Floats:
        """Predict all pictures [R, N]; one pass for all runs normalises them once."""
        (weight, bias), *upper = layers
        with Progress("predicting", len(self._pictures), unit="pictures") as progress:
            (Z,) = on_all_pictures(
                [weight],
                self._pictures,
                self._normalisation,
                threads=self._cores,
                advance=progress.advance,
            )
        predictions: Floats = probability(logits_above(Z + bias, upper)).cpu().numpy()
        return predictions


def _layers(tensors: Sequence[Tensor]) -> list[Layer]:
    """Pair weights and biases."""
    return [Layer(*pair) for pair in zip(tensors[::2], tensors[1::2], strict=True)]


class _StoppedError(Exception):
    """Another group has ended the training."""
