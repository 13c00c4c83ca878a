"""Figures of the guide on broadcasting; shapes, pairs of elements and gradients come from minitorch."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitorch
from minitorch.tensor_data import broadcast_index, shape_broadcast

from .drawing import BLUE, COLOURS, GREY, INK, RED, WHITE, Drawing, figure, tint

SIZE = 38


def used(shape: tuple[int, ...], small: tuple[int, ...]) -> Any:
    """Return, for each element of a result, the position of the element of ``small`` that it uses."""
    positions = np.zeros(shape, int)
    found = np.zeros(len(small), np.int32)
    for index in np.ndindex(*shape):
        broadcast_index(np.array(index), np.array(shape), np.array(small), found)
        positions[index] = int(np.ravel_multi_index(tuple(found), small))
    return positions


def colours(positions: Any, strength: float = 0.25) -> list[list[str]]:
    """Return a pale colour for each position of a small tensor."""
    return [[tint(COLOURS[p % len(COLOURS)], strength) for p in row] for row in positions]


@figure
def broadcasting_pairs() -> Drawing:
    """A row is added to each row of a matrix: the colour tells which element of the row takes part."""
    a = minitorch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    b = minitorch.tensor([10.0, 20.0, 30.0])
    result = a + b
    positions = used(result.shape, b.shape)
    picture = Drawing(500, 176)
    parts = (
        ("a", f"{a.shape}", a.to_numpy(), None, 20),
        ("b", f"{b.shape}", [b.to_numpy()], colours([[0, 1, 2]]), 192),
        ("a + b", f"{result.shape}", result.to_numpy(), colours(positions), 364),
    )
    for name, shape, values, fills, left in parts:
        picture.text(left + 1.5 * SIZE, 20, name, code=True, bold=True)
        picture.text(left + 1.5 * SIZE, 38, f"shape {shape}", size=12, fill=GREY)
        picture.grid(values, left, 54, size=SIZE, fills=fills)
    # What the loop reads for the second row: the same three elements again.
    for j in range(3):
        picture.rect(192 + j * SIZE, 54 + SIZE, SIZE, SIZE, fill=tint(COLOURS[j], 0.1), stroke="#c3c8cd")
        picture.text(192 + (j + 0.5) * SIZE, 54 + 1.5 * SIZE, str(int(b[j])), fill=GREY)
    picture.text(163, 54 + SIZE, "+", size=20)
    picture.text(335, 54 + SIZE, "=", size=20)
    picture.text(192 + 1.5 * SIZE, 146, "read again for row 1,", size=12, fill=GREY)
    picture.text(192 + 1.5 * SIZE, 161, "not stored twice", size=12, fill=GREY)
    return picture


@figure
def broadcasting_shapes() -> Drawing:
    """Pairs of shapes, aligned at the right, with the shape of the result; the last pair does not fit."""
    pairs = (
        ("matrix + row", (2, 3), (3,)),
        ("table of two lists", (3, 1), (4,)),
        ("images + bias", (8, 4, 28, 28), (4, 1, 1)),
        ("does not fit", (2, 3), (2,)),
    )
    size, dims = 32, 4
    picture = Drawing(660, 248)
    for column, (name, first, second) in enumerate(pairs):
        left = 16 + column * 162
        picture.text(left + dims * size / 2, 20, name, bold=True)
        try:
            rows: list[tuple[int, ...]] = [first, second, shape_broadcast(first, second)]
        except minitorch.IndexingError:
            rows = [first, second]
        for row, shape in enumerate(rows):
            top = 40 + row * (size + 10) + (16 if row == 2 else 0)
            missing = dims - len(shape)
            for k in range(dims):
                n = shape[k - missing] if k >= missing else None
                x = left + k * size
                if n is None:
                    if k >= dims - max(len(first), len(second)) and row < 2:
                        picture.rect(x, top, size, size, stroke=GREY, fill="#f4f5f6")
                        picture.text(x + size / 2, top + size / 2, "1", fill=GREY)
                    continue
                sizes = [s[k - dims] if k >= dims - len(s) else 1 for s in (first, second)]
                fits = sizes[0] == sizes[1] or 1 in sizes
                repeated = row < 2 and n == 1 and max(sizes) > 1
                fill = tint(RED, 0.25) if not fits else tint(BLUE, 0.25) if repeated else WHITE
                picture.rect(x, top, size, size, fill=fill, stroke=GREY)
                picture.text(x + size / 2, top + size / 2, str(n), bold=row == 2)
        picture.line([(left, 132), (left + dims * size, 132)], stroke=INK, thick=1)
        if len(rows) == 2:
            picture.text(left + dims * size / 2, 160, "IndexingError", fill=RED, bold=True)
    picture.rect(16, 212, 16, 16, fill=tint(BLUE, 0.25), stroke=GREY)
    picture.text(40, 220, "size 1: repeated", anchor="start", size=12)
    picture.rect(178, 212, 16, 16, fill="#f4f5f6", stroke=GREY)
    picture.text(202, 220, "missing: counts as 1, repeated", anchor="start", size=12)
    picture.rect(402, 212, 16, 16, fill=tint(RED, 0.25), stroke=GREY)
    picture.text(426, 220, "not equal, and neither is 1", anchor="start", size=12)
    return picture


@figure
def broadcasting_outer() -> Drawing:
    """A column of 3 times a row of 4: both are repeated, and the result is the 3 x 4 table of all products."""
    column = minitorch.tensor([[1.0], [2.0], [3.0]])
    row = minitorch.tensor([4.0, 5.0, 6.0, 7.0])
    table = column * row
    picture = Drawing(420, 240)
    picture.text(60, 86, "shape (3, 1)", size=12, fill=GREY)
    picture.text(210 + 2 * SIZE, 16, "shape (4,)", size=12, fill=GREY)
    shades = [tint(BLUE, 0.12 + 0.12 * i) for i in range(3)]
    picture.grid(column.to_numpy(), 60 - SIZE / 2, 100, size=SIZE, fills=[[s] for s in shades])
    picture.grid([row.to_numpy()], 210, 30, size=SIZE)
    picture.grid(table.to_numpy(), 210, 100, size=SIZE, fills=[[s] * 4 for s in shades])
    for i in range(3):
        y = 100 + (i + 0.5) * SIZE
        picture.arrow((60 + SIZE / 2 + 6, y), (202, y), stroke=tint(BLUE, 0.6))
    for j in range(4):
        x = 210 + (j + 0.5) * SIZE
        picture.arrow((x, 30 + SIZE + 4), (x, 96), stroke=GREY)
    picture.text(210 + 2 * SIZE, 100 + 3 * SIZE + 16, f"shape {table.shape}", size=12, fill=GREY)
    return picture


@figure
def broadcasting_backward() -> Drawing:
    """The way back: the derivatives of the six results are added in columns, one sum for each element of b."""
    a = minitorch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    b = minitorch.tensor([10.0, 20.0, 30.0], requires_grad=True)
    copies = minitorch.tensor([[10.0, 20.0, 30.0]] * 2, requires_grad=True)
    ((a * b).sum() + (a * copies).sum()).backward()
    assert b.grad is not None
    assert copies.grad is not None
    uses = colours(used((2, 3), (3,)))
    picture = Drawing(480, 214)
    picture.text(20, 22, "loss = (a * b).sum(): a derivative for each use of b", anchor="start", bold=True)
    picture.grid(copies.grad.to_numpy(), 20, 40, size=SIZE, fills=uses)
    picture.text(150, 40 + SIZE / 2, "its use in row 0", anchor="start", size=12, fill=GREY)
    picture.text(150, 40 + 1.5 * SIZE, "its use in row 1", anchor="start", size=12, fill=GREY)
    for j in range(3):
        x = 20 + (j + 0.5) * SIZE
        picture.arrow((x, 40 + 2 * SIZE + 4), (x, 158), stroke=COLOURS[j])
    picture.text(150, 138, "add the rows", anchor="start", size=12)
    picture.grid([b.grad.to_numpy()], 20, 162, size=SIZE, fills=uses[:1])
    picture.text(150, 162 + SIZE / 2, f"b.grad, shape {b.grad.shape}", anchor="start", bold=True)
    return picture
