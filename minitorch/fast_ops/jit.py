"""Turns a loop and the float functions in it into a compiled kernel, compiled once per machine.

`kernel` writes the loop as a module of its own (`codegen`), under a name that is a hash of all that it is made of,
into a cache folder, and keeps there what Numba compiles (`kernel_cache`). Change a float function, and only its
kernels are compiled anew. One compiled kernel runs serially and on all threads (`shares`). `variant` remembers the
kernels of this process; it is what a launch costs, so it does little.

The folder is ``MINITORCH_CACHE_DIR``, else the user's cache folder. With ``NUMBA_DISABLE_JIT=1`` nothing is written
and the loops run in Python.

Threads, forks and Ctrl-C: a kernel is made and compiled in one thread at a time, and published when it is complete
(`threads.exclusive`). The file depends on `codegen`, `kernel_cache`, `shares`, `threads` and `runtime.specialize`.
"""

from __future__ import annotations

import functools
import sys
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core.registry import CPUDispatcher

from ..runtime.specialize import global_names, with_numpy
from ..runtime.types import Fn, OfPython
from . import codegen, kernel_cache
from .kernel_cache import cache_dir as cache_dir
from .threads import exclusive, forked, launch_lock, pool_address, thread_count

Launch = tuple[Fn, tuple[Any, ...]]


def disabled() -> bool:
    """Return whether Numba is told not to compile (``NUMBA_DISABLE_JIT=1``)."""
    return bool(vars(numba.config)["DISABLE_JIT"])


def plain(fn: Any) -> Any:
    """Return the function of numbers behind a compiled one, or one that takes more; else ``fn`` itself."""
    return fn.py_func if isinstance(fn, OfPython) else fn


class KernelDispatcher(CPUDispatcher):
    """Numba's dispatcher, which compiles in one thread at a time and is not interrupted; a launch costs the same."""

    def _compile_for_args(self, *args: Any, **settings: Any) -> Any:
        with exclusive():
            return super()._compile_for_args(*args, **settings)  # type: ignore[misc]  # the base is C's


class ParallelDispatcher(KernelDispatcher):
    """The dispatcher of a kernel of Numba's own threads: it can be called in any thread, and in a forked process.

    Numba ends a forked process that launches a parallel kernel, so there the serial form runs.
    """

    @functools.cached_property
    def serial(self) -> Fn:
        """The kernel on one thread."""
        return njit(self.py_func)

    def __call__(self, *args: Any) -> Any:
        """Launch the kernel; compile it at the first call."""
        if forked():
            return self.serial(*args)
        lock = launch_lock()
        if lock is None:
            return super().__call__(*args)
        with lock:
            return super().__call__(*args)


def njit(fn: Fn, *, parallel: bool = False, nogil: bool = False) -> Fn:
    """Compile ``fn`` at its first call; 1/0 is inf, not an exception. ``parallel``: with Numba's own threads."""
    made: Any = numba.njit(
        parallel=parallel,
        nogil=nogil,
        error_model="numpy",
        fastmath=codegen.FLAGS,
        boundscheck=bool(codegen.BOUNDS) or None,
    )(fn)
    if not disabled():
        made.__class__ = ParallelDispatcher if parallel else KernelDispatcher
    compiled: Fn = made
    return compiled


def _executed(name: str, path: Path, source: bytes) -> types.ModuleType:
    """Return the module that ``source`` defines. Importing it would trust the byte code that Python keeps."""
    module = types.ModuleType(name)
    module.__file__ = str(path)
    # The empty line stands for the one with the hash, so tracebacks name the right line of the file.
    exec(compile(b"\n" + source, str(path), "exec", dont_inherit=True), vars(module))
    return module


def _cached(name: str, module_source: Callable[[], str | None]) -> Fn | None:
    """Return the kernel of a module in the cache, written there where it is missing; None where that cannot be."""
    module_name = f"minitorch_kernels.{name}"
    if module_name not in sys.modules:
        path = cache_dir() / f"{name}.py"
        if not kernel_cache.usable(path.parent):
            return None
        try:
            source = kernel_cache.read(path)
            if source is None:
                text = module_source()
                if text is None:
                    return None
                source = text.encode()
                kernel_cache.write(path, source)
        except OSError as problem:
            kernel_cache.report(path.parent, problem)
            return None
        module = _executed(module_name, path, source)
        module.kernel.__class__ = KernelDispatcher
        module.kernel._cache = kernel_cache.KernelCache(path)
        sys.modules[module_name] = module  # last: other threads and later calls see a complete module or none
    kernel: Fn = sys.modules[module_name].kernel
    return kernel


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


def compiled(loop: Fn, dtype: Any = np.float64, *, cache: bool = True, nogil: bool = False, **fns: Any) -> Fn:
    """Return the compiled form of ``loop``; one with ``prange`` takes `codegen.SHARES` first. See `kernel`."""
    fns = {name: plain(fn) for name, fn in fns.items()}
    kind, settings = np.dtype(dtype).name, "nogil=True, " if nogil else ""
    closes = any(isinstance(fn, types.FunctionType) and fn.__closure__ for fn in fns.values())
    if cache and not closes:
        file = f"{loop.__name__.strip('_')}_{codegen.key(loop, fns, kind, settings)}"
        found = _cached(file, lambda: codegen.module_source(loop, fns, kind, settings))
        if found is not None:
            return found
    return _in_memory(codegen.loop_with_shares(bind(loop, dtype, **fns)), nogil=nogil)


def kernel(loop: Fn, dtype: Any = np.float64, *, parallel: bool = False, **settings: Any) -> Fn:
    """Compile ``loop`` with float functions bound to names it uses.

    Args:
        loop: A function whose free names are modules, numbers, functions, the names in ``settings``, and ``real``:
            the dtype's own type.
        dtype: Numbers in the float functions become numbers of this dtype.
        parallel: Whether all threads run the iterations of its ``prange``.
        **settings: ``cache=False`` keeps no machine code on disk. All others: float functions, plain or compiled, and
            whole numbers, by the names that they are bound to.

    Returns:
        A compiled function (compiling, or reading the cache, happens at its first call).
    """
    if disabled():
        settings.pop("cache", None)
        given = {name: with_numpy(plain(fn)) if callable(fn) else fn for name, fn in settings.items()}
        return _uncompiled(with_numpy(bind(loop, dtype, **given)))
    made = compiled(loop, dtype, **settings)
    if "prange" not in global_names(loop.__code__):
        return made
    return functools.partial(made, pool_address(compiled), int(parallel), 0)


def _in_memory(fn: Fn, **settings: bool) -> Fn:
    """Compile ``fn`` and the Python functions it calls, in memory."""
    helpers = {
        name: _in_memory(value)
        for name in global_names(fn.__code__)
        if codegen.is_copied(value := fn.__globals__.get(name))
    }
    names = {**fn.__globals__, **helpers}
    made = types.FunctionType(fn.__code__, names, fn.__name__, fn.__defaults__, fn.__closure__)
    return njit(made, **settings)


def on_numba_threads(loop: Fn, **fns: Any) -> Fn:
    """Compile ``loop`` in memory with Numba's own ``prange``, as the course does; see `kernel`."""
    bound = {name: plain(fn) for name, fn in fns.items()}
    if disabled():
        return _uncompiled(with_numpy(bind(loop, **{name: with_numpy(fn) for name, fn in bound.items()})))
    return _in_memory(bind(loop, **bound), parallel=True)


PARALLEL = 32_768  # elements, read and written once, from which waking the threads pays
SERIAL = 200_000  # products up to which it does not
_variants: dict[tuple[Any, ...], Fn] = {}
_noting: dict[int, list[Launch]] = {}  # launches that a thread notes and does not do, by its number


@contextmanager
def noted_launches() -> Iterator[list[Launch]]:
    """Within the block, note the kernels that this thread launches with `variant`, with their operands."""
    thread = threading.get_ident()
    before, launches = _noting.get(thread), list[Launch]()
    _noting[thread] = launches
    try:
        yield launches
    finally:
        if before is None:
            del _noting[thread]
        else:
            _noting[thread] = before


def variant(loop: Fn, dtype: np.dtype[Any], parallel: bool, fn: Fn | None = None, **fns: Any) -> Fn:
    """Return the compiled form of ``loop`` for these settings, made when first asked for; see `kernel`.

    ``parallel`` is a wish: with one thread, and in a forked process, the kernel runs serially. Elementwise loops bind
    ``fn`` only: as a parameter of its own it costs them half as much as among ``fns``.
    """
    parallel = parallel and thread_count() > 1
    key = (loop, dtype.itemsize, parallel, fn, *fns.values()) if fns else (loop, dtype.itemsize, parallel, fn)
    found = _variants.get(key)
    if found is None:
        bound = fns if fn is None else {"fn": fn, **fns}
        with exclusive():
            found = _variants.get(key)
            if found is None:
                found = _variants[key] = kernel(loop, dtype, parallel=parallel, **bound)
    if _noting and threading.get_ident() in _noting:
        launches, launched = _noting[threading.get_ident()], found
        return lambda *operands: launches.append((launched, operands))
    return found
