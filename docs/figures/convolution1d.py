"""Figures of the guide on convolution in one dimension; values come from `conv1d` and its derivatives."""

from __future__ import annotations

import functools

import numpy as np

import minitorch
from minitorch.runtime.types import Array

from .drawing import BLUE, GREEN, GREY, ORANGE, WHITE, Drawing, figure, number, tint

SIZE = 34
INPUT, WEIGHT, OUT_GRAD = [0.0, 1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 10.0, 100.0, 1000.0]


@functools.cache
def example() -> tuple[Array, Array, Array]:
    """Return the result of the guide's example, and the derivatives of input and weight."""
    x = minitorch.tensor([[INPUT]], backend="simple", requires_grad=True)
    w = minitorch.tensor([[WEIGHT]], backend="simple", requires_grad=True)
    out = minitorch.conv1d(x, w)
    out.backward(minitorch.tensor([[OUT_GRAD]], backend="simple"))
    assert x.grad is not None
    assert w.grad is not None
    return tuple(t.to_numpy().ravel() for t in (out, x.grad, w.grad))


def windows(values: list[float], results: Array, names: tuple[str, str], reverse: bool) -> Drawing:
    """Draw one line for each result: the values, the weights on their places, and the sum of products."""
    count, width = len(WEIGHT), len(values)
    before, after = (count - 1, 0) if reverse else (0, count - 1)
    left, step = 24, 68
    picture = Drawing(560, 44 + step * width)
    picture.text(left, 20, names[0], anchor="start", bold=True)
    picture.text(270, 20, names[1], anchor="start", bold=True)
    for x, result in enumerate(results):
        top = 56 + x * step
        shown = [0.0] * before + values + [0.0] * after
        places = [x + before + (-k if reverse else k) for k in range(count)]
        fills = [tint(BLUE, 0.25) if place in places else WHITE for place in range(len(shown))]
        picture.grid([shown], left, top, size=SIZE, fills=[fills], text_size=12)
        for k, place in enumerate(places):
            centre = left + (place + 0.5) * SIZE
            picture.text(centre, top - 10, f"· {number(WEIGHT[k])}", size=11, fill=ORANGE, bold=True)
        middle = before / 2 if reverse else width + after / 2
        picture.text(left + middle * SIZE, top + SIZE + 10, "outside", size=10, fill=GREY)
        terms = " + ".join(f"{number(WEIGHT[k])} · {number(shown[place])}" for k, place in enumerate(places))
        picture.text(270, top + SIZE / 2, f"{terms} = {number(result)}", anchor="start")
    return picture


@figure
def convolution1d_window() -> Drawing:
    """The weights on each place of the input, from left to right, and the four results."""
    return windows(INPUT, example()[0], ("input and weights", "result"), False)


@figure
def convolution1d_reverse() -> Drawing:
    """The derivative of the input: the same weights, laid to the left of each place of the result's derivative."""
    return windows(OUT_GRAD, example()[1], ("derivative of the result", "derivative of the input"), True)


@figure
def convolution1d_matrix() -> Drawing:
    """The convolution as a matrix with the weights on its diagonals, and the transposed matrix."""
    weight = minitorch.tensor([[WEIGHT]], backend="simple")
    units = np.eye(4)[:, None, :]
    matrix = minitorch.conv1d(minitorch.tensor(units, "simple"), weight).to_numpy()[:, 0].T
    colours = {0.0: WHITE, 1.0: tint(BLUE, 0.3), 2.0: tint(ORANGE, 0.4), 3.0: tint(GREEN, 0.35)}
    picture = Drawing(560, 210)
    names = (("matrix", "input", "result"), ("transposed", "d of result", "d of input"))
    vectors = ((INPUT, example()[0]), (OUT_GRAD, example()[1]))
    for left, table, heads, (given, found) in zip((20, 290), (matrix, matrix.T), names, vectors, strict=True):
        picture.text(left + 2 * SIZE, 24, heads[0], bold=True)
        picture.grid(table, left, 44, size=SIZE, fills=[[colours[value] for value in row] for row in table])
        for place, vector, head in ((4.5, given, heads[1]), (6.2, found, heads[2])):
            picture.grid([[value] for value in vector], left + place * SIZE, 44, size=SIZE, text_size=11)
            picture.text(left + (place + 0.5) * SIZE, 44 + 4 * SIZE + 14, head, size=10.5, fill=GREY)
        picture.text(left + 5.85 * SIZE, 44 + 2 * SIZE, "=")
    return picture


@figure
def convolution1d_channels() -> Drawing:
    """Two input channels, two output channels: each pair has its own weights, and the products are added."""
    x = minitorch.tensor([[[1.0, 2.0, 3.0, 4.0], [5.0, 0.0, 5.0, 0.0]]], backend="simple")
    w = minitorch.tensor([[[1.0, 1.0], [2.0, 0.0]], [[0.0, 1.0], [1.0, -1.0]]], backend="simple")
    out = minitorch.conv1d(x, w).to_numpy()[0]
    channels, outs = (tint(BLUE, 0.25), tint(GREEN, 0.25)), (tint(ORANGE, 0.35), tint(ORANGE, 0.15))
    picture = Drawing(560, 224)
    for left, head in ((20, "input (1, 2, 4)"), (215, "weight (2, 2, 2)"), (395, "result (1, 2, 4)")):
        picture.text(left, 22, head, anchor="start", bold=True)
    for c in range(2):
        top = 60 + c * 84
        row = x.to_numpy()[0, c]
        picture.grid([row], 20, top, size=SIZE, fills=[[channels[c]] * 4])
        picture.text(20, top + SIZE + 12, f"channel {c}", size=11, fill=GREY, anchor="start")
    for o in range(2):
        top = 60 + o * 84 - 12
        kernels = w.to_numpy()[o]
        picture.grid(kernels, 245, top, size=SIZE - 4, fills=[[channels[c]] * 2 for c in range(2)])
        picture.arrow((164, 118), (237, top + 30), stroke=GREY)
        picture.arrow((312, top + 30), (385, top + 30), stroke=GREY)
        picture.grid([out[o]], 395, top + 12, size=SIZE, fills=[[outs[o]] * 4])
        picture.text(395, top + 12 + SIZE + 12, f"channel {o}", size=11, fill=GREY, anchor="start")
    return picture
