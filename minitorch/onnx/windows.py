"""ONNX operators with windows: convolution and pooling of images (N, C, H, W) and of rows (N, C, W)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..runtime.types import ConvParams, Pair, PoolParams
from ..tensor import Tensor
from ..tensor_data import IndexingError
from ..tensor_functions.fused import ConvActivation
from ..tensor_functions.nn import Conv, Pool
from .calls import Call, Operator
from .errors import LoadError

LARGEST = 1 << 16  # a window, a step, a distance or a padding
_COMMON: dict[str, Any] = {
    "auto_pad": "NOTSET",
    "dilations": (),
    "kernel_shape": (),
    "pads": (),
    "strides": (),
}


def _sizes(call: Call, name: str, count: int, default: int, least: int) -> list[int]:
    """Return an attribute of one number for each axis (or side)."""
    values = list(call.setting(name)) or [default] * count
    if len(values) != count or min(values) < least or max(values) > LARGEST:
        raise LoadError(f"expected {name} of {count} numbers from {least} to {LARGEST}, got {values}")
    return values


def _pads(
    call: Call, sizes: Sequence[int], window: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> list[tuple[int, int]]:
    """Return the padding (begin, end) of each axis."""
    kind, count = call.setting("auto_pad"), len(sizes)
    if kind == "NOTSET":
        pads = _sizes(call, "pads", 2 * count, 0, 0)
        return list(zip(pads[:count], pads[count:]))
    if kind == "VALID":
        return [(0, 0)] * count
    if kind not in ("SAME_UPPER", "SAME_LOWER"):
        raise LoadError(f"expected auto_pad NOTSET, VALID, SAME_UPPER or SAME_LOWER, got {kind!r}")
    found = []
    for n, k, s, d in zip(sizes, window, strides, dilations):
        total = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
        odd = (total + 1) // 2
        found.append((total - odd, odd) if kind == "SAME_UPPER" else (odd, total - odd))
    return found


def _images(x: Tensor) -> Tensor:
    """Return images as they are, and rows as images of height 1."""
    if x.dims not in (3, 4):
        raise IndexingError(f"expected images (N, C, H, W) or rows (N, C, W), got shape {x.shape}")
    return x if x.dims == 4 else x.contiguous().view(x.shape[0], x.shape[1], 1, x.shape[2])


def _like(out: Any, x: Tensor) -> Any:
    """Return images as rows again where the input is rows."""
    return out if x.dims == 4 else out.contiguous().view(out.shape[0], out.shape[1], out.shape[3])


def _two(values: Sequence[int], filler: int) -> Pair:
    return (filler, values[0]) if len(values) == 1 else (values[0], values[1])


def _four(pads: Sequence[tuple[int, int]]) -> tuple[int, int, int, int]:
    top, left = [(0, 0), *pads][-2:]
    return (*top, *left)


def _conv(call: Call) -> Any:
    x, w = call.tensor(0), call.tensor(1)
    if w.dims != x.dims:
        raise IndexingError(f"expected a weight of {x.dims} dimensions, got {w.shape}")
    window, axes = w.shape[2:], x.dims - 2
    images, weight = _images(x), _images(w)
    if call.setting("kernel_shape") and tuple(call.setting("kernel_shape")) != window:
        raise LoadError(f"expected kernel_shape {window}, got {call.setting('kernel_shape')}")
    strides, dilations = _sizes(call, "strides", axes, 1, 1), _sizes(call, "dilations", axes, 1, 1)
    pads = _pads(call, x.shape[2:], window, strides, dilations)
    groups = call.setting("group")
    if not 1 <= groups <= LARGEST:
        raise LoadError(f"expected a group of at least 1, got {groups}")
    params = ConvParams(_two(strides, 1), _four(pads), _two(dilations, 1), groups)
    if not call.has(2):
        return _like(Conv.apply(images, weight, params=params), x)
    bias = call.tensor(2)
    if bias.shape != (w.shape[0],):
        raise IndexingError(f"expected a bias ({w.shape[0]},), got {bias.shape}")
    return _like(ConvActivation.apply(images, weight, bias, activation="none", params=params), x)


def _pool(kind: str, call: Call) -> Any:
    x = call.tensor()
    images, axes = _images(x), x.dims - 2
    window = _sizes(call, "kernel_shape", axes, 0, 1)
    strides, dilations = _sizes(call, "strides", axes, 1, 1), _sizes(call, "dilations", axes, 1, 1)
    pads = _pads(call, x.shape[2:], window, strides, dilations)
    up = bool(call.setting("ceil_mode"))
    if kind == "max" and call.setting("storage_order"):
        raise LoadError("expected storage_order 0, got 1")
    sizes = [
        _windows(n, k, s, p, d, up) for n, k, s, p, d in zip(x.shape[2:], window, strides, pads, dilations)
    ]
    params = PoolParams(
        kind,
        _two(window, 1),
        _two(strides, 1),
        _four(pads),
        _two(dilations, 1),
        kind == "max" or bool(call.setting("count_include_pad")),
    )
    return _like(Pool.apply(images, size=_two(sizes, 1), params=params), x)


def _windows(n: int, k: int, s: int, pad: tuple[int, int], d: int, up: bool) -> int:
    """Return how many windows there are along an axis; none starts in the padding at its end."""
    begin, end = pad
    span = n + begin + end - d * (k - 1) - 1
    if n < 1 or max(begin, end) >= d * (k - 1) + 1 or span < 0:
        raise IndexingError(f"expected a window that fits {n} elements with padding {pad}, got {k}")
    if not up:
        return span // s + 1
    steps = -(-span // s)
    return steps + 1 - (steps * s >= n + begin)


def _over_all(kind: str, call: Call) -> Any:
    x = call.tensor()
    images = _images(x)
    height, width = images.shape[2:]
    if min(height, width) < 1:
        raise IndexingError(f"expected at least one row and column, got shape {x.shape}")
    params = PoolParams(kind, (height, width), (1, 1), (0, 0, 0, 0))
    return _like(Pool.apply(images, size=(1, 1), params=params), x)


conv = Operator(_conv, 2, 3, {**_COMMON, "group": 1})
max_pool = Operator(lambda call: _pool("max", call), settings={**_COMMON, "ceil_mode": 0, "storage_order": 0})
average_pool = Operator(
    lambda call: _pool("avg", call), settings={**_COMMON, "ceil_mode": 0, "count_include_pad": 0}
)
global_max_pool = Operator(lambda call: _over_all("max", call))
global_average_pool = Operator(lambda call: _over_all("avg", call))
