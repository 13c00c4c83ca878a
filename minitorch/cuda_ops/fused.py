"""The optional kernels of the CUDA backend: each one or two launches where the composition takes several."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..runtime import philox
from ..runtime.types import ConvParams
from ..tensor_data import IndexingError, TensorData, shape_broadcast
from ..tensor_ops.base import TensorOps
from ..tensor_ops.composite import ACTIVATIONS, dropout_scale
from ..tensor_ops.expression import Expression
from . import conv, dropout, matmul, norm, softmax
from .device import memory
from .device.launch import grid_stride, kernel, launch
from .matmul import tiles
from .operands import around, block, flat, packed, read, replay_input, run_elementwise


class FusedOps(TensorOps):
    """What the CUDA backend does better than the compositions of `minitorch.composite`."""

    @classmethod
    def elementwise(cls, expression: Expression, *operands: TensorData) -> TensorData:
        """See `CompositeOps.elementwise`: one kernel."""
        cls.require_same_backend(*operands)
        shape, dtype = operands[0].shape, operands[0].dtype
        for t in operands[1:]:
            shape, dtype = shape_broadcast(shape, t.shape), np.promote_types(dtype, t.dtype)
        out = cls.allocate(shape, dtype, operands[0].backend)
        if out.size:
            run_elementwise("a fused chain", expression.function, out, *operands)
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
            conv.forward_activation(
                block(y), block(x), block(w), block(b), params, ACTIVATIONS[activation][0]
            )
        return y

    @classmethod
    def linear(cls, x: TensorData, w: TensorData, b: TensorData, activation: str) -> TensorData:
        """See `CompositeOps.linear`."""
        if x.dims != 2 or w.dims != 2 or x.shape[1] != w.shape[1]:
            raise IndexingError(f"linear needs (N, K) and (M, K), not {x.shape} and {w.shape}")
        cls.require_same_backend(x, w, b)
        rows, cols, depth = sizes = (x.shape[0], w.shape[0], x.shape[1])
        y = cls.allocate((rows, cols), np.promote_types(x.dtype, w.dtype), x.backend)
        if y.size:
            shapes, finish, transposed = [x.shape, w.shape], ACTIVATIONS[activation][0], w.permute(1, 0)
            operands = (read(x), x.strides, read(transposed), transposed.strides, packed(b), sizes)
            if not matmul.linear(shapes, y.dtype, y._storage, *operands, finish):
                made = kernel(matmul.linear_tiles, y.dtype, activation=finish)
                launch("linear", shapes, made, tiles(rows, cols, depth, 1), y._storage, *operands)
        return y

    @classmethod
    def activation_grad(cls, y: TensorData, d: TensorData, activation: str) -> tuple[TensorData, TensorData]:
        """See `CompositeOps.activation_grad`."""
        cls.require_same_backend(y, d)
        shape = (*y.shape[:2], math.prod(y.shape[2:]))
        if not y.size:
            return super().activation_grad(y, d, activation)
        before = cls.allocate(y.shape, y.dtype, y.backend)
        sums = cls.allocate((shape[1],), y.dtype, y.backend)
        into, of_y, of_d = (packed(t).reshape(shape) for t in (before, y, d))
        norm.activation_grad_sums(into, sums._storage, of_y, of_d, ACTIVATIONS[activation][1])
        return before, sums

    @classmethod
    def log_softmax(cls, x: TensorData, dim: int) -> TensorData:
        """See `CompositeOps.log_softmax`."""
        if not x.size:
            return super().log_softmax(x, dim)
        y = cls.allocate(x.shape, x.dtype, x.backend)
        shape = around(x.shape, dim)
        softmax.log_softmax(y._storage.reshape(shape), packed(x).reshape(shape))
        return y

    @classmethod
    def log_softmax_grad(cls, y: TensorData, d: TensorData, dim: int) -> TensorData:
        """See `CompositeOps.log_softmax_grad`."""
        cls.require_same_backend(y, d)
        if not y.size:
            return super().log_softmax_grad(y, d, dim)
        dx = cls.allocate(y.shape, y.dtype, y.backend)
        shape = around(y.shape, dim)
        softmax.log_softmax_grad(*(t.reshape(shape) for t in (dx._storage, packed(y), packed(d))))
        return dx

    @classmethod
    def norm(
        cls, x: TensorData, w: TensorData, b: TensorData, eps: float, activation: str
    ) -> tuple[TensorData, TensorData, TensorData]:
        """See `CompositeOps.norm`."""
        cls.require_same_backend(x, w, b)
        if not x.size:
            return super().norm(x, w, b, eps, activation)
        y = cls.allocate(x.shape, x.dtype, x.backend)
        mean, var = (cls.allocate((1, x.shape[1], 1), x.dtype, x.backend) for _ in range(2))
        moments = (mean._storage, var._storage)
        norm.norm(packed(y), *moments, packed(x), flat(w), flat(b), eps, ACTIVATIONS[activation][0])
        return y, mean, var

    @classmethod
    def norm_grad(
        cls, x: TensorData, w: TensorData, b: TensorData, d: TensorData,
        mean: TensorData, var: TensorData, eps: float, activation: str,
    ) -> tuple[TensorData, TensorData, TensorData]:  # fmt: skip
        """See `CompositeOps.norm_grad`."""
        cls.require_same_backend(x, w, b, d, mean, var)
        if not x.size:
            return super().norm_grad(x, w, b, d, mean, var, eps, activation)
        dx = cls.allocate(x.shape, x.dtype, x.backend)
        dw, db = (cls.allocate(mean.shape, x.dtype, x.backend) for _ in range(2))
        results = (packed(dx), dw._storage, db._storage)
        given = (packed(x), flat(w), flat(b), packed(d), flat(mean), flat(var))
        norm.norm_grad(*results, *given, eps, ACTIVATIONS[activation][1])
        return dx, dw, db

    @classmethod
    def scale_shift(cls, x: TensorData, w: TensorData, b: TensorData, activation: str) -> TensorData:
        """See `CompositeOps.scale_shift`."""
        cls.require_same_backend(x, w, b)
        y = cls.allocate(x.shape, x.dtype, x.backend)
        if y.size:
            norm.scale_shift(packed(y), packed(x), flat(w), flat(b), ACTIVATIONS[activation][0])
        return y

    @classmethod
    def cross_entropy(cls, x: TensorData, target: TensorData) -> tuple[TensorData, TensorData]:
        """See `CompositeOps.cross_entropy`."""
        cls.require_same_backend(x, target)
        if not x.size:
            return super().cross_entropy(x, target)
        grad = cls.allocate(x.shape, x.dtype, x.backend)
        losses = cls.allocate((x.shape[0], 1), x.dtype, x.backend)
        rows = (t.reshape((*x.shape, 1)) for t in (grad._storage, packed(x), packed(target)))
        softmax.cross_entropy(losses._storage, *rows)
        return losses, grad

    @classmethod
    def label_entropy(cls, x: TensorData, labels: npt.NDArray[np.int64]) -> tuple[TensorData, TensorData]:
        """See `CompositeOps.label_entropy`: the labels move to the device."""
        if not x.size:
            return super().label_entropy(x, labels)
        grad = cls.allocate(x.shape, x.dtype, x.backend)
        losses = cls.allocate((x.shape[0], 1), x.dtype, x.backend)
        into, rows = (t.reshape((*x.shape, 1)) for t in (grad._storage, packed(x)))
        softmax.label_entropy(losses._storage, into, rows, memory.storage(labels.astype(np.uint32)))
        return losses, grad

    @classmethod
    def dropout(
        cls, x: TensorData, key: Callable[[], int], rate: float, scale: bool
    ) -> tuple[TensorData, TensorData]:
        """See `CompositeOps.dropout`: a word per element is made on the device, four by a thread."""
        y, mask = (cls.allocate(x.shape, x.dtype, x.backend) for _ in range(2))
        drawn = replay_input(lambda: np.array(philox.key_words(key())))
        if y.size:
            made, elements = kernel(dropout.drop_elements, x.dtype), (y._storage, mask._storage, flat(x))
            settings = (drawn, philox.bound_of(rate), dropout_scale(rate, scale, x.dtype))
            launch("dropout", [x.shape], made, grid_stride(-(-x.size // 4)), *elements, x.size, *settings)
        return y, mask
