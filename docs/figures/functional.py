"""Figures of the guide on functions of functions: map, zip and reduce with their values."""

from __future__ import annotations

import math

from minitorch import operators
from minitorch.runtime import rng

from .drawing import BLUE, GREEN, GREY, ORANGE, RED, Axes, Drawing, figure, power_of_ten, tint

SIZE = 40


def row(picture: Drawing, values: list[float], x: float, y: float, colour: str) -> None:
    """Draw a list as a row of squares."""
    picture.grid([values], x, y, size=SIZE, fills=[[tint(colour, 0.2)] * len(values)])


@figure
def functional_map_zip() -> Drawing:
    """map(neg) of a list, and zipWith(add) of two."""
    a, b = [3.0, -1.0, 4.0, 2.0], [10.0, 20.0, 30.0, 40.0]
    mapped = operators.map(operators.neg)(a)
    zipped = operators.zipWith(operators.add)(a, b)
    picture = Drawing(640, 262)
    for left, title, name, result in (
        (60, "map(neg)(a)", "neg", mapped),
        (370, "zipWith(add)(a, b)", "add", zipped),
    ):
        picture.text(left, 16, title, anchor="start", bold=True, code=True)
        operands = [a] if result is mapped else [a, b]
        for line in range(len(operands)):
            picture.text(left - 20, 92 + SIZE * line - SIZE * (len(operands) - 1), "ab"[line], code=True)
        for k, value in enumerate(result):
            x = left + 58 * k
            for line, values in enumerate(operands):
                y = 72 + SIZE * line - SIZE * (len(operands) - 1)
                row(picture, [values[k]], x, y, (BLUE, GREEN)[line])
            picture.arrow((x + SIZE / 2, 114), (x + SIZE / 2, 196), stroke=GREY)
            picture.rect(x + SIZE / 2 - 17, 139, 34, 22, fill="#ffffff", stroke=GREY, radius=4)
            picture.text(x + SIZE / 2, 150, name, size=12, code=True)
            row(picture, [value], x, 200, ORANGE)
    return picture


@figure
def functional_reduce() -> Drawing:
    """reduce(add, 0) of a list: a running total that starts at 0 and takes in one element after the other."""
    values = [3.0, -1.0, 4.0, 2.0]
    picture = Drawing(640, 190)
    picture.text(24, 22, "reduce(add, 0.0)(a)", anchor="start", bold=True, code=True)
    picture.text(24, 140, "total", anchor="start", size=12)
    picture.text(24, 62, "a", anchor="start", code=True)
    for k in range(len(values) + 1):
        x = 76 + 126 * k
        total = operators.reduce(operators.add, 0.0)(values[:k])
        fill = ORANGE if k == len(values) else GREY
        picture.grid([[total]], x, 120, size=SIZE, fills=[[tint(fill, 0.25)]])
        label = "start" if k == 0 else "result" if k == len(values) else ""
        picture.text(x + SIZE / 2, 174, label, size=12, fill=GREY)
        if k < len(values):
            along = x + SIZE + 43
            picture.grid([[values[k]]], along - SIZE / 2, 42, size=SIZE, fills=[[tint(BLUE, 0.2)]])
            picture.arrow((along, 84), (along, 127), stroke=GREY)
            picture.arrow((x + SIZE + 2, 140), (x + 124, 140), stroke=GREY)
            picture.rect(along - 17, 129, 34, 22, fill="#ffffff", stroke=GREY, radius=4)
            picture.text(along, 140, "add", size=12, code=True)
    return picture


@figure
def functional_dot() -> Drawing:
    """A weighted sum: zipWith(mul) of inputs and weights, then reduce(add)."""
    inputs, weights = [1.0, 2.0, 3.0], [0.5, -1.0, 2.0]
    products = operators.zipWith(operators.mul)(inputs, weights)
    picture = Drawing(570, 122)
    for k, (name, values, colour) in enumerate(
        (("inputs", inputs, BLUE), ("weights", weights, GREEN), ("products", products, GREY))
    ):
        x = 24 + 160 * k
        picture.text(x + 1.5 * SIZE, 28, name, size=12)
        row(picture, values, x, 44, colour)
    picture.text(164, 64, "·", size=20, bold=True)
    picture.text(324, 64, "=", size=16, bold=True)
    picture.text(404, 100, "reduce(add, 0.0)", code=True, size=12)
    picture.arrow((466, 64), (502, 64), stroke=GREY)
    picture.grid([[operators.sum(products)]], 506, 44, size=SIZE, fills=[[tint(ORANGE, 0.3)]])
    picture.text(244, 100, "zipWith(mul)", code=True, size=12)
    picture.text(526, 28, "sum", size=12)
    return picture


def in_pairs(values: list[float]) -> float:
    """Sum up neighbours, then their sums, and so on."""
    while len(values) > 1:
        rest = values[-1:] if len(values) % 2 else []
        values = operators.addLists(values[::2], values[1::2]) + rest
    return values[0]


@figure
def functional_order() -> Drawing:
    """The rounding error of the sum of n random numbers: one after the other, and in pairs."""
    counts = [30, 100, 300, 1000, 3000, 10_000, 30_000]
    with rng.seeded(0):
        draws = [[float(x) for x in row] for row in rng.uniform((8, counts[-1]))]
    picture = Drawing(640, 300)
    axes = Axes(
        picture,
        70,
        40,
        380,
        200,
        (0, 5),
        (-16, -8),
        title="error of the sum of n numbers from 0 to 1",
        x_label="n",
        marks=6,
        x_text=power_of_ten,
        y_text=power_of_ten,
    )
    for sums, colour, name in (
        (operators.sum, RED, "one after the other"),
        (in_pairs, BLUE, "in pairs"),
    ):
        errors = [max(abs(sums(draw[:n]) - math.fsum(draw[:n])) for draw in draws) for n in counts]
        xs = [math.log10(n) for n in counts]
        ys = [math.log10(max(error, 1e-17)) for error in errors]
        axes.curve(xs, ys, stroke=colour)
        axes.points(xs, ys, fill=colour, radius=3)
        _, y = axes.at(xs[-1], ys[-1])
        picture.text(460, y, name, anchor="start", fill=colour, bold=True)
    return picture
