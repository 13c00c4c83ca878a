"""Trains a small network of tensors in the simple room to tell two kinds of points apart (module 2).

python project/run_tensor.py --DATASET xor --HIDDEN 5 --RATE 0.5 --out runs/xor
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cli import guarded
from minitorch import SGD, Graph, SimpleBackend, Tensor, tensor
from models.mlp_tensor import Network
from toys import LogFn, Point, cpu_only, default_log_fn, draw_graph, draw_points, flags, on_arrays, run


class TensorTrain:
    """Trains a `Network` of tensors by gradient descent on all points at once."""

    def __init__(self, hidden_layers: int) -> None:
        self.hidden_layers = hidden_layers
        self.model = Network(hidden_layers, SimpleBackend)

    def run_one(self, x: Sequence[float]) -> Tensor:
        """Return the probability that the label of a point is 1, of shape (1, 1)."""
        return self.run_many([x])

    def run_many(self, X: Sequence[Sequence[float]]) -> Tensor:
        """Return the probabilities for N points, of shape (N, 1)."""
        return self.model(tensor(X, SimpleBackend))

    def probabilities(self, X: Sequence[Point]) -> npt.NDArray[np.floating]:
        """Return the probability for each point."""
        return on_arrays(self.model.arrays(), X)

    def train(
        self, data: Graph, learning_rate: float, max_epochs: int = 500, log_fn: LogFn = default_log_fn
    ) -> None:
        """Train a new network; report every tenth epoch and the last."""
        self.learning_rate = learning_rate
        self.max_epochs = max_epochs
        self.model = Network(self.hidden_layers, SimpleBackend)
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the flags say."""
    args = flags(__doc__).parse_args(arguments)
    cpu_only(args, "the simple room computes")
    data = draw_points(args)
    trainer = TensorTrain(args.HIDDEN)
    run("tensor", args, trainer, data, graph=lambda: draw_graph(trainer.run_many(data.X), trainer.model))


if __name__ == "__main__":
    sys.exit(guarded(main))
