"""The functions of the course's tests: MathTest for floats, MathTestVariable for Scalars and Tensors.

Depends on `minitorch.operators`. A test compares the two, name by name; each name is one function.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from .. import operators
from ..runtime.types import Fn

Case: TypeAlias = tuple[str, Fn]  # name and function


class MathTest:
    """One-argument functions, two-argument functions (ending in ``2``) and reductions (ending in ``red``) of floats."""

    @staticmethod
    def neg(a: Any) -> Any:
        """Negate."""
        return -a

    @staticmethod
    def addConstant(a: Any) -> Any:
        """Add a constant."""
        return 5 + a

    @staticmethod
    def square(a: Any) -> Any:
        """Square."""
        return a * a

    @staticmethod
    def cube(a: Any) -> Any:
        """Cube."""
        return a * a * a

    @staticmethod
    def subConstant(a: Any) -> Any:
        """Subtract a constant."""
        return a - 5

    @staticmethod
    def multConstant(a: Any) -> Any:
        """Multiply by a constant."""
        return 5 * a

    @staticmethod
    def div(a: Any) -> Any:
        """Divide by a constant."""
        return a / 5

    @staticmethod
    def inv(a: Any) -> Any:
        """Invert, after a shift."""
        return operators.inv(a + 3.5)

    @staticmethod
    def sig(a: Any) -> Any:
        """Sigmoid."""
        return operators.sigmoid(a)

    @staticmethod
    def log(a: Any) -> Any:
        """Logarithm, after a large shift."""
        return operators.log(a + 100000)

    @staticmethod
    def relu(a: Any) -> Any:
        """ReLU, after a shift."""
        return operators.relu(a + 5.5)

    @staticmethod
    def exp(a: Any) -> Any:
        """Exponential, after a shift."""
        return operators.exp(a - 200)

    @staticmethod
    def explog(a: Any) -> Any:
        """Logarithm plus exponential, after shifts."""
        return operators.log(a + 100000) + operators.exp(a - 200)

    @staticmethod
    def complex(a: Any) -> Any:
        """Several functions, nested."""
        inner = operators.relu(operators.relu(a * 10 + 7) * 6 + 5) * 10
        return operators.log(operators.sigmoid(inner)) / 50

    @staticmethod
    def add2(a: Any, b: Any) -> Any:
        """Add."""
        return a + b

    @staticmethod
    def mul2(a: Any, b: Any) -> Any:
        """Multiply."""
        return a * b

    @staticmethod
    def div2(a: Any, b: Any) -> Any:
        """Divide, after a shift."""
        return a / (b + 5.5)

    @staticmethod
    def gt2(a: Any, b: Any) -> Any:
        """Compare by greater-than, after a shift."""
        return operators.lt(b, a + 1.2)

    @staticmethod
    def lt2(a: Any, b: Any) -> Any:
        """Compare by less-than, after a shift."""
        return operators.lt(a + 1.2, b)

    @staticmethod
    def eq2(a: Any, b: Any) -> Any:
        """Compare for equality, after a shift."""
        return operators.eq(a, b + 5.5)

    @staticmethod
    def sum_red(a: Iterable[float]) -> float:
        """Sum a list."""
        return operators.sum(a)

    @staticmethod
    def mean_red(a: Any) -> float:
        """Average a list."""
        return operators.sum(a) / float(len(a))

    @staticmethod
    def mean_full_red(a: Any) -> float:
        """Average a list."""
        return operators.sum(a) / float(len(a))

    @classmethod
    def _cases(cls) -> tuple[list[Case], list[Case], list[Case]]:
        """Return the one-argument functions, two-argument functions and reductions, as sorted (name, function)."""
        names = sorted(k for k in dir(MathTest) if not k.startswith("_"))
        cases = [(k, getattr(cls, k)) for k in names]
        two = [c for c in cases if c[0].endswith("2")]
        red = [c for c in cases if c[0].endswith("red")]
        return [c for c in cases if c not in two and c not in red], two, red

    @classmethod
    def _tests(cls) -> tuple[list[Any], list[Any], list[Any]]:
        """Return the lists of `_cases`."""
        return cls._cases()

    @classmethod
    def _comp_testing(cls) -> tuple[list[Any], list[Any], list[Any]]:
        """Return the same lists as (name, function of floats, function of variables)."""
        plain, ours = MathTest._cases(), cls._cases()
        one, two, red = ([(n, f, g) for (n, f), (_, g) in zip(p, o)] for p, o in zip(plain, ours))
        return one, two, red


class MathTestVariable(MathTest):
    """The same functions, written with the methods of Scalars and Tensors."""

    @classmethod
    def _tests(cls) -> tuple[list[Any], list[Any], list[Any]]:
        """Return the triples of `_comp_testing`, as the tests of 2021 expect."""
        return cls._comp_testing()

    @staticmethod
    def inv(a: Any) -> Any:
        """Invert, after a shift."""
        return 1.0 / (a + 3.5)

    @staticmethod
    def sig(a: Any) -> Any:
        """Sigmoid."""
        return a.sigmoid()

    @staticmethod
    def log(a: Any) -> Any:
        """Logarithm, after a large shift."""
        return (a + 100000).log()

    @staticmethod
    def relu(a: Any) -> Any:
        """ReLU, after a shift."""
        return (a + 5.5).relu()

    @staticmethod
    def exp(a: Any) -> Any:
        """Exponential, after a shift."""
        return (a - 200).exp()

    @staticmethod
    def explog(a: Any) -> Any:
        """Logarithm plus exponential, after shifts."""
        return (a + 100000).log() + (a - 200).exp()

    @staticmethod
    def complex(a: Any) -> Any:
        """Several functions, nested."""
        return (((a * 10 + 7).relu() * 6 + 5).relu() * 10).sigmoid().log() / 50

    @staticmethod
    def gt2(a: Any, b: Any) -> Any:
        """Compare by greater-than, after a shift."""
        return a + 1.2 > b

    @staticmethod
    def lt2(a: Any, b: Any) -> Any:
        """Compare by less-than, after a shift."""
        return a + 1.2 < b

    @staticmethod
    def eq2(a: Any, b: Any) -> Any:
        """Compare for equality, after a shift."""
        return a == (b + 5.5)

    @staticmethod
    def sum_red(a: Any) -> Any:
        """Sum along the first dimension."""
        return a.sum(0)

    @staticmethod
    def mean_red(a: Any) -> Any:
        """Average along the first dimension."""
        return a.mean(0)

    @staticmethod
    def mean_full_red(a: Any) -> Any:
        """Average over all elements."""
        return a.mean()
