"""DataLoader: goes through a Dataset in batches of NumPy arrays, in an order that depends on a seed alone.

Depends on `minitorch.data.dataset` and `minitorch.runtime.rng`. Batches may be prepared ahead by threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from operator import index
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..runtime import rng
from ..runtime.types import Array
from .dataset import Batch, Dataset, IntArray, positions

Order: TypeAlias = Callable[[int], npt.ArrayLike]  # from the number of a pass to image numbers


class DataLoader:
    """Goes through a dataset in batches ``(images, labels)``; each ``for`` over it is a pass.

    ``images`` is (N, C, H, W): as stored, or as ``transform`` returns them; ``labels`` is (N,). Pass k, counted from 0,
    depends on (seed, k) alone and never on ``workers``; random transforms too, as far as they draw from
    `minitorch.runtime.rng`. ``loader.epoch`` is the number of the next pass and can be set; ``len(loader)`` is the
    number of batches.

    Args:
        dataset: The Dataset to go through.
        batch_size: Images in a batch, by default 1; the last batch may be smaller.
        shuffle: Whether each pass has a random order of its own; by default the order is that of the dataset.
        sampler: Image numbers instead of an order: the same in each pass, or a function of the pass.
        drop_last: Whether to leave out a smaller last batch; by default it stays.
        transform: Called with the images of a batch as stored, returns images; by default none.
        seed: None (default) draws one from Python's ``random`` now.
        workers: Threads that prepare batches ahead; 0 (default) prepares each when it is needed.

    Raises:
        ValueError: ``batch_size`` < 1, ``workers`` < 0, or both ``sampler`` and ``shuffle``.
        TypeError: ``dataset`` is not a Dataset, or the sampler gives something else than integers.
        IndexError: The sampler gives the number of an image that does not exist.
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
            raise TypeError(f"DataLoader: expected a Dataset, got a {type(dataset).__name__}")
        if index(batch_size) < 1 or index(workers) < 0:
            raise ValueError(
                "DataLoader: expected batch_size of at least 1 and workers of at least 0, "
                f"got {batch_size} and {workers}"
            )
        if shuffle and sampler is not None:
            raise ValueError("DataLoader: expected shuffle=True or a sampler, got both")
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
            self.sampler = positions(list(sampler), len(dataset))

    def __len__(self) -> int:
        return len(self._starts(self._order(self.epoch)))

    def __iter__(self) -> Iterator[Batch]:
        epoch, order = self.epoch, self._order(self.epoch)
        self.epoch += 1
        chosen = (order[start : start + self.batch_size] for start in self._starts(order))
        return self._in_threads(epoch, chosen) if self.workers else self._in_turn(epoch, chosen)

    def _starts(self, order: IntArray) -> range:
        end = len(order) - self.batch_size + 1 if self.drop_last else len(order)
        return range(0, max(end, 0), self.batch_size)

    def _order(self, epoch: int) -> IntArray:
        count = len(self.dataset)
        if self.sampler is not None:
            return positions(self.sampler(epoch) if callable(self.sampler) else self.sampler, count)
        return rng.generator(self.seed, epoch).permutation(count) if self.shuffle else np.arange(count)

    def _in_turn(self, epoch: int, chosen: Iterable[IntArray]) -> Iterator[Batch]:
        for number, indices in enumerate(chosen):
            yield self._batch(epoch, number, indices)

    def _in_threads(self, epoch: int, chosen: Iterable[IntArray]) -> Iterator[Batch]:
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
