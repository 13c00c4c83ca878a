"""Files: the cache folder, writing a file completely or not at all, and reading one that may be anything.

It depends on the standard library only; everything that writes or reads a file uses it.
"""

from __future__ import annotations

import errno
import functools
import os
import platform
import re
import stat
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

LARGEST = 1 << 34  # bytes that `read_file` reads at most, unless it is told another number
_LONGEST = 120  # bytes of a file's name that its temporary name repeats; file systems allow 255 bytes
_OWN_NAME = re.compile(r"\..*\.([0-9]+)-[0-9]+-([0-9a-f]{8})\.(tmp|part)", re.DOTALL)


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
def replacing(path: Path, mode: int = 0o666) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; at the end it replaces ``path``, on an error it is deleted.

    So a reader sees the old file or the complete new one, after a power cut too: the bytes are written to disk before
    the rename, and the rename after it. What killed processes left in the folder is deleted first.

    Args:
        path: The file; its folder is created where it is missing.
        mode: The permissions of a new file, of which the umask takes away; by default 0o666.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    delete_leftovers(path.parent)
    with writing(own_name(path)) as temporary:
        try:
            # Made anew: a link that someone put in its place would lead a writer to another file.
            temporary.unlink(missing_ok=True)
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
            yield temporary
            publish(temporary, path)
        except OSError as error:
            if error.filename in (None, str(temporary), temporary):
                error.filename = str(path)  # the user knows this name
            raise
        finally:
            temporary.unlink(missing_ok=True)


_written: set[str] = set()  # the names of `own_name` that this process writes to now


@contextmanager
def writing(own: Path) -> Iterator[Path]:
    """Keep a path of `own_name` from being taken for a leftover until the block ends."""
    _written.add(own.name)
    try:
        yield own
    finally:
        _written.discard(own.name)


@functools.cache
def _machine() -> str:
    """Return a short name of this machine: a folder may be shared, and numbers of processes are not."""
    return f"{zlib.crc32(platform.node().encode()):08x}"


def own_name(path: Path, kind: str = "tmp") -> Path:
    """Return a hidden name beside ``path`` that belongs to this thread, process and machine.

    Args:
        path: The file.
        kind: How the name ends: ``"tmp"`` (default), or ``"part"`` for what is worth keeping after a kill.
    """
    name = path.name.encode(errors="surrogateescape")[:_LONGEST].decode(errors="ignore")
    return path.with_name(f".{name}.{os.getpid()}-{threading.get_ident()}-{_machine()}.{kind}")


def leftovers(folder: Path, kind: str = "tmp") -> list[Path]:
    """Return the files in ``folder`` with names of `own_name` whose process was killed, on this machine."""
    found = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = _OWN_NAME.fullmatch(entry.name)
            if match and match[3] == kind and match[2] == _machine() and entry.is_file(follow_symlinks=False):
                # A container gives each start the same numbers, so a file with ours may be of an earlier process.
                process = int(match[1])
                ours = process == os.getpid()
                if entry.name not in _written if ours else not is_running(process):
                    found.append(Path(entry.path))
    return found


@functools.cache
def delete_leftovers(folder: Path) -> None:
    """Delete, once in a process, the temporary files that killed processes left in ``folder``."""
    for path in leftovers(folder):
        with suppress(OSError):  # another process was faster, or it is another user's
            path.unlink()


def publish(temporary: Path, path: Path) -> None:
    """Rename a complete file to ``path``: its bytes are written to disk before, the new name after it."""
    handle = os.open(temporary, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(temporary, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Write the names in ``folder`` to disk, where the system can, so that a rename survives a power cut."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read_file(path: Path, limit: int = LARGEST) -> bytes:
    """Return the bytes of a regular file; see `opened`."""
    with opened(path, limit) as file:
        return file.read(limit + 1)


@contextmanager
def opened(path: Path, limit: int = LARGEST) -> Iterator[BinaryIO]:
    """Open a regular file for reading.

    Pipes and devices, which may never end, are not opened.

    Args:
        path: The file.
        limit: How many bytes it may have; by default `LARGEST`.

    Raises:
        OSError: It is missing, unreadable, no regular file, or larger. ``filename`` and ``strerror`` are set.
    """
    if sys.platform == "win32":
        flags = os.O_RDONLY | os.O_BINARY
    else:
        flags = os.O_RDONLY | os.O_NONBLOCK  # without it, a pipe is opened only once somebody writes to it
    handle = os.open(path, flags)
    try:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "expected a file, got a pipe or a device", str(path))
        if status.st_size > limit:
            raise OSError(errno.EFBIG, f"expected at most {limit} bytes, got {status.st_size}", str(path))
        with open(handle, "rb", closefd=False) as file:
            yield file
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
