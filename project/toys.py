"""What the trainers of the toy point sets share: flags, the report of a run, its files and pictures.

It refuses to know what the networks are made of: Scalars, tensors or PyTorch.
"""

from __future__ import annotations

import math
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

import minitorch
import panels
from cli import Parser, Refusal, count, natural, rate
from folder import prepare, write_json
from minitorch import Graph

Point = tuple[float, float]
LogFn = Callable[[int, float, int, list[float]], None]

SETS = {name.lower(): points for name, points in minitorch.datasets.items()}


class Trainer(Protocol):
    """What the scripts' trainers offer, beside the course's ``run_one``."""

    def train(self, data: Graph, learning_rate: float, max_epochs: int = 500, log_fn: LogFn = ...) -> None:
        """Train a new network."""

    def probabilities(self, X: Sequence[Point]) -> Any:
        """Return how likely label 1 is at each point."""


def default_log_fn(epoch: int, total_loss: float, correct: int, losses: list[float]) -> None:
    """Print how the training goes."""
    print("Epoch ", epoch, " loss ", total_loss, "correct", correct)


def flags(description: str | None) -> Parser:
    """Return a parser with the course's flags, and ours."""
    parser = Parser(description)
    add = parser.add_argument
    add("--PTS", metavar="N", type=count, default=50, help="number of points; default: 50")
    add("--HIDDEN", metavar="N", type=count, default=10, help="width of the hidden layers; default: 10")
    add("--RATE", metavar="X", type=rate, default=0.05, help="learning rate; default: 0.05")
    add("--BACKEND", choices=("cpu", "gpu"), default="cpu", help="default: cpu")
    add("--DATASET", type=str.lower, choices=list(SETS), default="simple", help="default: simple")
    add("--PLOT", nargs="?", const=True, help="draw pictures, into runs/ unless --out is given")
    add("--EPOCHS", metavar="N", type=count, default=500, help="default: 500")
    add("--SEED", metavar="N", type=natural, default=0, help="default: 0")
    add("--out", metavar="DIR", type=Path, help="where the result and the pictures go")
    return parser


def cpu_only(args: Namespace, what: str) -> None:
    """Refuse ``--BACKEND gpu``."""
    if args.BACKEND == "gpu":
        raise Refusal(f"{what} on the CPU only: --BACKEND gpu is for run_fast_tensor.py")


def draw_points(args: Namespace) -> Graph:
    """Set the seed, see that the folder can be written to, and return the points that the flags ask for."""
    if args.PLOT and args.out is None:
        args.out = Path("runs") / f"{args.DATASET}-{args.HIDDEN}"
    if args.out is not None:
        prepare(args.out)
    minitorch.manual_seed(args.SEED)
    return SETS[args.DATASET](args.PTS)


def run(name: str, args: Namespace, trainer: Trainer, data: Graph) -> None:
    """Train, print the accuracy on the points, write and draw what ``--out`` asks for.

    Args:
        name: Of the trainer.
        args: The flags.
        trainer: Fresh.
        data: The points.

    Raises:
        Refusal: The loss is no longer a number.
    """
    kept: list[float] = []

    def log(epoch: int, total_loss: float, correct: int, losses: list[float]) -> None:
        if not math.isfinite(total_loss):
            raise Refusal(f"the loss is no longer a number in epoch {epoch}: try a smaller --RATE")
        default_log_fn(epoch, total_loss, correct, losses)
        kept[:] = losses

    began = time.perf_counter()
    trainer.train(data, args.RATE, args.EPOCHS, log)
    seconds = time.perf_counter() - began
    report(name, args, data, trainer.probabilities, losses=kept, seconds=seconds)


def report(
    name: str,
    args: Namespace,
    data: Graph,
    classify: Callable[[Sequence[Point]], Any],
    *,
    losses: Sequence[float] = (),
    seconds: float = 0.0,
) -> None:
    """Print the accuracy on the points; write ``results.json`` and pictures if there is a folder."""
    accuracy = float(((np.asarray(classify(data.X)) > 0.5) == np.array(data.y)).mean())
    if args.out is not None:
        record = {"trainer": name, "dataset": args.DATASET, "accuracy": accuracy, "points": args.PTS}
        if losses:
            settings = {"hidden": args.HIDDEN, "rate": args.RATE, "epochs": args.EPOCHS, "seed": args.SEED}
            record |= {"loss": losses[-1], **settings, "backend": args.BACKEND, "seconds": round(seconds, 2)}
            steps = [{"step": k, "loss": loss} for k, loss in enumerate(losses, 1)]
            panels.draw_curve(args.out / "loss.png", "loss", steps, unit="epoch")
        write_json(args.out / "results.json", record)
        title = f"{args.DATASET.capitalize()}, {name}: {accuracy:.0%} right"
        panels.draw_boundary(args.out / "boundary.png", data, classify, title)
    print(f"accuracy {accuracy:.4f}")
