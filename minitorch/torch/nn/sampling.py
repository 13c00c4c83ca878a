"""Images and volumes read at any places, named by `functional`: grid_sample and affine_grid."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ..creation import linspace, ones
from ..elementwise import abs as _abs
from ..elementwise import add, clamp, floor, mul, round, sub, where
from ..indexing import gather
from ..joining import stack, unbind
from ..linalg import matmul
from ..shapes import expand, reshape, transpose, unsqueeze
from ..tensor import Tensor, from_array, to_array

__all__ = ["affine_grid", "grid_sample"]


def _unnormalized(place: Tensor, n: int, align_corners: bool) -> Tensor:
    """Return places in [-1, 1] as numbers of elements."""
    if align_corners:
        return mul(add(place, 1.0), (n - 1) / 2)
    return sub(mul(add(place, 1.0), n / 2), 0.5)


def _reflected(place: Tensor, n: int, align_corners: bool) -> Tensor:
    low, high = (0.0, n - 1.0) if align_corners else (-0.5, n - 0.5)
    span = high - low
    if span <= 0:
        return mul(place, 0.0)
    distance = _abs(sub(place, low))
    flips = floor(mul(distance.detach(), 1 / span))
    rest = sub(distance, mul(flips, span))
    odd = from_array(to_array(flips) % 2 == 1, place.device)
    return where(odd, sub(high, rest), add(rest, low))


def _placed(place: Tensor, n: int, padding_mode: str, align_corners: bool) -> Tensor:
    """Return places within the borders, by the rule of ``padding_mode``."""
    if padding_mode == "zeros":
        return place
    if padding_mode == "reflection":
        place = _reflected(place, n, align_corners)
    return clamp(place, 0.0, n - 1.0)


def _read(input: Tensor, places: list[Any]) -> Tensor:
    """Return the elements (N, C, P) at whole places, one array (N, P) for each dimension; 0 outside."""
    sizes = input.shape[2:]
    inside = np.ones(places[0].shape, bool)
    number = np.zeros(places[0].shape, np.int64)
    for p, n in zip(places, sizes):
        inside &= (p >= 0) & (p < n)
        number = number * n + np.clip(p, 0, n - 1)
    flat = reshape(input, *input.shape[:2], math.prod(sizes))
    spread = np.broadcast_to(number[:, None], (*input.shape[:2], number.shape[1]))
    found = gather(flat, 2, from_array(spread.copy(), input.device))
    return mul(found, from_array(inside[:, None].astype(input.dtype.numpy), input.device))


def _whole(place: Tensor) -> Any:
    values = np.nan_to_num(to_array(place), nan=-1.0, posinf=-1.0, neginf=-1.0)
    return np.clip(values, -(2**30), 2**30).astype(np.int64)


def _linear(input: Tensor, places: list[Tensor]) -> Tensor:
    low = [_whole(floor(p.detach())) for p in places]
    part = [sub(p, floor(p.detach())) for p in places]
    total: Any = None
    for corner in itertools.product((0, 1), repeat=len(places)):
        weight: Any = None
        for c, w in zip(corner, part):
            side = w if c else sub(1.0, w)
            weight = side if weight is None else mul(weight, side)
        term = mul(_read(input, [q + c for q, c in zip(low, corner)]), unsqueeze(weight, 1))
        total = term if total is None else add(total, term)
    return total


def _cubic(part: Tensor) -> list[Tensor]:
    """Return the weights of the four neighbours: the cubic kernel of Keys (1981) with a = -0.75."""
    a = -0.75

    def near(x: Tensor) -> Tensor:
        return add(mul(mul(sub(mul(x, a + 2), a + 3), x), x), 1.0)

    def far(x: Tensor) -> Tensor:
        return sub(mul(add(mul(sub(mul(x, a), 5 * a), x), 8 * a), x), 4 * a)

    return [far(add(part, 1.0)), near(part), near(sub(1.0, part)), far(sub(2.0, part))]


def _bicubic(input: Tensor, places: list[Tensor], padding_mode: str, align_corners: bool) -> Tensor:
    low = [floor(p.detach()) for p in places]
    weights = [_cubic(sub(p, q)) for p, q in zip(places, low)]
    total: Any = None
    for i, j in itertools.product(range(4), repeat=2):
        corner = [
            _whole(_placed(add(q, float(c - 1)), n, padding_mode, align_corners))
            for q, c, n in zip(low, (i, j), input.shape[2:])
        ]
        term = mul(_read(input, corner), unsqueeze(mul(weights[0][i], weights[1][j]), 1))
        total = term if total is None else add(total, term)
    return total


def grid_sample(
    input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Tensor:  # fmt: skip
    """Read images (N, C, H, W) at places (N, H', W', 2), or volumes (N, C, D, H, W) at (N, D', H', W', 3).

    Args:
        input: The images or volumes.
        grid: Places (x, y) or (x, y, z) in [-1, 1].
        mode: "bilinear" (default), "nearest" or (images only) "bicubic".
        padding_mode: What is outside: "zeros" (default), "border" or "reflection".
        align_corners: Whether -1 and 1 are the middles of the outermost elements; by default their outer edges.

    Raises:
        ValueError: A word is unknown.
        RuntimeError: The shapes do not fit.
    """
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    dims = input.ndim - 2
    if (
        dims not in (2, 3)
        or grid.ndim != input.ndim
        or grid.shape[-1] != dims
        or grid.shape[0] != input.shape[0]
    ):
        raise RuntimeError(
            f"grid_sampler(): expected 4D or 5D input and grid with same number of dimensions and batch, but got input "
            f"with sizes {list(input.shape)} and grid with sizes {list(grid.shape)}"
        )
    if mode == "bicubic" and dims == 3:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    corners = bool(align_corners)
    flat = reshape(grid, grid.shape[0], -1, dims)
    sizes = input.shape[2:]
    places = [_unnormalized(p, n, corners) for p, n in zip(reversed(unbind(flat, -1)), sizes)]
    if mode == "bicubic":
        out = _bicubic(input, places, padding_mode, corners)
    else:
        places = [_placed(p, n, padding_mode, corners) for p, n in zip(places, sizes)]
        if mode == "nearest":
            out = _read(input, [_whole(round(p.detach())) for p in places])
        else:
            out = _linear(input, places)
    out = reshape(out, *input.shape[:2], *grid.shape[1:-1])
    out._op = f"GridSampler{dims}D"
    return out


def affine_grid(theta: Tensor, size: Any, align_corners: bool | None = None) -> Tensor:
    """Return the places that affine maps give to the elements of images or volumes of ``size``.

    Args:
        theta: Maps (N, 2, 3) or (N, 3, 4).
        size: (N, C, H, W) or (N, C, D, H, W).
        align_corners: See `grid_sample`.
    """
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    spatial = tuple(size)[2:]
    dims = len(spatial)
    if theta.ndim != 3 or tuple(theta.shape[1:]) != (dims, dims + 1):
        raise ValueError(
            f"Expected a batch of {dims}D affine matrices of shape Nx{dims}x{dims + 1} for size {tuple(size)}. Got "
            f"{tuple(theta.shape)}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {tuple(size)}")
    lines = []
    for k, n in enumerate(spatial):
        line = linspace(-1, 1, n, dtype=theta.dtype, device=theta.device) if n > 1 else theta.new_zeros(1)
        line = line if align_corners else mul(line, (n - 1) / n)
        lines.append(expand(reshape(line, *(-1 if j == k else 1 for j in range(dims))), *spatial))
    unit = ones(*spatial, dtype=theta.dtype, device=theta.device)
    base = reshape(stack([*reversed(lines), unit], -1), 1, -1, dims + 1)
    out = matmul(expand(base, theta.shape[0], -1, -1), transpose(theta, 1, 2))
    return reshape(out, theta.shape[0], *spatial, dims)
