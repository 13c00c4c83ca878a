"""Trains a convolutional network to tell good opinions from bad ones, and prints its validation accuracy.

    minitorch sentiment                                   # the bundled sentences, made from patterns
    minitorch sentiment --train SST-2/train.tsv --valid SST-2/dev.tsv --vectors glove.6B.50d.txt
    minitorch sentiment --out runs/sentiment              # writes log, weights, results and report.html

Convolutions of width 3, 4 and 5 over word vectors, the largest value over time, dropout. A file of sentences has the
header "sentence<TAB>label" and labels 0 and 1; a file of vectors has a word and its numbers in each line. Vectors of a
file stay as they are; without one they are random at first, and trained. In the course this is
project/run_sentiment.py.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from html import escape
from pathlib import Path
from typing import Any

from ..dashboard.outputs import Outputs
from ..data.loader import DataLoader
from ..data.text import (
    Sentences,
    bundled_sentences,
    numbered,
    read_sentences,
    read_vectors,
    vocabulary,
)
from ..models.sentence_cnn import WIDTHS, SentenceCNN
from ..optim.algorithms import Adam
from ..runtime.rng import manual_seed
from ..runtime.signals import describe
from ..tensor_data import set_default_dtype
from ..tensor_ops.backend import set_default_backend
from ..train.callbacks import BestCheckpoint, JsonLinesLogger
from ..train.console import TrainingPlan, console_logger
from ..train.loop import Step, fit, predict
from ..train.plots import plot_curves
from ..train.run_dir import LOG, PLOTS, RESULTS, prepare_dir, read_records, write_json, write_optional
from .common import (
    Parser,
    UsageError,
    add_dashboard_flags,
    count,
    fraction,
    natural,
    notice,
    open_outputs,
    rate,
)

LENGTH = 60  # words of a sentence, at most
VECTOR = 50  # numbers of a word, without a file
SHOWN = 12  # sentences on dashboards
BATCH = 256  # sentences in a batch where nothing is trained


def add_flags(parser: Parser) -> None:
    """Add the flags of the command."""
    add = parser.add_argument
    add("--train", metavar="FILE.tsv", type=Path, help="sentences to train on; default: the bundled ones")
    add("--valid", metavar="FILE.tsv", type=Path, help="sentences for validation; with --train")
    add("--vectors", metavar="FILE.txt", type=Path, help="word vectors; default: random ones, trained")
    add("--backend", choices=("simple", "fast", "cuda"), default="fast", help="default: fast")
    add("--epochs", metavar="N", type=count, default=20, help="default: 20")
    add("--batch-size", metavar="N", type=count, default=50, help="default: 50")
    add("--lr", metavar="X", type=rate, default=0.001, help="learning rate of Adam; default: 0.001")
    add("--channels", metavar="N", type=count, default=100, help="of each convolution; default: 100")
    add("--dropout", metavar="X", type=fraction, default=0.5, help="default: 0.5")
    add("--limit", metavar="N", type=count, help="train on the first N sentences only; default: all")
    add("--seed", metavar="N", type=natural, default=0, help="default: 0")
    add("--out", metavar="DIR", type=Path, help="where log, weights, results and report.html go")
    add("--quiet", action="store_true", help="print the final line only")
    add_dashboard_flags(parser)


def sentences(args: argparse.Namespace) -> tuple[Sentences, Sentences]:
    """Return the sentences for training and for validation.

    Raises:
        UsageError: One of ``--train`` and ``--valid`` is missing.
        DataError: A file is damaged.
    """
    if (args.train is None) != (args.valid is None):
        raise UsageError("--train and --valid belong together: give both, or none for the bundled sentences")
    if args.train is None:
        notice("training on the bundled sentences, which are made from patterns: no reviews of people")
        train, valid = bundled_sentences()
    else:
        train, valid = read_sentences(args.train), read_sentences(args.valid)
    return Sentences(train.words[: args.limit], train.labels[: args.limit]), valid


def build(args: argparse.Namespace, rows: dict[str, int]) -> SentenceCNN:
    """Return the network; its vectors are frozen if they come from a file."""
    if args.vectors is None:
        return SentenceCNN(len(rows) + 2, VECTOR, args.channels, args.dropout)
    table, known = read_vectors(args.vectors, rows)
    notice(f"{known:,} of {len(rows):,} words have a vector in {args.vectors}")
    model = SentenceCNN(len(table), table.shape[1], args.channels, args.dropout)
    model.vectors.weight.value.copy_(table)
    model.vectors.weight.value.requires_grad_(False)
    return model


class Shown:
    """Shows losses, accuracies and some held-out sentences on the outputs of a run."""

    def __init__(self, outputs: Outputs, model: SentenceCNN, rows: DataLoader, texts: Sequence[str]) -> None:
        self.outputs, self.model, self.rows, self.texts = outputs, model, rows, texts

    def __call__(self, step: Step) -> None:
        """Show a step, and the sentences at the end of an epoch."""
        lines = {"train": (step.loss, step.accuracy), "validation": (step.valid_loss, step.valid_accuracy)}
        for name, values in lines.items():
            for window, value in zip(("loss", "accuracy"), values):
                if value is not None:
                    self.outputs.scalar(window, name, step.step, value)
        if step.last:
            self.outputs.text("sentences", self.table(step.epoch))

    def table(self, epoch: int) -> str:
        """Return the sentences with their labels and what the network says, as HTML."""
        scores, labels = predict(self.model, self.rows)
        words = {0: "bad", 1: "good"}
        lines = [
            f'<tr><td style="white-space:normal">{escape(text)}</td>'
            f"<td>{words[int(label)]}</td><td>{words[int(found)]}</td></tr>"
            for text, label, found in zip(self.texts, labels, scores.argmax(1))
        ]
        head = "<tr><th>sentence</th><th>label</th><th>network</th></tr>"
        return f"<p>after epoch {epoch}</p><table>{head}{''.join(lines)}</table>"

    def close(self) -> None:
        """Do nothing: the outputs are closed by who opened them."""


def train(args: argparse.Namespace, parts: tuple[Sentences, Sentences]) -> float:
    """Train, and return the best validation accuracy."""
    rows = vocabulary(parts[0].words if args.vectors is None else [*parts[0].words, *parts[1].words])
    length = max(max(WIDTHS), min(LENGTH, max(map(len, parts[0].words))))
    items, checked = (numbered(part, rows, length) for part in parts)
    model = build(args, rows)
    optimizer = Adam([p for p in model.parameters() if p.value.requires_grad()], args.lr)
    settings = {
        name: vars(args)[name] for name in ("epochs", "batch_size", "lr", "channels", "dropout", "seed")
    }
    best = BestCheckpoint(model, optimizer, settings=settings)
    loader = DataLoader(items, args.batch_size, shuffle=True, seed=args.seed)
    valid = DataLoader(checked, BATCH, seed=args.seed)
    start = time.perf_counter()
    with closing(open_outputs(args, "sentiment of sentences", settings)) as outputs, ExitStack() as stack:
        chain: list[Any] = []
        if args.out is not None:
            best.write_to(args.out)
            chain.append(JsonLinesLogger(args.out / LOG, []))
        if outputs.wanted:
            texts = [" ".join(words) for words in parts[1].words[:SHOWN]]
            chain.append(Shown(outputs, model, DataLoader(checked[:SHOWN], SHOWN, seed=0), texts))
        chain.append(best)
        if not args.quiet:
            chain.append(
                console_logger(TrainingPlan(args.epochs, len(items), args.batch_size, unit="sentences"))
            )
        for callback in chain:
            stack.enter_context(closing(callback))
        for step in fit(model, loader, optimizer, epochs=args.epochs, loss=model.loss, valid=valid):
            for callback in chain:
                callback(step)
        accuracy = float(best.best or 0.0)
        outputs.facts["validation accuracy"] = f"{accuracy:.4f}"
    if args.out is not None:
        record = {
            "valid_accuracy": accuracy,
            "best_epoch": best.best_epoch,
            "model": "sentence_cnn",
            **settings,
        }
        more = {
            "backend": args.backend,
            "sentences": len(items),
            "seconds": round(time.perf_counter() - start, 2),
        }
        write_json(args.out / RESULTS, {**record, **more})
        write_optional(args.out / PLOTS, lambda folder: plot_curves(folder, read_records(args.out / LOG)))
    return accuracy


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = Parser(__doc__)
    add_flags(parser)
    args = parser.parse_args(arguments)
    set_default_backend(args.backend)
    set_default_dtype("float32")
    parts = sentences(args)
    if args.out is not None:
        prepare_dir(args.out)
    manual_seed(args.seed)
    try:
        accuracy = train(args, parts)
    except KeyboardInterrupt as stop:
        notice(f"stopped by {describe(stop)}")
        raise
    print(f"validation accuracy {accuracy:.4f}", flush=True)
