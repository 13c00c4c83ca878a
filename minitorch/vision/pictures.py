"""PIL images as arrays: what the channels of each mode become. Depends on NumPy; Pillow is imported when needed."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ..runtime.types import Array

Mode = Literal["RGB", "L"]
_WIDE = (
    "I;16",
    "I;16L",
    "I;16B",
    "I;16N",
    "I",
)  # whole numbers of 16 bits; Pillow also keeps them as 32 bits
_ORIENTATION = 0x0112  # tag of EXIF


def from_pil(picture: Any, mode: Mode | None = None) -> Array:
    """Return a PIL image as uint8 (C, H, W).

    Palettes become colours. Grey levels of 16 bits are scaled to 8 bits (65535 becomes 255), floats from [0, 1] to
    0..255. What is transparent shows white behind it.

    Args:
        picture: The PIL image.
        mode: "RGB" for three channels, "L" for one (grey, ITU-R BT.601); by default one for grey pictures, else three.

    Raises:
        TypeError: ``picture`` is no PIL image.
        ValueError: Its numbers are outside 0..65535 (whole numbers) or [0, 1] (floats).
    """
    from PIL import Image

    if not isinstance(picture, Image.Image):
        raise TypeError(f"from_pil: expected a PIL image, got a {type(picture).__name__}")
    if picture.mode in _WIDE:
        grey = _scaled("whole numbers in 0..65535", np.asarray(picture).astype(np.float64), 65535)
        return grey if mode != "RGB" else np.repeat(grey, 3, 0)
    if picture.mode == "F":
        grey = _scaled("floats in [0, 1]", np.asarray(picture).astype(np.float64), 1)
        return grey if mode != "RGB" else np.repeat(grey, 3, 0)
    if is_transparent(picture):
        mode = mode or ("L" if picture.mode in ("LA", "La", "L", "1") else "RGB")
        picture = _on_white(picture)
    pixels = np.array(picture.convert(mode or ("L" if picture.mode in ("1", "L") else "RGB")))
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def upright(picture: Any) -> Any:
    """Return a PIL image turned as its EXIF orientation says: cameras store the sensor's rows and that number."""
    from PIL import ImageOps

    # Only a turn that is asked for: damaged EXIF data must not keep a sound picture from being read.
    try:
        turned = picture.getexif().get(_ORIENTATION, 1) in range(2, 9)
    except Exception:  # a parser of Pillow may raise anything
        return picture
    return ImageOps.exif_transpose(picture) if turned else picture


def is_transparent(picture: Any) -> bool:
    """Tell whether a PIL image has an alpha channel or a transparent colour."""
    return picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info


def to_uint8(images: Array) -> Array:
    """Return images as uint8; floats are clipped to [0, 1] and rounded."""
    return images if images.dtype == np.uint8 else np.rint(images.clip(0, 1) * 255).astype(np.uint8)


def _on_white(picture: Any) -> Any:
    from PIL import Image

    if picture.mode in ("La", "RGBa"):  # colours multiplied by alpha
        picture = picture.convert("LA" if picture.mode == "La" else "RGBA")
    picture = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")


def _scaled(expected: str, values: Array, top: int) -> Array:
    low, high = (values.min(), values.max()) if values.size else (0, 0)
    if not 0 <= low <= high <= top:
        raise ValueError(f"picture: expected {expected}, got {low:g}..{high:g}")
    return np.rint(values * (255 / top)).astype(np.uint8)[None]
