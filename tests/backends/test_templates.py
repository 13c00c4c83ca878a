"""Kernels written from a template: the text for each number of operands, and the functions that it defines."""

from __future__ import annotations

import inspect
import traceback
from typing import Any

import pytest

from minitorch.runtime.templates import expand, kernels_from

TEMPLATE = """
def add_{n}(out, {a#, a#_scale}):
    total = 0
    {total += a# * a#_scale}
    out[0], {out[#]} = total, {a#}
"""


def test_copies_stand_in_a_line_or_on_lines_of_their_own() -> None:
    assert expand(TEMPLATE, 2) == (
        "def add_2(out, a1, a1_scale, a2, a2_scale):\n"
        "    total = 0\n"
        "    total += a1 * a1_scale\n"
        "    total += a2 * a2_scale\n"
        "    out[0], out[1], out[2] = total, a1, a2\n"
    )


def test_functions_for_each_number_of_operands() -> None:
    none, _, two = kernels_from(TEMPLATE, range(3), globals())
    assert (none.__name__, two.__name__, two.__module__) == ("add_0", "add_2", __name__)
    assert two.__globals__ is globals()
    out: list[Any] = [None] * 3
    two(out, 3, 10, 4, 100)
    assert out == [430, 3, 4]
    none(out)
    assert out[0] == 0


def test_the_source_can_be_read_and_shows_in_a_traceback() -> None:
    (one,) = kernels_from(TEMPLATE, (1,), globals())
    assert inspect.getsource(one) == expand(TEMPLATE, 1)
    with pytest.raises(IndexError) as caught:
        one([], 1, 2)
    assert "out[0], out[1] = total, a1" in "".join(traceback.format_exception(caught.value))
