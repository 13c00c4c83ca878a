"""Functions that arrange or accumulate elements along dimensions: broadcasting, padding, picking, running sums.

``forward`` and ``backward`` compute on TensorData through its backend ``a.f``. Orders of elements are settings: arrays
of NumPy, which are computed on the host. Running sums and products of others are computed there too.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ..autodiff import Context, Function
from ..runtime import shape_errors
from ..runtime.types import ConvParams, PoolParams
from ..tensor_data import IndexingError, TensorData, shape_broadcast


class Expand(Function):
    """``a`` broadcast to ``shape``: the same storage, read several times. The derivative is summed back."""

    @staticmethod
    def forward(ctx: Context, a: Any, shape: tuple[int, ...]) -> Any:
        if shape_broadcast(a.shape, shape) != shape:
            raise IndexingError(shape_errors.not_broadcast_into("expand: ", a.shape, shape))
        missing = len(shape) - a.dims
        strides = tuple(
            0 if k < missing or (a.shape[k - missing] == 1 and n != 1) else a.strides[k - missing]
            for k, n in enumerate(shape)
        )
        return TensorData.on(a._storage, shape, strides, math.prod(shape), a.backend)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        return d  # `unbroadcast` sums it


class Pad(Function):
    """``a`` with ``value`` around it: ``widths`` has the number of elements (before, after) of each dimension."""

    @staticmethod
    def forward(ctx: Context, a: Any, widths: tuple[tuple[int, int], ...], value: float = 0.0) -> Any:
        shape = tuple(n + before + after for n, (before, after) in zip(a.shape, widths))
        key = tuple(slice(before, before + n) for n, (before, _) in zip(a.shape, widths))
        ctx.save_for_backward(key)
        out = a.filled(value, shape)
        if a.size:
            a.f.id_map(a, out.window(key))
        return out

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        (key,) = ctx.saved_values
        return d.window(key).copy()


class Pick(Function):
    """Elements by their places in row-major order: the setting ``places``, an integer array, gives the shape.

    The derivative of an element is the sum over all places where it was picked.
    """

    @staticmethod
    def forward(ctx: Context, a: Any, places: npt.NDArray[np.int64]) -> Any:
        ctx.save_for_backward(places, a.shape)
        picked = a.f.take(a.contiguous().view(a.size, 1), places.reshape(-1))
        return picked.view(*places.shape)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        places, shape = ctx.saved_values
        rows = d.contiguous().view(d.size, 1)
        return d.f.take_grad(rows, places.reshape(-1), (math.prod(shape), 1)).view(*shape)


class AddAt(Function):
    """``a`` with the elements of ``b`` added at ``places``, an integer array of the shape of ``b``."""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any, places: npt.NDArray[np.int64]) -> Any:
        ctx.save_for_backward(places)
        rows = b.contiguous().view(b.size, 1)
        return a + a.f.take_grad(rows, places.reshape(-1), (a.size, 1)).view(*a.shape)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        (places,) = ctx.saved_values
        picked = d.f.take(d.contiguous().view(d.size, 1), places.reshape(-1)).view(*places.shape)
        return d, picked


class ReduceAt(Function):
    """``a`` with the elements of ``b`` reduced into it at ``places``; ``kind`` is "prod", "amax" or "amin".

    Equal largest, or smallest, elements share the derivative. That of a factor is the product of the others.
    """

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any, places: npt.NDArray[np.int64], kind: str) -> Any:
        x, y, at = np.array(a.host()), np.array(b.host()), places.reshape(-1)
        out = x.reshape(-1).copy()
        reduce: Any = {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}[kind]
        reduce.at(out, at, y.reshape(-1))
        ctx.save_for_backward(x, y, out, at, kind)
        return a.f.from_array(out.reshape(a.shape))

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        x, y, out, at, kind = ctx.saved_values
        first, rest, g = x.reshape(-1), y.reshape(-1), d.host().reshape(-1)
        if kind == "prod":  # of all factors but those that are 0, which are counted
            zeros = (first == 0).astype(np.int64)
            np.add.at(zeros, at, rest == 0)
            others = np.where(first == 0, 1, first)
            np.multiply.at(others, at, np.where(rest == 0, 1, rest))
            slopes = [
                np.where(z - (f == 0) == 0, p / np.where(f == 0, 1, f), 0)
                for f, z, p in ((first, zeros, others), (rest, zeros[at], others[at]))
            ]
        else:
            hits = (first == out).astype(x.dtype)
            np.add.at(hits, at, rest == out[at])
            slopes = [(first == out) / np.maximum(hits, 1), (rest == out[at]) / np.maximum(hits[at], 1)]
        found = (g * slopes[0]).reshape(x.shape), (g[at] * slopes[1]).reshape(y.shape)
        da, db = (d.f.from_array(np.asarray(v, d.dtype, order="C")) for v in found)
        return da, db


class CumSum(Function):
    """Running sum along ``dim``."""

    @staticmethod
    def forward(ctx: Context, a: Any, dim: int) -> Any:
        ctx.save_for_backward(dim)
        return a.f.from_array(np.cumsum(a.host(), dim, dtype=a.dtype))

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        (dim,) = ctx.saved_values
        return d.f.from_array(_from_the_end(np.cumsum, d.host(), dim))


class CumProd(Function):
    """Running product along ``dim``."""

    @staticmethod
    def forward(ctx: Context, a: Any, dim: int) -> Any:
        out = np.cumprod(a.host(), dim, dtype=a.dtype)
        ctx.save_for_backward(a, out, dim)
        return a.f.from_array(out)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        a, out, dim = ctx.saved_values
        x, g = a.host(), d.host()
        if np.all(x != 0):
            found = _from_the_end(np.cumsum, g * out, dim) / x
        else:  # without dividing: one running product for each place, in which its factor is left out
            x, g = np.moveaxis(x, dim, -1), np.moveaxis(g, dim, -1)
            places = np.arange(x.shape[-1])
            others = np.where(places == places[:, None], 1.0, x[..., None, :])
            later = np.cumprod(others, -1) * (places >= places[:, None])
            found = np.moveaxis((g[..., None, :] * later).sum(-1), -1, dim)
        return d.f.from_array(np.ascontiguousarray(found, d.dtype))


class LogCumSumExp(Function):
    """Logarithm of the running sum of ``e ** a`` along ``dim``."""

    @staticmethod
    def forward(ctx: Context, a: Any, dim: int) -> Any:
        out = np.logaddexp.accumulate(a.host(), dim, dtype=a.dtype)
        ctx.save_for_backward(a, out, dim)
        return a.f.from_array(out)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        a, out, dim = ctx.saved_values
        x, y, g = (np.moveaxis(v, dim, 0) for v in (a.host(), out, d.host()))
        found = np.empty(x.shape, x.dtype)
        later = np.zeros(
            x.shape[1:], x.dtype
        )  # of all places from k on, relative to e ** y[k], which rises with k
        for k in reversed(range(len(x))):
            shrunk = (
                np.exp(y[k] - y[k + 1], where=y[k] > -math.inf, out=np.zeros_like(later))
                if k + 1 < len(x)
                else 0
            )
            later = g[k] + later * shrunk
            found[k] = later * np.exp(x[k] - y[k], where=y[k] > -math.inf, out=np.zeros_like(later))
        return d.f.from_array(np.ascontiguousarray(np.moveaxis(found, 0, dim)))


class Prod(Function):
    """Product along ``dim``, which stays with size 1. The derivative of an element is the product of the others."""

    @staticmethod
    def forward(ctx: Context, a: Any, dim: int) -> Any:
        ctx.save_for_backward(a, dim)
        return a.f.mul_reduce(a, dim)

    @staticmethod
    def backward(ctx: Context, d: Any) -> Any:
        a, dim = ctx.saved_values
        x = a.host()
        first = np.ones_like(np.take(x, [0], dim))
        rest = np.take(x, range(x.shape[dim] - 1), dim), np.take(x, range(1, x.shape[dim]), dim)
        before = np.cumprod(np.concatenate([first, rest[0]], dim), dim)
        after = _from_the_end(np.cumprod, np.concatenate([rest[1], first], dim), dim)
        return d.f.mul_zip(d, d.f.from_array(before * after))


def _from_the_end(running: Any, x: npt.NDArray[Any], dim: int) -> npt.NDArray[Any]:
    return np.ascontiguousarray(np.flip(running(np.flip(x, dim), dim), dim), x.dtype)


class ConvTranspose(Function):
    """The derivative of a convolution for its input, as a function: images (N, O, H, W) to (N, C, H', W').

    Weights are those of the convolution, (O, C / groups, KH, KW); the setting ``size`` is (H', W').
    """

    @staticmethod
    def forward(ctx: Context, x: Any, w: Any, size: tuple[int, int], params: ConvParams) -> Any:
        ctx.save_for_backward(x, w, params)
        shape = (x.shape[0], w.shape[1] * params.groups, *size)
        return x.f.conv_grad_input(x, w, shape, params)

    @staticmethod
    def backward(ctx: Context, d: Any) -> tuple[Any, Any]:
        x, w, params = ctx.saved_values
        dx = d.f.conv(d, w, params) if ctx.needs(0) else 0.0
        return dx, d.f.conv_grad_weight(d, x, w.shape, params) if ctx.needs(1) else 0.0


def largest_places(images: npt.NDArray[Any], size: tuple[int, ...], params: PoolParams) -> npt.NDArray[Any]:
    """Return the number within its image of the largest element of each window, the first of equal ones.

    Args:
        images: (N, C, H, W).
        size: How many windows there are down and across, (H', W').
        params: Settings of the pooling.

    Returns:
        (N, C, H', W').
    """
    window, step, dilation = params.window, params.stride, params.dilation
    pads = params.padding[::2]
    padded = np.pad(images, ((0, 0), (0, 0), *((p, p + w * d) for p, w, d in zip(pads, window, dilation))),
                    constant_values=-np.inf)  # fmt: skip
    spans = [d * (w - 1) + 1 for w, d in zip(window, dilation)]
    cut = np.lib.stride_tricks.sliding_window_view(padded, spans, (2, 3))
    cut = cut[:, :, :: step[0], :: step[1], :: dilation[0], :: dilation[1]][:, :, : size[0], : size[1]]
    best = cut.reshape(*cut.shape[:4], -1).argmax(-1)
    rows = np.arange(size[0])[:, None] * step[0] - pads[0] + best // window[1] * dilation[0]
    cols = np.arange(size[1]) * step[1] - pads[1] + best % window[1] * dilation[1]
    numbers: npt.NDArray[Any] = rows * images.shape[3] + cols
    return numbers
