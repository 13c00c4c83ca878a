"""Finds the functions of a task in a source file, and empties them. Depends on the standard library."""

from __future__ import annotations

import ast
from collections.abc import Iterable

Node = ast.FunctionDef | ast.ClassDef


def find(tree: ast.Module, name: str) -> ast.FunctionDef | None:
    """Return a function by its name: ``f``, ``Class.method`` or ``f.inner``; None if there is none."""
    place: ast.Module | Node = tree
    for part in name.split("."):
        below = [n for n in ast.walk(place) if isinstance(n, Node) and n.name == part and n is not place]
        direct = [n for n in below if n in place.body] or below
        if not direct:
            return None
        place = direct[-1]  # what is defined last is what Python uses
    return place if isinstance(place, ast.FunctionDef) else None


def _code(function: ast.FunctionDef) -> list[ast.stmt]:
    """Return the statements of a function, without its docstring."""
    return function.body[1:] if ast.get_docstring(function) is not None else function.body


def is_stub(function: ast.FunctionDef) -> bool:
    """Tell whether a function is not written yet: it does nothing but raise NotImplementedError."""
    match _code(function):
        case [ast.Raise(exc=ast.Call(func=ast.Name(id="NotImplementedError")))]:
            return True
        case [] | [ast.Pass()]:
            return True
    return False


def emptied(text: str, names: Iterable[str], message: str) -> str:
    """Return a source whose functions ``names`` keep signature and docstring, and raise NotImplementedError.

    Raises:
        KeyError: A function is not there.
    """
    tree, lines = ast.parse(text), text.splitlines()
    places = []
    for name in names:
        function = find(tree, name)
        if function is None:
            raise KeyError(name)
        code = _code(function)
        first, last = code[0].lineno - 1, code[-1].end_lineno or code[-1].lineno
        doc = function.body[0].end_lineno if code is not function.body else None
        places.append((first if doc is None else doc, last, code[0].col_offset))
    for first, last, indent in sorted(places, reverse=True):
        lines[first:last] = [f'{" " * indent}raise NotImplementedError("{message}")']
    return "\n".join(lines) + "\n"


def source_of(text: str, name: str) -> str:
    """Return the text of a function, with its decorators.

    Raises:
        KeyError: It is not there.
    """
    function = find(ast.parse(text), name)
    if function is None:
        raise KeyError(name)
    first = min([function.lineno, *(d.lineno for d in function.decorator_list)])
    return "\n".join(text.splitlines()[first - 1 : function.end_lineno])
