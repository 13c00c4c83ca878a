"""When storages were changed in place: how a backward pass finds out that a saved value is no longer what it was.

Time is counted in changes. A recorded call notes the time (`clock.now`), and each change in place advances it and is
noted under its storage. A value that a call saved is still good if its storage was not changed after the call. Where
nothing was changed at all since then, which is so in most training steps, comparing two numbers tells.

Item assignment that is recorded gives one tensor a new history. Other tensors on the same storage then show numbers
whose derivative they do not know; `assigned` lets an operation find that out. PyTorch keeps a version counter per
storage for the same purpose.

What has put off reading storages is a `Reader`: it is told before a storage changes, and reads it then.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any, NamedTuple

_LIMIT = 65_536  # storages that are remembered; beyond, those that were changed longest ago are forgotten


class Stored:
    """Base of what has its elements in a storage, which is ``_tensor._storage``."""

    __slots__ = ()

    _tensor: Any


class Reader:
    """What may read storages later; `add_reader` makes it known, for as long as something refers to it."""

    __slots__ = ("__weakref__",)

    def reads(self, storage: Any) -> bool:
        """Tell whether it may read the memory of ``storage``."""
        raise NotImplementedError

    def read(self) -> None:
        """Read now what it may need later."""
        raise NotImplementedError


class _Clock:
    now = 0


class Assignment(NamedTuple):
    """The last recorded item assignment into a storage."""

    time: int
    owner: weakref.ref[Any]  # the tensor that knows the derivative
    storage: weakref.ref[Any]


clock = _Clock()
assigned: dict[int, Assignment] = {}  # by the id of the storage; empty unless an assignment was recorded
_changed: dict[int, int] = {}  # the time of the last change, by the id of the storage
# By the id of another object for the same memory: its first storage, and a reference to notice its end.
_same: dict[int, tuple[Any, weakref.ref[Any]]] = {}
_readers: weakref.WeakSet[Reader] = weakref.WeakSet()
_lock = threading.RLock()


def add_reader(reader: Reader) -> None:
    """Let ``reader`` read its storages before they change."""
    _readers.add(reader)


def before_change(*storages: Any) -> None:
    """Let those read who may read these storages later: call it before a change that is noted after it."""
    if _readers:
        for reader in list(_readers):
            if any(map(reader.reads, storages)):
                reader.read()


def mark_changed(*storages: Any) -> int:
    """Note that storages are changed in place, before or (see `before_change`) after it; return the time."""
    before_change(*storages)
    with _lock:
        clock.now += 1
        # The id of a storage that is gone may come again: its time is before any call on the new one.
        for storage in storages:
            _changed[_key(storage) if _same else id(storage)] = clock.now
        if len(_changed) > _LIMIT:
            for key in sorted(_changed, key=_changed.__getitem__)[: _LIMIT // 2]:
                del _changed[key]
        return clock.now


def changed_since(storage: Any, time: int) -> bool:
    """Tell whether a storage was changed after ``time``."""
    return _changed.get(_key(storage), 0) > time


def mark_same(other: Any, storage: Any) -> None:
    """Note that ``other`` is another object for the whole memory of ``storage``: a change of one changes both."""
    key = id(other)

    def forget(gone: weakref.ref[Any]) -> None:
        if key in _same and _same[key][1] is gone:
            del _same[key]

    _same[key] = _first(storage), weakref.ref(other, forget)


def _first(storage: Any) -> Any:
    entry = _same.get(id(storage))
    return storage if entry is None else entry[0]


def _key(storage: Any) -> int:
    return id(_first(storage))


def mark_assigned(storage: Any, owner: Any) -> None:
    """Note that a recorded item assignment changed a storage, and that ``owner`` has its history."""
    key = id(storage)

    def forget(gone: weakref.ref[Any]) -> None:
        entry = assigned.get(key)
        if entry is not None and entry.storage is gone:
            del assigned[key]

    assigned[key] = Assignment(clock.now, weakref.ref(owner), weakref.ref(storage, forget))
