"""Figures of the guide on functions of tensors; reads and writes are those of the course's solved kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitorch
from minitorch import operators
from minitorch.course.solved.minitorch import tensor_ops
from minitorch.course.solved.minitorch.tensor_data import TensorData

from ._recorder import Recorder
from .drawing import BLUE, COLOURS, GREY, INK, WHITE, Drawing, figure, tint

SIZE = 36
NUMBERS = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def operand(recorder: Recorder, name: str, data: TensorData) -> tuple[Any, Any, Any]:
    """Return storage, shape and strides of an operand, with a storage that is recorded."""
    return recorder.array(name, data._storage), data._shape, data._strides


def numbered(picture: Drawing, left: float, top: float, count: int) -> None:
    """Write the positions below a storage."""
    for k in range(count):
        picture.text(left + (k + 0.5) * SIZE, top + SIZE + 11, str(k), size=11, fill=GREY)


@figure
def tensor_functions_map() -> Drawing:
    """Negation of a permuted tensor: the kernel reads 0, 3, 1, 4, 2, 5 and writes 0, 1, 2, 3, 4, 5."""
    a = TensorData(list(NUMBERS), (2, 3)).permute(1, 0)
    out = TensorData([0.0] * 6, a.shape)
    recorder = Recorder()
    result = operand(recorder, "out", out)
    tensor_ops.tensor_map(operators.neg)(*result, *operand(recorder, "a", a))
    picture = Drawing(480, 262)
    left, top, bottom = 150, 44, 176
    picture.text(left + 3 * SIZE, 20, f"the input: shape {a.shape}, strides {a.strides}", size=12, fill=GREY)
    picture.grid([list(a._storage)], left, top, size=SIZE)
    picture.grid([list(result[0].values)], left, bottom, size=SIZE)
    picture.text(20, top + SIZE / 2, "storage of a", anchor="start")
    picture.text(20, bottom + SIZE / 2, "storage of -a", anchor="start")
    numbered(picture, left, bottom, 6)
    pairs = zip(recorder.of("read", "a"), recorder.of("write", "out"), strict=True)
    for count, (read, write) in enumerate(pairs):
        start = (left + (read.place + 0.5) * SIZE, top + SIZE + 2)
        end = (left + (write.place + 0.5) * SIZE, bottom - 3)
        picture.arrow(start, end, stroke=tint(COLOURS[count % 2], 0.9))
    picture.text(
        left + 3 * SIZE,
        bottom + SIZE + 30,
        f"strides {out.strides}: one row after the other",
        size=12,
        fill=GREY,
    )
    return picture


@figure
def tensor_functions_zip() -> Drawing:
    """A permuted 3 x 2 tensor plus a row of 2: for each element of the result, what was read from both storages."""
    a = TensorData(list(NUMBERS), (2, 3)).permute(1, 0)
    b = TensorData([10.0, 20.0], (2,))
    out = TensorData([0.0] * 6, a.shape)
    recorder = Recorder()
    result = operand(recorder, "out", out)
    kernel = tensor_ops.tensor_zip(operators.add)
    kernel(*result, *operand(recorder, "a", a), *operand(recorder, "b", b))
    read_a, read_b, written = (
        recorder.of("read", "a"),
        recorder.of("read", "b"),
        recorder.of("write", "out"),
    )
    columns = ("count", "index", "position in a", "position in b", "a + b")
    widths = (60, 70, 106, 106, 90)
    picture = Drawing(sum(widths) + 40, 252)
    x = 20.0
    for name, width in zip(columns, widths, strict=True):
        picture.text(x + width / 2, 22, name, size=12, bold=True)
        x += width
    for count, index in enumerate(np.ndindex(*out.shape)):
        y, p, q = 54 + count * 33, read_a[count].place, read_b[count].place
        value = result[0].values[written[count].place]
        texts = (str(count), str(index), str(p), str(q), f"{a._storage[p]:g} + {b._storage[q]:g} = {value:g}")
        x = 20.0
        picture.rect(
            20, y - 15, sum(widths), 29, fill=tint(COLOURS[q], 0.18), stroke=tint(COLOURS[q], 0.18), radius=4
        )
        for text, width in zip(texts, widths, strict=True):
            picture.text(x + width / 2, y, text)
            x += width
    return picture


@figure
def tensor_functions_reduce() -> Drawing:
    """Sums of a 2 x 3 tensor along dimension 0 and along 1: elements of one colour are added."""
    t = minitorch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    rows, columns = t.shape
    picture = Drawing(560, 236)
    by_column = [[tint(COLOURS[j], 0.25) for j in range(columns)] for _ in range(rows)]
    by_row = [[tint(COLOURS[3 + i], 0.3)] * columns for i in range(rows)]
    down, across = t.sum(0), t.sum(1)
    picture.text(30, 24, "t.sum(0)", code=True, bold=True, anchor="start")
    picture.grid(t.to_numpy(), 30, 44, size=SIZE, fills=by_column)
    for j in range(columns):
        x = 30 + (j + 0.5) * SIZE
        picture.arrow((x, 44 + rows * SIZE + 3), (x, 150), stroke=COLOURS[j])
    picture.grid(down.to_numpy(), 30, 154, size=SIZE, fills=by_column[:1])
    picture.text(30, 214, f"shape {t.shape} to {down.shape}", size=12, fill=GREY, anchor="start")
    picture.text(300, 24, "t.sum(1)", code=True, bold=True, anchor="start")
    picture.grid(t.to_numpy(), 300, 44, size=SIZE, fills=by_row)
    for i in range(rows):
        y = 44 + (i + 0.5) * SIZE
        picture.arrow((300 + columns * SIZE + 4, y), (452, y), stroke=COLOURS[3 + i])
    picture.grid(across.to_numpy(), 456, 44, size=SIZE, fills=[row[:1] for row in by_row])
    picture.text(300, 214, f"shape {t.shape} to {across.shape}", size=12, fill=GREY, anchor="start")
    return picture


@figure
def tensor_functions_levels() -> Drawing:
    """From a function of numbers to an operator of tensors: four levels, with what each gives for an example."""
    t = minitorch.tensor([3.0, -1.0])
    mapped = minitorch.SimpleOps.map(operators.neg)(t._tensor)
    levels = (
        ("operators.neg(x)", "a function of numbers", f"{operators.neg(3.0):g}"),
        ("neg_map = ops.map(neg)", "a function of storages", f"{[float(x) for x in mapped._storage]}"),
        ("Neg.forward(ctx, t)", "saves what backward needs", f"{[float(x) for x in mapped._storage]}"),
        ("-t", "what one writes", f"{(-t).to_numpy().tolist()}"),
    )
    picture = Drawing(600, 226)
    picture.text(570, 18, "for 3, or for [3, -1]", size=12, fill=GREY, anchor="end")
    for k, (code, meaning, value) in enumerate(levels):
        top = 34 + k * 48
        picture.rect(20, top, 560, 34, radius=5, fill=tint(BLUE, 0.06 + 0.06 * k), stroke=WHITE)
        picture.text(34, top + 17, code, code=True, anchor="start")
        picture.text(250, top + 17, meaning, anchor="start", size=12)
        picture.text(570, top + 17, value, anchor="end", code=True, size=12)
        if k:
            picture.arrow((120, top - 13), (120, top), stroke=INK, thick=1)
    return picture
