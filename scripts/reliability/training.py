"""A training that takes a fraction of a second and writes what a run writes, in processes forked for each attempt.

A forked process has the package and the compiled kernels already, so that hundreds of trainings can be killed. Kernels
are serial after a fork, which makes all of them equal to the bit.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import minitorch
from minitorch.cli.common import run_command
from minitorch.data.image_sets import digits
from minitorch.data.loader import DataLoader
from minitorch.train.callbacks import BestCheckpoint, JsonLinesLogger
from minitorch.train.run_dir import CHECKPOINT, LOG, RESULTS, WEIGHTS, read_records, read_results, write_json

EPOCHS = 4
FILES = (LOG, WEIGHTS, CHECKPOINT, RESULTS)


def train(folder: Path) -> None:
    """Train a small network on the bundled digits; go on with the run in ``folder`` if there is one."""
    minitorch.set_default_dtype("float32")
    minitorch.manual_seed(0)
    images = digits()[0]
    normalize = minitorch.vision.Normalize(*images.mean_std())
    batches = DataLoader(images.subset(range(100)), 20, shuffle=True, transform=normalize, seed=0)
    valid = DataLoader(images.subset(range(100, 150)), 50, transform=normalize)
    model = minitorch.Sequential(
        minitorch.Conv2d(1, 8, 3),
        minitorch.ReLU(),
        minitorch.Dropout(0.1),
        minitorch.Flatten(),
        minitorch.Linear(288, 10),
    )
    optimizer = minitorch.Adam(model.parameters(), 0.01)
    kept = BestCheckpoint(model, optimizer, settings={"seed": 0})
    records = []
    if (folder / CHECKPOINT).exists():
        kept.resume(folder)
        records = read_records(folder / LOG, until=kept.step)
    kept.write_to(folder)
    steps = minitorch.fit(
        *(model, batches, optimizer),
        epochs=EPOCHS,
        valid=valid,
        start_epoch=kept.epoch + 1,
        start_step=kept.step,
    )
    with closing(JsonLinesLogger(folder / LOG, records)) as log:
        for step in steps:
            log(step)
            kept(step)
    model.load_state_dict(kept.weights)
    tested = minitorch.evaluate(model, valid)
    write_json(folder / RESULTS, {"test_accuracy": tested.accuracy, "best_epoch": kept.best_epoch})


def forked(work: Callable[[], int]) -> int:
    """Fork a process that does some work and ends with the status it returns; return its number."""
    process = os.fork()
    if process == 0:
        status = 70
        try:
            status = work()
        finally:
            os._exit(status)
    return process


def train_forked(folder: Path, err: Path | None = None) -> int:
    """Start a training in a process of its own; its stderr goes to a file. Return the number of the process."""

    def work() -> int:
        if err is not None:
            handle = os.open(err, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
            os.dup2(handle, 2)
            sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - a test may have replaced it
        folder.mkdir(parents=True, exist_ok=True)
        return run_command(lambda: train(folder))

    return forked(work)


def status_of(process: int) -> int:
    """Wait for a process; return its exit status, or minus the number of the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def contents(folder: Path) -> dict[str, Any]:
    """Return the bytes of the files of a training."""
    return {name: (folder / name).read_bytes() for name in FILES if (folder / name).exists()}


def reference(folder: Path) -> tuple[dict[str, Any], float]:
    """Train once to fill the caches of this process, and once in a fork; return that run's files and its seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    train(folder / "first")
    began = time.perf_counter()
    status = status_of(train_forked(folder / "whole"))
    seconds = time.perf_counter() - began
    if status != 0:
        raise RuntimeError(f"the reference training ended with status {status}")
    assert read_results(folder / "whole")
    return contents(folder / "whole"), seconds


def killed_after(folder: Path, number: int, delay: float) -> int:
    """Start a training, send it a signal after some seconds, and return how it ended."""
    process = train_forked(folder, folder.with_suffix(".err"))
    time.sleep(delay)
    os.kill(process, number)
    return status_of(process)


def random_delays(times: int, seconds: float, seed: int) -> list[float]:
    """Return moments spread over the length of a training, and a little beyond it."""
    draw = random.Random(seed)
    return [draw.uniform(0.0, 1.05 * seconds) for _ in range(times)]


KILL, STOPS = signal.SIGKILL, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
