"""What transforms share: the class `Transform`, and checks of their settings.

Depends on NumPy and on `minitorch.runtime.rng`. A transform takes one image (C, H, W) or a batch (N, C, H, W), uint8 or
float in [0, 1], or a PIL image, and returns an array; its input stays as it is. Random ones draw for each image. Names,
arguments and defaults are those of ``torchvision.transforms``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from ...runtime import rng
from ...runtime.types import Array
from ..pictures import from_pil

Size: TypeAlias = int | Sequence[int]  # one number, or (height, width)
Range: TypeAlias = float | Sequence[float]  # one number, or (lowest, highest)
Fill: TypeAlias = float | Sequence[float]  # one number, or one for each channel


class Transform(ABC):
    """A callable from images to images; a subclass defines ``apply`` for a batch."""

    def __call__(self, image: Any) -> Any:
        """Transform an image (C, H, W), a batch (N, C, H, W) or a PIL image; return an array.

        Raises:
            TypeError: ``image`` is something else, or its dtype is neither uint8 nor float.
            ValueError: It has another number of dimensions.
        """
        batch, alone = as_batch(type(self).__name__, image)
        return self.apply(batch)[0] if alone else self.apply(batch)

    @abstractmethod
    def apply(self, batch: Array) -> Array:
        """Return the transformed batch (N, C, H', W'); ``batch`` (N, C, H, W) stays as it is."""


def as_batch(name: str, image: Any) -> tuple[Array, bool]:
    """Return an image or a batch as a batch, and whether it was a single image; ``name`` is for messages."""
    array = image if isinstance(image, np.ndarray) else _from_picture(image)
    if array.ndim not in (3, 4):
        raise ValueError(f"{name}: expected images (C, H, W) or (N, C, H, W), got shape {array.shape}")
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        raise TypeError(f"{name}: expected uint8 or float, got {array.dtype}")
    return (array[None], True) if array.ndim == 3 else (array, False)


def sometimes(batch: Array, p: float, change: Callable[[Array], Array]) -> Array:
    """Return the batch with ``change`` applied to each image with probability ``p``."""
    chosen = np.flatnonzero(rng.generator().random(len(batch)) < p)
    changed = batch.copy()
    if len(chosen):
        changed[chosen] = change(batch[chosen])
    return changed


def per_image(values: Array) -> Array:
    """Return one number for each image (N,) in a shape that broadcasts with a batch: (N, 1, 1, 1)."""
    return values.reshape(-1, 1, 1, 1)


def top_level(dtype: np.dtype[Any]) -> float:
    """Return the value of white: 255 for uint8, 1 for floats."""
    return 255 if dtype == np.uint8 else 1


def in_floats(batch: Array) -> Array:
    """Return levels as floats of the same scale: uint8 as float32 0..255, floats as they are."""
    return batch.astype(np.float32) if batch.dtype == np.uint8 else batch


def in_dtype(levels: Array, dtype: np.dtype[Any]) -> Array:
    """Return levels, of the scale of ``dtype``, in ``dtype``: for uint8 rounded and cut to 0..255."""
    return (
        np.rint(levels).clip(0, 255).astype(np.uint8)
        if dtype == np.uint8
        else levels.astype(dtype, copy=False)
    )


def _from_picture(picture: Any) -> Array:
    try:
        return from_pil(picture)
    except TypeError:
        raise TypeError(
            f"transform: expected a NumPy array or a PIL image, got a {type(picture).__name__}"
        ) from None


def pair(name: str, size: Size) -> tuple[int, int]:
    """Return (height, width); one number means both."""
    given = np.asarray(size)
    if given.shape not in ((), (1,), (2,)) or given.dtype.kind not in "iu" or given.min() < 1:
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
    with np.errstate(over="ignore", invalid="ignore"):
        bounded = values.shape == (2,) and values[1] - values[0] < np.inf
    if not bounded or not lowest <= values[0] <= values[1] <= highest:
        raise ValueError(
            f"{name}: expected a number or (lowest, highest) in {lowest:g}..{highest:g}, got {given}"
        )
    low, high = values.tolist()
    return low, high


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


def fill_values(transform: str, name: str, value: Any, batch: Array) -> Array:
    """Return the new value of pixels as (1, 1, 1) or (C, 1, 1).

    Raises:
        ValueError: There is not one value, or one for each channel; or the dtype cannot hold it.
    """
    values = np.atleast_1d(fill_value(transform, name, value, batch.dtype))
    if values.ndim != 1 or len(values) not in (1, batch.shape[1]):
        raise ValueError(
            f"{transform}: expected one {name} or {batch.shape[1]}, one for each channel, "
            f"got {len(values)} (images {batch.shape})"
        )
    return values[:, None, None]


def require_probability(p: float) -> None:
    """Raise a ValueError if ``p`` is not in [0, 1]."""
    if not 0 <= p <= 1:
        raise ValueError(f"p: expected a probability in [0, 1], got {p}")


def require_word(name: str, word: str, known: Sequence[str]) -> None:
    """Raise a ValueError if ``word`` is none of the known ones."""
    if word not in known:
        raise ValueError(f"{name}: expected one of {', '.join(known)}, got {word!r}")
