"""Transforms of images for training, on NumPy arrays: names, arguments and defaults of ``torchvision.transforms``."""

from .base import Transform
from .blur import GaussianBlur, RandomAdjustSharpness
from .color import ColorJitter, Grayscale, RandomGrayscale
from .combine import Compose, Lambda, RandomApply, RandomChoice, RandomOrder
from .crop import CenterCrop, FiveCrop, Pad, RandomCrop, RandomResizedCrop, Resize, TenCrop
from .erase import Cutout, RandomErasing
from .mixing import CutMix, MixUp
from .policies import AutoAugment, RandAugment, TrivialAugmentWide
from .tone import RandomAutocontrast, RandomEqualize, RandomInvert, RandomPosterize, RandomSolarize
from .values import Normalize, ToTensor
from .warp import RandomAffine, RandomHorizontalFlip, RandomPerspective, RandomRotation, RandomVerticalFlip

__all__ = [
    "AutoAugment",
    "CenterCrop",
    "ColorJitter",
    "Compose",
    "CutMix",
    "Cutout",
    "FiveCrop",
    "GaussianBlur",
    "Grayscale",
    "Lambda",
    "MixUp",
    "Normalize",
    "Pad",
    "RandAugment",
    "RandomAdjustSharpness",
    "RandomAffine",
    "RandomApply",
    "RandomAutocontrast",
    "RandomChoice",
    "RandomCrop",
    "RandomEqualize",
    "RandomErasing",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomInvert",
    "RandomOrder",
    "RandomPerspective",
    "RandomPosterize",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomSolarize",
    "RandomVerticalFlip",
    "Resize",
    "TenCrop",
    "ToTensor",
    "Transform",
    "TrivialAugmentWide",
]
