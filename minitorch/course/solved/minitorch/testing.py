"""The functions that the tests compare: `MathTest` on floats, `MathTestVariable` on Scalars and Tensors.

Names that end in ``2`` take two arguments, names that end in ``red`` a list or a Tensor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import operators

Fn = Callable[..., Any]


class MathTest:
    """Functions of floats."""

    neg: Fn = staticmethod(lambda a: -a)
    addConstant: Fn = staticmethod(lambda a: 5 + a)
    square: Fn = staticmethod(lambda a: a * a)
    cube: Fn = staticmethod(lambda a: a * a * a)
    subConstant: Fn = staticmethod(lambda a: a - 5)
    multConstant: Fn = staticmethod(lambda a: 5 * a)
    div: Fn = staticmethod(lambda a: a / 5)
    inv: Fn = staticmethod(lambda a: operators.inv(a + 3.5))
    sig: Fn = staticmethod(lambda a: operators.sigmoid(a))
    log: Fn = staticmethod(lambda a: operators.log(a + 100000))
    relu: Fn = staticmethod(lambda a: operators.relu(a + 5.5))
    exp: Fn = staticmethod(lambda a: operators.exp(a - 200))
    explog: Fn = staticmethod(lambda a: operators.log(a + 100000) + operators.exp(a - 200))
    add2: Fn = staticmethod(lambda a, b: a + b)
    mul2: Fn = staticmethod(lambda a, b: a * b)
    div2: Fn = staticmethod(lambda a, b: a / (b + 5.5))
    gt2: Fn = staticmethod(lambda a, b: operators.lt(b, a + 1.2))
    lt2: Fn = staticmethod(lambda a, b: operators.lt(a + 1.2, b))
    eq2: Fn = staticmethod(lambda a, b: operators.eq(a, b + 5.5))
    sum_red: Fn = staticmethod(lambda a: operators.sum(a))
    mean_red: Fn = staticmethod(lambda a: operators.sum(a) / len(a))
    mean_full_red: Fn = staticmethod(lambda a: operators.sum(a) / len(a))

    @staticmethod
    def complex(a: Any) -> Any:
        """Several functions, one inside the other."""
        inner = operators.relu(operators.relu(a * 10 + 7) * 6 + 5) * 10
        return operators.log(operators.sigmoid(inner)) / 50

    @classmethod
    def _tests(cls) -> tuple[list[tuple[str, Fn]], ...]:
        """Return the functions of one argument, those of two, and the reductions, each with its name."""
        names = sorted(name for name in dir(MathTest) if not name.startswith("_"))
        kinds = ([], [], [])  # type: tuple[list[tuple[str, Fn]], ...]
        for name in names:
            kind = 1 if name.endswith("2") else 2 if name.endswith("red") else 0
            kinds[kind].append((name, getattr(cls, name)))
        return kinds

    @classmethod
    def _comp_testing(cls) -> tuple[list[tuple[str, Fn, Fn]], ...]:
        """Return the same, each name with the function of floats and the function of variables."""
        pairs = zip(MathTest._tests(), cls._tests())
        return tuple([(name, f, g) for (name, f), (_, g) in zip(floats, own)] for floats, own in pairs)


class MathTestVariable(MathTest):
    """The same functions, by the methods of Scalars and Tensors."""

    inv: Fn = staticmethod(lambda a: 1.0 / (a + 3.5))
    sig: Fn = staticmethod(lambda a: a.sigmoid())
    log: Fn = staticmethod(lambda a: (a + 100000).log())
    relu: Fn = staticmethod(lambda a: (a + 5.5).relu())
    exp: Fn = staticmethod(lambda a: (a - 200).exp())
    explog: Fn = staticmethod(lambda a: (a + 100000).log() + (a - 200).exp())
    gt2: Fn = staticmethod(lambda a, b: a + 1.2 > b)
    lt2: Fn = staticmethod(lambda a, b: a + 1.2 < b)
    eq2: Fn = staticmethod(lambda a, b: a == (b + 5.5))
    sum_red: Fn = staticmethod(lambda a: a.sum(0))
    mean_red: Fn = staticmethod(lambda a: a.mean(0))
    mean_full_red: Fn = staticmethod(lambda a: a.mean())

    @staticmethod
    def complex(a: Any) -> Any:
        """Several functions, one inside the other."""
        return (((a * 10 + 7).relu() * 6 + 5).relu() * 10).sigmoid().log() / 50
