"""The line that shows how a training is going."""

from typing import Self

from tqdm import tqdm

from shallowdeep.training.sgd import Epoch


class Progress:
    """A bar on stderr while it is a terminal: epochs, loss, validation accuracy, time left."""

    def __init__(self, name: str, epochs: int) -> None:
        self._bar = tqdm(total=epochs, desc=name, unit="epoch", disable=None, leave=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, epoch: Epoch) -> None:
        """Show an epoch's figures, means over the runs."""
        self._bar.set_postfix_str(describe(epoch), refresh=False)
        self._bar.update()


def describe(epoch: Epoch) -> str:
    """An epoch in words, means over the runs."""
    return (
        f"training loss {float(epoch.train_loss.mean()):.4f}, "
        f"validation accuracy {float(epoch.validation_accuracy.mean()):.3f}"
    )
