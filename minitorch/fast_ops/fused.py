"""Fused kernels of the Numba backend: one pass over the elements where the specification takes several.

The specifications are the methods of `minitorch.tensor_ops.composite.CompositeOps`, which also checks shapes and
allocates the results. Here each function takes the results, then the operands, all of one dtype. Results are packed;
operands are packed here where a kernel needs it. Small work runs serially.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..runtime import philox
from ..runtime.types import ConvParams, Fn
from ..tensor_data import TensorData
from ..tensor_ops.activations import ACTIVATIONS
from ..tensor_ops.composite import Fused, dropout_scale
from ..tensor_ops.expression import Expression
from . import jit, matmul, norm, softmax
from .convolution import conv, winograd
from .dropout import drop_elements
from .elementwise import FLAT
from .steps.recording import packed, recordable
from .sums import CACHE_LINE_GAP

DRAW = 8  # elementwise operations that a random word costs


def _elementwise(out: TensorData, expression: Expression, *operands: TensorData) -> None:
    run = jit.variant(FLAT[len(operands) - 1], out.dtype, out.size > jit.PARALLEL, fn=expression.function)
    run(out._storage, out.size, *(_broadcast(t, out) for t in operands))


def _broadcast(t: TensorData, out: TensorData) -> Any:
    """Return the elements of ``t``, broadcast to the shape of ``out``, in one packed row."""
    if t.shape == out.shape:
        return t.packed(out.dtype).reshape(-1)
    return np.ascontiguousarray(np.broadcast_to(t.numpy_view(), out.shape)).reshape(-1)


def _conv_activation(
    y: TensorData, x: TensorData, w: TensorData, b: TensorData, activation: str, params: ConvParams
) -> None:
    conv.forward(
        y.numpy_view(),
        x.packed(y.dtype),
        w.packed(y.dtype),
        params,
        b.packed(y.dtype).reshape(-1),
        ACTIVATIONS[activation][0],
    )


def _conv_activation_grad(
    dx: TensorData | None, dw: TensorData, db: TensorData,
    x: TensorData, w: TensorData, y: TensorData, d: TensorData,
    activation: str, wanted: tuple[bool, bool], params: ConvParams,
) -> None:  # fmt: skip
    change, activated = d.packed(y.dtype), y.numpy_view() if activation == "relu" else None
    conv.grad_weight(dw.numpy_view(), x.packed(y.dtype), change, params, activated, db._storage)
    if dx is not None:
        conv.grad_input(dx.numpy_view(), change, w.packed(y.dtype), params, activated)


def _fuses_relu_backward(
    x: TensorData, w: TensorData, y: TensorData, d: TensorData,
    activation: str, wanted: tuple[bool, bool], params: ConvParams,
) -> bool:  # fmt: skip
    if activation == "relu6":  # the kernels know where ReLU's result is 0, not where ReLU6's is 6
        return False
    return wanted[1] and y.is_contiguous() and conv.fuses_relu_backward(w.numpy_view(), params)


def _linear(y: TensorData, x: TensorData, w: TensorData, b: TensorData, activation: str) -> None:
    matmul.matmul(y.numpy_view(), x.numpy_view(), w.numpy_view().T)
    run = jit.variant(norm.shift_rows, y.dtype, y.size > jit.PARALLEL, activation=ACTIVATIONS[activation][0])
    run(y.numpy_view(), b.packed(y.dtype).reshape(-1))


def _activation_grad(
    before: TensorData, sums: TensorData, y: TensorData, d: TensorData, activation: str
) -> None:
    parallel, backward = y.size > jit.PARALLEL, ACTIVATIONS[activation][1]
    elements, inner = (before.numpy_view(), y.packed(y.dtype), d.packed(y.dtype)), math.prod(y.shape[2:])
    if inner == 1:
        into, *of = (t.reshape(y.shape[:2]) for t in elements)
        jit.variant(norm.activation_columns, y.dtype, parallel, activation_grad=backward)(
            into, sums._storage, *of
        )
    else:
        into, *of = (t.reshape((*y.shape[:2], inner)) for t in elements)
        shares = min(len(into), norm.SHARES) if parallel else 1
        partial = np.empty((shares, into.shape[1] + CACHE_LINE_GAP))
        jit.variant(norm.activation_channels, y.dtype, parallel, activation_grad=backward)(
            into, sums._storage, partial, *of
        )


def _log_softmax(y: TensorData, x: TensorData, dim: int) -> None:
    jit.variant(softmax.log_softmax, x.dtype, x.size > jit.PARALLEL)(y.numpy_view(), x.packed(y.dtype))


def _log_softmax_grad(dx: TensorData, y: TensorData, d: TensorData, dim: int) -> None:
    run = jit.variant(softmax.log_softmax_grad, y.dtype, y.size > jit.PARALLEL)
    run(dx.numpy_view(), y.packed(dx.dtype), d.packed(dx.dtype))


def _norm(
    y: TensorData, mean: TensorData, var: TensorData,
    x: TensorData, w: TensorData, b: TensorData, eps: float, activation: str,
) -> None:  # fmt: skip
    run = jit.variant(norm.norm, x.dtype, x.size > jit.PARALLEL, activation=ACTIVATIONS[activation][0])
    run(
        y.numpy_view(),
        mean._storage,
        var._storage,
        x.packed(y.dtype),
        w.packed(y.dtype).reshape(-1),
        b.packed(y.dtype).reshape(-1),
        eps,
    )


def _norm_grad(
    dx: TensorData, dw: TensorData, db: TensorData,
    x: TensorData, w: TensorData, b: TensorData, d: TensorData,
    mean: TensorData, var: TensorData, eps: float, activation: str,
) -> None:  # fmt: skip
    run = jit.variant(
        norm.norm_grad, x.dtype, x.size > jit.PARALLEL, activation_grad=ACTIVATIONS[activation][1]
    )
    channels = (
        x.packed(dx.dtype),
        w.packed(dx.dtype).reshape(-1),
        b.packed(dx.dtype).reshape(-1),
        d.packed(dx.dtype),
        mean.packed(dx.dtype).reshape(-1),
        var.packed(dx.dtype).reshape(-1),
    )
    run(dx.numpy_view(), dw._storage, db._storage, *channels, eps)


def _scale_shift(y: TensorData, x: TensorData, w: TensorData, b: TensorData, activation: str) -> None:
    run = jit.variant(norm.scale_shift, x.dtype, x.size > jit.PARALLEL, activation=ACTIVATIONS[activation][0])
    run(y.numpy_view(), x.packed(y.dtype), w.packed(y.dtype).reshape(-1), b.packed(y.dtype).reshape(-1))


def _cross_entropy(losses: TensorData, grad: TensorData, x: TensorData, target: TensorData) -> None:
    run = jit.variant(softmax.cross_entropy, x.dtype, x.size > jit.PARALLEL)
    run(losses._storage, grad.numpy_view(), x.packed(grad.dtype), target.packed(grad.dtype))


def _label_entropy(
    losses: TensorData, grad: TensorData, x: TensorData, labels: npt.NDArray[np.int64]
) -> None:
    run = jit.variant(softmax.label_entropy, x.dtype, x.size > jit.PARALLEL)
    # A copy: strided or read-only labels would be another type, and compile a kernel of their own.
    run(losses._storage, grad.numpy_view(), x.packed(grad.dtype), labels.copy())


def _dropout(
    y: TensorData, mask: TensorData, x: TensorData, key: Callable[[], int], rate: float, scale: bool
) -> None:
    drawn, factor = philox.key_words(key()), dropout_scale(rate, scale, x.dtype)
    run = jit.variant(drop_elements, x.dtype, x.size * DRAW > jit.PARALLEL)
    run(y._storage, mask._storage, x.packed(y.dtype).reshape(-1), drawn, philox.threshold(rate), factor)


def _is_matrix(x: TensorData, *rest: Any) -> bool:
    return x.dims == 2 and rest[-1] in (1, -1)


def _activates(*args: Any) -> bool:
    return args[-1] != "none"


def _same_shapes(y: TensorData, expression: Expression, *operands: TensorData) -> bool:
    return packed(y, *operands) and all(t.shape == y.shape for t in operands)


def _multiplies(y: TensorData, x: TensorData, w: TensorData, b: TensorData, activation: str) -> bool:
    return packed(y, x, w, b) and matmul.launch(y.numpy_view(), x.numpy_view(), w.numpy_view().T) is not None


def _in_tiles(y: TensorData, x: TensorData, w: TensorData, *rest: Any) -> bool:
    return packed(y, x, w, *rest) and not winograd.applies(w.numpy_view(), rest[-1])


# For each operation: its kernel, whether it suits (see `Fused`), and whether it only launches loops (`recordable`).
_KERNELS: dict[str, tuple[Fn, Callable[..., bool] | None, Callable[..., bool] | None]] = {
    "elementwise": (_elementwise, None, _same_shapes),
    "conv_activation": (_conv_activation, None, _in_tiles),
    "conv_activation_grad": (_conv_activation_grad, _fuses_relu_backward, None),
    "linear": (_linear, None, _multiplies),
    "activation_grad": (_activation_grad, _activates, packed),
    "log_softmax": (_log_softmax, _is_matrix, packed),
    "log_softmax_grad": (_log_softmax_grad, _is_matrix, packed),
    "norm": (_norm, None, packed),
    "norm_grad": (_norm_grad, None, packed),
    "scale_shift": (_scale_shift, None, packed),
    "cross_entropy": (_cross_entropy, None, packed),
    "label_entropy": (_label_entropy, None, None),
    "dropout": (_dropout, None, None),
}
FUSED = {
    name: Fused(recordable(kernel, launches), suits) for name, (kernel, suits, launches) in _KERNELS.items()
}
