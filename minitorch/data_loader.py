"""From arrays to batches: Dataset, splits, samplers, DataLoader.

Everything is a NumPy array; every order depends on a seed. This file refuses to know files, the names of
sets, tensors and models.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from operator import index
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from . import rng

Array: TypeAlias = npt.NDArray[Any]
IntArray: TypeAlias = npt.NDArray[np.int64]
Batch: TypeAlias = tuple[Array, IntArray]
Order: TypeAlias = Callable[[int], npt.ArrayLike]


class Dataset:
    """Images with labels.

    Args:
        images: (N, C, H, W), uint8 or float.
        labels: (N,), integers.
        classes: Name of each class.
        name: Name of the set.

    Raises:
        ValueError: Shapes other than these.
        TypeError: Labels that are not integers.
    """

    def __init__(
        self, images: npt.ArrayLike, labels: npt.ArrayLike, classes: Sequence[str] = (), name: str = ""
    ) -> None:
        self.images: Array = np.asarray(images)
        self.labels: IntArray = _integers("labels", labels)
        self.classes = tuple(classes)
        self.name = name
        if self.images.ndim != 4 or self.labels.shape != self.images.shape[:1]:
            raise ValueError(
                f"images {self.images.shape} and labels {self.labels.shape}, expected (N, C, H, W) and (N,)"
            )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> tuple[Array, int]:
        if not -len(self) <= index(i) < len(self):
            raise IndexError(f"image {i} asked of {len(self)} images")
        return self.images[i], int(self.labels[i])

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, images={self.images.shape}, {self.images.dtype})"

    def subset(self, indices: npt.ArrayLike) -> Dataset:
        """Return the images at ``indices`` (integers, or one bool per image) as a dataset of their own."""
        chosen = _positions(indices, len(self))
        return Dataset(self.images[chosen], self.labels[chosen], self.classes, self.name)

    def sample(self, n: int, replace: bool = True) -> Batch:
        """Draw ``n`` images at random: (images, labels), as stored.

        Raises:
            ValueError: More images asked for than there are, and ``replace`` is False, or no images.
        """
        if n < 0 or (n and not len(self)) or (not replace and n > len(self)):
            raise ValueError(f"cannot draw {n} images from {len(self)} with replace={replace}")
        chosen = rng.generator().choice(len(self), n, replace=replace) if n else np.arange(0)
        return self.images[chosen], self.labels[chosen]

    def mean_std(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return mean and standard deviation per channel, each (C,); of pixels/255 if they are uint8.

        Raises:
            ValueError: The dataset has no pixels.
        """
        if not self.images.size:
            raise ValueError(f"no pixels in {self!r}")
        count = self.images.size // self.images.shape[1]
        scale = 255.0 if self.images.dtype == np.uint8 else 1.0
        parts = np.array_split(self.images, -(-len(self) // 500))  # a float64 copy of all may not fit
        mean = sum(part.sum((0, 2, 3), dtype=np.float64) for part in parts) / count
        variance = sum(np.square(part - mean[:, None, None]).sum((0, 2, 3)) for part in parts) / count
        return mean / scale, np.sqrt(variance) / scale


def random_split(dataset: Dataset, lengths: Sequence[float], seed: int = 0) -> list[Dataset]:
    """Split a dataset at random into disjoint ones, the same for the same seed.

    Args:
        dataset: What to split.
        lengths: Counts that add up to ``len(dataset)``, or fractions that add up to 1 (the parts are rounded
            down, what is left goes to the first ones, one each).
        seed: Chooses the split.

    Raises:
        ValueError: Lengths that do not add up, or are negative.
    """
    n, given = len(dataset), np.asarray(lengths)
    counts = given
    if given.dtype.kind == "f" and abs(given.sum() - 1) < 1e-6:
        counts = np.floor(n * given).astype(np.int64)
        counts[: n - counts.sum()] += 1
    if counts.dtype.kind not in "iu" or counts.ndim != 1 or (given < 0).any() or counts.sum() != n:
        raise ValueError(f"lengths {lengths} add up to {given.sum()}, expected {n} images or fractions of 1")
    order = rng.generator(seed).permutation(n)
    return [dataset.subset(part) for part in np.split(order, np.cumsum(counts)[:-1])]


def one_hot(labels: npt.ArrayLike, classes: int) -> npt.NDArray[np.float32]:
    """Return float32 zeros of shape (..., classes) with a 1 at each label.

    Raises:
        IndexError: A label outside 0..classes-1 (names it and its position).
        TypeError: Labels that are not integers.
    """
    numbers = _integers("labels", labels)
    wrong = np.argwhere((numbers < 0) | (numbers >= classes))
    if len(wrong):
        where = tuple(wrong[0].tolist())
        raise IndexError(f"label {numbers[where]} at {where}, expected 0..{classes - 1}")
    return (numbers[..., None] == np.arange(classes)).astype(np.float32)


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


class DataLoader:
    """Goes through a dataset in batches ``(images, labels)``; each ``for`` over it is a pass.

    Without a transform, images come as they are stored; with one, as it returns them. Pass k, counted from 0,
    depends on (seed, k) alone and never on ``workers``; random transforms too, as far as they draw from
    ``minitorch.rng``. ``loader.epoch`` is the number of the next pass and can be set.

    Args:
        dataset: Where images come from.
        batch_size: Images in a batch; the last one may be smaller.
        shuffle: Whether each pass has an order of its own.
        sampler: Image numbers instead of an order: the same in each pass, or a function of the pass.
        drop_last: Whether to leave out a smaller last batch.
        transform: Called with a batch of images as they are stored, returns images.
        seed: None draws one from Python's ``random`` now.
        workers: Threads that prepare batches ahead; 0 prepares each when it is asked for.

    Raises:
        ValueError: ``batch_size`` < 1, ``workers`` < 0, or both ``sampler`` and ``shuffle``.
        TypeError: Something else than a Dataset.
        IndexError: The sampler names an image which is not there.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int = 1,
        shuffle: bool = False,
        sampler: Iterable[int] | Order | None = None,
        *,
        drop_last: bool = False,
        transform: Callable[[Array], Array] | None = None,
        seed: int | None = None,
        workers: int = 0,
    ) -> None:
        if not isinstance(dataset, Dataset):
            raise TypeError(f"dataset is a {type(dataset).__name__}, expected a Dataset")
        if index(batch_size) < 1 or index(workers) < 0:
            raise ValueError(f"batch_size={batch_size}, workers={workers}, expected at least 1 and 0")
        if shuffle and sampler is not None:
            raise ValueError("shuffle=True and a sampler, expected one of them")
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.transform = transform
        self.seed = rng.new_key() if seed is None else seed
        self.workers = workers
        self.epoch = 0
        self.sampler: IntArray | Order | None
        if sampler is None or callable(sampler):
            self.sampler = sampler
        else:
            self.sampler = _positions(list(sampler), len(dataset))

    def __len__(self) -> int:
        return len(self._starts(self._order(self.epoch)))

    def __iter__(self) -> Iterator[Batch]:
        epoch, order = self.epoch, self._order(self.epoch)
        self.epoch += 1
        chosen = (order[start : start + self.batch_size] for start in self._starts(order))
        return self._ahead(epoch, chosen) if self.workers else self._in_turn(epoch, chosen)

    def _starts(self, order: IntArray) -> range:
        end = len(order) - self.batch_size + 1 if self.drop_last else len(order)
        return range(0, max(end, 0), self.batch_size)

    def _order(self, epoch: int) -> IntArray:
        count = len(self.dataset)
        if self.sampler is not None:
            return _positions(self.sampler(epoch) if callable(self.sampler) else self.sampler, count)
        return rng.generator(self.seed, epoch).permutation(count) if self.shuffle else np.arange(count)

    def _in_turn(self, epoch: int, chosen: Iterable[IntArray]) -> Iterator[Batch]:
        for number, indices in enumerate(chosen):
            yield self._batch(epoch, number, indices)

    def _ahead(self, epoch: int, chosen: Iterable[IntArray]) -> Iterator[Batch]:
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="minitorch-data")
        pending: deque[Future[Batch]] = deque()
        try:
            for number, indices in enumerate(chosen):
                pending.append(pool.submit(self._batch, epoch, number, indices))
                if len(pending) > 2 * self.workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _batch(self, epoch: int, number: int, indices: IntArray) -> Batch:
        images, labels = self.dataset.images[indices], self.dataset.labels[indices]
        if self.transform is not None:
            with rng.seeded(self.seed, epoch, number):
                return self.transform(images), labels
        return images, labels


def _integers(what: str, values: npt.ArrayLike) -> IntArray:
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"{what} are {array.dtype}, expected integers")
    return array.astype(np.int64)


def _positions(indices: npt.ArrayLike, count: int) -> IntArray:
    """Image numbers as an array; bools mean the images where they are True."""
    array = np.asarray(indices)
    if array.dtype == np.bool_ and array.shape == (count,):
        return np.flatnonzero(array)
    numbers = _integers("indices", array)
    if numbers.ndim != 1:
        raise ValueError(f"indices of shape {numbers.shape}, expected a row of numbers or {count} bools")
    wrong = numbers[(numbers < -count) | (numbers >= count)]
    if len(wrong):
        raise IndexError(f"image {wrong[0]} asked of {count} images")
    return numbers
