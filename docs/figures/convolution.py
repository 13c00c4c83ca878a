"""Figures of the guide on convolution of images: a filter on a digit, im2col, backward, receptive fields."""

from __future__ import annotations

import numpy as np

import minitorch
from minitorch.data import digits
from minitorch.runtime.types import Array
from minitorch.vision.filters import HORIZONTAL, VERTICAL

from .drawing import BLUE, COLOURS, GREEN, GREY, ORANGE, WHITE, Drawing, figure, number, signed, tint

IMAGE, KERNEL = np.arange(9.0).reshape(3, 3), np.array([[1.0, 2.0], [3.0, 4.0]])


def digit(index: int) -> Array:
    """Return a digit of the bundled training set, 8 x 8 numbers from 0 to 16."""
    return np.asarray(digits()[0].images[index, 0], dtype=float)


def convolved(image: Array, kernel: Array) -> Array:
    """Return the course's convolution of one image with one kernel."""
    x, w = (minitorch.tensor(a[None, None], "simple") for a in (image, kernel))
    return minitorch.conv2d(x, w).to_numpy()[0, 0]


@figure
def convolution_digit() -> Drawing:
    """A filter for vertical edges on a digit: one window, its products, and the place of the result."""
    image, size = digit(1), 25
    result, (y, x) = convolved(image, VERTICAL), (3, 2)
    picture = Drawing(600, 300)
    left, filter_left, right = 16, 254, 380
    for place, head in ((left, "a digit"), (filter_left, "filter"), (right, "result")):
        picture.text(place, 20, head, anchor="start", bold=True)
    rows, columns = image.shape
    inside = [
        [tint(BLUE, 0.35) if y <= i < y + 3 and x <= j < x + 3 else WHITE for j in range(columns)]
        for i in range(rows)
    ]
    picture.grid(image, left, 36, size=size, fills=inside, text_size=11)
    picture.grid(VERTICAL, filter_left, 36 + y * size, size=size + 4, text_size=11)
    largest = float(np.abs(result).max())
    shades = [[signed(0.7 * float(value), largest) for value in row] for row in result]
    picture.grid(result, right, 36, size=size, fills=shades, text_size=10)
    picture.rect(right + x * size, 36 + y * size, size, size, thick=2.5)
    middle = 36 + (y + 1.5) * size + 5
    picture.arrow((left + 8 * size + 6, middle), (filter_left - 6, middle), stroke=GREY)
    picture.arrow((filter_left + 3 * size + 18, middle), (right - 6, middle), stroke=GREY)
    sums = " + ".join(f"({number(image[y + i, x])} - {number(image[y + i, x + 2])})" for i in range(3))
    picture.text(left, 262, f"row {y}, column {x}:  {sums}  =  {number(result[y, x])}", anchor="start")
    picture.text(left, 282, "blue: positive, orange: negative", anchor="start", size=11, fill=GREY)
    return picture


@figure
def convolution_edges() -> Drawing:
    """Two digits, and what the filters for vertical and for horizontal edges make of them."""
    size = 12
    picture = Drawing(380, 262)
    for k, (head, kernel) in enumerate(
        (("digit", None), ("vertical edges", VERTICAL), ("horizontal edges", HORIZONTAL))
    ):
        picture.text(20 + k * 122 + 4 * size, 18, head, size=12, bold=True)
        for row, index in enumerate((0, 7)):
            image = digit(index)
            if kernel is None:
                picture.image(image, 20, 34 + row * 114, size=size)
                continue
            picture.signed_image(convolved(image, kernel), 20 + k * 122, 34 + row * 114, size=size)
    return picture


@figure
def convolution_im2col() -> Drawing:
    """Each window of an image becomes a row of a matrix, which is multiplied with the weights as a column."""
    windows = np.lib.stride_tricks.sliding_window_view(IMAGE, KERNEL.shape).reshape(4, 4)
    x, w = (minitorch.tensor(a, "simple") for a in (windows, KERNEL.reshape(4, 1)))
    product = (x @ w).to_numpy()
    size, colours = 32, [tint(colour, 0.3) for colour in COLOURS[:4]]
    picture = Drawing(560, 200)
    picture.text(20, 20, "image", anchor="start", bold=True)
    picture.grid(IMAGE, 20, 56, size=size)
    for k in range(4):
        row, column = divmod(k, 2)
        inset = 3 + 2 * k
        picture.rect(
            20 + column * size + inset,
            56 + row * size + inset,
            2 * size - 2 * inset,
            2 * size - 2 * inset,
            stroke=COLOURS[k],
            thick=2,
        )
    picture.arrow((126, 104), (174, 104), stroke=GREY)
    picture.text(184, 20, "one window a row", anchor="start", bold=True)
    picture.grid(windows, 184, 40, size=size, fills=[[colour] * 4 for colour in colours])
    picture.text(352, 20, "weights", anchor="start", bold=True)
    picture.text(330, 104, "@", size=15)
    picture.grid(KERNEL.reshape(4, 1), 362, 40, size=size)
    picture.text(416, 104, "=", size=15)
    picture.text(440, 20, "result", anchor="start", bold=True)
    picture.grid(product, 440, 40, size=size, fills=[[colour] for colour in colours])
    picture.text(184, 184, "(4 windows, 4 numbers)", size=11, fill=GREY, anchor="start")
    picture.text(344, 184, "(4, 1)", size=11, fill=GREY, anchor="start")
    picture.text(438, 184, "(4, 1), seen as 2 x 2", size=11, fill=GREY, anchor="start")
    return picture


@figure
def convolution_backward() -> Drawing:
    """A single 1 in the derivative of the result: the input gets the weights, the weights get the window."""
    x, w = (minitorch.tensor(a[None, None], "simple", requires_grad=True) for a in (IMAGE, KERNEL))
    change = np.zeros((3, 3))
    change[1, 1] = 1.0
    minitorch.conv2d(x, w).backward(minitorch.tensor(change[None, None], "simple"))
    assert x.grad is not None
    assert w.grad is not None
    input_grad, weight_grad = x.grad.to_numpy()[0, 0], w.grad.to_numpy()[0, 0]
    tables = (
        ("input", IMAGE, BLUE, input_grad > 0),
        ("d of result", change, ORANGE, change > 0),
        ("d of input", input_grad, GREEN, input_grad > 0),
        ("d of weights", weight_grad, BLUE, weight_grad > 0),
    )
    size = 32
    picture = Drawing(560, 150)
    for k, (head, table, colour, marked) in enumerate(tables):
        left = 20 + k * 138
        fills = [[tint(colour, 0.3) if mark else WHITE for mark in row] for row in marked]
        picture.text(left, 22, head, anchor="start", bold=True)
        picture.grid(table, left, 40, size=size, fills=fills)
    return picture


@figure
def convolution_field() -> Drawing:
    """How often each pixel is used for one result, after one, two and three convolutions of 3 x 3."""
    picture = Drawing(580, 236)
    size = 19
    ones = minitorch.tensor(np.ones((1, 1, 3, 3)), "simple")
    for k in range(3):
        image = minitorch.zeros((1, 1, 9, 9), backend="simple").requires_grad_()
        out = image
        for _ in range(k + 1):
            out = minitorch.conv2d(out, ones)
        out[0, 0, 1, 1].backward()
        assert image.grad is not None
        uses = image.grad.to_numpy()[0, 0]
        left, top = 16 + k * 190, 34
        picture.text(left, 20, f"{k + 1} x (3 x 3)", anchor="start", bold=True)
        for (row, column), count in np.ndenumerate(uses):
            x, y = left + column * size, top + row * size
            picture.rect(x, y, size, size, fill=tint(BLUE, 0.75 * float(count / uses.max())), stroke=GREY)
            if count:
                picture.text(x + size / 2, y + size / 2, number(float(count)), size=9)
        picture.text(
            16 + k * 190, 222, f"{int((uses > 0).any(0).sum())} x {int((uses > 0).any(1).sum())} pixels",
            anchor="start", size=12, fill=GREY,
        )  # fmt: skip
    return picture
