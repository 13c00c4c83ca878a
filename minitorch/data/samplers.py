"""Samplers: which images a pass of a DataLoader sees, WeightedRandomSampler and SubsetRandomSampler.

A sampler is called with the number of the pass and returns image numbers, which depend on its seed and that number.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..runtime import rng
from .dataset import IntArray, integers


class WeightedRandomSampler:
    """Draws image numbers with the given weights; a sampler for ``DataLoader``.

    Args:
        weights: One number >= 0 for each image; they need not add up to 1.
        num_samples: Draws in a pass.
        replacement: Whether an image can be drawn twice in a pass; by default it can.
        seed: Pass k depends on (seed, k) alone; None (default) draws a seed from Python's ``random``.

    Raises:
        ValueError: Weights are negative, not finite or all zero; or there are more draws than they allow.
    """

    def __init__(
        self, weights: npt.ArrayLike, num_samples: int, replacement: bool = True, seed: int | None = None
    ) -> None:
        self.weights = np.asarray(weights, dtype=np.float64)
        self.num_samples = num_samples
        self.replacement = replacement
        self.seed = rng.new_key() if seed is None else seed
        if self.weights.ndim != 1 or not np.isfinite(self.weights).all() or (self.weights < 0).any():
            raise ValueError(
                f"WeightedRandomSampler: expected weights as a row of finite numbers >= 0, got {self.weights}"
            )
        possible = np.count_nonzero(self.weights)
        if num_samples < 0 or not possible or (not replacement and num_samples > possible):
            raise ValueError(
                f"WeightedRandomSampler: cannot draw {num_samples} images by {possible} weights above 0 "
                f"with replacement={replacement}"
            )

    def __len__(self) -> int:
        return self.num_samples

    def __call__(self, epoch: int) -> IntArray:
        """Return the draws of pass ``epoch``."""
        probabilities = self.weights / self.weights.sum()
        return rng.generator(self.seed, epoch).choice(
            len(probabilities), self.num_samples, replace=self.replacement, p=probabilities
        )


class SubsetRandomSampler:
    """Gives some image numbers in a new random order at each pass; a sampler for ``DataLoader``.

    Args:
        indices: The image numbers.
        seed: Pass k depends on (seed, k) alone; None (default) draws a seed from Python's ``random``.

    Raises:
        TypeError: The indices are not integers.
    """

    def __init__(self, indices: npt.ArrayLike, seed: int | None = None) -> None:
        self.indices = integers("indices", indices)
        self.seed = rng.new_key() if seed is None else seed

    def __len__(self) -> int:
        return len(self.indices)

    def __call__(self, epoch: int) -> IntArray:
        """Return the order of pass ``epoch``."""
        return rng.generator(self.seed, epoch).permutation(self.indices)
