"""Every kernel compiled to machine code without a GPU: types, spills, hidden float64, registers, shared memory.

The simulator runs code that cannot be compiled and hides float64, so this is the other half of the proof. It happens in
an environment of its own, which `make test-cuda-compile` sets up; without it these tests are skipped, unless
`MINITORCH_REQUIRE_CUDA_COMPILE=1`.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(os.environ.get("MINITORCH_CUDA_PYTHON") or ROOT / ".venv-cuda" / "bin" / "python")
RESULT = ROOT / "benchmarks" / "results" / "cuda_kernels.json"
REQUIRED = os.environ.get("MINITORCH_REQUIRE_CUDA_COMPILE") == "1"
MAX_REGISTERS = 65_536  # of a block, on any card
MAX_SHARED = 48 * 1024
# Registers of a thread, by kernel: more would mean that something has changed for the worse.
BUDGETS = {
    "map_flat_1": 40,
    "map_flat_2": 40,
    "map_elements": 48,
    "zip_elements": 48,
    "matmul_tiles": 64,
    "linear_tiles": 64,
    # Their threads keep 64 elements: 2 registers each in float64.
    "multiply_tiles": 240,
    "multiply_tiles_activation": 240,
    "multiply_warps": 224,
    "multiply_warps_activation": 224,
    "map_ranked_1": 40,
    "map_ranked_2": 40,
    "map_ranked_3": 40,
    "map_ranked_4": 48,
    "map_transposed": 40,
    "reduce_tiles": 64,
    "drop_elements": 64,
    "take_elements": 40,
    "take_grad_elements": 64,
    "conv_gemm_128x64_8x8": 248,
    "conv_gemm_128x32_8x4": 168,
    "conv_gemm_64x64_8x4": 168,
    "conv_gemm_64x32_4x4": 132,
    "conv_weight_gemm_64x64_8x8": 255,
    "conv_weight_gemm_64x64_8x4": 168,
    "conv_weight_gemm_32x64_4x8": 168,
    "conv_weight_gemm_32x64_4x4": 128,
}
TENSOR = {"multiply_warps", "multiply_warps_activation"}
BUDGET = 128


def bare() -> dict[str, str]:
    """Return the environment without what would switch the simulator on."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "MINITORCH_"))}


def needed() -> None:
    """Skip, or fail, where there is nothing to compile with."""
    if not PYTHON.exists():
        reason = f"KERNELS NOT COMPILED: {PYTHON} is missing; make test-cuda-compile installs what it takes"
        (pytest.fail if REQUIRED else pytest.skip)(reason)


def compiled() -> Any:
    """Compile everything; in a process of its own, since no simulator may be on."""
    script = ROOT / "tests" / "support" / "cuda_compile.py"
    done = subprocess.run([PYTHON, script], env=bare(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


def named(row: dict[str, Any]) -> str:
    return f"{row['kernel']} of {row['of'] or 'no function'}, {row['dtype']}, {row['target']}: {row}"


def check_three_cards_and_two_dtypes(table: Any) -> None:
    assert all(row["registers"] > 0 for row in table["rows"])
    seen: dict[str, set[tuple[str, str]]] = {}
    for row in table["rows"]:
        seen.setdefault(row["kernel"], set()).add((row["dtype"], row["target"]))
    every = {(d, t) for d in ("float32", "float64") for t in ("sm_75", "sm_80", "sm_90")}
    assert {kernel for kernel, found in seen.items() if found != every} == TENSOR
    for kernel in TENSOR:
        assert seen[kernel] == {("float32", "sm_80"), ("float32", "sm_90")}


def check_that_tensor_cores_are_used(table: Any) -> None:
    assert {row["kernel"] for row in table["rows"] if row["hmma"]} == TENSOR
    assert all(row["hmma"] for row in table["rows"] if row["kernel"] in TENSOR)


def check_that_no_thread_keeps_its_numbers_in_slow_memory(table: Any) -> None:
    assert [named(row) for row in table["rows"] if row["spills"] or row["stack"]] == []


def check_that_float32_computes_nothing_in_float64(table: Any) -> None:
    assert [named(row) for row in table["rows"] if row["dtype"] == "float32" and row["f64"]] == []
    assert any(row["f64"] for row in table["rows"]), "float64 itself is not seen"


def check_that_a_block_finds_registers_and_shared_memory(table: Any) -> None:
    for row in table["rows"]:
        assert row["registers"] * row["threads"] <= MAX_REGISTERS, named(row)
        assert row["registers"] <= BUDGETS.get(row["kernel"], BUDGET), named(row)
        assert row["shared"] <= MAX_SHARED, named(row)


def check_the_table_in_the_repository(table: Any) -> None:
    kept = json.loads(RESULT.read_text())
    made, here = kept["machine"], table["machine"]
    if made["python"] != here["python"]:
        return  # another Python compiles loops to other bytecode, and they take other registers
    if made != here:
        assert not REQUIRED, f"{RESULT.name} was made with {made}, this is {here}"
        return
    changed = [f"{named(new)}\n    was {old}" for old, new in zip(kept["rows"], table["rows"]) if old != new]
    assert len(kept["rows"]) == len(table["rows"]), "kernels came or went: make cuda-table"
    assert changed == [], "make cuda-table, and look at what has changed"


def test_every_kernel_compiles_and_takes_no_more_than_it_may() -> None:
    # One test, so that several processes of pytest do not compile the same twice.
    needed()
    table = compiled()
    check_three_cards_and_two_dtypes(table)
    check_that_tensor_cores_are_used(table)
    check_that_no_thread_keeps_its_numbers_in_slow_memory(table)
    check_that_float32_computes_nothing_in_float64(table)
    check_that_a_block_finds_registers_and_shared_memory(table)
    check_the_table_in_the_repository(table)


POINTERS = """
import ctypes, inspect, sys
sys.path.insert(0, {root!r})
from minitorch.cuda_ops.device import numba_cuda
from numba.cuda.cudadrv.devicearray import DeviceNDArray
assert "gpu_data" in inspect.signature(DeviceNDArray).parameters
assert numba_cuda.is_out_of_memory(numba_cuda.driver_errors()[0](numba_cuda.OUT_OF_MEMORY, "told by the driver"))
freed = []
class Block:
    def __del__(self):
        freed.append(self)
class Context:
    pass
block = Block()
pointer = numba_cuda.cuda.MemoryPointer(Context(), ctypes.c_void_p(4096), 800, finalizer=[block].clear)
del block
view = pointer.view(80).view(8)
del pointer
assert not freed, "a view of a view keeps the block"
del view
assert freed
print("as expected")
"""


def test_numba_keeps_a_block_as_long_as_a_view_of_its_pointer() -> None:
    needed()
    done = subprocess.run(
        [PYTHON, "-c", POINTERS.format(root=str(ROOT))],
        env=bare(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "as expected\n", done.stderr
