"""Settles which kernels Numba compiles: those of the tests named ``compiled``, and no others.

`conftest` imports this file before anything imports the package.
"""

import importlib.util
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

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


@contextmanager
def in_parallel(what: str) -> Iterator[None]:
    """Insist that Numba finds something to run in parallel; array operations inside of the kernel count too."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield
    serial = [w for w in found if issubclass(w.category, NumbaPerformanceWarning)]
    assert not serial, f"{what}: Numba found no loop to run in parallel: use prange for the main loop"


def check_operators(names: list[str], *numbers: float) -> None:
    """Insist that Numba compiles functions of `minitorch.operators`, which kernels call."""
    for name in names:
        function = getattr(minitorch.operators, name)
        try:
            got = numba.njit(function)(*numbers)
        except NumbaError as error:
            reason = str(error).splitlines()
            raise AssertionError(
                f"Numba cannot compile operators.{name} (task 0.1). It knows numbers, arithmetic, if and else, and the "
                f"functions of math; write `1.0 if x < y else 0.0` for `float(x < y)`. Numba says: {reason[2:4]}"
            ) from None
        assert abs(got - function(*numbers)) < 1e-9, f"operators.{name}{numbers}: compiled {got}"
