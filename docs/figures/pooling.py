"""Figures of the guide on pooling: tiles, what `contiguous` copies, the derivative of the average, a moved digit."""

from __future__ import annotations

import numpy as np

import minitorch
from minitorch.data import digits
from minitorch.runtime.types import Array

from .drawing import BLUE, COLOURS, GREY, INK, Drawing, figure, number, tint

COUNTED = np.arange(16.0).reshape(4, 4)
TILES = [tint(colour, 0.3) for colour in COLOURS[:4]]


def pooled(image: Array, kernel: tuple[int, int] = (2, 2)) -> Array:
    """Return the average of each tile of one image."""
    return minitorch.avgpool2d(minitorch.tensor(image[None, None], "simple"), kernel).to_numpy()[0, 0]


def tile_of(position: int) -> int:
    """Return the number of the tile in which an element of the 4 x 4 image lies."""
    row, column = divmod(position, 4)
    return row // 2 * 2 + column // 2


@figure
def pooling_average() -> Drawing:
    """A 4 x 4 image in four tiles, and the average of each tile."""
    averages, size = pooled(COUNTED), 36
    picture = Drawing(420, 200)
    picture.text(20, 20, "image, 4 x 4", anchor="start", bold=True)
    fills = [[TILES[tile_of(4 * i + j)] for j in range(4)] for i in range(4)]
    picture.grid(COUNTED, 20, 36, size=size, fills=fills)
    for k in range(4):
        picture.rect(20 + k % 2 * 2 * size, 36 + k // 2 * 2 * size, 2 * size, 2 * size, thick=2)
    picture.arrow((176, 108), (236, 108), stroke=GREY)
    picture.text(250, 20, "averages, 2 x 2", anchor="start", bold=True)
    picture.grid(averages, 250, 60, size=48, fills=[TILES[:2], TILES[2:]])
    return picture


@figure
def pooling_storage() -> Drawing:
    """The storage of the image, and the storage after permute and contiguous: the elements of a tile lie together."""
    split = minitorch.tensor(COUNTED, "simple").view(2, 2, 2, 2)
    moved = split.permute(0, 2, 1, 3)
    copied = moved.contiguous()
    size, left, upper, lower = 34, 16, 58, 150
    picture = Drawing(576, 218)
    heads = (
        (22, f"view: shape {split.shape}, strides {split._tensor.strides}"),
        (40, f"permute(0, 2, 1, 3): strides {moved._tensor.strides}, the same storage"),
        (lower + size + 20, f"contiguous: strides {copied._tensor.strides}, a copy"),
    )
    first, second = (t._tensor._storage for t in (split, copied))
    for target, value in enumerate(second):
        source = int(np.flatnonzero(first == value)[0])
        picture.line(
            [(left + (source + 0.5) * size, upper + size), (left + (target + 0.5) * size, lower)],
            stroke=COLOURS[tile_of(source)],
            thick=1.2,
        )
    for y, head in heads:
        picture.text(left, y, head, anchor="start", bold=y != 40, size=12)
    for top, storage in ((upper, first), (lower, second)):
        picture.grid(
            [storage], left, top, size=size, fills=[[TILES[tile_of(int(value))] for value in storage]]
        )
    for k in range(5):
        x = left + k * 4 * size
        picture.line([(x, lower - 3), (x, lower + size + 3)], stroke=INK, thick=2)
    return picture


@figure
def pooling_gradient() -> Drawing:
    """The derivative of each average, spread evenly over the four elements of its tile."""
    image = minitorch.tensor(COUNTED[None, None], "simple", requires_grad=True)
    change = np.array([[4.0, 8.0], [12.0, 20.0]])
    minitorch.avgpool2d(image, (2, 2)).backward(minitorch.tensor(change[None, None], "simple"))
    assert image.grad is not None
    size = 36
    picture = Drawing(420, 200)
    picture.text(20, 20, "d of averages", anchor="start", bold=True)
    picture.grid(change, 20, 60, size=48, fills=[TILES[:2], TILES[2:]])
    picture.arrow((132, 108), (222, 108), stroke=GREY)
    picture.text(177, 94, "d / 4", size=12)
    picture.text(240, 20, "d of image", anchor="start", bold=True)
    fills = [[TILES[tile_of(4 * i + j)] for j in range(4)] for i in range(4)]
    picture.grid(image.grad.to_numpy()[0, 0], 240, 36, size=size, fills=fills)
    return picture


@figure
def pooling_moved() -> Drawing:
    """A digit, the same digit moved by one pixel, and both after pooling by 2 and by 4."""
    digit = np.asarray(digits()[0].images[2, 0], dtype=float)
    moved = np.roll(digit, 1, axis=1)
    side = 104
    picture = Drawing(460, 322)
    for k, kernel in enumerate(((1, 1), (2, 2), (4, 4))):
        left = 84 + k * (side + 18)
        pair = [pooled(image, kernel) for image in (digit, moved)]
        rows, columns = pair[0].shape
        picture.text(left + side / 2, 18, f"{rows} x {columns}", bold=True)
        for row, values in enumerate(pair):
            picture.image(values, left, 34 + row * (side + 18), size=side / rows)
        difference = float(np.abs(pair[0] - pair[1]).sum() / pair[0].sum())
        picture.text(left + side / 2, 292, f"{number(100 * difference, 0)} %", fill=BLUE, bold=True)
    picture.text(10, 34 + side / 2, "digit", anchor="start")
    picture.text(10, 52 + 1.5 * side, "moved", anchor="start")
    picture.text(10, 292, "difference", anchor="start")
    return picture
