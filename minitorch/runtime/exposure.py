"""Which memory others may write to unnoticed: that of a user's array, and what was handed out as an array.

Changes in place that the framework makes are noted in `minitorch.runtime.versions`; those through an array of NumPy are
not. What has put off reading some memory may do so only where nobody else can change it.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from .versions import before_change

# By the id of the array that owns the memory, or of another object for memory: a reference to notice its end.
_exposed: dict[int, weakref.ref[Any]] = {}


def _owner(storage: Any) -> Any:
    while isinstance(storage, np.ndarray) and isinstance(storage.base, np.ndarray):
        storage = storage.base
    return storage


def mark_exposed(storage: Any) -> None:
    """Note that others can write to the memory of ``storage`` from now on, for as long as there is that memory."""
    before_change(storage)
    owner = _owner(storage)
    key = id(owner)

    def forget(gone: weakref.ref[Any]) -> None:
        if _exposed.get(key) is gone:
            del _exposed[key]

    _exposed[key] = weakref.ref(owner, forget)


def is_exposed(storage: Any) -> bool:
    """Tell whether others may write to the memory of ``storage``."""
    return bool(_exposed) and id(_owner(storage)) in _exposed
