"""Pictures of the three kinds that transforms take: tensors (..., C, H, W), images of PIL, arrays (H, W, C)."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np

from ...runtime import rng
from ...torch.tensor import Tensor, from_array, to_array


class InterpolationMode(Enum):
    """How pixels between pixels are computed."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


_PIL_NUMBERS = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")


def word(interpolation: Any) -> str:
    """Return the word of an interpolation mode, which may also be a number of PIL."""
    if isinstance(interpolation, int):
        return _PIL_NUMBERS[interpolation]
    return InterpolationMode(interpolation).value


def pixels(picture: Any) -> Any:
    """Return an image of PIL as an array (C, H, W) of its own channels; mode "1" as bools."""
    from PIL import Image

    if not isinstance(picture, Image.Image):
        raise TypeError(f"expected a tensor or an image of PIL, got a {type(picture).__name__}")
    array = np.array(picture)
    return array[None] if array.ndim == 2 else np.ascontiguousarray(array.transpose(2, 0, 1))


def picture_of(array: Any, mode: str | None = None) -> Any:
    """Return an array (C, H, W), or (H, W), as an image of PIL; floats are scaled by 255."""
    from PIL import Image

    array = array[None] if array.ndim == 2 else array
    if array.dtype.kind == "f" and mode != "F":
        array = (array * 255).astype(np.uint8)
    planes = np.ascontiguousarray(array.transpose(1, 2, 0))
    image = Image.fromarray(planes[:, :, 0] if planes.shape[2] == 1 else planes)
    return image if mode is None or image.mode == mode else image.convert(mode)


def changed(img: Any, change: Callable[[Any], Any]) -> Any:
    """Return a picture of the kind that was given, changed by a function from batches (N, C, H, W) to batches."""
    if isinstance(img, Tensor):
        array = to_array(img)
        batch = array.reshape(-1, *((1,) * (3 - array.ndim)), *array.shape[-3:])
        out = change(batch)
        ends = out.shape[-2:] if array.ndim == 2 else out.shape[-3:]
        return from_array(np.ascontiguousarray(out.reshape(*array.shape[:-3], *ends)))
    picture = img.convert(_DIRECT.get(img.mode, img.mode)) if _is_picture(img) else img
    return picture_of(change(pixels(picture)[None])[0])


_DIRECT = {"P": "RGB", "PA": "RGBA", "1": "L"}  # modes without levels that can be computed with


def _is_picture(img: Any) -> bool:
    from PIL import Image

    return isinstance(img, Image.Image)


def drawn(img: Any, transform: Callable[[Any], Any]) -> Any:
    """Return a picture changed by a random transform of `minitorch.vision`; all images of a batch by the same draw."""
    key = rng.new_key()

    def each(batch: Any) -> Any:
        if len(batch) == 0:
            return transform(batch)
        out = []
        for image in batch:
            with rng.seeded(key):
                out.append(transform(image))
        return np.stack(out)

    return changed(img, each)
