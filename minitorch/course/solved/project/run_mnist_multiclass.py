"""Trains LeNet on images of digits with your own kernels (task 4.5).

python project/run_mnist_multiclass.py --EPOCHS 5 --LIMIT 1000

MNIST is used where it is found (see `images`), else the digits beside this file.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # your own minitorch, from any directory
sys.path.insert(0, str(Path(__file__).resolve().parent))

import images

import minitorch

BACKEND = minitorch.FastBackend
BATCH = 16


def RParam(*shape: int, fan_in: int) -> minitorch.Parameter:
    """Return a Parameter of random numbers, so wide that a layer with ReLU keeps the size of its inputs.

    They are uniform, up to the root of 6 over the number of inputs of an output (He et al., 2015).
    """
    width = (6.0 / fan_in) ** 0.5
    return minitorch.Parameter(2.0 * width * (minitorch.rand(shape, backend=BACKEND) - 0.5))


class Linear(minitorch.Module):
    """Weighted sums, with ``weights`` (in_size, out_size) and ``bias`` (out_size,)."""

    def __init__(self, in_size: int, out_size: int) -> None:
        super().__init__()
        self.weights = RParam(in_size, out_size, fan_in=in_size)
        self.bias = RParam(out_size, fan_in=in_size)

    def forward(self, x: minitorch.Tensor) -> minitorch.Tensor:
        """Return for ``x`` (N, in_size) the sums (N, out_size). This method is complete."""
        return x @ self.weights.value + self.bias.value


class Conv2d(minitorch.Module):
    """A convolution with ``weights`` (out_channels, in_channels, kh, kw) and ``bias`` (out_channels, 1, 1)."""

    def __init__(self, in_channels: int, out_channels: int, kh: int, kw: int) -> None:
        super().__init__()
        fan_in = in_channels * kh * kw
        self.weights = RParam(out_channels, in_channels, kh, kw, fan_in=fan_in)
        self.bias = RParam(out_channels, 1, 1, fan_in=fan_in)

    def forward(self, input: minitorch.Tensor) -> minitorch.Tensor:
        """Return the convolution of images (N, in_channels, H, W), plus the bias."""
        return minitorch.conv2d(input, self.weights.value) + self.bias.value


class Network(minitorch.Module):
    """LeNet: two convolutions, pooling, two linear layers.

    Attributes:
        mid: After ``forward``: what the first convolution and ReLU gave, (N, 4, 28, 28).
        out: What the second gave, (N, 8, 28, 28).
    """

    def __init__(self) -> None:
        """Make ``conv1`` (1 to 4 channels) and ``conv2`` (4 to 8), 3 by 3, and ``linear1`` and ``linear2``.

        ``linear1`` maps the 392 numbers that are left after pooling to 64, ``linear2`` these to 10. Begin with
        ``super().__init__()``, and set ``mid`` and ``out`` to None.
        """
        super().__init__()
        self.conv1 = Conv2d(1, 4, 3, 3)
        self.conv2 = Conv2d(4, 8, 3, 3)
        self.linear1 = Linear(392, 64)
        self.linear2 = Linear(64, 10)
        self.mid = None
        self.out = None

    def forward(self, x: minitorch.Tensor) -> minitorch.Tensor:
        """Return for images (N, 1, 28, 28) the logarithms of the probabilities of the ten digits, (N, 10).

        The steps: ``conv1`` and ReLU, saved as ``mid``; ``conv2`` and ReLU, saved as ``out``; average pooling of 4 by
        4; a view as (N, 392); ``linear1``, ReLU, and dropout of 25 %, which only training has; ``linear2`` and
        ``logsoftmax`` over the ten.
        """
        self.mid = self.conv1(x).relu()
        self.out = self.conv2(self.mid).relu()
        pooled = minitorch.avgpool2d(self.out, (4, 4))
        hidden = self.linear1(pooled.view(pooled.shape[0], 392)).relu()
        hidden = minitorch.dropout(hidden, 0.25, not self.training)
        return minitorch.logsoftmax(self.linear2(hidden), 1)


def to_tensor(images: Any) -> minitorch.Tensor:
    """Return images (N, 28, 28) as a Tensor (N, 1, 28, 28)."""
    return minitorch.tensor(images, backend=BACKEND).view(len(images), 1, 28, 28)


def one_hot(labels: Any) -> minitorch.Tensor:
    """Return labels as rows of ten numbers: 1.0 at the label, else 0.0."""
    rows = [[float(label == digit) for digit in range(10)] for label in labels]
    return minitorch.tensor(rows, backend=BACKEND)


def print_progress(epoch: int, loss: float, accuracy: float, seconds: float) -> None:
    """Print one line."""
    print(f"epoch {epoch}: loss {loss:.4f}, test accuracy {accuracy:.4f}, {seconds:.1f} seconds", flush=True)


class ImageTrain:
    """Trains a `Network`."""

    def __init__(self) -> None:
        self.model = Network()

    def accuracy(self, images: Any, labels: Any) -> float:
        """Return the share of right answers, without dropout."""
        self.model.eval()
        right = 0
        for i in range(0, len(images), 100):
            scores = self.model.forward(to_tensor(images[i : i + 100])).detach()
            likeliest = minitorch.argmax(scores, 1) * one_hot(labels[i : i + 100])
            right += int(likeliest.sum().item())
        return right / len(images)

    def train(
        self,
        data_train: tuple[Any, Any],
        data_val: tuple[Any, Any],
        learning_rate: float,
        max_epochs: int = 5,
        log_fn: Callable[[int, float, float, float], None] = print_progress,
    ) -> list[float]:
        """Train, and return the mean loss of each epoch."""
        self.model = Network()
        optim = minitorch.SGD(self.model.parameters(), learning_rate)
        pictures, labels = data_train
        losses = []
        for epoch in range(1, max_epochs + 1):
            began, total = time.perf_counter(), 0.0
            self.model.train()
            order = random.sample(range(len(pictures)), len(pictures))
            for i in range(0, len(order), BATCH):
                batch = order[i : i + BATCH]
                optim.zero_grad()
                out = self.model.forward(to_tensor(pictures[batch]))
                loss = -(out * one_hot(labels[batch])).sum() / len(batch)
                loss.backward()
                optim.step()
                total += loss.item() * len(batch)
            losses.append(total / len(order))
            log_fn(epoch, losses[-1], self.accuracy(*data_val), time.perf_counter() - began)
        return losses


def main() -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--EPOCHS", type=int, default=5)
    parser.add_argument("--RATE", type=float, default=0.1, help="learning rate")
    parser.add_argument("--LIMIT", type=int, default=2000, help="how many images to train with")
    parser.add_argument("--DATASET", default="auto", choices=["auto", "mnist", "digits"])
    args = parser.parse_args()
    name, x, y, u, v = images.load(args.DATASET)
    pictures = x[: args.LIMIT], y[: args.LIMIT]
    print(f"{name}: {len(pictures[0])} images to train with; Numba compiles your kernels first", flush=True)
    ImageTrain().train(pictures, (u[:1000], v[:1000]), args.RATE, args.EPOCHS)


if __name__ == "__main__":
    main()
