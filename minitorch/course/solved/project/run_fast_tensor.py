"""Trains a network on the kernels of module 3 (task 3.5).

python project/run_fast_tensor.py --PTS 50 --HIDDEN 100 --RATE 0.05 --BACKEND cpu --DATASET Xor
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # your own minitorch, from any directory

import minitorch


def RParam(*shape: int, backend: minitorch.TensorBackend) -> minitorch.Parameter:
    """Return a Parameter of random numbers from -0.5 to 0.5."""
    return minitorch.Parameter(minitorch.rand(shape, backend=backend) - 0.5)


class Network(minitorch.Module):
    """Two inputs, two hidden layers with ReLU, and one output from 0 to 1."""

    def __init__(self, hidden: int, backend: minitorch.TensorBackend) -> None:
        """Make the layers ``layer1``, ``layer2`` and ``layer3`` (`Linear`) in this backend.

        Begin with ``super().__init__()``.
        """
        super().__init__()
        self.layer1 = Linear(2, hidden, backend)
        self.layer2 = Linear(hidden, hidden, backend)
        self.layer3 = Linear(hidden, 1, backend)

    def forward(self, x: minitorch.Tensor) -> minitorch.Tensor:
        """Return for points (N, 2) the probabilities (N, 1), as in task 2.5."""
        middle = self.layer1(x).relu()
        end = self.layer2(middle).relu()
        return self.layer3(end).sigmoid()


class Linear(minitorch.Module):
    """Weighted sums, with ``weights`` (in_size, out_size) and ``bias`` (out_size,)."""

    def __init__(self, in_size: int, out_size: int, backend: minitorch.TensorBackend) -> None:
        super().__init__()
        self.weights = RParam(in_size, out_size, backend=backend)
        self.bias = RParam(out_size, backend=backend)

    def forward(self, x: minitorch.Tensor) -> minitorch.Tensor:
        """Return for ``x`` (N, in_size) the sums (N, out_size). Now there is a matrix product: ``@``."""
        return x @ self.weights.value + self.bias.value


def print_progress(epoch: int, total_loss: float, correct: int, seconds: float) -> None:
    """Print one line."""
    print(f"epoch {epoch}: loss {total_loss:.4f}, correct {correct}, {seconds:.3f} seconds an epoch")


class FastTrain:
    """Trains a `Network` in batches of 10 points."""

    def __init__(self, hidden_layers: int, backend: minitorch.TensorBackend = minitorch.FastBackend) -> None:
        self.hidden_layers = hidden_layers
        self.backend = backend
        self.model = Network(hidden_layers, backend)

    def train(
        self,
        data: minitorch.Graph,
        learning_rate: float,
        max_epochs: int = 500,
        log_fn: Callable[[int, float, int, float], None] = print_progress,
    ) -> list[float]:
        """Train, and return the loss of each epoch."""
        self.model = Network(self.hidden_layers, self.backend)
        optim = minitorch.SGD(self.model.parameters(), learning_rate)
        points = list(zip(data.X, data.y))
        losses = []
        began = time.perf_counter()
        for epoch in range(1, max_epochs + 1):
            random.shuffle(points)
            total, correct = 0.0, 0.0
            for i in range(0, len(points), 10):
                X, y = (minitorch.tensor(part, backend=self.backend) for part in zip(*points[i : i + 10]))
                optim.zero_grad()
                out = self.model.forward(X).view(y.size)
                probability = out * y + (1.0 - out) * (1.0 - y)
                loss = -probability.log().sum()
                (loss / y.size).backward()
                optim.step()
                total += loss.sum().item()
                correct += (probability > 0.5).sum().item()
            losses.append(total)
            if epoch % 10 == 0 or epoch == max_epochs:
                log_fn(epoch, total, int(correct), (time.perf_counter() - began) / epoch)
        return losses


def main() -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--PTS", type=int, default=50, help="number of points")
    parser.add_argument("--HIDDEN", type=int, default=10, help="numbers in a hidden layer")
    parser.add_argument("--RATE", type=float, default=0.05, help="learning rate")
    parser.add_argument("--BACKEND", default="cpu", choices=["cpu", "gpu"])
    parser.add_argument("--DATASET", default="Simple", choices=list(minitorch.datasets))
    parser.add_argument("--EPOCHS", type=int, default=500)
    args = parser.parse_args()
    data = minitorch.datasets[args.DATASET](args.PTS)
    backend = minitorch.CudaBackend if args.BACKEND == "gpu" else minitorch.FastBackend
    FastTrain(args.HIDDEN, backend).train(data, args.RATE, args.EPOCHS)


if __name__ == "__main__":
    main()
