"""Take a run out of a model: python -m shallowdeep export models/deep.pt deep.safetensors."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shallowdeep.commands.belonging import read_model
from shallowdeep.files.atomic import write_safetensors, write_torch
from shallowdeep.files.errors import InputError, one_line, told_in_one_line

if TYPE_CHECKING:
    from torch import Tensor

    from shallowdeep.training.model import Model

DESCRIPTION = """Write one run's weights for plain PyTorch, by the names of
torch.nn.Sequential(Linear, ReLU, ..., Linear, Sigmoid). FILE.safetensors has in its metadata, as
JSON under `shallowdeep`, what a picture needs before it: size, mean, std, and the classes;
FILE.pt is a state_dict and nothing else."""


def state_dict(trained: "Model", run: int) -> dict[str, "Tensor"]:
    """One run's weights: `0.weight` [n, n_prev], `0.bias` [n], `2.weight` and so on."""
    weights = {}
    for i, layer in enumerate(trained.layers):
        weights[f"{2 * i}.weight"] = layer.weight[run].clone()
        weights[f"{2 * i}.bias"] = layer.bias[run, :, 0].clone()
    return weights


def write(trained: "Model", run: int, path: Path) -> None:
    """Write one run, the same bytes every time.

    Raises:
        InputError: no such run, a file of another kind, or one that is there already.
    """
    if not 0 <= run < len(trained.seeds):
        raise InputError(f"--run: {run} is not among 0 to {len(trained.seeds) - 1}")
    if path.suffix not in (".safetensors", ".pt"):
        raise InputError(f"{path}: ends neither with .safetensors nor with .pt")
    if path.exists():
        raise InputError(f"{path}: is there already; name a new file")
    weights = state_dict(trained, run)
    if path.suffix == ".pt":
        return write_torch(path, weights)
    about = {
        "classes": trained.classes,
        "size": trained.size,
        **trained.normalisation._asdict(),
        "run": run,
        "seed": str(trained.seeds[run]),  # of 128 bits, more than a number of JSON holds everywhere
    }
    return write_safetensors(path, {key: tensor.numpy() for key, tensor in weights.items()}, about)


def main(arguments: Sequence[str]) -> None:
    """Write the file, and say what is in it."""
    parser = argparse.ArgumentParser("shallowdeep export", description=DESCRIPTION)
    parser.add_argument("model", type=Path, help="a model file, for example models/deep.pt")
    parser.add_argument("file", type=Path, help="FILE.safetensors or FILE.pt, a new one")
    parser.add_argument("--run", type=int, default=0, help="of fold 0 (default: %(default)s)")
    options = parser.parse_args(arguments)
    with told_in_one_line("export"):
        trained = read_model(options.model)
        write(trained, options.run, options.file)
        shapes = " -> ".join(str(layer.weight.shape[-1]) for layer in trained.layers)
        of = f"run {options.run} of {len(trained.seeds)}, {shapes} -> 1"
        print(f"{one_line(str(options.file))}: {of}")
