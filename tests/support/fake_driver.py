"""A training step, captured and replayed by the code for a GPU, on a fake driver that logs its calls.

`tests/cuda/test_cuda_graph.py` runs it in a process of its own, without the simulator. Kernels compute
nothing. It checks which call goes to which stream; that a capture reads nothing, and allocates in relaxed mode only;
and what a replay calls.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from numba import cuda
from numba.cuda.cudadrv import devices
from numba.cuda.cudadrv import driver as numbas

from minitorch.cuda_ops.device import driver as device_driver
from minitorch.cuda_ops.device import numba_cuda

asked: list[tuple[str, Any]] = []
streams, addresses = itertools.count(100, 100), itertools.count(1 << 20, 1 << 16)


class Context:
    """Stands for the context of a card."""


class Library:
    """Stands for the driver's library."""

    def cuStreamCreate(self, made: Any, kind: Any) -> int:
        made._obj.value = next(streams)
        asked.append(("new stream", (made._obj.value, kind.value)))
        return 0

    def cuStreamBeginCapture_v2(self, stream: Any, mode: Any) -> int:
        asked.append(("begin", (stream.value, mode.value)))
        return 0

    fault = 0

    def cuStreamEndCapture(self, stream: Any, graph: Any) -> int:
        graph._obj.value = 7
        asked.append(("end", stream.value))
        return self.fault

    def cuGraphInstantiateWithFlags(self, instance: Any, graph: Any, flags: Any) -> int:
        instance._obj.value = 8
        asked.append(("instantiate", graph.value))
        return 0

    def cuGraphDestroy(self, graph: Any) -> int:
        return 0

    def cuGraphExecDestroy(self, instance: Any) -> int:
        asked.append(("destroy", instance.value))
        return 0

    def cuGraphLaunch(self, instance: Any, stream: Any) -> int:
        asked.append(("replay", (instance.value, stream.value)))
        return 0

    def cuThreadExchangeStreamCaptureMode(self, mode: Any) -> int:
        asked.append(("mode", mode._obj.value))
        mode._obj.value = (
            device_driver.THREAD_LOCAL if mode._obj.value == device_driver.RELAXED else device_driver.RELAXED
        )
        return 0


class Stream:
    """Stands for Numba's stream on one of the driver's."""

    def __init__(self, handle: int) -> None:
        self.handle = handle


class Kernel:
    """Stands for a compiled kernel."""

    def __init__(self, fn: Any) -> None:
        self.name = fn.__name__

    def __getitem__(self, grid: Any) -> Any:
        return lambda *operands: asked.append(("launch", (self.name, grid[2].handle)))


class Event:
    """Stands for Numba's event."""

    def record(self, stream: Any) -> None:
        asked.append(("event", stream.handle))

    def synchronize(self) -> None:
        asked.append(("wait", None))


def memory(size: int) -> Any:
    asked.append(("allocate", size))
    return cuda.MemoryPointer(Context(), ctypes.c_void_p(next(addresses)), size)


def copied(kind: str) -> Any:
    def copy(to: Any, source: Any, size: int, stream: Any = 0) -> None:
        assert size == source.nbytes, f"{kind} of {size} bytes from an array of {source.nbytes}"
        asked.append((kind, stream.handle if stream else 0))

    return copy


LIBRARY = Library()
device_driver._library = lambda: LIBRARY  # type: ignore[assignment]
numba_cuda.detect = lambda: numba_cuda.Machine(driver=(13, 0), devices=1, usable=True)
numba_cuda.memory, numba_cuda.jit = memory, Kernel
numba_cuda.pinned, numba_cuda.event = (lambda size: np.zeros(size, np.uint8)), Event
cuda.current_context, cuda.external_stream, cuda.defer_cleanup = Context, Stream, contextlib.nullcontext
devices._runtime.ensure_context = contextlib.nullcontext
numbas.host_to_device, numbas.device_to_device = copied("upload"), copied("copy")
numbas.device_to_host = copied("download")

import minitorch  # noqa: E402
from minitorch import GraphedStep  # noqa: E402
from minitorch.cuda_ops.device import memory as device_memory  # noqa: E402
from minitorch.cuda_ops.device.upload import PinnedUpload  # noqa: E402

device_memory.UPLOADS = PinnedUpload(numba_cuda.pinned, Event)
minitorch.set_default_backend("cuda")
norm = minitorch.BatchNorm1d(3)
model = minitorch.Sequential(minitorch.Linear(4, 3), norm, minitorch.Dropout(0.5))
optimizer = minitorch.Adam(model.parameters(), lr=0.1)


def step(x: Any, labels: Any) -> Any:
    optimizer.zero_grad()
    loss = minitorch.cross_entropy(model(x), labels)
    loss.backward()
    optimizer.step()
    return loss


batch = np.ones((5, 4)), [0, 1, 2, 0, 1]
graphed = GraphedStep(step, *batch, optimizer=optimizer)


def run(taken: Any) -> list[tuple[str, Any]]:
    """Take a step, and return what the driver was asked meanwhile."""
    asked.clear()
    taken(*batch)
    return [call for call in asked if call[0] != "wait"]


warm = [run(graphed) for _ in range(3)][-1]
recorded, replayed, again = run(graphed), run(graphed), run(graphed)
first = recorded.index(("begin", (200, device_driver.THREAD_LOCAL)))
last = recorded.index(("end", 200))
kinds = [kind for kind, _ in recorded[first + 1 : last]]

assert {told[1] for kind, told in warm if kind == "launch"} == {100}, (
    "launches go to the stream of the backend"
)
assert {told for kind, told in warm if kind in ("upload", "event")} == {100}
assert not {"download", "copy", "begin"} & {kind for kind, _ in warm}
assert {told for kind, told in warm if kind == "allocate"} <= {512}, (
    "settings and addresses, kept for a while"
)
inside = recorded[first + 1 : last]
assert set(kinds) <= {"launch", "copy", "allocate", "mode"}, set(kinds)
assert {told[1] for kind, told in inside if kind == "launch"} == {200}, "recorded on a stream apart"
assert {told for kind, told in inside if kind == "copy"} == {200}
for k, kind in enumerate(kinds):
    if kind == "allocate":
        assert inside[k - 1] == ("mode", device_driver.RELAXED)
        assert kinds[k + 1] == "mode"
launches = [told[0] for kind, told in warm if kind == "launch"]
assert "update_2" in launches
assert launches.count("update_2") == 1
assert [kind for kind, _ in recorded[:first]] == ["upload", "event"] * 2, "the batch goes up before"
assert {kind for kind, _ in recorded[last + 1 :]} == {"instantiate", "upload", "event", "replay"}
assert recorded[-1] == ("replay", (8, 100))
for found in (replayed, again):
    calls = [call for call in found if call[0] != "event"]
    # Rows, labels, the optimizer's settings, the mask of dropout; then one call.
    assert calls == [("upload", 100)] * 4 + [("replay", (8, 100))], calls
assert optimizer._memory[id(optimizer.parameters[0])][0] == 6
assert int(norm.num_batches_tracked) == 6
asked.clear()
del graphed
assert ("destroy", 8) in asked

Library.fault = 901
graphed = GraphedStep(step, *batch, optimizer=optimizer, warmup=1)
run(graphed)
told = ""
try:
    run(graphed)
except minitorch.BackendError as problem:
    told = str(problem)
assert told == "the step could not be recorded: cuStreamEndCapture answered with error 901"
assert optimizer._memory[id(optimizer.parameters[0])][0] == 7
Library.fault = 0
assert run(graphed)[-1] == ("replay", (8, 100))
print("as expected")
