"""Functions of functions: convolution, pooling, softmax, dropout."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..runtime import rng
from ..runtime.types import ConvParams, Padding, Pair, PoolParams
from ..tensor import Tensor
from ..tensor_data import IndexingError
from ..tensor_functions.fused import Affine, ConvActivation, Drop
from ..tensor_functions.nn import Conv, Conv1dFun, Conv2dFun, LogSoftmax, Pool, Softmax


def pair(value: Any, what: str, least: int = 1, length: int = 2) -> Pair:
    """Return ``value`` (an int, or as many ints as there are dimensions) as a pair for height and width.

    Raises:
        ValueError: A number is below ``least``.
        TypeError: It is neither.
    """
    if length == 2 and type(value) is int and value >= least:
        return value, value
    values = (value,) * length if isinstance(value, int) else value
    if (
        not isinstance(values, Sequence)
        or len(values) != length
        or any(not isinstance(v, int) for v in values)
    ):
        raise TypeError(f"{what} must be an int or {length} of them, not {value!r}")
    if any(v < least for v in values):
        raise ValueError(f"{what} must be at least {least}, not {value!r}")
    return (1 if least else 0, values[0]) if length == 1 else (values[0], values[1])


def _padding(padding: Any, kernel: Pair, stride: Pair, dilation: Pair, dims: int) -> Padding:
    spans = [d * (k - 1) for d, k in zip(dilation, kernel)]
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "anchored":
        return 0, spans[0], 0, spans[1]
    if padding == "same":
        if stride != (1, 1):
            raise ValueError(f'padding "same" needs stride 1, not {stride}')
        return spans[0] // 2, spans[0] - spans[0] // 2, spans[1] // 2, spans[1] - spans[1] // 2
    if isinstance(padding, str):
        raise ValueError(f'unknown padding {padding!r}: expected numbers, "valid", "same" or "anchored"')
    high, wide = pair(padding, "padding", 0, dims)
    return high, high, wide, wide


@functools.lru_cache(maxsize=512)
def _conv_params(
    stride: Any, padding: Any, dilation: Any, groups: int, kernel: Pair, dims: int
) -> ConvParams:
    if groups < 1:
        raise ValueError(f"groups must be at least 1, not {groups}")
    strides, dilations = pair(stride, "stride", 1, dims), pair(dilation, "dilation", 1, dims)
    pads = _padding(0 if padding is None else padding, kernel, strides, dilations, dims)
    return ConvParams(strides, pads, dilations, groups)


def conv_params(stride: Any, padding: Any, dilation: Any, groups: int, kernel: Pair, dims: int) -> ConvParams:
    """Return the settings of a convolution in full: numbers, pairs and words become pairs and four paddings.

    Args:
        stride: An int, or one for each dimension.
        padding: An int, one for each dimension, "valid", "same" or "anchored"; None means 0.
        dilation: An int, or one for each dimension.
        groups: Parts of the channels that are convolved separately.
        kernel: Height and width of the window.
        dims: 1 or 2 spatial dimensions.

    Raises:
        ValueError: A number is out of range, or a word unknown.
        TypeError: A setting is neither a number nor one number for each dimension.
    """
    given = (tuple(s) if isinstance(s, list) else s for s in (stride, padding, dilation))
    return _conv_params(*given, groups, kernel, dims)


def _conv(
    x: Tensor,
    w: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    activation: str,
    dims: int,
) -> Tensor:
    params = conv_params(stride, padding, dilation, groups, (w.shape[-2], w.shape[-1]), dims)
    if bias is not None and bias.shape != (w.shape[0],):
        raise IndexingError(f"bias {bias.shape} does not fit weight {w.shape}: expected ({w.shape[0]},)")
    if bias is not None:
        return ConvActivation.apply(x, w, bias, activation=activation, params=params)
    out: Tensor = Conv.apply(x, w, params=params)
    return activated(out, activation)


def _plain(*settings: Any) -> bool:
    """Tell whether all settings are 1, or 1 for each dimension."""
    return all(setting in (1, (1,), (1, 1), [1], [1, 1]) for setting in settings)


def activated(x: Tensor, activation: str) -> Tensor:
    """Return ``x`` after the activation named ``activation``: "none" or "relu"."""
    return x.relu() if activation == "relu" else x


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, activation: str = "none") -> Tensor:
    """Return ``x @ weight.T + bias``, activated.

    Args:
        x: (N, K).
        weight: (M, K).
        bias: (M,).
        activation: "none" or "relu".
    """
    if bias is not None:
        return Affine.apply(x, weight, bias, activation=activation)
    return activated(x @ weight.permute(1, 0), activation)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Pair = 1,
    padding: Any = None,
    dilation: int | Pair = 1,
    groups: int = 1,
    *,
    activation: str = "none",
) -> Tensor:
    """Cross-correlate images with a weight.

    Args:
        input: (N, C, H, W).
        weight: (O, C / groups, KH, KW).
        bias: (O,).
        stride: Step of the window; an int or a pair, as ``padding`` and ``dilation`` are.
        padding: Zeros on each side; or "valid" (none), "same" (as large as the input, the odd element right and
            bottom), or "anchored" (``dilation * (K - 1)`` zeros at the right and bottom only, as in the course).
            None means "anchored" when everything else is at its default, else 0.
        dilation: Distance of the window's elements.
        groups: Into how many independent parts the channels are split.
        activation: The activation that follows: "none" or "relu".

    Returns:
        (N, O, H', W') with ``H' = (H + padding - dilation * (KH - 1) - 1) // stride + 1``.

    Raises:
        IndexingError: The shapes do not fit, or the kernel is larger than the padded input.
        ValueError: A setting is out of range.
    """
    if padding is None and bias is None and _plain(stride, dilation, groups):
        return activated(Conv2dFun.apply(input, weight), activation)
    if input.dims != 4 or weight.dims != 4:
        raise IndexingError(
            f"conv2d needs an input and a weight of 4 dimensions, not {input.shape}, {weight.shape}"
        )
    return _conv(input, weight, bias, stride, padding, dilation, groups, activation, 2)


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: Any = None,
    dilation: int = 1,
    groups: int = 1,
    *,
    activation: str = "none",
) -> Tensor:
    """Cross-correlate rows (N, C, W) with a weight (O, C / groups, K); see `conv2d`."""
    input.f.ops.require_same_backend(input._tensor, weight._tensor)
    if padding is None and bias is None and _plain(stride, dilation, groups):
        return activated(Conv1dFun.apply(input, weight), activation)
    if input.dims != 3 or weight.dims != 3:
        raise IndexingError(
            f"conv1d needs an input and a weight of 3 dimensions, not {input.shape}, {weight.shape}"
        )
    return _flat(_conv(_tall(input), _tall(weight), bias, stride, padding, dilation, groups, activation, 1))


def _tall(x: Tensor) -> Tensor:
    """View rows (N, C, W) as images (N, C, 1, W)."""
    return x.reshape(*x.shape[:2], 1, x.shape[2])


def _flat(x: Tensor) -> Tensor:
    """View images (N, C, 1, W) as rows (N, C, W)."""
    return x.reshape(*x.shape[:2], x.shape[3])


def _images(input: Tensor) -> None:
    if input.dims != 4:
        raise IndexingError(f"pooling needs images (N, C, H, W), not shape {input.shape}")


def _tiles(input: Tensor, kernel: Pair) -> Pair:
    _images(input)
    kh, kw = pair(kernel, "kernel")
    height, width = input.shape[2:]
    if height % kh or width % kw:
        raise IndexingError(
            f"windows of {kh}x{kw} do not tile images of {height}x{width} (shape {input.shape})"
        )
    return height // kh, width // kw


def tile(input: Tensor, kernel: Pair) -> tuple[Tensor, int, int]:
    """Cut images into windows.

    Args:
        input: (N, C, H, W).
        kernel: Height and width of a window, which must divide H and W.

    Returns:
        The windows, (N, C, H / kh, W / kw, kh * kw), elements row by row; and how many there are down and across.
    """
    rows, cols = _tiles(input, kernel)
    kh, kw = pair(kernel, "kernel")
    batch, channels = input.shape[:2]
    windows = input.contiguous().view(batch, channels, rows, kh, cols, kw).permute(0, 1, 2, 4, 3, 5)
    return windows.contiguous().view(batch, channels, rows, cols, kh * kw), rows, cols


@functools.lru_cache(maxsize=512)
def _windows(
    shape: tuple[int, ...], window: Pair, strides: Pair, pads: Pair, dilations: Pair, ceil_mode: bool
) -> Pair:
    """Return how many windows fit images of ``shape``, down and across."""
    if any(2 * p > k for p, k in zip(pads, window)):
        raise ValueError(f"padding {pads} must be at most half the kernel {window}")
    size = []
    for n, k, s, p, d in zip(shape[2:], window, strides, pads, dilations):
        span = n + 2 * p - d * (k - 1) - 1
        if span < 0:
            raise IndexingError(f"the window {window} is larger than the padded images of shape {shape}")
        steps = -(-span // s) if ceil_mode else span // s
        # A window must start inside the image or its left padding.
        size.append(steps + 1 - (ceil_mode and steps * s >= n + p))
    return size[0], size[1]


def _pool(
    input: Tensor,
    kind: str,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    count: bool,
) -> Tensor:
    _images(input)
    window = pair(kernel, "kernel")
    strides = window if stride is None else pair(stride, "stride")
    pads, dilations = pair(padding, "padding", 0), pair(dilation, "dilation")
    size = _windows(input.shape, window, strides, pads, dilations, ceil_mode)
    params = PoolParams(kind, window, strides, (pads[0], pads[0], pads[1], pads[1]), dilations, count)
    return Pool.apply(input, size=size, params=params)


def avgpool2d(
    input: Tensor,
    kernel: int | Pair,
    stride: int | Pair | None = None,
    padding: int | Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Average each window of images (N, C, H, W).

    With ``kernel`` alone the windows tile the images and must divide them. Any other setting gives PyTorch's rule:
    the stride defaults to the kernel and a remainder is dropped (or kept, with ``ceil_mode``).

    Raises:
        IndexingError: The windows do not tile, or are larger than the padded images.
        ValueError: A setting is out of range; padding is at most half the kernel.
    """
    if stride is None and padding == 0 and not ceil_mode and count_include_pad:
        _tiles(input, kernel)  # type: ignore[arg-type]
    return _pool(input, "avg", kernel, stride, padding, 1, ceil_mode, count_include_pad)


def maxpool2d(
    input: Tensor,
    kernel: int | Pair,
    stride: int | Pair | None = None,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """Take the largest element of each window of images (N, C, H, W); the first of equals gets the derivative.

    Settings and errors as for `avgpool2d`; padding never wins.
    """
    if stride is None and padding == 0 and dilation == 1 and not ceil_mode:
        _tiles(input, kernel)  # type: ignore[arg-type]
    return _pool(input, "max", kernel, stride, padding, dilation, ceil_mode, True)


def adaptive_avgpool2d(input: Tensor, output_size: int | Pair) -> Tensor:
    """Average images (N, C, H, W) down to ``output_size``.

    Window i of m along an axis of n elements spans ``i * n // m`` to ``ceil((i + 1) * n / m)``.
    """
    _images(input)
    rows, cols = pair(output_size, "output_size")
    height, width = input.shape[2:]
    if height % rows == 0 and width % cols == 0:
        return avgpool2d(input, (height // rows, width // cols))
    down, across = (
        Tensor(input.f.from_array(_shares(n, m).astype(input.dtype)))
        for n, m in ((height, rows), (width, cols))
    )
    batch, channels = input.shape[:2]
    averaged = input.reshape(batch * channels * height, width) @ across
    columns = averaged.view(batch * channels, height, cols).permute(0, 2, 1)
    out = columns.reshape(batch * channels * cols, height) @ down
    return out.view(batch * channels, cols, rows).permute(0, 2, 1).reshape(batch, channels, rows, cols)


def _shares(n: int, m: int) -> npt.NDArray[np.float64]:
    """Return the (n, m) matrix of averages over m windows of n elements."""
    shares = np.zeros((n, m))
    for i in range(m):
        low, high = i * n // m, -(-(i + 1) * n // m)
        shares[low:high, i] = 1 / (high - low)
    return shares


def max(input: Tensor, dim: int) -> Tensor:
    """Take the largest element along ``dim``, which stays with size 1; all of several equal ones get the derivative."""
    return input.max(dim)


def max_reduce(input: Tensor, dim: int) -> Tensor:
    """Take the largest element along ``dim`` without recording it."""
    return input.detach().max(dim)


def argmax(input: Tensor, dim: int) -> Tensor:
    """Return 1.0 where a element is the largest along ``dim``, else 0.0; ties give several ones."""
    plain = input.detach()
    return plain == plain.max(dim)


def softmax(input: Tensor, dim: int) -> Tensor:
    """Return ``e ** x / sum(e ** x)`` along ``dim``."""
    return Softmax.apply(input, dim=dim)


def logsoftmax(input: Tensor, dim: int) -> Tensor:
    """Return ``x - ln(sum(e ** x))`` along ``dim``."""
    return LogSoftmax.apply(input, dim=dim)


def dropout(input: Tensor, rate: float, ignore: bool = False, *, scale: bool = False) -> Tensor:
    """Set random elements to 0.

    Args:
        input: Any tensor.
        rate: The chance of each element to be dropped; 0 gives the input itself, 1 zeros.
        ignore: Give the input itself (as in evaluation).
        scale: Divide the kept elements by ``1 - rate``, so that the mean stays.

    Raises:
        ValueError: ``rate`` is outside [0, 1].
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"the dropout rate must be between 0 and 1, not {rate}")
    if ignore or rate == 0:
        return input
    return Drop.apply(input, key=rng.new_key, rate=rate, scale=scale)
