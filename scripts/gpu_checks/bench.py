"""Stage bench: launches, the pool, training steps and kernels, beside PyTorch and CuPy, as shares of what the card can.

Cases and measuring are those of `benchmarks/gpu.py`. PyTorch computes without TF32. In the simulator figures mean
nothing and are marked.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from . import networks
from .internals import SIMULATED, add_one, cuda, device_memory, device_name, graph, minitorch, stream
from .report import Check, Row
from .timing import device_ms, gpu, host_us, peak_flops

MARK: Row = {"clock": "simulator"} if SIMULATED else {}
ELEMENTS, SQUARES = (64, (4,)) if SIMULATED else (1 << 26, (1024, 2048, 4096))
CONVOLUTIONS = ((1, 2, 2, 3),) if SIMULATED else gpu.CONVOLUTIONS
Peers = tuple[Any, Any]
measured: dict[str, float] = {}  # bytes per second of a copy


def tiny_step(name: str, batch: int, replay: bool = False) -> Callable[[], Any]:
    """Return a step of a net that the simulator can take; it stands for those of benchmarks/training_step.py."""
    networks.prepare("cuda")
    model, given = networks.lenet(True), networks.random_batches("lenet", 1, batch, True)[0]
    optimizer = minitorch.SGD(model.parameters(), lr=0.01, momentum=0.9)
    step: Any = networks.step_of(model, optimizer)
    pixels, labels = minitorch.tensor(given[0]), given[1]
    if replay:
        step = minitorch.GraphedStep(step, pixels, labels, optimizer=optimizer, warmup=1)
    return lambda: step(pixels, labels)


def peers() -> Peers:
    """Return PyTorch and CuPy, each None if it is missing."""
    return (None, None) if SIMULATED else (gpu.torch_on_the_card(), gpu.cupy_on_the_card())


def compared(makers: Any, found: Peers, replayed: Any = None) -> Row:
    """Return the times of ours, replayed, PyTorch's and CuPy's."""
    makers = [*makers, None, None][:3]
    row: Row = {"minitorch_ms": device_ms(makers[0]())}
    if replayed is not None:
        step = replayed()
        for _ in range(0 if SIMULATED else 5):
            step()
        row["replayed_ms"] = device_ms(step)
    if found[0] is not None and makers[1]:
        row["torch_ms"] = device_ms(makers[1]())
    if found[1] is not None and makers[2]:
        row["cupy_ms"] = device_ms(makers[2]())
    best = min(row["minitorch_ms"], row.get("replayed_ms", math.inf))
    if "torch_ms" in row:
        row["ratio_to_torch"] = best / row["torch_ms"]
    return row


def moved(name: str) -> float:
    """Return how many bytes an operation must move at least, 0 if it does not only move."""
    elements, square = gpu.ELEMENTS, gpu.SQUARE
    each = {
        "copy": 8 * elements,
        "add": 12 * elements,
        "sigmoid": 8 * elements,
        "sum of rows": 4 * square * (square + 1),
    }
    return float(next((n for start, n in each.items() if name.startswith(start)), 0))


def flops(name: str, sizes: tuple[int, ...] = ()) -> float:
    """Return the operations of a matrix product or convolution."""
    if name.startswith("matrix"):
        return 2.0 * gpu.SQUARE**3
    if name.startswith("convolution"):
        batch, ins, outs, side = sizes
        return 2.0 * batch * outs * side * side * ins * 9 * (3 if name.endswith("back") else 1)
    return 0.0


@contextmanager
def counted() -> Iterator[list[str]]:
    """Give a list that grows by the name of each kernel launched in the block."""
    names: list[str] = []
    submit = graph.submit

    def spy(made: Any, grid: Any, operands: Any) -> None:
        names.append(made.py_func.__name__)
        submit(made, grid, operands)

    graph.submit = spy
    try:
        yield names
    finally:
        graph.submit = submit


def bandwidth() -> Row:
    """Measure the copy that shares of bandwidth refer to: the fastest of minitorch, PyTorch and CuPy."""
    gpu.ELEMENTS = ELEMENTS
    found = peers()
    row = compared(gpu.kernels(*found)[f"copy, {ELEMENTS} elements"], found)
    fastest = min(t for name, t in row.items() if name.endswith("_ms"))
    measured["bytes"] = 8 * ELEMENTS / (fastest * 1e-3)
    return {**row, "gb_per_s": measured["bytes"] / 1e9, **MARK}


def launches() -> Row:
    """Measure what a launch costs the host: of Numba alone, of an operation of ours, of PyTorch's."""
    count, x = (3 if SIMULATED else 1000), cuda.device_array(32, "float32")
    made = cuda.jit(add_one)
    row: Row = {"numba_us": host_us(lambda: made[1, 32, stream()](x, x), count)}
    a = minitorch.zeros((32,), "cuda", dtype="float32")
    b = minitorch.zeros((32, 32), "cuda", dtype="float32")
    with minitorch.no_grad():
        row["relu_us"] = host_us(a.relu, count)
        row["add_broadcast_us"] = host_us(lambda: b + a, count)
        row["matmul_us"] = host_us(lambda: b @ b, count)
    torch = peers()[0]
    if torch is not None:
        c, d = torch.zeros(32), torch.zeros(32, 32)
        row["torch_relu_us"], row["torch_matmul_us"] = host_us(c.relu, count), host_us(lambda: d @ d, count)
    return {**row, **MARK}


def step_launches() -> Row:
    """Count the kernels of an eager step of LeNet, and what the step asks of the pool."""
    step = gpu.training_step.ours("lenet", 2 if SIMULATED else 16)
    for _ in range(1 if SIMULATED else 3):
        step()
    before = minitorch.memory_stats("cuda")
    with counted() as names:
        step()
    after = minitorch.memory_stats("cuda")
    asked = {name: after[name] - before[name] for name in ("requests", "fresh") if name in after}
    return {"kernels": len(names), **{f"pool_{name}": n for name, n in asked.items()}}


def pool() -> Row:
    """Time a step of LeNet with the pool of device memory, and with a pool that keeps nothing."""
    step = gpu.training_step.ours("lenet", 2 if SIMULATED else 16)
    row: Row = {"pool_ms": device_ms(step)}
    blocks = device_memory.DEVICE.pool
    limit, blocks.limit = blocks.limit, 0
    try:
        blocks.clear()
        row["no_pool_ms"] = device_ms(step)
    finally:
        blocks.limit = limit
    return {**row, **MARK}


def tf32(size: int) -> Row:
    """Time a matrix product on tensor cores, beside PyTorch's with TF32."""
    gpu.SQUARE, found = size, peers()
    minitorch.set_float32_matmul_precision("high")
    if found[0] is not None:
        found[0].backends.cuda.matmul.allow_tf32 = True
    try:
        row = compared(gpu.kernels(found[0], None)[f"matrix product, {size}"], (found[0], None))
    finally:
        minitorch.set_float32_matmul_precision("highest")
        if found[0] is not None:
            found[0].backends.cuda.matmul.allow_tf32 = False
    return {**row, "tflops": 2e-9 * size**3 / row["minitorch_ms"], **MARK}


def checks(options: argparse.Namespace) -> list[Check]:
    """Return the checks of this stage."""
    options.report.state["device"] = device_name()
    minitorch.set_default_backend("cuda")
    minitorch.set_default_dtype("float32")
    if SIMULATED:
        gpu.training_step.CASES = {"tiny net, batch 2": ("lenet", 2, 1)}
        gpu.training_step.ours = tiny_step
        gpu.CONVOLUTIONS = CONVOLUTIONS
    found: list[Check] = [("copy bandwidth", bandwidth), ("launches", launches)]
    replayed = gpu.replays()
    for name, makers in gpu.steps().items():
        found.append(
            (name, lambda name=name, makers=makers: {**compared(makers, peers(), replayed[name]), **MARK})  # type: ignore[misc]
        )
    found += [("kernels of a step of LeNet, batch 16", step_launches), ("pool, LeNet, batch 16", pool)]

    def kernel(name: str, square: int, sizes: tuple[int, ...] = ()) -> Row:
        gpu.SQUARE, gpu.ELEMENTS, both = square, ELEMENTS, peers()
        row = compared(gpu.kernels(*both)[name], both)
        seconds = row["minitorch_ms"] * 1e-3
        if work := flops(name, sizes):
            row.update(tflops=work / seconds / 1e12, share_of_peak=work / seconds / peak_flops())
        if amount := moved(name):
            copy = measured.get("bytes", math.nan)
            row.update(gb_per_s=amount / seconds / 1e9, share_of_copy=amount / seconds / copy)
        return {**row, **MARK}

    for square in SQUARES:
        name = f"matrix product, {square}"
        found.append((name, lambda name=name, square=square: kernel(name, square)))  # type: ignore[misc]
    last = SQUARES[-1]
    if not SIMULATED:
        found.append((f"matrix product in TF32, {last}", lambda: tf32(last)))
    for name in (f"add, {ELEMENTS} elements", f"sigmoid, {ELEMENTS} elements", f"sum of rows, {last}x{last}"):
        found.append((name, lambda name=name: kernel(name, last)))  # type: ignore[misc]
    for sizes in CONVOLUTIONS:
        for more in ("", ", and back"):
            name = "convolution N{} C{} O{}, {}x{} 3x3".format(*sizes, sizes[-1]) + more
            found.append((name, lambda name=name, sizes=sizes: kernel(name, last, sizes)))  # type: ignore[misc]
    return found


def headline(rows: list[Row]) -> str:
    """Return the stage in one line."""
    bad = [f"{row['check']}: {row.get('message', '')[:100]}" for row in rows if row["status"] == "failed"]
    if bad:
        return bad[0]
    told = []
    for row in rows:
        if row["check"].startswith("step:") and "ratio_to_torch" in row:
            told.append(f"{row['check'][6:]} {row['ratio_to_torch']:.2f} of torch's time")
    best = max((row.get("share_of_peak") or 0.0 for row in rows), default=0.0)
    if best:
        told.append(f"{100 * best:.0f} % of the float32 peak at best")
    return "; ".join(told) or f"{len(rows)} rows"
