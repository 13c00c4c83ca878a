"""Trains a small network of tensors, on the CPU or a GPU, to tell two kinds of points apart (module 3).

python project/run_fast_tensor.py --DATASET xor --HIDDEN 10 --RATE 0.1 --out runs/xor
python project/run_fast_tensor.py --BACKEND gpu
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cli import guarded
from minitorch import SGD, FastBackend, Graph, Optimizer, Tensor, TensorBackend, no_grad, tensor
from minitorch.backends import find_backend
from models.mlp_tensor import Network
from toys import LogFn, Point, default_log_fn, draw_graph, draw_points, flags, run

BATCH = 10


class FastTrain:
    """Trains a `Network` of tensors on batches of ten points."""

    def __init__(self, hidden_layers: int, backend: TensorBackend = FastBackend) -> None:
        self.hidden_layers = hidden_layers
        self.backend = backend
        self.model = Network(hidden_layers, backend)

    def run_one(self, x: Sequence[float]) -> Tensor:
        """Return the probability that the label of a point is 1, of shape (1, 1)."""
        return self.run_many([x])

    def run_many(self, X: Sequence[Sequence[float]]) -> Tensor:
        """Return the probabilities for N points, of shape (N, 1)."""
        return self.model(tensor(X, self.backend))

    def probabilities(self, X: Sequence[Point]) -> npt.NDArray[np.floating]:
        """Return the probability for each point."""
        with no_grad():
            return self.run_many(X).to_numpy().ravel()

    def train(
        self, data: Graph, learning_rate: float, max_epochs: int = 500, log_fn: LogFn = default_log_fn
    ) -> None:
        """Train a new network; report every tenth epoch and the last."""
        self.model = Network(self.hidden_layers, self.backend)
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the flags say."""
    args = flags(__doc__).parse_args(arguments)
    backend = find_backend("cuda" if args.BACKEND == "gpu" else "fast")
    data = draw_points(args)
    trainer = FastTrain(args.HIDDEN, backend)
    run("fast", args, trainer, data, graph=lambda: draw_graph(trainer.run_many(data.X), trainer.model))


if __name__ == "__main__":
    sys.exit(guarded(main))
