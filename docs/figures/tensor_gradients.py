"""Figures of the guide on gradients of tensors; all gradients are those of minitorch or of the course's solution."""

from __future__ import annotations

from typing import Any

import minitorch
from minitorch.course.solved import minitorch as course

from .drawing import BLUE, COLOURS, GREY, INK, ORANGE, PURPLE, WHITE, Drawing, figure, tint

SIZE = 36


def solid(values: Any, colour: str) -> list[list[str]]:
    """Return one pale colour for all squares of a table."""
    return [[tint(colour, 0.16)] * len(row) for row in values]


@figure
def tensor_gradients_mul() -> Drawing:
    """Multiplication: the derivative that arrives is multiplied with the other operand, element by element."""
    a = minitorch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    b = minitorch.tensor([[5.0, 6.0], [7.0, 8.0]], requires_grad=True)
    d = minitorch.tensor([[1.0, 0.0], [2.0, -1.0]])
    product = a * b
    product.backward(d)
    assert a.grad is not None
    assert b.grad is not None
    picture = Drawing(560, 276)
    rows = (
        (44, "forward", (("a", a, BLUE), ("b", b, BLUE), ("a * b", product, BLUE))),
        (
            180,
            "backward",
            (
                ("a.grad = d * b", a.grad, ORANGE),
                ("b.grad = d * a", b.grad, ORANGE),
                ("d (arrives)", d, ORANGE),
            ),
        ),
    )
    for top, title, parts in rows:
        picture.text(16, top + SIZE, title, anchor="start", bold=True)
        for k, (name, value, colour) in enumerate(parts):
            left, values = 120 + k * 155, value.to_numpy()
            picture.text(left + SIZE, top - 14, name, code=True, size=12)
            picture.grid(values, left, top, size=SIZE, fills=solid(values, colour))
    for x, sign in ((234, "*"), (389, "=")):
        picture.text(x, 44 + SIZE, sign, size=20)
    return picture


@figure
def tensor_gradients_sum() -> Drawing:
    """A sum along dimension 1, forward and backward: what was added gets the derivative of the sum, copied."""
    t = minitorch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    sums = t.sum(1)
    d = minitorch.tensor([[10.0], [-1.0]])
    sums.backward(d)
    assert t.grad is not None
    picture = Drawing(620, 164)
    for left, title, table, column, grow in (
        (24, "forward: add", t.to_numpy(), sums.to_numpy(), False),
        (344, "backward: copy", t.grad.to_numpy(), d.to_numpy(), True),
    ):
        picture.text(left, 24, title, anchor="start", bold=True)
        fills = [[tint(COLOURS[i + 3 * grow], 0.22)] * 3 for i in range(2)]
        picture.grid(table, left, 44, size=SIZE, fills=fills)
        picture.grid(column, left + 188, 44, size=SIZE, fills=[row[:1] for row in fills])
        for i in range(2):
            y, ends = 44 + (i + 0.5) * SIZE, (left + 3 * SIZE + 6, left + 182)
            start, end = (ends[1], ends[0]) if grow else ends
            picture.arrow((start, y), (end, y), stroke=COLOURS[i + 3 * grow])
        names = ("t.grad", "d") if grow else ("t", "t.sum(1)")
        picture.text(left + 1.5 * SIZE, 44 + 2 * SIZE + 16, names[0], code=True, size=12)
        picture.text(left + 188 + SIZE / 2, 44 + 2 * SIZE + 16, names[1], code=True, size=12)
    return picture


@figure
def tensor_gradients_permute() -> Drawing:
    """Permute by (2, 0, 1) and back by (1, 2, 0): where each dimension stands, as boxes with their sizes."""
    t = minitorch.tensor([[[0.0] * 4] * 3] * 2)
    order = (2, 0, 1)
    back = tuple(order.index(k) for k in range(3))
    turned = t.permute(*order)
    again = turned.permute(*back)
    picture = Drawing(480, 262)
    lefts = [190 + 76 * k for k in range(3)]
    # The boxes carry the number of the dimension in the first tensor, so that each can be followed.
    labels = ((0, 1, 2), order, tuple(order[k] for k in back))
    for row, (shape, dims) in enumerate(zip((t.shape, turned.shape, again.shape), labels, strict=True)):
        top = 20 + row * 90
        picture.text(20, top + 18, f"shape {shape}", anchor="start")
        for k, dim in enumerate(dims):
            picture.rect(lefts[k], top, 56, 36, radius=5, fill=tint(COLOURS[dim], 0.25), stroke=COLOURS[dim])
            picture.text(lefts[k] + 28, top + 18, str(shape[k]), bold=True)
    for row, moves, name in ((0, order, f"permute{order}"), (1, back, f"permute{back}")):
        top = 20 + row * 90
        for target, source in enumerate(moves):
            colour = COLOURS[labels[row][source]]
            picture.arrow((lefts[source] + 28, top + 39), (lefts[target] + 28, top + 87), stroke=colour)
        picture.text(20, top + 63, name, anchor="start", code=True, size=12)
    picture.text(470, 38, "forward", anchor="end", size=12, fill=GREY)
    picture.text(470, 218, "backward", anchor="end", size=12, fill=GREY)
    return picture


@figure
def tensor_gradients_shapes() -> Drawing:
    """A layer of the course: the shape of each value on the way forward, and of each derivative on the way back."""
    x = course.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])
    weight = course.tensor([0.5, -0.25], requires_grad=True)
    bias = course.tensor([0.1], requires_grad=True)
    product = x * weight
    sums = product.sum(1)
    shifted = sums + bias
    loss = shifted.sigmoid().sum()
    # The derivative that arrives at each variable, on the course's own way back.
    arrived = {loss.unique_id: course.tensor([1.0])}
    for node in course.topological_sort(loss):
        if not node.is_leaf():
            for parent, d in node.chain_rule(arrived[node.unique_id]):
                before = arrived.get(parent.unique_id)
                arrived[parent.unique_id] = d if before is None else before + d
    nodes = (
        (20, 60, "weight", weight),
        (160, 60, "x * weight", product),
        (300, 60, ".sum(1)", sums),
        (440, 60, "+ bias", shifted),
        (580, 60, "loss", loss),
        (440, 160, "bias", bias),
    )
    picture = Drawing(710, 230)
    for left, top, name, value in nodes:
        leaf = value.is_leaf()
        picture.rect(left, top, 110, 52, radius=6, fill=tint(PURPLE if leaf else BLUE, 0.12), stroke=WHITE)
        picture.text(left + 55, top + 15, name, code=True, size=12, bold=leaf)
        picture.text(left + 55, top + 37, f"{value.shape}", size=12)
        shape = arrived[value.unique_id].shape
        place = (left + 55, top - 14) if top < 100 else (left + 150, top + 26)
        picture.text(*place, f"d: {shape}", size=12, fill="#b3541e")
    for left in (130, 270, 410, 550):
        picture.arrow((left + 2, 86), (left + 29, 86), stroke=INK)
    picture.arrow((495, 157), (495, 116), stroke=INK)
    picture.text(20, 24, "d: shape of the derivative", anchor="start", size=12, fill="#b3541e")
    picture.text(150, 150, "weight was used in 4 rows,", anchor="start", size=12, fill=GREY)
    picture.text(150, 167, "so its derivative is a sum over 4 rows", anchor="start", size=12, fill=GREY)
    return picture
