"""Transforms that move pixels: mirroring, rotation, affine and perspective maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...vision.transforms import warp
from .containers import Drawing
from .pictures import InterpolationMode, word


class RandomHorizontalFlip(Drawing):
    """Mirrors left to right with probability ``p``."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p
        self._core = warp.RandomHorizontalFlip(p)


class RandomVerticalFlip(Drawing):
    """Mirrors top to bottom with probability ``p``."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p
        self._core = warp.RandomVerticalFlip(p)


def _range(value: Any) -> list[float]:
    """Return (lowest, highest) as torchvision keeps it; d is (-d, d)."""
    return [-float(value), float(value)] if np.ndim(value) == 0 else [float(v) for v in value]


class RandomRotation(Drawing):
    """Rotates by a random angle, counter-clockwise, in degrees."""

    def __init__(
        self,
        degrees: Any,
        interpolation: Any = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Sequence[float] | None = None,
        fill: Any = 0,
    ) -> None:
        self._core = warp.RandomRotation(degrees, word(interpolation), expand, center, fill or 0)
        self.degrees, self.interpolation, self.expand = _range(degrees), interpolation, expand
        self.center, self.fill = center, fill

    def _shown(self) -> dict[str, Any]:
        center = {} if self.center is None else {"center": self.center}
        shown = {"degrees": self.degrees, "interpolation": word(self.interpolation), "expand": self.expand}
        return shown | center | {"fill": self.fill}


class RandomAffine(Drawing):
    """Rotates, shifts, scales and shears by random amounts."""

    def __init__(
        self,
        degrees: Any,
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: Any = None,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Any = 0,
        center: Sequence[float] | None = None,
    ) -> None:
        self._core = warp.RandomAffine(
            degrees, translate, scale, shear, word(interpolation), fill or 0, center
        )
        self.degrees, self.translate, self.scale = _range(degrees), translate, scale
        self.shear = None if shear is None else _range(shear)
        self.interpolation, self.fill, self.center = interpolation, fill, center

    def _shown(self) -> dict[str, Any]:
        found = vars(self)
        usual = {"translate": None, "scale": None, "shear": None, "fill": 0, "center": None}
        changed = {name: found[name] for name in usual if found[name] != usual[name]}
        mode = word(self.interpolation)
        moved = {k: v for k, v in changed.items() if k in ("translate", "scale", "shear")}
        rest = {k: v for k, v in changed.items() if k in ("fill", "center")}
        return (
            {"degrees": self.degrees} | moved | ({} if mode == "nearest" else {"interpolation": mode}) | rest
        )


class RandomPerspective(Drawing):
    """Moves the corners inwards by random amounts, with probability ``p``."""

    def __init__(
        self,
        distortion_scale: float = 0.5,
        p: float = 0.5,
        interpolation: Any = InterpolationMode.BILINEAR,
        fill: Any = 0,
    ) -> None:
        self.p, self.distortion_scale, self.interpolation, self.fill = (
            p,
            distortion_scale,
            interpolation,
            fill,
        )
        self._core = warp.RandomPerspective(distortion_scale, p, word(interpolation), fill or 0)

    def _shown(self) -> dict[str, Any]:
        return {"p": self.p}
