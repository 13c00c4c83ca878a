"""Writes each kernel as a Python module of its own, named by a hash of all that it is made of.

Why: Numba keeps machine code on disk by the file and line of a function. That cannot tell two kernels apart that share
a loop but call different float functions, and a loop that closes over a compiled function gets a key that changes from
process to process. A module that holds the loop, its float functions and its constants as text has a file of its own,
so its machine code can be kept, and a change of any part gives another name.

What is in the module: the loop (as ``kernel``), with its ``prange`` written out for shares (`with_shares`); every
Python function it calls, the float functions narrowed to the dtype (`runtime.specialize.narrow`), the loop's helpers as
they are; constants as literals; imports of modules and of intrinsics; ``real``, the dtype's scalar type. ``math.exp``
and ``math.erf`` become functions of `exp`.

What is in the key: FORMAT, Numba's version, dtype, settings, FLAGS, BOUNDS; the byte code, constants and names of the
loop and of each function that is copied; the value of each constant; and for what is imported from this package, the
source text of its module (a change of an intrinsic must recompile the kernels that use it).

A consequence for kernels: what they refer to must be importable from a module, or be a number, a string or a tuple.
The file depends on `runtime.specialize`; `jit` calls it.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import linecache
import math
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard

import numba

from ..runtime.specialize import global_names, narrow, source_tree
from ..runtime.types import Fn
from . import exp, inner, shares, simd, sums

FORMAT = 8  # raised when what is written into the cache changes
PACKAGE = __package__.split(".")[0] + "."  # prefix of the modules of this package
REPLACEMENTS = {
    "math.exp": "vector_exp",
    "math.erf": "vector_erf",
}  # functions of the system that `exp` does better
# Modules whose functions have a compiled form of their own.
COMPILED = (exp.__name__, simd.__name__, sums.__name__)
# Multiply-adds may be fused. Unlike under the full fastmath, nan and infinity keep their meaning, and sums their order.
FLAGS = {"contract"}
BOUNDS = ", boundscheck=True" if os.environ.get("MINITORCH_DEBUG") == "1" else ""  # kernels check each index
# Too long to be inlined unasked, as is what calls them; and loops become vectors only if all is inlined.
INLINED = ("four_words", "vector_erf")


def function_from_source(name: str, source: str, names: dict[str, Any]) -> Fn:
    """Return the function ``name`` that ``source`` defines, with ``names`` as its globals.

    `inspect` finds the text, so the function can be written into a kernel's module.
    """
    file = f"<{names['__name__']}.{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    made: dict[str, Fn] = {}
    exec(compile(source, file, "exec"), names, made)
    return made[name]


def is_copied(value: Any) -> TypeGuard[types.FunctionType]:
    """Return whether a kernel's module holds the source of ``value``; else it imports it, or holds its value."""
    return isinstance(value, types.FunctionType) and value.__module__ not in COMPILED


def _references(loop: Fn, bound: dict[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """Yield all that the code of ``loop`` refers to, following calls: (name, value, reached through ``bound``)."""
    seen: set[tuple[str, int]] = set()
    stack: list[tuple[Fn, dict[str, Any], bool]] = [(loop, bound, False)]
    while stack:
        fn, bindings, inside = stack.pop()
        for name in global_names(fn.__code__):
            value = bindings.get(name, fn.__globals__.get(name))
            if value is None or name == "real" or (name, id(value)) in seen:
                continue
            seen.add((name, id(value)))
            through_bound = inside or name in bindings
            yield name, value, through_bound
            if is_copied(value):
                stack.append((value, {}, through_bound))


def _fingerprint(code: types.CodeType) -> tuple[Any, ...]:
    consts = tuple(_fingerprint(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts)
    return code.co_code, consts, code.co_names, code.co_varnames


@functools.cache
def _module_text(module: str) -> str:
    """Return the source of a module, and of those in the package whose classes it uses."""
    loaded = sys.modules[module]
    used = {value.__module__ for value in vars(loaded).values() if isinstance(value, type)} - {module}
    parts = [_module_text(name) for name in sorted(used) if name.startswith(PACKAGE)]
    return Path(loaded.__file__ or "").read_text() + "".join(parts)


class _Replace(ast.NodeTransformer):
    """Puts the functions of `exp` in the place of the system's."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        replacement = REPLACEMENTS.get(ast.unparse(node))
        return node if replacement is None else ast.Name(replacement, ast.Load())


SHARES = ("_pool", "_first", "_last")  # what a kernel with `prange` takes in front of its own arguments


class _Shares(ast.NodeTransformer):
    """Writes loops over ``prange`` out for shares; see `shares`. ``loops`` counts them."""

    loops = 0

    def visit_For(self, node: ast.For) -> ast.stmt | list[ast.stmt]:
        if not (isinstance(node.iter, ast.Call) and ast.unparse(node.iter.func) == "prange"):
            self.generic_visit(node)
            return node
        self.loops += 1
        count, target = ast.unparse(node.iter.args[0]), ast.unparse(node.target)
        written = ast.parse(
            f"_low, _high = _first, _last if _pool == -{self.loops} else _first\n"
            "if _pool > 0:\n"
            f"    _low, _high = 0, fork(_pool, _first, {count}, {self.loops})\n"
            "for _k in range(_high - _low):\n"
            f"    {target} = iteration(_low, _k)\n"
        ).body
        loop = written[-1]
        assert isinstance(loop, ast.For)
        loop.body += node.body
        return written


def with_shares(tree: ast.FunctionDef) -> bool:
    """Write a kernel's loops over ``prange`` out for shares, in place; return whether it has any.

    What stands before its first loop is computed by each share again, so it is cheap and allocates nothing. What stands
    after it, between loops too, is done by the caller alone, when all shares of the loop are done.
    """
    writer, body = _Shares(), list[ast.stmt]()
    for statement in tree.body:
        before, written = writer.loops, writer.visit(statement)
        if before and writer.loops == before:
            written = ast.If(ast.parse("_pool > 0", mode="eval").body, [written], [])
        body += written if isinstance(written, list) else [written]
    if not writer.loops:
        return False
    tree.body = body
    tree.args.args[:0] = [ast.arg(name) for name in SHARES]
    ast.fix_missing_locations(tree)
    return True


def loop_with_shares(loop: Fn) -> Fn:
    """Return a loop as a function whose ``prange`` is written out for shares."""
    tree = source_tree(loop)
    if tree is None or not with_shares(tree):
        return loop
    tree.name += "_shares"  # `inspect` finds the loop's own text by its name
    return function_from_source(
        tree.name, ast.unparse(tree), {**loop.__globals__, "fork": shares.fork, "iteration": shares.iteration}
    )


def key(loop: Fn, bound: dict[str, Any], dtype: str, settings: str) -> str:
    """Return the hash of all that a kernel is made of; see the head of this file."""
    parts: list[Any] = [FORMAT, numba.__version__, dtype, settings, FLAGS, _fingerprint(loop.__code__)]
    parts += [BOUNDS] if BOUNDS else []
    for name, value, _ in _references(loop, bound):
        if name == "prange":
            parts.append((name, _module_text(shares.__name__)))
        elif is_copied(value):
            parts.append((name, _fingerprint(value.__code__)))
        elif isinstance(value, types.ModuleType):
            parts.append((name, value.__name__, _module_text(exp.__name__) if value is math else ""))
        elif isinstance(value, int | float | str | tuple):
            parts.append((name, value))
        elif value.__module__.startswith(PACKAGE):
            parts.append((name, value.__name__, _module_text(value.__module__)))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


def module_source(loop: Fn, bound: dict[str, Any], dtype: str, settings: str) -> str | None:
    """Return the text of the kernel's module, or None where the source of a function cannot be found.

    Args:
        loop: The loop.
        bound: Float functions, intrinsics and numbers in the place of names that the loop uses.
        dtype: "float32" or "float64".
        settings: More of Numba's settings for the loop: "nogil=True, " or nothing.
    """
    head = ["from numba import njit", f"from {inner.__name__} import inner"]
    head += [f"from numpy import {dtype}", f"from numpy import {dtype} as real"]
    body: list[str] = []
    for name, value, through_bound in _references(loop, bound):
        if name == "prange":
            head.append(f"from {shares.__name__} import fork, iteration")
        elif is_copied(value):
            tree = narrow(value, dtype) if through_bound else source_tree(value)
            if tree is None:
                return None
            tree.name = name
            text = ast.unparse(_Replace().visit(tree))
            inline = ", forceinline=True" if any(long in text for long in INLINED) else ""
            body.insert(0, f"@inner(error_model='numpy', fastmath={FLAGS!r}{inline}{BOUNDS})\n{text}\n")
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
    with_shares(tree)
    text = ast.unparse(_Replace().visit(tree))
    body.append(
        f"@njit({settings}error_model='numpy', no_cfunc_wrapper=True, fastmath={FLAGS!r}{BOUNDS})\n{text}\n"
    )
    used = [name for name in REPLACEMENTS.values() if any(name in part for part in body)]
    head += [f"from {exp.__name__} import {name}" for name in used]
    return "\n".join([*sorted(set(head)), "", *body])
