"""Recorded steps of the CUDA backend: what the driver is asked for, constants, uploads, one launch for an update.

What a recorded step computes is tested in `tests/train/test_graphed_step.py`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import (
    Adam,
    GraphedStep,
    Parameter,
    tensor,
)
from minitorch.cuda_ops import backend as cuda_backend
from minitorch.cuda_ops.device import graph as device_graph
from minitorch.cuda_ops.device import memory, upload

from ..train.test_graphed_step import MAKERS, batches, same, trained

pytestmark = pytest.mark.skipif(
    os.environ["MINITORCH_CUDA_TESTS"] == "off", reason="MINITORCH_CUDA_TESTS=off"
)
Batch = tuple[Any, Any]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def backend() -> None:
    minitorch.set_default_backend("cuda")


def test_where_nothing_can_be_captured_steps_run_eagerly_with_one_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = "cuStreamBeginCapture_v2 answered with error 801"
    monkeypatch.setattr(cuda_backend, "capture_error", lambda: told)
    given = batches(6)
    with pytest.warns(RuntimeWarning, match=rf"steps run eagerly.*{told}") as seen:
        losses, state, _, step = trained(MAKERS["adam"], given, True)
    assert len(seen) == 1
    assert not step.recorded
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GraphedStep(lambda x: x, [1.0])
    eager = trained(MAKERS["adam"], given, False)
    assert losses == eager[0]
    assert same(state, eager[1])


# The driver

PYTHONS = {
    "numba": Path(sys.executable),
    "numba-cuda": Path(os.environ.get("MINITORCH_CUDA_PYTHON") or ROOT / ".venv-cuda" / "bin" / "python"),
}


@pytest.mark.parametrize("name", PYTHONS)
def test_what_the_driver_is_asked_for(name: str) -> None:
    if not PYTHONS[name].exists():
        pytest.skip(f"{PYTHONS[name]} is missing; make test-cuda-compile installs what it takes")
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "MINITORCH_"))}
    script = ROOT / "tests" / "support" / "fake_driver.py"
    done = subprocess.run(
        [PYTHONS[name], script], env=bare, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout == "as expected\n", done.stderr


# One launch for all parameters


def launched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by the name of each kernel launched."""
    names: list[str] = []
    submit = device_graph.submit

    def spy(made: Any, grid: Any, operands: Any) -> None:
        names.append(made.py_func.__name__)
        submit(made, grid, operands)

    monkeypatch.setattr(device_graph, "submit", spy)
    return names


@pytest.mark.parametrize("sizes", [(1,), (3, 700, 1, 0, 130)])
def test_all_parameters_take_one_launch(sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    start = [np.arange(1.0, n + 1) / 7 for n in sizes]
    found = {}
    names = launched(monkeypatch)
    for backend in ("cuda", "simple"):
        parameters = [Parameter(tensor(x, backend)) for x in start]
        optimizer = Adam(parameters, lr=0.1)
        for k in range(3):
            for p in parameters:
                p.value.grad = p.value * (k + 1.0)
            names.clear()
            optimizer.step()
            assert names == (["update_2"] if backend == "cuda" else [])
        found[backend] = [p.value.to_numpy() for p in parameters]
    for a, b in zip(found["cuda"], found["simple"]):
        assert np.allclose(a, b, rtol=0, atol=1e-12)


def test_parameters_of_two_dtypes() -> None:
    parameters = [Parameter(tensor([1.0, 2.0], dtype=d)) for d in ("float32", "float64")]
    for p in parameters:
        p.value.grad = tensor([1.0, 3.0], dtype=p.value.dtype)
    minitorch.SGD(parameters, lr=0.5).step()
    assert [p.value.to_numpy().tolist() for p in parameters] == [[0.5, 0.5]] * 2
    assert [str(p.value.dtype) for p in parameters] == ["float32", "float64"]


def test_equal_constants_are_uploaded_once() -> None:
    first = memory.cached_constant(np.array([[1, 2], [3, 4]]))
    assert memory.cached_constant(np.array([[1, 2], [3, 4]])) is first
    assert memory.cached_constant(np.array([1, 2, 3, 4])) is not first
    assert first.copy_to_host().tolist() == [[1, 2], [3, 4]]
    for k in range(memory.MAX_CONSTANTS):
        memory.cached_constant(np.array([k, -1]))
    assert memory.cached_constant(np.array([[1, 2], [3, 4]])) is not first


# Uploads


class Copy:
    """A device's array whose copies are made when the event behind them is waited for."""

    def __init__(self) -> None:
        self.pending: list[Any] = []
        self.got: list[float] = []

    def copy_to_device(self, elements: Any, stream: Any = 0) -> None:
        self.pending.append(elements)

    def arrive(self) -> None:
        self.got += [float(elements[0]) for elements in self.pending]
        self.pending.clear()


def test_a_buffer_is_used_again_only_after_its_copy() -> None:
    device = Copy()

    class Event:
        def record(self, stream: Any) -> None:
            assert stream == "the stream"

        def synchronize(self) -> None:
            device.arrive()

    buffers: list[int] = []

    def pinned(size: int) -> Any:
        buffers.append(size)
        return np.zeros(size, np.uint8)

    uploads = upload.PinnedUpload(pinned, Event)
    count = 3 * upload.SMALL_BUFFERS
    for k in range(count):
        uploads.upload(device, np.full(10, float(k)), "the stream")
    device.arrive()
    assert device.got == list(range(count))
    assert buffers == [512] * upload.SMALL_BUFFERS
    large = np.zeros(upload.SMALL + 1, np.uint8)
    for _ in range(5):
        uploads.upload(device, large, "the stream")
    assert buffers[upload.SMALL_BUFFERS :] == [2 * upload.SMALL] * upload.LARGE_BUFFERS


def test_a_huge_array_is_copied_without_a_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "MAX_BUFFER", 64)

    def refuse(size: int) -> Any:
        raise AssertionError("no buffer is needed")

    device = Copy()
    upload.PinnedUpload(refuse).upload(device, np.arange(100.0), "the stream")
    assert np.array_equal(device.pending[0], np.arange(100.0))


def test_uploads_of_any_layout_and_dtype() -> None:
    for array in (
        np.arange(6.0)[::2],
        np.arange(6, dtype=np.int64),
        np.zeros(0),
        np.arange(3, dtype=np.float32),
    ):
        assert np.array_equal(memory.storage(array).copy_to_host(), array)
