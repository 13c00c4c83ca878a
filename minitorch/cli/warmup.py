"""Compiles the common kernels ahead of time, so that the first training does not wait for them.

    minitorch warmup
    minitorch warmup --dtype both

A network with the usual layers takes a few steps on random images: on a small batch for the serial kernels, on a large
one for the parallel kernels. The compiled kernels stay in the cache folder.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import numpy as np

from ..fast_ops import jit, kernel_cache
from ..nn.containers import Sequential
from ..nn.conv import Conv2d
from ..nn.dropout import Dropout
from ..nn.functional import logsoftmax
from ..nn.linear import Linear
from ..nn.losses import cross_entropy, nll_loss
from ..nn.normalization import BatchNorm2d
from ..nn.pooling import AvgPool2d, MaxPool2d
from ..nn.shape import Flatten
from ..optim.algorithms import SGD, Adam
from ..runtime.signals import describe
from ..tensor import tensor
from ..tensor_data import get_default_dtype, set_default_dtype
from ..tensor_functions.elementwise import ReLU
from ..train.loop import predict
from .common import Parser, notice


def network() -> Sequential:
    """Return a network with the usual layers, for images (N, 3, 32, 32)."""
    return Sequential(
        *(Conv2d(3, 24, 3, padding=1), BatchNorm2d(24), ReLU(), MaxPool2d(2)),
        *(Conv2d(24, 32, 3, padding=1, bias=False), BatchNorm2d(32), ReLU(), MaxPool2d(2)),
        *(Conv2d(32, 4, 5, padding=2), ReLU(), AvgPool2d(4)),
        *(Flatten(), Linear(16, 32), ReLU(), Dropout(0.25), Linear(32, 10)),
    )


def steps(dtype: str, batch: int) -> None:
    """Train and evaluate the network on a batch of random images (batch, 3, 32, 32)."""
    set_default_dtype(dtype)
    draw = np.random.default_rng(0)
    images, labels = draw.standard_normal((batch, 3, 32, 32)).astype(dtype), np.arange(batch) % 10
    model = network()
    for optimizer in (SGD(model.parameters(), 0.01, momentum=0.9), Adam(model.parameters())):
        scores = model(tensor(images, dtype=dtype))
        (cross_entropy(scores, labels) + nll_loss(logsoftmax(scores, 1), labels)).backward()
        optimizer.step()
    predict(model, [(images, labels)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Compile, and print how many kernels are in which folder. Return the exit status."""
    parser = Parser(__doc__)
    parser.add_argument(
        "--dtype", choices=("float32", "float64", "both"), default="float32", help="default: float32"
    )
    chosen = parser.parse_args(arguments).dtype
    if jit.disabled():
        print("NUMBA_DISABLE_JIT is set: there is nothing to compile", file=sys.stderr)
        return 2
    began, before = time.perf_counter(), get_default_dtype()
    try:
        for dtype in ("float32", "float64") if chosen == "both" else (chosen,):
            for batch in (2, 256):
                steps(dtype, batch)
    except KeyboardInterrupt as stop:
        notice(f"stopped by {describe(stop)}; what is compiled is kept")
        raise
    finally:
        set_default_dtype(before)
    folder = jit.cache_dir()
    print(f"{len(kernel_cache.kept(folder))} kernels in {folder}, after {time.perf_counter() - began:.1f} s")
    return 0
