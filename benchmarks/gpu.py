"""Times the CUDA room on a GPU: training steps and single kernels, beside PyTorch on the same card where it has one.

Steps are timed one by one, and recorded and replayed.

Times are taken by events on the device, after warm-up; each figure is a median. Without a GPU nothing is written, and
the exit status is 2.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from typing import Any

import harness
import minitorch
import training_step
from minitorch._cuda import SIMULATED, cuda, look

SQUARE = 4096  # rows of the matrices
CELLS = 1 << 24


def device_ms(fn: Callable[[], Any], repeat: int = 30, warm: int = 5) -> float:
    """Return the median time between two events around ``fn``, on the default stream, which waits for ours."""
    for _ in range(warm):
        fn()
    times = []
    for _ in range(repeat):
        start, end = cuda.event(), cuda.event()
        start.record()
        fn()
        end.record()
        end.synchronize()
        times.append(float(cuda.event_elapsed_time(start, end)))
    return statistics.median(times)


def torch_on_the_card() -> Any:
    """Return PyTorch if it can use the card, else None."""
    try:
        import torch
    except ImportError:
        return None
    if not torch.cuda.is_available():
        return None
    torch.set_default_device("cuda")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    return torch


def steps() -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    """Return what makes a training step, ours and PyTorch's."""
    return {
        f"step: {case}": (
            lambda name=name, batch=batch: training_step.ours(name, batch),
            lambda name=name, batch=batch: training_step.theirs(name, batch),
        )
        for case, (name, batch, _) in training_step.CASES.items()
    }


def replays() -> dict[str, Callable[[], Any]]:
    """Return what makes a replayed training step."""
    return {
        f"step: {case}": lambda name=name, batch=batch: training_step.ours(name, batch, replay=True)
        for case, (name, batch, _) in training_step.CASES.items()
    }


def kernels(torch: Any) -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    """Return what makes an operation, ours and PyTorch's."""

    def both(f: Callable[..., Any], *shapes: tuple[int, ...]) -> Any:
        def ours() -> Callable[[], Any]:
            operands = [minitorch.randn(s, dtype="float32") for s in shapes]
            return lambda: f(*operands)

        def theirs() -> Callable[[], Any]:
            operands = [torch.randn(s) for s in shapes]
            return lambda: f(*operands)

        return ours, theirs

    flat, square = (CELLS,), (SQUARE, SQUARE)
    return {
        f"add, {CELLS} cells": both(lambda a, b: a + b, flat, flat),
        f"sigmoid, {CELLS} cells": both(lambda a: a.sigmoid(), flat),
        f"sum of rows, {SQUARE}x{SQUARE}": both(lambda a: a.sum(1), square),
        f"matrix product, {SQUARE}": both(lambda a, b: a @ b, square, square),
    }


def main() -> None:
    """Write results/cuda.json."""
    lacking = "the simulator is on" if SIMULATED else look().lacks()
    if lacking:
        print(f"benchmarks/gpu.py: not run, {lacking}", file=sys.stderr)
        raise SystemExit(2)
    minitorch.set_default_backend("cuda")
    torch = torch_on_the_card()
    card = cuda.get_current_device().name
    rows, replayed = [], replays()
    for name, (ours, theirs) in {**steps(), **kernels(torch)}.items():
        ms = device_ms(ours())
        graph = device_ms(replayed[name]()) if name in replayed else float("nan")
        other = device_ms(theirs()) if torch else float("nan")
        best = min(ms, graph) if name in replayed else ms
        row = {"what": name, "card": str(card), "minitorch ms": ms, "replayed ms": graph}
        rows.append({**row, "PyTorch ms": other, "ratio": best / other})
    harness.write("cuda", rows)


if __name__ == "__main__":
    main()
