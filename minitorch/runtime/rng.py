"""Random numbers: all of minitorch draws them here.

Every draw takes one 64-bit key from Python's ``random`` and expands it with a counter-based generator (Philox, Salmon
et al., 2011). So ``random.seed(n)`` makes a run repeatable, one saved state restores it, and an array of random numbers
depends on that state and on its shape only. The file depends on NumPy only.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_source: ContextVar[random.Random | None] = ContextVar("_source", default=None)
_drawing: ContextVar[bool] = ContextVar("_drawing", default=True)


def manual_seed(seed: int) -> None:
    """Seed all randomness of minitorch: the same as ``random.seed(seed)``."""
    random.seed(seed)


def new_key() -> int:
    """Draw a 64-bit key from Python's ``random``, or inside `seeded` from its source."""
    source = _source.get()
    return random.getrandbits(64) if source is None else source.getrandbits(64)


@contextmanager
def seeded(*key: int) -> Iterator[None]:
    """Make the draws of this thread within the block depend on ``key`` only; ``random`` is not touched."""
    token = _source.set(random.Random(repr(key)))
    try:
        yield
    finally:
        _source.reset(token)


@contextmanager
def undrawn() -> Iterator[None]:
    """Make `uniform` and `normal` of this thread return zeros, read-only, within the block: nothing is drawn.

    For initial values that are replaced at once: to draw them takes longer than to read a network from a file.
    """
    token = _drawing.set(False)
    try:
        yield
    finally:
        _drawing.reset(token)


def generator(*key: int) -> np.random.Generator:
    """Return a NumPy generator that depends on ``key`` only, or on a new key if none is given."""
    words = key or (new_key(),)
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(words)))


def uniform(shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> FloatArray:
    """Return an array of ``shape``, uniform in [low, high)."""
    return generator().uniform(low, high, shape) if _drawing.get() else np.broadcast_to(0.0, shape)


def normal(shape: tuple[int, ...], mean: float = 0.0, std: float = 1.0) -> FloatArray:
    """Return an array of ``shape`` from the normal distribution with this mean and standard deviation."""
    return generator().normal(mean, std, shape) if _drawing.get() else np.broadcast_to(0.0, shape)
