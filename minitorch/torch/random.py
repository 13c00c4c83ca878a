"""``torch.random``: the randomness of the process: generators, seeds, states, and a part of a script that leaves it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..runtime import rng
from .dtypes import device as _device
from .tensor import Tensor, from_array, to_array


def _arrays(state: Any) -> Any:
    """Return a state read from text with arrays of NumPy again."""
    if isinstance(state, dict):
        return {k: _arrays(v) for k, v in state.items()}
    return np.array(state, np.uint64) if isinstance(state, list) else state


class Generator:
    """A source of random numbers of its own; ``manual_seed(n)`` starts it anew."""

    def __init__(self, device: Any = None) -> None:
        self.manual_seed(rng.new_key())

    def manual_seed(self, seed: int) -> Generator:
        """Start the sequence that belongs to ``seed``; return self."""
        self._seed = int(seed)
        self._numbers = rng.generator(self._seed % 2**63)
        return self

    @property
    def device(self) -> Any:
        """The CPU: numbers are drawn there, then moved."""
        return _device("cpu")

    def get_state(self) -> Tensor:
        """Return the state, to be given to `set_state`."""
        text = json.dumps(self._numbers.bit_generator.state, default=lambda words: words.tolist())
        return from_array(np.frombuffer(text.encode(), np.uint8).copy())

    def set_state(self, new_state: Tensor) -> None:
        """Go on from a state that `get_state` returned."""
        state = json.loads(to_array(new_state).tobytes())
        self._numbers.bit_generator.state = _arrays(state)

    def initial_seed(self) -> int:
        """Return the seed."""
        return self._seed

    def seed(self) -> int:
        """Start anew with a random seed, and return it."""
        return self.manual_seed(rng.new_key() >> 1)._seed


_last_seed = [0]


def manual_seed(seed: int) -> Generator:
    """Seed all randomness. The numbers differ from PyTorch's."""
    _last_seed[0] = int(seed)
    rng.manual_seed(int(seed))
    return Generator().manual_seed(int(seed))


def seed() -> int:
    """Seed all randomness by chance, and return the seed."""
    fresh = int(np.random.SeedSequence().generate_state(1)[0])
    manual_seed(fresh)
    return fresh


def initial_seed() -> int:
    """Return the last seed."""
    return _last_seed[0]


def drawing(generator: Generator | None) -> np.random.Generator:
    """Return the source of NumPy for one draw."""
    own = generator is not None and generator is not default_generator
    return generator._numbers if own else rng.generator()  # type: ignore[union-attr]


def get_rng_state() -> Tensor:
    """Return the state of the randomness, to be given to `set_rng_state`."""
    _, words, _ = random.getstate()
    return from_array(np.array(words, np.int64).view(np.uint8))


def set_rng_state(new_state: Tensor) -> None:
    """Go on with the randomness of a state that `get_rng_state` returned."""
    words = np.ascontiguousarray(to_array(new_state)).view(np.int64)
    random.setstate((3, tuple(int(w) for w in words), None))


class _DefaultGenerator(Generator):
    """The randomness that functions draw from which get no generator."""

    def __init__(self) -> None:
        pass

    def manual_seed(self, seed: int) -> Generator:
        """Seed all randomness."""
        manual_seed(seed)
        return self

    def initial_seed(self) -> int:
        """Return the last seed."""
        return initial_seed()

    def seed(self) -> int:
        """Seed all randomness by chance, and return the seed."""
        return seed()

    def get_state(self) -> Tensor:
        """Return the state of the randomness."""
        return get_rng_state()

    def set_state(self, new_state: Tensor) -> None:
        """Go on with the randomness of a state."""
        set_rng_state(new_state)


default_generator = _DefaultGenerator()


@contextmanager
def fork_rng(devices: Any = None, enabled: bool = True, device_type: str = "cuda") -> Iterator[None]:
    """Go on after the ``with`` block with the randomness that was before it."""
    before = get_rng_state()
    try:
        yield
    finally:
        if enabled:
            set_rng_state(before)
