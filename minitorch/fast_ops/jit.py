"""Turns a loop and the float functions in it into a compiled kernel, compiled once per machine.

`kernel` writes the loop as a module of its own (`codegen`), under a name that is a hash of all that it is made of,
into a cache folder; Numba keeps what it compiles from there. Change a float function, and only its kernels are
compiled anew. `variant` remembers the kernels of this process; it is what a launch costs, so it does little.

The folder is ``MINITORCH_CACHE_DIR``, else the user's cache folder. With ``NUMBA_DISABLE_JIT=1`` nothing is written
and the loops run in Python. The file depends on `codegen`, `threads` and `runtime.specialize`.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
import tempfile
import types
import warnings
from pathlib import Path
from typing import Any

import numba
import numpy as np

from ..runtime.specialize import global_names, with_numpy
from ..runtime.types import Fn
from . import codegen
from .threads import thread_count


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


def disabled() -> bool:
    """Return whether Numba is told not to compile (``NUMBA_DISABLE_JIT=1``)."""
    return bool(vars(numba.config)["DISABLE_JIT"])


def plain(fn: Any) -> Any:
    """Return the Python function behind a compiled one (or ``fn`` itself)."""
    return fn.py_func if isinstance(fn, numba.core.dispatcher.Dispatcher) else fn


def njit(fn: Fn, *, parallel: bool = False, cache: bool = False) -> Fn:
    """Compile ``fn`` at its first call; 1/0 is inf, not an exception."""
    return numba.njit(
        parallel=parallel,
        error_model="numpy",
        fastmath=codegen.FLAGS,
        cache=cache,
        boundscheck=bool(codegen.BOUNDS) or None,
    )(fn)


@functools.cache
def _warn_once(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=3)


def _written(name: str, source: str) -> Path | None:
    """Write a kernel's module into the cache folder unless it is there; return None where that is not possible."""
    folder = cache_dir()
    path = folder / f"{name}.py"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            # A rename is atomic: of two processes that start at once, the later one replaces the file by an equal one.
            handle, temporary = tempfile.mkstemp(dir=folder, suffix=".tmp")
            with os.fdopen(handle, "w") as file:
                file.write(source)
            os.replace(temporary, path)
    except OSError as problem:
        _warn_once(
            f"kernels cannot be cached in {folder} ({problem.strerror}): compiling in memory. "
            "Set MINITORCH_CACHE_DIR to a writable folder."
        )
        return None
    return path


@functools.cache
def kept(folder: Path) -> frozenset[str]:
    """Return the names of the kernels whose machine code lay in ``folder`` when this process first asked."""
    return frozenset(index.name.split(".")[0] for index in (folder / "__pycache__").glob("*.nbi"))


@functools.cache
def _announce(folder: Path) -> None:
    """Print on a terminal, once, why the first results take their time."""
    if sys.stderr.isatty():
        print(f"minitorch: compiling kernels for this machine; kept in {folder}", file=sys.stderr)


def _load(name: str, path: Path) -> Fn:
    module_name = f"minitorch_kernels.{name}"
    if module_name not in sys.modules:
        if name not in kept(path.parent):
            _announce(path.parent)
        spec = importlib.util.spec_from_file_location(module_name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[module_name]
            raise
    return sys.modules[module_name].kernel


def bind(loop: Fn, dtype: Any = np.float64, **fns: Any) -> Fn:
    """Return ``loop`` with ``real`` (the dtype's own type) and the names in ``fns`` bound, not compiled."""
    names = {**loop.__globals__, **fns, "real": np.dtype(dtype).type}
    return types.FunctionType(loop.__code__, names, loop.__name__, loop.__defaults__)


def _uncompiled(loop: Fn) -> Fn:
    """Return ``loop`` with the arithmetic of compiled code: 1/0 is inf, without a warning."""

    def run(*operands: Any) -> None:
        with np.errstate(all="ignore"):
            loop(*operands)

    return run


def kernel(
    loop: Fn,
    dtype: Any = np.float64,
    *,
    parallel: bool = False,
    cache: bool = True,
    **fns: Any,
) -> Fn:
    """Compile ``loop`` with the float functions ``fns`` bound to names it uses.

    Args:
        loop: A function whose free names are modules, numbers, functions, the names in ``fns``, and ``real``:
            the dtype's own type.
        dtype: Numbers in the float functions become numbers of this dtype.
        parallel: Whether ``prange`` runs on all threads.
        cache: Whether the machine code is kept on disk.
        **fns: Float functions, plain or compiled, and whole numbers.

    Returns:
        A compiled function (compiling, or reading the cache, happens at its first call).
    """
    fns = {name: plain(fn) for name, fn in fns.items()}
    name = np.dtype(dtype).name
    if disabled():
        given = {name: with_numpy(fn) if callable(fn) else fn for name, fn in fns.items()}
        return _uncompiled(with_numpy(bind(loop, dtype, **given)))
    closes = any(isinstance(fn, types.FunctionType) and fn.__closure__ for fn in fns.values())
    if cache and not closes:
        file = f"{loop.__name__.strip('_')}_{codegen.key(loop, fns, name, parallel)}"
        written = (cache_dir() / f"{file}.py").exists()
        source = "" if written else codegen.module_source(loop, fns, name, parallel)
        path = None if source is None else _written(file, source)
        if path is not None:
            return _load(file, path)
    return _compiled(bind(loop, dtype, **fns), parallel)


def _compiled(fn: Fn, parallel: bool = False) -> Fn:
    """Compile ``fn`` and the Python functions it calls, in memory."""
    helpers = {
        name: _compiled(value)
        for name in global_names(fn.__code__)
        if codegen.is_copied(value := fn.__globals__.get(name))
    }
    names = {**fn.__globals__, **helpers}
    return njit(
        types.FunctionType(fn.__code__, names, fn.__name__, fn.__defaults__, fn.__closure__),
        parallel=parallel,
    )


PARALLEL = 32_768  # elements, read and written once, from which waking the threads pays
SERIAL = 200_000  # products up to which it does not
_variants: dict[tuple[Any, ...], Fn] = {}


def variant(loop: Fn, dtype: np.dtype[Any], parallel: bool, fn: Fn | None = None, **fns: Any) -> Fn:
    """Return the compiled form of ``loop`` for these settings, made when first asked for; see `kernel`.

    ``parallel`` is a wish: with one thread the serial form is returned. Elementwise loops bind ``fn`` only: as a
    parameter of its own it costs them half as much as among ``fns``.
    """
    parallel = parallel and thread_count() > 1
    key = (loop, dtype.itemsize, parallel, fn, *fns.values()) if fns else (loop, dtype.itemsize, parallel, fn)
    found = _variants.get(key)
    if found is None:
        bound = fns if fn is None else {"fn": fn, **fns}
        found = _variants[key] = kernel(loop, dtype, parallel=parallel, **bound)
    return found
