"""Part of jit."""

from __future__ import annotations

import ast
import functools
import hashlib
import math
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard

import numba

from ..runtime.specialize import global_names, narrow, source_tree
from ..runtime.types import Fn
from . import exp, sums

FORMAT = 4  # raised when what is written into the cache changes
ROOT = __package__.split(".")[0] + "."  # modules of this package
OWN = {"math.exp": "vector_exp"}  # what `minitorch.vector_math` does better than the system
# Their functions have a compiled form of their own.
COMPILED = (exp.__name__, sums.__name__)
# NaN and infinity keep their meaning, unlike under the full fastmath; and sums their order: see `vector_sums`.
FLAGS = {"contract"}
INLINED = ("four_words",)  # too long to be inlined unasked, and loops are vectors only if they are


def _is_copied(value: Any) -> TypeGuard[types.FunctionType]:
    """Tell whether a kernel's module holds the source of ``value``, and does not import it."""
    return isinstance(value, types.FunctionType) and value.__module__ not in COMPILED


def _parts(loop: Fn, given: dict[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """Yield all that the code of ``loop`` refers to, following calls: (name, value, reached through ``given``)."""
    seen: set[tuple[str, int]] = set()
    stack: list[tuple[Fn, dict[str, Fn], bool]] = [(loop, given, False)]
    while stack:
        fn, bound, inside = stack.pop()
        for name in global_names(fn.__code__):
            value = bound.get(name, fn.__globals__.get(name))
            if value is None or name == "real" or (name, id(value)) in seen:
                continue
            seen.add((name, id(value)))
            of_given = inside or name in bound
            yield name, value, of_given
            if _is_copied(value):
                stack.append((value, {}, of_given))


def _fingerprint(code: types.CodeType) -> tuple[Any, ...]:
    consts = tuple(_fingerprint(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts)
    return code.co_code, consts, code.co_names, code.co_varnames


@functools.cache
def _text(module: str) -> str:
    """Return the source of a module, and of those in the package whose classes it uses."""
    own = sys.modules[module]
    used = {value.__module__ for value in vars(own).values() if isinstance(value, type)} - {module}
    parts = [_text(name) for name in sorted(used) if name.startswith(ROOT)]
    return Path(own.__file__ or "").read_text() + "".join(parts)


class _Own(ast.NodeTransformer):
    """Names our own functions in the place of the system's."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        own = OWN.get(ast.unparse(node))
        return node if own is None else ast.Name(own, ast.Load())


def _key(loop: Fn, fns: dict[str, Any], dtype: str, parallel: bool) -> str:
    seen: list[Any] = [FORMAT, numba.__version__, dtype, parallel, FLAGS, _fingerprint(loop.__code__)]
    for name, value, _ in _parts(loop, fns):
        if _is_copied(value):
            seen.append((name, _fingerprint(value.__code__)))
        elif isinstance(value, types.ModuleType):
            seen.append((name, value.__name__, _text(exp.__name__) if value is math else ""))
        elif isinstance(value, int | float | str | tuple):
            seen.append((name, value))
        elif value.__module__.startswith(ROOT):
            seen.append((name, value.__name__, _text(value.__module__)))
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:20]


def _module_source(loop: Fn, fns: dict[str, Any], dtype: str, parallel: bool) -> str | None:
    """Return the text of the kernel's module, or None where a source is not to be had."""
    head = ["from numba import njit", f"from numpy import {dtype}", f"from numpy import {dtype} as real"]
    body: list[str] = []
    for name, value, of_given in _parts(loop, fns):
        if _is_copied(value):
            tree = narrow(value, dtype) if of_given else source_tree(value)
            if tree is None:
                return None
            tree.name = name
            asked = ", forceinline=True" if name in INLINED else ""
            body.insert(
                0,
                f"@njit(error_model='numpy', fastmath={FLAGS!r}{asked})\n{ast.unparse(_Own().visit(tree))}\n",
            )
        elif isinstance(value, types.ModuleType):
            head.append(f"import {value.__name__} as {name}")
        elif isinstance(value, int | float | str | tuple):
            body.insert(0, f"{name} = {value!r}\n")
        else:
            head.append(f"from {value.__module__} import {value.__name__} as {name}")
    tree = source_tree(loop)
    if tree is None:
        return None
    tree.name = "kernel"
    body.append(
        f"@njit(parallel={parallel}, error_model='numpy', fastmath={FLAGS!r}, cache=True)\n"
        f"{ast.unparse(_Own().visit(tree))}\n"
    )
    used = [own for own in OWN.values() if any(own in part for part in body)]
    head += [f"from {exp.__name__} import {own}" for own in used]
    return "\n".join([*sorted(set(head)), "", *body])
