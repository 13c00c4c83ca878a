"""A training step alone, and beside a second process that trains the same: how threads wait for work decides.

Each side against its own kind: two processes of minitorch, two of PyTorch.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
import training_step

CASE = ("lenet", 16)
SIDES: dict[str, Callable[..., Callable[[], None]]] = {
    "minitorch": training_step.ours,
    "PyTorch": training_step.theirs,
}


def child(side: str, seconds: float) -> None:
    """Train for so long; print the mean milliseconds of a step: most may be quick where a few wait long."""
    step = SIDES[side](*CASE)
    end = time.perf_counter() + seconds
    times = []
    while time.perf_counter() < end:
        times.append(harness.median_ms(step, 1, warm=0))
    print(sum(times) / len(times))


def main() -> None:
    """Write results/oversubscription.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round in place of three")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child[0], float(options.child[1]))
        return
    own = str(Path(__file__))
    seen: dict[str, list[list[float]]] = {side: [[], []] for side in SIDES}
    for _ in range(1 if options.quick else 3):
        for side, (alone, crowded) in seen.items():
            alone.append(float(harness.python(own, "--child", side, "4")))
            twin = subprocess.Popen([sys.executable, own, "--child", side, "12"], stdout=subprocess.DEVNULL)
            time.sleep(3)  # both are in their steps then
            crowded.append(float(harness.python(own, "--child", side, "4")))
            twin.wait()
    rows: list[dict[str, Any]] = []
    for side, (alone, crowded) in seen.items():
        one, two = sorted(alone)[len(alone) // 2], sorted(crowded)[len(crowded) // 2]
        rows.append(
            {"LeNet, batch 16": side, "alone ms": one, "beside a twin process ms": two, "ratio": two / one}
        )
    harness.write("oversubscription", rows)


if __name__ == "__main__":
    main()
