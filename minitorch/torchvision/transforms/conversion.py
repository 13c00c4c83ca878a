"""Transforms between kinds of pictures, and of their numbers."""

from __future__ import annotations

from typing import Any

from ...torch.dtypes import dtype, float32
from ...torch.tensor import Tensor
from . import functional as F
from .containers import Named


class ToTensor(Named):
    """Pictures and arrays (H, W, C) to tensors (C, H, W); bytes to float32 in [0, 1]."""

    def forward(self, pic: Any) -> Tensor:
        """Return the tensor."""
        return F.to_tensor(pic)


class PILToTensor(Named):
    """Pictures to tensors of bytes (C, H, W)."""

    def forward(self, pic: Any) -> Tensor:
        """Return the tensor."""
        return F.pil_to_tensor(pic)


class ToPILImage(Named):
    """Tensors (C, H, W) and arrays (H, W, C) to pictures."""

    def __init__(self, mode: str | None = None) -> None:
        self._mode = mode

    def forward(self, pic: Any) -> Any:
        """Return the picture."""
        return F.to_pil_image(pic, self._mode)


class ConvertImageDtype(Named):
    """Bytes to fractions in [0, 1] and back."""

    def __init__(self, dtype: dtype = float32) -> None:
        self.dtype = dtype

    def forward(self, img: Tensor) -> Tensor:
        """Return the tensor in the dtype."""
        return F.convert_image_dtype(img, self.dtype)


class Normalize(Named):
    """Subtracts the mean of each channel and divides by its deviation."""

    def __init__(self, mean: Any, std: Any, inplace: bool = False) -> None:
        self.mean, self.std, self._inplace = mean, std, inplace

    def forward(self, tensor: Tensor) -> Tensor:
        """Return the normalized tensor."""
        return F.normalize(tensor, self.mean, self.std, self._inplace)
