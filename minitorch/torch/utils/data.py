"""Datasets, samplers and the DataLoader: ``torch.utils.data``.

A loader with workers prepares batches ahead in threads. Each batch draws its random numbers from a source of its own,
so that results do not depend on the number of workers.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from ...runtime import rng
from ..creation import Generator, drawing, tensor
from ..joining import stack
from ..tensor import Tensor, from_array, to_array


class Dataset:
    """Anything with ``__getitem__`` and ``__len__``; a subclass defines them."""

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])

    def __class_getitem__(cls, item: Any) -> Any:
        return cls


class IterableDataset(Dataset):
    """A dataset that is iterated over; a subclass defines ``__iter__``."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError("Subclasses of IterableDataset should implement __iter__.")


class TensorDataset(Dataset):
    """Rows of tensors of equal lengths."""

    def __init__(self, *tensors: Tensor) -> None:
        if any(t.size(0) != tensors[0].size(0) for t in tensors):
            raise AssertionError("Size mismatch between tensors")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return int(self.tensors[0].size(0))


class Subset(Dataset):
    """The items of a dataset at these indices."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, list):
            return self.dataset[[self.indices[i] for i in idx]]
        return self.dataset[self.indices[idx]]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset):
    """Datasets one after the other."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        self.cumulative_sizes = list(itertools.accumulate(len(d) for d in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx: int) -> Any:
        if not -len(self) <= idx < len(self):
            raise ValueError("absolute value of index should not exceed dataset length")
        idx %= len(self)
        k = next(k for k, end in enumerate(self.cumulative_sizes) if idx < end)
        return self.datasets[k][idx - (self.cumulative_sizes[k - 1] if k else 0)]


class ChainDataset(IterableDataset):
    """Iterable datasets one after the other."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[Any]:
        return itertools.chain.from_iterable(self.datasets)


def random_split(dataset: Any, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset]:
    """Split a dataset at random into parts of these lengths, or of these fractions.

    Raises:
        ValueError: The lengths do not add up.
    """
    n = len(dataset)
    counts = list(lengths)
    if sum(counts) <= 1 and abs(sum(counts) - 1) < 1e-6:
        fractions, counts = counts, [int(n * part) for part in counts]
        for k in range(n - int(sum(counts))):
            counts[k % len(fractions)] += 1
    if sum(counts) != n:
        raise ValueError("Sum of input lengths does not equal the length of the input dataset!")
    order = drawing(generator).permutation(n).tolist()
    ends = list(itertools.accumulate(int(c) for c in counts))
    return [Subset(dataset, order[end - int(c) : end]) for end, c in zip(ends, counts)]


# Samplers


class Sampler:
    """Iterates over indices; a subclass defines ``__iter__``."""

    def __init__(self, data_source: Any = None) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError

    def __class_getitem__(cls, item: Any) -> Any:
        return cls


class SequentialSampler(Sampler):
    """All indices in order."""

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """Indices in random order, or drawn with replacement."""

    def __init__(
        self,
        data_source: Any,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Any = None,
    ) -> None:
        self.data_source, self.replacement, self.generator = data_source, replacement, generator
        self._num_samples = num_samples

    @property
    def num_samples(self) -> int:
        """How many indices are drawn."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        source, n = drawing(self.generator), len(self.data_source)
        if self.replacement:
            return iter(source.integers(0, n, self.num_samples).tolist())
        order = itertools.chain.from_iterable(
            source.permutation(n).tolist() for _ in range(-(-self.num_samples // max(n, 1)))
        )
        return itertools.islice(order, self.num_samples)

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """These indices in random order."""

    def __init__(self, indices: Sequence[int], generator: Any = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        return (self.indices[k] for k in drawing(self.generator).permutation(len(self.indices)).tolist())

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """Indices drawn with probabilities in proportion to weights."""

    def __init__(
        self, weights: Any, num_samples: int, replacement: bool = True, generator: Any = None
    ) -> None:
        self.weights, self.num_samples, self.replacement = (
            np.asarray(to_array(weights), np.float64),
            num_samples,
            replacement,
        )
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        p = self.weights / self.weights.sum()
        return iter(drawing(self.generator).choice(len(p), self.num_samples, self.replacement, p).tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """Lists of ``batch_size`` indices of another sampler."""

    def __init__(self, sampler: Any, batch_size: int, drop_last: bool) -> None:
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        n = len(self.sampler)
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


# Loading


def default_collate(batch: Sequence[Any]) -> Any:
    """Join samples into a batch: tensors, arrays and numbers become tensors; containers are joined inside.

    Raises:
        TypeError: A sample holds something else.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(batch)
    if isinstance(first, np.ndarray):
        return from_array(np.stack(batch))
    if isinstance(first, np.generic | bool | int):
        return tensor(np.array(batch))
    if isinstance(first, float):
        return tensor(np.array(batch, np.float64))
    if isinstance(first, str | bytes):
        return list(batch)
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, tuple) and vars(type(first)).get("_fields"):
        return type(first)(*(default_collate(part) for part in zip(*batch)))
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        return [default_collate(part) for part in zip(*batch)]
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
        f"{type(first)}"
    )


class DataLoader:
    """Goes through a dataset in batches.

    Args:
        dataset: Anything with ``__getitem__`` and ``__len__``, or an IterableDataset.
        batch_size: Samples in a batch, by default 1; None gives the samples themselves.
        shuffle: Whether each pass has a new random order.
        sampler: Gives indices instead.
        batch_sampler: Gives lists of indices instead.
        num_workers: Threads that prepare batches ahead; 0 (default) prepares each when it is needed.
        collate_fn: Joins samples into a batch; by default `default_collate`.
        pin_memory: Accepted, and changes nothing.
        drop_last: Whether to leave out a smaller last batch.
        timeout: Accepted, and changes nothing.
        worker_init_fn: Called with the number of each worker, in this process.
        multiprocessing_context: Accepted, and changes nothing.
        generator: The source of the random order.
        prefetch_factor: Accepted, and changes nothing.
        persistent_workers: Accepted, and changes nothing.
        pin_memory_device: Accepted, and changes nothing.
    """

    def __init__(
        self, dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None, sampler: Any = None,
        batch_sampler: Any = None, num_workers: int = 0, collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False, drop_last: bool = False, timeout: float = 0, worker_init_fn: Any = None,
        multiprocessing_context: Any = None, generator: Any = None, *, prefetch_factor: int | None = None,
        persistent_workers: bool = False, pin_memory_device: str = "",
    ) -> None:  # fmt: skip
        if num_workers < 0:
            raise ValueError(
                "num_workers option should be non-negative; use num_workers=0 to disable multiprocessing."
            )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError(
                "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
            )
        if batch_sampler is None and batch_size is not None and batch_size < 1:
            raise ValueError(
                f"batch_size should be a positive integer value, but got batch_size={batch_size}"
            )
        self.sampler: Any
        self.batch_sampler: Any
        self.dataset, self.num_workers, self.generator = dataset, num_workers, generator
        self.pin_memory, self.drop_last, self.worker_init_fn = pin_memory, drop_last, worker_init_fn
        self.collate_fn = collate_fn or (
            default_collate if batch_size is not None or batch_sampler else _as_tensor
        )
        self.batch_size = None if batch_sampler is not None else batch_size
        self._iterable = isinstance(dataset, IterableDataset)
        if self._iterable:
            self.sampler, self.batch_sampler = None, None
            return
        if sampler is None:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        if batch_sampler is None and batch_size is not None:
            self.batch_sampler = BatchSampler(sampler, batch_size, drop_last)

    def __len__(self) -> int:
        if self._iterable:
            n = len(self.dataset)
            size = self.batch_size or 1
            return n // size if self.drop_last else -(-n // size)
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)

    def __iter__(self) -> Iterator[Any]:
        if self._iterable:
            return self._in_turn_of_iterable()
        key = rng.new_key() if self.generator is None else int(drawing(self.generator).integers(2**62))
        chosen = iter(self.sampler if self.batch_sampler is None else self.batch_sampler)
        return self._in_threads(key, chosen) if self.num_workers else self._in_turn(key, chosen)

    def _in_turn_of_iterable(self) -> Iterator[Any]:
        samples = iter(self.dataset)
        if self.batch_size is None:
            yield from map(self.collate_fn, samples)
            return
        while batch := list(itertools.islice(samples, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.collate_fn(batch)

    def _batch(self, key: int, number: int, indices: Any) -> Any:
        with rng.seeded(key, number):
            if self.batch_sampler is None:
                return self.collate_fn(self.dataset[indices])
            return self.collate_fn([self.dataset[i] for i in indices])

    def _in_turn(self, key: int, chosen: Iterator[Any]) -> Iterator[Any]:
        for number, indices in enumerate(chosen):
            yield self._batch(key, number, indices)

    def _in_threads(self, key: int, chosen: Iterator[Any]) -> Iterator[Any]:
        if self.worker_init_fn is not None:
            for worker in range(self.num_workers):
                self.worker_init_fn(worker)
        pool = ThreadPoolExecutor(self.num_workers, thread_name_prefix="minitorch-torch-data")
        pending: deque[Future[Any]] = deque()
        try:
            for number, indices in enumerate(chosen):
                pending.append(pool.submit(self._batch, key, number, indices))
                if len(pending) > 2 * self.num_workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _as_tensor(sample: Any) -> Any:
    return from_array(sample) if isinstance(sample, np.ndarray) else sample


def get_worker_info() -> None:
    """Return None: workers are threads of this process."""
    return
