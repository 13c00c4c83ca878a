"""Stage look: versions, the card, a first kernel, and what is missing."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import shutil
import time
from importlib import metadata
from pathlib import Path

import numpy as np

from .report import Check, NotRun, Row

PACKAGES = (
    "numpy", "numba", "llvmlite", "numba-cuda", "cuda-core", "cuda-bindings", "cuda-pathfinder", "torch",
    "cupy-cuda13x", "pytest", "pytest-xdist", "pytest-timeout", "hypothesis", "greenlet",
)  # fmt: skip


def versions() -> Row:
    """Return the versions of Python and of packages."""
    found = {"python": platform.python_version(), "kernel": platform.release(), "cores": os.cpu_count()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "missing"
    return found


def card() -> Row:
    """Return what the driver says of the GPU."""
    from .internals import SIMULATED, cuda, detect, missing

    lacking = missing()
    if lacking:
        raise RuntimeError(lacking)
    if SIMULATED:
        return {"name": "simulator"}
    machine, device = detect(), cuda.get_current_device()
    free, total = cuda.current_context().get_memory_info()
    return {
        "name": str(device.name),
        "compute_capability": ".".join(map(str, device.compute_capability)),
        "multiprocessors": device.MULTIPROCESSOR_COUNT,
        "clock_mhz": device.CLOCK_RATE // 1000,
        "memory_gib": round(total / 2**30, 1),
        "free_gib": round(free / 2**30, 1),
        "shared_kib_per_block": device.MAX_SHARED_MEMORY_PER_BLOCK // 1024,
        "l2_mib": round(device.L2_CACHE_SIZE / 2**20, 1),
        "driver": ".".join(map(str, machine.driver or ())),
        "runtime": ".".join(map(str, machine.toolkit or ())),
    }


def first_kernel() -> Row:
    """Compile and launch a kernel of plain Numba, on the default stream."""
    from .internals import add_one, cuda

    x = np.arange(100, dtype=np.float32)
    out = cuda.device_array(100, np.float32)
    start = time.perf_counter()
    cuda.jit(add_one)[2, 64](out, cuda.to_device(x))
    cuda.synchronize()
    if not np.array_equal(out.copy_to_host(), x + 1):
        raise AssertionError(f"100 numbers plus one are {out.copy_to_host()[:5]}...")
    return {"compile_and_launch_s": round(time.perf_counter() - start, 3)}


def first_tensor() -> Row:
    """Add, multiply and sum tensors on the cuda backend."""
    from .internals import minitorch

    start = time.perf_counter()
    a = minitorch.tensor([[1.0, 2.0], [3.0, 4.0]], "cuda")
    found = float(((a + a) * a).sum().item())
    if found != 60.0:
        raise AssertionError(f"the sum is {found}, not 60")
    return {"first_tensors_s": round(time.perf_counter() - start, 3)}


def recording() -> Row:
    """Ask whether the driver records graphs."""
    from .internals import graph

    told = graph.capture_error()
    if told:
        raise RuntimeError(f"steps cannot be recorded: {told}")
    return {"graphs": "can be recorded"}


def peers() -> Row:
    """Ask PyTorch and CuPy whether they can use the card."""
    from .internals import SIMULATED

    if SIMULATED:
        raise NotRun("the simulator is no card")
    found: Row = {}
    for name in ("torch", "cupy"):
        if importlib.util.find_spec(name) is None:
            found[name] = "missing"
            continue
        module = __import__(name)
        try:
            usable = (
                module.cuda.is_available() if name == "torch" else module.cuda.runtime.getDeviceCount() > 0
            )
            found[name] = f"{module.__version__}, {'can use the card' if usable else 'cannot use the card'}"
        except Exception as problem:  # a yardstick only: any answer will do
            found[name] = f"{module.__version__}: {problem}"
    if not {"torch", "cupy"} & {name for name, told in found.items() if "can use" in told}:
        raise NotRun(", ".join(f"{name}: {told}" for name, told in found.items()))
    return found


def tools() -> Row:
    """Return which tools and data sets are there."""
    data = os.environ.get("MINITORCH_DATA", "")
    return {
        "compute-sanitizer": shutil.which("compute-sanitizer") or "not on the PATH",
        "nvidia-smi": shutil.which("nvidia-smi") or "not on the PATH",
        "MINITORCH_DATA": data if data and Path(data).is_dir() else f"{data!r} is no folder: bundled digits",
    }


def checks(options: argparse.Namespace) -> list[Check]:
    """Return the checks of this stage."""

    def described() -> Row:
        found = card()
        options.report.state["device"] = found["name"]
        return found

    return [
        ("versions", versions),
        ("card", described),
        ("first kernel", first_kernel),
        ("first tensors", first_tensor),
        ("graphs", recording),
        ("peers", peers),
        ("tools and data", tools),
    ]


def headline(rows: list[Row]) -> str:
    """Return the stage in one line."""
    named = next((row for row in rows if row["check"] == "card"), {})
    bad = [row["check"] for row in rows if row["status"] == "failed"]
    told = f"{named.get('name', 'no card')}, compute capability {named.get('compute_capability', '-')}"
    return f"{told}; failed: {', '.join(bad)}" if bad else told
