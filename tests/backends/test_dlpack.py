"""Memory shared with other libraries: DLPack both ways, and what the GPU's tensors tell about themselves.

Memory of a GPU is pretended: its addresses are passed on, and never read.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import BackendError, CudaOps, Tensor, TensorBackend, from_dlpack, tensor
from minitorch.cuda_ops.device import numba_cuda
from minitorch.runtime import dlpack

backends = pytest.mark.parametrize("backend", ["simple", "fast"])
every = pytest.mark.parametrize("dtype", ["float32", "float64"])
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="NO PYTORCH: sharing with it was not tested"
)
MODE = os.environ["MINITORCH_CUDA_TESTS"]
needs_cuda = pytest.mark.skipif(MODE == "off", reason="MINITORCH_CUDA_TESTS=off")


def elements(*shape: int) -> Any:
    return np.random.default_rng(0).standard_normal(shape)


LAYOUTS: list[Any] = [
    lambda t: t,
    lambda t: t.permute(2, 0, 1),
    lambda t: t.contiguous().view(6, 4),
    lambda t: t.contiguous().view(24),
]


@backends
@every
@pytest.mark.parametrize("layout", LAYOUTS)
def test_numpy_reads_our_memory(backend: str, dtype: str, layout: Any) -> None:
    t = layout(tensor(elements(2, 3, 4), backend, dtype=dtype))
    array = np.from_dlpack(t)
    assert array.dtype == dtype
    assert array.shape == t.shape
    assert np.array_equal(array, t.to_numpy())
    assert array.__array_interface__["data"][0] == t._tensor._storage.__array_interface__["data"][0]
    t._tensor._storage[0] = 77.0
    assert array.reshape(-1)[0] == 77.0


@backends
@every
def test_we_read_numpys_memory(backend: str, dtype: str) -> None:
    array = elements(3, 4).astype(dtype)
    for given in (array, array.T, array[1:, ::2], array[0], array[:0]):
        t = from_dlpack(given, backend)
        assert (t.shape, t.dtype, t.backend.ops.name) == (given.shape, given.dtype, backend)
        assert np.array_equal(t.to_numpy(), given)
        assert np.array_equal((t + t).to_numpy(), given + given)
    t = from_dlpack(array.T, backend)
    array[2, 1] = 5.0
    assert t[1, 2] == 5.0
    t[0, 0] = 6.0
    assert array[0, 0] == 6.0


def test_scalars_and_empty_tensors() -> None:
    assert np.from_dlpack(tensor(3.0)).shape == ()
    assert np.from_dlpack(tensor([])).shape == (0,)
    assert from_dlpack(np.array(4.0)).item() == 4.0


@needs_torch
@every
def test_torch_reads_our_memory_and_we_read_its(dtype: str) -> None:
    import torch

    t = tensor(elements(2, 3), dtype=dtype)
    theirs = torch.from_dlpack(t.permute(1, 0))
    assert theirs.shape == (3, 2)
    assert theirs.data_ptr() == t._tensor._storage.__array_interface__["data"][0]
    theirs[0, 1] = 9.0
    assert t[1, 0] == 9.0
    back = from_dlpack(theirs)
    assert back._tensor._storage.__array_interface__["data"][0] == theirs.data_ptr()
    assert np.array_equal((back @ t).to_numpy(), theirs.numpy() @ t.to_numpy())
    del t
    gc.collect()
    assert theirs[0, 1] == 9.0


def test_memory_lives_as_long_as_somebody_reads_it() -> None:
    gc.collect()
    before = len(dlpack._exported)
    array = np.from_dlpack(tensor(elements(200, 200)))
    gc.collect()
    assert len(dlpack._exported) == before + 1
    assert np.array_equal(array, elements(200, 200))
    del array
    gc.collect()
    assert len(dlpack._exported) == before


def test_a_capsule_that_nobody_takes_is_freed() -> None:
    before = len(dlpack._exported)
    capsule = tensor(elements(4)).__dlpack__()
    assert len(dlpack._exported) == before + 1
    del capsule
    gc.collect()
    assert len(dlpack._exported) == before


def test_a_copy_can_be_asked_for() -> None:
    t = tensor([1.0, 2.0])
    array = np.from_dlpack(t, copy=True)
    t[0] = 5.0
    assert array.tolist() == [1.0, 2.0]


def test_what_cannot_be_shared() -> None:
    with pytest.raises(BufferError, match="detach"):
        tensor([1.0], requires_grad=True).__dlpack__()
    with pytest.raises(BufferError, match=r"\(2, 0\)"):
        tensor([1.0]).__dlpack__(dl_device=(2, 0))
    with pytest.raises(TypeError, match="int64"):
        from_dlpack(np.arange(3))
    with pytest.raises(TypeError, match=r"list has no __dlpack__"):
        from_dlpack([1.0])
    with pytest.raises(ValueError, match=r"copy it first"):
        from_dlpack(np.arange(3.0)[::-1])


@needs_cuda
def test_memory_of_the_cpu_is_no_memory_of_a_gpu() -> None:
    with pytest.raises(BackendError, match=r"from_dlpack\(x\).to\('cuda'\)"):
        from_dlpack(np.ones(2), "cuda")
    assert from_dlpack(np.ones(2)).to("cuda").to("fast").to_numpy().tolist() == [1.0, 1.0]


@pytest.mark.skipif(MODE != "sim", reason="a GPU has memory to share")
def test_the_simulator_has_no_memory_to_share() -> None:
    for share in (Tensor.__dlpack__, Tensor.__dlpack_device__):
        with pytest.raises(BufferError, match=r"simulator.*t\.to\('fast'\)"):
            share(tensor([1.0], "cuda"))
    with pytest.raises(BackendError, match="simulator"):
        from_dlpack(Giver())


class Block:
    """A storage on a device that says where it is."""

    dtype = np.dtype(np.float32)
    __cuda_array_interface__ = {  # noqa: RUF012 - as libraries have it
        "shape": (6,), "strides": None, "data": (4096, False), "typestr": "<f4", "stream": None, "version": 3,
    }  # fmt: skip

    def __len__(self) -> int:
        return 6


class Giver:
    """An array of another library on a GPU, at an address that nobody reads."""

    def __init__(
        self, place: tuple[int, int] = (2, 0), itemsize: int = 4, steps: tuple[int, ...] = (3, 1)
    ) -> None:
        self.place, self.itemsize, self.steps, self.streams, self.owner = place, itemsize, steps, [], Owner()

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.place

    def __dlpack__(self, *, stream: Any) -> Any:
        self.streams.append(stream)
        return dlpack.capsule_at(8192, self.place, (2, 3), self.steps, self.itemsize, self.owner)


class Owner:
    """What lives as long as somebody reads the memory."""


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Pretend that there is a GPU, and note what is asked of it."""
    seen: dict[str, Any] = {"waits": [], "arrays": []}

    def array_at(address: int, count: int, dtype: np.dtype[Any], owner: Any) -> Any:
        seen["arrays"].append((address, count, dtype.name, owner))
        return Block()

    monkeypatch.setattr(numba_cuda, "SIMULATED", False)
    monkeypatch.setattr(numba_cuda, "device_number", lambda: 0)
    monkeypatch.setattr(numba_cuda, "make_wait", seen["waits"].append)
    monkeypatch.setattr(numba_cuda, "array_at", array_at)
    return seen


def on_the_card() -> Tensor:
    return Tensor(minitorch.TensorData.on(Block(), (2, 3), None, 6, TensorBackend(CudaOps)))


@needs_cuda
@pytest.mark.usefixtures("card")
def test_a_capsule_says_where_memory_of_the_gpu_is() -> None:
    before, t = len(dlpack._exported), on_the_card()
    assert t.__dlpack_device__() == (2, 0)
    for given, shape, steps in ((t, (2, 3), (3, 1)), (t.permute(1, 0), (3, 2), (1, 3))):
        taken = dlpack.Imported(given.__dlpack__(dl_device=(2, 0)))
        assert (taken.place, taken.address, taken.dtype) == ((2, 0), 4096, "float32")
        assert (taken.shape, taken.steps) == (shape, steps)
        assert len(dlpack._exported) == before + 1
        del taken
        assert len(dlpack._exported) == before
    capsule = t.__dlpack__()
    del capsule
    assert len(dlpack._exported) == before
    with pytest.raises(BufferError, match=r"\(2, 0\), not on \(1, 0\)"):
        t.__dlpack__(dl_device=(1, 0))


@needs_cuda
def test_the_receivers_stream_waits_if_it_is_another_one(card: dict[str, Any]) -> None:
    for stream in (None, -1, 1):
        on_the_card().__dlpack__(stream=stream)
    assert card["waits"] == []
    for stream in (2, 140_000_000_000):
        on_the_card().__dlpack__(stream=stream)
    assert card["waits"] == [2, 140_000_000_000]
    before = len(dlpack._exported)
    for wrong in (0, -2, 1.0, "default"):
        with pytest.raises(ValueError, match=rf"handle of a CUDA stream, not {wrong!r}"):
            on_the_card().__dlpack__(stream=wrong)
    assert len(dlpack._exported) == before


@needs_cuda
@pytest.mark.parametrize("backend", [None, CudaOps])
def test_memory_of_another_library_on_the_gpu(card: dict[str, Any], backend: Any) -> None:
    before, giver = len(dlpack._exported), Giver(steps=(1, 2), itemsize=8)
    owner = weakref.ref(giver.owner)
    t = from_dlpack(giver, backend and TensorBackend(backend))
    ((address, count, dtype, taken),) = card["arrays"]
    assert giver.streams == [1]
    assert (address, count, dtype) == (8192, 6, "float64")
    assert (t.shape, t._tensor.strides, t.backend.ops) == ((2, 3), (1, 2), CudaOps)
    del giver
    gc.collect()
    assert owner() is not None
    del taken
    card["arrays"].clear()
    gc.collect()
    assert owner() is None
    assert len(dlpack._exported) == before


@needs_cuda
@pytest.mark.usefixtures("card")
@pytest.mark.parametrize(
    ("giver", "kind", "told"),
    [
        (Giver(place=(2, 1)), BackendError, r"\(2, 1\).*\(2, 0\)"),
        (Giver(itemsize=2), TypeError, "not float16"),
        (Giver(steps=(3, -1)), ValueError, "copy it first"),
        (Giver(steps=(2**31, 1)), BackendError, "32 bits"),
    ],
)
def test_memory_of_a_gpu_that_cannot_be_used(giver: Giver, kind: type[Exception], told: str) -> None:
    before = len(dlpack._exported)
    with pytest.raises(kind, match=told):
        from_dlpack(giver, TensorBackend(CudaOps))
    gc.collect()
    assert len(dlpack._exported) == before


@pytest.mark.skipif(MODE != "gpu", reason="NO GPU: sharing its memory was not tested")
def test_a_gpu_shares_its_memory() -> None:
    t = tensor(elements(2, 3), "cuda")
    shared = from_dlpack(t.permute(1, 0))
    assert shared.backend.ops is CudaOps
    assert shared.__cuda_array_interface__["data"] == t.__cuda_array_interface__["data"]
    t[1, 2] = 5.0
    assert np.array_equal(shared.to_numpy(), t.to_numpy().T)
    stream = numba_cuda.cuda.stream()
    assert dlpack.Imported(t.__dlpack__(stream=int(stream))).shape == (2, 3)
    del t
    gc.collect()
    assert shared[2, 1] == 5.0


@pytest.mark.parametrize("backend", ["simple", "fast"])
def test_backends_on_the_cpu_refuse_memory_of_a_gpu(backend: str) -> None:
    with pytest.raises(BackendError, match=rf"'cuda', not '{backend}'"):
        from_dlpack(Giver(), backend)


@every
def test_capsules_of_numpy_are_read_and_given_back_once(dtype: str) -> None:
    for array in (elements(3, 4).astype(dtype), elements(3, 4).astype(dtype).T, np.array(2.0, dtype)):
        taken, capsule = None, array.__dlpack__()
        taken = dlpack.Imported(capsule)
        assert (taken.place, taken.dtype, taken.shape) == ((1, 0), dtype, array.shape)
        assert taken.address == array.ctypes.data
        assert taken.steps == tuple(s // array.itemsize for s in array.strides)
        with pytest.raises(BufferError, match="not consumed yet"):
            dlpack.Imported(capsule)
        count = sys.getrefcount(array)
        del taken
        assert sys.getrefcount(array) == count - 1
        del capsule
        assert sys.getrefcount(array) == count - 1


NUMBA = """
import gc, sys
sys.path.insert(0, {root!r})
import numpy as np
from minitorch.cuda_ops.device import dlpack as cuda_dlpack
from minitorch.cuda_ops.device import numba_cuda
from minitorch.runtime import dlpack
class Context:
    pass
class Owner:
    pass
numba_cuda.cuda.current_context, numba_cuda.device_number = Context, lambda: 0
lives = []
owner = Owner()
import weakref
weakref.finalize(owner, lives.append, "over")
array = numba_cuda.array_at(4096, 6, np.dtype(np.float32), owner)
del owner
capsule = cuda_dlpack.capsule(array, (3, 2), (1, 3), array.dtype, None)
del array
gc.collect()
taken = dlpack.Imported(capsule)
assert (taken.place, taken.address, taken.shape, taken.steps) == ((2, 0), 4096, (3, 2), (1, 3))
assert lives == []
del taken
gc.collect()
assert lives == ["over"], lives
print("as expected")
"""


def test_numbas_own_arrays_say_where_they_are_and_keep_what_they_are_made_on() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", NUMBA.format(root=str(Path(__file__).resolve().parents[2]))],
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "0"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("as expected\n", "")


def test_the_array_interface_of_a_tensor_on_the_gpu() -> None:
    data = minitorch.TensorData.on(Block(), (2, 3), None, 6, minitorch.FastBackend)
    told = Tensor(data).permute(1, 0).__cuda_array_interface__
    assert told == {
        "shape": (3, 2), "strides": (4, 12), "data": (4096, False), "typestr": "<f4", "stream": None, "version": 3,
    }  # fmt: skip


def test_a_tensor_on_the_cpu_has_no_such_interface() -> None:
    assert "__cuda_array_interface__" in dir(Tensor)
    with pytest.raises(AttributeError, match="memory of the CPU"):
        _ = tensor([1.0]).__cuda_array_interface__


@pytest.mark.parametrize("backend", ["simple", "fast"])
def test_read_only_memory_is_read_and_not_written(backend: str) -> None:
    array = np.array([1.0, 2.0, 3.0, 4.0])
    array.flags.writeable = False
    shared = [minitorch.from_dlpack(array, backend), Tensor.make(array, (4,), backend=backend)]
    for t in shared:
        assert (t + 1.0).to_numpy().tolist() == [2.0, 3.0, 4.0, 5.0]
        p = minitorch.Parameter(t)
        p.value.grad = minitorch.ones((4,), backend)

        def assign(p: minitorch.Parameter = p) -> None:
            p[0] = 5.0

        def assign_slice(p: minitorch.Parameter = p) -> None:
            p[1:] = 5.0

        optimizer = minitorch.SGD([p])
        for change in (assign, assign_slice, lambda t=t: t.copy_(np.zeros(4)), optimizer.step):
            with pytest.raises(
                ValueError, match=r"expected memory that may be written, got read-only memory"
            ):
                change()
        assert t.to_numpy().tolist() == array.tolist() == [1.0, 2.0, 3.0, 4.0]
