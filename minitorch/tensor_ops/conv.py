"""The part of the door that convolves and pools: kernels, plain loops where a backend has none, and the corridor."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..runtime.types import ConvParams, Fn, Padding, Pair, PoolParams
from ..tensor_data import IndexingError, TensorData
from . import reference_conv


def through_variables(fn: Fn, *values: Any) -> Any:
    """Call ``fn`` on the TensorData inside ``values``; the result has no history."""
    guide = next(v for v in values if v is not None and not isinstance(v, TensorData))
    raw = fn(*[v if v is None or isinstance(v, TensorData) else v._unwrap() for v in values])
    return guide._wrap(raw, None)


def conv_size(
    x: tuple[int, ...], w: tuple[int, ...], stride: Pair, padding: Padding, dilation: Pair
) -> tuple[int, int]:
    """Return height and width of a convolution's result.

    Raises:
        IndexingError: The kernel is larger than the padded input.
    """
    spans = [dilation[i] * (w[2 + i] - 1) + 1 for i in (0, 1)]
    padded = [x[2] + padding[0] + padding[1], x[3] + padding[2] + padding[3]]
    if spans[0] > padded[0] or spans[1] > padded[1]:
        raise IndexingError(
            f"the kernel of weight {w} spans {spans[0]}x{spans[1]} elements, "
            f"more than the padded input {x} of {padded[0]}x{padded[1]}"
        )
    return (padded[0] - spans[0]) // stride[0] + 1, (padded[1] - spans[1]) // stride[1] + 1


class ConvOps:
    """Convolution and pooling of a backend; `minitorch.tensor_ops.TensorOps` brings the memory along."""

    allocate: Any
    require_same_backend: Any
    storage: Any

    @classmethod
    def conv_kernel(
        cls, out: TensorData, x: TensorData, w: TensorData,
        params: ConvParams,
    ) -> None:  # fmt: skip
        """Cross-correlate images (N, C, H, W) with weights (O, C / groups, KH, KW) into (N, O, H', W')."""
        cls._by_loops(reference_conv.conv, out, x, w, params)

    @classmethod
    def conv_grad_input_kernel(
        cls, out: TensorData, d: TensorData, w: TensorData,
        params: ConvParams,
    ) -> None:  # fmt: skip
        """Derivative of the convolution with respect to its input."""
        cls._by_loops(reference_conv.conv_grad_input, out, d, w, params)

    @classmethod
    def conv_grad_weight_kernel(
        cls, out: TensorData, x: TensorData, d: TensorData,
        params: ConvParams,
    ) -> None:  # fmt: skip
        """Derivative of the convolution with respect to its weight."""
        cls._by_loops(reference_conv.conv_grad_weight, out, x, d, params)

    @classmethod
    def pool_kernel(
        cls, out: TensorData, x: TensorData,
        params: PoolParams,
    ) -> None:  # fmt: skip
        """Largest or average element of each window of images (N, C, H, W)."""
        cls._by_loops(reference_conv.pool, out, x, params)

    @classmethod
    def pool_grad_kernel(
        cls, out: TensorData, x: TensorData, d: TensorData,
        params: PoolParams,
    ) -> None:  # fmt: skip
        """Derivative of the pooling with respect to its input; the first of equal maxima gets it."""
        cls._by_loops(reference_conv.pool_grad, out, x, d, params)

    @classmethod
    def _by_loops(cls, loops: Fn, out: TensorData, *operands: Any) -> None:
        result = np.empty(out.shape, out.dtype)
        with np.errstate(all="ignore"):
            loops(result, *[t.host() if isinstance(t, TensorData) else t for t in operands])
        out._storage = cls.storage(result.reshape(-1))

    @classmethod
    def conv(cls, x: Any, w: Any, params: ConvParams) -> Any:
        """Cross-correlate images with weights; see `conv_kernel`.

        Raises:
            IndexingError: The shapes do not fit.
        """
        if not isinstance(x, TensorData) or not isinstance(w, TensorData):
            return through_variables(lambda a, b: cls.conv(a, b, params), x, w)
        out = cls.conv_result(x, w, params)
        if out.size:
            cls.conv_kernel(out, x, w, params)
        return out

    @classmethod
    def conv_result(cls, x: TensorData, w: TensorData, params: ConvParams) -> TensorData:
        """Check the operands of a convolution, and return space for its result.

        Raises:
            IndexingError: The shapes do not fit.
        """
        stride, padding, dilation, groups = params
        if x.backend is not w.backend:
            cls.require_same_backend(x, w)
        if x.dims != 4 or w.dims != 4:
            raise IndexingError(
                f"a convolution needs an input and a weight of 4 dimensions, not {x.shape} and {w.shape}"
            )
        if x.shape[1] % groups or w.shape[0] % groups or x.shape[1] // groups != w.shape[1]:
            raise IndexingError(
                f"input {x.shape} has {x.shape[1]} channels and weight {w.shape} expects {w.shape[1]} * {groups} "
                f"in {groups} group(s), which must divide {x.shape[1]} and {w.shape[0]}"
            )
        height, width = conv_size(x.shape, w.shape, stride, padding, dilation)
        shape = (x.shape[0], w.shape[0], height, width)
        return cls.allocate(shape, np.promote_types(x.dtype, w.dtype), x.backend)

    @classmethod
    def conv_grad_input(
        cls, d: Any, w: Any, shape: tuple[int, ...],
        params: ConvParams,
    ) -> Any:  # fmt: skip
        """Derivative of `conv` with respect to an input of ``shape``, for the derivative ``d`` of its result."""
        if not isinstance(d, TensorData) or not isinstance(w, TensorData):
            return through_variables(lambda a, b: cls.conv_grad_input(a, b, shape, params), d, w)
        out = cls.allocate(shape, np.promote_types(d.dtype, w.dtype), d.backend)
        if out.size:
            cls.conv_grad_input_kernel(out, d, w, params)
        return out

    @classmethod
    def conv_grad_weight(
        cls, x: Any, d: Any, shape: tuple[int, ...],
        params: ConvParams,
    ) -> Any:  # fmt: skip
        """Derivative of `conv` with respect to a weight of ``shape``, for the derivative ``d`` of its result."""
        if not isinstance(x, TensorData) or not isinstance(d, TensorData):
            return through_variables(lambda a, b: cls.conv_grad_weight(a, b, shape, params), x, d)
        out = cls.allocate(shape, np.promote_types(x.dtype, d.dtype), x.backend)
        if out.size:
            cls.conv_grad_weight_kernel(out, x, d, params)
        return out

    @classmethod
    def pool(
        cls, x: TensorData, size: Pair,
        params: PoolParams,
    ) -> TensorData:  # fmt: skip
        """Largest (``kind`` "max") or average ("avg") element of ``size`` windows of images (N, C, H, W)."""
        out = cls.allocate((*x.shape[:2], *size), x.dtype, x.backend)
        if out.size:
            cls.pool_kernel(out, x, params)
        return out

    @classmethod
    def pool_grad(
        cls, x: TensorData, d: TensorData,
        params: PoolParams,
    ) -> TensorData:  # fmt: skip
        """Derivative of `pool` with respect to its input ``x``."""
        out = cls.allocate(x.shape, x.dtype, x.backend)
        if out.size:
            cls.pool_grad_kernel(out, x, d, params)
        return out
