"""Figures of the guide on CUDA; reads and writes are those of the course's solved kernels, thread by thread."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import operators
from minitorch.course.solved.minitorch.tensor_data import TensorData

from ._recorder import Recorder, launch, solved
from .drawing import BLUE, COLOURS, GREEN, GREY, INK, ORANGE, RED, WHITE, Drawing, figure, tint

SIZE = 34
PALE = "#f1f2f4"


def mapped(a: TensorData, blocks: int, threads: int) -> Recorder:
    """Launch the solved map kernel, a negation, on an operand; return its accesses."""
    recorder = Recorder()
    module = solved("cuda_ops", recorder)
    out = TensorData([0.0] * a.size, a.shape)
    result = recorder.array("out", out._storage)
    operands = (result, out._shape, out._strides, out.size)
    operands += (recorder.array("a", a._storage), a._shape, a._strides)
    launch(module, lambda m: m.tensor_map(operators.neg), blocks, threads, recorder, *operands)
    return recorder


@figure
def cuda_grid() -> Drawing:
    """Three blocks of four threads and ten elements: each thread writes the element of its number, two write none."""
    blocks, threads, count = 3, 4, 10
    recorder = mapped(TensorData([float(k) for k in range(count)], (count,)), blocks, threads)
    written = {access.worker: access.place for access in recorder.of("write", "out")}
    picture = Drawing(620, 224)
    for block in range(blocks):
        left = 20 + block * 196
        picture.rect(
            left, 38, 4 * 42 + 16, 64, radius=6, fill=tint(COLOURS[block], 0.1), stroke=COLOURS[block]
        )
        picture.text(left + 92, 22, f"blockIdx.x = {block}", code=True, size=12)
        for thread in range(threads):
            place = written.get(((block, 0), (thread, 0)))
            x = left + 8 + thread * 42
            idle = place is None
            picture.rect(
                x + 2, 50, 38, 38, radius=4, fill=WHITE if idle else tint(COLOURS[block], 0.3), stroke=GREY
            )
            picture.text(x + 21, 69, str(thread), fill=GREY if idle else INK)
            if place is None:
                picture.text(x + 21, 118, "idle", size=11, fill=RED)
            else:
                picture.arrow(
                    (x + 21, 92), (56 + (place + 0.5) * 50, 160), stroke=tint(COLOURS[block], 0.8), thick=1
                )
    for place in range(count):
        block = place // threads
        picture.rect(56 + place * 50, 164, 50, 30, fill=tint(COLOURS[block], 0.3), stroke=GREY)
        picture.text(56 + (place + 0.5) * 50, 179, str(place))
    picture.text(20, 179, "out", anchor="start", code=True)
    picture.text(
        56, 210, "element i = blockIdx.x * blockDim.x + threadIdx.x", anchor="start", code=True, size=12
    )
    return picture


def reads_of_a_warp(a: TensorData) -> list[int]:
    """Return the positions of ``a`` that the 32 threads of the first block read."""
    return [access.place for access in mapped(a, 1, 32).of("read", "a")]


@figure
def cuda_coalesced() -> Drawing:
    """What 32 threads read of a 32 x 32 tensor, as it is and permuted: 2 or 32 lines of 16 numbers."""
    side, line = 32, 16
    contiguous = TensorData([0.0] * side * side, (side, side))
    picture = Drawing(560, 314)
    square = 7.5
    for left, name, data in ((20, "contiguous", contiguous), (300, "permuted", contiguous.permute(1, 0))):
        places = reads_of_a_warp(data)
        picture.text(left, 22, f"{name}: strides {data.strides}", anchor="start", bold=True)
        picture.rect(left, 40, side * square, side * square, stroke=GREY, fill=PALE)
        for row in range(1, side):
            y = 40 + row * square
            picture.line([(left, y), (left + side * square, y)], stroke=WHITE, thick=1)
        for place in places:
            x, y = left + place % side * square, 40 + place // side * square
            picture.rect(x, y, square, square, fill=ORANGE, stroke=WHITE, thick=0.5)
        for column in (line, side):
            x = left + column * square
            picture.line([(x, 40), (x, 40 + side * square)], stroke=GREY, thick=1)
        touched = len({place // line for place in places})
        picture.text(left, 300, f"{len(places)} threads, {touched} lines", anchor="start")
    return picture


@figure
def cuda_reduction() -> Drawing:
    """A sum of eight numbers in three rounds: the shared memory after each round, and which thread adds what."""
    width = 8
    numbers = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0]
    recorder = Recorder()
    module = solved("cuda_ops", recorder, BLOCK_DIM=width)
    out = recorder.array("out", [0.0])
    launch(module, lambda m: m._sum_practice, 1, width, recorder, out, recorder.array("a", numbers), width)
    # The memory after each round, from the writes; what a thread adds, from the reads before them.
    shared = [access for access in recorder.accesses if access.array == "shared 0"]
    memory = np.zeros(width)
    rounds: list[tuple[Any, list[tuple[int, int]]]] = []
    for phase in range(4):
        reads: dict[Any, list[int]] = {}
        for access in shared:
            if access.phase == phase and access.kind == "read":
                reads.setdefault(access.worker, []).append(access.place)
            elif access.phase == phase:
                memory[access.place] = access.value
        rounds.append((memory.copy(), [(pair[0], pair[1]) for pair in reads.values() if len(pair) == 2]))
    picture = Drawing(540, 356)
    left, size = 150, 46
    picture.text(16, 16, "slot", anchor="start", size=11, fill=GREY)
    for k in range(width):
        picture.text(left + (k + 0.5) * size, 16, str(k), size=11, fill=GREY)
    for row, (values, adds) in enumerate(rounds):
        top = 32 + row * 78
        picture.text(16, top + 16, "loaded" if row == 0 else f"round {row}", anchor="start", bold=True)
        if row:
            picture.text(
                16,
                top + 34,
                f"{len(adds)} threads add" if len(adds) > 1 else "1 thread adds",
                anchor="start",
                size=11,
            )
        changed = {target for target, _ in adds}
        for k, value in enumerate(values):
            used = row == 0 or k in changed
            fill = (
                tint(COLOURS[k], 0.3) if used and k < 4 and row else tint(BLUE, 0.12) if row == 0 else WHITE
            )
            picture.rect(left + k * size, top, size, 32, fill=fill, stroke=GREY)
            picture.text(
                left + (k + 0.5) * size, top + 16, f"{value:g}", fill=INK if used else GREY, bold=used
            )
        for target, source in adds:
            end = (left + (target + 0.5) * size, top - 3)
            for start in (target, source):
                picture.arrow((left + (start + 0.5) * size, top - 44), end, stroke=COLOURS[target], thick=1.2)
    picture.text(left, 334, f"out[0] = {out.values[0]:g}", anchor="start", code=True)
    return picture


@figure
def cuda_strided() -> Drawing:
    """A row of 11 numbers and 4 threads: each thread first adds every fourth number, then they add in pairs."""
    numbers, threads = [float(k) for k in (2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4)], 4
    recorder = Recorder()
    module = solved("cuda_ops", recorder, REDUCE_DIM=threads)
    a, out = TensorData(list(numbers), (1, len(numbers))), TensorData([0.0], (1, 1))
    result = recorder.array("out", out._storage)
    operands = (
        result,
        out._shape,
        out._strides,
        1,
        recorder.array("a", a._storage),
        a._shape,
        a._strides,
        1,
        0.0,
    )
    launch(module, lambda m: m.tensor_reduce(operators.add), 1, threads, recorder, *operands)
    reader = {access.place: access.worker[1][0] for access in recorder.of("read", "a")}
    sums = [sum(v for k, v in enumerate(numbers) if reader[k] == t) for t in range(threads)]
    picture = Drawing(560, 210)
    picture.text(16, 46, "the row", anchor="start")
    for k, value in enumerate(numbers):
        picture.rect(150 + k * SIZE, 30, SIZE, SIZE, fill=tint(COLOURS[reader[k]], 0.3), stroke=GREY)
        picture.text(150 + (k + 0.5) * SIZE, 30 + SIZE / 2, f"{value:g}")
    picture.text(16, 122, "sums so far", anchor="start")
    for t, value in enumerate(sums):
        x = 150 + t * 92
        picture.rect(x, 105, 76, SIZE, fill=tint(COLOURS[t], 0.3), stroke=GREY)
        picture.text(x + 38, 105 + SIZE / 2, f"{value:g}", bold=True)
        picture.text(x + 38, 105 + SIZE + 13, f"thread {t}", size=11, fill=GREY)
        for k in range(len(numbers)):
            if reader[k] == t:
                start = (150 + (k + 0.5) * SIZE, 30 + SIZE + 1)
                picture.line([start, (x + 38, 103)], stroke=tint(COLOURS[t], 0.7), thick=1)
    picture.text(16, 186, f"then in pairs, in shared memory: {result.values[0]:g}", anchor="start")
    return picture


@figure
def cuda_barrier() -> Drawing:
    """What four threads do with shared memory, in order of time, with barriers and without."""
    width = 4
    picture = Drawing(700, 388)
    picture.text(684, 24, "r 2: reads slot 2    w 0: writes slot 0", anchor="end", size=12, fill=GREY)
    for part, without in enumerate((False, True)):
        recorder = Recorder()
        module = solved("cuda_ops", recorder, BLOCK_DIM=width)
        out = recorder.array("out", [0.0])
        operands = (out, recorder.array("a", [1.0, 2.0, 3.0, 4.0]), width)
        launch(module, lambda m: m._sum_practice, 1, width, recorder, *operands, barriers=not without)
        shared = [access for access in recorder.accesses if access.array == "shared 0"]
        top = 24 + part * 190
        title = "without barriers, if thread 0 is first" if without else "with barriers"
        picture.text(16, top, title, anchor="start", bold=True)
        for thread in range(width):
            picture.text(16, top + 32 + thread * 30, f"thread {thread}", anchor="start", size=12)
        written: set[int] = set()
        phase = 0
        for time, access in enumerate(shared):
            x, y = 84 + time * 41, top + 20 + access.worker[1][0] * 30
            early = access.kind == "read" and access.place not in written
            if access.kind == "write":
                written.add(access.place)
            if access.phase > phase and not without:
                picture.line([(x - 2, top + 14), (x - 2, top + 140)], stroke=GREEN, thick=2, dash="4 3")
            phase = max(phase, access.phase)
            colour = RED if early else ORANGE if access.kind == "write" else BLUE
            picture.rect(x, y, 37, 24, radius=3, fill=tint(colour, 0.3), stroke=RED if early else WHITE)
            picture.text(
                x + 18.5, y + 12, f"{'w' if access.kind == 'write' else 'r'} {access.place}", size=12
            )
        total = f"{out.values[0]:g}"
        text = (
            "the sum is unknown: a slot was read before it was written"
            if total == "nan"
            else f"the sum is {total}"
        )
        picture.text(84, top + 158, text, anchor="start", fill=RED if without else INK)
    return picture
