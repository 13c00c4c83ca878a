"""Compiles the common kernels ahead of time, so that the first training does not wait for them.

    minitorch warmup
    minitorch warmup --model resnet
    minitorch warmup --dtype both

A network takes a few steps on random images: the one that `--model` names, else one with the usual layers. Its kernels
are compiled in several processes where there are several cores. They stay in the cache folder.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..fast_ops import jit, kernel_cache
from ..models import CIFAR_MODELS, IMAGE_MODELS
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
from ..train.compile_ahead import any_batch, compile_ahead
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


MODELS = {**IMAGE_MODELS, **CIFAR_MODELS}


def steps(dtype: str, batch: int, name: str = "") -> None:
    """Train and evaluate a network of `MODELS`, by default the usual one, on a batch of random images."""
    set_default_dtype(dtype)
    draw = np.random.default_rng(0)
    size = (1, 28, 28) if name in IMAGE_MODELS else (3, 32, 32)
    images, labels = draw.standard_normal((batch, *size)).astype(dtype), np.arange(batch) % 10
    model: Any = MODELS[name]() if name else network()
    for optimizer in (SGD(model.parameters(), 0.01, momentum=0.9), Adam(model.parameters())):
        batches = any_batch(next(p.value for p in model.parameters()), images.shape)
        compile_ahead(model, optimizer, model.loss if name in IMAGE_MODELS else cross_entropy, *batches)
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
    parser.add_argument(
        "--model", choices=MODELS, default="", help="default: a network with the usual layers"
    )
    args = parser.parse_args(arguments)
    if jit.disabled():
        print("NUMBA_DISABLE_JIT is set: there is nothing to compile", file=sys.stderr)
        return 2
    began, before = time.perf_counter(), get_default_dtype()
    try:
        for dtype in ("float32", "float64") if args.dtype == "both" else (args.dtype,):
            for batch in (2, 256):
                steps(dtype, batch, args.model)
    except KeyboardInterrupt as stop:
        notice(f"stopped by {describe(stop)}; what is compiled is kept")
        raise
    finally:
        set_default_dtype(before)
    folder = jit.cache_dir()
    print(f"{len(kernel_cache.kept(folder))} kernels in {folder}, after {time.perf_counter() - began:.1f} s")
    return 0
