"""Random sequences of operations: AutoAugment, RandAugment, TrivialAugmentWide."""

from __future__ import annotations

from enum import Enum
from typing import Any

from ...vision.transforms import policies
from .containers import Drawing
from .pictures import InterpolationMode, word


class AutoAugmentPolicy(Enum):
    """The data set that a policy was found on."""

    IMAGENET = "imagenet"
    CIFAR10 = "cifar10"
    SVHN = "svhn"


class AutoAugment(Drawing):
    """Applies a sub-policy of two operations, each with its probability."""

    def __init__(
        self,
        policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Any = None,
    ) -> None:
        self.policy, self.interpolation, self.fill = policy, interpolation, fill
        self._core = policies.AutoAugment(AutoAugmentPolicy(policy).value, word(interpolation), fill)

    def _shown(self) -> dict[str, Any]:
        return {"policy": self.policy, "fill": self.fill}


class RandAugment(Drawing):
    """Applies ``num_ops`` random operations of one magnitude."""

    def __init__(
        self,
        num_ops: int = 2,
        magnitude: int = 9,
        num_magnitude_bins: int = 31,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Any = None,
    ) -> None:
        self.num_ops, self.magnitude, self.num_magnitude_bins = num_ops, magnitude, num_magnitude_bins
        self.interpolation, self.fill = interpolation, fill
        self._core = policies.RandAugment(num_ops, magnitude, num_magnitude_bins, word(interpolation), fill)


class TrivialAugmentWide(Drawing):
    """Applies one random operation of a random magnitude."""

    def __init__(
        self,
        num_magnitude_bins: int = 31,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Any = None,
    ) -> None:
        self.num_magnitude_bins, self.interpolation, self.fill = num_magnitude_bins, interpolation, fill
        self._core = policies.TrivialAugmentWide(num_magnitude_bins, word(interpolation), fill)
