"""Figures of the guide on the matrix product on CUDA; loads and reads are those of the course's solved kernel."""

from __future__ import annotations

import functools
from collections import Counter
from typing import Any

import numpy as np

from minitorch.course.solved.minitorch.tensor_data import TensorData

from ._recorder import Access, Recorder, launch, solved
from .drawing import BLUE, COLOURS, GREEN, GREY, INK, ORANGE, RED, WHITE, Drawing, figure, tint

STEPS = (BLUE, ORANGE, GREEN)


@functools.cache
def multiplied(rows: int, depth: int, columns: int, tile: int) -> tuple[Recorder, Any]:
    """Launch the solved kernel on a (rows, depth) and a (depth, columns) matrix of small whole numbers."""
    recorder = Recorder()
    module = solved("cuda_ops", recorder, TILE=tile)
    a = TensorData([float(k % 7 + 1) for k in range(rows * depth)], (1, rows, depth))
    b = TensorData([float(k % 5 + 1) for k in range(depth * columns)], (1, depth, columns))
    out = TensorData([0.0] * (rows * columns), (1, rows, columns))
    result = recorder.array("out", out._storage)
    operands = [result, out._shape, out._strides, out.size]
    for name, data in (("a", a), ("b", b)):
        operands += [recorder.array(name, data._storage), data._shape, data._strides]
    grid = (-(-rows // tile), -(-columns // tile))
    launch(module, lambda m: m._tensor_matrix_multiply, grid, (tile, tile), recorder, *operands)
    return recorder, result.values.reshape(rows, columns)


def of_block(recorder: Recorder, block: tuple[int, int], kind: str, array: str) -> list[Access]:
    """Return what the threads of one block did."""
    return [access for access in recorder.of(kind, array) if access.worker[0] == block]


@figure
def shared_memory_tiles() -> Drawing:
    """A 4 x 6 matrix times a 6 x 4 matrix in tiles of 2: which tiles one block loads in each of its three steps."""
    rows, depth, columns, tile = 4, 6, 4, 2
    recorder, _ = multiplied(rows, depth, columns, tile)
    block = (1, 1)
    size = 34
    picture = Drawing(520, 414)
    places = {"a": (30, 236, rows, depth), "b": (276, 24, depth, columns), "out": (276, 236, rows, columns)}
    for name, (left, top, height, width) in places.items():
        fills = [[WHITE] * width for _ in range(height)]
        texts = [[""] * width for _ in range(height)]
        for access in of_block(recorder, block, "write" if name == "out" else "read", name):
            row, column = divmod(access.place, width)
            step = access.phase // 2  # two barriers a step
            fills[row][column] = tint(INK, 0.25) if name == "out" else tint(STEPS[step], 0.35)
            texts[row][column] = "" if name == "out" else str(step + 1)
        picture.grid(texts, left, top, size=size, fills=fills)
        for k in range(0, width + 1, tile):
            x = left + k * size
            picture.line([(x, top), (x, top + height * size)], thick=2)
        for k in range(0, height + 1, tile):
            y = top + k * size
            picture.line([(left, y), (left + width * size, y)], thick=2)
    picture.text(30, 222, f"a ({rows}, {depth})", anchor="start", size=12, fill=GREY)
    picture.text(424, 40, f"b ({depth}, {columns})", anchor="start", size=12, fill=GREY)
    picture.text(424, 252, f"out ({rows}, {columns})", anchor="start", size=12, fill=GREY)
    picture.text(30, 40, "the block of four threads that", anchor="start", size=12)
    picture.text(30, 58, "computes the dark tile of out", anchor="start", size=12)
    for step, colour in enumerate(STEPS):
        picture.rect(30, 78 + step * 26, 18, 18, fill=tint(colour, 0.35), stroke=GREY)
        picture.text(56, 87 + step * 26, f"loads in step {step + 1}", anchor="start", size=12)
    picture.text(276, 392, "numbers: the step", anchor="start", size=11, fill=GREY)
    return picture


@figure
def shared_memory_reads() -> Drawing:
    """Reads of global memory for a product of 8 x 8 matrices: 1024 without tiles, half with each doubling of a tile."""
    side = 8
    picture = Drawing(560, 236)
    picture.text(
        20, 22, f"reads of global memory, {side} x {side} times {side} x {side}", anchor="start", bold=True
    )
    counts = {}
    for row, tile in enumerate((1, 2, 4, 8)):
        recorder, _ = multiplied(side, side, side, tile)
        counts[tile] = len(recorder.of("read", "a")) + len(recorder.of("read", "b"))
        y = 44 + row * 46
        picture.text(20, y + 14, "no tiles" if tile == 1 else f"tiles of {tile} x {tile}", anchor="start")
        width = counts[tile] / counts[1] * 340
        picture.rect(124, y, width, 28, fill=tint(COLOURS[row], 0.55), stroke=WHITE)
        picture.text(132 + width, y + 14, str(counts[tile]), anchor="start", bold=True)
    return picture


@figure
def shared_memory_edge() -> Drawing:
    """A 3 x 3 product in tiles of 2: the shared memory of the last block, which holds zeros beyond the edge."""
    side, tile = 3, 2
    recorder, out = multiplied(side, side, side, tile)
    block = (1, 1)
    size = 34
    picture = Drawing(580, 286)
    left = 24
    for name, top in (("a", 52), ("b", 166)):
        array = f"shared {'ab'.index(name)}"
        for step in range(2):
            table = np.zeros((tile, tile))
            loaded = np.zeros((tile, tile), int)
            for access in of_block(recorder, block, "write", array):
                if access.phase == 2 * step:
                    table[access.place] = access.value
                    loaded[access.place] += 1  # a 0 first, then the number if there is one
            fills = [
                [tint(STEPS[step], 0.35) if loaded[i, j] == 2 else WHITE for j in range(tile)]
                for i in range(tile)
            ]
            x = left + 90 + step * 150
            picture.grid(table, x, top, size=size, fills=fills)
            if name == "a":
                picture.text(x + size, 30, f"step {step + 1}", bold=True)
        picture.text(left, top + size, f"tile of {name}", anchor="start")
    picture.text(430, 30, "out", bold=True)
    fills = [[tint(INK, 0.25) if i > 1 and j > 1 else WHITE for j in range(side)] for i in range(side)]
    picture.grid(out, 430 - 1.5 * size, 52, size=size, fills=fills)
    sums = {
        step: sum(
            a.value * b.value
            for a, b in zip(
                [r for r in of_block(recorder, block, "read", "shared 0") if r.worker[1] == (0, 0)][
                    step * 2 :
                ][:2],
                [r for r in of_block(recorder, block, "read", "shared 1") if r.worker[1] == (0, 0)][
                    step * 2 :
                ][:2],
                strict=True,
            )
        )
        for step in range(2)
    }
    picture.text(360, 184, "the total of thread (0, 0):", anchor="start", size=12)
    picture.text(360, 206, f"{sums[0]:g} from step 1, {sums[1]:g} from step 2", anchor="start", size=12)
    picture.text(
        left,
        266,
        "coloured: loaded from memory; white: 0, beyond the edge",
        anchor="start",
        size=12,
        fill=GREY,
    )
    return picture


@figure
def shared_memory_banks() -> Drawing:
    """A tile in 8 banks: a column lies in one bank if rows are 8 apart, and in 8 banks if they are 9 apart."""
    tile = banks = 8
    recorder, _ = multiplied(tile, tile, tile, tile)
    first = {}
    for access in of_block(recorder, (0, 0), "read", "shared 0"):
        first.setdefault(access.worker[1], access.place)
    # The threads of a warp are numbered along x: these eight read at the same time.
    together = [first[x, 0] for x in range(tile)]
    size = 28
    picture = Drawing(580, 306)
    for left, pitch in ((20, tile), (310, tile + 1)):
        picture.text(left, 22, f"rows {pitch} numbers apart", anchor="start", bold=True)
        hit = Counter((row * pitch + column) % banks for row, column in together)
        for row in range(tile):
            for column in range(pitch):
                x, y, bank = left + column * size, 40 + row * size, (row * pitch + column) % banks
                read = (row, column) in together
                fill = tint(RED if max(hit.values()) > 1 else GREEN, 0.35) if read else WHITE
                picture.rect(x, y, size, size, fill=fill, stroke="#d5d8db" if column == tile else GREY)
                picture.text(
                    x + size / 2, y + size / 2, str(bank), size=11, fill=INK if read else GREY, bold=read
                )
        worst = max(hit.values())
        text = f"eight reads, {len(hit)} bank{'s' if len(hit) > 1 else ''}: {worst} turn{'s' if worst > 1 else ''}"
        picture.text(left, 288, text, anchor="start", fill=RED if worst > 1 else INK)
    return picture
