"""How far a call walks, forward and backward: Python frames, crossings from one file to another, tensors made.

Each frame costs time, and each crossing is a file that a reader must open. The limits are those of the package's plan;
a longer walk is a regression.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import harness
import minitorch as mt

PACKAGE = str(Path(mt.__file__).parent)
LIMITS = {"a + b": {"frames": 51, "crossings": 24}, "conv2d": {"frames": 124, "crossings": 71}}


def walk(call: Callable[[], Any]) -> dict[str, int]:
    """Count what happens in the package inside ``call``."""
    counts = {"frames": 0, "crossings": 0, "tensors": 0}

    def watch(frame: FrameType, event: str, _: Any) -> None:
        path = frame.f_code.co_filename
        if event != "call" or not path.startswith(PACKAGE):
            return
        counts["frames"] += 1
        caller = frame.f_back
        before = caller.f_code.co_filename if caller else path
        counts["crossings"] += before.startswith(PACKAGE) and before != path
        counts["tensors"] += frame.f_code.co_qualname == "Tensor.__init__"

    sys.setprofile(watch)
    try:
        call()
    finally:
        sys.setprofile(None)
    return counts


def main() -> None:
    """Walk through ``a + b`` and ``conv2d``; exit with 1 if one is longer than planned."""
    ones = mt.ones((2, 2))
    a, b = (mt.rand((2, 2), requires_grad=True) for _ in range(2))
    x, w = mt.rand((1, 1, 2, 2), requires_grad=True), mt.rand((1, 1, 2, 2), requires_grad=True)
    images = mt.ones((1, 1, 2, 2))
    calls = {
        "a + b": lambda: (a + b).backward(ones),
        "conv2d": lambda: mt.conv2d(x, w).backward(images),
    }
    rows: list[dict[str, Any]] = []
    for name, call in calls.items():
        call()
        a.grad = b.grad = x.grad = w.grad = None
        found = walk(call)
        limits = {f"{k} limit": v for k, v in LIMITS[name].items()}
        rows.append({"call": name, **found, **limits})
    harness.write("walk", rows)
    if any(row[k] > row[f"{k} limit"] for row in rows for k in ("frames", "crossings")):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
