"""Write docs/by-hand.md: one batch through the shallow network, every number printed by the code.

Numbers are rounded to four digits after the point, so that the page has the same bytes on any
machine; a test finds a page that is not current.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from lessons.propagation import (
    Floats,
    backward,
    binary_cross_entropy,
    binary_cross_entropy_backward,
    descend,
    forward,
    network_backward,
    network_forward,
    sigmoid_backward,
)
from shallowdeep.files.atomic import write_text
from shallowdeep.files.errors import one_line_errors
from shallowdeep.training.propagation import linear_forward, relu_backward

BYTES = np.array([[204, 102, 51], [102, 51, 0], [153, 153, 153]]).T  # a column a picture
X = (BYTES / 255 - 0.5) / 0.5
Y = np.array([[0.0, 1.0, 1.0]])
W1 = np.array([[0.5, -0.3, 0.2], [-0.4, 0.1, -0.6], [0.3, 0.8, -0.5], [-0.9, 0.4, 0.7]])
b1 = np.array([[0.1], [0.0], [-0.2], [-0.3]])
W2 = np.array([[0.7, -0.5, 0.4, 0.6]])
b2 = np.array([[0.1]])
NETWORK = ((W1, b1), (W2, b2))
LR, NUDGE = 0.5, 0.001


def page(X: Floats = X) -> str:
    """The page, for the inputs [3, 3]."""
    return "\n".join([_beginning(X), _forwards(X), _backwards(X), _step(X), _doubt(X)])


def _beginning(X: Floats) -> str:
    return f"""\
# By hand: one batch through the shallow network

Written by `make by-hand`; do not edit. Every number below was printed by the functions of
[propagation.py](../lessons/propagation.py), rounded to four digits after the point. Take a pencil
and follow: nothing here needs more than multiplying, adding, e^x and log.

## Three pictures of one pixel

A picture is a list of numbers. To keep the list short ours have one pixel each, so three numbers:
how much red, green and blue, from 0 to 255. There is a ginger cat, a chocolate dog and a grey dog.
The network gets each byte as (byte / 255 - 0.5) / 0.5, which lies between -1 and 1. A column is a
picture; all three together are a batch, m = 3.

{_beside(("bytes", BYTES), ("X", X), ("Y", Y))}

Y is what the network should answer: 0 for a cat, 1 for a dog.

## The network

The shallow network: {len(W1)} neurons with ReLU, then one with a sigmoid. A neuron is a row of W, a
weight for each of its inputs, and a number in b. Training starts from random weights; these are
chosen to be easy on the pencil.

{_beside(("W1", W1), ("b1", b1))}

{_beside(("W2", W2), ("b2", b2))}
"""


def _forwards(X: Floats) -> str:
    A1, _ = forward(X, W1, b1, "relu")
    Z1, Z2 = linear_forward(X, W1, b1), linear_forward(A1, W2, b2)
    A2, _ = forward(A1, W2, b2, "sigmoid")
    losses = np.array([[binary_cross_entropy(A2[:, [j]], Y[:, [j]]) for j in range(Y.size)]])
    return f"""\
## Forward, layer 1

    Z1 = W1 X + b1        A1 = max(0, Z1)

Each neuron weighs each picture: a row of W1 times a column of X, and b1 added. The first neuron and
the ginger cat:

    Z1[1,1] = {_dot(W1[0], X[:, 0], b1[0, 0])} = {_number(Z1[0, 0])}

The same for every neuron and every picture is one matrix product. ReLU then keeps what is above 0.

{_beside(("Z1", Z1), ("A1", A1))}

The fourth neuron is silent: it says 0 to all three pictures. Remember it.

## Forward, layer 2

    Z2 = W2 A1 + b2       A2 = 1 / (1 + e^-Z2)

The last neuron weighs what the four have said, and the sigmoid makes a probability of it: how sure
the network is of "dog".

{_beside(("Z2", Z2), ("A2", A2))}

## How wrong is that?

    loss = -(Y log A2 + (1 - Y) log(1 - A2))

A cat costs -log(1 - A2), a dog -log A2. To be sure and right costs nearly nothing, to be sure and
wrong much, a coin's 0.5 costs {_number(np.log(2))}.

{_beside(("A2", A2), ("Y", Y), ("loss", losses))}

The mean is the one number that training makes smaller: **{_number(float(losses.mean()))}**.
"""


def _backwards(X: Floats) -> str:
    A1, cache1 = forward(X, W1, b1, "relu")
    A2, cache2 = forward(A1, W2, b2, "sigmoid")
    dA2 = binary_cross_entropy_backward(A2, Y)
    dZ2 = sigmoid_backward(dA2, A2)
    dA1, dW2, db2 = backward(dA2, cache2, "sigmoid")
    dZ1 = relu_backward(dA1, A1)
    _, dW1, db1 = backward(dA1, cache1, "relu")
    return f"""\
## Backward, layer 2

Now the same way back. dA2 is short for "how much does a picture's loss grow when its A2 grows", and
so with every d. First through the loss, then through the sigmoid:

    dA2 = (1 - Y) / (1 - A2) - Y / A2        dZ2 = dA2 A2 (1 - A2)

{_beside(("dA2", dA2), ("dZ2", dZ2))}

Hold dZ2 against A2 - Y: for the cat that is {_number(A2[0, 0])} - 0, for the first dog
{_number(A2[0, 1])} - 1. The same! Loss and sigmoid fit together so well that all that is left is
answer minus right answer.

From dZ2 come the gradients of the layer's own numbers, means over the m pictures, and what is
handed down to layer 1:

    dW2 = dZ2 A1^T / m        db2 = sum(dZ2) / m        dA1 = W2^T dZ2

{_beside(("dW2", dW2), ("db2", db2))}

{_beside(("dA1", dA1))}

The weight of the first neuron, in full:

    dW2[1,1] = ({_dot(dZ2[0], A1[0])}) / 3 = {_number(dW2[0, 0])}

## Backward, layer 1

    dZ1 = dA1 where A1 > 0, else 0

Where ReLU has said 0, a slightly different Z1 would have changed nothing: nothing comes back.

{_beside(("dZ1", dZ1))}

    dW1 = dZ1 X^T / m         db1 = sum(dZ1) / m

{_beside(("dW1", dW1), ("db1", db1))}

The fourth neuron was silent for all three pictures, so its gradients are 0 and it learns nothing
from this batch. With no other pictures it would stay silent for ever: a dead ReLU.
"""


def _step(X: Floats) -> str:
    A2, caches = network_forward(X, NETWORK)
    stepped = descend(NETWORK, network_backward(Y, caches), lr=LR)
    (new_W1, new_b1), (new_W2, new_b2) = stepped
    new_A2, _ = network_forward(X, stepped)
    before, after = binary_cross_entropy(A2, Y), binary_cross_entropy(new_A2, Y)
    return f"""\
## One step downhill

    W <- W - lr dW        b <- b - lr db

Every number goes a little against its gradient. The learning rate lr is usually small, 0.01; here
it is {LR:g}, so that one step can be seen.

{_beside(("W1", new_W1), ("b1", new_b1))}

{_beside(("W2", new_W2), ("b2", new_b2))}

The same pictures once more through the network:

{_beside(("A2 before", A2), ("A2 after", new_A2), ("Y", Y))}

The loss has gone from {_number(before)} to **{_number(after)}**. Training is this, again and
again: the next batch, and the next, and after the last the first.
"""


def _doubt(X: Floats) -> str:
    A2, caches = network_forward(X, NETWORK)
    (dW1, _), _ = network_backward(Y, caches)
    nudged = W1 + NUDGE * (np.indices(W1.shape) == np.array([0, 1])[:, None, None]).all(0)
    nudged_A2, _ = network_forward(X, [(nudged, b1), (W2, b2)])
    before, after = binary_cross_entropy(A2, Y), binary_cross_entropy(nudged_A2, Y)
    return f"""\
## Do you believe it?

A gradient is a promise: change this weight a little, and the loss changes by so much. Put it to
the test. W1[1,2] is {_number(W1[0, 1])}; make it {_number(nudged[0, 1])}, leave all else, and go
forward again:

    loss before     {before:.7f}
    loss after      {after:.7f}
    change / {NUDGE:g}  {(after - before) / NUDGE:.4f}
    dW1[1,2]        {dW1[0, 1]:.4f}

No formula of the way back was used for the first three lines. The project's tests do this for every
weight of networks of up to five layers.

## Your turn

```python
from lessons.by_hand import NETWORK, X, Y
from lessons.propagation import (
    binary_cross_entropy,
    descend,
    network_backward,
    network_forward,
)

network = NETWORK
for step in range(10):
    A2, caches = network_forward(X, network)
    print(binary_cross_entropy(A2, Y))
    network = descend(network, network_backward(Y, caches), lr={LR:g})
```

After how many steps are all three on the right side of 0.5? Does a larger lr always get there
sooner? Can you choose other weights for the fourth neuron, so that it wakes up?
"""


def _beside(*named: tuple[str, Floats]) -> str:
    """Matrices beside each other as an indented block, each below its name."""
    blocks = [_block(name, array) for name, array in named]
    height = max(map(len, blocks))
    padded = [block + [" " * len(block[0])] * (height - len(block)) for block in blocks]
    lines = ["     ".join(parts) for parts in zip(*padded, strict=True)]
    return "\n".join(f"    {line}".rstrip() for line in lines)


def _block(name: str, array: Floats) -> list[str]:
    numbers: list[list[float]] = array.tolist()
    places = max(len(_number(value).partition(".")[2]) for row in numbers for value in row)
    cells = [
        ["0" if _number(value) == "0" else f"{value:.{places}f}" for value in row]
        for row in numbers
    ]
    widest = max(len(cell) for row in cells for cell in row)
    rows = ["[ " + "  ".join(cell.rjust(widest) for cell in row) + " ]" for row in cells]
    width = max(len(name), len(rows[0]))
    return [line.ljust(width) for line in (name, *rows)]


def _dot(weights: Iterable[float], inputs: Iterable[float], *added: float) -> str:
    """A sum of products written out."""
    products = [
        f"{_bracketed(weight)} * {_bracketed(number)}"
        for weight, number in zip(weights, inputs, strict=True)
    ]
    return " + ".join([*products, *map(_bracketed, added)])


def _bracketed(value: float) -> str:
    text = _number(value)
    return f"({text})" if text.startswith("-") else text


def _number(value: float) -> str:
    """Four digits after the point, fewer where they are 0, and no minus before a 0."""
    return f"{round(value, 4) + 0.0:g}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write docs/by-hand.md anew."""
    parser = argparse.ArgumentParser("python -m lessons.by_hand", description=main.__doc__)
    parser.add_argument(
        "path", nargs="?", type=Path, default=Path("docs/by-hand.md"), help="default: %(default)s"
    )
    options = parser.parse_args(arguments)
    with one_line_errors("by-hand"):
        write_text(options.path, page())


if __name__ == "__main__":
    main()
