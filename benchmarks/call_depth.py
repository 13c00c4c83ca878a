"""How deep a call goes, forward and backward: Python frames, crossings from one file to another, tensors made.

Each frame costs time, and each crossing leads a reader to another file. A call above its limits is a regression.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import harness
import minitorch as mt

PACKAGE = Path(mt.__file__).parent
# A kernel is called through `fast_ops.steps.recording`, so that a step can be recorded.
LIMITS = {"a + b": {"frames": 51, "crossings": 25}, "conv2d": {"frames": 124, "crossings": 60}}


def is_ours(path: str) -> bool:
    """Tell whether a file belongs to the package, in any of its folders."""
    return PACKAGE in Path(path).parents


def depth(call: Callable[[], Any]) -> dict[str, int]:
    """Count what happens in the package inside ``call``."""
    counts = {"frames": 0, "crossings": 0, "tensors": 0}

    def count(frame: FrameType, event: str, _: Any) -> None:
        path = frame.f_code.co_filename
        if event != "call" or not is_ours(path):
            return
        caller = frame.f_back.f_code.co_filename if frame.f_back else path
        counts["frames"] += 1
        counts["crossings"] += caller != path and is_ours(caller)
        counts["tensors"] += path == str(PACKAGE / "tensor.py") and frame.f_code.co_name == "__init__"

    sys.setprofile(count)
    try:
        call()
    finally:
        sys.setprofile(None)
    return counts


def main() -> None:
    """Follow ``a + b`` and ``conv2d``; exit with 1 if one goes deeper than its limit."""
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
        limits = {f"{k} limit": v for k, v in LIMITS[name].items()}
        rows.append({"call": name, **depth(call), **limits})
    harness.write("call_depth", rows)
    if any(row[k] > row[f"{k} limit"] for row in rows for k in ("frames", "crossings")):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
