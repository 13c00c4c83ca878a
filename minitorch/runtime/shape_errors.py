"""Messages about shapes that do not fit: one complete line, the shapes aligned at the right, the page of the guide.

They are made when an error is raised, never before. The lowest layer: depends on nothing.

::

    cannot broadcast shapes (2, 3) and (4,): sizes 3 and 4 differ in dimension 1
      (2, 3)
         (4,)
          ^
    guide: docs/guide/broadcasting.md
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

Sizes = Sequence[int]
# A shape, what it is of, and its dimensions to mark, counted from the right: 1 is the last.
Row = tuple[Sizes, str, Collection[int]]


def _drawing(rows: Sequence[Row]) -> list[str]:
    """Return the shapes under each other, the last dimensions in one column, and a line of marks under each."""
    rank = max(len(sizes) for sizes, _, _ in rows)
    columns = [max(len(str(s[-k])) for s, _, _ in rows if len(s) >= k) for k in range(1, rank + 1)]
    lines = []
    for sizes, name, marked in rows:
        count = len(sizes)
        blank = sum(width + 2 for width in columns[count:]) + 2
        texts = [str(n).rjust(width) for n, width in zip(reversed(sizes), columns)][::-1]
        # Blanks before the first size stand before the parenthesis.
        inside = ", ".join(texts).lstrip() + ("," if count == 1 else "")
        blank += len(texts[0]) - len(texts[0].lstrip()) if texts else -2
        lines.append(f"{' ' * max(blank, 2)}({inside})  {name}".rstrip())
        ends = {sum(width + 2 for width in columns[k:]) + 2 + columns[k - 1] for k in marked}
        if ends:
            lines.append("".join("^" if i in ends else " " for i in range(max(ends) + 1)))
    return lines


def _message(problem: str, page: str, *rows: Row) -> str:
    return "\n".join([problem, *_drawing(rows), f"guide: docs/guide/{page}.md"])


def first_line(error: Exception) -> str:
    """Return the message of an error without the drawing: its first line is complete."""
    return str(error).partition("\n")[0]


def not_broadcast(a: Sizes, b: Sizes) -> str:
    """Say which sizes of two shapes differ where neither is 1; there is such a pair."""
    bad = [k for k in range(1, min(len(a), len(b)) + 1) if a[-k] != b[-k] and 1 not in (a[-k], b[-k])]
    k = bad[0]
    where = f"sizes {a[-k]} and {b[-k]} differ in dimension {max(len(a), len(b)) - k}"
    problem = f"cannot broadcast shapes {tuple(a)} and {tuple(b)}: {where}, and neither is 1"
    return _message(problem, "broadcasting", (a, "", ()), (b, "", bad))


def not_broadcast_into(what: str, a: Sizes, target: Sizes) -> str:
    """Say why a shape does not broadcast into another, which may not grow; ``what`` begins the message."""
    more = range(len(target) + 1, len(a) + 1)
    bad = [k for k in range(1, min(len(a), len(target)) + 1) if a[-k] not in (target[-k], 1)]
    why = f"{a[-bad[0]]} does not fit {target[-bad[0]]}" if bad else f"it has {len(a)} dimensions"
    problem = f"{what}cannot broadcast shape {tuple(a)} into {tuple(target)}: {why}"
    return _message(problem, "broadcasting", (target, "", ()), (a, "", bad or more))


def not_multiplied(a: Sizes, b: Sizes) -> str:
    """Say why two shapes have no matrix product."""
    expected = "expected (batch, n, k) and (batch, k, m), 2-D or 3-D, where a batch of 1 stretches"
    problem = f"cannot multiply shapes {tuple(a)} and {tuple(b)}"
    if not {len(a), len(b)} <= {2, 3}:
        return _message(f"{problem}: {expected}", "matmul", (a, "", ()), (b, "", ()))
    if a[-1] == b[-2]:
        return _message(
            f"{problem}: batches {a[0]} and {b[0]} differ; {expected}", "matmul", (a, "", ()), (b, "", (3,))
        )
    return _message(
        f"{problem}: k is {a[-1]} and {b[-2]}; {expected}", "matmul", (a, "", (1,)), (b, "", (2,))
    )


def not_viewed(shape: Sizes, wanted: Sizes) -> str:
    """Say that a shape has another number of elements than the wanted one, or that this is no shape."""
    size, known = math.prod(shape), math.prod(n for n in wanted if n != -1)
    if min(wanted, default=0) < -1 or list(wanted).count(-1) > 1:
        name = "expected sizes of at least 0, and at most one -1"
    else:
        name = f"a multiple of {known} elements" if -1 in wanted else f"{known} elements"
    problem = f"cannot view shape {tuple(shape)} of {size} elements as shape {tuple(wanted)}"
    return _message(problem, "strides", (shape, f"{size} elements", ()), (wanted, name, ()))


def not_permuted(shape: Sizes, order: Sizes) -> str:
    """Say which entries of an order are repeated, or name no dimension."""
    count = len(order)
    bad = [count - i for i, n in enumerate(order) if n not in range(len(shape)) or order.index(n) < i]
    problem = f"permute: order {tuple(order)} must name each dimension of shape {tuple(shape)} once"
    return _message(problem, "strides", (shape, "shape", ()), (order, "order", bad))


def wrong_channels(op: str, x: Sizes, w: Sizes, groups: int) -> str:
    """Say that an input and a weight of a convolution have different numbers of channels."""
    problem = (
        f"{op}: weight has {w[1]} input channels in each of {groups} group(s), but the input has {x[1]} "
        f"(input {tuple(x)}, weight {tuple(w)}; groups must divide {x[1]} and {w[0]})"
    )
    return _message(problem, "convolution", (x, "input", ()), (w, "weight", (len(w) - 1,)))


def wrong_features(x: Sizes, w: Sizes) -> str:
    """Say that the last dimension of an input of `Linear` is not what its weight takes."""
    problem = (
        f"Linear: expected {w[1]} features in the last dimension, got {x[-1] if len(x) else 'none'} "
        f"(input {tuple(x)}, weight {tuple(w)})"
    )
    return _message(problem, "modules", (x, "input", (1,) if len(x) else ()), (w, "weight", (1,)))
