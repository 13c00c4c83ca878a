"""Trains a small network to classify the points of a toy set.

    minitorch toys --DATASET xor --HIDDEN 10 --RATE 0.1 --out runs/xor
    minitorch toys scalar --DATASET diag --HIDDEN 4 --RATE 0.5
    minitorch toys fast --BACKEND gpu

The network is made of Scalars (scalar, module 1 of the course), of tensors on the reference backend (tensor, module 2)
or of tensors on the fast backend or a GPU (fast, module 3). In the course these are project/run_scalar.py,
run_tensor.py and run_fast_tensor.py.
"""

from __future__ import annotations

import math
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..autodiff import Variable
from ..dashboard.decision_boundary import DecisionBoundary
from ..dashboard.graph import draw_graph, parameter_names
from ..dashboard.outputs import Outputs
from ..dashboard.svg import settings_table
from ..datasets import Graph, datasets
from ..module import Module
from ..runtime.rng import manual_seed
from ..tensor_ops.backend import find_backend
from ..train.callbacks import JsonLinesLogger
from ..train.loop import Step
from ..train.plots import plot_boundary, plot_curve
from ..train.run_dir import LOG, RESULTS, prepare_dir, write_json, write_optional
from .common import Parser, UsageError, add_dashboard_flags, count, natural, open_outputs, rate
from .toy_trainers import FastTrain, LogFn, Point, ScalarTrain, TensorTrain, default_log_fn

DrawGraph = Callable[[], str]
Classify = Callable[[Sequence[Point]], Any]

SETS = {name.lower(): points for name, points in datasets.items()}


class Trainer(Protocol):
    """What this file needs of a trainer."""

    def train(self, data: Graph, learning_rate: float, max_epochs: int = 500, log_fn: LogFn = ...) -> None:
        """Train a new network."""

    def probabilities(self, X: Sequence[Point]) -> Any:
        """Return the probability of label 1 at each point."""


def flags(description: str | None) -> Parser:
    """Return a parser with the flags of the course, and those for the seed, the files and the dashboards."""
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
    add_dashboard_flags(parser)
    return parser


def cpu_only(args: Namespace, what: str) -> None:
    """Raise UsageError for ``--BACKEND gpu``; ``what`` begins the message."""
    if args.BACKEND == "gpu":
        raise UsageError(f"{what} on the CPU only: --BACKEND gpu is for run_fast_tensor.py")


def draw_points(args: Namespace) -> Graph:
    """Set the seed, check that the folder can be written to, and return the points that the flags ask for."""
    if args.PLOT and args.out is None:
        args.out = Path("runs") / f"{args.DATASET}-{args.HIDDEN}"
    if args.out is not None:
        prepare_dir(args.out)
    manual_seed(args.SEED)
    return SETS[args.DATASET](args.PTS)


class ToyDashboard:
    """Shows the reports of a trainer: the losses of all epochs, and the decision boundary at each report.

    Args:
        outputs: Where everything is shown.
        data: The points.
        classify: Maps points to the probability of label 1, by the network as it is now.
        graph: Draws a graph of the network.
    """

    def __init__(self, outputs: Outputs, data: Graph, classify: Classify, graph: DrawGraph | None) -> None:
        self.outputs, self.data, self.classify, self.graph = outputs, data, classify, graph
        self.boundary = DecisionBoundary(data)
        self.reported = 0

    def __call__(self, epoch: int, correct: int, losses: Sequence[float]) -> None:
        """Show one report."""
        first = not self.reported
        for k, loss in enumerate(losses[self.reported :], self.reported + 1):
            self.outputs.scalar("loss", "train", k, loss)
        self.reported = len(losses)
        self.outputs.scalar("accuracy", "train", epoch, correct / self.data.N)
        picture = self.boundary(self.classify)
        self.outputs.frame(
            "Progress", picture, label=f"epoch {epoch}: loss {losses[-1]:.4g}, {correct} right"
        )
        if first and self.graph is not None:
            self.outputs.text("graph", self.graph())


def run(name: str, args: Namespace, trainer: Trainer, data: Graph, graph: DrawGraph | None = None) -> None:
    """Train, print the accuracy on the points, write and draw what ``--out`` asks for.

    Args:
        name: The name of the trainer.
        args: The flags.
        trainer: The trainer, new.
        data: The points.
        graph: Draws a graph of its network.

    Raises:
        UsageError: The loss is infinite or not a number.
    """
    all_losses: list[float] = []
    settings = {
        flag: getattr(args, flag)
        for flag in ("DATASET", "PTS", "HIDDEN", "RATE", "BACKEND", "EPOCHS", "SEED")
    }
    log_file = JsonLinesLogger(args.out / LOG, []) if args.out is not None else None
    with ExitStack() as stack:
        if log_file is not None:
            stack.enter_context(closing(log_file))
        outputs = open_outputs(args, f"{name} on {args.DATASET}", settings, "epoch")
        stack.enter_context(closing(outputs))
        shown = ToyDashboard(outputs, data, trainer.probabilities, graph) if outputs.wanted else None
        outputs.text("flags", settings_table({"trainer": name, **settings}))

        def log(epoch: int, total_loss: float, correct: int, losses: list[float]) -> None:
            all_losses[:] = losses
            if log_file is not None:
                log_file(Step(epoch, epoch, total_loss, correct / data.N, args.RATE, epoch == args.EPOCHS))
            if shown is not None:
                shown(epoch, correct, losses)
            if not math.isfinite(total_loss):
                raise UsageError(f"the loss is no longer a number in epoch {epoch}: try a smaller --RATE")
            default_log_fn(epoch, total_loss, correct, losses)

        start = time.perf_counter()
        trainer.train(data, args.RATE, args.EPOCHS, log)
        seconds = time.perf_counter() - start
        accuracy = report(name, args, data, trainer.probabilities, losses=all_losses, seconds=seconds)
        outputs.facts["accuracy"] = f"{accuracy:.4f}"


def graph_of(result: Variable, model: Module) -> str:
    """Return the graph of a result of a network as SVG, with the names of its parameters."""
    return draw_graph(result, parameter_names(model))


def show(name: str, args: Namespace, data: Graph, classify: Classify) -> None:
    """Show the decision boundary of a classifier that is not trained."""
    settings = {"trainer": name, "DATASET": args.DATASET, "PTS": args.PTS, "SEED": args.SEED}
    with closing(open_outputs(args, f"{name} on {args.DATASET}", settings)) as outputs:
        outputs.text("flags", settings_table(settings))
        outputs.frame("Progress", DecisionBoundary(data)(classify), label=name)


def report(
    name: str,
    args: Namespace,
    data: Graph,
    classify: Classify,
    *,
    losses: Sequence[float] = (),
    seconds: float = 0.0,
) -> float:
    """Print and return the accuracy on the points; write ``results.json`` and figures if ``--out`` is given."""
    accuracy = float(((np.asarray(classify(data.X)) > 0.5) == np.array(data.y)).mean())
    if args.out is not None:
        record = {"trainer": name, "dataset": args.DATASET, "accuracy": accuracy, "points": args.PTS}
        if losses:
            settings = {"hidden": args.HIDDEN, "rate": args.RATE, "epochs": args.EPOCHS, "seed": args.SEED}
            record |= {"loss": losses[-1], **settings, "backend": args.BACKEND, "seconds": round(seconds, 2)}
        write_json(args.out / RESULTS, record)
        title = f"{args.DATASET.capitalize()}, {name}: {accuracy:.0%} right"
        write_optional(args.out, lambda folder: _plot(folder, data, classify, title, losses))
    print(f"accuracy {accuracy:.4f}")
    return accuracy


def _plot(folder: Path, data: Graph, classify: Classify, title: str, losses: Sequence[float]) -> None:
    if losses:
        steps = [{"step": k, "loss": loss} for k, loss in enumerate(losses, 1)]
        plot_curve(folder / "loss.png", "loss", steps, unit="epoch")
    plot_boundary(folder / "boundary.png", data, classify, title)


def train_scalar(args: Namespace) -> None:
    """Train the network of Scalars."""
    cpu_only(args, "Scalars are computed")
    data = draw_points(args)
    trainer = ScalarTrain(args.HIDDEN)
    run("scalar", args, trainer, data, graph=lambda: graph_of(trainer.neuron(), trainer.model))


def train_tensor(args: Namespace) -> None:
    """Train the network of tensors on the reference backend."""
    cpu_only(args, "the reference backend computes")
    data = draw_points(args)
    trainer = TensorTrain(args.HIDDEN)
    run("tensor", args, trainer, data, graph=lambda: graph_of(trainer.run_many(data.X), trainer.model))


def train_fast(args: Namespace) -> None:
    """Train the network of tensors on the fast backend, or on a GPU."""
    backend = find_backend("cuda" if args.BACKEND == "gpu" else "fast")
    data = draw_points(args)
    trainer = FastTrain(args.HIDDEN, backend)
    run("fast", args, trainer, data, graph=lambda: graph_of(trainer.run_many(data.X), trainer.model))


TRAINERS = {"scalar": train_scalar, "tensor": train_tensor, "fast": train_fast}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = flags(__doc__)
    parser.add_argument("trainer", nargs="?", choices=list(TRAINERS), default="fast", help="default: fast")
    args = parser.parse_args(arguments)
    TRAINERS[args.trainer](args)
