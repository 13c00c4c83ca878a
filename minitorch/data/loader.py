"""DataLoader: goes through a dataset in batches of NumPy arrays, in an order that depends on a seed alone.

Depends on `minitorch.data.dataset` and `minitorch.runtime.rng`. Batches may be prepared ahead by threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from operator import index
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from ..runtime import rng
from ..runtime.types import Array
from .dataset import Dataset, IntArray, positions

Order: TypeAlias = Callable[[int], npt.ArrayLike]  # from the number of a pass to image numbers


@runtime_checkable
class Items(Protocol):
    """A dataset of the user's own: ``dataset[i]`` for i below ``len(dataset)`` is a tuple of numbers and arrays."""

    def __len__(self) -> int: ...

    def __getitem__(self, i: int, /) -> Any: ...


class DataLoader:
    """Goes through a dataset in batches ``(images, labels)``; each ``for`` over it is a pass.

    ``images`` is (N, C, H, W): as stored, or as ``transform`` returns them; ``labels`` is (N,). Of a dataset of the
    user's own, a batch is a tuple of arrays: the parts of its items, each stacked (N, ...).

    Pass k, counted from 0, depends on (seed, k) alone and never on ``workers``; random transforms too, as far as they
    draw from `minitorch.runtime.rng`. ``loader.epoch`` is the number of the next pass and can be set; ``len(loader)``
    is the number of batches.

    Args:
        dataset: A Dataset, or any object with a length whose items are tuples, such as (inputs, target): rows of a
            table, regression targets, a list of pairs.
        batch_size: Images in a batch, by default 1; the last batch may be smaller.
        shuffle: Whether each pass has a random order of its own; by default the order is that of the dataset.
        sampler: Image numbers instead of an order: the same in each pass, or a function of the pass.
        drop_last: Whether to leave out a smaller last batch; by default it stays.
        transform: Called with the images of a batch as stored (with the first part of the items), returns images; by
            default none.
        mix: Called with the images (as ``transform`` returns them) and the labels of a batch, returns both, such as
            `minitorch.vision.MixUp`; by default none.
        seed: None (default) draws one from Python's ``random`` now.
        workers: Threads that prepare batches ahead; 0 (default) prepares each when it is needed.

    Raises:
        ValueError: ``batch_size`` < 1, ``workers`` < 0, or both ``sampler`` and ``shuffle``.
        TypeError: ``dataset`` is no dataset, or the sampler gives something else than integers. During a pass: an item
            is no tuple.
        IndexError: The sampler gives the number of an image that does not exist.
    """

    def __init__(
        self,
        dataset: Dataset | Items,
        batch_size: int = 1,
        shuffle: bool = False,
        sampler: Iterable[int] | Order | None = None,
        *,
        drop_last: bool = False,
        transform: Callable[[Array], Array] | None = None,
        mix: Callable[..., tuple[Array, ...]] | None = None,
        seed: int | None = None,
        workers: int = 0,
    ) -> None:
        if not _is_dataset(dataset):
            raise TypeError(
                f"DataLoader: expected a Dataset, got a {type(dataset).__name__}; an object of your own needs a length "
                "and items that are tuples, such as (inputs, target)"
            )
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
        self.mix = mix
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

    def __iter__(self) -> Iterator[Any]:
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

    def _in_turn(self, epoch: int, chosen: Iterable[IntArray]) -> Iterator[Any]:
        for number, indices in enumerate(chosen):
            yield self._batch(epoch, number, indices)

    def _in_threads(self, epoch: int, chosen: Iterable[IntArray]) -> Iterator[Any]:
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="minitorch-data")
        pending: deque[Future[Any]] = deque()
        try:
            for number, indices in enumerate(chosen):
                pending.append(pool.submit(self._batch, epoch, number, indices))
                if len(pending) > 2 * self.workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _batch(self, epoch: int, number: int, indices: IntArray) -> tuple[Array, ...]:
        with rng.seeded(self.seed, epoch, number):
            if isinstance(self.dataset, Dataset):
                inputs, *rest = self.dataset.images[indices], self.dataset.labels[indices]
            else:
                inputs, *rest = _stacked([self.dataset[int(i)] for i in indices])
            batch = inputs if self.transform is None else self.transform(inputs), *rest
            return batch if self.mix is None else self.mix(*batch)


def _is_dataset(dataset: object) -> bool:
    if isinstance(dataset, list | tuple):
        return all(isinstance(item, list | tuple) for item in dataset)
    return isinstance(dataset, Items) and not isinstance(dataset, str | bytes | Mapping | np.ndarray)


def _stacked(items: list[Any]) -> list[Array]:
    """Return an array of each part of the items.

    Raises:
        TypeError: An item is no tuple.
        ValueError: The items have different numbers of parts, or parts of different shapes.
    """
    wrong = next((item for item in items if not isinstance(item, list | tuple)), None)
    if wrong is not None:
        raise TypeError(
            f"DataLoader: expected items that are tuples, such as (inputs, target), got a {type(wrong).__name__}"
        )
    shapes = {tuple(np.shape(part) for part in item) for item in items}
    if len(shapes) != 1:
        first, second, *_ = sorted(map(str, shapes))
        raise ValueError(f"DataLoader: expected items of equal shapes in a batch, got {first} and {second}")
    return [np.stack([np.asarray(part) for part in parts]) for parts in zip(*items)]
