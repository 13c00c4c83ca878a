"""Fused kernels of the CUDA backend: one or two launches where the specification takes several.

The specifications are the methods of `minitorch.tensor_ops.composite.CompositeOps`, which also checks shapes and
allocates the results. Here each function takes the results, then the operands, all of one dtype. Results are packed;
operands are packed, and moved to the device, here.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..runtime import philox
from ..runtime.types import ConvParams
from ..tensor_data import TensorData
from ..tensor_ops.activations import ACTIVATIONS
from ..tensor_ops.composite import Fused, dropout_scale
from ..tensor_ops.expression import Expression
from . import conv, matmul, norm, softmax
from .device import memory
from .device.launch import grid_stride, kernel, launch
from .dropout import drop_elements
from .matmul import tiles
from .operands import around, block, flat, packed, read, replay_input, run_elementwise


def _elementwise(out: TensorData, expression: Expression, *operands: TensorData) -> None:
    run_elementwise("a fused chain", expression.function, out, *operands)


def _conv_activation(
    y: TensorData, x: TensorData, w: TensorData, b: TensorData, activation: str, params: ConvParams
) -> None:
    conv.forward_activation(block(y), block(x), block(w), block(b), params, ACTIVATIONS[activation][0])


def _linear(y: TensorData, x: TensorData, w: TensorData, b: TensorData, activation: str) -> None:
    rows, cols, depth = sizes = (x.shape[0], w.shape[0], x.shape[1])
    shapes, activate, transposed = [x.shape, w.shape], ACTIVATIONS[activation][0], w.permute(1, 0)
    operands = (read(x), x.strides, read(transposed), transposed.strides, packed(b), sizes)
    if not matmul.linear(shapes, y.dtype, y._storage, *operands, activate):
        made = kernel(matmul.linear_tiles, y.dtype, activation=activate)
        launch("linear", shapes, made, tiles(rows, cols, depth, 1), y._storage, *operands)


def _activation_grad(
    before: TensorData, sums: TensorData, y: TensorData, d: TensorData, activation: str
) -> None:
    shape = (*y.shape[:2], math.prod(y.shape[2:]))
    into, of_y, of_d = (packed(t).reshape(shape) for t in (before, y, d))
    norm.activation_grad_sums(into, sums._storage, of_y, of_d, ACTIVATIONS[activation][1])


def _log_softmax(y: TensorData, x: TensorData, dim: int) -> None:
    shape = around(x.shape, dim)
    softmax.log_softmax(y._storage.reshape(shape), packed(x).reshape(shape))


def _log_softmax_grad(dx: TensorData, y: TensorData, d: TensorData, dim: int) -> None:
    shape = around(y.shape, dim)
    softmax.log_softmax_grad(*(t.reshape(shape) for t in (dx._storage, packed(y), packed(d))))


def _norm(
    y: TensorData, mean: TensorData, var: TensorData,
    x: TensorData, w: TensorData, b: TensorData, eps: float, activation: str,
) -> None:  # fmt: skip
    moments = (mean._storage, var._storage)
    norm.norm(packed(y), *moments, packed(x), flat(w), flat(b), eps, ACTIVATIONS[activation][0])


def _norm_grad(
    dx: TensorData, dw: TensorData, db: TensorData,
    x: TensorData, w: TensorData, b: TensorData, d: TensorData,
    mean: TensorData, var: TensorData, eps: float, activation: str,
) -> None:  # fmt: skip
    results = (packed(dx), dw._storage, db._storage)
    operands = (packed(x), flat(w), flat(b), packed(d), flat(mean), flat(var))
    norm.norm_grad(*results, *operands, eps, ACTIVATIONS[activation][1])


def _scale_shift(y: TensorData, x: TensorData, w: TensorData, b: TensorData, activation: str) -> None:
    norm.scale_shift(packed(y), packed(x), flat(w), flat(b), ACTIVATIONS[activation][0])


def _cross_entropy(losses: TensorData, grad: TensorData, x: TensorData, target: TensorData) -> None:
    rows = (t.reshape((*x.shape, 1)) for t in (grad._storage, packed(x), packed(target)))
    softmax.cross_entropy(losses._storage, *rows)


def _label_entropy(
    losses: TensorData, grad: TensorData, x: TensorData, labels: npt.NDArray[np.int64]
) -> None:
    into, rows = (t.reshape((*x.shape, 1)) for t in (grad._storage, packed(x)))
    softmax.label_entropy(losses._storage, into, rows, memory.storage(labels.astype(np.uint32)))


def _dropout(
    y: TensorData, mask: TensorData, x: TensorData, key: Callable[[], int], rate: float, scale: bool
) -> None:
    drawn = replay_input(lambda: np.array(philox.key_words(key())))
    settings = (drawn, philox.threshold(rate), dropout_scale(rate, scale, x.dtype))
    made, grid = kernel(drop_elements, x.dtype), grid_stride(-(-x.size // 4))
    launch("dropout", [x.shape], made, grid, y._storage, mask._storage, flat(x), x.size, *settings)


FUSED = {
    "elementwise": Fused(_elementwise),
    "conv_activation": Fused(_conv_activation),
    "linear": Fused(_linear),
    "activation_grad": Fused(_activation_grad),
    "log_softmax": Fused(_log_softmax),
    "log_softmax_grad": Fused(_log_softmax_grad),
    "norm": Fused(_norm),
    "norm_grad": Fused(_norm_grad),
    "scale_shift": Fused(_scale_shift),
    "cross_entropy": Fused(_cross_entropy),
    "label_entropy": Fused(_label_entropy),
    "dropout": Fused(_dropout),
}
