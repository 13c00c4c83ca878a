"""The kernel cache on disk: source modules and machine code, verified before they are used and written whole.

Layout: ``NAME.py`` is the module of a kernel (`codegen`), ``NAME.KEY.nbc`` its machine code for one signature, where
KEY is a hash of the argument types, the processor and the versions of the compilers. The first line of each file holds
the SHA-256 of the file's name and of the rest, so damaged, cut, empty or exchanged files are found, compiled anew and
replaced.

What is in the cache is executed. So a folder or file is used only if it belongs to this user or to root, and nobody
else may write to it; otherwise kernels are compiled in memory. One exception: a warm cache that a group shares, chosen
by MINITORCH_CACHE_DIR, may belong to another user if its group is one of this user's and only its owner may write it.
A file is written beside its place, synced and renamed.
The file depends on Numba and `runtime.files`; `jit` uses it.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
import platform
import stat
import sys
import warnings
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from ..runtime.files import replacing


def cache_dir() -> Path:
    """Return the folder of compiled kernels."""
    chosen = os.environ.get("MINITORCH_CACHE_DIR")
    if chosen:
        return Path(chosen) / "kernels"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", "~/AppData/Local"))
    elif sys.platform == "darwin":
        base = Path("~/Library/Caches")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    return base.expanduser() / "minitorch" / "kernels"


def kept(folder: Path) -> frozenset[str]:
    """Return the names of the kernels whose machine code lies in ``folder``."""
    return frozenset(code.name.split(".")[0] for code in folder.glob("*.nbc"))


@functools.cache
def _warn_once(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=2)


@functools.cache
def announce(folder: Path) -> None:
    """Print on a terminal, once, why the first results take their time."""
    if sys.stderr.isatty():
        print(f"minitorch: compiling kernels for this machine; kept in {folder}", file=sys.stderr)


def report(folder: Path, problem: OSError) -> None:
    """Warn, once for each reason, that kernels are compiled in memory."""
    if not isinstance(problem, InsecureError):
        _warn_once(
            f"kernels cannot be cached in {folder} ({problem.strerror}): compiling in memory. "
            "Set MINITORCH_CACHE_DIR to a writable folder."
        )
    else:
        _warn_once(
            f"kernels cannot be cached in {folder} ({problem}): compiling in memory, as code from there could be "
            "another user's. Delete the folder, or set MINITORCH_CACHE_DIR to a folder that only you can write to."
        )


class InsecureError(OSError):
    """A folder or file of the cache belongs to another user, or others may write to it."""


def _refuse_foreign(kind: str, status: os.stat_result) -> None:
    """Raise `InsecureError` where another user could have written what ``status`` describes."""
    if sys.platform == "win32":  # access there is not described by an owner and a mode
        return
    user, mode = os.geteuid(), stat.S_IMODE(status.st_mode)
    if status.st_uid not in (user, 0) and not _shared_by_group(status):
        raise InsecureError(f"the {kind} belongs to user {status.st_uid}, this process to user {user}")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise InsecureError(f"other users may write to the {kind}, its mode is {mode:04o}")


def _shared_by_group(status: os.stat_result) -> bool:
    """Tell whether what another user owns is trusted: this user chose the cache and has its group; root trusts none."""
    groups = {os.getegid(), *os.getgroups()}
    return bool(os.environ.get("MINITORCH_CACHE_DIR")) and os.geteuid() != 0 and status.st_gid in groups


def _make(folder: Path) -> None:
    """Create the cache folder, for this user only."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


@functools.cache
def usable(folder: Path) -> bool:
    """Create ``folder`` where it is missing; return whether it may be used, with a warning if not."""
    try:
        _make(folder)
        _refuse_foreign("folder", os.stat(folder))
    except OSError as problem:
        report(folder, problem)
        return False
    return True


def _head(path: Path, content: bytes) -> bytes:
    return b"# sha256 " + hashlib.sha256(path.name.encode() + b"\n" + content).hexdigest().encode()


def read(path: Path) -> bytes | None:
    """Return what `write` wrote; None if the file is missing or, with a warning, if it is damaged."""
    try:
        with open(path, "rb") as file:
            _refuse_foreign("file", os.fstat(file.fileno()))
            head, _, content = file.read().partition(b"\n")
    except FileNotFoundError:
        return None
    if head == _head(path, content):
        return content
    _warn_once(f"a kernel in {path.parent} is damaged: compiling it anew and replacing the file")
    return None


def write(path: Path, content: bytes) -> None:
    """Write a file with its hash; a reader sees the old file or the complete new one, after a power cut too."""
    _make(path.parent)
    with replacing(path, mode=0o600) as temporary:
        temporary.write_bytes(_head(path, content) + b"\n" + content)


class KernelCache(_Cache):
    """Where Numba keeps the machine code of one kernel: a file for each signature.

    Numba's own cache trusts its files, and two processes that save different signatures at once can exchange them.
    """

    def __init__(self, module: Path) -> None:
        self._module = module
        self._enabled = True

    @property
    def cache_path(self) -> str:
        """The folder."""
        return str(self._module.parent)

    def _path(self, signature: Any, codegen: Any) -> Path:
        versions = (numba.__version__, llvmlite.__version__, platform.python_version_tuple()[:2])
        checks = vars(numba.config)["BOUNDSCHECK"]
        key = repr((signature, codegen.magic_tuple(), versions, sys.implementation.cache_tag, checks))
        return self._module.with_suffix(f".{hashlib.sha256(key.encode()).hexdigest()[:20]}.nbc")

    def holds(self, signature: Any, codegen: Any) -> bool:
        """Tell whether there is a file for a signature, or no place to keep one."""
        return not self._enabled or self._path(signature, codegen).exists()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled function for a signature; None if there is none."""
        target_context.refresh()
        if not self._enabled:
            return None
        try:
            content = read(self._path(sig, target_context.codegen()))
        except OSError as problem:
            report(self._module.parent, problem)
            self.disable()
            return None
        if content is None:
            announce(self._module.parent)
            return None
        return CompileResult._rebuild(target_context, *pickle.loads(content))  # type: ignore[no-untyped-call]

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled function; without a place for it, warn once and go on."""
        if not self._enabled or data.lifted or data.library.has_dynamic_globals:
            return
        try:
            content: bytes = dumps(data._reduce())  # type: ignore[no-untyped-call]
            write(self._path(sig, data.codegen), content)
        except OSError as problem:
            report(self._module.parent, problem)
            self.disable()

    def enable(self) -> None:
        """Use the disk."""
        self._enabled = True

    def disable(self) -> None:
        """Compile in memory."""
        self._enabled = False

    def flush(self) -> None:
        """Delete what is kept of this kernel."""
        for path in self._module.parent.glob(f"{self._module.stem}.*.nbc"):
            path.unlink(missing_ok=True)
