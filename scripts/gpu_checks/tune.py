"""Stage tune: the tile sizes and block sizes that exist, and some that do not, timed shape by shape.

Nothing is changed in the package: a table says for each shape which setting was fastest, and which one is taken now.
Each result is compared with that of the setting in use before it is timed.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .internals import (
    SIMULATED,
    ConvParams,
    conv,
    device_name,
    gemm,
    gemm_tf32,
    launch,
    matmul,
    minitorch,
    reduce,
    storage,
)
from .report import Check, Report, Row, context_lost, one_line, table
from .timing import device_ms

MARK: Row = {"clock": "simulator"} if SIMULATED else {}
TOLERANCE = 1e-4  # relative norm, between sums in different orders
# Matrices, rows, columns, depth: layers of small nets, squares, deep and skinny ones, a batch.
PRODUCTS = (
    ((1, 8, 8, 8),)
    if SIMULATED
    else (
        (1, 128, 64, 392),
        (1, 300, 10, 512),
        (1, 128, 10, 2048),
        (1, 512, 512, 512),
        (1, 1024, 1024, 1024),
        (1, 4096, 4096, 4096),
        (1, 64, 64, 8192),
        (1, 8192, 64, 512),
        (64, 128, 128, 128),
    )
)
Tile = matmul.Tile
WarpTile = matmul.WarpTile
MATMUL_TILES: tuple[Any, ...] = (
    matmul.SIMULATOR_TILES
    if SIMULATED
    else (
        *matmul.CARD_TILES[4],
        Tile(128, 8, 8, 4, 4, 1),
        Tile(128, 8, 8, 4, 4, 4),
        Tile(128, 16, 8, 4, 4, 2),
        Tile(64, 8, 4, 4, 4, 4),
        Tile(64, 16, 8, 4, 4, 2),
    )
)
WARP_TILES: tuple[Any, ...] = () if SIMULATED else (*matmul.CARD_WARP_TILES, WarpTile(128, 16, 4, 2))
SLICES = (1, 2) if SIMULATED else (1, 4, 8, 16, 32)
# Batch, channels in and out, side; LeNet's, the MNIST CNN's, the CIFAR net's. The window is 3x3, padding 1.
CONVOLUTIONS = (
    ((1, 2, 4, 3),)
    if SIMULATED
    else (
        (128, 1, 4, 28),
        (128, 4, 8, 28),
        (300, 16, 16, 13),
        (128, 3, 32, 32),
        (128, 32, 32, 32),
        (128, 32, 64, 16),
        (128, 128, 128, 8),
    )
)
ConvTile = type(conv.SIMULATED_TILE)
CONV_TILES: tuple[Any, ...] = (
    (conv.SIMULATED_TILE,)
    if SIMULATED
    else (*conv.TILES["float32"], ConvTile(64, 64, 8, 8, 8), ConvTile(128, 128, 8, 8, 8))
)
WEIGHT_TILES: tuple[Any, ...] = (
    (conv.SIMULATED_TILE,)
    if SIMULATED
    else (*conv.WEIGHT_TILES["float32"], ConvTile(32, 32, 8, 4, 4), ConvTile(128, 64, 8, 8, 8))
)
SUMS = ((4, 4),) if SIMULATED else ((4096, 4096), (128, 1 << 16), (1 << 16, 128), (1, 1 << 24))
REDUCTIONS = (
    ((32, 8, 1024),)
    if SIMULATED
    else tuple((t, e, b) for t in (128, 256) for e in (4, 8, 16) for b in (512, 1024, 4096))
)
BLOCKS = (32,) if SIMULATED else (64, 128, 256, 512, 1024)
ELEMENTS = 64 if SIMULATED else 1 << 24


@contextmanager
def replaced(owner: Any, **values: Any) -> Iterator[None]:
    """Give attributes of a module other values within the block."""
    before = {name: getattr(owner, name) for name in values}
    for name, value in values.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)


def random(*shape: int) -> Any:
    """Return a tensor of random numbers on the card."""
    return minitorch.randn(shape, dtype="float32")


def apart(found: Any, expected: Any) -> float:
    """Return the relative norm of a difference."""
    a, b = (np.asarray(x, np.float64).reshape(-1) for x in (found, expected))
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-30))


def sweep(
    report: Report,
    what: str,
    settings: Iterable[tuple[str, Any]],
    run: Callable[[], Any],
    chosen: Callable[[], str],
) -> None:
    """Time ``run`` with each setting, check its result, and print the table.

    Args:
        report: Where rows go.
        what: The kernel and the shape.
        settings: Names, and context managers that put a setting in place.
        run: Does it, and returns the result.
        chosen: Returns the name of the setting that is in use.
    """
    in_use, expected, rows = chosen(), np.array(run().to_numpy()), []
    tolerance = 2e-3 if "TF32" in what else TOLERANCE
    for name, put in settings:
        try:
            with put:
                error = apart(run().to_numpy(), expected)
                if not error <= tolerance:
                    raise AssertionError(f"differs by {error:.2g} from the result of {in_use}")
                ms = device_ms(run, repeat=12, warm=2)
        except Exception as problem:  # one setting must not end the sweep
            if context_lost():
                raise
            traceback.print_exc(file=sys.stdout)
            # A setting that is tried only may ask for more than the card has; none may give a wrong result.
            bad = name == in_use or isinstance(problem, AssertionError)
            report.add(what, "failed" if bad else "not run", one_line(problem), setting=name)
            continue
        rows.append({"setting": name, "ms": ms, "in_use": name == in_use, "difference": error, **MARK})
    best = min((row["ms"] for row in rows), default=0.0)
    for row in sorted(rows, key=lambda row: row["ms"]):
        row["times_best"] = row["ms"] / best
        report.state["rows"].append({"check": what, "status": "ok", **row})
    report.save()
    print(f"{what}\n{table(sorted(rows, key=lambda row: row['ms']))}", flush=True)


# Matrix products


def product_plan(tile: Any, slices: int, sizes: tuple[int, ...]) -> Any:
    """Return the plan for a tile, with the depth cut into about so many slices."""
    if tile is None:
        return None
    warps = isinstance(tile, WarpTile)
    plain, biased = (
        (gemm_tf32.multiply_warps, gemm_tf32.multiply_warps_activation)
        if warps
        else (gemm.multiply_tiles, gemm.multiply_tiles_activation)
    )
    _, rows, cols, depth = sizes
    chunk = -(-depth // slices)
    count = matmul.tile_count(tile.side, rows, cols)
    return matmul.MatmulPlan(tile, plain, biased, count, -(-depth // chunk), chunk)


def shown(tile: Any, slices: int = 1) -> str:
    """Return a tile as a short name."""
    name = "plain" if tile is None else f"{type(tile).__name__}{tuple(vars(tile).values())}"
    return f"{name} x{slices}" if slices > 1 else name


def products(report: Report, sizes: tuple[int, ...], tf32: bool) -> None:
    """Sweep the tiles of a matrix product, and into how many slices the depth is cut."""
    layers, rows, cols, depth = sizes
    shapes = ((rows, depth), (depth, cols)) if layers == 1 else ((layers, rows, depth), (layers, depth, cols))
    a, b = (random(*shape) for shape in shapes)
    settings = []
    for tile in WARP_TILES if tf32 else (None, *MATMUL_TILES):
        for slices in SLICES if tile is not None and depth >= 4 * rows * layers else (1,):
            plan = product_plan(tile, slices, sizes)
            name = shown(tile, plan.slices if plan else 1)
            settings.append((name, replaced(matmul, plan_for=lambda *_, plan=plan: plan)))

    def chosen() -> str:
        plan = matmul.plan_for(np.dtype("float32"), sizes)
        return shown(plan.tile, plan.slices) if plan else shown(None)

    what = "matrix product{} {}x({}x{} by {}x{})".format(" in TF32" * tf32, layers, rows, depth, depth, cols)
    minitorch.set_float32_matmul_precision("high" if tf32 else "highest")
    try:
        sweep(report, what, settings, lambda: a @ b, chosen)
    finally:
        minitorch.set_float32_matmul_precision("highest")


# Convolutions


@contextmanager
def conv_tile(tile: Any) -> Iterator[None]:
    """Make convolutions take a tile; None is a thread per element."""
    caches = conv._plan, conv._plan_weight
    for cache in caches:
        cache.cache_clear()
    try:
        with replaced(conv, _tile=lambda *_: tile):
            yield
    finally:
        for cache in caches:
            cache.cache_clear()


def convolutions(report: Report, sizes: tuple[int, ...], kind: str) -> None:
    """Sweep the tiles of a convolution or of one of its derivatives."""
    batch, ins, outs, side = sizes
    shapes = {"x": (batch, ins, side, side), "w": (outs, ins, 3, 3), "y": (batch, outs, side, side)}
    names = {"forward": "yxw", "input gradient": "xyw", "weight gradient": "wxy"}[kind]
    run = {"forward": conv.forward, "input gradient": conv.grad_input}.get(kind, conv.grad_weight)
    tensors = [random(*shapes[name]) for name in names]
    blocks = [(storage(t), shapes[name]) for t, name in zip(tensors, names)]
    params = ConvParams(padding=(1, 1, 1, 1))
    last: list[Any] = []
    tile = conv._tile

    def spied(*given: Any) -> Any:
        last[:] = [tile(*given)]
        return last[0]

    def call() -> Any:
        run(*blocks, params)
        return tensors[0]

    def chosen() -> str:
        conv._plan.cache_clear()
        conv._plan_weight.cache_clear()
        with replaced(conv, _tile=spied):
            call()
        return str(tuple(last[0])) if last and last[0] else "a thread per element"

    tiles = WEIGHT_TILES if kind == "weight gradient" else CONV_TILES
    swept = [(str(tuple(t)) if t else "a thread per element", conv_tile(t)) for t in (*tiles, None)]
    sweep(report, "convolution, {}, N{} C{} O{} {}x{}".format(kind, *sizes, side), swept, call, chosen)


# Sums and maps


@contextmanager
def reduce_setting(threads: int, each: int, enough: int) -> Iterator[None]:
    """Make sums take so many threads a block, elements a thread, and blocks."""
    reduce.plan.cache_clear()
    try:
        with replaced(reduce, THREADS=threads, MIN_PER_THREAD=each, FULL_BLOCKS=enough):
            yield
    finally:
        reduce.plan.cache_clear()


@contextmanager
def threads_of_maps(count: int) -> Iterator[None]:
    """Make maps take so many threads a block."""
    before, launch.blocks.__defaults__ = launch.blocks.__defaults__, (count,)
    try:
        yield
    finally:
        launch.blocks.__defaults__ = before


def sums(report: Report, shape: tuple[int, int], dim: int) -> None:
    """Sweep the blocks of a sum along a dimension."""
    a = random(*shape)
    settings = [(str(setting), reduce_setting(*setting)) for setting in REDUCTIONS]
    in_use = str((reduce.THREADS, reduce.MIN_PER_THREAD, reduce.FULL_BLOCKS))
    what = f"sum of {shape[0]}x{shape[1]} along {dim} (threads, elements a thread, blocks)"
    sweep(report, what, settings, lambda: a.sum(dim), lambda: in_use)


def maps(report: Report) -> None:
    """Sweep the threads of a block in elementwise kernels."""
    a, b = random(ELEMENTS), random(ELEMENTS)
    settings = [(str(count), threads_of_maps(count)) for count in BLOCKS]
    sweep(report, f"add, {ELEMENTS} elements (threads)", settings, lambda: a + b, lambda: str(launch.THREADS))


def checks(options: argparse.Namespace) -> list[Check]:
    """Return the checks of this stage; each adds its own rows."""
    report = options.report
    report.state["device"] = device_name()
    minitorch.set_default_backend("cuda")
    minitorch.set_default_dtype("float32")
    found: list[Check] = []
    for sizes in PRODUCTS:
        found.append((f"products {sizes}", lambda sizes=sizes: products(report, sizes, False)))  # type: ignore[misc]
    kinds = ("forward", "input gradient", "weight gradient")
    for sizes in CONVOLUTIONS:
        for kind in kinds:
            found.append((f"{kind} {sizes}", lambda s=sizes, kind=kind: convolutions(report, s, kind)))  # type: ignore[misc]
    for shape in SUMS:
        for dim in (1, 0) if shape[0] > 1 else (1,):
            found.append((f"sums {shape} {dim}", lambda shape=shape, dim=dim: sums(report, shape, dim)))  # type: ignore[misc]
    found.append(("maps", lambda: maps(report)))
    for sizes in (PRODUCTS[4:6]) if WARP_TILES else ():
        found.append((f"products in TF32 {sizes}", lambda sizes=sizes: products(report, sizes, True)))  # type: ignore[misc]
    return found


def headline(rows: list[Row]) -> str:
    """Return the stage in one line: where another setting is faster by more than a tenth."""
    slow = [row for row in rows if row.get("in_use") and row.get("times_best", 1.0) > 1.1]
    shapes = len({row["check"] for row in rows})
    worst = max(slow, key=lambda row: row["times_best"], default=None)
    told = f"{shapes} shapes; another setting is faster by over 10 % for {len(slow)}"
    return (
        told
        if worst is None
        else f"{told}, most for {worst['check']}: {worst['times_best']:.2f} times the best"
    )
