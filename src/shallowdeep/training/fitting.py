"""Train all runs of one network on all folds: which runs train in step, and on how many cores.

Which runs train in step depends on no machine. Each such group trains on one core with one thread,
as many side by side as there are cores, so that the bits are the same on any number of them.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from threading import Event, Lock
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shallowdeep.files.cores import side_by_side
from shallowdeep.files.errors import InputError
from shallowdeep.files.progress import Progress
from shallowdeep.prepared.folds import Fold
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.prepared.prepared_set import Prepared
from shallowdeep.training.checkpoint import Checkpoints
from shallowdeep.training.dual import GramLayer, written_out
from shallowdeep.training.history import Epoch, measures_in_words
from shallowdeep.training.network import Layer, draw
from shallowdeep.training.picture_file import at_hand
from shallowdeep.training.primal import Batches, PixelLayer, on_all_pictures, one_thread
from shallowdeep.training.ranks import ALONE, Ranks
from shallowdeep.training.sgd import NotFiniteError, Rows, Runs, Trained, train

Floats = NDArray[np.floating[Any]]

GROUP = 25  # runs in step on a core: of more, a step takes as long for each
LEAST = 15  # of fewer, threads wait for Python's lock longer than another core helps
LEAST_OF_A_RANK = 5  # of fewer, a step takes so much longer for each that another one does not help
ASKED = 16  # epochs at most whose answers are kept
WEIGHTS = 2**28  # bytes of first layers that the dual solver draws at a time, or one fold's


class Settings(NamedTuple):
    """How every run is trained."""

    hidden: Sequence[int]  # widths of the hidden layers
    epochs: int  # passes over the training pictures
    batch_size: int
    lr: float
    keep: Literal["last", "best"]


class Fitted(NamedTuple):
    """What the training of all runs of one network came to."""

    layers: list[Layer]  # of fold 0's runs
    history: Floats  # [K, R, E, 3], measures as in Epoch
    answers: Floats  # [A, R, N_tested], columns as in Prepared.tested


class _Member(NamedTuple):
    """One run of one fold."""

    fold: int
    run: int


class _Start(NamedTuple):
    """The runs of one fold before training."""

    generators: list[torch.Generator]  # for the batch orders
    layers: list[Layer]


def seeds(seed: int, *, folds: int, runs: int) -> list[list[int]]:
    """A seed for each run of each fold, which no other run, fold or first seed shares."""

    def one(fold: int, run: int) -> int:
        state = np.random.SeedSequence([seed, fold, run]).generate_state(1, np.uint64)
        return int(state[0]) >> 1

    return [[one(fold, run) for run in range(runs)] for fold in range(folds)]


def asked_after(epochs: int) -> list[int]:
    """Epochs whose answers are kept: all of a few, else evenly in their logarithm, the last too."""
    if epochs <= ASKED:
        return list(range(1, epochs + 1))
    return sorted({round(float(epoch)) for epoch in np.geomspace(1, epochs, ASKED)})


class _Done(NamedTuple):
    """What one group of runs came to."""

    trained: Trained
    networks: dict[int, list[Tensor]]  # of fold 0, by run: the state of each layer, on the CPU


def _networks_of_fold_0(runs: Runs, members: Sequence[_Member]) -> dict[int, list[Tensor]]:
    """Weights and biases, layer by layer; of the dual solver's first layer the coefficients."""
    first = runs.first.state[:2]
    tensors = [*first, *(tensor for layer in runs.upper for tensor in layer)]
    return {
        run: [tensor[i].cpu() for tensor in tensors]
        for i, (fold, run) in enumerate(members)
        if fold == 0
    }


class Fitting:
    """The training of all runs of one network on all folds.

    Args:
        prepared: the pictures; with their Gram matrix for the dual solver.
        settings: how every run is trained.
        seeds: one a run, for each fold; a run's weights and batch orders come from its own alone.
        solver: which one moves the first layer. The dual solver trains many runs in step, the
            primal each by itself on a CPU, since a batch of ten runs, 63 MB, does not stay in a
            CPU's cache; elsewhere a fold's runs in step.
        device: where it trains.
        cores: how many groups train side by side on a CPU. Which runs are in one changes no bit.
        ranks: this process among those that share the groups or, where they are more and the solver
            is primal, the pixels of each.
        dtype: of weights and arithmetic.

    Attributes:
        team: this process among those that share each of its groups.
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
        self._device, self._dtype = device, dtype
        self._dual = solver == "dual"
        on_cpu = device.type == "cpu"
        self._cores = cores if on_cpu else 1
        self._folds = [prepared.fold(number) for number in range(len(seeds))]
        self._labels = torch.from_numpy(prepared.labels).to(device, dtype)
        self._normalisation = Normalisation(prepared.mean, prepared.std)
        runs = 1 if on_cpu else len(seeds[0])
        self._groups = (
            _in_step(self._folds, seeds, self._in_a_group(ranks))
            if self._dual
            else _of_a_fold(seeds, runs)
        )
        bands = 1 if self._dual else prepared.size
        self._ranks = ranks
        self._mine, self.team = ranks.share(len(self._groups), bands=bands)
        self._band = self.team.band(prepared.size)
        self._pictures = at_hand(prepared.pictures, device, self._band)

    def _in_a_group(self, ranks: Ranks) -> int:
        """How many runs the dual solver trains in step, so that all cores or ranks have some."""
        total = sum(map(len, self._seeds))
        if self._device.type != "cpu":  # one kernel for all of them
            return -(-total // ranks.count)
        alone = ranks.count == 1
        lanes, least = (self._cores, LEAST) if alone else (ranks.count, LEAST_OF_A_RANK)
        at_once = max(1, min(lanes, total // least))
        rounds = -(-total // (at_once * GROUP))
        return -(-total // (at_once * rounds))

    @property
    def epochs(self) -> int:
        """How often `report` is called: once a group of this process and epoch."""
        return len(self._mine) * self._settings.epochs

    def _batches(self) -> int:
        """The steps of all groups of this process and epochs."""
        folds = [self._groups[number][0].fold for number in self._mine]
        pictures = [len(self._folds[fold].train) for fold in folds]
        steps = sum(-(-count // self._settings.batch_size) for count in pictures)
        return steps * self._settings.epochs

    def ready(self) -> Callable[[int], Runs]:
        """What makes each group of runs, by its number, ready to train."""
        return self._over_gram() if self._dual else self._over_pixels

    def fit(
        self,
        report: Callable[[Epoch], None] = lambda _: None,
        checkpoints: Checkpoints | None = None,
    ) -> Fitted:
        """Train.

        Args:
            report: called after each epoch of a group with what it came to; never twice at once.
            checkpoints: where an interrupted training has left its state, and this one leaves its
                own; what comes of one that goes on from there is the same to the last bit.

        Raises:
            InputError: a loss is not finite; the message names fold, run, epoch, learning rate.
        """
        ready = self.ready()
        done: dict[int, _Done] = {}
        stopped, one_at_a_time = Event(), Lock()

        progress = Progress("training", self._batches(), unit="batches")

        def reported(epoch: Epoch) -> None:
            loss, _, accuracy = (float(values.mean()) for values in epoch)
            with one_at_a_time:
                progress.say(measures_in_words(loss, accuracy))
                report(epoch)

        def go_on(batches: int) -> None:
            if stopped.is_set():
                raise _StoppedError
            progress.advance(batches)

        def one(number: int) -> None:
            members = self._groups[number]
            runs = ready(number)
            try:
                trained = train(
                    runs,
                    epochs=self._settings.epochs,
                    batch_size=self._settings.batch_size,
                    lr=self._settings.lr,
                    keep=self._settings.keep,
                    report=reported,
                    go_on=go_on,
                    ask_after=asked_after(self._settings.epochs),
                    checkpoint=checkpoints.of(number, self.team) if checkpoints else None,
                )
            except NotFiniteError as error:
                raise InputError(self._not_finite(members[error.run], error.epoch)) from None
            done[number] = _Done(trained, _networks_of_fold_0(runs, members))

        with progress:
            side_by_side(one, self._mine, threads=self._cores, begin=one_thread, stop=stopped.set)
        every: defaultdict[int, list[_Done]] = defaultdict(list)
        for some in self._ranks.collected(done):
            for number, part in some.items():
                every[number].append(part)
        groups = [self._whole(every[number]) for number in range(len(self._groups))]
        networks = {run: network for group in groups for run, network in group.networks.items()}
        return Fitted(self._layers(networks), *self._by_fold([group.trained for group in groups]))

    def _start(self, seeds: Sequence[int]) -> _Start:
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        layers = draw(3 * self._prepared.size**2, self._settings.hidden, generators)
        return _Start(
            generators,
            [Layer(*(tensor.to(self._device, self._dtype) for tensor in one)) for one in layers],
        )

    def _over_pixels(self, number: int) -> Runs:
        """Some runs of one fold, for the primal solver."""
        members = self._groups[number]
        generators, (first, *upper) = self._start([self._seeds[k][r] for k, r in members])
        weight = self._as_picture(first.weight)[..., self._band, :].flatten(2)
        batches = Batches(self._pictures, self._normalisation, self._dtype)
        layer = PixelLayer(Layer(weight, first.bias), batches, self.team)
        rows = self._rows([fold for fold, _ in members])
        return Runs(layer, upper, self._labels, rows, generators)

    def _as_picture(self, weight: Tensor) -> Tensor:
        """A first layer's weights [..., D], or a band of them, in a picture's shape."""
        return weight.view(*weight.shape[:-1], 3, -1, self._prepared.size)

    def _whole(self, parts: Sequence[_Done]) -> _Done:
        """What a group came to, from what each member of its team has; all but bands is alike."""
        if len(parts) == 1:
            return parts[0]
        if not all(torch.equal(part.trained.history, parts[0].trained.history) for part in parts):
            raise InputError(
                "ranks that share a network have computed different numbers; give all of them the"
                " same kind of processor and device"
            )
        networks = {}
        for run, (_, *others) in parts[0].networks.items():
            bands = [self._as_picture(part.networks[run][0]) for part in parts]
            networks[run] = [torch.cat(bands, -2).flatten(-3), *others]
        return _Done(parts[0].trained, networks)

    def _over_gram(self) -> Callable[[int], Runs]:
        """Each group of runs, for the dual solver."""
        gram = torch.from_numpy(self._prepared.gram()).to(self._device, self._dtype)
        starts: dict[int, _Start] = {}
        width = 3 * self._prepared.size**2 * self._dtype.itemsize
        neurons = (*self._settings.hidden, 1)[0]
        at_once = max(1, WEIGHTS // (width * neurons * len(self._seeds[0])))  # folds
        folds = sorted({fold for number in self._mine for fold, _ in self._groups[number]})
        for first in range(0, len(folds), at_once):
            numbers = folds[first : first + at_once]
            some = [self._start(self._seeds[fold]) for fold in numbers]
            name = f"setting up, folds {', '.join(map(str, numbers))}"
            with Progress(name, len(self._pictures), unit="pictures") as progress:
                found = on_all_pictures(
                    [start.layers[0].weight for start in some],
                    self._pictures,
                    self._normalisation,
                    threads=self._cores,
                    advance=progress.advance,
                )
            for fold, Z, (generators, (layer, *upper)) in zip(numbers, found, some, strict=True):
                starts[fold] = _Start(generators, [Layer(Z, layer.bias), *upper])

        def ready(number: int) -> Runs:
            members = self._groups[number]

            first, *upper = (
                Layer(
                    torch.stack([starts[fold].layers[depth].weight[run] for fold, run in members]),
                    torch.stack([starts[fold].layers[depth].bias[run] for fold, run in members]),
                )
                for depth in range(len(self._settings.hidden) + 1)
            )
            layer = GramLayer(first.weight, first.bias, gram)
            generators = [starts[fold].generators[run] for fold, run in members]
            rows = self._rows([fold for fold, _ in members])
            return Runs(layer, upper, self._labels, rows, generators)

        return ready

    def _rows(self, folds: Sequence[int]) -> Rows:
        """Which pictures runs of these folds use, a fold a run."""
        each = [self._folds[fold] for fold in folds]
        return Rows(
            *(torch.from_numpy(np.stack(rows)).to(self._device) for rows in zip(*each, strict=True))
        )

    def _layers(self, networks: Mapping[int, Sequence[Tensor]]) -> list[Layer]:
        """The networks of fold 0, from what there is of each run."""
        first, *others = (
            torch.stack(tensors).to(self._device)
            for tensors in zip(*(networks[run] for run in sorted(networks)), strict=True)
        )
        if self._dual:
            first = written_out(
                self._start(self._seeds[0]).layers[0].weight,
                first,
                self._pictures,
                self._normalisation,
                torch.from_numpy(self._prepared.rows("train")).to(self._device),
            )
        tensors = [first, *others]
        return [Layer(*pair) for pair in zip(tensors[::2], tensors[1::2], strict=True)]

    def _by_fold(self, trained: Sequence[Trained]) -> tuple[Floats, Floats]:
        """History and answers of all runs, sorted by fold and run."""
        tested = self._prepared.tested()
        runs = len(self._seeds[0])
        epochs, measures, _ = trained[0].history.shape
        kind = trained[0].history.numpy().dtype
        history = np.empty((len(self._seeds), runs, epochs, measures), kind)
        answers = np.empty((len(trained[0].answers), runs, len(tested)), kind)
        for members, group in zip(self._groups, trained, strict=True):
            for i, (fold, run) in enumerate(members):
                columns = np.searchsorted(tested, self._folds[fold].test)
                history[fold, run] = group.history[..., i].numpy()
                answers[:, run, columns] = group.answers[:, i].numpy()
        return history, answers

    def _not_finite(self, member: _Member, epoch: int) -> str:
        fold = f"fold {member.fold}, " if len(self._seeds) > 1 else ""
        return (
            f"{fold}run {member.run}, epoch {epoch}: the loss is not finite at lr"
            f" {self._settings.lr:g}; a smaller lr may help"
        )


class _StoppedError(Exception):
    """Another group has ended the training."""


def _of_a_fold(seeds: Sequence[Sequence[int]], runs: int) -> list[list[_Member]]:
    """Groups of at most so many runs of one fold."""
    return [
        [_Member(fold, run) for run in range(len(of_fold))[start : start + runs]]
        for fold, of_fold in enumerate(seeds)
        for start in range(0, len(of_fold), runs)
    ]


def _in_step(
    folds: Sequence[Fold], seeds: Sequence[Sequence[int]], size: int
) -> list[list[_Member]]:
    """Groups of at most `size` runs with as many pictures to train, to validate and to test on."""
    alike: defaultdict[tuple[int, ...], list[_Member]] = defaultdict(list)
    for number, (fold, runs) in enumerate(zip(folds, seeds, strict=True)):
        sizes = tuple(map(len, fold))
        alike[sizes] += [_Member(number, run) for run in range(len(runs))]
    return [
        members[start : start + size]
        for members in alike.values()
        for start in range(0, len(members), size)
    ]
