"""Messages about shapes: a complete first line, the shapes aligned at the right, marks, the page of the guide."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis.strategies import lists, sampled_from

import minitorch
from minitorch import IndexingError, conv1d, conv2d, ones
from minitorch.runtime import shape_errors
from minitorch.tensor_data import shape_broadcast

from ..repo.source import ROOT

Shape = tuple[int, ...]
shapes = lists(sampled_from([0, 1, 2, 3, 10, 117]), max_size=4).map(tuple)

CASES: list[tuple[Callable[[], object], str, str]] = [
    (
        lambda: ones((2, 3)) + ones((4,)),
        "cannot broadcast shapes (2, 3) and (4,): sizes 3 and 4 differ in dimension 1, and neither is 1",
        """
  (2, 3)
     (4,)
      ^
guide: docs/guide/broadcasting.md""",
    ),
    (
        lambda: ones((12, 1, 3)) * ones((5, 4, 4)),
        "cannot broadcast shapes (12, 1, 3) and (5, 4, 4): sizes 3 and 4 differ in dimension 2, and neither is 1",
        """
  (12, 1, 3)
   (5, 4, 4)
    ^     ^
guide: docs/guide/broadcasting.md""",
    ),
    (
        lambda: ones((2, 3))._tensor.__setitem__(slice(0, 1), ones((2, 3))._tensor),
        "index slice(0, 1, None): cannot broadcast shape (2, 3) into (1, 3): 2 does not fit 1",
        """
  (1, 3)
  (2, 3)
   ^
guide: docs/guide/broadcasting.md""",
    ),
    (
        lambda: ones((2, 3)) @ ones((4, 5)),
        "cannot multiply shapes (2, 3) and (4, 5): k is 3 and 4; expected (batch, n, k) and (batch, k, m), 2-D or 3-D, "
        "where a batch of 1 stretches",
        """
  (2, 3)
      ^
  (4, 5)
   ^
guide: docs/guide/matmul.md""",
    ),
    (
        lambda: ones((2, 3, 4)) @ ones((3, 4, 5)),
        "cannot multiply shapes (2, 3, 4) and (3, 4, 5): batches 2 and 3 differ; expected (batch, n, k) and "
        "(batch, k, m), 2-D or 3-D, where a batch of 1 stretches",
        """
  (2, 3, 4)
  (3, 4, 5)
   ^
guide: docs/guide/matmul.md""",
    ),
    (
        lambda: ones((2, 3)) @ ones((3,)),
        "cannot multiply shapes (2, 3) and (3,): expected (batch, n, k) and (batch, k, m), 2-D or 3-D, where a batch "
        "of 1 stretches",
        """
  (2, 3)
     (3,)
guide: docs/guide/matmul.md""",
    ),
    (
        lambda: ones((2, 3)).view(4, 2),
        "cannot view shape (2, 3) of 6 elements as shape (4, 2)",
        """
  (2, 3)  6 elements
  (4, 2)  8 elements
guide: docs/guide/strides.md""",
    ),
    (
        lambda: ones(()).reshape(4, -1),
        "cannot view shape () of 1 elements as shape (4, -1)",
        """
       ()  1 elements
  (4, -1)  a multiple of 4 elements
guide: docs/guide/strides.md""",
    ),
    (
        lambda: ones((2, 3)).view(-1, -1),
        "cannot view shape (2, 3) of 6 elements as shape (-1, -1)",
        """
   (2,  3)  6 elements
  (-1, -1)  expected sizes of at least 0, and at most one -1
guide: docs/guide/strides.md""",
    ),
    (
        lambda: ones((2, 3, 4)).permute(1, 3, 1),
        "permute: order (1, 3, 1) must name each dimension of shape (2, 3, 4) once",
        """
  (2, 3, 4)  shape
  (1, 3, 1)  order
      ^  ^
guide: docs/guide/strides.md""",
    ),
    (
        lambda: conv2d(ones((2, 1, 8, 8)), ones((4, 3, 3, 3))),
        "conv2d: weight has 3 input channels in each of 1 group(s), but the input has 1 (input (2, 1, 8, 8), weight "
        "(4, 3, 3, 3); groups must divide 1 and 4)",
        """
  (2, 1, 8, 8)  input
  (4, 3, 3, 3)  weight
      ^
guide: docs/guide/convolution.md""",
    ),
    *(
        (
            call,
            "conv1d: weight has 3 input channels in each of 1 group(s), but the input has 1 (input (2, 1, 12), weight "
            "(4, 3, 3); groups must divide 1 and 4)",
            """
  (2, 1, 12)  input
  (4, 3,  3)  weight
      ^
guide: docs/guide/convolution.md""",
        )
        for call in (
            lambda: conv1d(ones((2, 1, 12)), ones((4, 3, 3))),
            lambda: conv1d(ones((2, 1, 12)), ones((4, 3, 3)), padding=1),
        )
    ),
    (
        lambda: minitorch.Linear(4, 2)(ones((5, 7, 3))),
        "Linear: expected 4 features in the last dimension, got 3 (input (5, 7, 3), weight (2, 4))",
        """
  (5, 7, 3)  input
         ^
     (2, 4)  weight
         ^
guide: docs/guide/modules.md""",
    ),
]


@pytest.mark.parametrize(("call", "first", "drawing"), CASES)
def test_a_message_shows_both_shapes_and_the_page(
    call: Callable[[], object], first: str, drawing: str
) -> None:
    with pytest.raises(IndexingError) as caught:
        call()
    assert str(caught.value) == first + drawing
    assert shape_errors.first_line(caught.value) == first


@given(shapes, shapes)
def test_marks_are_under_the_pairs_that_do_not_broadcast(a: Shape, b: Shape) -> None:
    """Every shape that NumPy refuses is refused, and the marks are under the last digits of the pairs that differ."""
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        pass
    else:
        assume(False)
    with pytest.raises(IndexingError) as caught:
        shape_broadcast(a, b)
    _, first, second, marks, _ = str(caught.value).split("\n")
    ends = [{m.end() - 1: int(m[0]) for m in re.finditer(r"\d+", line)} for line in (first, second)]
    marked = {i for i, c in enumerate(marks) if c == "^"}
    assert marked == {
        i for i in ends[0].keys() & ends[1] if ends[0][i] != ends[1][i] and 1 not in (ends[0][i], ends[1][i])
    }
    assert list(ends[0].values()) == list(a)
    assert list(ends[1].values()) == list(b)
    assert sorted(ends[0])[::-1][: min(len(a), len(b))] == sorted(ends[1])[::-1][: min(len(a), len(b))]


def test_the_pages_exist() -> None:
    pages = {page for _, _, drawing in CASES for page in re.findall("guide: (.*)", drawing)}
    assert [page for page in sorted(pages) if not (ROOT / page).is_file()] == []
