"""The package's source as data: its files, their syntax trees, and what each file imports.

It reads the files and runs none of them. `test_architecture.py` checks with it.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "minitorch"
Module = tuple[
    str, ...
]  # ("nn", "conv") for minitorch/nn/conv.py, ("nn", "__init__") for minitorch/nn/__init__.py


@dataclass(frozen=True)
class Import:
    """One imported name.

    Attributes:
        line: Where the statement stands.
        module: The imported file of the package; None if it belongs to another package.
        outside: The imported module of another package, else "".
        at_import: Whether the statement runs when the file is imported, not inside a function.
    """

    line: int
    module: Module | None
    outside: str = ""
    at_import: bool = True


# What is copied into a student's folder: it runs beside the student's package, and imports that one.
BESIDE_A_STUDENT = (("course", "solved", "tests"), ("course", "solved", "project"), ("course", "hidden"))


@cache
def files() -> tuple[Module, ...]:
    """Return all files of the package that are imported as its modules."""
    found = sorted(path.relative_to(PACKAGE).with_suffix("").parts for path in PACKAGE.rglob("*.py"))
    return tuple(m for m in found if not any(m[: len(part)] == part for part in BESIDE_A_STUDENT))


def shown(module: Module) -> str:
    """Return a file's path below `minitorch/`."""
    return "/".join(module) + ".py"


@cache
def read(module: Module) -> str:
    """Return a file's text."""
    return (PACKAGE / shown(module)).read_text(encoding="utf-8")


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def tree(module: Module) -> ast.Module:
    """Return a file's syntax tree."""
    return _parsed(read(module))


def code_lines(module: Module) -> int:
    """Return how many lines of a file hold code: no blank lines, comments and docstrings."""
    blank = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    tokens = tokenize.generate_tokens(io.StringIO(read(module)).readline)
    code = {n for t in tokens if t.type not in blank for n in range(t.start[0], t.end[0] + 1)}
    for node in ast.walk(tree(module)):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        ):
            doc = node.body[0]
            code -= set(range(doc.lineno, (doc.end_lineno or doc.lineno) + 1))
    return len(code)


def file_of(parts: Module) -> Module | None:
    """Return the file that holds a module or package; None if there is none."""
    return next((found for found in (parts, (*parts, "__init__")) if found in files()), None)


def _relative(module: Module, node: ast.ImportFrom) -> Iterator[Module]:
    """Yield the files that a relative import names."""
    if node.level > len(module):
        expect_none([f"{shown(module)}:{node.lineno}: a relative import leaves the package"])
    base = (*module[: len(module) - node.level], *(node.module.split(".") if node.module else ()))
    for alias in node.names:
        found = file_of((*base, alias.name)) or file_of(base)
        if found is None:
            expect_none([f"{shown(module)}:{node.lineno}: no file holds {'.'.join(base)}"])
        else:
            yield found


def _statements(node: ast.AST, at_import: bool = True) -> Iterator[tuple[ast.AST, bool]]:
    """Yield the nodes below one, and whether each runs when the file is imported."""
    for child in ast.iter_child_nodes(node):
        inner = at_import and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        yield child, inner
        if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield from _statements(child, inner)


@cache
def imports(module: Module) -> tuple[Import, ...]:
    """Return what a file imports, anywhere in it."""
    found = []
    for node, at_import in _statements(tree(module)):
        if isinstance(node, ast.ImportFrom) and node.level:
            found += [Import(node.lineno, target, "", at_import) for target in _relative(module, node)]
        elif isinstance(node, ast.ImportFrom):
            found.append(Import(node.lineno, None, str(node.module), at_import))
        elif isinstance(node, ast.Import):
            found += [Import(node.lineno, None, alias.name, at_import) for alias in node.names]
    return tuple(found)


@cache
def dependencies(module: Module) -> frozenset[Module]:
    """Return the files of the package that a file imports."""
    return frozenset(found.module for found in imports(module) if found.module)


def forget() -> None:
    """Drop what is known of the files' imports."""
    imports.cache_clear()
    dependencies.cache_clear()


def all_dependencies(module: Module) -> set[Module]:
    """Return the files of the package that a file needs, directly or through others."""
    found: set[Module] = set()
    waiting = [module]
    while waiting:
        new = dependencies(waiting.pop()) - found
        found |= new
        waiting += new
    return found


def expect_none(problems: Iterable[str]) -> None:
    """Fail with one line for each problem."""
    lines = sorted(set(problems))
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)
