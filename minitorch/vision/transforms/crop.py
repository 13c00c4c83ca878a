"""Transforms of the frame of images: resizing, padding, cutting out a part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ...runtime import rng
from ...runtime.types import Array
from .base import Fill, Size, Transform, as_batch, ends, fill_values, pair, require_word
from .resampling import MODES, resize

PADDING_MODES = ("constant", "edge", "reflect", "symmetric")
TRIES = 10  # rectangles that are drawn until one fits
Margins: TypeAlias = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(eq=False)
class Resize(Transform):
    """Resizes: by default by linear interpolation with averaging when it shrinks, Pillow's BILINEAR within one level.

    Both axes are products with a matrix, so a batch costs two matrix products. Nan and infinity spread over the pixels
    whose filter they lie under.

    Args:
        size: (height, width), or the length of the shorter side, which keeps the proportions.
        interpolation: "bilinear" (default), "bicubic", "box", "hamming", "lanczos", "nearest" or "nearest-exact".
        max_size: The longer side at most, if ``size`` is one number; by default there is no limit.
        antialias: Whether a filter widens when it shrinks, as Pillow's; by default it does.

    Raises:
        ValueError: A size is below 1, a word is unknown, or ``max_size`` does not fit ``size``.
    """

    size: Size
    interpolation: str = "bilinear"
    max_size: int | None = None
    antialias: bool = True

    def __post_init__(self) -> None:
        pair("size", self.size)
        require_word("interpolation", self.interpolation, MODES)
        if self.max_size is not None and (
            np.size(self.size) != 1 or self.max_size <= pair("size", self.size)[0]
        ):
            raise ValueError(
                f"Resize: expected max_size above a size of one number, got {self.max_size} and size {self.size}"
            )

    def apply(self, batch: Array) -> Array:
        """Interpolate."""
        height, width = resized_shape(batch.shape[2], batch.shape[3], self.size, self.max_size)
        return resize(batch, height, width, self.interpolation, self.antialias)


def resized_shape(height: int, width: int, size: Size, max_size: int | None = None) -> tuple[int, int]:
    """Return (height, width) of an image that is resized to ``size``; see `Resize`."""
    new_height, new_width = pair("size", size)
    if np.size(size) == 1:
        short, long = min(height, width), max(height, width)
        new_short, new_long = new_height, new_height * long // short
        if max_size is not None and new_long > max_size:
            new_short, new_long = max_size * new_short // new_long, max_size
        new_height, new_width = (new_short, new_long) if height <= width else (new_long, new_short)
    return max(new_height, 1), max(new_width, 1)


@dataclass(eq=False)
class Pad(Transform):
    """Adds pixels at the edges.

    Args:
        padding: One number, (left and right, top and bottom) or (left, top, right, bottom).
        fill: Value of the added pixels in mode "constant", one or one for each channel; by default 0.
        padding_mode: "constant" (default); "edge" repeats the pixels at the edge; "reflect" mirrors without them,
            "symmetric" with them.

    Raises:
        ValueError: Negative padding, an unknown mode; on a call, a ``fill`` that uint8 images cannot hold.
    """

    padding: Size
    fill: Fill = 0
    padding_mode: str = "constant"

    def __post_init__(self) -> None:
        margins("Pad", self.padding)
        require_word("padding_mode", self.padding_mode, PADDING_MODES)

    def apply(self, batch: Array) -> Array:
        """Pad."""
        return pad("Pad", batch, margins("Pad", self.padding), self.fill, self.padding_mode)


def pad(name: str, batch: Array, added: Margins, fill: Fill = 0, mode: str = "constant") -> Array:
    """Pad a batch by (left, top, right, bottom) pixels; see `Pad`. ``name`` is for messages."""
    left, top, right, bottom = added
    if not any(added):
        return batch
    if mode != "constant":
        return np.pad(batch, ((0, 0), (0, 0), (top, bottom), (left, right)), mode)  # type: ignore[call-overload]
    n, channels, height, width = batch.shape
    padded = np.empty((n, channels, top + height + bottom, left + width + right), batch.dtype)
    padded[:] = fill_values(name, "fill", fill, batch)
    padded[:, :, top : top + height, left : left + width] = batch
    return padded


def margins(name: str, padding: Size | None) -> Margins:
    """Return padding as (left, top, right, bottom).

    Raises:
        ValueError: It is not one, two or four whole numbers >= 0.
    """
    given = np.atleast_1d(0 if padding is None else np.asarray(padding))
    if given.shape not in ((1,), (2,), (4,)) or given.dtype.kind not in "iu" or given.min() < 0:
        raise ValueError(f"{name}: expected padding of one, two or four whole numbers >= 0, got {padding}")
    left, top, right, bottom = np.resize(given, 4).tolist()
    return left, top, right, bottom


@dataclass(eq=False)
class CenterCrop(Transform):
    """Cuts out the centre.

    Args:
        size: (height, width), or the side of a square.

    Raises:
        ValueError: On a call, an image smaller than ``size``.
    """

    size: Size

    def __post_init__(self) -> None:
        pair("size", self.size)

    def apply(self, batch: Array) -> Array:
        """Cut."""
        (height, width), (rows, columns) = pair("size", self.size), _space(batch, self.size)
        top, left = round(rows / 2), round(columns / 2)
        return batch[:, :, top : top + height, left : left + width]


@dataclass(eq=False)
class RandomCrop(Transform):
    """Cuts out a random part.

    Args:
        size: (height, width), or the side of a square.
        padding: Pixels added before: one number, (left and right, top and bottom) or
            (left, top, right, bottom); by default none.
        fill: Value of the added pixels, by default 0.
        pad_if_needed: Whether to pad images that are smaller than ``size``; by default they are an error.
        padding_mode: See `Pad`; by default "constant".

    Raises:
        ValueError: Negative padding; on a call, a padded image smaller than ``size``, or a ``fill`` that uint8 images
            cannot hold.
    """

    size: Size
    padding: Size | None = None
    fill: Fill = 0
    pad_if_needed: bool = False
    padding_mode: str = "constant"

    def __post_init__(self) -> None:
        pair("size", self.size)
        margins("RandomCrop", self.padding)
        require_word("padding_mode", self.padding_mode, PADDING_MODES)

    def apply(self, batch: Array) -> Array:
        """Pad and cut."""
        batch = self.padded(batch)
        rows, columns = _space(batch, self.size)
        n, draw = len(batch), rng.generator()
        tops, lefts = draw.integers(0, rows + 1, n), draw.integers(0, columns + 1, n)
        windows = np.lib.stride_tricks.sliding_window_view(batch, pair("size", self.size), (2, 3))
        cut: Array = windows[np.arange(n), :, tops, lefts]
        return cut

    def padded(self, batch: Array) -> Array:
        """Return the images that a part is cut out of."""
        batch = pad("RandomCrop", batch, margins("RandomCrop", self.padding), self.fill, self.padding_mode)
        if self.pad_if_needed:
            height, width = pair("size", self.size)
            down, across = max(height - batch.shape[2], 0), max(width - batch.shape[3], 0)
            batch = pad("RandomCrop", batch, (across, down, across, down), self.fill, self.padding_mode)
        return batch


@dataclass(eq=False)
class RandomResizedCrop(Transform):
    """Cuts out a rectangle of random area and proportions, and resizes it (Szegedy et al., 2015).

    A rectangle that does not fit is drawn again, ten times at most; then the centre is cut out, as large as possible.

    Args:
        size: (height, width) of the result, or the side of a square.
        scale: (lowest, highest) fraction of the image's area, by default (0.08, 1).
        ratio: (lowest, highest) width divided by height, by default (3/4, 4/3).
        interpolation: See `Resize`.
        antialias: See `Resize`.

    Raises:
        ValueError: A size, range or word is out of bounds.
    """

    size: Size
    scale: Sequence[float] = (0.08, 1.0)
    ratio: Sequence[float] = (3 / 4, 4 / 3)
    interpolation: str = "bilinear"
    antialias: bool = True

    def __post_init__(self) -> None:
        pair("size", self.size)
        fractions("RandomResizedCrop", self.scale, self.ratio)
        require_word("interpolation", self.interpolation, MODES)

    def apply(self, batch: Array) -> Array:
        """Cut and resize."""
        n, channels, height, width = batch.shape
        size = pair("size", self.size)
        out = np.empty((n, channels, *size), batch.dtype)
        for k, (top, left, rows, columns) in enumerate(self.windows(n, height, width).tolist()):
            window = batch[k, :, top : top + rows, left : left + columns]
            out[k] = resize(window, *size, self.interpolation, self.antialias)
        return out

    def windows(self, n: int, height: int, width: int) -> Array:
        """Draw ``n`` rectangles of an image: top, left, height, width (n, 4)."""
        draw = rng.generator()
        across, down = draw_sides(draw, n, height * width, self.scale, self.ratio)
        fits = (across > 0) & (across <= width) & (down > 0) & (down <= height)
        first = np.arange(n), fits.argmax(1)
        low, high = self.ratio
        # The centre of the image, with proportions as close to the image's as ``ratio`` allows.
        whole = min(width, round(height * high)), min(height, round(width / low))
        columns = np.where(fits.any(1), across[first], max(whole[0], 1))
        rows = np.where(fits.any(1), down[first], max(whole[1], 1))
        tops = np.where(fits.any(1), np.floor(draw.random(n) * (height - rows + 1)), (height - rows) // 2)
        lefts = np.where(
            fits.any(1), np.floor(draw.random(n) * (width - columns + 1)), (width - columns) // 2
        )
        return np.stack([tops, lefts, rows, columns], 1).astype(np.intp)


def fractions(
    name: str, scale: Sequence[float], ratio: Sequence[float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the ends of a range of areas in [0, 1] and of one of proportions above 0."""
    if np.shape(scale) != (2,) or np.shape(ratio) != (2,):
        raise ValueError(f"{name}: expected scale and ratio as (lowest, highest), got {scale} and {ratio}")
    tiny = float(np.finfo(np.float64).tiny)
    return ends("scale", scale, 0.0, 0.0, 1.0), ends("ratio", ratio, 1.0, tiny)


def draw_sides(
    draw: np.random.Generator, n: int, area: float, scale: Sequence[float], ratio: Sequence[float]
) -> tuple[Array, Array]:
    """Draw `TRIES` rectangles for each of ``n`` images; return both sides (n, TRIES) each.

    Areas are uniform in ``scale``, as fractions of ``area``. The first side divided by the second one is in
    ``ratio``, uniform in its logarithm.
    """
    areas = draw.uniform(scale[0], scale[1], (n, TRIES)) * area
    ratios = np.exp(draw.uniform(math.log(ratio[0]), math.log(ratio[1]), (n, TRIES)))
    return np.rint(np.sqrt(areas * ratios)), np.rint(np.sqrt(areas / ratios))


class _Several:
    """A transform that gives several images of one: a tuple of images, or of batches."""

    def __init__(self, size: Size) -> None:
        self.size = size
        pair("size", size)

    def __call__(self, image: Any) -> tuple[Array, ...]:
        """Return parts of an image (C, H, W), of a batch (N, C, H, W), or of a PIL image.

        Raises:
            TypeError: ``image`` is something else, or its dtype is neither uint8 nor float.
            ValueError: It is smaller than ``size``.
        """
        batch, alone = as_batch(type(self).__name__, image)
        return tuple(part[0] if alone else part for part in self.parts(batch))

    def parts(self, batch: Array) -> list[Array]:
        """Return the parts, each (N, C, h, w)."""
        raise NotImplementedError


class FiveCrop(_Several):
    """Cuts out the four corners and the centre, in the order top left, top right, bottom left, bottom right, centre.

    Args:
        size: (height, width), or the side of a square.

    Raises:
        ValueError: A size is below 1; on a call, an image smaller than ``size``.
    """

    def parts(self, batch: Array) -> list[Array]:
        """Return the five parts."""
        (height, width), (rows, columns) = pair("size", self.size), _space(batch, self.size)
        corners = [(0, 0), (0, columns), (rows, 0), (rows, columns)]
        cut = [batch[:, :, top : top + height, left : left + width] for top, left in corners]
        return [*cut, CenterCrop(self.size).apply(batch)]

    def __repr__(self) -> str:
        return f"FiveCrop(size={self.size})"


class TenCrop(_Several):
    """Cuts out what `FiveCrop` does, and the same of the mirrored image.

    Args:
        size: (height, width), or the side of a square.
        vertical_flip: Whether to mirror top to bottom; by default left to right.

    Raises:
        ValueError: As for `FiveCrop`.
    """

    def __init__(self, size: Size, vertical_flip: bool = False) -> None:
        super().__init__(size)
        self.vertical_flip = vertical_flip

    def parts(self, batch: Array) -> list[Array]:
        """Return the ten parts."""
        five = FiveCrop(self.size)
        return [*five.parts(batch), *five.parts(np.flip(batch, 2 if self.vertical_flip else 3))]

    def __repr__(self) -> str:
        return f"TenCrop(size={self.size}, vertical_flip={self.vertical_flip})"


def _space(batch: Array, size: Size) -> tuple[int, int]:
    """Return how far a window of ``size`` can move down and to the right."""
    height, width = pair("size", size)
    if height > batch.shape[2] or width > batch.shape[3]:
        raise ValueError(f"crop: expected images of at least {(height, width)}, got {batch.shape}")
    return batch.shape[2] - height, batch.shape[3] - width
