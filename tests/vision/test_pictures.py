"""Pictures of odd kinds, made by Pillow: 16 bits, palettes, alpha, EXIF; and files that are damaged."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from minitorch import vision
from minitorch.vision.io import read_image
from minitorch.vision.pictures import from_pil

RAMP = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5


def stored(picture: Image.Image, kind: str = "PNG", **settings: Any) -> io.BytesIO:
    file = io.BytesIO()
    picture.save(file, kind, **settings)
    file.seek(0)
    return file


def colours() -> np.ndarray:
    return np.stack([RAMP, RAMP[::-1], np.full_like(RAMP, 90)], -1)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_grey_of_16_bits(kind: str) -> None:
    levels = RAMP.astype(np.uint16) * 257
    file = stored(Image.fromarray(levels), kind)
    assert np.array_equal(read_image(file, "L")[0], RAMP)
    file.seek(0)
    assert np.array_equal(read_image(file), np.repeat(RAMP[None], 3, 0))
    faint = stored(Image.fromarray(np.full((2, 2), 128, np.uint16)), kind)
    assert read_image(faint, "L").max() == 0  # 128 of 65535 is nearly black


def test_grey_of_32_bits_and_floats() -> None:
    whole = Image.fromarray(RAMP.astype(np.int32) * 257)
    assert np.array_equal(read_image(stored(whole, "TIFF"), "L")[0], RAMP)
    fractions = Image.fromarray((RAMP / 255).astype(np.float32))
    assert np.array_equal(read_image(stored(fractions, "TIFF"), "L")[0], RAMP)
    for wrong in (
        np.full((2, 2), 70000, np.int32),
        np.full((2, 2), 3.5, np.float32),
        np.full((2, 2), np.nan, "f4"),
    ):
        with pytest.raises(OSError, match=r"cannot read picture .*expected (whole numbers|floats) in"):
            read_image(stored(Image.fromarray(wrong), "TIFF"))


def test_palettes_become_colours() -> None:
    picture = Image.fromarray(colours()).quantize(256)
    expected = np.asarray(picture.convert("RGB")).transpose(2, 0, 1)
    assert np.array_equal(read_image(stored(picture)), expected)
    assert np.abs(read_image(stored(picture, "GIF")).astype(int) - expected).max() <= 1
    assert read_image(stored(picture), "L").shape == (1, 6, 8)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_shows_white(mode: str) -> None:
    picture = Image.fromarray(colours()).convert(mode)
    alpha = np.zeros((6, 8), np.uint8)
    alpha[:, 2:4], alpha[:, 4:] = 128, 255
    picture.putalpha(Image.fromarray(alpha))
    found = read_image(stored(picture)).astype(int)
    solid = np.asarray(picture.convert("RGB")).transpose(2, 0, 1).astype(int)
    assert (found[:, :, :2] == 255).all()
    assert np.abs(found[:, :, 2:4] - (solid[:, :, 2:4] * 128 + 255 * 127) / 255).max() <= 1
    assert np.array_equal(found[:, :, 4:], solid[:, :, 4:])
    assert from_pil(picture).shape[0] == (1 if mode == "LA" else 3)


def test_a_transparent_colour_shows_white() -> None:
    picture = Image.fromarray(RAMP).quantize(64)
    index = np.asarray(picture)
    found = read_image(stored(picture, transparency=int(index[0, 0])))
    assert (found[:, index == index[0, 0]] == 255).all()
    assert (found[:, index != index[0, 0]] < 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_turned_upright(orientation: int) -> None:
    """The stored rows are turned as a camera does; the reader turns them back."""
    upright = Image.fromarray(colours())
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    sensor = upright.transpose(turns[orientation]) if orientation in turns else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(read_image(stored(sensor, exif=exif)), colours().transpose(2, 0, 1))


def test_damaged_exif_does_not_hide_a_picture() -> None:
    for exif in (b"Exif\x00\x00", b"Exif\x00\x00II*\x00\xff\xff\xff\xff", b"Exif\x00\x00MM\x00*" + bytes(60)):
        file = stored(Image.fromarray(colours()), exif=exif)
        assert np.array_equal(read_image(file), colours().transpose(2, 0, 1))


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "CMYK", "YCbCr", "HSV"])
def test_other_modes(mode: str) -> None:
    picture = Image.fromarray(colours()).convert(mode)
    kind = "JPEG" if mode in ("CMYK", "YCbCr") else "TIFF" if mode != "HSV" else None
    array = from_pil(picture) if kind is None else read_image(stored(picture, kind))
    assert (array.dtype, array.shape) == (np.uint8, (3, 6, 8))


def test_damaged_files_are_one_error() -> None:
    whole = stored(
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8))
    ).getvalue()
    draw = np.random.default_rng(1)
    for k in range(60):
        damaged = bytearray(whole[: draw.integers(1, len(whole))] if k % 2 else whole)
        for _ in range(k // 10):
            damaged[draw.integers(len(damaged))] = draw.integers(256)
        with contextlib.suppress(OSError):  # anything else fails the test
            assert read_image(io.BytesIO(bytes(damaged))).dtype == np.uint8


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 3)])
def test_tiny_pictures_pass_transforms(size: tuple[int, int]) -> None:
    image = np.full((3, *size), 7, np.uint8)
    for transform in (
        vision.Resize(5),
        vision.RandomResizedCrop(4),
        vision.RandomAffine(20, (0.1, 0.1), (0.5, 2), 10, "bicubic"),
        vision.RandomPerspective(1.0, 1.0),
        vision.Pad(3, padding_mode="reflect"),
        vision.RandomErasing(1.0),
        vision.RandomAdjustSharpness(2, 1.0),
        vision.RandomEqualize(1.0),
        vision.AutoAugment(),
        vision.RandAugment(),
        vision.TrivialAugmentWide(),
    ):
        for _ in range(3):
            assert transform(image).dtype == np.uint8
