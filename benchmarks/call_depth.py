"""How far a call walks, forward and backward: Python frames, calls to a higher floor, tensors, kernels.

The limits are those of the package's plan; a longer walk is a regression.
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
LIMITS = {"a + b": {"frames": 72, "upward": 10}, "conv2d": {"frames": 187, "upward": 16}}
_HOUSE = (harness.ROOT / "tests" / "test_house.py").read_text()
FLOORS = _HOUSE.split('FLOORS = """')[1].split('"""')[0].strip().splitlines()
LEVEL = {f"{name}.py": level for level, names in enumerate(FLOORS) for name in names.split()}
CONV_KERNELS = ("forward", "grad_input", "grad_weight")


def walk(call: Callable[[], Any]) -> dict[str, int]:
    """Count what happens in the package inside ``call``."""
    counts = {"frames": 0, "upward": 0, "tensors": 0, "kernels": 0}

    def watch(frame: FrameType, event: str, _: Any) -> None:
        path = Path(frame.f_code.co_filename)
        if event != "call" or path.parent != PACKAGE:
            return
        counts["frames"] += 1
        caller = frame.f_back
        before = Path(caller.f_code.co_filename) if caller else path
        if before.parent == PACKAGE:
            counts["upward"] += LEVEL[path.name] > LEVEL[before.name]
        name = frame.f_code.co_name
        counts["tensors"] += path.name == "tensor.py" and name == "__init__"
        counts["kernels"] += (path.name == "fast_ops.py" and name == "kernel") or (
            path.name == "fast_conv.py" and name in CONV_KERNELS
        )

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
    harness.write("call_depth", rows)
    if any(row[k] > row[f"{k} limit"] for row in rows for k in ("frames", "upward")):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
