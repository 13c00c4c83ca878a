"""Settings of one, two or three dimensions as tuples; `modules.utils` has them under PyTorch's name."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any


def _ntuple(n: int, name: str = "parse") -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that repeats a number ``n`` times, and makes a tuple of a sequence."""

    def parse(x: Any) -> tuple[Any, ...]:
        return tuple(x) if isinstance(x, Iterable) else tuple(itertools.repeat(x, n))

    parse.__name__ = name
    return parse


_single = _ntuple(1, "_single")
_pair = _ntuple(2, "_pair")
_triple = _ntuple(3, "_triple")
_quadruple = _ntuple(4, "_quadruple")


def _reverse_repeat_tuple(t: Iterable[Any], n: int) -> tuple[Any, ...]:
    """Return the elements from the last to the first, each ``n`` times."""
    return tuple(x for x in reversed(list(t)) for _ in range(n))


def many(value: Any, dims: int) -> Any:
    """Return a setting for each dimension; a word stays as it is."""
    return value if isinstance(value, str) else _ntuple(dims)(value)
