"""Reads and writes pictures, and lays a batch of images out as a grid.

Depends on Pillow (and on requests for an address), which are imported when they are used. An image is an array
(C, H, W), uint8 or float in [0, 1].
"""

from __future__ import annotations

import io
import os
import time
import warnings
from typing import IO, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .pictures import Mode, from_pil, to_uint8, upright

Source: TypeAlias = str | os.PathLike[str] | IO[bytes]

# Formats that Pillow decodes itself. EPS is not one: Pillow would start Ghostscript with the file.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "TGA", "ICO", "PCX", "JPEG2000", "AVIF")
MAX_PIXELS = (1 << 28) // 3  # Pillow's limit, above which it only warns
MAX_BYTES = 1 << 26  # of a download
MAX_SECONDS = 60.0


def read_image(source: Source, mode: Mode = "RGB") -> npt.NDArray[np.uint8]:
    """Read a picture as uint8 (C, H, W), three channels for ``"RGB"``, one for ``"L"`` (grey).

    A photograph is turned upright by its EXIF orientation. Grey levels of 16 bits are scaled to 8 bits, palettes become
    colours, and what is transparent shows white behind it. Of an animation it is the first picture.

    Args:
        source: A path, a file open for reading bytes, or an http(s) address (which has 10 s to answer).
        mode: The channels; the picture is converted. By default "RGB".

    Raises:
        ValueError: ``mode`` is another word.
        FileNotFoundError: No such file.
        OSError: The address does not answer, or what it gives is not a whole picture of a known format (`FORMATS`), or
            has more than `MAX_PIXELS` pixels; a download has at most `MAX_BYTES` bytes and takes at most
            `MAX_SECONDS` seconds.
    """
    if mode not in ("RGB", "L"):
        raise ValueError(f"read_image: expected mode 'RGB' or 'L', got {mode!r}")
    from PIL import Image

    remote = isinstance(source, str) and source.startswith(("http://", "https://"))
    file: Any = io.BytesIO(_download(str(source))) if remote else source
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # it is an error here
            Image.init()  # an older Pillow may lack a format
            with Image.open(file, formats=[f for f in FORMATS if f in Image.OPEN]) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    raise ValueError(f"expected at most {MAX_PIXELS} pixels, got {width} x {height}")
                return from_pil(upright(picture), mode)
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged picture may raise anything
        raise OSError(f"cannot read picture {source}: {error}") from None


def save_image(image: npt.ArrayLike, path: Source) -> None:
    """Write an image as PNG.

    Args:
        image: (C, H, W) with one or three channels, or (H, W); uint8, or float, which is clipped to [0, 1].
        path: A path, or a file open for writing bytes.

    Raises:
        ValueError: The image has another shape.
        TypeError: It has another dtype.
    """
    from PIL import Image

    array = np.asarray(image)
    planes = array[None] if array.ndim == 2 else array
    if planes.ndim != 3 or planes.shape[0] not in (1, 3):
        raise ValueError(f"save_image: expected shape (1, H, W), (3, H, W) or (H, W), got {array.shape}")
    if planes.dtype != np.uint8 and planes.dtype.kind != "f":
        raise TypeError(f"save_image: expected uint8 or float in [0, 1], got {planes.dtype}")
    pixels = to_uint8(planes)
    Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0).copy()).save(
        path, format="PNG"
    )


def grid(images: npt.ArrayLike, nrow: int = 8, padding: int = 2) -> npt.NDArray[Any]:
    """Lay a batch (N, C, H, W) out as one image (C, height, width), on a background of zeros.

    Args:
        images: The batch; its dtype is kept.
        nrow: Images in a row, by default 8.
        padding: Pixels between images and around them, by default 2.

    Raises:
        ValueError: The batch has another shape or no images, ``nrow`` < 1 or ``padding`` < 0.
    """
    batch = np.asarray(images)
    if batch.ndim != 4 or not batch.size or nrow < 1 or padding < 0:
        raise ValueError(
            "grid: expected images (N, C, H, W), nrow of at least 1 and padding of at least 0, "
            f"got {batch.shape}, {nrow} and {padding}"
        )
    n, channels, height, width = batch.shape
    columns = min(nrow, n)
    rows = -(-n // columns)
    # Each image gets its padding at the top and at the left; the last row and column get theirs at the end.
    tiles = np.zeros((rows * columns, channels, height + padding, width + padding), batch.dtype)
    tiles[:n, :, padding:, padding:] = batch
    sheet = tiles.reshape(rows, columns, *tiles.shape[1:]).transpose(2, 0, 3, 1, 4)
    sheet = sheet.reshape(channels, rows * (height + padding), columns * (width + padding))
    return np.pad(sheet, ((0, 0), (0, padding), (0, padding)))


def _download(address: str) -> bytes:
    import requests
    import urllib3

    end = time.monotonic() + MAX_SECONDS
    # Some hosts of pictures do not answer the user agent of requests.
    headers = {"User-Agent": "minitorch", "Accept-Encoding": "identity"}
    content = bytearray()
    try:
        with requests.get(address, headers=headers, timeout=10, stream=True) as answer:
            answer.raise_for_status()
            while chunk := answer.raw.read1(1 << 16, decode_content=True):
                content += chunk
                if len(content) > MAX_BYTES:
                    raise OSError(
                        f"cannot read picture {address}: expected at most {MAX_BYTES} bytes, got more"
                    )
                if time.monotonic() > end:
                    raise OSError(f"cannot read picture {address}: it took longer than {MAX_SECONDS:g} s")
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise OSError(f"cannot read picture {address}: {type(error).__name__}: {error}") from None
    return bytes(content)
