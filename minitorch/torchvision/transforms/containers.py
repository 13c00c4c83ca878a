"""Transforms of transforms, and what all transforms share: a ``forward`` and a ``repr`` of the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...runtime import rng
from ...vision.transforms.combine import RandomChoice as Weights
from .pictures import drawn


class Named:
    """A transform whose ``repr`` shows its public attributes."""

    def __call__(self, img: Any) -> Any:
        return self.forward(img)

    def forward(self, img: Any) -> Any:
        """Return the transformed picture; a subclass defines it."""
        raise NotImplementedError

    def _shown(self) -> dict[str, Any]:
        return {k: v for k, v in vars(self).items() if k[0] != "_"}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v}' for k, v in self._shown().items())})"


class Drawing(Named):
    """A random transform: that of `minitorch.vision` in ``_core``, drawn once for all images of a batch."""

    _core: Callable[[Any], Any]

    def forward(self, img: Any) -> Any:
        """Return the picture."""
        return drawn(img, self._core)


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


class Lambda(Named):
    """Calls a function."""

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__}")
        self._lambd = lambd

    def forward(self, img: Any) -> Any:
        """Return what the function returns."""
        return self._lambd(img)


class _Several(Named):
    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        if not isinstance(transforms, Sequence):
            raise TypeError("Argument transforms should be a sequence")
        self.transforms = list(transforms)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(\n" + "\n".join(f"    {t}" for t in self.transforms) + "\n)"


class RandomApply(_Several):
    """Applies transforms, all or none, with probability ``p``."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]], p: float = 0.5) -> None:
        self.transforms, self.p = list(transforms), p  # a ModuleList too

    def forward(self, img: Any) -> Any:
        """Return the picture."""
        return Compose(self.transforms)(img) if rng.generator().random() < self.p else img

    def __repr__(self) -> str:
        lines = [f"    p={self.p}", *(f"    {t}" for t in self.transforms)]
        return "RandomApply(\n" + "\n".join(lines) + "\n)"


class RandomChoice(_Several):
    """Applies one of several transforms, with the weights ``p``."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        self.p = p
        Weights(self.transforms, p)  # wrong weights are an error now

    def forward(self, img: Any) -> Any:
        """Return the picture."""
        weights = Weights(self.transforms, self.p).weights()
        return self.transforms[int(rng.generator().choice(len(self.transforms), p=weights))](img)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"


class RandomOrder(_Several):
    """Applies all transforms in a random order."""

    def forward(self, img: Any) -> Any:
        """Return the picture."""
        order = rng.generator().permutation(len(self.transforms))
        return Compose([self.transforms[int(k)] for k in order])(img)
