"""The line that shows how a training is going."""

from typing import Self

from tqdm import tqdm

from shallowdeep.training.sgd import Epoch


class Progress:
    """A bar on stderr while it is a terminal: loss, validation accuracy, time left.

    Args:
        name: what it starts with.
        epochs: of all groups of runs that train in step.
    """

    def __init__(self, name: str, epochs: int) -> None:
        # miniters: epochs that come from a checkpoint all at once must not set the pace.
        self._bar = tqdm(
            total=epochs, desc=name, unit="epoch", miniters=1, disable=None, leave=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, epoch: Epoch) -> None:
        """Show an epoch's figures, means over the runs."""
        loss, _, accuracy = (float(values.mean()) for values in epoch)
        self._bar.set_postfix_str(describe(loss, accuracy), refresh=False)
        self._bar.update()


def describe(train_loss: float, validation_accuracy: float) -> str:
    """Two means over runs in words."""
    return f"training loss {train_loss:.4f}, validation accuracy {validation_accuracy:.3f}"
