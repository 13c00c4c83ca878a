"""Transforms of images by geometry and values, each vectorised over a batch; those of colours are in `color`.

Depends on NumPy and, for random numbers, on `minitorch.runtime.rng`. A transform takes one image (C, H, W) or a batch
(N, C, H, W), uint8 or float in [0, 1], or a PIL image, and returns an array; its input stays as it is. Random ones draw
for each image. Names, arguments and defaults are those of ``torchvision.transforms``.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ..runtime import rng
from ..runtime.types import Array
from .resampling import filtered, resampling

Size: TypeAlias = int | Sequence[int]  # one number, or (height, width)
Range: TypeAlias = float | Sequence[float]  # one number, or (lowest, highest)


def from_pil(picture: Any) -> Array:
    """Return a PIL image as uint8 (C, H, W): one channel for modes "1" and "L", else three."""
    pixels = np.array(picture.convert("L" if picture.mode in ("1", "L") else "RGB"))
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def to_uint8(images: Array) -> Array:
    """Return images as uint8; floats are clipped to [0, 1] and rounded."""
    return images if images.dtype == np.uint8 else np.rint(images.clip(0, 1) * 255).astype(np.uint8)


class Transform(ABC):
    """A callable from images to images; a subclass defines ``apply`` for a batch."""

    def __call__(self, image: Any) -> Array:
        """Transform an image (C, H, W), a batch (N, C, H, W) or a PIL image.

        Raises:
            TypeError: ``image`` is something else, or its dtype is neither uint8 nor float.
            ValueError: It has another number of dimensions.
        """
        array = image if isinstance(image, np.ndarray) else _from_picture(image)
        if array.ndim not in (3, 4):
            raise ValueError(
                f"{type(self).__name__}: expected images (C, H, W) or (N, C, H, W), got shape {array.shape}"
            )
        if array.dtype != np.uint8 and array.dtype.kind != "f":
            raise TypeError(f"{type(self).__name__}: expected uint8 or float, got {array.dtype}")
        return self.apply(array[None])[0] if array.ndim == 3 else self.apply(array)

    @abstractmethod
    def apply(self, batch: Array) -> Array:
        """Return the transformed batch (N, C, H', W'); ``batch`` (N, C, H, W) stays as it is."""


class Compose:
    """Applies transforms (or any callables) one after the other."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, image: Any) -> Any:
        """Transform an image, a batch or a PIL image."""
        for transform in self.transforms:
            image = transform(image)
        return image

    def __repr__(self) -> str:
        return "\n".join(["Compose(", *(f"    {transform!r}" for transform in self.transforms), ")"])


@dataclass(eq=False)
class ToTensor(Transform):
    """Makes float32 in [0, 1] of uint8, still a NumPy array; floats stay as they are."""

    def apply(self, batch: Array) -> Array:
        """Scale."""
        return batch / np.float32(255) if batch.dtype == np.uint8 else batch


@dataclass(eq=False)
class Normalize(Transform):
    """Subtracts the mean and divides by the standard deviation of each channel; uint8 is divided by 255 first.

    Args:
        mean: One number for each channel, or one for all.
        std: The same; above 0.

    Raises:
        ValueError: Lengths differ, or ``std`` is not above 0; on a call, the channels do not match.
    """

    mean: Sequence[float] | float
    std: Sequence[float] | float

    def __post_init__(self) -> None:
        self.mean = tuple(np.atleast_1d(self.mean).tolist())
        self.std = tuple(np.atleast_1d(self.std).tolist())
        if len(self.mean) != len(self.std) or not min(self.std) > 0:
            raise ValueError(
                f"Normalize: expected mean and std of equal lengths, std above 0, got {self.mean} and {self.std}"
            )

    def apply(self, batch: Array) -> Array:
        """Shift and scale."""
        images = ToTensor().apply(batch)
        mean = np.asarray(self.mean, images.dtype)
        if len(mean) not in (1, images.shape[1]):
            raise ValueError(
                f"Normalize: expected one mean or {batch.shape[1]}, one for each channel, got {len(mean)} "
                f"(images {batch.shape})"
            )
        shifted: Array = images - mean[:, None, None]
        shifted /= np.asarray(self.std, images.dtype)[:, None, None]
        return shifted


@dataclass(eq=False)
class Resize(Transform):
    """Resizes by linear interpolation, with averaging when it shrinks: Pillow's BILINEAR, within one grey level.

    Both axes are products with a matrix, so a batch costs two matrix products. Nan and infinity spread over the pixels
    whose filter they lie under.

    Args:
        size: (height, width), or the length of the shorter side, which keeps the proportions.

    Raises:
        ValueError: A size is below 1.
    """

    size: Size

    def __post_init__(self) -> None:
        pair("size", self.size)

    def apply(self, batch: Array) -> Array:
        """Interpolate."""
        height, width = batch.shape[2:]
        new_height, new_width = pair("size", self.size)
        if np.ndim(self.size) == 0:
            short = min(height, width)
            new_height, new_width = new_height * height // short, new_width * width // short
        dtype = np.float64 if batch.dtype == np.float64 else np.float32
        images = batch.astype(dtype, copy=False)
        down, across = resampling(height, new_height, dtype), resampling(width, new_width, dtype)
        with np.errstate(invalid="ignore", over="ignore"):
            resized = down @ images @ across.T
            if not np.isfinite(resized).all():
                # A weight of 0 times infinity is nan: here only the pixels under each filter take part.
                resized = filtered(filtered(images, down, 2), across, 3)
        return np.rint(resized).astype(np.uint8) if batch.dtype == np.uint8 else resized


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

    Raises:
        ValueError: Negative padding; on a call, a padded image smaller than ``size``, or a ``fill`` that uint8 images
            cannot hold.
    """

    size: Size
    padding: Size | None = None
    fill: float = 0

    def __post_init__(self) -> None:
        pair("size", self.size)
        self._margins()

    def apply(self, batch: Array) -> Array:
        """Pad and cut."""
        left, top, right, bottom = self._margins()
        n, channels, height, width = batch.shape
        if left or top or right or bottom:
            shape = (n, channels, top + height + bottom, left + width + right)
            padded = np.full(shape, fill_value("RandomCrop", "fill", self.fill, batch.dtype), batch.dtype)
            padded[:, :, top : top + height, left : left + width] = batch
            batch = padded
        rows, columns = _space(batch, self.size)
        draw = rng.generator()
        tops, lefts = draw.integers(0, rows + 1, n), draw.integers(0, columns + 1, n)
        windows = np.lib.stride_tricks.sliding_window_view(batch, pair("size", self.size), (2, 3))
        cut: Array = windows[np.arange(n), :, tops, lefts]
        return cut

    def _margins(self) -> tuple[int, int, int, int]:
        given = np.atleast_1d(0 if self.padding is None else np.asarray(self.padding))
        if given.shape not in ((1,), (2,), (4,)) or given.dtype.kind != "i" or given.min() < 0:
            raise ValueError(
                f"RandomCrop: expected padding of one, two or four whole numbers >= 0, got {self.padding}"
            )
        left, top, right, bottom = np.resize(given, 4).tolist()
        return left, top, right, bottom


@dataclass(eq=False)
class RandomHorizontalFlip(Transform):
    """Mirrors an image left to right with probability ``p``, by default 0.5."""

    p: float = 0.5

    def __post_init__(self) -> None:
        require_probability(self.p)

    def apply(self, batch: Array) -> Array:
        """Mirror."""
        return _flipped(batch, self.p, axis=3)


@dataclass(eq=False)
class RandomVerticalFlip(Transform):
    """Mirrors an image top to bottom with probability ``p``, by default 0.5."""

    p: float = 0.5

    def __post_init__(self) -> None:
        require_probability(self.p)

    def apply(self, batch: Array) -> Array:
        """Mirror."""
        return _flipped(batch, self.p, axis=2)


@dataclass(eq=False)
class RandomRotation(Transform):
    """Rotates an image about its centre, counter-clockwise, to the nearest pixel; zeros come in at the corners.

    Args:
        degrees: (lowest, highest) angle, or d for (-d, d).
    """

    degrees: Range

    def __post_init__(self) -> None:
        ends("degrees", self.degrees, 0.0)

    def apply(self, batch: Array) -> Array:
        """Rotate: each pixel of the result looks up the pixel it comes from."""
        n, channels, height, width = batch.shape
        angles = np.deg2rad(rng.generator().uniform(*ends("degrees", self.degrees, 0.0), n))[:, None, None]
        y, x = np.arange(height)[:, None] + 0.5 - height / 2, np.arange(width) + 0.5 - width / 2
        rows = np.floor(np.sin(angles) * x + np.cos(angles) * y + height / 2).astype(np.intp)
        columns = np.floor(np.cos(angles) * x - np.sin(angles) * y + width / 2).astype(np.intp)
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        source = np.where(inside, rows * width + columns, 0).reshape(n, 1, height * width)
        rotated = np.take_along_axis(batch.reshape(n, channels, height * width), source, 2)
        return np.where(inside[:, None], rotated.reshape(batch.shape), np.zeros((), batch.dtype))


@dataclass(eq=False)
class RandomErasing(Transform):
    """Overwrites a random rectangle with probability ``p`` (Zhong et al., 2020).

    A rectangle that does not fit is drawn again, ten times at most; then the image stays.

    Args:
        p: Probability, by default 0.5.
        scale: (lowest, highest) fraction of the image's area, by default (0.02, 0.33).
        ratio: (lowest, highest) height divided by width, by default (0.3, 3.3).
        value: The new value: one number (by default 0), or one for each channel.

    Raises:
        ValueError: A probability or range is out of bounds; on a call, values that do not match the channels, or that
            uint8 images cannot hold.
    """

    p: float = 0.5
    scale: Sequence[float] = (0.02, 0.33)
    ratio: Sequence[float] = (0.3, 3.3)
    value: float | Sequence[float] = 0

    def __post_init__(self) -> None:
        require_probability(self.p)
        self._ends()

    def apply(self, batch: Array) -> Array:
        """Erase."""
        n, _, height, width = batch.shape
        draw = rng.generator()
        scale, (low, high) = self._ends()
        area = draw.uniform(*scale, (n, 10)) * height * width
        ratio = np.exp(draw.uniform(math.log(low), math.log(high), (n, 10)))
        heights, widths = np.rint(np.sqrt(area * ratio)), np.rint(np.sqrt(area / ratio))
        fits = (heights < height) & (widths < width)
        first = np.arange(n), fits.argmax(1)
        rows, columns = heights[first], widths[first]
        tops = np.floor(draw.random(n) * (height - rows + 1))
        lefts = np.floor(draw.random(n) * (width - columns + 1))
        chosen = fits.any(1) & (draw.random(n) < self.p)
        return _overwritten(batch, tops, lefts, np.where(chosen, rows, 0), columns, self.value)

    def _ends(self) -> tuple[tuple[float, float], tuple[float, float]]:
        tiny = float(np.finfo(np.float64).tiny)
        return ends("scale", self.scale, 0.0, 0.0, 1.0), ends("ratio", self.ratio, 1.0, tiny)


@dataclass(eq=False)
class Cutout(Transform):
    """Overwrites with zeros a square about a random pixel (DeVries and Taylor, 2017); it may reach over the edge.

    Args:
        size: Side of the square in pixels, or (height, width).
    """

    size: Size

    def __post_init__(self) -> None:
        pair("size", self.size)

    def apply(self, batch: Array) -> Array:
        """Overwrite."""
        n, _, height, width = batch.shape
        rows, columns = pair("size", self.size)
        draw = rng.generator()
        tops, lefts = draw.integers(0, height, (n,)) - rows // 2, draw.integers(0, width, (n,)) - columns // 2
        return _overwritten(batch, tops, lefts, np.full(n, rows), np.full(n, columns), 0)


def _from_picture(picture: Any) -> Array:
    from PIL import Image

    if not isinstance(picture, Image.Image):
        raise TypeError(f"transform: expected a NumPy array or a PIL image, got a {type(picture).__name__}")
    return from_pil(picture)


def pair(name: str, size: Size) -> tuple[int, int]:
    """Return (height, width); one number means both."""
    given = np.asarray(size)
    if given.shape not in ((), (2,)) or given.dtype.kind not in "iu" or given.min() < 1:
        raise ValueError(f"{name}: expected a whole number above 0 or two (height, width), got {size}")
    height, width = np.resize(given, 2).tolist()
    return height, width


def ends(
    name: str, given: Range, neutral: float, lowest: float = -np.inf, highest: float = np.inf
) -> tuple[float, float]:
    """Return the ends of a range.

    Args:
        name: Name of the range, for messages.
        given: (low, high); or one number d, for (``neutral`` - d, ``neutral`` + d), cut at ``lowest``.
        neutral: The value that changes nothing.
        lowest: The smallest end allowed.
        highest: The largest end allowed.

    Raises:
        ValueError: The range is empty or out of bounds.
    """
    values = np.asarray(given, np.float64)
    if values.shape == ():
        values = np.array([max(lowest, neutral - values), neutral + values])
    if values.shape != (2,) or not lowest <= values[0] <= values[1] <= highest:
        raise ValueError(
            f"{name}: expected a number or (lowest, highest) in {lowest:g}..{highest:g}, got {given}"
        )
    low, high = values.tolist()
    return low, high


def _space(batch: Array, size: Size) -> tuple[int, int]:
    """Return how far a window of ``size`` can move down and to the right."""
    height, width = pair("size", size)
    if height > batch.shape[2] or width > batch.shape[3]:
        raise ValueError(f"crop: expected images of at least {(height, width)}, got {batch.shape}")
    return batch.shape[2] - height, batch.shape[3] - width


def fill_value(transform: str, name: str, value: Any, dtype: np.dtype[Any]) -> Array:
    """Return the new value of pixels, one number or one for each channel, in the dtype of the images.

    Raises:
        ValueError: It is not a number, or the dtype cannot hold it: uint8 would cut 0.5 to 0 and wrap 256 to 0.
    """
    given = np.asarray(value)
    if given.dtype.kind in "biuf":
        with np.errstate(invalid="ignore", over="ignore"):
            held = given.astype(dtype)
        if dtype.kind == "f" or np.array_equal(held, given):
            return held
    raise ValueError(f"{transform}: expected a {name} that {dtype} images can hold, got {value!r}")


def require_probability(p: float) -> None:
    """Raise a ValueError if ``p`` is not in [0, 1]."""
    if not 0 <= p <= 1:
        raise ValueError(f"p: expected a probability in [0, 1], got {p}")


def _flipped(batch: Array, p: float, axis: int) -> Array:
    chosen = np.flatnonzero(rng.generator().random(len(batch)) < p)
    flipped = batch.copy()
    flipped[chosen] = np.flip(batch[chosen], axis)
    return flipped


def _overwritten(
    batch: Array, tops: Array, lefts: Array, heights: Array, widths: Array, value: float | Sequence[float]
) -> Array:
    """Return the batch with one rectangle of each image set to ``value``."""
    _, channels, height, width = batch.shape
    values = np.atleast_1d(fill_value("RandomErasing", "value", value, batch.dtype))
    if values.ndim != 1 or len(values) not in (1, channels):
        raise ValueError(
            f"RandomErasing: expected one value or {channels}, one for each channel, "
            f"got {len(values)} (images {batch.shape})"
        )
    down = np.arange(height) - tops[:, None]
    right = np.arange(width) - lefts[:, None]
    rows, columns = (down >= 0) & (down < heights[:, None]), (right >= 0) & (right < widths[:, None])
    inside = rows[:, None, :, None] & columns[:, None, None, :]
    return np.where(inside, values[:, None, None], batch)
