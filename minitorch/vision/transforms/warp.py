"""Transforms that move pixels: mirroring, rotation, affine and perspective maps.

A map is given by where a pixel of the result comes from. Coordinates are (x, y) from the top left corner of the image,
so that the centre of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...runtime import rng
from ...runtime.types import Array
from .base import (
    Fill,
    Range,
    Transform,
    ends,
    fill_values,
    in_dtype,
    in_floats,
    require_probability,
    require_word,
    sometimes,
)
from .resampling import cubic

WARP_MODES = ("nearest", "bilinear", "bicubic")


def warp(
    name: str, batch: Array, x: Array, y: Array, interpolation: str = "nearest", fill: Fill = 0
) -> Array:
    """Return images (N, C, H', W') of the pixels at ``x`` and ``y``.

    Args:
        name: For messages.
        batch: (N, C, H, W), uint8 or float.
        x: Where each pixel comes from (N, H', W') or (1, H', W'); nan is outside.
        y: The same, downwards.
        interpolation: "nearest" (default), "bilinear" or "bicubic" (slope -0.75, as in PyTorch).
        fill: What lies outside the image, also for the interpolation at its edge; one number or one for each channel.
    """
    n, channels, height, width = batch.shape
    values = fill_values(name, "fill", fill, batch)
    x, y = np.broadcast_to(x, (n, *x.shape[1:])), np.broadcast_to(y, (n, *y.shape[1:]))
    flat = batch.reshape(n, channels, height * width)
    size = x.shape[1] * x.shape[2]

    def pixels(rows: Array, columns: Array) -> tuple[Array, Array]:
        """Return the pixels (N, C, H', W') at whole numbers, and which (N, 1, H', W') lie inside."""
        found = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        source = np.where(found, rows * width + columns, 0).astype(np.intp).reshape(n, 1, size)
        taken = (
            np.take_along_axis(flat, source, 2)
            if height * width
            else np.zeros((n, channels, size), batch.dtype)
        )
        return taken.reshape(n, channels, *x.shape[1:]), found[:, None]

    if interpolation == "nearest":
        taken, found = pixels(np.floor(y), np.floor(x))
        return np.where(found, taken, values)
    reach = (0, 1) if interpolation == "bilinear" else (-1, 0, 1, 2)
    top, left = np.floor(y - 0.5), np.floor(x - 0.5)
    total = np.zeros((n, channels, *x.shape[1:]), in_floats(batch[:0]).dtype)
    for i in reach:
        for j in reach:
            taken, found = pixels(top + i, left + j)
            weight = _tap(y - 0.5 - top - i, interpolation) * _tap(x - 0.5 - left - j, interpolation)
            weight = np.where(np.isfinite(weight), weight, i == j == 0)[:, None].astype(total.dtype)
            total += np.where(weight != 0, weight * np.where(found, taken, values), 0)
    return in_dtype(total, batch.dtype)


def _tap(distance: Array, interpolation: str) -> Array:
    return np.maximum(1 - np.abs(distance), 0) if interpolation == "bilinear" else cubic(distance, -0.75)


def pixel_centres(height: int, width: int) -> tuple[Array, Array]:
    """Return x (1, 1, W) and y (1, H, 1) of the centres of pixels."""
    return (np.arange(width) + 0.5)[None, None], (np.arange(height) + 0.5)[None, :, None]


def affine_matrix(
    center: tuple[float, float], angle: Array, translate: Array, scale: Array, shear: Array
) -> Array:
    """Return matrices (N, 3, 3) that map coordinates of the image to those of the result.

    Each shears, scales and rotates about the centre, and then shifts: T C R S Y X C^-1, where X and Y are the shears.

    Args:
        center: x and y.
        angle: Clockwise, in degrees (N,).
        translate: To the right and down, in pixels (N, 2).
        scale: (N,).
        shear: Along x and y, in degrees (N, 2).
    """
    radians, lean = np.deg2rad(angle), np.tan(np.deg2rad(shear))
    n = len(radians)
    rotation = _eye(n)
    rotation[:, 0, 0] = rotation[:, 1, 1] = np.cos(radians)
    rotation[:, 1, 0] = np.sin(radians)
    rotation[:, 0, 1] = -rotation[:, 1, 0]
    scaling, along_x, along_y = _eye(n), _eye(n), _eye(n)
    scaling[:, 0, 0] = scaling[:, 1, 1] = scale
    along_x[:, 0, 1], along_y[:, 1, 0] = -lean[:, 0], -lean[:, 1]
    to_origin, back, shift = _eye(n), _eye(n), _eye(n)
    to_origin[:, :2, 2], back[:, :2, 2] = np.negative(center), center
    shift[:, :2, 2] = translate
    return shift @ back @ rotation @ scaling @ along_y @ along_x @ to_origin


def _eye(n: int) -> Array:
    return np.tile(np.eye(3), (n, 1, 1))


def projected(matrices: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """Return where matrices (N, 3, 3) map the points ``x`` and ``y``, as (N, H, W) each."""
    rows = matrices[:, :, :, None, None]
    u, v, w = (rows[:, k, 0] * x + rows[:, k, 1] * y + rows[:, k, 2] for k in range(3))
    with np.errstate(divide="ignore", invalid="ignore"):
        return u / w, v / w


def affine(
    name: str,
    batch: Array,
    matrices: Array,
    interpolation: str = "nearest",
    fill: Fill = 0,
    expand: bool = False,
) -> Array:
    """Move pixels by ``matrices`` (N, 3, 3); with ``expand`` (one matrix), the result holds the whole moved image."""
    height, width = batch.shape[2:]
    x, y = pixel_centres(height, width)
    if expand:
        corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], np.float64)
        moved = np.round(corners @ matrices[0].T, 9)[:, :2]
        low, high = np.floor(moved.min(0)), np.ceil(moved.max(0))
        x, y = pixel_centres(int(high[1] - low[1]), int(high[0] - low[0]))
        x, y = x + low[0], y + low[1]
    return warp(name, batch, *projected(np.linalg.inv(matrices), x, y), interpolation, fill)


def perspective(
    name: str, batch: Array, start: Array, end: Array, interpolation: str = "bilinear", fill: Fill = 0
) -> Array:
    """Move the corners ``start`` of each image to ``end``, both (N, 4, 2) in (x, y)."""
    x, y = pixel_centres(*batch.shape[2:])
    return warp(name, batch, *projected(_homography(end, start), x, y), interpolation, fill)


def _homography(start: Array, end: Array) -> Array:
    """Return the matrices (N, 3, 3), with a 1 at the end, that map four points ``start`` to ``end``.

    Each point gives two equations: u (g x + h y + 1) = a x + b y + c, and the same for v with d, e, f.
    """
    n = len(start)
    equations = np.zeros((n, 4, 2, 8))
    equations[:, :, 0, :2] = equations[:, :, 1, 3:5] = start
    equations[:, :, 0, 2] = equations[:, :, 1, 5] = 1
    equations[:, :, :, 6:] = -end[:, :, :, None] * start[:, :, None, :]
    # Not `solve`: corners that fall together leave no single solution.
    solution = np.linalg.pinv(equations.reshape(n, 8, 8)) @ end.reshape(n, 8, 1)
    return np.concatenate([solution[:, :, 0], np.ones((n, 1))], 1).reshape(n, 3, 3)


@dataclass(eq=False)
class RandomHorizontalFlip(Transform):
    """Mirrors an image left to right with probability ``p``, by default 0.5."""

    p: float = 0.5

    def __post_init__(self) -> None:
        require_probability(self.p)

    def apply(self, batch: Array) -> Array:
        """Mirror."""
        return sometimes(batch, self.p, lambda images: np.flip(images, 3))


@dataclass(eq=False)
class RandomVerticalFlip(Transform):
    """Mirrors an image top to bottom with probability ``p``, by default 0.5."""

    p: float = 0.5

    def __post_init__(self) -> None:
        require_probability(self.p)

    def apply(self, batch: Array) -> Array:
        """Mirror."""
        return sometimes(batch, self.p, lambda images: np.flip(images, 2))


@dataclass(eq=False)
class RandomRotation(Transform):
    """Rotates an image by a random angle, counter-clockwise.

    Args:
        degrees: (lowest, highest) angle, or d for (-d, d).
        interpolation: "nearest" (default), "bilinear" or "bicubic".
        expand: Whether the result is as large as the rotated image; by default it is as large as the image. Needs a
            single image.
        center: (x, y) of the fixed point from the top left corner; by default the centre of the image.
        fill: Value of the pixels that come in at the corners, one or one for each channel; by default 0.

    Raises:
        ValueError: A setting is out of bounds; on a call, ``expand`` for a batch of several images.
    """

    degrees: Range
    interpolation: str = "nearest"
    expand: bool = False
    center: Sequence[float] | None = None
    fill: Fill = 0

    def __post_init__(self) -> None:
        ends("degrees", self.degrees, 0.0)
        require_word("interpolation", self.interpolation, WARP_MODES)

    def apply(self, batch: Array) -> Array:
        """Rotate."""
        n = len(batch)
        if self.expand and n != 1:
            raise ValueError(f"RandomRotation: expected a single image with expand=True, got {n} images")
        angles = rng.generator().uniform(*ends("degrees", self.degrees, 0.0), n)
        matrices = affine_matrix(
            middle(batch, self.center), -angles, np.zeros((n, 2)), np.ones(n), np.zeros((n, 2))
        )
        return affine("RandomRotation", batch, matrices, self.interpolation, self.fill, self.expand)


def middle(batch: Array, center: Sequence[float] | None) -> tuple[float, float]:
    """Return ``center``, by default the centre of the images, as (x, y)."""
    x, y = (batch.shape[3] / 2, batch.shape[2] / 2) if center is None else center
    return x, y


@dataclass(eq=False)
class RandomAffine(Transform):
    """Rotates, shifts, scales and shears by random amounts; the centre of the image is the fixed point.

    Args:
        degrees: (lowest, highest) angle, clockwise, or d for (-d, d).
        translate: Largest shifts as fractions of the width and of the height; by default none.
        scale: (lowest, highest) factor; by default 1.
        shear: (lowest, highest) angle along x, or d for (-d, d), or four numbers, for x and y; by default none.
        interpolation: "nearest" (default), "bilinear" or "bicubic".
        fill: Value of the pixels that come in, one or one for each channel; by default 0.
        center: (x, y) of the fixed point from the top left corner; by default the centre of the image.

    Raises:
        ValueError: A setting is out of bounds.
    """

    degrees: Range
    translate: Sequence[float] | None = None
    scale: Sequence[float] | None = None
    shear: Range | None = None
    interpolation: str = "nearest"
    fill: Fill = 0
    center: Sequence[float] | None = None

    def __post_init__(self) -> None:
        require_word("interpolation", self.interpolation, WARP_MODES)
        self.ranges()

    def ranges(self) -> tuple[tuple[float, float], ...]:
        """Return the ranges of the angle, the shifts along x and y, the factor, the shears along x and y."""
        shifts = np.asarray((0.0, 0.0) if self.translate is None else self.translate, np.float64)
        if shifts.shape != (2,) or not (shifts.min() >= 0 and shifts.max() <= 1):
            raise ValueError(f"translate: expected two fractions in [0, 1], got {self.translate}")
        scale = (1.0, 1.0) if self.scale is None else self.scale
        if np.shape(scale) != (2,):
            raise ValueError(f"scale: expected (lowest, highest), got {self.scale}")
        shear = np.asarray(0.0 if self.shear is None else self.shear, np.float64)
        if shear.shape == ():
            shear = np.array([-shear, shear])
        if shear.shape not in ((2,), (4,)):
            raise ValueError(f"shear: expected one, two or four numbers, got {self.shear}")
        if len(shear) == 2:
            shear = np.array([*shear, 0.0, 0.0])
        return (
            ends("degrees", self.degrees, 0.0),
            (-shifts[0], shifts[0]),
            (-shifts[1], shifts[1]),
            ends("scale", scale, 1.0, float(np.finfo(np.float64).tiny)),
            ends("shear", shear[:2].tolist(), 0.0),
            ends("shear", shear[2:].tolist(), 0.0),
        )

    def matrices(self, batch: Array) -> Array:
        """Draw a matrix for each image (N, 3, 3); shifts are whole pixels."""
        draw = rng.generator()
        n, _, height, width = batch.shape
        angle, across, down, scale, shear_x, shear_y = (
            draw.uniform(low, high, (n,)) for low, high in self.ranges()
        )
        shifts = np.rint(np.stack([across * width, down * height], 1))
        return affine_matrix(
            middle(batch, self.center), angle, shifts, scale, np.stack([shear_x, shear_y], 1)
        )

    def apply(self, batch: Array) -> Array:
        """Move pixels."""
        matrices = self.matrices(batch)
        return affine("RandomAffine", batch, matrices, self.interpolation, self.fill)


@dataclass(eq=False)
class RandomPerspective(Transform):
    """Moves the corners of an image inwards by random amounts, with probability ``p``.

    Args:
        distortion_scale: How far, as a fraction of half the height and width; by default 0.5.
        p: Probability, by default 0.5.
        interpolation: "nearest", "bilinear" (default) or "bicubic".
        fill: Value of the pixels that come in, one or one for each channel; by default 0.

    Raises:
        ValueError: A setting is out of bounds.
    """

    distortion_scale: float = 0.5
    p: float = 0.5
    interpolation: str = "bilinear"
    fill: Fill = 0

    def __post_init__(self) -> None:
        require_probability(self.p)
        ends("distortion_scale", (0.0, self.distortion_scale), 0.0, 0.0, 1.0)
        require_word("interpolation", self.interpolation, WARP_MODES)

    def apply(self, batch: Array) -> Array:
        """Move pixels."""

        def moved(images: Array) -> Array:
            start, end = self.corners(len(images), *images.shape[2:])
            return perspective("RandomPerspective", images, start, end, self.interpolation, self.fill)

        return sometimes(batch, self.p, moved)

    def corners(self, n: int, height: int, width: int) -> tuple[Array, Array]:
        """Return the corners of ``n`` images, clockwise from the top left, and where they go: (n, 4, 2) each."""
        right, bottom = max(width - 1, 0), max(height - 1, 0)
        start = np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]], np.float64)
        farthest = np.array([width // 2, height // 2]) * self.distortion_scale
        inwards = np.floor(rng.generator().random((n, 4, 2)) * (np.floor(farthest) + 1))
        directions = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
        return np.tile(start, (n, 1, 1)), start + directions * inwards
