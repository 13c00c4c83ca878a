"""Trains one network with several augmentations and seeds, and writes one page that compares them.

    minitorch study cifar10 --runs none flip,crop flip,crop,jitter --seeds 3 --out runs/study
    minitorch study cifar10 --runs none flip,crop --epochs 4 --limit 5000 --split 49000/1000/1000

Each run is `minitorch cifar10 --augment RUN --seed SEED` in a folder of its own below --out. Runs that have ended are
not trained again, runs that were cut go on from their checkpoint. The page, study.html, has a table with mean and
standard deviation over the seeds, the curves of training and validation, the gap between them, and the confusion matrix
of the best run.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..dashboard.study_page import Run, write_study
from ..data.loader import DataLoader
from ..models import CIFAR_MODELS
from ..tensor_ops.backend import set_default_backend
from ..train.checkpoint import load
from ..train.loop import predict
from ..train.messages import notice
from ..train.metrics import accuracy, confusion_matrix
from ..train.run_dir import CHECKPOINT, LOG, RESULTS, WEIGHTS, prepare_dir, read_records, read_results
from ..train.trainer import EVAL_BATCH, LEARNING_RATES, normalizer
from . import cifar10
from .augmentations import augments
from .common import Parser, UsageError, count, natural, rate

PAGE = "study.html"
CHECKED = 5000  # training images, at most, that the accuracy without augmentation is measured on


def add_flags(parser: Parser) -> None:
    """Add the flags of the command."""
    add = parser.add_argument
    add("dataset", choices=("cifar10",), help="the image set")
    add("--runs", metavar="LIST", nargs="+", type=augments, required=True, help="as --augment of cifar10")
    add(
        "--seeds", metavar="N", type=count, default=3, help="runs of each list, with seeds 0..N-1; default: 3"
    )
    add("--out", metavar="DIR", type=Path, default=Path("runs/study"), help="default: runs/study")
    add("--data-dir", metavar="DIR", type=Path, help="first place to look, and where a download goes")
    add("--model", choices=list(CIFAR_MODELS), default="convnet", help="default: convnet")
    add("--epochs", metavar="N", type=count, default=10, help="default: 10")
    add("--batch-size", metavar="N", type=count, default=128, help="default: 128")
    add("--optimizer", choices=list(LEARNING_RATES), default="adam", help="default: adam")
    add("--lr", metavar="X", type=rate, help="default: that of cifar10")
    add("--limit", metavar="N", type=count, help="train on the first N images only; default: all")
    add("--split", metavar="A/B/C", type=cifar10.split_counts, default="last", help="as that of cifar10")
    add("--backend", choices=("simple", "fast", "cuda"), default="fast", help="default: fast")
    add("--first-seed", metavar="N", type=natural, default=0, help="default: 0")
    parser.epilog = "`minitorch cifar10 --help` lists the augmentations"


def folder_of(out: Path, augment: str, seed: int) -> Path:
    """Return the folder of a run."""
    name = re.sub(r"[^\w.]+", "-", augment).strip("-")
    return out / f"{name}-seed{seed}"


def wanted_settings(args: argparse.Namespace, augment: str, seed: int) -> dict[str, Any]:
    """Return the settings of a run that tell it from others."""
    settings = {
        name: vars(args)[name] for name in ("model", "epochs", "batch_size", "optimizer", "limit", "split")
    }
    lr = args.lr or LEARNING_RATES[args.optimizer]
    return {**settings, "lr": lr, "augment": augment, "seed": seed}


def train_run(args: argparse.Namespace, augment: str, seed: int) -> Path:
    """Train a run, or go on with it, unless it has ended; return its folder.

    Raises:
        UsageError: The folder holds a run with other settings.
    """
    folder = folder_of(args.out, augment, seed)
    wanted = wanted_settings(args, augment, seed)
    if (folder / RESULTS).exists():
        found = read_results(folder)
        differing = [name for name, value in wanted.items() if found.get(name) != value]
        if differing:
            name = differing[0]
            raise UsageError(
                f"{folder} holds a run with {name} {found.get(name)}, not {wanted[name]}: name another --out"
            )
        notice(f"{folder.name}: trained before")
        return folder
    flags = ["--dashboard", "off", "--quiet", "--out", str(folder), "--backend", args.backend]
    if args.data_dir is not None:
        flags += ["--data-dir", str(args.data_dir)]
    for name, value in wanted.items():
        flags += [] if value is None else [f"--{name.replace('_', '-')}", str(value)]
    resumed = (folder / CHECKPOINT).exists()
    notice(f"{folder.name}: {'goes on' if resumed else 'trains'}")
    cifar10.main([*flags, *(["--resume", str(folder)] if resumed else [])])
    return folder


def measure(args: argparse.Namespace, augment: str, seed: int, folder: Path) -> Run:
    """Return what the page shows of a run; its best weights are evaluated without augmentation."""
    images = cifar10.splits(argparse.Namespace(**{**vars(args), "seed": seed}))
    set_default_backend(args.backend)
    model = CIFAR_MODELS[args.model]()
    model.load_state_dict(load(folder / WEIGHTS))
    model.to(dtype="float32")
    normalize = normalizer(images.train)

    def scores(part: Any) -> tuple[Any, Any]:
        return predict(model, DataLoader(part, EVAL_BATCH, transform=normalize, seed=0))

    chosen = images.train.subset(range(min(CHECKED, len(images.train))))
    found, labels = scores(images.test)
    results = read_results(folder)
    return Run(
        augment=augment,
        seed=seed,
        train_accuracy=accuracy(*scores(chosen)),
        valid_accuracy=results["valid_accuracy"],
        test_accuracy=results["test_accuracy"],
        best_epoch=results["best_epoch"],
        records=read_records(folder / LOG),
        confusion=confusion_matrix(found, labels, images.test.classes),
        classes=images.test.classes,
    )


def table(runs: Sequence[Run]) -> str:
    """Return the means and spreads as text, one line for each augmentation."""
    lines = []
    for augment in dict.fromkeys(run.augment for run in runs):
        same = [run for run in runs if run.augment == augment]
        test = np.array([run.test_accuracy for run in same])
        gap = np.array([run.gap for run in same])
        lines.append(f"{augment}: test accuracy {test.mean():.4f} +- {test.std():.4f}, gap {gap.mean():.4f}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = Parser(__doc__)
    add_flags(parser)
    args = parser.parse_args(arguments)
    repeated = [run for run in args.runs if args.runs.count(run) > 1]
    if repeated:
        parser.error(f"--runs has {repeated[0]} twice")
    cifar10.splits(
        argparse.Namespace(**{**vars(args), "seed": 0})
    )  # wrong counts are an error before anything is kept
    prepare_dir(args.out)
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    runs = []
    for augment in args.runs:
        for seed in seeds:
            folder = train_run(args, augment, seed)
            runs.append(measure(args, augment, seed, folder))
    facts = {
        **{
            name: vars(args)[name]
            for name in ("model", "epochs", "batch_size", "optimizer", "limit", "split")
        },
        "seeds": f"{seeds[0]}..{seeds[-1]}",
    }
    write_study(args.out / PAGE, "Augmentation study on CIFAR-10", runs, facts)
    print(table(runs))
    print(f"{args.out / PAGE}", flush=True)
