"""Figures of the guide on the fast kernels: shifted taps, register tiles, shares, and the operations of a step."""

from __future__ import annotations

import functools
import re
from itertools import groupby
from typing import Any

import numpy as np

import minitorch
from minitorch.fast_ops.convolution.conv_plan import forward_plan
from minitorch.fast_ops.jit import KernelDispatcher
from minitorch.fast_ops.shares import SHARES_PER_THREAD
from minitorch.models import LeNet
from minitorch.runtime.types import ConvParams

from .drawing import BLUE, COLOURS, GREEN, GREY, ORANGE, PURPLE, WHITE, Drawing, figure, number, tint

HASH = re.compile(r"_[0-9a-f]{20}$")  # of a module of the kernel cache


@figure
def fast_kernels_taps() -> Drawing:
    """The padded scratch image as one row of memory, and what three taps of a 3 x 3 kernel read of it."""
    plan = forward_plan((2, 4), (3, 3), 1, ConvParams(padding=(1, 1, 1, 1)))
    scratch = np.zeros((plan.padded_height, plan.padded_width))
    top, left = plan.corner
    scratch[top : top + 2, left : left + 4] = np.arange(1.0, 9.0).reshape(2, 4)
    count, size = (plan.rows - 1) * plan.padded_width + plan.cols, 26
    picture = Drawing(740, 330)
    picture.text(16, 18, "scratch image: 2 x 4 pixels in a margin of zeros", anchor="start", bold=True)
    fills = [[tint(BLUE, 0.25) if value else WHITE for value in row] for row in scratch]
    picture.grid(scratch, 16, 34, size=size, fills=fills, text_size=11)
    picture.text(
        290, 74, f"offsets of the 9 taps: {', '.join(map(str, plan.offsets))}", anchor="start", size=12
    )
    picture.text(290, 96, f"row y + 1 lies {plan.padded_width} places behind row y", anchor="start", size=12)
    flat = scratch.ravel()
    for k, tap in enumerate((0, 4, 5)):
        y = 170 + k * 42
        first = int(plan.offsets[tap])
        picture.text(16, y + size / 2, f"tap ({tap // 3}, {tap % 3})", anchor="start", size=12)
        fills = [[tint(COLOURS[k], 0.35) if first <= p < first + count else WHITE for p in range(len(flat))]]
        picture.grid([flat], 90, y, size=size, fills=fills, text_size=11)
    for place in range(count):
        used = place % plan.padded_width < plan.cols
        x = 90 + (place + 0.5) * size
        picture.text(x, 300, str(place) if used else "-", size=12, fill=GREEN if used else GREY, bold=used)
    picture.text(16, 300, "sums", anchor="start", size=12)
    picture.text(
        100 + count * size, 300, "-: belongs to no pixel, is not copied", anchor="start", size=12, fill=GREY
    )
    return picture


@figure
def fast_kernels_tile() -> Drawing:
    """Multiply-adds for each load, for tiles of some channels by some vectors of pixels."""
    channels, vectors = (1, 2, 4, 8), (1, 2, 3)
    picture = Drawing(520, 238)
    picture.text(70, 20, "multiply-adds for each load", anchor="start", bold=True)
    picture.text(340, 20, "registers for the sums", anchor="start", bold=True)
    for left, table in (
        (70, [[m * v / (m + v) for v in vectors] for m in channels]),
        (340, [[m * v for v in vectors] for m in channels]),
    ):
        largest = max(max(row) for row in table)
        fills = [[tint(BLUE, 0.6 * value / largest) for value in row] for row in table]
        picture.grid(table, left, 56, size=38, fills=fills)
        for k, v in enumerate(vectors):
            picture.text(left + (k + 0.5) * 38, 44, str(v), fill=GREY, size=12)
        for k, m in enumerate(channels):
            picture.text(left - 10, 56 + (k + 0.5) * 38, str(m), fill=GREY, size=12, anchor="end")
        picture.text(left + 57, 222, "vectors of pixels", fill=GREY, size=12)
    picture.text(8, 44, "channels", fill=GREY, size=12, anchor="start")
    return picture


def claimed(count: int, shares: int, starts: list[int]) -> list[tuple[int, int, int, int]]:
    """Return (thread, share, begin, end): threads that start at these times claim shares; an iteration takes 1."""
    free, found = list(starts), []
    for share in range(shares):
        thread = free.index(min(free))
        low, high = share * count // shares, (share + 1) * count // shares
        found.append((thread, share, free[thread], free[thread] + high - low))
        free[thread] += high - low
    return found


@figure
def fast_kernels_shares() -> Drawing:
    """Two threads, one of which wakes up late: halves of the work, and small shares that are claimed."""
    count, starts = 32, [0, 8]
    picture = Drawing(560, 240)
    scale, left = 11.0, 110
    for row, (head, shares) in enumerate((("a half each", 2), ("claimed shares", 2 * SHARES_PER_THREAD))):
        top = 44 + row * 98
        picture.text(16, top - 22, head, anchor="start", bold=True)
        runs = claimed(count, shares, starts)
        for thread in range(2):
            picture.text(16, top + thread * 30 + 12, f"thread {thread}", anchor="start", size=12)
        for thread, share, begin, end in runs:
            x, y = left + begin * scale, top + thread * 30
            picture.rect(x, y, (end - begin) * scale, 24, fill=tint(COLOURS[thread], 0.35), stroke=GREY)
            picture.text(x + (end - begin) * scale / 2, y + 12, str(share), size=12)
        last = max(end for *_, end in runs)
        picture.line(
            [(left + last * scale, top - 8), (left + last * scale, top + 62)], dash="3 3", stroke=GREY
        )
        picture.text(left + last * scale + 8, top - 4, f"done at {last}", anchor="start", size=12, fill=GREY)
    picture.text(
        left, 226, f"{count} iterations; thread 1 wakes up at {starts[1]}", anchor="start", size=12, fill=GREY
    )
    return picture


def recorded_operations() -> list[tuple[str, tuple[int, ...]]]:
    """Record a step of LeNet; return name and shape of the first array of each operation, in order."""
    minitorch.manual_seed(0)
    model = LeNet()
    optimizer = minitorch.SGD(model.parameters(), lr=0.1)
    images, labels = minitorch.rand((16, 1, 28, 28)), minitorch.tensor(np.arange(16.0) % 10)

    def step(images: minitorch.Tensor, labels: minitorch.Tensor) -> minitorch.Tensor:
        optimizer.zero_grad()
        loss: minitorch.Tensor = minitorch.nll_loss(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    graphed = minitorch.GraphedStep(step, images, labels, optimizer=optimizer, warmup=1)
    graphed(images, labels)
    graphed(images, labels)
    graph: Any = graphed._graph
    found = []
    for kernel, operands in graph._operations:
        loop = kernel.func if isinstance(kernel, functools.partial) else kernel
        name = loop.py_func.__module__ if isinstance(loop, KernelDispatcher) else loop.__name__
        arrays = [o for o in operands if isinstance(o, np.ndarray | minitorch.TensorData)]
        found.append((HASH.sub("", name.split(".")[-1]).strip("_"), tuple(arrays[0].shape)))
    return found


@figure
def fast_kernels_step() -> Drawing:
    """The recorded operations of a step of LeNet with 16 images, in columns from top to bottom."""
    found = recorded_operations()
    names = [name for name, _ in found]
    forward, backward = names.index("log_softmax") + 1, names.index("log_softmax_grad")
    update = next(k for k, name in enumerate(names) if name.startswith("update"))
    groups = (
        ("forward", found[:forward], BLUE),
        ("loss, and its gradient", found[forward:backward], GREY),
        ("backward", found[backward:update], ORANGE),
        ("update", found[update:], PURPLE),
    )
    picture = Drawing(740, 420)
    lowest = 0
    for column, (head, operations, colour) in enumerate(groups):
        left, y = 16 + column * 182, 42
        picture.text(left, 20, head, anchor="start", bold=True)
        for name, same in groupby(operations, key=lambda operation: operation[0]):
            shapes = [shape for _, shape in same]
            picture.rect(left, y, 166, 22, fill=tint(colour, 0.2), stroke=GREY, radius=3)
            picture.text(left + 6, y + 11, name, anchor="start", size=11, code=True)
            right = f"x {len(shapes)}" if len(shapes) > 1 else "·".join(map(str, shapes[0]))
            picture.text(left + 160, y + 11, right, anchor="end", size=9, fill=GREY)
            y += 26
        lowest = max(lowest, y)
    picture.height = lowest + 30
    picture.text(16, lowest + 14, f"{number(len(found))} operations", anchor="start", fill=GREY, size=12)
    return picture
