"""Transforms of the frame: size, padding, cutting out, overwriting a part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...runtime import rng
from ...torch.tensor import Tensor, to_array
from ...vision.transforms import crop, erase
from ...vision.transforms.base import pair
from . import functional as F
from .containers import Drawing, Named
from .pictures import InterpolationMode, word


def _size(size: Any) -> tuple[int, int]:
    return pair("size", size)


class Resize(Named):
    """Resizes to (height, width), or the shorter edge to a number."""

    def __init__(
        self,
        size: Any,
        interpolation: Any = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        self.size, self.interpolation, self.max_size, self.antialias = (
            size,
            interpolation,
            max_size,
            antialias,
        )
        crop.Resize(size, word(interpolation), max_size)  # wrong settings are an error now

    def forward(self, img: Any) -> Any:
        """Return the resized picture."""
        return F.resize(img, self.size, self.interpolation, self.max_size, self.antialias)

    def _shown(self) -> dict[str, Any]:
        return vars(self) | {"interpolation": word(self.interpolation)}


class CenterCrop(Named):
    """Cuts out the centre; smaller pictures are padded."""

    def __init__(self, size: Any) -> None:
        self.size = _size(size)

    def forward(self, img: Any) -> Any:
        """Return the part."""
        return F.center_crop(img, self.size)


class Pad(Named):
    """Pads a picture."""

    def __init__(self, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> None:
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode
        crop.Pad(padding, fill, padding_mode)  # wrong settings are an error now

    def forward(self, img: Any) -> Any:
        """Return the padded picture."""
        return F.pad(img, self.padding, self.fill, self.padding_mode)


class RandomCrop(Drawing):
    """Cuts out a random part, after padding."""

    def __init__(
        self,
        size: Any,
        padding: Any = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:
        self.size, self.padding = _size(size), padding
        self.pad_if_needed, self.fill, self.padding_mode = pad_if_needed, fill, padding_mode
        self._core = crop.RandomCrop(self.size, padding, fill, pad_if_needed, padding_mode)

    @staticmethod
    def get_params(img: Any, output_size: Any) -> tuple[int, int, int, int]:
        """Draw a part: top, left, height, width."""
        _, height, width = F.get_dimensions(img)
        rows, columns = _size(output_size)
        if rows > height or columns > width:
            raise ValueError(
                f"Required crop size {(rows, columns)} is larger than input image size {(height, width)}"
            )
        draw = rng.generator()
        return int(draw.integers(height - rows + 1)), int(draw.integers(width - columns + 1)), rows, columns

    def _shown(self) -> dict[str, Any]:
        return {"size": self.size, "padding": self.padding}


class RandomResizedCrop(Drawing):
    """Cuts out a rectangle of random area and proportions, and resizes it."""

    def __init__(
        self,
        size: Any,
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: Any = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        self.size, self.scale, self.ratio = _size(size), scale, ratio
        self.interpolation, self.antialias = interpolation, antialias
        self._core = crop.RandomResizedCrop(self.size, scale, ratio, word(interpolation), bool(antialias))

    @staticmethod
    def get_params(img: Any, scale: Sequence[float], ratio: Sequence[float]) -> tuple[int, int, int, int]:
        """Draw a rectangle: top, left, height, width."""
        _, height, width = F.get_dimensions(img)
        top, left, rows, columns = (
            crop.RandomResizedCrop(1, scale, ratio).windows(1, height, width)[0].tolist()
        )
        return top, left, rows, columns

    def _shown(self) -> dict[str, Any]:
        rounded = {name: tuple(round(x, 4) for x in vars(self)[name]) for name in ("scale", "ratio")}
        return {"size": self.size, **rounded, "interpolation": word(self.interpolation)} | {
            "antialias": self.antialias
        }


class FiveCrop(Named):
    """Cuts out the four corners and the centre."""

    def __init__(self, size: Any) -> None:
        self.size = _size(size)

    def forward(self, img: Any) -> tuple[Any, ...]:
        """Return the five parts."""
        return F.five_crop(img, self.size)


class TenCrop(Named):
    """Cuts out what `FiveCrop` does, of the picture and of the mirrored one."""

    def __init__(self, size: Any, vertical_flip: bool = False) -> None:
        self.size, self.vertical_flip = _size(size), vertical_flip

    def forward(self, img: Any) -> tuple[Any, ...]:
        """Return the ten parts."""
        return F.ten_crop(img, self.size, self.vertical_flip)


class RandomErasing(Drawing):
    """Overwrites a random rectangle with probability ``p``."""

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: Any = 0,
        inplace: bool = False,
    ) -> None:
        self.p, self.scale, self.ratio, self.value, self.inplace = p, scale, ratio, value, inplace
        self._core = erase.RandomErasing(p, scale, ratio, value)

    def forward(self, img: Tensor) -> Tensor:
        """Return the tensor."""
        if not isinstance(img, Tensor):
            raise TypeError(f"img should be a tensor: use ToTensor first, got a {type(img).__name__}")
        out: Tensor = super().forward(img)
        return img.copy_(out) if self.inplace and to_array(img).size else out
