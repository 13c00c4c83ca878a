"""Dataset: images with labels as NumPy arrays; and what makes new ones or labels of them: splits and one-hot labels.

Depends on NumPy and, for random numbers, on `minitorch.runtime.rng`. N is the number of images, C the channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..runtime import rng
from ..runtime.types import Array

IntArray: TypeAlias = npt.NDArray[np.int64]
Batch: TypeAlias = tuple[Array, IntArray]


class Dataset:
    """Images with labels.

    Args:
        images: (N, C, H, W), uint8 or float; shared, not copied.
        labels: (N,), integers.
        classes: Name of each class; by default none.
        name: Name of the set, by default "".

    ``len(dataset)`` is N; ``dataset[i]`` is (image (C, H, W), label).

    Raises:
        ValueError: Shapes other than these.
        TypeError: Labels that are not integers.
    """

    def __init__(
        self, images: npt.ArrayLike, labels: npt.ArrayLike, classes: Sequence[str] = (), name: str = ""
    ) -> None:
        self.images: Array = np.asarray(images)
        self.labels: IntArray = integers("labels", labels)
        self.classes = tuple(classes)
        self.name = name
        if self.images.ndim != 4 or self.labels.shape != self.images.shape[:1]:
            raise ValueError(
                f"Dataset: expected images (N, C, H, W) and labels (N,), "
                f"got {self.images.shape} and {self.labels.shape}"
            )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> tuple[Array, int]:
        if not -len(self) <= index(i) < len(self):
            raise IndexError(f"Dataset: expected an image number below {len(self)}, got {i}")
        return self.images[i], int(self.labels[i])

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, images={self.images.shape}, {self.images.dtype})"

    def subset(self, indices: npt.ArrayLike) -> Dataset:
        """Return the images at ``indices`` (integers, or one bool for each image) as a new dataset.

        Raises:
            IndexError: There is no such image.
            TypeError: An index is not an integer.
            ValueError: The indices are not a row.
        """
        chosen = positions(indices, len(self))
        return Dataset(self.images[chosen], self.labels[chosen], self.classes, self.name)

    def sample(self, n: int, replace: bool = True) -> Batch:
        """Draw ``n`` images at random.

        Args:
            n: Number of images.
            replace: Whether an image can be drawn more than once; by default it can.

        Returns:
            Images (n, C, H, W), as stored, and labels (n,).

        Raises:
            ValueError: ``n`` is more than there are and ``replace`` is False, or there are no images.
        """
        if n < 0 or (n and not len(self)) or (not replace and n > len(self)):
            raise ValueError(
                f"Dataset.sample: cannot draw {n} images from {len(self)} with replace={replace}"
            )
        chosen = rng.generator().choice(len(self), n, replace=replace) if n else np.arange(0)
        return self.images[chosen], self.labels[chosen]

    def mean_std(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return mean and standard deviation of each channel, both (C,); of pixels / 255 if they are uint8.

        Raises:
            ValueError: The dataset has no pixels.
        """
        if not self.images.size:
            raise ValueError(f"Dataset.mean_std: expected images with pixels, got no pixels in {self!r}")
        count = self.images.size // self.images.shape[1]
        scale = 255.0 if self.images.dtype == np.uint8 else 1.0
        parts = np.array_split(self.images, -(-len(self) // 500))  # a float64 copy of all may not fit
        mean = sum(part.sum((0, 2, 3), dtype=np.float64) for part in parts) / count
        variance = sum(np.square(part - mean[:, None, None]).sum((0, 2, 3)) for part in parts) / count
        return mean / scale, np.sqrt(variance) / scale


def random_split(dataset: Dataset, lengths: Sequence[float], seed: int = 0) -> list[Dataset]:
    """Split a dataset at random into disjoint ones, the same for the same seed.

    Args:
        dataset: The dataset to split.
        lengths: Counts that add up to ``len(dataset)``, or fractions that add up to 1 (the counts are rounded
            down, and the first parts get one image more until none is left).
        seed: Chooses the split; by default 0.

    Raises:
        ValueError: Lengths that do not add up, or are negative.
    """
    n, given = len(dataset), np.asarray(lengths)
    counts = given
    if given.dtype.kind == "f" and abs(given.sum() - 1) < 1e-6:
        counts = np.floor(n * given).astype(np.int64)
        counts[: n - counts.sum()] += 1
    if counts.dtype.kind not in "iu" or counts.ndim != 1 or (given < 0).any() or counts.sum() != n:
        raise ValueError(
            f"random_split: expected lengths that add up to {n} images or fractions of 1, "
            f"got {lengths}, which add up to {given.sum()}"
        )
    order = rng.generator(seed).permutation(n)
    return [dataset.subset(part) for part in np.split(order, np.cumsum(counts)[:-1])]


def one_hot(labels: npt.ArrayLike, classes: int) -> npt.NDArray[np.float32]:
    """Return float32 zeros of shape (..., classes) with a 1 at each label.

    Raises:
        IndexError: A label outside 0..classes-1 (names it and its position).
        TypeError: Labels that are not integers.
    """
    numbers = integers("labels", labels)
    wrong = np.argwhere((numbers < 0) | (numbers >= classes))
    if len(wrong):
        position = tuple(wrong[0].tolist())
        raise IndexError(
            f"one_hot: expected labels 0..{classes - 1}, got label {numbers[position]} at {position}"
        )
    return (numbers[..., None] == np.arange(classes)).astype(np.float32)


def integers(name: str, values: npt.ArrayLike) -> IntArray:
    """Return ``values``, which a caller knows as ``name``, as int64."""
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected integers, got {array.dtype}")
    return array.astype(np.int64)


def positions(indices: npt.ArrayLike, count: int) -> IntArray:
    """Return image numbers as int64; of ``count`` bools, the positions of those that are True."""
    array = np.asarray(indices)
    if array.dtype == np.bool_ and array.shape == (count,):
        return np.flatnonzero(array)
    numbers = integers("indices", array)
    if numbers.ndim != 1:
        raise ValueError(f"indices: expected a row of numbers or {count} bools, got shape {numbers.shape}")
    wrong = numbers[(numbers < -count) | (numbers >= count)]
    if len(wrong):
        raise IndexError(f"indices: expected image numbers below {count}, got {wrong[0]}")
    return numbers
