"""Functions of tensors that layers are made of: linear map, convolution, pooling, softmax, dropout.

Depends on the differentiable functions of `minitorch.tensor_functions` and on `minitorch.nn.settings`. N is the batch,
C the input channels, O the output channels, H and W height and width, K the kernel.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..runtime import rng
from ..runtime.types import Pair, PoolParams
from ..tensor import Tensor
from ..tensor_data import IndexingError, whole_number
from ..tensor_functions.elementwise import Weigh
from ..tensor_functions.fused import Affine, ConvActivation, Drop
from ..tensor_functions.math import ACTIVATED
from ..tensor_functions.nn import Conv, Conv1dFun, Conv2dFun, LogSoftmax, Pool, Softmax, Take, require_images
from ..tensor_ops.activations import ACTIVATIONS
from .settings import conv_params, flag, is_default, number, pair, pooled_size


def require_activation(op: str, activation: str) -> None:
    """Check the setting ``act`` of the layer or function ``op``.

    Raises:
        ValueError: No activation has this name.
    """
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        known = " or ".join(f'"{name}"' for name in ACTIVATIONS)
        raise ValueError(f"{op}: expected act {known}, got {activation!r}; apply others to the result")


def require_tensor(op: str, x: Any, what: str = "an input") -> None:
    """Check that an operand of the layer or function ``op`` is a Tensor.

    Raises:
        TypeError: It is something else.
    """
    if not isinstance(x, Tensor):
        raise TypeError(
            f"{op}: expected {what} that is a Tensor, got {type(x).__name__}; wrap arrays and lists with "
            "minitorch.tensor, take the value of a Parameter"
        )


def as_parameters(layer: str, x: Tensor, parameter: Tensor) -> Tensor:
    """Return the input of ``layer`` in the dtype of its parameters: a float32 network computes in float32.

    Raises:
        TypeError: It is no Tensor.
    """
    require_tensor(layer, x)
    return x if x.dtype == parameter.dtype else x.astype(parameter.dtype)


def activated(x: Tensor, activation: str) -> Tensor:
    """Return ``x`` after the activation named ``activation``, one of `ACTIVATIONS`."""
    return x if activation == "none" else ACTIVATED[activation].apply(x)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, act: str = "none") -> Tensor:
    """Return ``x @ weight.T + bias``, activated.

    Args:
        x: (N, in).
        weight: (out, in).
        bias: (out,), or None (default).
        act: The activation that follows: "none" (default), "relu" or "relu6".

    Returns:
        (N, out).

    Raises:
        ValueError: ``act`` is another word.
        TypeError: An operand is no Tensor.
    """
    require_activation("linear", act)
    _require_operands("linear", x, weight, bias)
    if bias is not None:
        return Affine.apply(x, weight, bias, activation=act)
    return activated(x @ weight.permute(1, 0), act)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Pair = 1,
    padding: Any = None,
    dilation: int | Pair = 1,
    groups: int = 1,
    *,
    act: str = "none",
) -> Tensor:
    """Cross-correlate images with a weight.

    ``out[n, o, y, x] = bias[o] + sum over c, i, j of input[n, c, y * stride + i * dilation, x * stride + j * dilation]
    * weight[o, c, i, j]``, where the input begins with its padding and ``c`` runs over the channels of o's group.

    Args:
        input: (N, C, H, W).
        weight: (O, C / groups, KH, KW).
        bias: (O,), or None (default).
        stride: Step of the window, by default 1; an int or a pair (vertical, horizontal), as ``padding`` and
            ``dilation`` are.
        padding: Zeros on each side; or "valid" (none), "same" (as large as the input, the odd zero right and bottom),
            or "anchored" (``dilation * (K - 1)`` zeros at the right and bottom only, as in the course). None (default)
            means "anchored" when everything else is at its default, else 0.
        dilation: Distance of the window's elements, by default 1.
        groups: Into how many independent parts the channels are split, by default 1.
        act: The activation that follows: "none" (default), "relu" or "relu6".

    Returns:
        (N, O, H', W') with ``H' = (H + padding - dilation * (KH - 1) - 1) // stride + 1``, W' alike; ``padding`` counts
        the zeros of both sides.

    Raises:
        IndexingError: The shapes do not fit, or the kernel is larger than the padded input.
        ValueError: A setting is out of range.
        TypeError: A setting is neither an int nor a pair, or an operand is no Tensor.
    """
    require_activation("conv2d", act)
    _require_operands("conv2d", input, weight, bias)
    groups = whole_number("conv2d", "groups", groups)
    if padding is None and bias is None and is_default(stride, dilation, groups):
        return activated(Conv2dFun.apply(input, weight), act)
    require_images("conv2d", input, weight, 4)
    return _conv(input, weight, bias, stride, padding, dilation, groups, act, 2)


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: Any = None,
    dilation: int = 1,
    groups: int = 1,
    *,
    act: str = "none",
) -> Tensor:
    """Cross-correlate rows (N, C, W) with a weight (O, C / groups, K) into (N, O, W'); see `conv2d`."""
    require_activation("conv1d", act)
    _require_operands("conv1d", input, weight, bias)
    input.f.ops.require_same_backend(input._tensor, weight._tensor)
    groups = whole_number("conv1d", "groups", groups)
    if padding is None and bias is None and is_default(stride, dilation, groups):
        return activated(Conv1dFun.apply(input, weight), act)
    require_images("conv1d", input, weight, 3, groups)
    # A row is an image of height 1.
    images, kernels = (t.reshape(*t.shape[:2], 1, t.shape[2]) for t in (input, weight))
    out = _conv(images, kernels, bias, stride, padding, dilation, groups, act, 1)
    return out.reshape(*out.shape[:2], out.shape[3])


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
        raise IndexingError(
            f"conv{dims}d: expected a bias ({w.shape[0]},), got {bias.shape} (weight {w.shape})"
        )
    if bias is not None:
        return ConvActivation.apply(x, w, bias, activation=activation, params=params)
    out: Tensor = Conv.apply(x, w, params=params)
    return activated(out, activation)


def _require_operands(op: str, input: Any, weight: Any, bias: Any) -> None:
    if isinstance(input, Tensor) and isinstance(weight, Tensor) and isinstance(bias, Tensor | None):
        return
    require_tensor(op, input)
    require_tensor(op, weight, "a weight")
    require_tensor(op, bias, "a bias")


def _require_images(input: Tensor) -> None:
    require_tensor("pooling", input)
    if input.dims != 4:
        raise IndexingError(f"pooling: expected images (N, C, H, W), got shape {input.shape}")


def _tiles(input: Tensor, kernel: int | Pair) -> Pair:
    """Return how many windows tile the images, down and across."""
    _require_images(input)
    kh, kw = pair(kernel, "kernel")
    height, width = input.shape[2:]
    if height % kh or width % kw:
        raise IndexingError(
            f"pooling: windows of {kh}x{kw} do not tile images of {height}x{width} (input {input.shape}); "
            "give a stride to drop the remainder"
        )
    return height // kh, width // kw


def tile(input: Tensor, kernel: Pair) -> tuple[Tensor, int, int]:
    """Cut images into windows that do not overlap.

    Args:
        input: (N, C, H, W).
        kernel: Height and width of a window, which must divide H and W.

    Returns:
        The windows, (N, C, H / kh, W / kw, kh * kw), elements row by row; and how many there are down and across.

    Raises:
        IndexingError: The windows do not tile the images, or these do not have 4 dimensions.
    """
    rows, cols = _tiles(input, kernel)
    kh, kw = pair(kernel, "kernel")
    batch, channels = input.shape[:2]
    windows = input.contiguous().view(batch, channels, rows, kh, cols, kw).permute(0, 1, 2, 4, 3, 5)
    return windows.contiguous().view(batch, channels, rows, cols, kh * kw), rows, cols


def avgpool2d(
    input: Tensor,
    kernel: int | Pair,
    stride: int | Pair | None = None,
    padding: int | Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Average each window of images.

    With ``kernel`` alone the windows tile the images and must divide them. Any other setting gives PyTorch's rule:
    the stride defaults to the kernel, and a remainder is dropped (or kept, with ``ceil_mode``).

    Args:
        input: (N, C, H, W).
        kernel: Height and width of a window; an int or a pair, as ``stride`` and ``padding`` are.
        stride: From one window to the next; None (default): the kernel.
        padding: Zeros on each side, by default 0.
        ceil_mode: Whether to round the number of windows up; by default down.
        count_include_pad: Whether the zeros of the padding count in an average; by default they do.

    Returns:
        (N, C, H', W').

    Raises:
        IndexingError: The windows do not tile, or are larger than the padded images.
        ValueError: A setting is out of range; padding is at most half the kernel.
    """
    if stride is None and padding == 0 and not ceil_mode and count_include_pad:
        _tiles(input, kernel)
    return _pool(input, "avg", kernel, stride, padding, 1, ceil_mode, count_include_pad)


def maxpool2d(
    input: Tensor,
    kernel: int | Pair,
    stride: int | Pair | None = None,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """Take the largest element of each window of images (N, C, H, W); the first of equals gets the gradient.

    Settings and errors as for `avgpool2d`; padding is -inf, so it is never the largest. ``dilation``, by default 1, is
    the distance of a window's elements.
    """
    if stride is None and padding == 0 and dilation == 1 and not ceil_mode:
        _tiles(input, kernel)
    return _pool(input, "max", kernel, stride, padding, dilation, ceil_mode, True)


def _pool(
    input: Tensor,
    kind: str,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    count_pad: bool,
) -> Tensor:
    _require_images(input)
    window = pair(kernel, "kernel")
    strides = window if stride is None else pair(stride, "stride")
    pads, dilations = pair(padding, "padding", 0), pair(dilation, "dilation")
    ceil_mode, count_pad = (
        flag("pooling", "ceil_mode", ceil_mode),
        flag("pooling", "count_include_pad", count_pad),
    )
    size = pooled_size(input.shape, window, strides, pads, dilations, ceil_mode)
    params = PoolParams(kind, window, strides, (pads[0], pads[0], pads[1], pads[1]), dilations, count_pad)
    return Pool.apply(input, size=size, params=params)


def adaptive_avgpool2d(input: Tensor, output_size: int | Pair) -> Tensor:
    """Average images (N, C, H, W) down to (N, C, *output_size).

    Window i of m along an axis of n elements spans ``i * n // m`` to ``ceil((i + 1) * n / m)``, as in PyTorch. Where
    m does not divide n, the windows differ in size: then one axis is averaged after the other.

    Raises:
        IndexingError: The input does not have 4 dimensions, or its images no rows or columns.
        ValueError: A size is below 1.
    """
    _require_images(input)
    rows, cols = pair(output_size, "output_size")
    height, width = input.shape[2:]
    if min(height, width) < 1:
        raise IndexingError(
            f"adaptive_avgpool2d: expected images of at least one row and column, got input {input.shape}"
        )
    if height % rows == 0 and width % cols == 0:
        return avgpool2d(input, (height // rows, width // cols))
    images = input.reshape(input.shape[0] * input.shape[1], height, width)
    # (N * C, H, W) -> (W, N * C, rows) -> (N * C, rows, cols)
    averaged = _averaged(images.permute(1, 2, 0), rows).permute(1, 2, 0)
    out = _averaged(averaged, cols).permute(1, 2, 0)
    return out.reshape(*input.shape[:2], rows, cols)


def _averaged(x: Tensor, windows: int) -> Tensor:
    """Average the first axis of (n, A, B) over windows: (windows, A, B).

    Only the elements of a window take part: with a matrix, its zeros would make nan of infinite elements elsewhere.
    """
    n, number = x.shape[0], np.arange(windows)
    low, high = number * n // windows, -(-(number + 1) * n // windows)
    places = low[:, None] + np.arange((high - low).max())
    weights = np.where(places < high[:, None], 1 / (high - low)[:, None], 0.0).astype(x.dtype)
    taken = Take.apply(x.reshape(n, -1), rows=np.minimum(places, n - 1).reshape(-1))
    weight = Tensor(x.f.from_array(weights[..., None]))
    total = Weigh.apply(taken.view(*weights.shape, taken.shape[1]), weight).sum(1)
    return total.view(windows, *x.shape[1:])


def max(input: Tensor, dim: int) -> Tensor:
    """Take the largest element along ``dim``, which stays with size 1; all of several equal ones get the gradient."""
    require_tensor("max", input)
    return input.max(dim)


def max_reduce(input: Tensor, dim: int) -> Tensor:
    """Take the largest element along ``dim``, which stays with size 1, outside the graph."""
    require_tensor("max_reduce", input)
    return input.detach().max(dim)


def argmax(input: Tensor, dim: int) -> Tensor:
    """Return 1.0 where an element is the largest along ``dim``, else 0.0; ties give several ones. Outside the graph."""
    require_tensor("argmax", input)
    plain = input.detach()
    return plain == plain.max(dim)


def softmax(input: Tensor, dim: int) -> Tensor:
    """Return ``e ** x / sum(e ** x)`` along ``dim``, in the input's shape; shifted by the maximum against overflow."""
    require_tensor("softmax", input)
    return Softmax.apply(input, dim=dim)


def logsoftmax(input: Tensor, dim: int) -> Tensor:
    """Return ``x - ln(sum(e ** x))`` along ``dim``, in the input's shape; shifted by the maximum."""
    require_tensor("logsoftmax", input)
    return LogSoftmax.apply(input, dim=dim)


def dropout(input: Tensor, rate: float, ignore: bool = False, *, scale: bool = False) -> Tensor:
    """Set random elements to 0 (Srivastava et al., "Dropout", 2014).

    Args:
        input: Any shape, which is kept.
        rate: The probability of each element to be dropped, in [0, 1]; 0 gives the input itself, 1 zeros.
        ignore: Give the input itself (as in evaluation); by default False.
        scale: Divide the kept elements by ``1 - rate``, so that the mean stays; by default False, as in the course.

    Raises:
        ValueError: ``rate`` is outside [0, 1].
        TypeError: ``input`` is no Tensor.
    """
    require_tensor("dropout", input)
    number("dropout", "rate", rate, 0, 1)
    scale = flag("dropout", "scale", scale)
    if ignore or rate == 0:
        return input
    return Drop.apply(input, key=rng.new_key, rate=rate, scale=scale)
