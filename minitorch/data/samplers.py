"""Part of data_loader."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from ..runtime import rng
from .dataset import IntArray, _integers

class WeightedRandomSampler:
    """Draws image numbers with the given weights; a sampler for ``DataLoader``.

    Args:
        weights: One number >= 0 per image; they need not add up to 1.
        num_samples: Draws in a pass.
        replacement: Whether an image can be drawn twice in a pass.
        seed: Pass k depends on (seed, k) alone; None draws a seed from Python's ``random``.

    Raises:
        ValueError: Weights negative, not finite or all zero; more draws than they allow.
    """

    def __init__(
        self, weights: npt.ArrayLike, num_samples: int, replacement: bool = True, seed: int | None = None
    ) -> None:
        self.weights = np.asarray(weights, dtype=np.float64)
        self.num_samples = num_samples
        self.replacement = replacement
        self.seed = rng.new_key() if seed is None else seed
        if self.weights.ndim != 1 or not np.isfinite(self.weights).all() or (self.weights < 0).any():
            raise ValueError(f"weights {self.weights}, expected a row of finite numbers >= 0")
        possible = np.count_nonzero(self.weights)
        if num_samples < 0 or not possible or (not replacement and num_samples > possible):
            raise ValueError(
                f"{num_samples} draws from {possible} weights above 0, replacement={replacement}"
            )

    def __len__(self) -> int:
        return self.num_samples

    def __call__(self, epoch: int) -> IntArray:
        """Return the draws of pass ``epoch``."""
        shares = self.weights / self.weights.sum()
        return rng.generator(self.seed, epoch).choice(
            len(shares), self.num_samples, replace=self.replacement, p=shares
        )


class SubsetRandomSampler:
    """Shuffles some image numbers anew for each pass; a sampler for ``DataLoader``.

    Args:
        indices: The image numbers.
        seed: Pass k depends on (seed, k) alone; None draws a seed from Python's ``random``.
    """

    def __init__(self, indices: npt.ArrayLike, seed: int | None = None) -> None:
        self.indices = _integers("indices", indices)
        self.seed = rng.new_key() if seed is None else seed

    def __len__(self) -> int:
        return len(self.indices)

    def __call__(self, epoch: int) -> IntArray:
        """Return the order of pass ``epoch``."""
        return rng.generator(self.seed, epoch).permutation(self.indices)
