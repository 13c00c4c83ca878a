"""Names of ``torchvision.transforms.v2``: MixUp and CutMix of a batch, and conversion in two steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...torch.dtypes import dtype
from ...torch.tensor import Tensor, from_array, to_array
from ...vision.transforms import mixing
from . import functional as functional
from .auto import AutoAugment as AutoAugment
from .auto import AutoAugmentPolicy as AutoAugmentPolicy
from .auto import RandAugment as RandAugment
from .auto import TrivialAugmentWide as TrivialAugmentWide
from .color import ColorJitter as ColorJitter
from .color import GaussianBlur as GaussianBlur
from .color import Grayscale as Grayscale
from .color import RandomAdjustSharpness as RandomAdjustSharpness
from .color import RandomAutocontrast as RandomAutocontrast
from .color import RandomEqualize as RandomEqualize
from .color import RandomGrayscale as RandomGrayscale
from .color import RandomInvert as RandomInvert
from .color import RandomPosterize as RandomPosterize
from .color import RandomSolarize as RandomSolarize
from .containers import Compose as Compose
from .containers import Lambda as Lambda
from .containers import Named
from .containers import RandomApply as RandomApply
from .containers import RandomChoice as RandomChoice
from .containers import RandomOrder as RandomOrder
from .conversion import Normalize as Normalize
from .conversion import PILToTensor as PILToTensor
from .conversion import ToPILImage as ToPILImage
from .conversion import ToTensor as ToTensor
from .frame import CenterCrop as CenterCrop
from .frame import FiveCrop as FiveCrop
from .frame import Pad as Pad
from .frame import RandomCrop as RandomCrop
from .frame import RandomErasing as RandomErasing
from .frame import RandomResizedCrop as RandomResizedCrop
from .frame import Resize as Resize
from .frame import TenCrop as TenCrop
from .moved import RandomAffine as RandomAffine
from .moved import RandomHorizontalFlip as RandomHorizontalFlip
from .moved import RandomPerspective as RandomPerspective
from .moved import RandomRotation as RandomRotation
from .moved import RandomVerticalFlip as RandomVerticalFlip
from .pictures import InterpolationMode as InterpolationMode


class ToImage(Named):
    """Pictures and arrays (H, W, C) to tensors (C, H, W) of the same numbers."""

    def forward(self, pic: Any) -> Tensor:
        """Return the tensor."""
        if isinstance(pic, Tensor):
            return pic
        if isinstance(pic, np.ndarray):
            planes = pic[:, :, None] if pic.ndim == 2 else pic
            return from_array(np.ascontiguousarray(planes.transpose(2, 0, 1)))
        return functional.pil_to_tensor(pic)


class ToDtype(Named):
    """Numbers to a dtype; with ``scale``, bytes become fractions in [0, 1] and back."""

    def __init__(self, dtype: dtype, scale: bool = False) -> None:
        self.dtype, self.scale = dtype, scale

    def forward(self, img: Tensor) -> Tensor:
        """Return the tensor in the dtype."""
        return functional.convert_image_dtype(img, self.dtype) if self.scale else img.to(self.dtype)


class _Mix(Named):
    _kind: type[mixing.MixUp] | type[mixing.CutMix]

    def __init__(self, *, alpha: float = 1.0, num_classes: int | None = None) -> None:
        self.alpha, self.num_classes = alpha, num_classes
        self._core = self._kind(alpha=alpha, num_classes=num_classes)

    def __call__(self, *batch: Any) -> tuple[Tensor, Tensor]:
        """Mix (images, labels), given as two values or as a pair."""
        images, labels = batch[0] if len(batch) == 1 else batch
        mixed, fractions = self._core(to_array(images), to_array(labels))
        return from_array(np.ascontiguousarray(mixed)), from_array(fractions)


class MixUp(_Mix):
    """Adds fractions of two images of a batch, and of their labels."""

    _kind = mixing.MixUp


class CutMix(_Mix):
    """Replaces a rectangle by that of another image of the batch; labels are mixed by its area."""

    _kind = mixing.CutMix
