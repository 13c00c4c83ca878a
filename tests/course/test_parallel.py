"""The check of the tests named ``compiled``: it tells a kernel whose main loop is serial from a parallel one."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from minitorch.course import checks, folder
from minitorch.course.tasks import SOLVED, find_task

PARALLEL = """
def kernel(out, a):
    same = True
    for d in range(3):
        same = same and a[d] > 0
    for i in prange(len(out)):
        for j in range(2):
            out[i] += a[j]
"""
NESTED = """
def make(fn):
    def kernel(out, a):
        for n in range(2):
            for i in numba.prange(len(out)):
                out[i] = fn(a[i])
"""
SERIAL = """
def kernel(out, a):
    b = a + 1.0
    for i in range(len(out)):
        out[i] = b[i]
"""
ONE_OF_TWO = """
def kernel(out, a):
    if len(a) == len(out):
        for i in prange(len(out)):
            out[i] = a[i]
        return
    i = 0
    while i < len(out):
        out[i] = a[0]
        i += 1
"""


@pytest.fixture(scope="module")
def compiled() -> ModuleType:
    spec = importlib.util.spec_from_file_location("course_compiled", SOLVED / "tests" / "compiled.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("text", [PARALLEL, NESTED])
def test_a_parallel_loop_is_accepted(text: str, compiled: ModuleType) -> None:
    compiled.check_loops(text, "kernel")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SERIAL, "kernel: use prange for the main loop: it has no loop over prange"),
        (ONE_OF_TWO, "kernel: use prange for the main loop: the loop that writes in line 9 is not parallel"),
        ("def other(): ...", "there is no function kernel"),
    ],
)
def test_a_serial_loop_is_told(text: str, words: str, compiled: ModuleType) -> None:
    with pytest.raises(AssertionError, match=f"^{words}"):
        compiled.check_loops(text, "kernel")


def test_a_student_who_writes_range_is_told(tmp_path: Path) -> None:
    """The kernel computes the right numbers, and Numba runs an array operation of it in parallel."""
    for name, text in folder.files_of(3, {}, todo=()).items():
        if name == "minitorch/fast_ops.py":
            parallel = "    for t in prange(out_shape[0] * rows):"
            assert parallel in text
            text = text.replace(parallel, f"    out[:] = out * 0.0\n{parallel.replace('prange', 'range')}")
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    result = checks.check_own(tmp_path, find_task("3.2"), checks.Limits())
    assert (result.state, result.total - result.passed) == ("failing", 1), result
    assert (
        "_tensor_matrix_multiply: use prange for the main loop: it has no loop over prange" in result.problem
    )
