"""The trainers of the toy point sets: the same network on Scalars, on tensors, and on the fast backend.

Depends on the two networks in `minitorch.models`. The course has them in project/run_scalar.py, run_tensor.py and
run_fast_tensor.py.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..autodiff import no_grad
from ..datasets import Graph
from ..fast_ops.backend import FastBackend
from ..models import mlp_scalar, mlp_tensor
from ..optim.algorithms import SGD
from ..optim.optimizer import Optimizer
from ..scalar import Scalar
from ..tensor import Tensor, tensor
from ..tensor_ops.backend import TensorBackend
from ..tensor_ops.reference import SimpleBackend

Array = npt.NDArray[Any]
Point = tuple[float, float]
LogFn = Callable[[int, float, int, list[float]], None]  # of epoch, loss, correct points, losses of all epochs

BATCH = 10  # points in a batch of `FastTrain`


def default_log_fn(epoch: int, total_loss: float, correct: int, losses: list[float]) -> None:
    """Print the epoch, its loss and the number of points that are classified correctly."""
    print("Epoch ", epoch, " loss ", total_loss, "correct", correct)


class ScalarTrain:
    """Trains a network of Scalars by gradient descent on all points at once (module 1).

    Args:
        hidden_layers: The width of both hidden layers.
    """

    def __init__(self, hidden_layers: int) -> None:
        self.hidden_layers = hidden_layers
        self.model = mlp_scalar.Network(hidden_layers)

    def run_one(self, x: Sequence[float]) -> Scalar:
        """Return the probability that the label of a point is 1."""
        result: Scalar = self.model((Scalar(x[0], name="x_1"), Scalar(x[1], name="x_2")))
        return result

    def probabilities(self, X: Sequence[Point]) -> Array:
        """Return the probability of label 1 at each of N points, (N,)."""
        return forward_arrays(self.model.arrays(), X)

    def neuron(self) -> Scalar:
        """Return the first hidden unit at the middle of the plane, for a graph small enough to draw."""
        return self.model.layer1((Scalar(0.5, name="x_1"), Scalar(0.5, name="x_2")))[0].relu()

    def train(
        self, data: Graph, learning_rate: float, max_epochs: int = 500, log_fn: LogFn = default_log_fn
    ) -> None:
        """Train a new network; call ``log_fn`` after every tenth epoch and the last."""
        self.learning_rate = learning_rate
        self.max_epochs = max_epochs
        self.model = mlp_scalar.Network(self.hidden_layers)
        optim = SGD(self.model.parameters(), learning_rate)
        losses: list[float] = []
        for epoch in range(1, max_epochs + 1):
            total_loss, correct = 0.0, 0
            optim.zero_grad()
            for x, y in zip(data.X, data.y):
                out = self.run_one(x)
                prob = out if y == 1 else 1.0 - out
                correct += int((out.data > 0.5) == (y == 1))
                loss = -prob.log()
                (loss / data.N).backward()
                total_loss += loss.data
            losses.append(total_loss)
            optim.step()
            if epoch % 10 == 0 or epoch == max_epochs:
                log_fn(epoch, total_loss, correct, losses)


class TensorTrain:
    """Trains a network of tensors on the reference backend, on all points at once (module 2).

    Args:
        hidden_layers: The width of both hidden layers.
    """

    def __init__(self, hidden_layers: int) -> None:
        self.hidden_layers = hidden_layers
        self.model = mlp_tensor.Network(hidden_layers, SimpleBackend)

    def run_one(self, x: Sequence[float]) -> Tensor:
        """Return the probability that the label of a point is 1, of shape (1, 1)."""
        return self.run_many([x])

    def run_many(self, X: Sequence[Sequence[float]]) -> Tensor:
        """Return the probabilities of N points, of shape (N, 1)."""
        result: Tensor = self.model(tensor(X, SimpleBackend))
        return result

    def probabilities(self, X: Sequence[Point]) -> Array:
        """Return the probability of label 1 at each of N points, (N,)."""
        return forward_arrays(self.model.arrays(), X)

    def train(
        self, data: Graph, learning_rate: float, max_epochs: int = 500, log_fn: LogFn = default_log_fn
    ) -> None:
        """Train a new network; call ``log_fn`` after every tenth epoch and the last."""
        self.learning_rate = learning_rate
        self.max_epochs = max_epochs
        self.model = mlp_tensor.Network(self.hidden_layers, SimpleBackend)
        optim = SGD(self.model.parameters(), learning_rate)
        X, y = tensor(data.X, SimpleBackend), tensor(data.y, SimpleBackend)
        losses: list[float] = []
        for epoch in range(1, max_epochs + 1):
            optim.zero_grad()
            out = self.model(X).view(data.N)
            prob = out * y + (out - 1.0) * (y - 1.0)
            loss = -prob.log()
            (loss / data.N).sum().backward()
            total_loss = loss.sum().item()
            losses.append(total_loss)
            optim.step()
            if epoch % 10 == 0 or epoch == max_epochs:
                correct = int(((out.detach() > 0.5) == y).sum().item())
                log_fn(epoch, total_loss, correct, losses)


class FastTrain:
    """Trains a network of tensors on batches of ten points, on the fast backend or another (module 3).

    Args:
        hidden_layers: The width of both hidden layers.
        backend: The backend of all tensors.
    """

    def __init__(self, hidden_layers: int, backend: TensorBackend = FastBackend) -> None:
        self.hidden_layers = hidden_layers
        self.backend = backend
        self.model = mlp_tensor.Network(hidden_layers, backend)

    def run_one(self, x: Sequence[float]) -> Tensor:
        """Return the probability that the label of a point is 1, of shape (1, 1)."""
        return self.run_many([x])

    def run_many(self, X: Sequence[Sequence[float]]) -> Tensor:
        """Return the probabilities of N points, of shape (N, 1)."""
        result: Tensor = self.model(tensor(X, self.backend))
        return result

    def probabilities(self, X: Sequence[Point]) -> Array:
        """Return the probability of label 1 at each of N points, (N,)."""
        with no_grad():
            return self.run_many(X).to_numpy().ravel()

    def train(
        self, data: Graph, learning_rate: float, max_epochs: int = 500, log_fn: LogFn = default_log_fn
    ) -> None:
        """Train a new network; call ``log_fn`` after every tenth epoch and the last."""
        self.model = mlp_tensor.Network(self.hidden_layers, self.backend)
        optim = SGD(self.model.parameters(), learning_rate)
        losses: list[float] = []
        for epoch in range(1, max_epochs + 1):
            pairs = list(zip(data.X, data.y))
            random.shuffle(pairs)
            total_loss = sum(self._step(pairs[i : i + BATCH], optim) for i in range(0, data.N, BATCH))
            losses.append(total_loss)
            if epoch % 10 == 0 or epoch == max_epochs:
                correct = int(((self.probabilities(data.X) > 0.5) == np.array(data.y)).sum())
                log_fn(epoch, total_loss, correct, losses)

    def _step(self, pairs: Sequence[tuple[Point, int]], optim: Optimizer) -> float:
        """Train on some points and return the sum of their losses."""
        optim.zero_grad()
        y = tensor([label for _, label in pairs], self.backend)
        out = self.run_many([x for x, _ in pairs]).view(len(pairs))
        prob = out * y + (out - 1.0) * (y - 1.0)
        loss = -prob.log()
        (loss / len(pairs)).sum().backward()
        optim.step()
        return loss.sum().item()


def forward_arrays(layers: Sequence[tuple[Array, Array]], X: Sequence[Point]) -> Array:
    """Return the output of a network at N points, (N,), computed in NumPy: a figure asks for thousands of points.

    Args:
        layers: Weights (in_size, out_size) and bias (out_size,) of each layer; ReLU between, a sigmoid at the end.
        X: The points.
    """
    values = np.array(X, float)
    for n, (weights, bias) in enumerate(layers):
        values = values @ weights + bias
        values = np.maximum(values, 0) if n < len(layers) - 1 else values
    with np.errstate(over="ignore"):  # far below 0, exp overflows to infinity and its inverse is 0
        result: Array = 1 / (1 + np.exp(-values.ravel()))
    return result
