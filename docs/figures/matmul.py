"""Figures of the guide on the matrix product; reads and writes are those of the course's solved kernel."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import numpy as np

import minitorch
from minitorch.course.solved.minitorch.tensor_data import TensorData

from ._recorder import Recorder, solved
from .drawing import BLUE, COLOURS, GREEN, GREY, INK, ORANGE, RED, WHITE, Axes, Drawing, figure, tint
from .parallel import owner

SIZE = 34
LINE, LINES = 8, 8  # numbers in a cache line, and lines in the small cache of the example


def multiply(a: Any, b: Any) -> tuple[Recorder, Any]:
    """Run the solved kernel of task 3.2 on two arrays (batch, rows, columns); return its accesses and its result."""
    batch = max(len(a), len(b))
    recorder = Recorder()
    out = TensorData([0.0] * (batch * a.shape[1] * b.shape[2]), (batch, a.shape[1], b.shape[2]))
    result = recorder.array("out", out._storage)
    operands = []
    for name, values in (("a", a), ("b", b)):
        data = TensorData(values.ravel().tolist(), values.shape)
        operands += [recorder.array(name, data._storage), data._shape, data._strides]
    solved("fast_ops", recorder)._tensor_matrix_multiply(result, out._shape, out._strides, *operands)
    return recorder, result.values.reshape(out.shape)


@figure
def matmul_element() -> Drawing:
    """A 3 x 4 matrix times a 4 x 2 matrix: the row and the column that the kernel reads for one element."""
    a = np.array([[[1.0, 2.0, 0.0, 1.0], [3.0, 1.0, 2.0, 0.0], [0.0, 1.0, 1.0, 4.0]]])
    b = np.array([[[2.0, 1.0], [0.0, 5.0], [1.0, 3.0], [4.0, 0.0]]])
    recorder, out = multiply(a, b)
    element = 3  # the place of (1, 1) in the result
    end = next(k for k, x in enumerate(recorder.accesses) if (x.array, x.place) == ("out", element))
    reads = {
        name: [x.place for x in recorder.accesses[end - 8 : end] if x.array == name] for name in ("a", "b")
    }
    picture = Drawing(430, 336)
    for name, values, left, top in (("a", a[0], 40, 176), ("b", b[0], 230, 24), ("out", out[0], 230, 176)):
        rows, columns = values.shape
        fills = [[WHITE] * columns for _ in range(rows)]
        for place in reads.get(name, [element]):
            fills[place // columns][place % columns] = tint({"a": BLUE, "b": ORANGE, "out": GREEN}[name], 0.3)
        picture.grid(values, left, top, size=SIZE, fills=fills)
    picture.text(40 + 2 * SIZE, 162, "a (3, 4)", size=12, fill=GREY)
    picture.text(310, 24 + 2 * SIZE, "b (4, 2)", size=12, fill=GREY, anchor="start")
    picture.text(310, 176 + 2.5 * SIZE, "out (3, 2)", size=12, fill=GREY, anchor="start")
    terms = [f"{a.ravel()[p]:g}·{b.ravel()[q]:g}" for p, q in zip(reads["a"], reads["b"], strict=True)]
    picture.text(
        20, 312, f"element (1, 1) = {' + '.join(terms)} = {out.ravel()[element]:g}", anchor="start", code=True
    )
    return picture


@functools.cache
def stored(size: int) -> tuple[int, int]:
    """Return the elements that a product of square matrices stores: by broadcasting, and in one kernel."""
    a = minitorch.ones((size, size), "simple")
    products = a.view(size, size, 1) * a.view(1, size, size)
    return products.size + products.sum(1).size, (a @ a).size


@figure
def matmul_memory() -> Drawing:
    """Numbers stored for a product of n x n matrices: the table of all products grows with the third power."""
    sizes = list(range(1, 11))
    broadcast, fused = zip(*(stored(n) for n in sizes), strict=True)
    picture = Drawing(480, 268)
    axes = Axes(
        picture,
        66,
        40,
        380,
        176,
        (0, 10),
        (0, 1150),
        title="numbers that are stored",
        x_label="rows of the square matrices",
        marks=5,
    )
    axes.curve(sizes, broadcast, stroke=RED)
    axes.points(sizes, broadcast, fill=RED)
    axes.curve(sizes, fused, stroke=GREEN)
    axes.points(sizes, fused, fill=GREEN)
    picture.text(96, 62, f"product and sum: {broadcast[-1]} for 10 rows", anchor="start", fill=RED, size=12)
    picture.text(96, 82, f"one kernel: {fused[-1]} for 10 rows", anchor="start", fill=GREEN, size=12)
    return picture


@figure
def matmul_rows() -> Drawing:
    """Two batches of three rows are one parallel loop of six iterations; three threads have two rows each."""
    a, b = np.ones((2, 3, 2)), np.ones((2, 2, 4))
    recorder, out = multiply(a, b)
    threads, count = 3, out.shape[0] * out.shape[1]
    picture = Drawing(500, 214)
    for write in recorder.of("write", "out"):
        n, i, j = np.unravel_index(write.place, out.shape)
        x, y = 40 + int(n) * 230 + int(j) * SIZE, 60 + int(i) * SIZE
        thread = owner(write.worker, count, threads)
        picture.rect(x, y, SIZE, SIZE, fill=tint(COLOURS[thread], 0.3), stroke=GREY)
        if j == 0:
            picture.text(x + 4 * SIZE + 10, y + SIZE / 2, f"t = {write.worker}", anchor="start", size=12)
    for n in range(2):
        picture.text(40 + n * 230, 42, f"matrix n = {n}", anchor="start", bold=True)
    for thread in range(threads):
        picture.rect(40 + thread * 110, 182, 14, 14, fill=tint(COLOURS[thread], 0.3), stroke=GREY)
        picture.text(60 + thread * 110, 189, f"thread {thread}", anchor="start", size=12)
    return picture


def loads(positions: Iterable[int]) -> int:
    """Return how many lines are loaded by a cache of ``LINES`` lines that forgets what was used longest ago."""
    kept: OrderedDict[int, None] = OrderedDict()
    count = 0
    for position in positions:
        line = position // LINE
        if line not in kept:
            count += 1
            if len(kept) == LINES:
                kept.popitem(last=False)
        kept[line] = None
        kept.move_to_end(line)
    return count


@figure
def matmul_order() -> Drawing:
    """The first 16 reads of the right matrix in two orders of the loops, and how many cache lines each order loads."""
    side = 16
    ones = np.ones((1, side, side))
    recorder, _ = multiply(ones, ones)
    by_column = [read.place for read in recorder.of("read", "b")]
    by_row = [k * side + j for i in range(side) for k in range(side) for j in range(side)]
    picture = Drawing(580, 300)
    square = 13
    for left, title, places in (
        (40, "i, j, k: down a column", by_column),
        (330, "i, k, j: along a row", by_row),
    ):
        picture.text(left, 22, title, anchor="start", bold=True)
        picture.rect(left, 40, side * square, side * square, stroke=GREY)
        for row in range(side + 1):
            y = 40 + row * square
            picture.line([(left, y), (left + side * square, y)], stroke="#d5d8db", thick=0.7)
        for order, place in enumerate(places[:side]):
            x, y = left + place % side * square, 40 + place // side * square
            picture.rect(x, y, square, square, fill=tint(ORANGE, 1 - 0.05 * order), stroke=WHITE)
        for column in (0, LINE, side):
            picture.line(
                [(left + column * square, 36), (left + column * square, 40 + side * square + 4)], stroke=INK
            )
        touched = len({place // LINE for place in places[:side]})
        picture.text(left, 264, f"first {side} reads: {touched} lines", anchor="start", size=12)
        picture.text(
            left, 282, f"all {len(places)} reads: {loads(places)} lines loaded", anchor="start", size=12
        )
    return picture
