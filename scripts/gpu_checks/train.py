"""Stage train: the same losses as the CPU backend from the same seed, then accuracy and seconds per epoch.

The CPU's losses are computed by a process beside this one, since its kernels are compiled first.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .report import Check, Row

CHECK_LIMIT = 90.0
TOLERANCE = 2e-3  # relative, of a loss: float32 sums in another order, and steps that follow from them
FIRST_TOLERANCE = 1e-5  # of the first loss, which no step precedes
SIZES = {"lenet": (20, 64), "convnet": (8, 64)}  # steps, batch
TINY = {"lenet": (3, 2), "convnet": (2, 2)}


def losses(backend: str, name: str, tiny: bool) -> list[float]:
    """Return the losses of a net's first steps."""
    from . import networks

    count, size = (TINY if tiny else SIZES)[name]
    if name == "lenet":
        given = list(networks.Batches(networks.images(tiny).train, size))[:count]
    else:
        given = networks.random_batches(name, count, size, tiny)
    return networks.losses(backend, name, given, tiny)


def compare(found: list[float], expected: list[float]) -> Row:
    """Return how far losses lie apart; too far is an error."""
    apart = [abs(a - b) / max(abs(b), 1e-6) for a, b in zip(found, expected)]
    told = {"steps": len(found), "first": found[0], "last": found[-1], "expected_last": expected[-1]}
    told["largest_difference"] = max(apart)
    if len(found) != len(expected) or not apart[0] <= FIRST_TOLERANCE or not max(apart) <= TOLERANCE:
        raise AssertionError(f"losses differ: {found} on cuda, {expected} expected")
    return told


def checks(options: argparse.Namespace) -> list[Check]:
    """Return the checks of this stage."""
    from . import networks
    from .internals import cuda, device_name, minitorch

    tiny, reference = options.rehearse, "simple" if options.rehearse else "fast"
    options.report.state["device"] = device_name()
    target = Path(tempfile.mkdtemp()) / "losses.json"
    command = [sys.executable, "-m", "gpu_checks.train", reference, str(int(tiny)), str(target)]
    beside = subprocess.Popen(command)

    def expected(name: str) -> list[float]:
        if beside.wait(80):
            raise RuntimeError(
                f"the process that computes on {reference!r} ended with status {beside.returncode}"
            )
        return list(json.loads(target.read_text())[name])

    def steps(name: str) -> Row:
        start = time.perf_counter()
        found = losses("cuda", name, tiny)
        seconds = time.perf_counter() - start
        return {**compare(found, expected(name)), "with_compilation_s": round(seconds, 2)}

    def epochs(graph: bool) -> Row:
        found, count, size = networks.images(tiny), *((1, 2) if tiny else (3, 64))
        networks.prepare("cuda")
        model = networks.lenet(tiny)
        optimizer = minitorch.SGD(model.parameters(), lr=0.05, momentum=0.9)
        seconds, start = [], time.perf_counter()
        for record in minitorch.fit(
            model, networks.Batches(found.train, size), optimizer, epochs=count, graph=graph
        ):
            if record.last:
                seconds.append(time.perf_counter() - start)
                start = time.perf_counter()
        cuda.synchronize()
        accuracy = minitorch.evaluate(model, networks.Batches(found.test, size)).accuracy
        if not tiny and not accuracy > 0.85:
            raise AssertionError(
                f"accuracy {accuracy:.3f} after {count} epochs on {found.name}, not above 0.85"
            )
        told = {"data": found.name, "images": len(found.train[0]), "batch": size, "accuracy": accuracy}
        return {**told, "seconds_per_epoch": seconds}

    return [
        ("LeNet: losses", lambda: steps("lenet")),
        ("convnet with BatchNorm: losses", lambda: steps("convnet")),
        ("LeNet: epochs, replayed", lambda: epochs(True)),
        ("LeNet: epochs, eager", lambda: epochs(False)),
    ]


def headline(rows: list[Row]) -> str:
    """Return the stage in one line."""
    bad = [f"{row['check']}: {row.get('message', '')[:100]}" for row in rows if row["status"] == "failed"]
    if bad:
        return bad[0]
    found = {row["check"]: row for row in rows}
    told = []
    if (row := found.get("LeNet: losses")) is not None:
        told.append(f"losses agree to {row['largest_difference']:.1e}")
    if (row := found.get("LeNet: epochs, replayed")) is not None:
        told.append(
            f"accuracy {row['accuracy']:.3f} on {row['data']}, {row['seconds_per_epoch'][-1]:.2f} s per epoch"
        )
    return ", ".join(told)


if __name__ == "__main__":
    backend, tiny = sys.argv[1], sys.argv[2] == "1"
    Path(sys.argv[3]).write_text(json.dumps({name: losses(backend, name, tiny) for name in SIZES}))
