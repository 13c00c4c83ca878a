"""What the commands that train on images share: flags, resuming by flags, dashboards, the last line of output.

Depends on `minitorch.train.trainer` and the dashboards. The commands are `mnist` and `cifar10`.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ..dashboard.callback import DashboardCallback, ShowModel
from ..runtime.rng import manual_seed
from ..tensor_data import set_default_dtype
from ..tensor_ops.backend import set_default_backend
from ..train.callbacks import saved_settings
from ..train.messages import UsageError
from ..train.run_dir import prepare_dir
from ..train.trainer import LEARNING_RATES, PLAIN, ImageRun, ImageSplits, PlotModel, Recipe
from .common import Parser, add_dashboard_flags, count, natural, open_outputs, rate

IDENTITY = (
    *("dataset", "model", "optimizer", "lr", "batch_size", "seed", "limit"),
    *("augment", "split", "cutout", "schedule", "label_smoothing", "weight_decay"),
)


def add_flags(parser: argparse.ArgumentParser, models: Sequence[str], defaults: Mapping[str, Any]) -> None:
    """Add the flags of every image trainer.

    Their defaults are None, because a resumed run has defaults of its own; see `settle`.
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
    add_dashboard_flags(parser)
    add("--out", metavar="DIR", type=Path, help="where logs, weights, results and pictures go")
    add(
        "--resume", metavar="DIR", type=Path, help="go on with the run in DIR (and write there without --out)"
    )
    add("--quiet", action="store_true", help="print the final line only")


def settle(parser: Parser, args: argparse.Namespace, defaults: Mapping[str, Any]) -> None:
    """Fill in missing flags (from the run to resume, else the defaults); set backend, dtype and seed.

    Raises:
        UsageError: The run to resume had other settings, or the folder cannot be written to.
        CheckpointError: There is no checkpoint to resume from.
        BackendError: The backend cannot be used on this machine.
    """
    args.backend = args.backend or os.environ.get("MINITORCH_BACKEND") or "fast"
    set_default_backend(args.backend)
    set_default_dtype("float32")
    saved = {}
    if args.resume is not None:
        saved = saved_settings(args.resume)
        args.out = args.out or args.resume
        if set(saved) != {name for name in (*IDENTITY, "epochs") if name in args}:
            raise UsageError(f"the run in {args.resume} is of another script: this one cannot go on with it")
        saved = _checked(parser, args, saved)
    for name, value in saved.items():
        if name not in ("epochs", "dataset"):  # epochs may change; the data set is known once it is loaded
            _check(args, name, value)
    for name, value in {**defaults, **saved}.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    args.lr = args.lr or LEARNING_RATES[args.optimizer]
    args.saved = saved
    if args.out is not None:
        prepare_dir(args.out)
    manual_seed(args.seed)


def _checked(parser: Parser, args: argparse.Namespace, saved: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the run to resume, after the checks that they would pass as flags."""
    fixed = {name for name in saved if name not in parser.flags()}  # the data set of `cifar10`
    if any(saved[name] != vars(args)[name] for name in fixed):
        raise UsageError(f"the run in {args.resume} is of another script: this one cannot go on with it")
    try:
        read = vars(parser.parse_saved({name: v for name, v in saved.items() if name not in fixed}))
    except ValueError as error:
        raise UsageError(f"the settings of the run in {args.resume} are damaged: {error}") from None
    missing = [name for name in saved if name != "limit" and saved[name] is None]
    if missing:
        raise UsageError(f"the settings of the run in {args.resume} are damaged: {missing[0]} is missing")
    return {name: saved[name] if name in fixed else read[name] for name in saved}


def _check(args: argparse.Namespace, name: str, value: Any) -> None:
    given = vars(args).get(name)
    if given is not None and given != value:
        flag = f"--{name.replace('_', '-')}"
        had = f"no {flag}" if value is None else f"{flag} {value}"
        raise UsageError(f"the run in {args.resume} has {had}: it cannot go on with {flag} {given}")


def train(
    args: argparse.Namespace,
    images: ImageSplits,
    build: Callable[[], Any],
    *,
    recipe: Recipe = PLAIN,
    plot_model: PlotModel | None = None,
    show_model: ShowModel | None = None,
) -> None:
    """Train, test the best weights on the whole test set, and print the accuracy as the last line.

    Args:
        args: The flags, after `settle`.
        images: What to train, validate and test on.
        build: Makes the model.
        recipe: What is special to this run.
        plot_model: Draws figures that are special to this model.
        show_model: Shows the same on dashboards while the model trains.

    Raises:
        UsageError: The run to resume has another data set or is past ``--epochs``, or the loss is not a number.
    """
    if "dataset" in args.saved:
        _check(args, "dataset", args.saved["dataset"])
    settings = {name: getattr(args, name) for name in (*IDENTITY, "epochs") if name in args}
    run = ImageRun(
        build,
        images,
        settings,
        recipe=recipe,
        backend=args.backend,
        out=args.out,
        resume=args.resume,
        plot_model=plot_model,
    )
    facts = {name: settings[name] for name in ("optimizer", "lr", "batch_size", "epochs", "seed")}
    with closing(open_outputs(args, f"{args.model} on {args.dataset}", facts)) as outputs:
        shown: DashboardCallback | None = None
        if outputs.wanted:
            shown = DashboardCallback(outputs, run.model, run.plan, images.valid, run.normalize, show_model)
            shown.begin({**settings, "backend": args.backend}, run.records)
        run.train([] if shown is None else [shown], quiet=args.quiet)
        result = run.test()
        outputs.facts |= {"test accuracy": f"{result.accuracy:.4f}"}
        if shown is not None:
            shown.tested(result.scores, images.test, result.accuracy, run.checkpoint.step)
        run.write_results(result)
    print(f"test accuracy {result.accuracy:.4f}", flush=True)
