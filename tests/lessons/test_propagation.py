"""The propagation by hand has the right gradients, and does what the solvers do."""

import itertools
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from noise import trained

from lessons import propagation
from lessons.propagation import backward, descend, forward, network_backward, network_forward
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.training.network import draw
from shallowdeep.training.propagation import linear_backward, linear_forward, relu, relu_backward

often = settings(derandomize=True, deadline=None, max_examples=60)


@st.composite
def tasks(draw_one):
    """A network of 0 to 4 hidden layers, a batch of 1 to 64 samples and its right answers."""
    hidden = draw_one(st.lists(st.integers(1, 6), max_size=4))
    features, m = draw_one(st.integers(1, 8)), draw_one(st.integers(1, 64))
    rng = np.random.default_rng(draw_one(st.integers(0, 2**32 - 1)))
    network = [
        (rng.normal(0, n_prev**-0.5, (n, n_prev)), rng.normal(0, 0.5, (n, 1)))
        for n_prev, n in itertools.pairwise([features, *hidden, 1])
    ]
    return network, rng.normal(size=(features, m)), rng.integers(0, 2, (1, m)).astype(float)


def cost(network, X, Y):
    return propagation.binary_cross_entropy(network_forward(X, network)[0], Y)


def gradients(network, X, Y):
    return network_backward(Y, network_forward(X, network)[1])


def flat(network):
    return np.concatenate([array.ravel() for layer in network for array in layer])


@often
@given(tasks())
def test_gradients_are_those_of_autograd(task):
    """Each array's, to 1e-7 and in fact to rounding; the costs too."""
    network, X, Y = task
    tensors = [[torch.tensor(array, requires_grad=True) for array in layer] for layer in network]
    A = torch.tensor(X)
    for W, b in tensors[:-1]:
        A = torch.relu(W @ A + b)
    W, b = tensors[-1]
    loss = torch.nn.functional.binary_cross_entropy(torch.sigmoid(W @ A + b), torch.tensor(Y))
    loss.backward()
    assert cost(network, X, Y) == pytest.approx(loss.item(), rel=1e-12)
    for ours, theirs in zip(gradients(network, X, Y), tensors, strict=True):
        for gradient, tensor in zip(ours, theirs, strict=True):
            expected = tensor.grad.numpy()
            assert gradient.shape == expected.shape
            np.testing.assert_allclose(gradient, expected, rtol=1e-7, atol=1e-14)


@often
@given(tasks())
def test_nothing_given_is_changed(task):
    """Forward, backward and step leave what they are given, and share no memory with it."""
    network, X, Y = task
    before = flat(network), X.copy(), Y.copy()
    for array in (X, Y, *itertools.chain(*network)):
        array.setflags(write=False)
    A, caches = network_forward(X, network)
    stepped = descend(network, network_backward(Y, caches), lr=0.1)
    for old, new in zip(before, (flat(network), X, Y), strict=True):
        np.testing.assert_array_equal(old, new)
    assert not np.shares_memory(A, X)
    pairs = zip(itertools.chain(*stepped), itertools.chain(*network), strict=True)
    assert not any(itertools.starmap(np.shares_memory, pairs))


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_a_layer_alone(activation):
    """Backward is the gradient of the summed outputs for each input, and of their mean for W, b."""
    rng = np.random.default_rng(0)
    A_prev, W, b, dA = (rng.normal(size=shape) for shape in ((3, 5), (2, 3), (2, 1), (2, 5)))
    inputs = [torch.tensor(array, requires_grad=True) for array in (A_prev, W, b)]
    A, cache = forward(A_prev, W, b, activation)
    expected = getattr(torch, activation)(inputs[1] @ inputs[0] + inputs[2])
    expected.backward(torch.tensor(dA))
    np.testing.assert_allclose(A, expected.detach().numpy(), rtol=1e-12)
    for ours, tensor, m in zip(backward(dA, cache, activation), inputs, (1, 5, 5), strict=True):
        np.testing.assert_allclose(m * ours, tensor.grad.numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("activation", ["tanh", "", "ReLU", None])
def test_another_activation_is_an_error(activation):
    """Forward and backward both name what is given and both that are allowed."""
    ones = np.ones((1, 1))
    _, cache = forward(ones, ones, ones, "relu")
    for call in (partial(forward, ones, ones, ones), partial(backward, ones, cache)):
        with pytest.raises(ValueError, match="'relu' nor 'sigmoid'") as caught:
            call(activation)
        assert repr(activation) in str(caught.value)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_sigmoid_far_out(dtype):
    """Neither overflow nor NaN: exact limits, infinity included, torch's values; dtype stays."""
    Z = np.array([-np.inf, -1e4, -1000, -100, 0, 100, 1000, 1e4, np.inf], dtype=dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        A = propagation.sigmoid(Z)
    assert A.dtype == dtype
    assert A.tolist()[:3] == [0, 0, 0] and A.tolist()[4:] == [0.5, 1, 1, 1, 1]
    assert A[3] == pytest.approx(np.exp(-100), rel=1e-6, abs=1e-44)
    Z = np.linspace(-700, 700, 2_000)
    np.testing.assert_allclose(propagation.sigmoid(Z), torch.tensor(Z).sigmoid(), rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_saturated_answer_still_learns(dtype):
    """At probability 0 and 1 loss and gradient are finite, and the two together give A - Y."""
    A, Y = np.array([[0, 0, 1, 1]], dtype=dtype), np.array([[0, 1, 0, 1]], dtype=dtype)
    with np.errstate(all="raise"):
        losses = [propagation.binary_cross_entropy(A[:, [j]], Y[:, [j]]) for j in range(4)]
        dA = propagation.binary_cross_entropy_backward(A, Y)
        dZ = propagation.sigmoid_backward(dA, A)
    assert losses[0] < 1e-6 > losses[3]
    assert 15 < losses[2] < losses[1] < 709
    assert np.isfinite(dA).all()
    np.testing.assert_allclose(dZ, A - Y, atol=1e-6 if dtype == np.float32 else 1e-15)
    whole = np.array([[0, 1, 1]])  # the same numbers in another type
    assert propagation.binary_cross_entropy(whole, whole) < 1e-15
    dA = propagation.binary_cross_entropy_backward(whole, whole)
    np.testing.assert_allclose(dA, [[1, -1, -1]])


def test_a_network_that_is_sure_and_wrong_comes_back():
    """From Z = -2000 and 2000, where the sigmoid is long flat, steps lead to right answers."""
    X, Y = np.array([[-1.0, 1.0]]), np.array([[1.0, 0.0]])
    network = [(np.array([[2000.0]]), np.array([[0.0]]))]
    for _ in range(30):
        network = descend(network, gradients(network, X, Y), lr=100)
    assert ((network_forward(X, network)[0] > 0.5) == Y).all()


def test_stacks_of_runs_are_each_run_alone():
    """Torch stacks [R, n, m] through the shared functions give what NumPy gives run by run."""
    rng = np.random.default_rng(0)
    A_prev, W, b, dA = (rng.normal(size=(3, *s)) for s in ((4, 7), (5, 4), (5, 1), (5, 7)))
    tensors = [torch.from_numpy(array) for array in (A_prev, W, b, dA)]
    A = relu(linear_forward(*tensors[:3]))
    dA_prev, dW, db = linear_backward(relu_backward(tensors[3], A), *tensors[:2])
    for run in range(3):
        alone, cache = forward(A_prev[run], W[run], b[run], "relu")
        expected = (alone, *backward(dA[run], cache, "relu"))
        for stack, array in zip((A, dA_prev, dW, db), expected, strict=True):
            np.testing.assert_allclose(stack[run].numpy(), array, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("hidden", [[], [4], [5, 5, 3]], ids=str)
def test_a_training_by_hand_follows_the_solver(pictures, hidden):
    """Losses and weights of ten epochs in float64, a smaller last batch included."""
    options = {"batch_size": 16, "lr": 0.05, "dtype": torch.float64}
    layers, epochs = trained(pictures, hidden, [3], solver="primal", **options)
    generator = torch.Generator().manual_seed(3)
    drawn = draw(3 * pictures.size**2, hidden, [generator])
    network = [tuple(array[0].double().numpy() for array in layer) for layer in drawn]
    before = flat(network)
    array = torch.from_numpy(np.array(pictures.pictures[pictures.rows("train")]))
    normalised = Normalisation(pictures.mean, pictures.std).apply(
        array, out=torch.empty(array.shape, dtype=torch.float64)
    )
    X, Y = normalised.flatten(1).numpy().T, pictures.labels[pictures.rows("train")][None] * 1.0
    losses = np.zeros(10)
    for number in range(10):
        order = torch.randperm(Y.size, generator=generator).numpy()
        for batch in np.split(order, range(16, Y.size, 16)):
            losses[number] += cost(network, X[:, batch], Y[:, batch]) * batch.size / Y.size
            steps = gradients(network, X[:, batch], Y[:, batch])
            network = descend(network, steps, lr=0.05)
    assert losses[-1] < losses[0]
    np.testing.assert_allclose([float(e.train_loss) for e in epochs], losses, rtol=1e-9)
    after = flat([[tensor[0].numpy() for tensor in layer] for layer in layers])
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_allclose(flat(network), after, rtol=0, atol=1e-10)
