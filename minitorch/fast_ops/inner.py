"""Functions that only compiled kernels call: Numba gets no machine code of them, kernels get a copy of their code.

Numba makes each function that it compiles callable from Python: it optimises it, writes wrappers, makes machine code.
A function that a kernel calls is optimised once more with the kernel, which contains it, so all that is work for
nothing: a fifth of the time of compiling. `inner` compiles a function to LLVM's intermediate language and no further.
LLVM's passes over single functions still run: without them, an optimizer's loop over its rule became no vector code.

The file depends on Numba's compiler only; the modules that `codegen` writes use it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba.core import compiler, dispatcher
from numba.core.codegen import JITCodeLibrary
from numba.core.registry import CPUDispatcher

from ..runtime.types import Fn

# Numba has no annotations for these.
_function_compiler: Any = vars(dispatcher)["_FunctionCompiler"]
_compile: Any = compiler.compile_extra
_flags: Any = compiler.Flags


class _Library(JITCodeLibrary):
    """Code of a function that is linked into its callers, which are optimised and made machine code with it."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()  # type: ignore[no-untyped-call]
        self._finalized = True


class _Compiler(_function_compiler):  # type: ignore[misc]
    """Compiles a function for its callers."""

    def _compile_core(self, args: Any, return_type: Any) -> Any:
        flags = _flags()
        target = self.targetdescr.target_context
        self.targetdescr.options.parse_as_flags(flags, self.targetoptions)
        flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        library = _Library(target.codegen(), self.py_func.__qualname__)  # type: ignore[no-untyped-call]
        result = _compile(
            self.targetdescr.typing_context,
            target,
            self.py_func,
            args=args,
            return_type=return_type,
            flags=flags,
            locals=self.locals,
            library=library,
            pipeline_class=self.pipeline_class,
        )
        known_as = object()  # callers look the code up by what Python would call, and there is no such thing
        target.insert_user_function(known_as, result.fndesc, [result.library])
        return result._replace(entry_point=known_as)


class _Dispatcher(CPUDispatcher):
    """A function that cannot be called from Python."""

    def add_overload(self, cres: Any) -> None:
        """Keep a compiled form for callers."""
        self.overloads[tuple(cres.signature.args)] = cres


def inner(**settings: Any) -> Callable[[Fn], Fn]:
    """Return a decorator like Numba's ``njit`` with these settings, for a function that only kernels call."""

    def compiled(fn: Fn) -> Fn:
        made: Any = numba.njit(**settings)(fn)
        made.__class__ = _Dispatcher
        made._compiler.__class__ = _Compiler
        found: Fn = made
        return found

    return compiled
