"""Files: the cache folder, and writing a file completely or not at all.

It depends on the standard library only; downloads and data sets use it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def cache_folder() -> Path:
    """Return ``$MINITORCH_CACHE_DIR`` if set, else minitorch's folder among the user's caches."""
    chosen = os.environ.get("MINITORCH_CACHE_DIR")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "minitorch"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "minitorch"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minitorch"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; at the end it replaces ``path``, on an error it is deleted.

    So a reader sees the old file or the complete new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = own_name(path)
    # Made anew: a link that someone put in its place would lead a writer to another file.
    temporary.unlink(missing_ok=True)
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield temporary
        os.replace(temporary, path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def own_name(path: Path) -> Path:
    """Return a hidden name beside ``path`` that belongs to this process and thread."""
    return path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")


def sync_folder(folder: Path) -> None:
    """Write the names in ``folder`` to disk, where the system can, so that a rename survives a power cut."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def is_running(process: int) -> bool:
    """Tell whether there is a process of this number; where that cannot be known, yes."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
