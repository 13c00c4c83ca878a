"""The part of the backend interface that convolves and pools.

It depends on `tensor_data` and `reference_conv`; `base.TensorOps` inherits `ConvOps`. Kernels write into a given
result and may be overridden by a backend; the defaults are the plain loops of `reference_conv`. The other methods are
the same for all backends: they check the operands, allocate the result, and call the kernel.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..runtime import shape_errors
from ..runtime.types import ConvParams, Fn, Pair, PoolParams, Shape
from ..tensor_data import IndexingError, TensorData
from . import reference_conv

MAX_PLANE = 2**31 - 1  # of a setting, and pixels of a padded image: so that no product of two overflows


def through_variables(fn: Fn, *values: Any) -> Any:
    """Call ``fn`` on the TensorData inside ``values``; the result has no history."""
    guide = next(v for v in values if v is not None and not isinstance(v, TensorData))
    raw = fn(*[v if v is None or isinstance(v, TensorData) else v._unwrap() for v in values])
    return guide._wrap(raw, None)


@functools.lru_cache(maxsize=4096)
def conv_shape(x: Shape, w: Shape, params: ConvParams) -> Shape:
    """Return the shape (N, O, H', W') of the convolution of images ``x`` with weights ``w``.

    Args:
        x: (N, C, H, W).
        w: (O, C / groups, KH, KW).
        params: Its settings.

    Raises:
        IndexingError: The shapes do not fit together, or the kernel is empty or larger than the padded input.
        ValueError: A setting is out of range.
    """
    stride, padding, dilation, groups = params
    if len(x) != 4 or len(w) != 4:
        raise IndexingError(f"conv2d: expected an input and a weight of 4 dimensions, got {x} and {w}")
    if min(w) < 1:
        raise IndexingError(f"conv2d: expected a weight without empty dimensions, got {w} (input {x})")
    if min(x[1:]) < 1:
        raise IndexingError(
            f"conv2d: expected an input that is empty in its batch at most, got {x} (weight {w})"
        )
    _require_range(
        "conv2d", stride=(1, stride), padding=(0, padding), dilation=(1, dilation), groups=(1, (groups,))
    )
    if x[1] % groups or w[0] % groups or x[1] // groups != w[1]:
        raise IndexingError(shape_errors.wrong_channels("conv2d", x, w, groups))
    spans = [dilation[k] * (w[2 + k] - 1) + 1 for k in (0, 1)]
    padded = [x[2] + padding[0] + padding[1], x[3] + padding[2] + padding[3]]
    if padded[0] * padded[1] > MAX_PLANE:
        raise IndexingError(
            f"conv2d: expected a padded input of at most {MAX_PLANE} pixels, got {padded[0]}x{padded[1]} "
            f"(input {x}, padding {padding})"
        )
    if spans[0] > padded[0] or spans[1] > padded[1]:
        raise IndexingError(
            f"conv2d: the kernel spans {spans[0]}x{spans[1]} elements, more than the padded input of "
            f"{padded[0]}x{padded[1]} (input {x}, weight {w})"
        )
    return x[0], w[0], (padded[0] - spans[0]) // stride[0] + 1, (padded[1] - spans[1]) // stride[1] + 1


@functools.lru_cache(maxsize=4096)
def require_windows(shape: Shape, size: Shape, params: PoolParams) -> None:
    """Check that ``size`` (H', W') windows of pooling start inside of images of ``shape`` (N, C, H, W).

    Raises:
        IndexingError: They do not.
        ValueError: A setting is out of range.
    """
    kind, window, stride, padding, dilation, _ = params
    if kind not in ("max", "avg"):
        raise ValueError(f'pooling: expected kind "max" or "avg", got {kind!r}')
    _require_range(
        "pooling", window=(1, window), stride=(1, stride), padding=(0, padding), dilation=(1, dilation)
    )
    if len(shape) != 4 or min(shape[2:]) < 1:
        raise IndexingError(f"pooling: expected images (N, C, H, W) of at least one pixel, got {shape}")
    if (shape[2] + sum(padding[:2])) * (shape[3] + sum(padding[2:])) > MAX_PLANE:
        raise IndexingError(
            f"pooling: expected padded images of at most {MAX_PLANE} pixels, got {shape}, {padding}"
        )
    for n, count, step, before in zip(shape[2:], size, stride, padding[::2], strict=True):
        if count < 1 or (count - 1) * step >= n + before:
            raise IndexingError(
                f"pooling: {size[0]}x{size[1]} windows {stride} apart do not start inside of images {shape} "
                f"(padding {padding})"
            )


def _require_range(op: str, **settings: tuple[int, Shape]) -> None:
    """Check settings ``name=(minimum, values)``."""
    for name, (minimum, values) in settings.items():
        if min(values) < minimum or max(values) > MAX_PLANE:
            raise ValueError(f"{op}: expected {name} from {minimum} to {MAX_PLANE}, got {values}")


class ConvOps:
    """Convolution and pooling of a backend."""

    # What `TensorOps` provides.
    allocate: Any
    require_same_backend: Any
    storage: Any

    # Kernels

    @classmethod
    def conv_kernel(cls, out: TensorData, x: TensorData, w: TensorData, params: ConvParams) -> None:
        """Cross-correlate images (N, C, H, W) with weights (O, C / groups, KH, KW) into (N, O, H', W')."""
        cls._by_loops(reference_conv.conv, out, x, w, params)

    @classmethod
    def conv_grad_input_kernel(
        cls, out: TensorData, d: TensorData, w: TensorData, params: ConvParams
    ) -> None:
        """Write the gradient of a convolution with respect to its input."""
        cls._by_loops(reference_conv.conv_grad_input, out, d, w, params)

    @classmethod
    def conv_grad_weight_kernel(
        cls, out: TensorData, x: TensorData, d: TensorData, params: ConvParams
    ) -> None:
        """Write the gradient of a convolution with respect to its weight."""
        cls._by_loops(reference_conv.conv_grad_weight, out, x, d, params)

    @classmethod
    def pool_kernel(cls, out: TensorData, x: TensorData, params: PoolParams) -> None:
        """Write the largest or average element of each window of images (N, C, H, W)."""
        cls._by_loops(reference_conv.pool, out, x, params)

    @classmethod
    def pool_grad_kernel(cls, out: TensorData, x: TensorData, d: TensorData, params: PoolParams) -> None:
        """Write the gradient of pooling with respect to its input; the first of equal maxima gets it."""
        cls._by_loops(reference_conv.pool_grad, out, x, d, params)

    @classmethod
    def _by_loops(cls, loops: Fn, out: TensorData, *operands: Any) -> None:
        result = np.empty(out.shape, out.dtype)
        with np.errstate(all="ignore"):
            loops(result, *[t.host() if isinstance(t, TensorData) else t for t in operands])
        out._storage = cls.storage(result.reshape(-1))

    # The same for all backends

    @classmethod
    def conv(cls, x: Any, w: Any, params: ConvParams) -> Any:
        """Cross-correlate images ``x`` (N, C, H, W) with weights ``w`` (O, C / groups, KH, KW).

        Raises:
            IndexingError: The shapes do not fit together.
        """
        if not isinstance(x, TensorData) or not isinstance(w, TensorData):
            return through_variables(lambda a, b: cls.conv(a, b, params), x, w)
        out = cls._result(conv_shape(x.shape, w.shape, params), x, w)
        if out.size:
            cls.conv_kernel(out, x, w, params)
        return out

    @classmethod
    def conv_grad_input(cls, d: Any, w: Any, shape: Shape, params: ConvParams) -> Any:
        """Return the gradient of `conv` with respect to an input of ``shape``, for the output gradient ``d``.

        Raises:
            IndexingError: ``d`` has not the shape of the output.
        """
        if not isinstance(d, TensorData) or not isinstance(w, TensorData):
            return through_variables(lambda a, b: cls.conv_grad_input(a, b, shape, params), d, w)
        _require_output("conv2d", conv_shape(shape, w.shape, params), d)
        out = cls._result(shape, d, w)
        if out.size:
            cls.conv_grad_input_kernel(out, d, w, params)
        return out

    @classmethod
    def conv_grad_weight(cls, x: Any, d: Any, shape: Shape, params: ConvParams) -> Any:
        """Return the gradient of `conv` with respect to a weight of ``shape``, for the output gradient ``d``.

        Raises:
            IndexingError: ``d`` has not the shape of the output.
        """
        if not isinstance(x, TensorData) or not isinstance(d, TensorData):
            return through_variables(lambda a, b: cls.conv_grad_weight(a, b, shape, params), x, d)
        _require_output("conv2d", conv_shape(x.shape, shape, params), d)
        if not x.size:
            return x.f.full(shape, 0.0, np.promote_types(x.dtype, d.dtype))
        out = cls._result(shape, x, d)
        if out.size:
            cls.conv_grad_weight_kernel(out, x, d, params)
        return out

    @classmethod
    def pool(cls, x: TensorData, size: Pair, params: PoolParams) -> TensorData:
        """Return the largest or average element of ``size`` (H', W') windows of images ``x`` (N, C, H, W).

        Raises:
            IndexingError: The windows do not start inside of the images.
        """
        require_windows(x.shape, size, params)
        out = cls.allocate((*x.shape[:2], *size), x.dtype, x.backend)
        if out.size:
            cls.pool_kernel(out, x, params)
        return out

    @classmethod
    def pool_grad(cls, x: TensorData, d: TensorData, params: PoolParams) -> TensorData:
        """Return the gradient of `pool` with respect to its input ``x``, for the output gradient ``d``.

        Raises:
            IndexingError: ``d`` has not the shape of an output.
        """
        if d.dims != 4 or d.shape[:2] != x.shape[:2]:
            raise IndexingError(
                f"gradient of pooling: expected an output gradient (N, C, H', W') for input {x.shape}, got {d.shape}"
            )
        require_windows(x.shape, d.shape[2:], params)
        if x.backend is not d.backend:
            cls.require_same_backend(x, d)
        out = cls.allocate(x.shape, x.dtype, x.backend)
        if out.size:
            cls.pool_grad_kernel(out, x, d, params)
        return out

    @classmethod
    def _result(cls, shape: Shape, a: TensorData, b: TensorData) -> TensorData:
        """Allocate a result of the promoted dtype of two operands of this backend."""
        if a.backend is not b.backend:
            cls.require_same_backend(a, b)
        dtype = a.dtype if a.dtype == b.dtype else np.promote_types(a.dtype, b.dtype)
        out: TensorData = cls.allocate(shape, dtype, a.backend)
        return out


def _require_output(op: str, shape: Shape, d: TensorData) -> None:
    if d.shape != shape:
        raise IndexingError(f"gradient of {op}: expected an output gradient of shape {shape}, got {d.shape}")
