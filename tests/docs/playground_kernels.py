"""What the kernels of the CUDA playground do when minitorch's kernels run with its settings, in `kernel_recorder`."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.cuda_ops import course, matmul
from minitorch.cuda_ops.device import functions
from minitorch.runtime.placeholders import real

from .kernel_recorder import Dim3, Machine, Memory, bind

TILE = 4  # rows and columns of a tile of the matrix product, as in the playground
cuda: Any = None  # bound before a kernel runs, as BLOCK is
BLOCK = 0


def numbers(count: int, seed: int) -> list[float]:
    """Return what the playground fills its arrays with."""
    return [1.0 + (((k + 101 * seed) * 2654435761 & 0xFFFFFFFF) >> 24) % 9 for k in range(count)]


def sum_neighbours(out: Any, a: Any, size: int) -> None:
    """Write the sum of a block into ``out``, as the course's kernel does, but adding neighbours first."""
    cache = cuda.shared.array(BLOCK, real)
    i, thread = cuda.grid(1), cuda.threadIdx.x
    cache[thread] = a[i] if i < size else real(0)
    cuda.syncthreads()
    step = 1
    while step < BLOCK:
        k = 2 * step * thread
        if k + step < BLOCK:
            cache[k] += cache[k + step]
        cuda.syncthreads()
        step *= 2
    if thread == 0:
        out[cuda.blockIdx.x] = cache[0]


def run_map(machine: Machine, s: dict[str, Any]) -> Memory:
    """Run the course's map."""
    size, grid = s["size"], -(-s["size"] // s["block"])
    a, out = Memory(machine, "a", numbers(size, 1)), Memory(machine, "out", [np.nan] * size)
    kernel = bind(course.map_elements, cuda=machine, fn=lambda x: 2.0 * x)
    # Without its guard, a kernel is told that there is an element for every thread.
    told = size if s["guard"] else grid * s["block"]
    machine.run(kernel, Dim3(grid), Dim3(s["block"]), (out, (told,), (1,), told, a, (told,), (1,)))
    return out


def run_sum(machine: Machine, s: dict[str, Any]) -> Memory:
    """Run the sum of the course's exercise."""
    size, grid = s["size"], -(-s["size"] // s["block"])
    a, out = Memory(machine, "a", numbers(size, 1)), Memory(machine, "out", [np.nan] * grid)
    plain = course.sum_blocks if s["rounds"] == "halves" else sum_neighbours
    kernel = bind(plain, cuda=machine, real=float, BLOCK=s["block"])
    told = size if s["guard"] else grid * s["block"]
    machine.run(kernel, Dim3(grid), Dim3(s["block"]), (out, a, told))
    return out


def run_matmul(machine: Machine, s: dict[str, Any]) -> Memory:
    """Run the plain tiled product."""
    rows, columns, depth = s["rows"], s["columns"], s["depth"]
    a, b = Memory(machine, "a", numbers(rows * depth, 1)), Memory(machine, "b", numbers(depth * columns, 2))
    out = Memory(machine, "out", [np.nan] * (rows * columns))
    dot = bind(functions.tiled_dot, cuda=machine, real=float)
    kernel = bind(matmul.matmul_tiles, cuda=machine, real=float, BLOCK=TILE, tiled_dot=dot)
    tiles = [-(-n // TILE) for n in (rows, columns, depth)]
    m, n, k = (rows, columns, depth) if s["guard"] else (TILE * count for count in tiles)
    operands = (
        out,
        (1, m, n),
        (0, columns, 1),
        m * n,
        a,
        (1, m, k),
        (0, depth, 1),
        b,
        (1, k, n),
        (0, columns, 1),
    )
    machine.run(kernel, Dim3(tiles[0], tiles[1]), Dim3(TILE, TILE), operands)
    return out


def cuda_kernel(random: np.random.Generator) -> dict[str, Any]:
    """Return the accesses of all threads of a kernel with random settings, and the result."""
    name = str(random.choice(["map", "sum", "matmul"]))
    settings: dict[str, Any] = {
        "size": int(random.integers(1, 25)),
        "block": int(random.choice([4, 8, 16])),
        **{axis: int(random.integers(1, 9)) for axis in ("rows", "columns", "depth")},
        **{switch: bool(random.random() < 0.7) for switch in ("guard", "barriers")},
        "pad": bool(random.random() < 0.4),
        "rounds": str(random.choice(["halves", "neighbours"])),
        "across": str(random.choice(["column", "row"])),
        "order": str(random.choice(["together", "first", "last"])),
    }
    shared = {"map": (), "sum": ("cache",), "matmul": ("left", "right")}[name]
    transposed = name == "matmul" and settings["across"] == "row"
    pitch = TILE + settings["pad"]
    machine = Machine(settings["order"], settings["barriers"], shared, pitch, transposed)
    out = {"map": run_map, "sum": run_sum, "matmul": run_matmul}[name](machine, settings)
    threads = machine.records
    # Without barriers the threads of a product drift apart, and idle ones run ahead: only its accesses are compared.
    values = name != "matmul" or settings["barriers"]
    if not values:
        threads = [[[*access[:3], None] for access in accesses] for accesses in threads]
    result = {
        "threads": threads,
        "out": [None if np.isnan(x) else x for x in out.values] if values else [],
        "raced": machine.raced,
    }
    return {"kernel": name, "settings": settings, "values": values, "result": result}
