"""Trains a network of Scalars on points in the plane (task 1.5).

python project/run_scalar.py --PTS 50 --HIDDEN 2 --RATE 0.5 --DATASET Simple
"""

import argparse
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # your own minitorch, from any directory

import minitorch


class Network(minitorch.Module):
    """Two inputs, two hidden layers with ReLU, and one output from 0 to 1."""

    def __init__(self, hidden_layers: int) -> None:
        """Make the layers ``layer1``, ``layer2`` and ``layer3`` (`Linear`), with ``hidden_layers`` hidden numbers.

        Begin with ``super().__init__()``.
        """
        super().__init__()
        self.layer1 = Linear(2, hidden_layers)
        self.layer2 = Linear(hidden_layers, hidden_layers)
        self.layer3 = Linear(hidden_layers, 1)

    def forward(self, x: Sequence[minitorch.Scalar]) -> minitorch.Scalar:
        """Return the probability, a Scalar, that the point ``x`` has the label 1.

        Apply ReLU after the first and the second layer, and the sigmoid to the output of the third.
        """
        middle = [h.relu() for h in self.layer1(x)]
        end = [h.relu() for h in self.layer2(middle)]
        return self.layer3(end)[0].sigmoid()


class Linear(minitorch.Module):
    """Weighted sums: output j is ``bias[j]`` plus the sum over i of input i times ``weights[i][j]``."""

    def __init__(self, in_size: int, out_size: int) -> None:
        super().__init__()
        self.weights = []
        self.bias = []
        for i in range(in_size):
            row = [self._random(f"weight_{i}_{j}") for j in range(out_size)]
            self.weights.append(row)
        for j in range(out_size):
            self.bias.append(self._random(f"bias_{j}"))

    def _random(self, name: str) -> minitorch.Parameter:
        return self.add_parameter(name, minitorch.Scalar(2 * (random.random() - 0.5)))

    def forward(self, inputs: Sequence[minitorch.Scalar]) -> list[minitorch.Scalar]:
        """Return the list of outputs. The number of a Parameter ``p`` is ``p.value``."""
        sums = []
        for j, bias in enumerate(self.bias):
            total = bias.value
            for x, row in zip(inputs, self.weights):
                total = total + x * row[j].value
            sums.append(total)
        return sums


def print_progress(epoch: int, total_loss: float, correct: int) -> None:
    """Print one line."""
    print(f"epoch {epoch}: loss {total_loss:.4f}, correct {correct}")


class ScalarTrain:
    """Trains a `Network`, one point at a time."""

    def __init__(self, hidden_layers: int) -> None:
        self.hidden_layers = hidden_layers
        self.model = Network(hidden_layers)

    def run_one(self, x: Sequence[float]) -> minitorch.Scalar:
        """Return the output for one point."""
        return self.model.forward([minitorch.Scalar(v) for v in x])

    def train(
        self,
        data: minitorch.Graph,
        learning_rate: float,
        max_epochs: int = 500,
        log_fn: Callable[[int, float, int], None] = print_progress,
    ) -> list[float]:
        """Train, and return the loss of each epoch."""
        self.model = Network(self.hidden_layers)
        optim = minitorch.SGD(self.model.parameters(), learning_rate)
        losses = []
        for epoch in range(1, max_epochs + 1):
            total, correct = 0.0, 0
            optim.zero_grad()
            for point, label in zip(data.X, data.y):
                out = self.run_one(point)
                probability = out if label == 1 else -out + 1.0
                correct += probability.data > 0.5
                loss = -probability.log()
                (loss / data.N).backward()
                total += loss.data
            optim.step()
            losses.append(total)
            if epoch % 10 == 0 or epoch == max_epochs:
                log_fn(epoch, total, correct)
        return losses


def main() -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--PTS", type=int, default=50, help="number of points")
    parser.add_argument("--HIDDEN", type=int, default=2, help="numbers in a hidden layer")
    parser.add_argument("--RATE", type=float, default=0.5, help="learning rate")
    parser.add_argument("--DATASET", default="Simple", choices=list(minitorch.datasets))
    parser.add_argument("--EPOCHS", type=int, default=500)
    args = parser.parse_args()
    data = minitorch.datasets[args.DATASET](args.PTS)
    ScalarTrain(args.HIDDEN).train(data, args.RATE, args.EPOCHS)


if __name__ == "__main__":
    main()
