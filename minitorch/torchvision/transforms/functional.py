"""Single operations on pictures: ``torchvision.transforms.functional``. Pictures are of PIL, or tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...torch.dtypes import dtype as torch_dtype
from ...torch.dtypes import float32
from ...torch.tensor import Tensor, from_array, to_array
from ...vision.transforms import crop as frame
from ...vision.transforms import tone
from ...vision.transforms.base import in_dtype, pair
from ...vision.transforms.blur import gaussian_blurred, odd_pair, sharpened
from ...vision.transforms.color import brightened, contrasted, grey_of, hue_shifted, saturated
from ...vision.transforms.warp import affine as moved
from ...vision.transforms.warp import affine_matrix, middle
from ...vision.transforms.warp import perspective as projected
from .pictures import InterpolationMode, changed, picture_of, pixels, word


def to_tensor(pic: Any) -> Tensor:
    """Return a picture, or an array (H, W, C), as a tensor (C, H, W); bytes become float32 in [0, 1]."""
    if isinstance(pic, np.ndarray):
        array = pic[:, :, None] if pic.ndim == 2 else pic
        array = np.ascontiguousarray(array.transpose(2, 0, 1))
    else:
        array = pixels(pic)
        if array.dtype == np.uint16:
            array = array.astype(np.int16)
        if array.dtype == np.bool_:
            array = array.astype(np.uint8) * np.uint8(255)
    return from_array(array / np.float32(255) if array.dtype == np.uint8 else array)


def pil_to_tensor(pic: Any) -> Tensor:
    """Return a picture as it is stored (C, H, W)."""
    return from_array(pixels(pic))


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """Return a tensor (C, H, W), or an array (H, W, C), as a picture of PIL."""
    array = to_array(pic)
    if not isinstance(pic, Tensor) and array.ndim == 3:
        array = array.transpose(2, 0, 1)
    return picture_of(array, mode)


def convert_image_dtype(image: Tensor, dtype: torch_dtype = float32) -> Tensor:
    """Return bytes as fractions in [0, 1], or fractions as bytes."""
    if image.is_floating_point() == dtype.is_floating_point:
        return image.to(dtype)
    return image.to(dtype) / 255 if dtype.is_floating_point else (image * 255.999).to(dtype)


def get_dimensions(img: Any) -> list[int]:
    """Return channels, height and width."""
    shape = tuple(img.shape) if isinstance(img, Tensor) else pixels(img).shape
    return [1, *shape] if len(shape) == 2 else list(shape[-3:])


def get_image_size(img: Any) -> list[int]:
    """Return width and height."""
    return get_dimensions(img)[:0:-1]


def get_image_num_channels(img: Any) -> int:
    """Return the number of channels."""
    return get_dimensions(img)[0]


def normalize(tensor: Tensor, mean: Any, std: Any, inplace: bool = False) -> Tensor:
    """Subtract the mean of each channel and divide by its deviation."""
    if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
        raise TypeError("Input tensor should be a float tensor: use ToTensor first")
    x = to_array(tensor)
    m, s = (np.asarray(to_array(v), x.dtype).reshape(-1, 1, 1) for v in (mean, std))
    if not s.all():
        raise ValueError("std evaluated to zero, leading to division by zero.")
    out = (x - m) / s
    return tensor.copy_(from_array(out)) if inplace else from_array(out)


def resize(
    img: Any,
    size: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """Resize to (height, width), or the shorter edge to a number and the longer one to ``max_size`` at most."""
    mode = word(interpolation)
    if mode == "nearest" and not isinstance(img, Tensor):
        mode = "nearest-exact"  # Pillow's
    smooth = bool(antialias) or not isinstance(img, Tensor)
    return changed(img, frame.Resize(size, mode, max_size, smooth))


def pad(img: Any, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Any:
    """Pad a picture: all sides, (left and right, top and bottom), or (left, top, right, bottom)."""
    return changed(img, frame.Pad(padding, 0 if fill is None else fill, padding_mode))


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """Cut out a part; what lies outside the picture is 0."""

    def cut(batch: Any) -> Any:
        rows, columns = batch.shape[2:]
        beyond = (-left, -top, left + width - columns, top + height - rows)
        added = (max(beyond[0], 0), max(beyond[1], 0), max(beyond[2], 0), max(beyond[3], 0))
        padded = frame.pad("crop", batch, added)
        down, across = top + added[1], left + added[0]
        return padded[:, :, down : down + height, across : across + width]

    return changed(img, cut)


def center_crop(img: Any, output_size: Any) -> Any:
    """Cut out the centre; a smaller picture is padded with 0."""
    height, width = pair("output_size", output_size)
    _, rows, columns = get_dimensions(img)
    if height > rows or width > columns:
        down, across = max(height - rows, 0), max(width - columns, 0)
        img = pad(img, (across // 2, down // 2, (across + 1) // 2, (down + 1) // 2))
    return changed(img, frame.CenterCrop((height, width)))


def resized_crop(
    img: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """Cut out a part and resize it."""
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


def five_crop(img: Any, size: Any) -> tuple[Any, ...]:
    """Return the four corners and the centre."""
    return several(img, frame.FiveCrop(size))


def ten_crop(img: Any, size: Any, vertical_flip: bool = False) -> tuple[Any, ...]:
    """Return what `five_crop` does of the picture, and of the mirrored one."""
    return several(img, frame.TenCrop(size, vertical_flip))


def several(img: Any, transform: frame.FiveCrop | frame.TenCrop) -> tuple[Any, ...]:
    """Return the parts that a transform gives, each of the kind of ``img``."""
    count = 5 if isinstance(transform, frame.FiveCrop) else 10

    def part(k: int) -> Any:
        return changed(img, lambda batch: transform(batch)[k])

    return tuple(part(k) for k in range(count))


def hflip(img: Any) -> Any:
    """Mirror left to right."""
    return changed(img, lambda batch: batch[..., ::-1])


def vflip(img: Any) -> Any:
    """Mirror top to bottom."""
    return changed(img, lambda batch: batch[..., ::-1, :])


def rotate(
    img: Any,
    angle: float,
    interpolation: Any = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Sequence[float] | None = None,
    fill: Any = None,
) -> Any:
    """Rotate counter-clockwise, by degrees."""

    def rotated(batch: Any) -> Any:
        one = _one(middle(batch, center), -angle, (0, 0), 1.0, (0, 0), len(batch))
        return moved("rotate", batch, one, word(interpolation), 0 if fill is None else fill, expand)

    return changed(img, rotated)


def affine(
    img: Any,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Any,
    interpolation: Any = InterpolationMode.NEAREST,
    fill: Any = None,
    center: Sequence[float] | None = None,
) -> Any:
    """Rotate clockwise, shift, scale and shear."""
    lean = np.resize([*np.atleast_1d(shear), 0.0], 2) if np.size(shear) == 1 else shear

    def mapped(batch: Any) -> Any:
        one = _one(middle(batch, center), angle, translate, scale, lean, len(batch))
        return moved("affine", batch, one, word(interpolation), 0 if fill is None else fill)

    return changed(img, mapped)


def _one(center: tuple[float, float], angle: float, translate: Any, scale: float, shear: Any, n: int) -> Any:
    """Return the same matrix for ``n`` images."""
    matrix = affine_matrix(
        center, np.array([angle]), np.array([translate]), np.array([scale]), np.array([shear])
    )
    return np.repeat(matrix, n, 0)


def perspective(
    img: Any,
    startpoints: Any,
    endpoints: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    fill: Any = None,
) -> Any:
    """Move four points, each (x, y), to four others."""

    def mapped(batch: Any) -> Any:
        start, end = (
            np.tile(np.asarray(points, np.float64), (len(batch), 1, 1)) for points in (startpoints, endpoints)
        )
        return projected("perspective", batch, start, end, word(interpolation), 0 if fill is None else fill)

    return changed(img, mapped)


def _in_fractions(img: Any, change: Any) -> Any:
    """Change a picture as floats in [0, 1]; the result is clipped."""

    def scaled(batch: Any) -> Any:
        top = np.float32(255) if batch.dtype == np.uint8 else batch.dtype.type(1)
        return in_dtype(change(batch / top).clip(0, 1) * top, batch.dtype)

    return changed(img, scaled)


def _factor(name: str, value: float, batch: Any) -> Any:
    if not value >= 0:
        raise ValueError(f"{name}_factor ({value}) is not non-negative.")
    return np.full((len(batch), 1, 1, 1), value, batch.dtype if batch.dtype.kind == "f" else np.float64)


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """Scale all pixels."""
    return _in_fractions(img, lambda x: brightened(x, _factor("brightness", brightness_factor, x)))


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """Scale the distance from the mean grey."""
    return _in_fractions(img, lambda x: contrasted(x, _factor("contrast", contrast_factor, x)))


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """Scale the distance from each pixel's grey."""
    return _in_fractions(img, lambda x: saturated(x, _factor("saturation", saturation_factor, x)))


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """Rotate the hue by a fraction of its circle, in [-0.5, 0.5]."""
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    return _in_fractions(img, lambda x: hue_shifted(x, x.dtype.type(hue_factor)))


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """Return ``gain * pixel ** gamma``."""
    if not gamma >= 0:
        raise ValueError("Gamma should be a non-negative real number")
    return _in_fractions(img, lambda x: gain * x**gamma)


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """Return a picture of PIL in grey, with one channel or three."""
    return rgb_to_grayscale(img, num_output_channels)


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """Return a picture in grey, with one channel or three."""
    if num_output_channels not in (1, 3):
        raise ValueError("num_output_channels should be either 1 or 3")
    return changed(img, lambda batch: grey_of(batch, num_output_channels))


def gaussian_blur(img: Any, kernel_size: Any, sigma: Any = None) -> Any:
    """Average neighbours by a Gaussian of ``kernel_size`` (width, height) and deviation ``sigma`` (x, y)."""
    width, height = odd_pair(kernel_size)
    spread = np.resize([0.15 * size + 0.35 for size in (width, height)] if sigma is None else sigma, 2)
    if not spread.min() > 0:
        raise ValueError(f"sigma should have positive values. Got {sigma}")
    return changed(
        img, lambda batch: gaussian_blurred(batch, (height, width), np.tile(spread[::-1], (len(batch), 1)))
    )


def adjust_sharpness(img: Any, sharpness_factor: float) -> Any:
    """Scale the distance from the smoothed picture."""
    return changed(img, lambda batch: sharpened(batch, _factor("sharpness", sharpness_factor, batch).ravel()))


def invert(img: Any) -> Any:
    """Return white minus each level."""
    return changed(img, tone.inverted)


def posterize(img: Any, bits: int) -> Any:
    """Keep the highest bits of each level."""
    return changed(img, lambda batch: tone.posterized(batch, bits))


def solarize(img: Any, threshold: float) -> Any:
    """Invert the levels from ``threshold`` on."""
    return changed(img, lambda batch: tone.solarized(batch, threshold))


def autocontrast(img: Any) -> Any:
    """Stretch each channel to all levels."""
    return changed(img, tone.stretched)


def equalize(img: Any) -> Any:
    """Make the levels of each channel equally frequent."""
    return changed(img, tone.equalized)


def erase(img: Tensor, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Tensor:
    """Overwrite the rectangle at row ``i`` and column ``j`` with ``v``."""
    out = np.array(to_array(img))
    out[..., i : i + h, j : j + w] = to_array(v) if isinstance(v, Tensor) else v
    return img.copy_(from_array(out)) if inplace else from_array(out)
