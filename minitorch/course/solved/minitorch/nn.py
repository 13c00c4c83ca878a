"""Pooling, maximum, softmax and dropout (module 4)."""

from __future__ import annotations

from .autodiff import Context
from .tensor import Tensor, rand
from .tensor_data import IndexingError
from .tensor_functions import Function


def tile(input: Tensor, kernel: tuple[int, int]) -> tuple[Tensor, int, int]:
    """Cut images into tiles.

    Args:
        input: Images (N, C, H, W); H and W are multiples of the sizes of a tile.
        kernel: Height and width (KH, KW) of a tile.

    Returns:
        A tensor (N, C, H / KH, W / KW, KH * KW), and the numbers H / KH and W / KW. The last dimension holds the
        elements of a tile, row by row. Use `view`, `permute` and `contiguous`: no loops.
    """
    batch, channels, height, width = input.shape
    kh, kw = kernel
    if height % kh or width % kw:
        raise IndexingError(f"tile: images of {height} by {width} do not divide into tiles of {kh} by {kw}")
    rows, columns = height // kh, width // kw
    split = input.contiguous().view(batch, channels, rows, kh, columns, kw)
    moved = split.permute(0, 1, 2, 4, 3, 5).contiguous()
    return moved.view(batch, channels, rows, columns, kh * kw), rows, columns


def avgpool2d(input: Tensor, kernel: tuple[int, int]) -> Tensor:
    """Return the average of each tile: (N, C, H, W) becomes (N, C, H / KH, W / KW). Use `tile`."""
    batch, channels = input.shape[:2]
    tiles, rows, columns = tile(input, kernel)
    return tiles.mean(4).view(batch, channels, rows, columns)


def argmax(input: Tensor, dim: int) -> Tensor:
    """Return 1.0 where an element is the largest along ``dim``, else 0.0. This function is complete."""
    return input.f.eq_zip(input, input.f.max_reduce(input, dim))


class Max(Function):
    """The largest element along a dimension, which becomes 1."""

    @staticmethod
    def forward(ctx: Context, input: Tensor, dim: Tensor) -> Tensor:
        """Return the largest elements along the dimension ``int(dim.item())``, and save what the derivative needs.

        The backend has a reduction for it, ``input.f.max_reduce``.
        """
        d = int(dim.item())
        ctx.save_for_backward(argmax(input, d))
        return input.f.max_reduce(input, d)

    @staticmethod
    def backward(ctx: Context, grad_output: Tensor) -> tuple[Tensor, float]:
        """Return the derivative for ``input``, and 0.0 for ``dim``. Which elements does the result depend on?"""
        (where,) = ctx.saved_values
        return where * grad_output, 0.0


def max(input: Tensor, dim: int) -> Tensor:
    """Return the largest elements along ``dim``, which becomes 1. This function is complete."""
    return Max.apply(input, input._vector([dim]))


def softmax(input: Tensor, dim: int) -> Tensor:
    """Return e to the power of each element, divided by the sum of these along ``dim``.

    The result does not change if the same number is subtracted from all elements along ``dim``. Subtract one, so that
    ``exp`` does not overflow.
    """
    shifted = (input - max(input, dim).detach()).exp()
    return shifted / shifted.sum(dim)


def logsoftmax(input: Tensor, dim: int) -> Tensor:
    """Return the logarithm of the softmax, computed without the logarithm of a number near 0.

    Write the logarithm of the quotient as a difference, and subtract the maximum before ``exp``.
    """
    shifted = input - max(input, dim).detach()
    return shifted - shifted.exp().sum(dim).log()


def maxpool2d(input: Tensor, kernel: tuple[int, int]) -> Tensor:
    """Return the largest element of each tile: (N, C, H, W) becomes (N, C, H / KH, W / KW). Use `tile`."""
    batch, channels = input.shape[:2]
    tiles, rows, columns = tile(input, kernel)
    return max(tiles, 4).view(batch, channels, rows, columns)


def dropout(input: Tensor, rate: float, ignore: bool = False) -> Tensor:
    """Set random elements to 0, each with the probability ``rate``.

    Args:
        input: Any tensor.
        rate: From 0 (nothing changes) to 1 (all elements become 0). Elements that stay are unchanged.
        ignore: Return the input as it is; evaluation sets it.
    """
    if ignore:
        return input
    dropped = rand(input.shape, backend=input.backend) < rate
    return input * (1.0 - dropped)
