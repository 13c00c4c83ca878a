"""Figures of the guide on parallel loops.

The writes are those of the course's solved kernels, and the shares of the threads those that Numba computes. What
several threads do to one variable is run step by step, in an order that is chosen.
"""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Iterator

import numpy as np
from numba.np.ufunc import workqueue

from minitorch import operators
from minitorch.course.solved.minitorch.tensor_data import TensorData, index_to_position, to_index

from ._recorder import Recorder, solved
from .drawing import BLUE, COLOURS, GREY, INK, ORANGE, RED, WHITE, Drawing, figure, tint

SIZE = 34
LINE = 8  # numbers of 8 bytes in a cache line of 64 bytes


def shares(count: int, threads: int) -> list[tuple[int, int]]:
    """Return the first and the last iteration of each thread, as Numba's scheduler divides a parallel loop."""
    pointer, size = ctypes.c_void_p, ctypes.c_ssize_t
    kind = ctypes.CFUNCTYPE(None, size, pointer, pointer, ctypes.c_size_t, pointer, size)
    first, last, found = (np.array(n, np.intp) for n in ([0], [count - 1], [[0, 0]] * threads))
    kind(workqueue.do_scheduling_signed)(
        1, first.ctypes.data, last.ctypes.data, threads, found.ctypes.data, 0
    )
    return [(int(low), int(high)) for low, high in found]


def owner(iteration: int, count: int, threads: int) -> int:
    """Return the thread that runs an iteration."""
    return next(k for k, (low, high) in enumerate(shares(count, threads)) if low <= iteration <= high)


def writes(count: int) -> list[tuple[int, int]]:
    """Return (iteration, position) of all writes of the course's map of ``count`` elements."""
    recorder = Recorder()
    kernel = solved("fast_ops", recorder).tensor_map(operators.neg)
    a, out = TensorData([1.0] * count, (count,)), TensorData([0.0] * count, (count,))
    kernel(recorder.array("out", out._storage), out._shape, out._strides, a._storage, a._shape, a._strides)
    return [(access.worker, access.place) for access in recorder.of("write", "out")]


@figure
def parallel_shares() -> Drawing:
    """The ten elements of a result, coloured by the thread that writes each, for 1, 2, 3 and 4 threads."""
    count = 10
    picture = Drawing(480, 240)
    for row, threads in enumerate((1, 2, 3, 4)):
        top = 34 + row * 48
        label = f"{threads} thread{'s' if threads > 1 else ''}"
        picture.text(20, top + SIZE / 2, label, anchor="start")
        for iteration, position in writes(count):
            thread = owner(iteration, count, threads)
            x = 110 + position * SIZE
            picture.rect(x, top, SIZE, SIZE, fill=tint(COLOURS[thread], 0.3), stroke=GREY)
            picture.text(x + SIZE / 2, top + SIZE / 2, str(thread))
    for position in range(count):
        picture.text(110 + (position + 0.5) * SIZE, 22, str(position), size=11, fill=GREY)
    picture.text(20, 22, "element", anchor="start", size=11, fill=GREY)
    return picture


def orders() -> Iterator[tuple[str, float]]:
    """Yield each order of two threads that add 1 and 2 to a total, and the total at the end."""
    for order in sorted(set(itertools.permutations("AABB"))):
        total, kept = 0.0, {}
        for thread in order:
            if thread not in kept:
                kept[thread] = total  # the first step of a thread reads
            else:
                total = kept[thread] + {"A": 1.0, "B": 2.0}[thread]  # the second adds and writes
        yield "".join(order), total


@figure
def parallel_race() -> Drawing:
    """Two threads add 1 and 2 to one total: six orders of their reads and writes, and three different results."""
    picture = Drawing(560, 286)
    picture.text(20, 24, "order of the four steps", anchor="start", bold=True)
    picture.text(540, 24, "total at the end", anchor="end", bold=True)
    for row, (order, total) in enumerate(orders()):
        top = 44 + row * 38
        seen: list[str] = []
        for k, thread in enumerate(order):
            step = "writes" if thread in seen else "reads"
            seen.append(thread)
            colour = BLUE if thread == "A" else ORANGE
            strong = step == "writes"
            picture.rect(
                20 + k * 102, top, 94, 28, fill=tint(colour, 0.35 if strong else 0.12), stroke=WHITE, radius=4
            )
            picture.text(20 + k * 102 + 47, top + 14, f"{thread} {step}", size=12)
        right = total == 3
        picture.text(500, top + 14, f"{total:g}", bold=True, fill=INK if right else RED)
        if not right:
            lost = "A" if total == 2 else "B"
            picture.text(452, top + 14, f"{lost} is lost", size=11, fill=RED)
    return picture


@figure
def parallel_buffer() -> Drawing:
    """Two threads that share one index buffer: A writes the elements of B, and those of A are never written."""
    shape, strides = np.array([2, 3]), np.array([3, 1])
    values, out = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0.0] * 6
    shared = np.zeros(2, np.int32)
    log: list[tuple[str, str, str]] = []

    def iteration(name: str, count: int) -> Iterator[None]:
        to_index(count, shape, shared)
        log.append((name, f"to_index({count}, ...)", f"[{shared[0]}, {shared[1]}]"))
        yield
        position = index_to_position(shared, strides)
        out[position] = -values[position]
        log.append((name, f"writes element {position}", f"[{shared[0]}, {shared[1]}]"))

    for count in range(3):  # thread A has the elements 0 to 2, thread B has 3 to 5
        running = [iteration("A", count), iteration("B", count + 3)]
        for one in (*running, *running):
            next(one, None)
    picture = Drawing(590, 262)
    for x, name in ((20, "thread A: element 1"), (222, "thread B: element 4"), (430, "the shared buffer")):
        picture.text(x, 24, name, anchor="start", bold=True)
    for row, (name, text, buffer) in enumerate(log[4:8]):
        top = 42 + row * 36
        left, colour = (20, BLUE) if name == "A" else (222, ORANGE)
        wrong = text.startswith("writes") and name == "A"
        picture.rect(left, top, 190, 28, radius=4, fill=tint(colour, 0.16), stroke=RED if wrong else WHITE)
        picture.text(left + 95, top + 14, text, code=True, size=12)
        picture.text(430, top + 14, buffer, code=True, anchor="start")
    for row, (name, numbers) in enumerate((("result", out), ("expected", [-v for v in values]))):
        top = 194 + row * 30
        picture.text(20, top + 12, name, anchor="start")
        for k, value in enumerate(numbers):
            fill = tint(RED, 0.25) if value != -values[k] else WHITE
            picture.rect(110 + k * 44, top, 44, 24, fill=fill, stroke=GREY)
            picture.text(110 + (k + 0.5) * 44, top + 12, f"{value:g}", size=12)
    return picture


def lines_shared(writers: dict[int, int]) -> int:
    """Return how many cache lines are written by more than one thread; ``writers`` maps positions to threads."""
    lines: dict[int, set[int]] = {}
    for position, thread in writers.items():
        lines.setdefault(position // LINE, set()).add(thread)
    return sum(len(threads) > 1 for threads in lines.values())


@figure
def parallel_lines() -> Drawing:
    """Which thread writes which number, with cache lines of 8 numbers: three ways to divide work among 4 threads."""
    threads, count = 4, 32
    rows: list[tuple[str, dict[int, int]]] = [
        ("every fourth element", {k: k % threads for k in range(count)}),
        ("a part each", {place: owner(i, count, threads) for i, place in writes(count)}),
        ("a running sum each, side by side", {k: k for k in range(threads)}),
        ("a running sum each, a line apart", {k * LINE: k for k in range(threads)}),
    ]
    size = 19
    picture = Drawing(648, 246)
    for row, (name, writers) in enumerate(rows):
        top = 34 + row * 56
        picture.text(20, top - 12, name, anchor="start", size=12)
        number = lines_shared(writers)
        picture.text(
            20 + count * size, top - 12, f"lines with several writers: {number}", size=12, anchor="end",
            fill=RED if number else INK,
        )  # fmt: skip
        for k in range(count):
            fill = tint(COLOURS[writers[k]], 0.45) if k in writers else WHITE
            picture.rect(20 + k * size, top, size, 22, fill=fill, stroke="#c3c8cd")
        for k in range(0, count + 1, LINE):
            picture.line([(20 + k * size, top - 4), (20 + k * size, top + 26)], thick=2)
    return picture
