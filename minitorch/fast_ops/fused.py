"""The optional kernels of the Numba backend: each one pass over its elements where the composition takes several."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..runtime import philox
from ..runtime.types import ConvParams
from ..tensor_data import IndexingError, TensorData, array, flat, packed, shape_broadcast
from ..tensor_ops.base import TensorOps
from ..tensor_ops.composite import ACTIVATIONS, dropout_scale
from ..tensor_ops.expression import Expression
from . import conv, dropout, elementwise, jit, matmul, norm, softmax
from .threads import thread_count

DRAW = 8  # element operations that a random word costs


class FusedOps(TensorOps):
    """What the Numba backend does better than the compositions of `minitorch.composite`."""

    @classmethod
    def elementwise(cls, expression: Expression, *operands: TensorData) -> TensorData:
        """See `CompositeOps.elementwise`: one kernel; operands that are smaller or not packed are laid out first."""
        first, shape, dtype = operands[0], operands[0].shape, operands[0].dtype
        for t in operands[1:]:
            cls.require_same_backend(first, t)
            shape, dtype = shape_broadcast(shape, t.shape), np.promote_types(dtype, t.dtype)
        out = cls.allocate(shape, dtype, first.backend)
        loop = elementwise.FLAT[len(operands) - 1]
        run = jit.variant(loop, dtype, out.size > jit.PARALLEL, fn=expression.function)
        run(out._storage, out.size, *(_spread(t, out) for t in operands))
        return out

    @classmethod
    def conv_activation(
        cls, x: TensorData, w: TensorData, b: TensorData, activation: str,
        params: ConvParams,
    ) -> TensorData:  # fmt: skip
        """See `CompositeOps.conv_activation`."""
        cls.require_same_backend(x, w, b)
        y = cls.conv_result(x, w, params)
        if y.size:
            shift = flat(b, y)
            conv.forward(array(y), packed(x, y), packed(w, y), params, shift, ACTIVATIONS[activation][0])
        return y

    @classmethod
    def conv_activation_grad(
        cls, x: TensorData, w: TensorData, y: TensorData, d: TensorData, activation: str, wanted: tuple[bool, bool],
        params: ConvParams,
    ) -> tuple[Any, Any, TensorData]:  # fmt: skip
        """See `CompositeOps.conv_activation_grad`: what the activation held back is left out where the derivatives are read."""
        if not wanted[1] or not y.size or not conv.fuses_relu_backward(array(w), params):
            return super().conv_activation_grad(x, w, y, d, activation, wanted, params)
        dw = cls.allocate(w.shape, y.dtype, y.backend)
        db = cls.allocate((w.shape[0],), y.dtype, y.backend)
        change, gate = packed(d, y), array(y) if activation == "relu" else None
        conv.grad_weight(array(dw), packed(x, y), change, params, gate, db._storage)
        if not wanted[0]:
            return 0.0, dw, db
        dx = cls.allocate(x.shape, y.dtype, y.backend)
        if dx.size:
            conv.grad_input(array(dx), change, packed(w, y), params, gate)
        return dx, dw, db

    @classmethod
    def linear(cls, x: TensorData, w: TensorData, b: TensorData, activation: str) -> TensorData:
        """See `CompositeOps.linear`."""
        if x.dims != 2 or w.dims != 2 or x.shape[1] != w.shape[1]:
            raise IndexingError(f"linear needs (N, K) and (M, K), not {x.shape} and {w.shape}")
        cls.require_same_backend(x, w, b)
        y = cls.allocate((x.shape[0], w.shape[0]), np.promote_types(x.dtype, w.dtype), x.backend)
        matmul.matmul(array(y), array(x), array(w).T)
        run = jit.variant(norm.shift_rows, y.dtype, y.size > jit.PARALLEL, finish=ACTIVATIONS[activation][0])
        run(array(y), flat(b, y))
        return y

    @classmethod
    def activation_grad(cls, y: TensorData, d: TensorData, activation: str) -> tuple[TensorData, TensorData]:
        """See `CompositeOps.activation_grad`."""
        shape = (*y.shape[:2], math.prod(y.shape[2:]))
        if activation == "none":
            return d, d.contiguous().view(*shape).sum(2).sum(0).view(shape[1])
        before = cls.allocate(y.shape, y.dtype, y.backend)
        sums = cls.allocate((shape[1],), y.dtype, y.backend)
        parallel, gate = y.size > jit.PARALLEL, ACTIVATIONS[activation][1]
        elements = (array(before), packed(y, y), packed(d, y))
        if shape[2] == 1:
            run = jit.variant(norm.activation_columns, y.dtype, parallel, gate=gate)
            into, *of = (t.reshape(shape[:2]) for t in elements)
            run(into, sums._storage, *of)
        else:
            run = jit.variant(norm.activation_channels, y.dtype, parallel, gate=gate)
            into, *of = (t.reshape(shape) for t in elements)
            run(into, sums._storage, thread_count() if parallel else 1, *of)
        return before, sums

    @classmethod
    def log_softmax(cls, x: TensorData, dim: int) -> TensorData:
        """See `CompositeOps.log_softmax`."""
        if x.dims != 2 or dim not in (1, -1) or not x.size:
            return super().log_softmax(x, dim)
        y = cls.allocate(x.shape, x.dtype, x.backend)
        run = jit.variant(softmax.log_softmax, x.dtype, x.size > jit.PARALLEL)
        run(array(y), packed(x, y))
        return y

    @classmethod
    def log_softmax_grad(cls, y: TensorData, d: TensorData, dim: int) -> TensorData:
        """See `CompositeOps.log_softmax_grad`."""
        if y.dims != 2 or dim not in (1, -1) or not y.size:
            return super().log_softmax_grad(y, d, dim)
        dx = cls.allocate(y.shape, y.dtype, y.backend)
        run = jit.variant(softmax.log_softmax_grad, y.dtype, y.size > jit.PARALLEL)
        run(array(dx), packed(y, dx), packed(d, dx))
        return dx

    @classmethod
    def norm(
        cls, x: TensorData, w: TensorData, b: TensorData, eps: float, activation: str
    ) -> tuple[TensorData, TensorData, TensorData]:
        """See `CompositeOps.norm`."""
        y = cls.allocate(x.shape, x.dtype, x.backend)
        mean, var = (cls.allocate((1, x.shape[1], 1), x.dtype, x.backend) for _ in range(2))
        run = jit.variant(norm.norm, x.dtype, x.size > jit.PARALLEL, finish=ACTIVATIONS[activation][0])
        run(array(y), mean._storage, var._storage, packed(x, y), flat(w, y), flat(b, y), eps)
        return y, mean, var

    @classmethod
    def norm_grad(
        cls, x: TensorData, w: TensorData, b: TensorData, d: TensorData,
        mean: TensorData, var: TensorData, eps: float, activation: str,
    ) -> tuple[TensorData, TensorData, TensorData]:  # fmt: skip
        """See `CompositeOps.norm_grad`."""
        dx = cls.allocate(x.shape, x.dtype, x.backend)
        dw, db = (cls.allocate(mean.shape, x.dtype, x.backend) for _ in range(2))
        run = jit.variant(norm.norm_grad, x.dtype, x.size > jit.PARALLEL, gate=ACTIVATIONS[activation][1])
        scale_shift = (flat(w, dx), flat(b, dx))
        moments = (mean._storage, var._storage)
        run(array(dx), dw._storage, db._storage, packed(x, dx), *scale_shift, packed(d, dx), *moments, eps)
        return dx, dw, db

    @classmethod
    def scale_shift(cls, x: TensorData, w: TensorData, b: TensorData, activation: str) -> TensorData:
        """See `CompositeOps.scale_shift`."""
        y = cls.allocate(x.shape, x.dtype, x.backend)
        run = jit.variant(norm.scale_shift, x.dtype, x.size > jit.PARALLEL, finish=ACTIVATIONS[activation][0])
        run(array(y), packed(x, y), flat(w, y), flat(b, y))
        return y

    @classmethod
    def cross_entropy(cls, x: TensorData, target: TensorData) -> tuple[TensorData, TensorData]:
        """See `CompositeOps.cross_entropy`."""
        grad = cls.allocate(x.shape, x.dtype, x.backend)
        losses = cls.allocate((x.shape[0], 1), x.dtype, x.backend)
        run = jit.variant(softmax.cross_entropy, x.dtype, x.size > jit.PARALLEL)
        run(losses._storage, array(grad), packed(x, grad), packed(target, grad))
        return losses, grad

    @classmethod
    def label_entropy(cls, x: TensorData, labels: npt.NDArray[np.int64]) -> tuple[TensorData, TensorData]:
        """See `CompositeOps.label_entropy`."""
        grad = cls.allocate(x.shape, x.dtype, x.backend)
        losses = cls.allocate((x.shape[0], 1), x.dtype, x.backend)
        run = jit.variant(softmax.label_entropy, x.dtype, x.size > jit.PARALLEL)
        # A copy: for labels that lie apart, or may not be written, a kernel of their own would be compiled.
        run(losses._storage, array(grad), packed(x, grad), labels.copy())
        return losses, grad

    @classmethod
    def dropout(
        cls, x: TensorData, key: Callable[[], int], rate: float, scale: bool
    ) -> tuple[TensorData, TensorData]:
        """See `CompositeOps.dropout`."""
        y, mask = (cls.allocate(x.shape, x.dtype, x.backend) for _ in range(2))
        drawn, factor = philox.key_words(key()), dropout_scale(rate, scale, x.dtype)
        run = jit.variant(dropout.drop_elements, x.dtype, x.size * DRAW > jit.PARALLEL)
        run(y._storage, mask._storage, flat(x, y), drawn, philox.bound_of(rate), factor)
        return y, mask


def _spread(t: TensorData, out: TensorData) -> Any:
    """Return ``t``, stretched to the shape of ``out``, in a row."""
    if t.shape == out.shape:
        return flat(t, out)
    return np.ascontiguousarray(np.broadcast_to(array(t), out.shape), out.dtype).reshape(-1)
