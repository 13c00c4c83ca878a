"""What the trainers of images share: their flags, resuming, the loop with its sinks, and the files of a run.

It refuses to know where images come from and what the networks look like.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

import display
import minitorch
import panels
from cli import Refusal, count, natural, notice, rate
from folder import prepare, write_json
from keeper import Keeper, saved_settings
from minitorch.data import DataLoader, Dataset
from minitorch.vision import Compose, Normalize
from schedule import Schedule
from sinks import JsonLines, Plan, Record, Sink, console, read_records
from watch import SHOWN, Show, Watch

Array = npt.NDArray[Any]
Draw = Callable[[Path, Any], None]

LOG, RESULTS = "metrics.jsonl", "results.json"
IDENTITY = (
    *("dataset", "model", "optimizer", "lr", "batch_size", "seed", "limit"),
    *("augment", "cutout", "schedule", "label_smoothing", "weight_decay"),
)
LEARNING_RATES = {"adam": 0.001, "sgd": 0.05}


@dataclass(frozen=True)
class Images:
    """The images of a run: trained on, held out for validation, and for the test."""

    train: Dataset
    valid: Dataset
    test: Dataset


@dataclass(frozen=True)
class Recipe:
    """How a run differs from the plain one.

    Attributes:
        optimizer: Makes the optimizer, of (model, name, learning rate).
        schedule: Makes what moves the learning rate, of (optimizer, steps in an epoch).
        loss: A function of (scores, labels), if it is not the model's own.
        augment: Changes the pixels of images (N, C, H, W) that are trained on.
        erase: Changes them once they are normalized.
        workers: Threads that prepare batches ahead.
        rates: Whether the log keeps learning rates.
    """

    optimizer: Callable[[Any, str, float], minitorch.Optimizer] | None = None
    schedule: Callable[[minitorch.Optimizer, int], Schedule | None] | None = None
    loss: Callable[..., Any] | None = None
    augment: Callable[[Array], Array] | None = None
    erase: Callable[[Array], Array] | None = None
    workers: int = 0
    rates: bool = False


PLAIN = Recipe()


def hold_out(whole: Dataset, test: Dataset, held_out: int, limit: int | None) -> Images:
    """Keep the last images for validation (a tenth where there are too few), the first ``limit`` for training.

    Raises:
        Refusal: Too few to be split.
    """
    kept = len(whole) - (held_out if len(whole) > held_out else len(whole) // 10)
    if kept == len(whole) or not len(test):
        raise Refusal(f"{whole.name}: {len(whole)} training and {len(test)} test images are too few")
    return Images(whole.subset(range(kept)[:limit]), whole.subset(range(kept, len(whole))), test)


def add_flags(parser: argparse.ArgumentParser, models: Sequence[str], defaults: Mapping[str, Any]) -> None:
    """Add the flags of every image trainer.

    All of them start as None, for a resumed run has defaults of its own; see `settle`.
    """
    add = parser.add_argument
    add("--data-dir", metavar="DIR", type=Path, help="first place to look, and where a download goes")
    add("--model", choices=models, help=f"default: {defaults['model']}")
    add("--backend", choices=("simple", "fast", "cuda"), help="default: MINITORCH_BACKEND, else fast")
    add(
        "--epochs", metavar="N", type=count, help=f"in all, also when resuming; default: {defaults['epochs']}"
    )
    add("--batch-size", metavar="N", type=count, help=f"default: {defaults['batch_size']}")
    add("--optimizer", choices=list(LEARNING_RATES), help=f"default: {defaults['optimizer']}")
    add("--lr", metavar="X", type=rate, help="default: 0.001 for adam, 0.05 for sgd (with momentum 0.9)")
    add("--seed", metavar="N", type=natural, help=f"default: {defaults['seed']}")
    add("--limit", metavar="N", type=count, help="train on the first N images only; default: all")
    display.add_flags(parser)
    add("--out", metavar="DIR", type=Path, help="where logs, weights, results and pictures go")
    add(
        "--resume", metavar="DIR", type=Path, help="go on with the run in DIR (and write there without --out)"
    )
    add("--quiet", action="store_true", help="print the final line only")


def settle(args: argparse.Namespace, defaults: Mapping[str, Any]) -> None:
    """Fill in what was left out (from the run being resumed, else the defaults); set backend, dtype and seed.

    Raises:
        Refusal: The run to resume had other settings, or the folder cannot be written to.
        CheckpointError: There is no checkpoint to resume from.
        BackendError: The backend cannot be used on this machine.
    """
    args.backend = args.backend or os.environ.get("MINITORCH_BACKEND") or "fast"
    minitorch.set_default_backend(args.backend)
    minitorch.set_default_dtype("float32")
    saved = {}
    if args.resume is not None:
        saved = saved_settings(args.resume)
        args.out = args.out or args.resume
        if set(saved) != {name for name in (*IDENTITY, "epochs") if name in args}:
            raise Refusal(f"the run in {args.resume} is of another script: this one cannot go on with it")
    for name, value in saved.items():
        if name not in ("epochs", "dataset"):  # one may change, the other is not known before it is loaded
            _check(args, name, value)
    for name, value in {**defaults, **saved}.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    args.lr = args.lr or LEARNING_RATES[args.optimizer]
    args.saved = saved
    if args.out is not None:
        prepare(args.out)
    minitorch.manual_seed(args.seed)


def _check(args: argparse.Namespace, name: str, value: Any) -> None:
    given = getattr(args, name, None)
    if given is not None and given != value:
        flag = f"--{name.replace('_', '-')}"
        had = f"no {flag}" if value is None else f"{flag} {value}"
        raise Refusal(f"the run in {args.resume} has {had}: it cannot go on with {flag} {given}")


def optimizer_for(model: minitorch.Module, name: str, lr: float) -> minitorch.Optimizer:
    """Return the optimizer that ``--optimizer`` names."""
    if name == "sgd":
        return minitorch.SGD(model.parameters(), lr, momentum=0.9)
    return minitorch.Adam(model.parameters(), lr)


def train(
    args: argparse.Namespace,
    images: Images,
    build: Callable[[], Any],
    *,
    recipe: Recipe = PLAIN,
    draw: Draw | None = None,
    show: Show | None = None,
) -> None:
    """Train, test the best weights on the whole test set, and print the accuracy as the last line.

    Args:
        args: The flags, settled.
        images: What to train, validate and test on.
        build: Makes the model; it has its ``loss``, unless the recipe has one.
        recipe: What is special to this run.
        draw: Draws what is special to this model, once it has seen the held-out images of the pictures.
        show: Shows the same while it trains.

    Raises:
        Refusal: The run to resume was on another data set or is past ``--epochs``, or the loss is not a number.
    """
    if "dataset" in args.saved:
        _check(args, "dataset", args.saved["dataset"])
    settings = {name: getattr(args, name) for name in (*IDENTITY, "epochs") if name in args}
    model = build()
    optimizer = (recipe.optimizer or optimizer_for)(model, args.optimizer, args.lr)
    batches = -(-len(images.train) // args.batch_size)
    schedule = recipe.schedule(optimizer, batches) if recipe.schedule else None
    keeper = Keeper(model, optimizer, settings, schedule)
    records: list[Record] = []
    if args.resume is not None:
        keeper.resume(args.resume)
        records = read_records(args.resume / LOG, until=keeper.step)
    if keeper.epoch > args.epochs:
        raise Refusal(
            f"the run in {args.resume} has done {keeper.epoch} epochs: it is past --epochs {args.epochs}"
        )
    normalize = Normalize(*images.train.mean_std())
    plan = Plan(args.epochs, len(images.train), args.batch_size, keeper.epoch)
    facts = {name: settings[name] for name in ("optimizer", "lr", "batch_size", "epochs", "seed")}
    with closing(display.Display(args, f"{args.model} on {args.dataset}", facts)) as shown:
        watch = Watch(shown, model, plan, images.valid, normalize, show) if shown.wanted else None
        sinks: list[Sink] = [keeper]
        if watch is not None:
            sinks.insert(0, watch)  # before the keeper, which refuses a loss that is not a number
        if args.out is not None:
            earlier = _seconds_of(args.resume)
            (args.out / RESULTS).unlink(missing_ok=True)
            keeper.write_to(args.out)
            sinks.insert(0, JsonLines(args.out / LOG, records, rates=recipe.rates))
        if schedule is not None:
            sinks.insert(0, schedule)  # before the keeper: a checkpoint holds the rate of the step to come
        if not args.quiet:
            sinks.append(console(plan))
        if watch is not None:
            watch.begin({**settings, "backend": args.backend}, records)

        began = time.perf_counter()
        try:
            _loop(args, images, keeper, sinks, normalize, recipe)
            seconds = time.perf_counter() - began
        except KeyboardInterrupt:
            kept = f"; --resume {args.out} goes on after epoch {keeper.epoch}" if args.out else ""
            notice(f"stopped by Ctrl-C{kept}")
            raise
        finally:
            if args.out is not None:
                display.keep(
                    args.out / "panels",
                    lambda _: _draw_training(args.out, model, images.valid, normalize, draw),
                )

        model.load_state_dict(keeper.weights)
        scores, labels = minitorch.predict(model, _in_order(images.test, normalize))
        accuracy = minitorch.accuracy(scores, labels)
        shown.facts |= {"test accuracy": f"{accuracy:.4f}"}
        if watch is not None:
            watch.tested(scores, images.test, accuracy, keeper.step)
        if args.out is not None:
            best = {"test_accuracy": accuracy, "valid_accuracy": keeper.best, "best_epoch": keeper.best_epoch}
            more = {
                "seconds": round(earlier + seconds, 2),
                "backend": args.backend,
                "train_images": len(images.train),
            }
            write_json(args.out / RESULTS, {**best, **settings, **more})
            display.keep(args.out / "panels", lambda folder: _draw_test(folder, scores, images.test))
    print(f"test accuracy {accuracy:.4f}", flush=True)


def _seconds_of(folder: Path | None) -> float:
    """Return how long the run took that is gone on with; 0.0 for a new one, or one that did not end."""
    try:
        return float(json.loads((folder / RESULTS).read_text(encoding="utf-8"))["seconds"]) if folder else 0.0
    except (OSError, ValueError, LookupError, TypeError):
        return 0.0


def _loop(
    args: argparse.Namespace,
    images: Images,
    keeper: Keeper,
    sinks: Sequence[Sink],
    normalize: Normalize,
    recipe: Recipe,
) -> None:
    """Hand each step to the sinks, and close them whatever happens."""
    vary = Compose([change for change in (recipe.augment, normalize, recipe.erase) if change is not None])
    workers = recipe.workers
    loader = DataLoader(
        images.train, args.batch_size, shuffle=True, transform=vary, seed=args.seed, workers=workers
    )
    loader.epoch = keeper.epoch
    steps = minitorch.fit(
        keeper.model,
        loader,
        keeper.optimizer,
        epochs=args.epochs,
        loss=recipe.loss or keeper.model.loss,
        valid=_in_order(images.valid, normalize),
        start_epoch=keeper.epoch + 1,
        start_step=keeper.step,
        graph=args.backend == "cuda" and os.environ.get("MINITORCH_GRAPH") != "0",
    )
    with ExitStack() as stack:
        for sink in sinks:
            stack.enter_context(closing(sink))
        for step in steps:
            for sink in sinks:
                sink(step)


def _in_order(images: Dataset, normalize: Normalize) -> DataLoader:
    return DataLoader(images, 500, transform=normalize, seed=0)


def _draw_training(out: Path, model: Any, valid: Dataset, normalize: Normalize, draw: Draw | None) -> None:
    """Draw how the training went, and what the model as it is now makes of some held-out images."""
    folder = out / "panels"
    panels.draw_curves(folder, read_records(out / LOG))
    shown = valid.subset(range(min(SHOWN, len(valid))))
    scores, _ = minitorch.predict(model, _in_order(shown, normalize))
    panels.draw_guesses(folder, scores, shown)
    if draw is not None:
        draw(folder, model)


def _draw_test(folder: Path, scores: Array, test: Dataset) -> None:
    panels.draw_confusion(folder, scores, test)
    panels.draw_mistakes(folder, scores, test)
