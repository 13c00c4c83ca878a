"""What the trainers of the toy point sets share: flags, the report of a run, its files and pictures.

It refuses to know what the networks are made of: Scalars, tensors or PyTorch.
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
import numpy.typing as npt

import charts
import display
import graph_svg
import minitorch
import panels
from boundary import Boundary
from cli import Parser, Refusal, count, natural, rate
from folder import prepare, write_json
from minitorch import Graph, Module, Step
from minitorch.autodiff import Variable
from sinks import JsonLines

Point = tuple[float, float]
LogFn = Callable[[int, float, int, list[float]], None]
Draw = Callable[[], str]
Classify = Callable[[Sequence[Point]], Any]
Array = npt.NDArray[Any]

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
    display.add_flags(parser)
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


class Feed:
    """What a trainer reports, shown: the losses of all epochs, a picture of the boundary for each report.

    Args:
        shown: Where.
        data: The points.
        classify: What the trainer makes of points now.
        graph: Draws a graph of the trainer's network.
    """

    def __init__(self, shown: display.Display, data: Graph, classify: Classify, graph: Draw | None) -> None:
        self.shown, self.data, self.classify, self.graph = shown, data, classify, graph
        self.boundary = Boundary(data)
        self.reported = 0

    def __call__(self, epoch: int, correct: int, losses: Sequence[float]) -> None:
        """Show a report."""
        first = not self.reported
        for k, loss in enumerate(losses[self.reported :], self.reported + 1):
            self.shown.scalar("loss", "train", k, loss)
        self.reported = len(losses)
        self.shown.scalar("accuracy", "train", epoch, correct / self.data.N)
        picture = self.boundary(self.classify)
        self.shown.frame("Progress", picture, label=f"epoch {epoch}: loss {losses[-1]:.4g}, {correct} right")
        if first and self.graph is not None:
            self.shown.text("graph", self.graph())


def run(name: str, args: Namespace, trainer: Trainer, data: Graph, graph: Draw | None = None) -> None:
    """Train, print the accuracy on the points, write and draw what ``--out`` asks for.

    Args:
        name: Of the trainer.
        args: The flags.
        trainer: Fresh.
        data: The points.
        graph: Draws a graph of the trainer's network.

    Raises:
        Refusal: The loss is no longer a number.
    """
    kept: list[float] = []
    settings = {
        flag: getattr(args, flag)
        for flag in ("DATASET", "PTS", "HIDDEN", "RATE", "BACKEND", "EPOCHS", "SEED")
    }
    log_file = JsonLines(args.out / "metrics.jsonl", []) if args.out is not None else None
    with ExitStack() as stack:
        if log_file is not None:
            stack.enter_context(closing(log_file))
        shown = stack.enter_context(
            closing(display.Display(args, f"{name} on {args.DATASET}", settings, "epoch"))
        )
        feed = Feed(shown, data, trainer.probabilities, graph) if shown.wanted else None
        shown.text("flags", charts.settings({"trainer": name, **settings}))

        def log(epoch: int, total_loss: float, correct: int, losses: list[float]) -> None:
            kept[:] = losses
            if log_file is not None:
                log_file(Step(epoch, epoch, total_loss, correct / data.N, args.RATE, epoch == args.EPOCHS))
            if feed is not None:
                feed(epoch, correct, losses)
            if not math.isfinite(total_loss):
                raise Refusal(f"the loss is no longer a number in epoch {epoch}: try a smaller --RATE")
            default_log_fn(epoch, total_loss, correct, losses)

        began = time.perf_counter()
        trainer.train(data, args.RATE, args.EPOCHS, log)
        seconds = time.perf_counter() - began
        accuracy = report(name, args, data, trainer.probabilities, losses=kept, seconds=seconds)
        shown.facts["accuracy"] = f"{accuracy:.4f}"


def draw_graph(result: Variable, model: Module) -> str:
    """Return the graph of what a network computed, its parameters by their names."""
    return graph_svg.draw(result, graph_svg.parameter_names(model))


def show(name: str, args: Namespace, data: Graph, classify: Classify) -> None:
    """Show the boundary of a classifier that is not trained."""
    settings = {"trainer": name, "DATASET": args.DATASET, "PTS": args.PTS, "SEED": args.SEED}
    with closing(display.Display(args, f"{name} on {args.DATASET}", settings)) as shown:
        shown.text("flags", charts.settings(settings))
        shown.frame("Progress", Boundary(data)(classify), label=name)


def report(
    name: str,
    args: Namespace,
    data: Graph,
    classify: Classify,
    *,
    losses: Sequence[float] = (),
    seconds: float = 0.0,
) -> float:
    """Print the accuracy on the points and return it; write ``results.json`` and pictures if there is a folder."""
    accuracy = float(((np.asarray(classify(data.X)) > 0.5) == np.array(data.y)).mean())
    if args.out is not None:
        record = {"trainer": name, "dataset": args.DATASET, "accuracy": accuracy, "points": args.PTS}
        if losses:
            settings = {"hidden": args.HIDDEN, "rate": args.RATE, "epochs": args.EPOCHS, "seed": args.SEED}
            record |= {"loss": losses[-1], **settings, "backend": args.BACKEND, "seconds": round(seconds, 2)}
        write_json(args.out / "results.json", record)
        title = f"{args.DATASET.capitalize()}, {name}: {accuracy:.0%} right"
        display.keep(args.out, lambda folder: _draw(folder, data, classify, title, losses))
    print(f"accuracy {accuracy:.4f}")
    return accuracy


def _draw(folder: Path, data: Graph, classify: Classify, title: str, losses: Sequence[float]) -> None:
    if losses:
        steps = [{"step": k, "loss": loss} for k, loss in enumerate(losses, 1)]
        panels.draw_curve(folder / "loss.png", "loss", steps, unit="epoch")
    panels.draw_boundary(folder / "boundary.png", data, classify, title)


def on_arrays(layers: Sequence[tuple[Array, Array]], X: Sequence[Point]) -> Array:
    """Return what a network of (weights, bias) makes of points, in NumPy: a picture asks for thousands of them."""
    values = np.array(X, float)
    for n, (weights, bias) in enumerate(layers):
        values = values @ weights + bias
        values = np.maximum(values, 0) if n < len(layers) - 1 else values
    with np.errstate(over="ignore"):  # far below 0, exp is infinite and its inverse 0
        result: Array = 1 / (1 + np.exp(-values.ravel()))
    return result
