"""What watching costs: LeNet trained with the dashboard on and off, alternating, and the calls in the loop.

The dashboard is on in three ways: a visdom server takes everything (where `make dashboard` has set it up), nothing
listens, and something listens that never answers. Limits: 5 % of the training, 20 microseconds a call.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import harness
import minitorch as mt
from minitorch.cli.mnist import show_channels
from minitorch.dashboard import DashboardCallback, Outputs, RunLog, VisdomClient
from minitorch.dashboard.visdom.assets import SetupError, default_python
from minitorch.dashboard.visdom.server import Server, check
from minitorch.data.dataset import Dataset
from minitorch.data.loader import DataLoader
from minitorch.models import LeNet
from minitorch.train import TrainingPlan
from minitorch.vision.transforms import Normalize

BATCH = 64


def images(count: int) -> Dataset:
    """Return images as large as those of MNIST."""
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (count, 1, 28, 28)).astype(np.uint8)
    return Dataset(pixels, draw.integers(0, 10, count), tuple("0123456789"), "noise")


def train(train_set: Dataset, valid: Dataset, epochs: int, url: str) -> float:
    """Train and return the seconds from the second step to the last."""
    mt.manual_seed(0)
    mt.set_default_dtype("float32")
    model, normalize = LeNet(), Normalize(*train_set.mean_std())
    loader = DataLoader(train_set, BATCH, shuffle=True, transform=normalize, seed=0)
    steps = mt.fit(
        model,
        loader,
        mt.Adam(model.parameters()),
        epochs=epochs,
        loss=model.loss,
        valid=DataLoader(valid, 500, transform=normalize, seed=0),
    )
    with closing(Outputs("benchmark", {}, dashboard=url)) as outputs:
        plan = TrainingPlan(epochs, len(train_set), BATCH)
        shown = DashboardCallback(outputs, model, plan, valid, normalize, show_channels)
        if url != "off":
            shown.begin({}, [])
        next(steps)
        began = time.perf_counter()
        for step in steps:
            if url != "off":
                shown(step)
        return time.perf_counter() - began


@contextmanager
def ways() -> Iterator[dict[str, str]]:
    """Give the address of each way, by name."""
    with ExitStack() as stack:
        found = {"off": "off"}
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            check(default_python())
            server = Server(0, folder, default_python())
            stack.callback(server.stop)
            found["with a server"] = server.url
        except SetupError as error:
            print(f"without a server: {error}", file=sys.stderr)
        hanging = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        found["with one that hangs"] = f"http://127.0.0.1:{hanging.getsockname()[1]}"
        with socket.create_server(("127.0.0.1", 0)) as left:
            free = left.getsockname()[1]
        found["with none"] = f"http://127.0.0.1:{free}"
        yield found


def overheads(rounds: int, count: int, epochs: int) -> list[dict[str, Any]]:
    """Return the median of what each way costs more than none at all, round by round."""
    train_set, valid = images(count), images(2000)
    with ways() as found:
        train(train_set, valid, 1, "off")  # compiles
        seconds: dict[str, list[float]] = {name: [] for name in found}
        for k in range(rounds):
            names = list(found) if k % 2 == 0 else list(found)[::-1]
            for name in names:
                seconds[name].append(train(train_set, valid, epochs, found[name]))
    rows = []
    for name, times in seconds.items():
        if name != "off":
            shares = [100 * (on / off - 1) for on, off in zip(times, seconds["off"])]
            rows.append(_row(f"LeNet {name}, more than without", statistics.median(shares), "%", 5))
    off = 1e3 * statistics.median(seconds["off"]) / (epochs * -(-count // BATCH) - 1)
    return [*rows, _row("LeNet without, a step", off, "ms", "")]


def calls(count: int) -> list[dict[str, Any]]:
    """Return the median time of calls in the loop, while a link looks for a server."""
    log = RunLog()
    channel = np.zeros((16, 28, 28), np.float32)
    with closing(VisdomClient(log, "http://127.0.0.1:1", report=print, quiet_if_absent=True)):
        kinds = {
            "scalar": lambda k: log.scalar("loss", "train", k, 0.5),
            "images, 16 of 28x28": lambda k: log.images("mid", channel, columns=4),
            "text": lambda k: log.text("flags", "<b>text</b>"),
        }
        rows = []
        for name, call in kinds.items():
            times = []
            for k in range(count):
                began = time.perf_counter()
                call(k)
                times.append(time.perf_counter() - began)
            rows.append(_row(f"a call: {name}", 1e6 * statistics.median(times), "us", 20))
    return rows


def _row(what: str, value: float, unit: str, limit: Any) -> dict[str, Any]:
    return {"what": what, "value": round(value, 3), "unit": unit, "limit": limit}


def main() -> None:
    """Measure and write results/dashboard.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about twenty seconds; only shows that it works")
    quick = parser.parse_args().quick
    rounds, count, epochs = (2, 6_400, 1) if quick else (9, 30_000, 2)
    rows = overheads(rounds, count, epochs) + calls(2_000 if quick else 50_000)
    if quick:
        print(harness.table(rows))
    else:
        harness.write("dashboard", rows)


if __name__ == "__main__":
    main()
