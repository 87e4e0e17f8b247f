"""The same training five ways: each peer trains one network by mini-batch SGD, epoch by epoch."""

import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from shallowdeep.files.cores import available_cores, side_by_side
from shallowdeep.prepared import prepared_set
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.training.fitting import Fitting, seeds
from shallowdeep.training.primal import one_thread
from shallowdeep.training.sgd import Settings

BATCH_SIZE, LR = 32, 0.01

Solver = Literal["primal", "dual"]
Batches = Callable[[], Iterator[tuple[Tensor, Tensor]]]  # one epoch of pictures and labels


class Trainer(Protocol):
    """A network, or several runs of it, in training."""

    def train(self, epochs: int) -> list[float]:
        """Train on; return each epoch's mean training loss."""


@dataclass(frozen=True)
class Material:
    """Pictures, labels and split that all of them train on."""

    photographs: Path  # the folder that `data` was prepared from
    data: prepared_set.Prepared

    @cached_property
    def inputs(self) -> NDArray[np.float32]:
        """The training pictures normalised, in memory [N_train, D]."""
        rows, size = self.data.rows("train"), self.data.size
        normalisation = Normalisation(self.data.mean, self.data.std)
        inputs = torch.empty(len(rows), 3, size, size)
        for start in range(0, len(rows), BATCH_SIZE):
            # Mapped anew for each batch, so that the bytes do not count as this peer's memory.
            some = np.load(self.data.folder / "pictures.npy", mmap_mode="r")[
                rows[start : start + BATCH_SIZE]
            ]
            normalisation.apply(torch.from_numpy(some), out=inputs[start : start + BATCH_SIZE])
        array: NDArray[np.float32] = inputs.flatten(1).numpy()
        return array

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """Their classes [N_train]."""
        return self.data.labels[self.data.rows("train")]


class TorchLoop:
    """The usual PyTorch loop: nn.Sequential, autograd, torch.optim.SGD."""

    def __init__(
        self, batches: Batches, size: int, hidden: Sequence[int], device: torch.device
    ) -> None:
        torch.manual_seed(0)
        widths = [3 * size**2, *hidden]
        layers: list[nn.Module] = [nn.Flatten()]
        for n_prev, n in zip(widths, hidden, strict=False):
            layers += [nn.Linear(n_prev, n), nn.ReLU()]
        self._network = nn.Sequential(*layers, nn.Linear(widths[-1], 1)).to(device)
        self._optimizer = torch.optim.SGD(self._network.parameters(), lr=LR)
        self._loss = nn.BCEWithLogitsLoss()
        self._batches, self._device = batches, device

    def train(self, epochs: int) -> list[float]:
        """Train on."""
        return [self._epoch() for _ in range(epochs)]

    def _epoch(self) -> float:
        losses = []
        for pictures, labels in self._batches():
            outputs = self._network(pictures.to(self._device))[:, 0]
            loss = self._loss(outputs, labels.to(self._device, torch.float32))
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
            losses.append(loss.detach())
        return float(torch.stack(losses).mean())


def article(material: Material, hidden: Sequence[int], *, workers: int = 0) -> Trainer:
    """The source article's loop: every epoch reads, decodes and resizes every file again."""
    from torchvision import datasets, transforms

    size, mean, std = material.data.size, material.data.mean, material.data.std
    steps = [transforms.Resize((size, size)), transforms.ToTensor()]
    transform = transforms.Compose([*steps, transforms.Normalize(mean, std)])
    dataset = datasets.ImageFolder(str(material.photographs), transform)
    training = material.data.manifest.iloc[material.data.rows("train")]
    paths = [str(material.photographs / path) for path in training["path"]]
    dataset.samples = list(zip(paths, training["label"].tolist(), strict=True))
    loader: Any = torch.utils.data.DataLoader(
        dataset, batch_size=BATCH_SIZE, shuffle=True, num_workers=workers
    )
    return TorchLoop(lambda: iter(loader), size, hidden, torch.device("cpu"))


def in_memory(material: Material, hidden: Sequence[int], *, where: str = "cpu") -> Trainer:
    """The usual loop over float32 pictures that are in memory, or in the device's."""
    device = torch.device(where)
    inputs = torch.from_numpy(material.inputs).to(device)
    labels = torch.from_numpy(material.labels).to(device, torch.float32)

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for rows in torch.split(torch.randperm(len(inputs)).to(device), BATCH_SIZE):
            yield inputs[rows], labels[rows]

    return TorchLoop(batches, material.data.size, hidden, device)


class ScikitLearn:
    """scikit-learn's MLPClassifier, whose SGD with these settings is the same."""

    def __init__(self, material: Material, hidden: Sequence[int]) -> None:
        from sklearn.neural_network import MLPClassifier

        self._material = material
        self._classifier = MLPClassifier(
            hidden,
            solver="sgd",
            alpha=0,
            batch_size=BATCH_SIZE,
            learning_rate_init=LR,
            momentum=0,
            warm_start=True,
            tol=0,
            n_iter_no_change=1_000_000,
            random_state=0,
        )

    def train(self, epochs: int) -> list[float]:
        """Train on; the check for infinite inputs, not part of training, is left out."""
        from sklearn import config_context
        from sklearn.exceptions import ConvergenceWarning

        self._classifier.set_params(max_iter=epochs)
        with warnings.catch_warnings(), config_context(assume_finite=True):
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._classifier.fit(self._material.inputs, self._material.labels)
        return [float(loss) for loss in self._classifier.loss_curve_[-epochs:]]


class Ours:
    """This project's solvers."""

    def __init__(
        self,
        material: Material,
        hidden: Sequence[int],
        *,
        solver: Solver,
        runs: int,
        where: str = "cpu",
        folds: int = 1,
        cores: int = 1,
    ) -> None:
        settings = Settings(hidden, epochs=1, batch_size=BATCH_SIZE, lr=LR, keep="last")
        device, by_fold = torch.device(where), seeds(0, folds=folds, runs=runs)
        self._cores = cores
        fitting = Fitting(
            material.data, settings, by_fold, solver=solver, device=device, cores=cores
        )
        ready = fitting.ready()
        self._groups = [ready(number) for number in fitting.mine]

    def train(self, epochs: int) -> list[float]:
        """Train on; measures loss and accuracy on the validation pictures too."""
        losses = np.empty((epochs, len(self._groups)))

        def one(number: int) -> None:
            for epoch in range(epochs):
                measures = self._groups[number].epoch(batch_size=BATCH_SIZE)
                losses[epoch, number] = measures.train_loss.mean()

        numbers = range(len(self._groups))
        side_by_side(one, numbers, threads=self._cores, begin=one_thread)
        return [float(loss) for loss in losses.mean(1)]


class Peer(NamedTuple):
    """One row of the table."""

    name: str
    runs: int
    make: Callable[[Material, Sequence[int]], Trainer]
    memory: bool = True  # whether its memory is that of one process, on the CPU


def peers() -> list[Peer]:
    """All rows that this machine can fill, the article's loop first."""
    rows = [
        Peer("article's loop", 1, article),
        Peer("article's loop, 2 loader workers", 1, partial(article, workers=2), memory=False),
        Peer("PyTorch loop, pictures in memory", 1, in_memory),
        Peer("scikit-learn MLPClassifier", 1, ScikitLearn),
        *_ours("cpu", ""),
    ]
    if torch.cuda.is_available():
        in_cuda_memory = partial(in_memory, where="cuda")
        rows.append(Peer("PyTorch loop, in CUDA memory", 1, in_cuda_memory, memory=False))
        rows += [row._replace(memory=False) for row in _ours("cuda", " on CUDA")]
    return rows


def _ours(where: str, suffix: str) -> Iterator[Peer]:
    solvers: tuple[Solver, ...] = ("primal", "dual")
    for solver, runs in itertools.product(solvers, (1, 10)):
        make = partial(Ours, solver=solver, runs=runs, where=where)
        yield Peer(f"{solver}{suffix}, {runs} run{'s' * (runs > 1)}", runs, make)
    cores = available_cores() if where == "cpu" else 1
    make = partial(Ours, solver="dual", runs=10, where=where, folds=10, cores=cores)
    name = f"dual{suffix}, 10 runs of 10 folds{', all cores' if where == 'cpu' else ''}"
    yield Peer(name, 100, make, memory=False)
