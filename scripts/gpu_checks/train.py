"""Stage train: the same losses as the CPU backend from the same seed, then accuracy and seconds per epoch.

The CPU's losses are computed by a process of their own that `scripts/gpu_day.py` starts before the first stage: its
kernels take a minute to compile.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from .report import REFERENCE, Check, Row, one_line, write

CHECK_LIMIT = 90.0
WAIT = 45  # seconds for the losses on the CPU
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
    return networks.losses(
        backend, name, given, tiny, "SGD, slow" if name == "convnet" else "SGD with momentum"
    )


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

    tiny = options.rehearse
    options.report.state["device"] = device_name()

    def expected(name: str) -> list[float]:
        target, end = Path(os.environ[REFERENCE]), time.monotonic() + WAIT
        while not target.exists():
            if time.monotonic() > end:
                raise RuntimeError(
                    f"the losses on the CPU were not there after {WAIT} s: nothing was compared"
                )
            time.sleep(0.2)
        found = json.loads(target.read_text())
        if "problem" in found:
            raise RuntimeError(f"the losses on the CPU: {found['problem']}")
        return list(found[name])

    def steps(name: str) -> Row:
        start = time.perf_counter()
        found = losses("cuda", name, tiny)
        seconds = time.perf_counter() - start
        return {**compare(found, expected(name)), "with_compilation_s": round(seconds, 2)}

    def epochs(graph: bool) -> Row:
        found, count, size = networks.images(tiny), *((1, 2) if tiny else (5, 64))
        networks.prepare("cuda")
        model = networks.lenet(tiny)
        optimizer = minitorch.Adam(model.parameters(), lr=0.004)
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


def reference(backend: str, tiny: bool, target: Path) -> None:
    """Write the losses of all nets on a backend of the CPU to a file, or what went wrong."""
    try:
        found: Row = {name: losses(backend, name, tiny) for name in SIZES}
    except Exception as problem:  # told by the checks that wait for the file
        write(target, {"problem": one_line(problem)})
        raise
    write(target, found)


if __name__ == "__main__":
    reference(sys.argv[1], sys.argv[2] == "1", Path(sys.argv[3]))
