"""Transforms of pictures: those of `minitorch.vision` for tensors and pictures of PIL, under torchvision's names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...runtime import rng
from ...torch.dtypes import dtype, float32
from ...torch.tensor import Tensor
from ...vision import color
from ...vision import transforms as core
from . import functional as F


class Compose:
    """Transforms one after the other."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, img: Any) -> Any:
        for t in self.transforms:
            img = t(img)
        return img

    def __repr__(self) -> str:
        return "Compose(\n" + "\n".join(f"    {t}" for t in self.transforms) + "\n)"


class _Named:
    """A transform whose ``repr`` shows its settings."""

    def __call__(self, img: Any) -> Any:
        return self.forward(img)

    def forward(self, img: Any) -> Any:
        """Return the transformed picture; a subclass defines it."""
        raise NotImplementedError

    def _shown(self) -> dict[str, Any]:
        return {k: v for k, v in vars(self).items() if k[0] != "_"}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v}' for k, v in self._shown().items())})"


class ToTensor(_Named):
    """Pictures and arrays (H, W, C) to tensors (C, H, W); bytes to float32 in [0, 1]."""

    def __repr__(self) -> str:
        return "ToTensor()"

    def forward(self, pic: Any) -> Tensor:
        """Return the tensor."""
        return F.to_tensor(pic)


class PILToTensor(_Named):
    """Pictures to tensors of bytes (C, H, W)."""

    def __repr__(self) -> str:
        return "PILToTensor()"

    def forward(self, pic: Any) -> Tensor:
        """Return the tensor."""
        return F.pil_to_tensor(pic)


class ToPILImage(_Named):
    """Tensors (C, H, W) and arrays (H, W, C) to pictures."""

    def __init__(self, mode: str | None = None) -> None:
        self._mode = mode

    def __repr__(self) -> str:
        return "ToPILImage()"

    def forward(self, pic: Any) -> Any:
        """Return the picture."""
        return F.to_pil_image(pic, self._mode)


class ConvertImageDtype(_Named):
    """Bytes to fractions in [0, 1] and back."""

    def __init__(self, dtype: dtype = float32) -> None:
        self.dtype = dtype

    def forward(self, img: Tensor) -> Tensor:
        """Return the tensor in the dtype."""
        if img.is_floating_point() == self.dtype.is_floating_point:
            return img.to(self.dtype)
        return img.to(self.dtype) / 255 if self.dtype.is_floating_point else (img * 255.999).to(self.dtype)


class Normalize(_Named):
    """Subtracts the mean of each channel and divides by its deviation."""

    def __init__(self, mean: Any, std: Any, inplace: bool = False) -> None:
        self.mean, self.std, self._inplace = mean, std, inplace

    def forward(self, tensor: Tensor) -> Tensor:
        """Return the normalized tensor."""
        return F.normalize(tensor, self.mean, self.std, self._inplace)


class Lambda(_Named):
    """Calls a function."""

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__}")
        self._lambd = lambd

    def forward(self, img: Any) -> Any:
        """Return what the function returns."""
        return self._lambd(img)


class Resize(_Named):
    """Resizes to (height, width), or the shorter edge to a number."""

    def __init__(
        self, size: Any, interpolation: Any = "bilinear", max_size: Any = None, antialias: Any = True
    ) -> None:
        self.size, self._interpolation = size, interpolation

    def forward(self, img: Any) -> Any:
        """Return the resized picture."""
        return F.resize(img, self.size)


class CenterCrop(_Named):
    """Cuts out the centre."""

    def __init__(self, size: Any) -> None:
        self.size = (size, size) if isinstance(size, int) else tuple(size)

    def forward(self, img: Any) -> Any:
        """Return the part."""
        return F.center_crop(img, self.size)


class Pad(_Named):
    """Pads a picture."""

    def __init__(self, padding: Any, fill: float = 0, padding_mode: str = "constant") -> None:
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode

    def forward(self, img: Any) -> Any:
        """Return the padded picture."""
        return F.pad(img, self.padding, self.fill, self.padding_mode)


class RandomCrop(_Named):
    """Cuts out a random part, after padding."""

    def __init__(
        self,
        size: Any,
        padding: Any = None,
        pad_if_needed: bool = False,
        fill: float = 0,
        padding_mode: str = "constant",
    ) -> None:
        self.size, self.padding = ((size, size) if isinstance(size, int) else tuple(size)), padding
        self._fill, self._mode = fill, padding_mode

    def forward(self, img: Any) -> Any:
        """Return the part."""
        padded = img if self.padding is None else F.pad(img, self.padding, self._fill, self._mode)
        return F.apply(core.RandomCrop(self.size), padded)


class RandomHorizontalFlip(_Named):
    """Mirrors left to right with probability ``p``."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def forward(self, img: Any) -> Any:
        """Return the picture."""
        return F.hflip(img) if rng.generator().random() < self.p else img


class RandomVerticalFlip(_Named):
    """Mirrors top to bottom with probability ``p``."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def forward(self, img: Any) -> Any:
        """Return the picture."""
        return F.vflip(img) if rng.generator().random() < self.p else img


class RandomRotation(_Named):
    """Rotates by a random angle, in degrees."""

    def __init__(self, degrees: Any, **ignored: Any) -> None:
        self.degrees = [-degrees, degrees] if isinstance(degrees, int | float) else list(degrees)

    def forward(self, img: Any) -> Any:
        """Return the rotated picture."""
        return F.apply(core.RandomRotation((self.degrees[0], self.degrees[1])), img)


class ColorJitter(_Named):
    """Changes brightness, contrast, saturation and hue at random."""

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0) -> None:
        self.brightness, self.contrast, self.saturation, self.hue = brightness, contrast, saturation, hue
        self._core = color.ColorJitter(brightness, contrast, saturation, hue)

    def forward(self, img: Any) -> Any:
        """Return the changed picture."""
        return F.apply(self._core, img)


class Grayscale(_Named):
    """Makes pictures grey."""

    def __init__(self, num_output_channels: int = 1) -> None:
        self.num_output_channels = num_output_channels

    def forward(self, img: Any) -> Any:
        """Return the grey picture."""
        return F.apply(color.Grayscale(self.num_output_channels), img)


class RandomErasing(_Named):
    """Overwrites a random rectangle with probability ``p``."""

    def __init__(
        self,
        p: float = 0.5,
        scale: Any = (0.02, 0.33),
        ratio: Any = (0.3, 3.3),
        value: Any = 0,
        inplace: bool = False,
    ) -> None:
        self.p, self.scale, self.ratio, self.value, self.inplace = p, scale, ratio, value, inplace
        self._core = core.RandomErasing(p, scale, ratio, value)

    def forward(self, img: Tensor) -> Tensor:
        """Return the tensor."""
        return F.apply(self._core, img)


class RandomApply(_Named):
    """Applies transforms, all or none, with probability ``p``."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]], p: float = 0.5) -> None:
        self.transforms, self.p = list(transforms), p

    def forward(self, img: Any) -> Any:
        """Return the picture."""
        return Compose(self.transforms)(img) if rng.generator().random() < self.p else img


class RandomChoice(_Named):
    """Applies one of several transforms."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    def forward(self, img: Any) -> Any:
        """Return the picture."""
        return self.transforms[int(rng.generator().integers(len(self.transforms)))](img)
