"""What each technique of the Numba backend is worth: the steps of `training_step.py` with one of them taken away.

Each row runs in a process of its own, with all techniques but one; the first and the last row have all of them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
from training_step import CASES, ours


def _no_pool() -> None:
    from minitorch.runtime import allocator

    allocator.MIN_POOLED = sys.maxsize


def _no_winograd() -> None:
    from minitorch.fast_ops.convolution import winograd

    winograd.MIN_CHANNELS = sys.maxsize


def _no_tiles() -> None:
    import naive_conv
    from minitorch.fast_ops import jit
    from minitorch.fast_ops.convolution import conv

    _no_winograd()

    def forward(out: Any, x: Any, w: Any, params: Any, bias: Any = None, activation: Any = None) -> None:
        jit.variant(naive_conv.conv_rows, out.dtype, True)(out, x, w, *params)
        if bias is not None:
            out += bias[:, None, None]
            if activation.__name__ == "relu":
                out *= out > 0

    def grad_input(out: Any, d: Any, w: Any, params: Any) -> None:
        jit.variant(naive_conv.conv_grad_input_rows, out.dtype, True)(out, d, w, *params)

    def grad_weight(out: Any, x: Any, d: Any, params: Any) -> None:
        jit.variant(naive_conv.conv_grad_weight_rows, out.dtype, True)(out, x, d, *params)

    conv.forward, conv.grad_input, conv.grad_weight = forward, grad_input, grad_weight
    _no_fused_relu_gradient()


def _no_fused_relu_gradient() -> None:
    from minitorch.fast_ops.convolution import conv

    conv.fuses_relu_backward = lambda *_: False


def _sums_side_by_side() -> None:
    from minitorch.fast_ops import fused
    from minitorch.fast_ops.convolution import conv

    conv.CACHE_LINE_GAP = fused.CACHE_LINE_GAP = 0


def _no_tiled_windows() -> None:
    from minitorch.fast_ops import pool

    pool.MAX_UNROLLED_WINDOW = 0


def _no_held_blas() -> None:
    from minitorch.fast_ops import matmul

    matmul.LARGE_PRODUCT = 0


def _no_vector_exp() -> None:
    from minitorch.fast_ops import codegen

    codegen.REPLACEMENTS.clear()
    codegen.FORMAT = -1  # a key of their own in the cache


def _nothing() -> None:
    pass


WITHOUT: dict[str, tuple[Callable[[], None], dict[str, str]]] = {
    "everything on": (_nothing, {}),
    "without the memory pool": (_no_pool, {}),
    "without fused kernels (MINITORCH_FUSE=0)": (_nothing, {"MINITORCH_FUSE": "0"}),
    "without Winograd": (_no_winograd, {}),
    "without register tiles (and Winograd)": (_no_tiles, {}),
    "without ReLU's gradient fused into convolution backward": (_no_fused_relu_gradient, {}),
    "without cache-line padding of partial sums": (_sums_side_by_side, {}),
    "without constant windows in pooling": (_no_tiled_windows, {}),
    "without one BLAS thread for small products": (_no_held_blas, {}),
    "without the vectorised exponential": (_no_vector_exp, {}),
    "with one thread": (_nothing, {"NUMBA_NUM_THREADS": "1"}),
    "everything on, again": (_nothing, {}),
}


def child(row: str, case: str) -> None:
    """Print the milliseconds of a step."""
    import minitorch  # what is taken away must be there first

    del minitorch
    WITHOUT[row][0]()
    name, batch, repeat = CASES[case]
    print(json.dumps(harness.median_ms(ours(name, batch), repeat, warm=5)))


def main() -> None:
    """Write results/ablation.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round in place of two")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    seen: dict[tuple[str, str], list[float]] = {}
    for _ in range(1 if options.quick else 2):
        for row, (_, variables) in WITHOUT.items():
            for case in CASES:
                variables = {"NUMBA_NUM_THREADS": "2", **variables}
                out = harness.python(str(Path(__file__)), "--child", row, case, **variables)
                seen.setdefault((row, case), []).append(json.loads(out))
    rows = []
    for row in WITHOUT:
        times = {f"{case}, ms": statistics.median(seen[row, case]) for case in CASES}
        rows.append({"minitorch": row, **times})
    harness.write("ablation", rows)


if __name__ == "__main__":
    main()
