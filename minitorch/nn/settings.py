"""Settings of convolution and pooling in full: an int, a pair or a word becomes pairs, four paddings and a size.

Depends on `minitorch.runtime.types`; `minitorch.nn.functional` and the layers use it. Results are kept, because a
network asks for the same ones at each step.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from ..runtime.types import ConvParams, Padding, Pair, Shape
from ..tensor_data import IndexingError, whole_number

MAX_SETTING = 2**31 - 1  # so that products of a setting and a place in an image do not overflow
Size: TypeAlias = int | tuple[int, int]  # one int for height and width, or (height, width)


def pair(value: Any, name: str, minimum: int = 1, dims: int = 2) -> Pair:
    """Return a setting as the pair (height, width).

    Args:
        value: An int, or one int for each spatial dimension.
        name: Name of the setting, for messages.
        minimum: The smallest number allowed.
        dims: 1 or 2 spatial dimensions. With 1, the height is the neutral one: 1, or 0 where ``minimum`` is 0.

    Raises:
        ValueError: A number is below ``minimum``, or above `MAX_SETTING`.
        TypeError: ``value`` is neither an int (Python's or NumPy's) nor as many ints as there are dimensions.
    """
    if dims == 2 and type(value) is int and minimum <= value <= MAX_SETTING:
        return value, value
    given = value if isinstance(value, Sequence) else (value,) * dims
    try:
        values = tuple(map(operator.index, given))
    except TypeError:
        values = ()
    if len(values) != dims:
        raise TypeError(f"{name}: expected an int{' or two' if dims == 2 else ''}, got {value!r}")
    if min(values) < minimum:
        raise ValueError(f"{name}: expected at least {minimum}, got {value!r}")
    if max(values) > MAX_SETTING:
        raise ValueError(f"{name}: expected at most {MAX_SETTING}, got {value!r}")
    return (1 if minimum else 0, values[0]) if dims == 1 else (values[0], values[1])


def layer_size(layer: str, name: str, value: Any, minimum: int = 1) -> int:
    """Return a size of a layer as a plain int.

    Raises:
        ValueError: It is below ``minimum``.
        TypeError: It is not an int.
    """
    count = whole_number(layer, name, value)
    if count < minimum:
        raise ValueError(f"{layer}: expected {name} of at least {minimum}, got {count}")
    return count


def require_number(op: str, name: str, value: Any) -> None:
    """Check that a setting is a number of Python or NumPy.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, int | float | np.floating | np.integer):
        raise TypeError(f"{op}: expected a number as {name}, got {value!r}")


def number(op: str, name: str, value: Any, minimum: float = -math.inf, maximum: float = math.inf) -> float:
    """Return a setting that is a number of Python or NumPy, as it is.

    Raises:
        ValueError: It is nan, below ``minimum`` or above ``maximum``.
        TypeError: It is not a number.
    """
    require_number(op, name, value)
    if not minimum <= value <= maximum:
        raise ValueError(f"{op}: expected {name} between {minimum} and {maximum}, got {value}")
    return value


def flag(op: str, name: str, value: Any) -> bool:
    """Return a setting that is True or False.

    Raises:
        TypeError: It is neither.
    """
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{op}: expected True or False as {name}, got {value!r}")
    return bool(value)


def conv_params(stride: Any, padding: Any, dilation: Any, groups: int, kernel: Pair, dims: int) -> ConvParams:
    """Return the settings of a convolution in full.

    Args:
        stride: An int, or one for each dimension.
        padding: An int, one for each dimension, "valid", "same" or "anchored"; None means 0.
        dilation: An int, or one for each dimension.
        groups: Parts of the channels that are convolved separately; an int.
        kernel: Height and width of the window.
        dims: 1 or 2 spatial dimensions.

    Raises:
        ValueError: A number is out of range, or a word unknown.
        TypeError: A setting is neither a number nor one number for each dimension.
    """
    given = tuple(tuple(s) if isinstance(s, list) else s for s in (stride, padding, dilation))
    try:
        hash(given)
    except TypeError:  # of no use as a setting, which the function itself says
        return _conv_params.__wrapped__(*given, groups, kernel, dims)
    return _conv_params(*given, groups, kernel, dims)


@functools.lru_cache(maxsize=512, typed=True)  # 1.0 is no 1
def _conv_params(
    stride: Any, padding: Any, dilation: Any, groups: int, kernel: Pair, dims: int
) -> ConvParams:
    if not 1 <= groups <= MAX_SETTING:
        raise ValueError(f"groups: expected at least 1 and at most {MAX_SETTING}, got {groups}")
    strides, dilations = pair(stride, "stride", 1, dims), pair(dilation, "dilation", 1, dims)
    pads = _padding(0 if padding is None else padding, kernel, strides, dilations, dims)
    return ConvParams(strides, pads, dilations, groups)


def _padding(padding: Any, kernel: Pair, stride: Pair, dilation: Pair, dims: int) -> Padding:
    """Return the zeros at top, bottom, left and right."""
    # How far a dilated window reaches beyond its first element.
    down, across = (d * (k - 1) for d, k in zip(dilation, kernel))
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "anchored":
        return 0, down, 0, across
    if padding == "same":
        if stride != (1, 1):
            raise ValueError(f'padding "same": expected stride 1, got {stride}')
        return down // 2, down - down // 2, across // 2, across - across // 2
    if isinstance(padding, str):
        raise ValueError(f'padding: expected numbers, "valid", "same" or "anchored", got {padding!r}')
    height, width = pair(padding, "padding", 0, dims)
    return height, height, width, width


def is_default(*settings: Any) -> bool:
    """Tell whether all settings are 1, or 1 for each dimension."""
    listed = [list(s) if isinstance(s, tuple | list) else [s] for s in settings]
    return all(
        len(s) in (1, 2) and all(isinstance(n, int | np.integer) and n == 1 for n in s) for s in listed
    )


@functools.lru_cache(maxsize=512)
def pooled_size(
    shape: Shape, window: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool
) -> Pair:
    """Return how many windows fit images (N, C, H, W) of ``shape``, down and across.

    ``(n + 2 * padding - dilation * (window - 1) - 1) / stride + 1`` per axis, rounded down; with ``ceil_mode`` up, but
    no window starts in the padding at the right or at the bottom. The last window may reach beyond the images then, so
    they may be smaller than a window.

    Raises:
        ValueError: The padding is more than half the window.
        IndexingError: The window is larger than the padded images, or these have no rows or columns.
    """
    if min(shape[2:]) < 1:
        raise IndexingError(f"pooling: expected images of at least one row and column, got input {shape}")
    if any(2 * p > k for p, k in zip(padding, window)):
        raise ValueError(f"padding: expected at most half the kernel {window}, got {padding}")
    sizes = []
    for n, k, s, p, d in zip(shape[2:], window, stride, padding, dilation):
        span = n + 2 * p - d * (k - 1) - 1
        if (span + s - 1 if ceil_mode else span) < 0:
            raise IndexingError(
                f"pooling: the window {window} is larger than the padded images (input {shape}, padding {padding})"
            )
        steps = -(-span // s) if ceil_mode else span // s
        sizes.append(steps + 1 - (ceil_mode and steps * s >= n + p))
    return sizes[0], sizes[1]
