"""Rewriting a float function for a dtype: the same function, computing with numbers of that dtype only.

A number in Python source is a double, so ``1.0 / (1.0 + math.exp(-x))``, compiled, computes in float64 whatever ``x``
is. `narrow` wraps every number in the dtype: ``float32(1.0) / (float32(1.0) + math.exp(-x))``. `with_numpy` replaces
``math`` by NumPy, for the reference backend: there 1/0 is inf and not an exception. The file depends on NumPy only; the
compilers of kernels and the reference backend use it.
"""

from __future__ import annotations

import ast
import dis
import functools
import inspect
import math
import textwrap
import types
from collections.abc import Callable
from typing import Any

import numpy as np


@functools.cache
def global_names(code: types.CodeType) -> tuple[str, ...]:
    """Return the names of the globals that ``code``, and the functions defined inside it, read."""
    names = dict.fromkeys(
        i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    )
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            names.update(dict.fromkeys(global_names(const)))
    return tuple(names)


def source_tree(fn: Callable[..., Any]) -> ast.FunctionDef | None:
    """Return the parsed ``def`` of a function, without decorators, docstring and annotations; None without source."""
    try:
        text = textwrap.dedent(inspect.getsource(fn))
        node = ast.parse(text).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        return None
    if not isinstance(node, ast.FunctionDef):
        return None
    node.decorator_list = []
    node.returns = None
    for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
        a.annotation = None
    if ast.get_docstring(node) is not None:
        node.body = node.body[1:]
    return node


class _Narrow(ast.NodeTransformer):
    """Wraps numbers and names of constants in a call of the dtype; integer powers, indices and ranges stay."""

    def __init__(self, dtype: str, constants: dict[str, float]) -> None:
        self.dtype, self.constants = dtype, constants

    def _wrapped(self, value: float) -> ast.expr:
        number = ast.Constant(float(value))
        if not math.isfinite(value):
            call = ast.Call(ast.Name("float", ast.Load()), [ast.Constant(repr(float(value)))], [])
            return ast.Call(ast.Name(self.dtype, ast.Load()), [call], [])
        return ast.Call(ast.Name(self.dtype, ast.Load()), [number], [])

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            return node
        return self._wrapped(node.value)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._wrapped(self.constants[node.id]) if node.id in self.constants else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        dotted = ast.unparse(node)
        return self._wrapped(self.constants[dotted]) if dotted in self.constants else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        exponent = node.right
        self.generic_visit(node)
        if (
            isinstance(node.op, ast.Pow)
            and isinstance(exponent, ast.Constant)
            and isinstance(exponent.value, int)
        ):
            node.right = exponent
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        node.value = self.visit(node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if isinstance(node.func, ast.Name) and node.func.id == "range":
            return node
        self.generic_visit(node)
        return node


def _float_constants(tree: ast.AST, names: dict[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and type(names.get(node.id)) in (int, float):
            found[node.id] = names[node.id]
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and names.get(node.value.id) in (math, np)
            and type(value := vars(names[node.value.id]).get(node.attr)) is float
        ):
            found[ast.unparse(node)] = value
    return found


def narrow(fn: Callable[..., Any], dtype: str) -> ast.FunctionDef | None:
    """Return the tree of ``fn`` with every number wrapped in ``dtype``, "float32" or "float64".

    None if there is no source (a lambda, or a function typed at a prompt).
    """
    tree = source_tree(fn)
    if tree is None or not isinstance(fn, types.FunctionType):
        return None
    constants = _float_constants(tree, fn.__globals__)
    narrowed = _Narrow(dtype, constants).visit(tree)
    return ast.fix_missing_locations(narrowed)


class _NumpyMath(types.ModuleType):
    """The module ``math``, with NumPy's functions where it has them."""

    def __getattr__(self, name: str) -> Any:
        other = {"pow": "power", "fabs": "abs", "asin": "arcsin", "acos": "arccos", "atan": "arctan"}
        found = vars(np).get(other.get(name, name))
        return vars(math)[name] if found is None else found


_numpy_math = _NumpyMath("math")


@functools.cache
def with_numpy(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``fn`` with ``math`` replaced by NumPy, also in the functions of its module that it calls."""
    if not isinstance(fn, types.FunctionType):
        return fn
    names = dict(fn.__globals__)
    for name in global_names(fn.__code__):
        value = names.get(name)
        if value is math:
            names[name] = _numpy_math
        elif (
            isinstance(value, types.FunctionType) and value is not fn and value.__globals__ is fn.__globals__
        ):
            names[name] = with_numpy(value)
    return types.FunctionType(fn.__code__, names, fn.__name__, fn.__defaults__, fn.__closure__)
