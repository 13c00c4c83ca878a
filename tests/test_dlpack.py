"""Memory shared with other libraries: DLPack both ways, and what the GPU's tensors tell about themselves."""

from __future__ import annotations

import gc
import importlib.util
import os
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import BackendError, Tensor, dlpack, from_dlpack, tensor

rooms = pytest.mark.parametrize("room", ["simple", "fast"])
every = pytest.mark.parametrize("dtype", ["float32", "float64"])
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="NO PYTORCH: sharing with it was not tested"
)
needs_cuda = pytest.mark.skipif(
    os.environ["MINITORCH_CUDA_TESTS"] == "off", reason="MINITORCH_CUDA_TESTS=off"
)


def cells(*shape: int) -> Any:
    return np.random.default_rng(0).standard_normal(shape)


LAYOUTS: list[Any] = [
    lambda t: t,
    lambda t: t.permute(2, 0, 1),
    lambda t: t.contiguous().view(6, 4),
    lambda t: t.contiguous().view(24),
]


@rooms
@every
@pytest.mark.parametrize("layout", LAYOUTS)
def test_numpy_reads_our_memory(room: str, dtype: str, layout: Any) -> None:
    t = layout(tensor(cells(2, 3, 4), room, dtype=dtype))
    array = np.from_dlpack(t)
    assert array.dtype == dtype
    assert array.shape == t.shape
    assert np.array_equal(array, t.to_numpy())
    assert array.__array_interface__["data"][0] == t._tensor._storage.__array_interface__["data"][0]
    t._tensor._storage[0] = 77.0
    assert array.reshape(-1)[0] == 77.0


@rooms
@every
def test_we_read_numpys_memory(room: str, dtype: str) -> None:
    array = cells(3, 4).astype(dtype)
    for given in (array, array.T, array[1:, ::2], array[0], array[:0]):
        t = from_dlpack(given, room)
        assert (t.shape, t.dtype, t.backend.ops.name) == (given.shape, given.dtype, room)
        assert np.array_equal(t.to_numpy(), given)
        assert np.array_equal((t + t).to_numpy(), given + given)
    t = from_dlpack(array.T, room)
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

    t = tensor(cells(2, 3), dtype=dtype)
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
    before = len(dlpack._lent)
    array = np.from_dlpack(tensor(cells(200, 200)))
    gc.collect()
    assert len(dlpack._lent) == before + 1
    assert np.array_equal(array, cells(200, 200))
    del array
    gc.collect()
    assert len(dlpack._lent) == before


def test_a_capsule_that_nobody_takes_is_freed() -> None:
    before = len(dlpack._lent)
    capsule = tensor(cells(4)).__dlpack__()
    assert len(dlpack._lent) == before + 1
    del capsule
    gc.collect()
    assert len(dlpack._lent) == before


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
def test_dlpack_is_for_memory_of_the_cpu() -> None:
    with pytest.raises(BufferError, match="__cuda_array_interface__"):
        tensor([1.0], "cuda").__dlpack__()
    with pytest.raises(BufferError, match="'cuda'"):
        tensor([1.0], "cuda").__dlpack_device__()
    with pytest.raises(BackendError, match=r"from_dlpack\(x\).to\('cuda'\)"):
        from_dlpack(np.ones(2), "cuda")
    assert from_dlpack(np.ones(2)).to("cuda").to("fast").to_numpy().tolist() == [1.0, 1.0]


class Block:
    """A storage on a device that says where it is."""

    dtype = np.dtype(np.float32)
    __cuda_array_interface__ = {  # noqa: RUF012 - as libraries have it
        "shape": (6,), "strides": None, "data": (4096, False), "typestr": "<f4", "stream": None, "version": 3,
    }  # fmt: skip


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
