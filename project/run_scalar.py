"""Trains a small network of Scalars to tell two kinds of points apart (module 1 of the course).

python project/run_scalar.py --DATASET xor --HIDDEN 5 --RATE 0.5 --out runs/xor
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cli import guarded
from minitorch import SGD, Graph, Scalar
from models.mlp_scalar import Network
from toys import LogFn, Point, cpu_only, default_log_fn, draw_graph, draw_points, flags, on_arrays, run


class ScalarTrain:
    """Trains a `Network` of Scalars by gradient descent on all points at once."""

    def __init__(self, hidden_layers: int) -> None:
        self.hidden_layers = hidden_layers
        self.model = Network(hidden_layers)

    def run_one(self, x: Sequence[float]) -> Scalar:
        """Return the probability that the label of a point is 1."""
        return self.model((Scalar(x[0], name="x_1"), Scalar(x[1], name="x_2")))

    def probabilities(self, X: Sequence[Point]) -> npt.NDArray[np.floating]:
        """Return the probability for each point."""
        return on_arrays(self.model.arrays(), X)

    def neuron(self) -> Scalar:
        """Return what the first hidden unit makes of the middle of the plane."""
        return self.model.layer1((Scalar(0.5, name="x_1"), Scalar(0.5, name="x_2")))[0].relu()

    def train(
        self, data: Graph, learning_rate: float, max_epochs: int = 500, log_fn: LogFn = default_log_fn
    ) -> None:
        """Train a new network; report every tenth epoch and the last."""
        self.learning_rate = learning_rate
        self.max_epochs = max_epochs
        self.model = Network(self.hidden_layers)
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the flags say."""
    args = flags(__doc__).parse_args(arguments)
    cpu_only(args, "Scalars are computed")
    data = draw_points(args)
    trainer = ScalarTrain(args.HIDDEN)
    run("scalar", args, trainer, data, graph=lambda: draw_graph(trainer.neuron(), trainer.model))


if __name__ == "__main__":
    sys.exit(guarded(main))
