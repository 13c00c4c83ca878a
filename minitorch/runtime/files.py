"""Files: the cache folder, and writing a file completely or not at all.

It depends on the standard library only; downloads and data sets use it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
