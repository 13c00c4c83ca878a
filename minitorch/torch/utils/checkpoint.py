"""``torch.utils.checkpoint``: calls as they are; activations are kept, so that results and gradients are the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    determinism_check: str = "default",
    debug: bool = False,
    context_fn: Any = None,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """Return ``function(*args, **kwargs)``: no memory is saved here."""
    return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Sequence[Callable[..., Any]],
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    **ignored: Any,
) -> Any:
    """Return what modules give one after the other: no memory is saved here."""
    for fn in functions:
        input = fn(input)
    return input
