"""Single operations on pictures: ``torchvision.transforms.functional``. A picture is of PIL, an array or a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...torch.tensor import Tensor, from_array, to_array
from ...vision import transforms as core


def _pixels(pic: Any) -> Any:
    """Return a picture as an array (C, H, W)."""
    return to_array(pic) if isinstance(pic, Tensor) else core.from_pil(pic)


def apply(transform: Any, pic: Any) -> Any:
    """Apply a transform of `minitorch.vision` to a picture; return the kind that was given."""
    found = transform(_pixels(pic))
    if isinstance(pic, Tensor):
        return from_array(np.ascontiguousarray(found))
    return to_pil_image(from_array(np.ascontiguousarray(found)))


def to_tensor(pic: Any) -> Tensor:
    """Return a picture, or an array (H, W, C), as a tensor (C, H, W); bytes become float32 in [0, 1]."""
    if isinstance(pic, np.ndarray):
        array = pic[:, :, None] if pic.ndim == 2 else pic
        array = np.ascontiguousarray(array.transpose(2, 0, 1))
    else:
        array = core.from_pil(pic)
    return (
        from_array(array.astype(np.float32) / np.float32(255))
        if array.dtype == np.uint8
        else from_array(array)
    )


def pil_to_tensor(pic: Any) -> Tensor:
    """Return a picture as bytes (C, H, W)."""
    return from_array(core.from_pil(pic))


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """Return a tensor (C, H, W), or an array (H, W, C), as a picture of PIL."""
    from PIL import Image

    array = to_array(pic)
    if isinstance(pic, Tensor):
        array = (array[None] if array.ndim == 2 else array).transpose(1, 2, 0)
    if array.dtype.kind == "f":
        array = (array * 255).astype(np.uint8)
    return Image.fromarray(array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array, mode)


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


def resize(img: Any, size: Any, **ignored: Any) -> Any:
    """Resize to (height, width), or the shorter edge to a number, by linear interpolation."""
    if isinstance(size, int):
        height, width = _pixels(img).shape[-2:]
        short = min(height, width)
        size = (size * height // short, size * width // short)
    return apply(core.Resize(tuple(size)), img)


def center_crop(img: Any, output_size: Any) -> Any:
    """Cut out the centre."""
    return apply(core.CenterCrop(output_size if isinstance(output_size, int) else tuple(output_size)), img)


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """Cut out a part."""
    return apply(lambda x: x[..., top : top + height, left : left + width], img)


def hflip(img: Any) -> Any:
    """Mirror left to right."""
    return apply(lambda x: x[..., ::-1], img)


def vflip(img: Any) -> Any:
    """Mirror top to bottom."""
    return apply(lambda x: x[..., ::-1, :], img)


def pad(img: Any, padding: Any, fill: float = 0, padding_mode: str = "constant") -> Any:
    """Pad a picture: all sides, (left and right, top and bottom), or (left, top, right, bottom)."""
    given = [padding] if isinstance(padding, int) else list(padding)
    left, top, right, bottom = given * 4 if len(given) == 1 else given * 2 if len(given) == 2 else given
    modes = {"constant": "constant", "edge": "edge", "reflect": "reflect", "symmetric": "symmetric"}
    more = {"constant_values": fill} if padding_mode == "constant" else {}

    def padded(x: Any) -> Any:
        widths = [(0, 0)] * (x.ndim - 2) + [(top, bottom), (left, right)]
        return np.pad(x, widths, modes[padding_mode], **more)  # type: ignore[call-overload]

    return apply(padded, img)
