"""Compiles every kernel of the CUDA backend to machine code, without a GPU, and lists what each takes.

Registers, shared memory, stack, spills, tensor-core and float64 instructions, by kernel, dtype and target. Run as a
script it prints the rows as JSON; `--write` puts them into benchmarks/results. It needs numba-cuda with its toolkit and
no simulator: `tests/cuda/test_cuda_compile.py` runs it in an environment of its own.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import re
import struct
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from numba import cuda, types  # noqa: E402

from minitorch import cuda_conv, operators  # noqa: E402
from minitorch.cuda_ops import (  # noqa: E402
    conv,
    course,
    dropout,
    elementwise,
    gather,
    gemm,
    gemm_tf32,
    implicit_gemm,
    matmul,
    norm,
    optimizer_step,
    pool,
    reduce,
    softmax,
)
from minitorch.cuda_ops.device.launch import REDUCE_THREADS, THREADS, bind  # noqa: E402
from minitorch.nn.fusion import trace  # noqa: E402
from minitorch.optim import algorithms  # noqa: E402

# Constants of kernels that follow from the size of their tiles.
QUIET = {k for tile in (*matmul.CARD_TILES[4], *matmul.CARD_WARP_TILES) for k in tile.constants()} - {"TILE"}
TARGETS = ((7, 5), (8, 0), (9, 0))
HMMA = 0x23C  # the number of that instruction, on every card so far
DTYPES = ("float32", "float64")
RESULT = ROOT / "benchmarks" / "results" / "cuda_kernels.json"
PACKAGES = ("numba", "numba-cuda", "cuda-bindings", "cuda-core", "nvidia-nvjitlink", "nvidia-nvvm")
Case = tuple[Any, dict[str, Any], int, Callable[[Any], tuple[Any, ...]]]
i64 = types.int64


def row(real: Any, dims: int = 1) -> Any:
    return types.Array(real, dims, "C")


def triple(real: Any, rank: int = 4) -> tuple[Any, ...]:
    return row(real), types.UniTuple(i64, rank), types.UniTuple(i64, rank)


def layouts(rank: int, count: int = 1) -> list[Any]:
    """Return sizes or strides of coalesced dimensions."""
    return [types.UniTuple(types.uint32, rank)] * count


def images(*more: Any) -> Callable[[Any], tuple[Any, ...]]:
    """Return the signature of a kernel on ``more[0]`` images and vectors, followed by its settings."""
    count, vectors, *settings = more
    return lambda real: (*[row(real, 4)] * count, *[row(real)] * vectors, *settings)


def tiles_of(tiles: dict[str, Any]) -> list[Any]:
    """Return the tiles of all dtypes; each is compiled for all, so that the table has no holes."""
    return sorted({tile for of_dtype in tiles.values() for tile in of_dtype}, reverse=True)


pair, sides = types.UniTuple(i64, 2), types.UniTuple(i64, 4)
CONV = (pair, sides, pair, i64)
four32, six32, seven32 = (types.UniTuple(types.int32, n) for n in (4, 6, 7))
ACTIVATION, ACTIVATION_GRAD = {"activation": operators.relu}, {"activation_grad": operators.relu_back}


three = trace(lambda a, b, c: (a * b).sigmoid() + c, 3).function
four = trace(lambda a, b, c, d: (a * b + c).sigmoid() * d, 4).function

KERNELS: list[Case] = [
    (course.map_elements, {"fn": operators.sigmoid}, THREADS, lambda t: (*triple(t), i64, *triple(t))),
    (course.zip_elements, {"fn": operators.add}, THREADS, lambda t: (*triple(t), i64, *triple(t) * 2)),
    (elementwise.FLAT[0], {"fn": operators.sigmoid}, THREADS, lambda t: (row(t), i64, row(t))),
    (elementwise.FLAT[1], {"fn": operators.add}, THREADS, lambda t: (row(t), i64, *[row(t)] * 2)),
    (elementwise.FLAT[2], {"fn": three}, THREADS, lambda t: (row(t), i64, *[row(t)] * 3)),
    (elementwise.FLAT[3], {"fn": four}, THREADS, lambda t: (row(t), i64, *[row(t)] * 4)),
    *(
        (loop, {"fn": fn}, threads, lambda t: (*triple(t), i64, *triple(t), i64, t))
        for loop, threads in ((course.reduce_blocks, 1024), (reduce.reduce_elements, THREADS))
        for fn in (operators.add, operators.max_nan)
    ),
    (matmul.matmul_tiles, {}, 1024, lambda t: (*triple(t, 3), i64, *triple(t, 3) * 2)),
    (
        matmul.linear_tiles,
        ACTIVATION,
        1024,
        lambda t: (row(t), row(t), pair, row(t), pair, row(t), types.UniTuple(i64, 3)),
    ),
    *(
        (
            optimizer_step.UPDATES[states],
            {"fn": rule},
            THREADS,
            lambda t: (row(i64, 2), i64, row(t)),
        )
        for rule, states in (
            (algorithms.sgd_rule, 0),
            (algorithms.momentum_rule, 1),
            (algorithms.adagrad_rule, 1),
            (algorithms.adam_rule, 2),
            (algorithms.amsgrad_rule, 3),
            (algorithms.rmsprop_rule, 3),
        )
    ),
    (course.sum_blocks, {}, 32, lambda t: (row(t), row(t), i64)),
    (course.multiply_block, {}, 1024, lambda t: (*[row(t)] * 3, i64)),
    (conv.conv_elements, {}, THREADS, images(3, 0, *CONV)),
    (conv.conv_activation_elements, ACTIVATION, THREADS, images(3, 1, *CONV)),
    (conv.conv_grad_input_elements, {}, THREADS, images(3, 0, *CONV)),
    (conv.conv_grad_weight_elements, {}, REDUCE_THREADS, images(3, 0, *CONV)),
    *(
        (
            partial(implicit_gemm.specialized, implicit_gemm.conv_gemm, tile),
            ACTIVATION,
            tile.threads,
            lambda t: (*[row(t)] * 4, *[types.boolean] * 2, four32, seven32, seven32),
        )
        for tile in tiles_of(conv.TILES)
    ),
    *(
        (
            partial(implicit_gemm.specialized, implicit_gemm.conv_weight_gemm, tile),
            {},
            tile.threads,
            lambda t: (*[row(t)] * 3, four32, six32, six32, types.int32),
        )
        for tile in tiles_of(conv.WEIGHT_TILES)
    ),
    (implicit_gemm.sum_weight_slices, {}, THREADS, lambda t: [row(t)] * 2),
    (pool.max_pool_elements, {}, THREADS, images(2, 0, pair, pair, sides, pair)),
    (pool.max_pool_grad_elements, {}, THREADS, images(3, 0, pair, pair, sides, pair)),
    (pool.avg_pool_elements, {}, THREADS, images(2, 0, pair, pair, sides, types.boolean)),
    (pool.avg_pool_grad_elements, {}, THREADS, images(2, 0, pair, pair, sides, types.boolean)),
    (cuda_conv.anchored_conv2d, {}, THREADS, lambda t: (*triple(t), i64, *triple(t) * 2, types.boolean)),
    (
        cuda_conv.anchored_conv1d,
        {},
        THREADS,
        lambda t: (*triple(t, 3), i64, *triple(t, 3) * 2, types.boolean),
    ),
    (
        norm.norm_channels,
        ACTIVATION,
        REDUCE_THREADS,
        lambda t: (row(t, 3), row(t), row(t), row(t, 3), row(t), row(t), t),
    ),
    (
        norm.norm_grad_channels,
        ACTIVATION_GRAD,
        REDUCE_THREADS,
        lambda t: (row(t, 3), *[row(t)] * 2, row(t, 3), *[row(t)] * 2, row(t, 3), *[row(t)] * 2, t),
    ),
    (norm.scale_shift_elements, ACTIVATION, THREADS, lambda t: (row(t, 3), row(t, 3), row(t), row(t))),
    (
        norm.activation_grad_channels,
        ACTIVATION_GRAD,
        REDUCE_THREADS,
        lambda t: (row(t, 3), row(t), row(t, 3), row(t, 3)),
    ),
    (softmax.log_softmax_rows, {}, REDUCE_THREADS, lambda t: [row(t, 3)] * 2),
    (softmax.log_softmax_grad_rows, {}, REDUCE_THREADS, lambda t: [row(t, 3)] * 3),
    (softmax.cross_entropy_rows, {}, REDUCE_THREADS, lambda t: (row(t), *[row(t, 3)] * 3)),
    (softmax.label_entropy_rows, {}, REDUCE_THREADS, lambda t: (row(t), *[row(t, 3)] * 2, row(types.uint32))),
    *(
        (
            elementwise.RANKED[k],
            {"fn": fn},
            THREADS,
            lambda t, k=k, rank=rank: (row(t), i64, *layouts(rank, 2), *[row(t), *layouts(rank)] * (k + 1)),
        )
        for k, fn in enumerate((operators.sigmoid, operators.add, three, four))
        for rank in ((1, 2, 3, 4) if k < 2 else (3,))
    ),
    *(
        (
            elementwise.map_transposed,
            {"fn": operators.id},
            REDUCE_THREADS,
            lambda t, rank=rank: (
                row(t),
                *layouts(4),
                *layouts(rank, 2),
                types.uint32,
                row(t),
                *layouts(rank),
                types.uint32,
            ),
        )
        for rank in (1, 2)
    ),
    (
        gather.take_elements,
        {},
        THREADS,
        lambda t: (row(t), i64, i64, row(t), *layouts(2), row(types.uint32)),
    ),
    (
        gather.take_grad_elements,
        {},
        THREADS,
        lambda t: (row(t), i64, i64, row(t), *layouts(2), *[row(types.uint32)] * 2),
    ),
    *(
        (
            reduce.reduce_tiles,
            {"fn": fn},
            REDUCE_THREADS,
            lambda t, rank=rank: (row(t), i64, *layouts(rank, 2), row(t), i64, i64, i64, t, types.boolean),
        )
        for fn in (operators.add, operators.max_nan)
        for rank in (1, 2, 3)
    ),
    *(
        (
            dropout.drop_elements,
            {},
            THREADS,
            lambda t, key=key: (*[row(t)] * 3, i64, key, types.uint64, t),
        )
        for key in (types.UniTuple(types.uint64, 2), row(types.uint64))
    ),
]


def products(real: str) -> list[Case]:
    """Return the kernels of the matrix product, for each size of tile."""
    three, bytes_ = types.UniTuple(i64, 3), 4 if real == "float32" else 8
    found: list[Case] = [
        (gemm.sum_slices, {}, THREADS, lambda t: (row(t), three, row(t), sides)),
        (gemm.sum_slices_activation, ACTIVATION, THREADS, lambda t: (row(t), row(t), sides, row(t))),
    ]
    tiles = [(gemm.multiply_tiles, gemm.multiply_tiles_activation, t) for t in matmul.CARD_TILES[bytes_]]
    if real == "float32":
        tiles += [
            (gemm_tf32.multiply_warps, gemm_tf32.multiply_warps_activation, t) for t in matmul.CARD_WARP_TILES
        ]
    for plain, biased, tile in tiles:
        constants = tile.constants()
        found += [
            (
                plain,
                constants,
                tile.threads,
                lambda t: (row(t), sides, row(t), three, row(t), three, three, pair),
            ),
            (
                biased,
                {**constants, **ACTIVATION},
                tile.threads,
                lambda t: (row(t), row(t), three, row(t), three, three, pair, row(t)),
            ),
        ]
    return found


def float_functions() -> list[Case]:
    """Return all float functions of one and two numbers, in the flat kernels."""
    found: list[Case] = []
    flat = {1: KERNELS[2], 2: KERNELS[3]}
    for fn in vars(operators).values():
        if inspect.isfunction(fn) and set(fn.__annotations__.values()) == {"float"}:
            loop, _, threads, signature = flat[len(inspect.signature(fn).parameters)]
            found.append((loop, {"fn": fn}, threads, signature))
    return found


CASES = [(case, cc) for case in KERNELS for cc in TARGETS] + [(c, TARGETS[-1]) for c in float_functions()]
JOBS = [(case, cc, dtype) for case, cc in CASES for dtype in DTYPES] + [
    (case, cc, dtype)
    for dtype in DTYPES
    for case in products(dtype)
    for cc in TARGETS
    if case[0].__module__ != gemm_tf32.__name__ or cc >= gemm_tf32.MIN_CAPABILITY
]


def made_for(loop: Any, dtype: str) -> Any:
    """Return a kernel of the list; what is shaped for a dtype is listed without it."""
    return loop(dtype) if isinstance(loop, partial) else loop


def loops() -> set[Any]:
    """Return every kernel of the kernel files: a function that asks which thread it is, and returns nothing."""
    return {
        fn
        for module in (
            *(course, cuda_conv, conv, elementwise, reduce, matmul, gather, gemm, gemm_tf32, implicit_gemm),
            *(norm, softmax, optimizer_step, dropout, pool),
        )
        for value in vars(module).values()
        for fn in (value if isinstance(value, tuple) else (value,))  # those of a template are in a tuple
        if inspect.isfunction(fn)
        and fn.__module__ == module.__name__
        and (fn.__annotations__.get("return") == "None" or fn is not value)
        and "cuda" in fn.__code__.co_names
    }


@contextlib.contextmanager
def pretend(cc: tuple[int, int]) -> Iterator[None]:
    """Stand in for the current device: device functions ask for its compute capability while they are compiled."""
    from numba.cuda import dispatcher

    real = dispatcher.get_current_device
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=cc)
    try:
        yield
    finally:
        dispatcher.get_current_device = real


def assemble(ptx: str, cc: tuple[int, int]) -> tuple[str, bytes]:
    """Return the linker's report on PTX, and the machine code."""
    from cuda.bindings import nvjitlink

    options = [f"-arch=sm_{cc[0]}{cc[1]}", "-verbose"]
    link = nvjitlink.create(len(options), options)
    data = ptx.encode() + b"\0"
    nvjitlink.add_data(link, nvjitlink.InputType.PTX, data, len(data), "kernel")
    nvjitlink.complete(link)
    report = bytearray(nvjitlink.get_info_log_size(link))
    nvjitlink.get_info_log(link, report)
    code = bytearray(nvjitlink.get_linked_cubin_size(link))
    nvjitlink.get_linked_cubin(link, code)
    nvjitlink.destroy(link)
    return report.decode(), bytes(code)


def tensor_instructions(code: bytes) -> int:
    """Return how many instructions of machine code run on tensor cores."""
    (table,), (count,) = struct.unpack_from("<Q", code, 40), struct.unpack_from("<H", code, 60)
    found = 0
    for k in range(count):
        kind, flags, _, start, size = struct.unpack_from("<IQQQQ", code, table + 64 * k + 4)
        if kind == 1 and flags & 4:  # a section that holds instructions, 16 bytes each
            found += sum(
                struct.unpack_from("<H", code, at)[0] & 0xFFF == HMMA for at in range(start, start + size, 16)
            )
    return found


def compiled(number: int) -> dict[str, Any]:
    """Compile one case for one dtype, and return its row of the table."""
    (listed, fns, threads, signature), cc, dtype = JOBS[number]
    loop = made_for(listed, dtype)
    with pretend(cc):
        given = signature(vars(types)[dtype])
        ptx, _ = cuda.compile_ptx(bind(loop, dtype, **fns), tuple(given), cc=cc)
    report, code = assemble(ptx, cc)

    def reported(pattern: str) -> int:
        return max(map(int, re.findall(pattern, report)), default=0)

    return {
        "kernel": loop.__name__,
        "of": ", ".join(v.__name__ if callable(v) else f"{k} {v}" for k, v in fns.items() if k not in QUIET),
        "dtype": dtype,
        "target": f"sm_{cc[0]}{cc[1]}",
        "threads": threads,
        "registers": reported(r"Used (\d+) registers"),
        "shared": reported(r"(\d+) bytes smem"),
        "stack": reported(r"(\d+) bytes stack frame"),
        "spills": reported(r"(\d+) bytes spill"),
        "hmma": tensor_instructions(code),
        "f64": len(re.findall(r"\.f64", ptx)),
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the compiling packages."""
    installed = {d.metadata["Name"].lower(): d.version for d in metadata.distributions()}
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {"python": python, **{name: installed.get(name, "not installed") for name in PACKAGES}}


def write(rows: list[dict[str, Any]]) -> None:
    """Write the table as JSON and as a page, with the versions of what compiled it."""
    lines = ",\n".join("  " + json.dumps(r) for r in rows)
    RESULT.write_text(f'{{"machine": {json.dumps(versions())},\n "rows": [\n{lines}\n]}}\n')
    names = list(rows[0])
    page = ["# Kernels of the CUDA backend, compiled", "", "Written by `make cuda-table`.", ""]
    page += ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    page += ["| " + " | ".join(str(v) for v in r.values()) + " |" for r in rows]
    RESULT.with_suffix(".md").write_text("\n".join(page) + "\n")


def main() -> None:
    """Compile everything."""
    listed = {made_for(case[0], dtype).__code__ for case, _, dtype in JOBS}
    missing = {fn for fn in loops() if fn.__code__ not in listed}
    if missing:
        raise SystemExit(f"not in the list of kernels: {', '.join(sorted(fn.__name__ for fn in missing))}")
    with ProcessPoolExecutor() as workers:
        rows = list(workers.map(compiled, range(len(JOBS)), chunksize=8))
    if "--write" in sys.argv:
        write(rows)
    else:
        print(json.dumps({"machine": versions(), "rows": rows}))


if __name__ == "__main__":
    main()
