"""Compiled kernels: made once per machine, remade when a function changes, and never needed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minitorch import FastOps, TensorBackend, operators, tensor, tensor_data
from minitorch.fast_ops import course, elementwise, jit, kernel_cache, pool
from minitorch.operators import relu
from minitorch.runtime.types import PoolParams

from ..support.checks import needs_jit

# Counts what was compiled, computes with several kernels and prints both.
PROGRAM = """
import json, warnings
from numba.core import event
with event.install_recorder("numba:compile") as recorder, warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("default")
    import minitorch, own
    x = minitorch.tensor([[1.0, -2.0], [3.0, 4.0]], requires_grad=True)
    backend = minitorch.get_default_backend()
    y = (x * x).sigmoid() + backend.map(own.shifted)(x)
    y.sum().backward()
print(json.dumps([len(recorder.buffer), y.to_numpy().ravel().tolist(), [str(w.message) for w in caught]]))
"""
OWN = "def shifted(x):\n    return helper(x) + 1.0\n\ndef helper(x):\n    return x * {factor}\n"
ELEMENTS = np.array([1.0, -2.0, 3.0, 4.0])
EXPECTED = 1 / (1 + np.exp(-ELEMENTS * ELEMENTS)) + 2 * ELEMENTS + 1


@pytest.fixture(scope="module", autouse=True)
def threads_have_started() -> None:
    """The code that starts threads is kept in the cache too; the tests below count what else is there."""
    if not jit.disabled():
        jit.pool_address(jit.compiled)


def run(folder: Path, factor: float = 2.0, **environment: str) -> Any:
    """Run the program in a fresh process with ``folder`` as cache; return what it printed."""
    (folder.parent / "own.py").write_text(OWN.format(factor=factor))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "MINITORCH_CACHE_DIR": str(folder), "MINITORCH_BACKEND": "fast", **environment},
        cwd=folder.parent,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def files(folder: Path) -> dict[str, int]:
    """Return all files below ``folder`` and when they were written."""
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


@needs_jit
def test_kernels_are_compiled_once_and_again_when_a_function_changes(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    compiled, first, _ = run(cache)
    assert compiled > 0
    assert np.allclose(first, EXPECTED, rtol=0, atol=1e-12)
    written = files(cache)
    assert any(name.endswith(".nbc") for name in written)
    for _ in range(2):
        compiled, again, _ = run(cache)
        assert compiled == 0
        assert again == first
        assert files(cache) == written
    compiled, changed, _ = run(cache, factor=3.0)
    assert compiled > 0
    added = set(files(cache)) - set(written)
    assert changed != first
    assert {name: when for name, when in files(cache).items() if name in written} == written
    # One kernel was added: its source, an index and its code.
    assert len({Path(name).name.split(".")[0] for name in added}) == 1


@needs_jit
def test_without_a_writable_cache_one_warning_and_the_same_result(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way of the folder")
    compiled, values, warned = run(tmp_path / "file")
    assert compiled > 0
    ours = [message for message in warned if "cannot be cached" in message]
    assert len(ours) == 1
    assert "MINITORCH_CACHE_DIR" in ours[0]
    assert np.allclose(values, EXPECTED, rtol=0, atol=1e-12)


def _written_kernel(folder: Path, factor: float) -> tuple[Any, Path]:
    """Make a kernel that multiplies by ``factor``, in ``folder``; return what makes it again, and its module."""
    source = f"def scaled(x):\n    return x * {factor}\n"
    loop, names = elementwise.map_flat, {"__name__": "test_kernels"}
    fn = jit.codegen.function_from_source("scaled", source, names)
    fn.__module__ = "test_kernels"

    def make() -> list[float]:
        for path in folder.glob("flat_*.py"):
            sys.modules.pop(f"minitorch_kernels.{path.stem}", None)
        out = np.empty(2)
        jit.kernel(loop, fn=fn)(out, 2, np.array([1.0, 2.0]))
        return out.tolist()

    assert make() == [factor, 2 * factor]
    (module,) = folder.glob("flat_*.py")
    return make, module


def _flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 16]) + data[middle + 1 :]


DAMAGES = {
    "empty": lambda data: b"",
    "cut": lambda data: data[:20],
    "without its end": lambda data: data[:-1],
    "flipped bit": _flip,
    "longer": lambda data: data + b"\n",
    "without its first line": lambda data: data.split(b"\n", 1)[1],
}


@needs_jit
def test_damaged_files_are_made_anew_with_one_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from numba.core import event

    monkeypatch.setenv("MINITORCH_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "kernels"
    make, module = _written_kernel(folder, 5.0)
    (code,) = folder.glob("*.nbc")
    text = module.read_bytes()
    for damage in DAMAGES.values():
        for path in (module, code):
            path.write_bytes(damage(path.read_bytes()))
        kernel_cache._warn_once.cache_clear()
        with pytest.warns(RuntimeWarning, match="damaged") as warned:
            assert make() == [5.0, 10.0]
        assert len(warned) == 1
        assert module.read_bytes() == text
        with event.install_recorder("numba:compile") as recorder:
            assert make() == [5.0, 10.0]
        assert not recorder.buffer
        assert set(folder.iterdir()) == {module, code}


@needs_jit
def test_the_code_of_another_kernel_is_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = {}
    for factor in (3.0, 4.0):
        monkeypatch.setenv("MINITORCH_CACHE_DIR", str(tmp_path / str(factor)))
        make, _ = _written_kernel(tmp_path / str(factor) / "kernels", factor)
        (made[factor],) = (tmp_path / str(factor)).rglob("*.nbc")
    made[4.0].write_bytes(made[3.0].read_bytes())
    with pytest.warns(RuntimeWarning, match="damaged"):
        assert make() == [4.0, 8.0]


@needs_jit
@pytest.mark.skipif(sys.platform == "win32", reason="access is not described by modes there")
@pytest.mark.parametrize("place", ["folder", "module", "machine code"])
def test_what_others_may_write_is_not_executed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    monkeypatch.setenv("MINITORCH_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "kernels"
    make, module = _written_kernel(folder, 7.0)
    assert folder.stat().st_mode & 0o777 == 0o700
    (code,) = folder.glob("*.nbc")
    planted = b"raise SystemExit('another user\\'s code runs')\n"
    kernel_cache.write(module, planted) if place != "machine code" else kernel_cache.write(code, planted)
    {"folder": folder, "module": module, "machine code": code}[place].chmod(0o777)
    before = files(folder)
    kernel_cache.usable.cache_clear()
    with pytest.warns(RuntimeWarning, match="other users may write to the") as warned:
        found = [make(), make()]
    assert found == [[7.0, 14.0], [7.0, 14.0]]
    assert len(warned) == 1
    assert "set MINITORCH_CACHE_DIR to a folder that only you can write to" in str(warned[0].message)
    assert files(folder) == before


@needs_jit
@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root gives files away")
def test_what_belongs_to_another_user_is_not_executed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MINITORCH_CACHE_DIR", str(tmp_path / "cache"))
    make, module = _written_kernel(tmp_path / "cache" / "kernels", 9.0)
    os.chown(module, 12345, 12345)
    with pytest.warns(RuntimeWarning, match="the file belongs to user 12345"):
        assert make() == [9.0, 18.0]


@needs_jit
@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize(
    ("factor", "group", "mode", "chosen", "user", "trusted"),
    [
        (11.0, 2000, 0o640, True, 1000, True),
        (12.0, 2000, 0o660, True, 1000, False),  # the group may write
        (13.0, 2000, 0o646, True, 1000, False),  # everybody may write
        (14.0, 3000, 0o644, True, 1000, False),  # another group
        (15.0, 2000, 0o640, False, 1000, False),  # the folder was not chosen
        (16.0, 2000, 0o640, True, 0, False),  # root executes what belongs to root only
    ],
)
def test_a_warm_cache_that_a_group_shares(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    factor: float,
    group: int,
    mode: int,
    chosen: bool,
    user: int,
    trusted: bool,
) -> None:
    monkeypatch.setenv("MINITORCH_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "kernels"
    make, module = _written_kernel(folder, factor)
    for path in (folder, *folder.iterdir()):
        os.chown(path, 12345, group)
        path.chmod(0o750 if path == folder else mode)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "getgroups", lambda: [2000])
    kernel_cache.usable.cache_clear()
    if not chosen:
        monkeypatch.delenv("MINITORCH_CACHE_DIR")
    if trusted:
        assert kernel_cache.usable(folder)
        assert kernel_cache.read(module) is not None
        assert make() == [factor, 2 * factor]
    else:
        with pytest.raises(kernel_cache.InsecureError):
            kernel_cache.read(module)


@needs_jit
def test_an_interrupt_waits_until_the_kernel_is_compiled_and_arrives_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from numba.core import event

    class Interrupts(event.Listener):
        def on_start(self, event: Any) -> None:
            signal.raise_signal(signal.SIGINT)

        def on_end(self, event: Any) -> None:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setenv("MINITORCH_CACHE_DIR", str(tmp_path))
    out, before = np.zeros(2), signal.getsignal(signal.SIGINT)
    kernel = jit.kernel(elementwise.map_flat, fn=operators.neg, cache=False)
    with pytest.raises(KeyboardInterrupt), event.install_listener("numba:compile", Interrupts()):
        kernel(out, 2, np.array([1.0, 2.0]))
    assert out.tolist() == [0.0, 0.0]
    assert signal.getsignal(signal.SIGINT) is before
    with event.install_recorder("numba:compile") as recorder:
        kernel(out, 2, np.array([1.0, 2.0]))
    assert out.tolist() == [-1.0, -2.0]
    assert not recorder.buffer


@needs_jit
def test_a_module_that_fails_is_not_published(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def other(x: float) -> float:
        return x - 3.0

    monkeypatch.setenv("MINITORCH_CACHE_DIR", str(tmp_path))
    variants = dict(jit._variants)

    def run() -> list[float]:
        out = np.empty(1)
        jit.variant(elementwise.map_flat, out.dtype, False, fn=other)(out, 1, np.array([1.0]))
        return out.tolist()

    with monkeypatch.context() as patch:
        patch.setattr(jit.codegen, "module_source", lambda *args: "raise KeyboardInterrupt")
        with pytest.raises(KeyboardInterrupt):
            run()
        assert jit._variants == variants
    for path in tmp_path.rglob("*.py"):
        path.unlink()
    assert run() == [-2.0]


def test_with_the_jit_off_the_plain_functions_run(tmp_path: Path) -> None:
    compiled, values, _ = run(tmp_path / "cache", NUMBA_DISABLE_JIT="1")
    assert compiled == 0
    assert not (tmp_path / "cache").exists()
    assert np.allclose(values, EXPECTED, rtol=0, atol=1e-12)


def test_a_process_compiles_kernels_for_a_few_sizes_of_windows_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_unrolled_sizes", set())

    def unrolled(window: tuple[int, int]) -> bool:
        image, result = np.ones((1, 1, 2 * window[0], 3 * window[1])), np.ones((1, 1, 2, 3))
        return pool.windows_tile(
            image, result, PoolParams("max", window, window, (0, 0, 0, 0), (1, 1), False)
        )

    sizes = [(rows, cols) for rows in range(1, 5) for cols in range(1, 5)]
    first, again = [unrolled(size) for size in sizes], [unrolled(size) for size in sizes]
    assert first == again == [k < pool.MAX_UNROLLED_SIZES for k in range(len(sizes))]
    assert not unrolled((5, 5))


def test_lambdas_closures_and_compiled_functions_work() -> None:
    import numba

    def closure(factor: float) -> Any:
        return lambda x: factor * x

    for fn in (lambda x: 3.0 * x, closure(3.0), numba.njit(lambda x: 3.0 * x)):
        backend = TensorBackend(FastOps)
        assert backend.map(fn)(tensor([1.0, 2.0], backend)).to_numpy().tolist() == [3.0, 6.0]
    assert FastOps.zip(lambda x, y: x - 2.0 * y)(tensor([5.0], "fast"), tensor([1.0], "fast")).item() == 3.0
    product = FastOps.reduce(lambda x, y: x * y + 1.0, 1.0)
    assert product(tensor([[2.0, 3.0]], "fast"), 1).item() == 10.0


def test_two_closures_of_one_function_differ() -> None:
    def times(factor: float) -> Any:
        def scaled(x: float) -> float:
            return factor * x

        return scaled

    found = [FastOps.map(times(f))(tensor([1.0, 2.0], "fast")).to_numpy().tolist() for f in (2.0, 5.0)]
    assert found == [[2.0, 4.0], [5.0, 10.0]]


def test_functions_with_defaults_and_calls() -> None:
    def doubled(x: float, factor: float = 2.0) -> float:
        return relu(x) * factor

    assert FastOps.map(doubled)(tensor([1.0, -1.0], "fast")).to_numpy().tolist() == [2.0, 0.0]


@needs_jit
def test_float32_kernels_compute_in_float32() -> None:
    kernel = jit.kernel(elementwise.map_flat, np.float32, cache=False, fn=operators.sigmoid)
    out = np.empty(4, np.float32)
    kernel(out, 4, np.linspace(-1, 1, 4, dtype=np.float32))
    (code,) = kernel.func.inspect_llvm().values()
    body = code[code.index("define") :]
    assert "float" in body
    assert "fmul double" not in body
    assert "fdiv double" not in body


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MINITORCH_CACHE_DIR", str(tmp_path))
    assert jit.cache_dir() == tmp_path / "kernels"
    monkeypatch.delenv("MINITORCH_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform.startswith("linux"):
        assert jit.cache_dir() == tmp_path / "minitorch" / "kernels"


def test_plain_and_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    assert jit.plain(course.to_index) is tensor_data.to_index
    assert jit.plain(operators.neg) is operators.neg
    import numba

    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    assert jit.disabled()
    out = np.empty(2)
    jit.kernel(elementwise.map_flat, fn=operators.neg)(out, 2, np.array([1.0, 2.0]))
    assert out.tolist() == [-1.0, -2.0]
