"""Trains a network of Tensors on points in the plane (task 2.5).

python project/run_tensor.py --PTS 50 --HIDDEN 4 --RATE 0.5 --DATASET Xor
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # your own minitorch, from any directory

import minitorch


def RParam(*shape: int) -> minitorch.Parameter:
    """Return a Parameter of random numbers from -1 to 1."""
    return minitorch.Parameter(2 * (minitorch.rand(shape) - 0.5))


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

    def forward(self, x: minitorch.Tensor) -> minitorch.Tensor:
        """Return for points (N, 2) the probabilities (N, 1) that they have the label 1.

        Apply ReLU after the first and the second layer, and the sigmoid to the output of the third.
        """
        middle = self.layer1(x).relu()
        end = self.layer2(middle).relu()
        return self.layer3(end).sigmoid()


class Linear(minitorch.Module):
    """Weighted sums, with ``weights`` (in_size, out_size) and ``bias`` (out_size,)."""

    def __init__(self, in_size: int, out_size: int) -> None:
        super().__init__()
        self.weights = RParam(in_size, out_size)
        self.bias = RParam(out_size)
        self.out_size = out_size

    def forward(self, x: minitorch.Tensor) -> minitorch.Tensor:
        """Return for ``x`` (N, in_size) the sums (N, out_size).

        There is no matrix product yet: broadcast ``x`` and the weights to one shape with three dimensions, multiply,
        and sum up the right dimension.
        """
        batch, in_size = x.shape
        products = x.view(batch, in_size, 1) * self.weights.value.view(1, in_size, self.out_size)
        return products.sum(1).view(batch, self.out_size) + self.bias.value


def print_progress(epoch: int, total_loss: float, correct: int) -> None:
    """Print one line."""
    print(f"epoch {epoch}: loss {total_loss:.4f}, correct {correct}")


class TensorTrain:
    """Trains a `Network` with all points at once."""

    def __init__(self, hidden_layers: int) -> None:
        self.hidden_layers = hidden_layers
        self.model = Network(hidden_layers)

    def run_many(self, X: Sequence[Sequence[float]]) -> minitorch.Tensor:
        """Return the outputs for points."""
        return self.model.forward(minitorch.tensor(X))

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
        X, y = minitorch.tensor(data.X), minitorch.tensor(data.y)
        losses = []
        for epoch in range(1, max_epochs + 1):
            optim.zero_grad()
            out = self.model.forward(X).view(data.N)
            probability = out * y + (1.0 - out) * (1.0 - y)
            loss = -probability.log().sum()
            (loss / data.N).backward()
            optim.step()
            losses.append(loss.item())
            if epoch % 10 == 0 or epoch == max_epochs:
                log_fn(epoch, losses[-1], int((probability > 0.5).sum().item()))
        return losses


def main() -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--PTS", type=int, default=50, help="number of points")
    parser.add_argument("--HIDDEN", type=int, default=4, help="numbers in a hidden layer")
    parser.add_argument("--RATE", type=float, default=0.5, help="learning rate")
    parser.add_argument("--DATASET", default="Simple", choices=list(minitorch.datasets))
    parser.add_argument("--EPOCHS", type=int, default=500)
    args = parser.parse_args()
    data = minitorch.datasets[args.DATASET](args.PTS)
    TensorTrain(args.HIDDEN).train(data, args.RATE, args.EPOCHS)


if __name__ == "__main__":
    main()
