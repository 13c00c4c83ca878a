"""Transforms of transforms: one after the other, some at random, in a random order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ...runtime import rng
from ...runtime.types import Array
from .base import Transform, require_probability

Change: TypeAlias = Callable[[Any], Any]


class Compose:
    """Applies transforms (or any callables) one after the other."""

    def __init__(self, transforms: Sequence[Change]) -> None:
        self.transforms = list(transforms)

    def __call__(self, image: Any) -> Any:
        """Transform an image, a batch or a PIL image."""
        for transform in self.transforms:
            image = transform(image)
        return image

    def __repr__(self) -> str:
        return "\n".join(["Compose(", *(f"    {transform!r}" for transform in self.transforms), ")"])


class Lambda:
    """Calls a function of the image.

    Raises:
        TypeError: ``lambd`` is not callable.
    """

    def __init__(self, lambd: Change) -> None:
        if not callable(lambd):
            raise TypeError(f"Lambda: expected a function of an image, got a {type(lambd).__name__}")
        self.lambd = lambd

    def __call__(self, image: Any) -> Any:
        """Return what the function returns."""
        return self.lambd(image)

    def __repr__(self) -> str:
        return "Lambda()"


@dataclass(eq=False)
class RandomApply(Transform):
    """Applies all transforms, or none, to each image.

    Args:
        transforms: Applied one after the other.
        p: Probability, by default 0.5.

    Raises:
        ValueError: The probability is out of bounds; on a call, images of a batch end with different shapes.
    """

    transforms: Sequence[Change]
    p: float = 0.5

    def __post_init__(self) -> None:
        require_probability(self.p)

    def apply(self, batch: Array) -> Array:
        """Change the images that are drawn."""
        chosen = rng.generator().random(len(batch)) < self.p
        return in_groups("RandomApply", batch, chosen, [lambda images: images, Compose(self.transforms)])


@dataclass(eq=False)
class RandomChoice(Transform):
    """Applies one of several transforms to each image.

    Args:
        transforms: What is chosen from.
        p: Probability or weight of each; by default all are equal.

    Raises:
        ValueError: There are no transforms, or another number of weights, or weights that are not positive in sum; on
            a call, images of a batch end with different shapes.
    """

    transforms: Sequence[Change]
    p: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if not len(self.transforms):
            raise ValueError("RandomChoice: expected at least one transform, got none")
        self.weights()

    def apply(self, batch: Array) -> Array:
        """Choose and change."""
        choice = rng.generator().choice(len(self.transforms), len(batch), p=self.weights())
        return in_groups("RandomChoice", batch, choice, self.transforms)

    def weights(self) -> Array:
        """Return the probability of each transform."""
        count = len(self.transforms)
        given = np.ones(count) if self.p is None else np.asarray(self.p, np.float64)
        if given.shape != (count,) or not given.min() >= 0 or not 0 < given.sum() < np.inf:
            raise ValueError(f"RandomChoice: expected {count} weights of at least 0, not all 0, got {self.p}")
        return given / given.sum()


@dataclass(eq=False)
class RandomOrder(Transform):
    """Applies all transforms in a random order, drawn for each image.

    Args:
        transforms: What is applied.

    Raises:
        ValueError: On a call, images of a batch end with different shapes.
    """

    transforms: Sequence[Change]

    def apply(self, batch: Array) -> Array:
        """Draw an order and change."""
        count = len(self.transforms)
        order = rng.generator().permuted(np.tile(np.arange(count), (len(batch), 1)), axis=1)
        for ith_transforms in order.T:  # the number of each image's next transform
            batch = in_groups("RandomOrder", batch, ith_transforms, self.transforms)
        return batch


def in_groups(name: str, batch: Array, choice: Array, transforms: Sequence[Change]) -> Array:
    """Return the batch with ``transforms[choice[i]]`` applied to image i.

    Args:
        name: For messages.
        batch: (N, C, H, W).
        choice: (N,), numbers of transforms.
        transforms: Callables from batches to batches.

    Raises:
        ValueError: The results have different shapes or dtypes, so that they are no batch.
    """
    if not len(batch):
        return np.asarray(transforms[0](batch)) if len(transforms) else batch
    groups = [np.flatnonzero(choice == k) for k in range(len(transforms))]
    results = {k: np.asarray(transforms[k](batch[group])) for k, group in enumerate(groups) if len(group)}
    kinds = {(result.shape[1:], result.dtype) for result in results.values()}
    if len(kinds) != 1:
        first, second, *_ = sorted(f"{shape} {dtype}" for shape, dtype in kinds)
        raise ValueError(
            f"{name}: expected equal shapes and dtypes of all images of a batch, got {first} and {second}"
        )
    ((shape, dtype),) = kinds
    out = np.empty((len(batch), *shape), dtype)
    for k, result in results.items():
        out[groups[k]] = result
    return out
