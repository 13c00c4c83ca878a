"""Numbers to test with, and comparisons whose messages say what was expected and what was got."""

import os

from hypothesis.strategies import floats, integers

EXAMPLES = int(os.environ.get("COURSE_EXAMPLES", "25"))  # how many examples a property is tried with

small_floats = floats(min_value=-100, max_value=100, allow_nan=False)
small_ints = integers(min_value=1, max_value=3)

# The functions of `minitorch.testing`, by name.
ONE = (
    *("addConstant", "complex", "cube", "div", "exp", "explog", "inv", "log"),
    *("multConstant", "neg", "relu", "sig", "square", "subConstant"),
)
TWO = ("add2", "div2", "eq2", "gt2", "lt2", "mul2")
REDUCTIONS = ("sum_red", "mean_red", "mean_full_red")


def same(got: object, expected: object, what: str) -> None:
    """Insist on equality."""
    assert got == expected, f"{what}: expected {expected!r}, got {got!r}"


def close(got: float, expected: float, what: str) -> None:
    """Insist that two numbers differ by less than 0.01."""
    assert abs(got - expected) < 1e-2, f"{what}: expected {expected:.6g}, got {got!r}"
