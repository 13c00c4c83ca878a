"""Figures of the guide on convolution on CUDA: the kernel runs here, thread by thread, and its reads are noted."""

from __future__ import annotations

import functools
import types
from types import SimpleNamespace

import numpy as np

import minitorch
from minitorch.course.solved.minitorch import cuda_conv

from .drawing import BLUE, COLOURS, GREY, ORANGE, WHITE, Drawing, figure, number, tint

THREADS = 8  # in a block


class Noted(list[float]):
    """A storage that notes which of its places are read."""

    def __init__(self, values: list[float]) -> None:
        super().__init__(values)
        self.places: list[int] = []

    def __getitem__(self, place: int) -> float:  # type: ignore[override]
        self.places.append(place)
        return super().__getitem__(place)


@functools.cache
def reads(size: int, kernel: int) -> list[tuple[list[int], list[int]]]:
    """Return what each thread reads of the image and of the weights: one channel, ``size`` rows and columns."""
    image, weight = (minitorch.ones((1, 1, n, n), backend="simple") for n in (size, kernel))
    out = [0.0] * size**2
    found = []
    for t in range(size**2):
        pixels, weights = Noted([1.0] * size**2), Noted([1.0] * kernel**2)
        here = SimpleNamespace(
            blockIdx=SimpleNamespace(x=t // THREADS),
            blockDim=SimpleNamespace(x=THREADS),
            threadIdx=SimpleNamespace(x=t % THREADS),
        )
        run = types.FunctionType(cuda_conv._tensor_conv2d.__code__, {"cuda": here, "range": range})
        _, shape, strides = image.tuple()
        _, kernel_shape, kernel_strides = weight.tuple()
        run(
            out, shape, strides, size**2, pixels, shape, strides, weights, kernel_shape, kernel_strides, False
        )
        found.append((pixels.places, weights.places))
    return found


@figure
def cuda_convolution_threads() -> Drawing:
    """The threads of two blocks on a result of 4 x 4, and what the threads 5 and 6 read."""
    found, size = reads(4, 2), 36
    picture = Drawing(560, 216)
    picture.text(16, 20, "result: a thread each", anchor="start", bold=True)
    blocks = [tint(colour, 0.3) for colour in COLOURS[:2]]
    for t in range(16):
        x, y = 16 + t % 4 * size, 36 + t // 4 * size
        picture.rect(x, y, size, size, fill=blocks[t // THREADS], stroke=GREY)
        picture.text(x + size / 2, y + size / 2, f"{t}")
    picture.text(16, 196, "block 0", fill=BLUE, anchor="start", size=12)
    picture.text(76, 196, "block 1", fill=ORANGE, anchor="start", size=12)
    for k, t in enumerate((5, 6)):
        left = 210 + k * 176
        picture.text(left, 20, f"thread {t} reads", anchor="start", bold=True)
        for place in range(16):
            x, y = left + place % 4 * size, 36 + place // 4 * size
            fill = tint(BLUE, 0.3) if place in found[t][0] else WHITE
            picture.rect(x, y, size, size, fill=fill, stroke=GREY)
            picture.text(x + size / 2, y + size / 2, str(place))
    picture.text(210, 196, "places of the image's storage", fill=GREY, anchor="start", size=12)
    return picture


@figure
def cuda_convolution_neighbours() -> Drawing:
    """The places that the threads of a block read at each turn of the inner loop, of the image and of the weights."""
    found = reads(8, 2)[:THREADS]
    size = 34
    picture = Drawing(540, 226)
    picture.text(120, 20, "thread", anchor="start", bold=True)
    picture.text(120 + 9 * size, 20, "weight", anchor="start", bold=True)
    for t in range(THREADS):
        picture.text(120 + (t + 0.5) * size, 40, str(t), fill=GREY)
    for turn in range(4):
        y = 52 + turn * (size + 8)
        picture.text(16, y + size / 2, f"turn {turn}", anchor="start")
        weight = found[0][1][turn]
        for t, (pixels, weights) in enumerate(found):
            # The last thread of a row reads no pixel outside of the image.
            shown = str(pixels[weights.index(weight)]) if weight in weights else ""
            fill = tint(COLOURS[turn], 0.3) if shown else WHITE
            x = 120 + t * size
            picture.rect(x, y, size, size, fill=fill, stroke=GREY)
            if shown:
                picture.text(x + size / 2, y + size / 2, shown)
        picture.rect(120 + 9 * size, y, size, size, fill=tint(COLOURS[turn], 0.3), stroke=GREY)
        picture.text(120 + 9.5 * size, y + size / 2, str(weight))
        picture.text(120 + 10.3 * size, y + size / 2, "for all", anchor="start", size=12, fill=GREY)
    return picture


@figure
def cuda_convolution_overlap() -> Drawing:
    """An image of 6 x 6 and a kernel of 3 x 3: the reads of each thread, and the threads that read each pixel."""
    found, size = reads(6, 3), 32
    own = np.array([len(pixels) for pixels, _ in found]).reshape(6, 6)
    shared = np.bincount([place for pixels, _ in found for place in pixels], minlength=36).reshape(6, 6)
    picture = Drawing(500, 262)
    for left, head, table, colour in (
        (20, "reads of each thread", own, ORANGE),
        (270, "threads that read each pixel", shared, BLUE),
    ):
        picture.text(left, 20, head, anchor="start", bold=True)
        fills = [[tint(colour, float(count) / 18) for count in row] for row in table]
        picture.grid(table, left, 36, size=size, fills=fills)
    picture.text(
        20, 246, f"{number(float(own.sum()))} reads of 36 pixels", anchor="start", fill=GREY, size=12
    )
    return picture


@figure
def cuda_convolution_block() -> Drawing:
    """The pixels that a block of 8 x 8 threads needs together for a kernel of 3 x 3: its own and a border."""
    block, kernel = 8, 3
    image = minitorch.zeros((1, 1, 12, 12), backend="simple").requires_grad_()
    weight = minitorch.ones((1, 1, kernel, kernel), backend="simple")
    minitorch.conv2d(image, weight)[:, :, 1 : 1 + block, 1 : 1 + block].sum().backward()
    assert image.grad is not None
    uses = image.grad.to_numpy()[0, 0]
    size = 18
    picture = Drawing(520, 252)
    for (row, column), count in np.ndenumerate(uses):
        mine = 1 <= row < 1 + block and 1 <= column < 1 + block
        fill = WHITE if count == 0 else tint(BLUE, 0.35) if mine else tint(ORANGE, 0.35)
        picture.rect(20 + column * size, 18 + row * size, size, size, fill=fill, stroke=GREY)
        if count:
            picture.text(20 + (column + 0.5) * size, 18 + (row + 0.5) * size, str(int(count)), size=9)
    lines = (
        (f"{block * block} threads, one for each blue pixel", BLUE),
        (f"{int((uses > 0).sum() - block * block)} more pixels that they need", ORANGE),
        (f"{int((uses > 0).sum())} pixels to load once", GREY),
        (f"{int(uses.sum())} reads, if each thread reads for itself", GREY),
    )
    for k, (line, colour) in enumerate(lines):
        picture.text(260, 80 + k * 28, line, fill=colour, anchor="start", size=12)
    return picture
