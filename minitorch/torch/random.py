"""``torch.random``: the randomness of the process: seeds, states, and a part of a script that leaves it as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .creation import Generator as Generator
from .creation import default_generator as default_generator
from .creation import get_rng_state as get_rng_state
from .creation import initial_seed as initial_seed
from .creation import manual_seed as manual_seed
from .creation import seed as seed
from .creation import set_rng_state as set_rng_state


@contextmanager
def fork_rng(devices: Any = None, enabled: bool = True, device_type: str = "cuda") -> Iterator[None]:
    """Go on after the ``with`` block with the randomness that was before it."""
    before = get_rng_state()
    try:
        yield
    finally:
        if enabled:
            set_rng_state(before)
