"""Images for dashboards: a grid of images, and PNG files made with the standard library.

Depends on NumPy and on the grid of `minitorch.vision`; no drawing library is needed.
"""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from ..vision.io import grid

Array = npt.NDArray[Any]
Pixels = npt.NDArray[np.uint8]

BORDER = 2  # pixels between images and around them
BORDER_GREY = 205
MIN_WIDTH = 56  # of an image: smaller ones are enlarged
MAX_SCALE = 12


def grey_levels(array: Array) -> Pixels:
    """Return uint8 images as they are, others scaled from their own minimum (0) to their maximum (255).

    Values that are not finite become white, and so do images that have the same value everywhere.
    """
    if array.dtype == np.uint8:
        return array
    values = np.asarray(array, float)
    known = np.isfinite(values)
    low, high = (values[known].min(), values[known].max()) if known.any() else (0.0, 0.0)
    if not low < high:
        return np.full(values.shape, 255, np.uint8)
    scaled = (values - low) * (255.0 / (high - low))
    return np.where(known, scaled, 255.0).round().astype(np.uint8)


def image_grid(array: Array, columns: int) -> Pixels:
    """Lay out images (N, H, W), (N, 1, H, W) or (N, 3, H, W) in rows, each enlarged by a whole factor.

    Returns:
        uint8 pixels (height, width), or (height, width, 3) for images with three channels.
    """
    levels = grey_levels(array)
    if levels.ndim == 3:
        levels = levels[:, None]
    columns = max(min(columns, len(levels)), 1)
    scale = min(-(-MIN_WIDTH // levels.shape[3]), MAX_SCALE)
    large = levels.repeat(scale, axis=2).repeat(scale, axis=3)
    # Each image with the border on its left and above it; the rest of the last row is border.
    blanks = -len(large) % columns
    tiles = np.pad(large, ((0, blanks), (0, 0), (BORDER, 0), (BORDER, 0)), constant_values=BORDER_GREY)
    tiles[len(large) :] = BORDER_GREY
    laid = grid(tiles, nrow=columns, padding=0)
    laid = np.pad(laid, ((0, 0), (0, BORDER), (0, BORDER)), constant_values=BORDER_GREY)
    return laid[0] if len(laid) == 1 else laid.transpose(1, 2, 0)


def png(pixels: Pixels) -> bytes:
    """Return the PNG file of a grey (H, W) or RGB (H, W, 3) image."""
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).reshape(height, -1)
    # PNG filter 2: each row as its difference from the row above. Rows of enlarged images repeat: zeros compress well.
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = 2
    filtered[:, 1:] = rows
    filtered[1:, 1:] -= rows[:-1]
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if pixels.ndim == 3 else 0, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes(), 3)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def data_url(pixels: Pixels) -> str:
    """Return an image as a ``data:`` URL, which holds the whole PNG file."""
    return "data:image/png;base64," + base64.b64encode(png(pixels)).decode("ascii")
