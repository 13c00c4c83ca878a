"""Times the CUDA backend on a GPU: training steps and single kernels, beside PyTorch and CuPy where they are installed.

Steps are timed one by one, and recorded and replayed.

Times are taken by events on the device, after warm-up; each figure is a median. Without a GPU nothing is written, and
the exit status is 2.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Callable
from typing import Any

import harness
import minitorch
import training_step
from minitorch.cuda_ops.device.numba_cuda import SIMULATED, cuda, detect

SQUARE = 4096  # rows of the matrices
ELEMENTS = 1 << 24
CONVOLUTIONS = ((128, 32, 32, 32), (128, 64, 64, 16), (128, 128, 128, 8))  # images, channels in and out, side


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


def cupy_on_the_card() -> Any:
    """Return CuPy if it is installed, else None."""
    try:
        import cupy
    except ImportError:
        return None
    return cupy


def kernels(torch: Any, cupy: Any) -> dict[str, list[Callable[[], Any] | None]]:
    """Return what makes an operation: ours, PyTorch's, and CuPy's where it has one."""

    def same(f: Callable[..., Any], *shapes: tuple[int, ...], in_cupy: bool = True) -> Any:
        return sides(f, f, f if in_cupy and cupy else None, *shapes)

    def sides(
        our: Callable[..., Any], their: Callable[..., Any], other: Callable[..., Any] | None, *shapes: Any
    ) -> list[Callable[[], Any] | None]:
        def ours() -> Callable[[], Any]:
            operands = [minitorch.randn(s, dtype="float32") for s in shapes]
            return lambda: our(*operands)

        def theirs() -> Callable[[], Any]:
            operands = [torch.randn(s) for s in shapes]
            return lambda: their(*operands)

        def others() -> Callable[[], Any]:
            operands = [cupy.random.standard_normal(s, dtype=cupy.float32) for s in shapes]
            return lambda: other(*operands) if other else None

        return [ours, theirs, others if other else None]

    def convolution(*sizes: int, backward: bool = False) -> Any:
        batch, ins, outs, side = sizes

        def run(conv2d: Callable[..., Any], x: Any, w: Any) -> None:
            if backward:
                x.grad = w.grad = None
                conv2d(x.requires_grad_(), w.requires_grad_(), padding=1).sum().backward()
            else:
                conv2d(x, w, padding=1)

        shapes = (batch, ins, side, side), (outs, ins, 3, 3)
        return sides(
            lambda x, w: run(minitorch.conv2d, x, w),
            lambda x, w: run(torch.nn.functional.conv2d, x, w),
            None,
            *shapes,
        )

    flat, square = (ELEMENTS,), (SQUARE, SQUARE)
    found = {
        f"copy, {ELEMENTS} elements": sides(
            lambda a: a.clone(), lambda a: a.clone(), lambda a: a.copy(), flat
        ),
        f"add, {ELEMENTS} elements": same(lambda a, b: a + b, flat, flat),
        f"sigmoid, {ELEMENTS} elements": same(lambda a: a.sigmoid(), flat, in_cupy=False),
        f"sum of rows, {SQUARE}x{SQUARE}": same(lambda a: a.sum(1), square),
        f"matrix product, {SQUARE}": same(lambda a, b: a @ b, square, square),
    }
    for sizes in CONVOLUTIONS:
        name = "convolution N{} C{} O{}, {}x{} 3x3".format(*sizes, sizes[-1])
        found[name] = convolution(*sizes)
        found[f"{name}, and back"] = convolution(*sizes, backward=True)
    return found


def main() -> None:
    """Write results/cuda.json."""
    missing = "the simulator is on" if SIMULATED else detect().missing()
    if missing:
        print(f"benchmarks/gpu.py: not run, {missing}", file=sys.stderr)
        raise SystemExit(2)
    minitorch.set_default_backend("cuda")
    torch, cupy = torch_on_the_card(), cupy_on_the_card()
    card = cuda.get_current_device().name
    rows, replayed = [], replays()
    cases: dict[str, list[Callable[[], Any] | None]] = {k: [*v, None] for k, v in steps().items()}
    for name, (ours, theirs, others) in {**cases, **kernels(torch, cupy)}.items():
        ms = device_ms(ours()) if ours else math.nan
        graph = device_ms(replayed[name]()) if name in replayed else math.nan
        peer = device_ms(theirs()) if torch and theirs else math.nan
        other = device_ms(others()) if cupy and others else math.nan
        best = min(ms, graph) if name in replayed else ms
        row = {"what": name, "card": str(card), "minitorch ms": ms, "replayed ms": graph}
        rows.append({**row, "PyTorch ms": peer, "CuPy ms": other, "ratio": best / peer})
    harness.write("cuda", rows)


if __name__ == "__main__":
    main()
