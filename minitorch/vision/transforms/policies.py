"""Random sequences of operations: AutoAugment, RandAugment, TrivialAugmentWide.

An operation has a name and a magnitude. Shears are the tangent of the angle; Translate is in pixels; Rotate in degrees;
Brightness, Color, Contrast and Sharpness are the factor less 1; Posterize is a number of bits, Solarize a level of
0..255. A policy draws for each image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...runtime import rng
from ...runtime.types import Array
from . import policy_tables
from .base import Fill, Transform, per_image, require_word
from .blur import sharpened
from .color import brightened, contrasted, saturated
from .tone import equalized, inverted, posterized, solarized, stretched
from .warp import WARP_MODES, affine, affine_matrix, middle

_COLORS: dict[str, Callable[[Array, Array], Array]] = {
    "Brightness": brightened,
    "Color": saturated,
    "Contrast": contrasted,
}
_PLAIN: dict[str, Callable[[Array], Array]] = {
    "AutoContrast": stretched,
    "Equalize": equalized,
    "Invert": inverted,
    "Identity": lambda batch: batch,
}
SIGNED = (
    *("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate"),
    *("Brightness", "Color", "Contrast", "Sharpness"),
)
OPERATIONS = (*SIGNED, "Posterize", "Solarize", *_PLAIN)
RAND_AUGMENT = tuple(name for name in OPERATIONS if name != "Invert")
POLICIES = {
    "imagenet": policy_tables.IMAGENET,
    "cifar10": policy_tables.CIFAR10,
    "svhn": policy_tables.SVHN,
}


def operate(
    name: str, batch: Array, magnitude: Array, interpolation: str = "nearest", fill: Fill = 0
) -> Array:
    """Apply one operation to a batch.

    Args:
        name: One of `OPERATIONS`.
        batch: (N, C, H, W), uint8 or float in [0, 1].
        magnitude: (N,), with its sign.
        interpolation: Of the operations that move pixels.
        fill: Value of the pixels that come in, one or one for each channel.
    """
    n = len(batch)
    if name in _PLAIN:
        return _PLAIN[name](batch)
    if name in _COLORS:
        images = batch / np.float32(255) if batch.dtype == np.uint8 else batch
        changed = _COLORS[name](images, per_image(1 + magnitude).astype(images.dtype)).clip(0, 1)
        return np.rint(changed * 255).astype(np.uint8) if batch.dtype == np.uint8 else changed
    if name == "Sharpness":
        return sharpened(batch, 1 + magnitude)
    if name in ("Posterize", "Solarize"):
        out = batch.copy()
        for each in np.unique(magnitude):
            chosen = np.flatnonzero(magnitude == each)
            if name == "Posterize":
                out[chosen] = posterized(batch[chosen], int(each))
            else:
                threshold = each if batch.dtype == np.uint8 else each / 255
                out[chosen] = solarized(batch[chosen], threshold)
        return out
    angle, shift, shear = np.zeros(n), np.zeros((n, 2)), np.zeros((n, 2))
    center = (0.0, 0.0)
    if name == "Rotate":
        angle, center = -magnitude, middle(batch, None)
    elif name.startswith("Translate"):
        shift[:, "XY".index(name[-1])] = np.trunc(magnitude)
    else:
        shear[:, "XY".index(name[-1])] = np.rad2deg(np.arctan(magnitude))
    matrices = affine_matrix(center, angle, shift, np.ones(n), shear)
    return affine(name, batch, matrices, interpolation, fill)


def magnitudes(bins: int, height: int, width: int, wide: bool = False) -> dict[str, Array]:
    """Return the magnitudes (bins,) of each operation, from the weakest to the strongest.

    Args:
        bins: How many.
        height: Of the image.
        width: Of the image.
        wide: Whether they are those of TrivialAugmentWide, whose ranges are wider.
    """
    shear, turn, factor, bits = (0.99, 135.0, 0.99, 6) if wide else (0.3, 30.0, 0.9, 4)
    across, down = (32.0, 32.0) if wide else (150 / 331 * width, 150 / 331 * height)
    ramp = np.linspace(0, 1, bins)
    table = {"ShearX": ramp * shear, "ShearY": ramp * shear, "Rotate": ramp * turn}
    table |= {"TranslateX": ramp * across, "TranslateY": ramp * down}
    table |= dict.fromkeys((*_COLORS, "Sharpness"), ramp * factor)
    table |= {"Posterize": 8 - np.rint(ramp * bits), "Solarize": 255 * (1 - ramp)}
    return table | {name: np.zeros(bins) for name in _PLAIN}


def _operate_each(
    batch: Array, names: Array, magnitude: Array, interpolation: str, fill: Fill | None
) -> Array:
    """Apply ``names[i]`` with ``magnitude[i]`` to image i."""
    out = batch.copy()
    for name in np.unique(names).tolist():
        chosen = np.flatnonzero(names == name)
        out[chosen] = operate(
            name, batch[chosen], magnitude[chosen], interpolation, 0 if fill is None else fill
        )
    return out


def _signs(draw: np.random.Generator, names: Array) -> Array:
    """Draw -1 or 1 for each operation that has a sign, and return 1 for the others."""
    return np.where(np.isin(names, SIGNED), draw.choice([-1, 1], names.shape), 1)


@dataclass(eq=False)
class AutoAugment(Transform):
    """Applies a sub-policy of two operations, each with its probability (Cubuk et al., 2019).

    Args:
        policy: "imagenet" (default), "cifar10" or "svhn": the data set that the policy was found on.
        interpolation: Of the operations that move pixels: "nearest" (default), "bilinear" or "bicubic".
        fill: Value of the pixels that come in; by default 0.

    Raises:
        ValueError: An unknown word; on a call, images with neither one nor three channels.
    """

    policy: str = "imagenet"
    interpolation: str = "nearest"
    fill: Fill | None = None

    def __post_init__(self) -> None:
        require_word("policy", self.policy, list(POLICIES))
        require_word("interpolation", self.interpolation, WARP_MODES)

    def apply(self, batch: Array) -> Array:
        """Draw a sub-policy for each image, and apply it."""
        draw, n = rng.generator(), len(batch)
        names, chances, levels = sub_policies(self.policy)
        table = magnitudes(10, *batch.shape[2:])
        chosen = draw.integers(len(names), size=n)
        for k in range(2):
            operations = names[chosen, k]
            applied = draw.random(n) <= chances[chosen, k]
            strength = np.array([table[name][level] for name, level in zip(operations, levels[chosen, k])])
            operations = np.where(applied, operations, "Identity")
            signed = strength * _signs(draw, operations)
            batch = _operate_each(batch, operations, signed, self.interpolation, self.fill)
        return batch


def sub_policies(policy: str) -> tuple[Array, Array, Array]:
    """Return names, probabilities and magnitudes (0..9; 0 where there is none) of a policy, each (25, 2)."""
    lines = [line.split(",") for line in POLICIES[policy].strip().splitlines()]
    words = np.array([[operation.split() for operation in line] for line in lines])
    levels = np.where(words[:, :, 2] == "-", "0", words[:, :, 2])
    return words[:, :, 0], words[:, :, 1].astype(np.float64), levels.astype(np.intp)


@dataclass(eq=False)
class RandAugment(Transform):
    """Applies ``num_ops`` random operations, all of one magnitude (Cubuk et al., 2020).

    Args:
        num_ops: How many operations, by default 2.
        magnitude: Their strength, below ``num_magnitude_bins``; by default 9.
        num_magnitude_bins: How many strengths there are, by default 31.
        interpolation: Of the operations that move pixels: "nearest" (default), "bilinear" or "bicubic".
        fill: Value of the pixels that come in; by default 0.

    Raises:
        ValueError: A setting is out of bounds; on a call, images with neither one nor three channels.
    """

    num_ops: int = 2
    magnitude: int = 9
    num_magnitude_bins: int = 31
    interpolation: str = "nearest"
    fill: Fill | None = None

    def __post_init__(self) -> None:
        require_word("interpolation", self.interpolation, WARP_MODES)
        if self.num_ops < 0 or not 0 <= self.magnitude < self.num_magnitude_bins:
            raise ValueError(
                "RandAugment: expected num_ops of at least 0 and a magnitude below num_magnitude_bins, "
                f"got {self.num_ops}, {self.magnitude} and {self.num_magnitude_bins}"
            )

    def apply(self, batch: Array) -> Array:
        """Draw operations for each image, and apply them."""
        draw, n = rng.generator(), len(batch)
        table = magnitudes(self.num_magnitude_bins, *batch.shape[2:])
        for _ in range(self.num_ops):
            names = np.array(RAND_AUGMENT)[draw.integers(len(RAND_AUGMENT), size=n)]
            strength = np.array([table[name][self.magnitude] for name in names])
            signed = strength * _signs(draw, names)
            batch = _operate_each(batch, names, signed, self.interpolation, self.fill)
        return batch


@dataclass(eq=False)
class TrivialAugmentWide(Transform):
    """Applies one random operation of a random magnitude (Müller and Hutter, 2021), from the wide ranges.

    Args:
        num_magnitude_bins: How many strengths there are, by default 31.
        interpolation: Of the operations that move pixels: "nearest" (default), "bilinear" or "bicubic".
        fill: Value of the pixels that come in; by default 0.

    Raises:
        ValueError: A setting is out of bounds; on a call, images with neither one nor three channels.
    """

    num_magnitude_bins: int = 31
    interpolation: str = "nearest"
    fill: Fill | None = None

    def __post_init__(self) -> None:
        require_word("interpolation", self.interpolation, WARP_MODES)
        if self.num_magnitude_bins < 2:
            raise ValueError(
                f"TrivialAugmentWide: expected at least 2 num_magnitude_bins, got {self.num_magnitude_bins}"
            )

    def apply(self, batch: Array) -> Array:
        """Draw an operation for each image, and apply it."""
        draw, n = rng.generator(), len(batch)
        height, width = batch.shape[2:]
        table = magnitudes(self.num_magnitude_bins, height, width, wide=True)
        names = np.array(RAND_AUGMENT)[draw.integers(len(RAND_AUGMENT), size=n)]
        levels = draw.integers(self.num_magnitude_bins, size=n)
        strength = np.array([table[name][level] for name, level in zip(names, levels)])
        return _operate_each(batch, names, strength * _signs(draw, names), self.interpolation, self.fill)
