"""Settles which kernels Numba compiles: those of the tests named ``compiled``, and no others.

`conftest` imports this file before anything imports the package.
"""

import ast
import importlib.util
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
from numba.core.errors import NumbaError, NumbaPerformanceWarning

# Here `njit` returns the Python function that it is given. Numba itself was imported without this setting.
before = numba.config.DISABLE_JIT
numba.config.DISABLE_JIT = int(os.environ.get("NUMBA_DISABLE_JIT") != "0")
import minitorch

numba.config.DISABLE_JIT = before


def load(name: str) -> ModuleType:
    """Return a file of the package as a module of its own, in which Numba compiles."""
    path = Path(minitorch.__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"minitorch.compiled_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _serial_writes(node: ast.AST, out: str, in_loop: bool = False) -> Iterator[int]:
    """Yield the lines that write into ``out`` in a loop, outside of loops over ``prange``."""
    for child in ast.iter_child_nodes(node):
        if _is_prange(child):
            continue
        writes = isinstance(child, ast.Subscript) and isinstance(child.ctx, ast.Store)
        if in_loop and writes and isinstance(child.value, ast.Name) and child.value.id == out:
            yield child.lineno
        yield from _serial_writes(child, out, in_loop or isinstance(child, ast.For | ast.While))


def _is_prange(node: ast.AST) -> bool:
    if not isinstance(node, ast.For) or not isinstance(node.iter, ast.Call):
        return False
    return ast.unparse(node.iter.func) in ("prange", "numba.prange")


def check_loops(text: str, kernel: str) -> None:
    """Insist that a kernel has a loop over ``prange``, and that no other loop writes into its first argument.

    Numba's own report cannot tell: it counts array operations as parallel loops too.
    """
    found = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef) and n.name == kernel]
    assert found, f"there is no function {kernel}"
    (function,) = found
    use = f"{kernel}: use prange for the main loop"
    assert any(map(_is_prange, ast.walk(function))), f"{use}: it has no loop over prange"
    serial = sorted(_serial_writes(function, function.args.args[0].arg))
    assert not serial, f"{use}: the loop that writes in line {serial[0]} is not parallel"


@contextmanager
def in_parallel(file: str, kernel: str) -> Iterator[None]:
    """Insist that the main loop of a kernel is over ``prange``, and that Numba runs it in parallel.

    The block calls the kernel, which compiles it.
    """
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield
    serial = [w for w in found if issubclass(w.category, NumbaPerformanceWarning)]
    assert not serial, f"{kernel}: Numba found no loop to run in parallel: use prange for the main loop"
    check_loops(Path(minitorch.__file__).with_name(f"{file}.py").read_text(encoding="utf-8"), kernel)


def check_operators(names: list[str], *numbers: float) -> None:
    """Insist that Numba compiles functions of `minitorch.operators`, which kernels call."""
    functions = {name: getattr(minitorch.operators, name) for name in names}
    try:
        results = _compiled_together(functions, numbers)
    except NumbaError:
        results = [_compiled_alone(name, function, numbers) for name, function in functions.items()]
    for name, got in zip(names, results):
        assert abs(got - functions[name](*numbers)) < 1e-9, f"operators.{name}{numbers}: compiled {got}"


def _compiled_together(functions: dict[str, Any], numbers: tuple[float, ...]) -> tuple[float, ...]:
    """Return the results of all functions from one that calls them: it compiles in a third of the time."""
    names = {f"f_{name}": numba.njit(inline="always")(function) for name, function in functions.items()}
    arguments = ", ".join(f"x{i}" for i in range(len(numbers)))
    calls = ", ".join(f"{name}({arguments})" for name in names)
    exec(f"def together({arguments}):\n    return ({calls},)", names)
    return numba.njit(names["together"])(*numbers)


def _compiled_alone(name: str, function: Any, numbers: tuple[float, ...]) -> float:
    """Return the result of one function, or say why Numba does not compile it."""
    try:
        return numba.njit(function)(*numbers)
    except NumbaError as error:
        reason = str(error).splitlines()
        raise AssertionError(
            f"Numba cannot compile operators.{name} (task 0.1). It knows numbers, arithmetic, if and else, and the "
            f"functions of math; write `1.0 if x < y else 0.0` for `float(x < y)`. Numba says: {reason[2:4]}"
        ) from None
