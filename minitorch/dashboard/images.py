"""Pictures as pixels, without a drawing library: sheets of images, and PNG files from the standard library.

It refuses to know what is shown and where.
"""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Pixels = npt.NDArray[np.uint8]

BORDER = 2  # pixels between images
FRAME = 205  # their grey
SIDE = 56  # small images are enlarged to be no narrower


def grey_levels(array: Array) -> Pixels:
    """Return uint8 images as they are, others scaled from their own minimum (0) to their maximum (255).

    What is not finite becomes white, and so do images that are the same everywhere.
    """
    if array.dtype == np.uint8:
        return array
    values = np.asarray(array, float)
    good = np.isfinite(values)
    low, high = (values[good].min(), values[good].max()) if good.any() else (0.0, 0.0)
    if not low < high:
        return np.full(values.shape, 255, np.uint8)
    scaled = (values - low) * (255.0 / (high - low))
    return np.where(good, scaled, 255.0).round().astype(np.uint8)


def sheet(array: Array, columns: int) -> Pixels:
    """Lay out images (N, H, W), (N, 1, H, W) or (N, 3, H, W) in rows, enlarged by a whole factor.

    Returns:
        (height, width), or (height, width, 3) for images in colours.
    """
    levels = grey_levels(array)
    if levels.ndim == 4:
        levels = levels[:, 0] if levels.shape[1] == 1 else levels.transpose(0, 2, 3, 1)
    count, height, width = levels.shape[:3]
    columns = max(min(columns, count), 1)
    factor = min(-(-SIDE // width), 12)
    large = levels.repeat(factor, axis=1).repeat(factor, axis=2)
    height, width = height * factor, width * factor
    rows = -(-count // columns)
    whole = (rows * (height + BORDER) + BORDER, columns * (width + BORDER) + BORDER, *levels.shape[3:])
    canvas = np.full(whole, FRAME, np.uint8)
    for n, image in enumerate(large):
        top = BORDER + n // columns * (height + BORDER)
        left = BORDER + n % columns * (width + BORDER)
        canvas[top : top + height, left : left + width] = image
    return canvas


def png(pixels: Pixels) -> bytes:
    """Return a grey (H, W) or coloured (H, W, 3) picture as a PNG file."""
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).reshape(height, -1)
    # Each row as its difference from the one above: rows of enlarged images repeat, and zeros cost nothing.
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = 2
    filtered[:, 1:] = rows
    filtered[1:, 1:] -= rows[:-1]
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if pixels.ndim == 3 else 0, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes(), 3)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def data_address(pixels: Pixels) -> str:
    """Return a picture as an address that holds it whole, for a page."""
    return "data:image/png;base64," + base64.b64encode(png(pixels)).decode("ascii")
