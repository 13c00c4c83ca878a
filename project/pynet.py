"""PyNet: the light CIFAR-10 network of the homework, in minitorch's layers. Read it from top to bottom.

    python project/pynet.py                            # 5,000 images, 5 epochs
    python project/pynet.py --limit 45000 --epochs 10

`main` is the whole program; no file is written. `run_cifar10.py` is the trainer that writes files.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from cli import Parser, count, natural, rate, run_command

# isort: split
# After `cli`, which ends the script without a traceback if Ctrl-C arrives during these imports.
import minitorch as mt
from minitorch.data.image_sets import cifar10
from minitorch.data.loader import DataLoader
from minitorch.vision.transforms import Compose, Normalize, RandomHorizontalFlip


def block(ins: int, outs: int) -> mt.Sequential:
    """Convolution, batch norm, ReLU, pooling: half as high and wide, ``outs`` channels."""
    return mt.Sequential(
        mt.Conv2d(ins, outs, kernel_size=3, padding=1),
        mt.BatchNorm2d(outs),
        mt.ReLU(),
        mt.MaxPool2d(2),
    )


class PyNet(mt.Module):
    """Three blocks, 32x32 -> 16 -> 8 -> 4 pixels and 3 -> 16 -> 32 -> 64 channels, then a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.block1 = block(3, 16)
        self.block2 = block(16, 32)
        self.block3 = block(32, 64)
        self.linear = mt.Linear(64 * 4 * 4, 10)

    def forward(self, images: mt.Tensor) -> mt.Tensor:
        """Map images (N, 3, 32, 32) to scores (N, 10)."""
        features = self.block3(self.block2(self.block1(images)))
        return self.linear(features.flatten(1))


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, print the results of each epoch, and test."""
    parser = Parser(__doc__)
    parser.add_argument("--limit", metavar="N", type=count, default=5000, help="images to train on; 5000")
    parser.add_argument("--epochs", metavar="N", type=count, default=5, help="default: 5")
    parser.add_argument("--lr", metavar="X", type=rate, default=0.002, help="default: 0.002")
    parser.add_argument("--seed", metavar="N", type=natural, default=0, help="default: 0")
    parser.add_argument("--data-dir", metavar="DIR", type=Path, help="first place to look for CIFAR-10")
    args = parser.parse_args(arguments)
    mt.set_default_dtype("float32")
    mt.manual_seed(args.seed)

    train, test = cifar10(args.data_dir)
    valid = train.subset(range(len(train) * 9 // 10, len(train)))
    train = train.subset(range(len(train) * 9 // 10)[: args.limit])
    normalize = Normalize(*train.mean_std())
    batches = DataLoader(
        train, 64, shuffle=True, transform=Compose([RandomHorizontalFlip(), normalize]), seed=args.seed
    )

    model = PyNet()
    optimizer = mt.Adam(model.parameters(), args.lr)
    began, total, seen = time.perf_counter(), 0.0, 0
    for step in mt.fit(model, batches, optimizer, epochs=args.epochs):
        total, seen = total + step.loss, seen + 1
        if step.last:
            checked = mt.evaluate(model, DataLoader(valid, 500, transform=normalize))
            seconds = time.perf_counter() - began
            print(
                f"epoch {step.epoch}: training loss {total / seen:.4f}, validation loss {checked.loss:.4f}, "
                f"validation accuracy {checked.accuracy:.4f}, {seconds:.0f} s",
                flush=True,
            )
            total, seen = 0.0, 0
    result = mt.evaluate(model, DataLoader(test, 500, transform=normalize))
    print(f"test accuracy {result.accuracy:.4f}")


if __name__ == "__main__":
    sys.exit(run_command(main))
