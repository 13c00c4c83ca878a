"""Training steps of the Numba backend that are recorded once and replayed without autodiff.

What is recorded are the kernels of `TensorOps` (map, zip, reduce, products, convolutions, pooling, fused kernels,
updates) with the tensors that they were given. A replay calls them again: the history of tensors, checks, results'
memory and gradients cost nothing then, and what is computed is the same code on the same memory, so it is the same
bits. What a kernel decides by values (a convolution whose result is not finite) it decides at each replay.

    eager     Tensor -> Function -> check, allocate -> kernel
    record    Tensor -> Function -> check, allocate -> noted
    replay                                             kernel, launches in a row by one call, kernel, ...

Launches of compiled loops that follow each other are run by one compiled call (`launch_records`). The file depends on
`runtime.step_graph`, which says what a recorded step keeps, and on `tensor_data`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...runtime import allocator, capture
from ...runtime.quiet import quiet
from ...runtime.step_graph import Recording, Stale, StepGraph
from ...runtime.types import Array, Fn
from ...tensor_data import TensorData
from .. import jit
from .launch_records import Launches, Record, recorded

_state = Recording()


class _Borrowed:
    """Memory that an array reads without keeping it in use."""

    __slots__ = ("__array_interface__",)

    def __init__(self, array: Array) -> None:
        self.__array_interface__ = dict(array.__array_interface__)


class Graph(StepGraph):
    """A recorded step of the Numba backend; see `StepGraph`."""

    def __init__(self) -> None:
        super().__init__(allocator.Pool(allocator.HostBlock, limit=1 << 50), _state)
        self._operations: list[jit.Launch] = []
        self._runs: list[Callable[[], None]] = []

    @contextmanager
    def record(self) -> Iterator[None]:
        """See `StepGraph.record`."""
        with capture.record(self.actions, self.stepped):
            _state.captured = self
            try:
                yield
            finally:
                _state.captured = None
        self._runs = list(_in_runs(self._operations))

    def add(self, kernel: Fn, operands: tuple[Any, ...], launches: bool = False) -> None:
        """Record a kernel.

        Args:
            kernel: The kernel.
            operands: What it is called with.
            launches: Whether all it does is to launch compiled loops on its operands and on scratch memory, whatever
                their values: then these launches are recorded.
        """
        held = self.hold(operands)
        if not launches or jit.disabled():
            self._operations.append((kernel, held))
            return
        with jit.noted_launches() as found:
            kernel(*held)
        self._operations += [(launched, self.hold(given)) for launched, given in found]

    def host(self, fn: Fn, operands: tuple[Any, ...]) -> None:
        """Record a function that reads values on the host."""
        self._operations.append((fn, self.hold(operands)))

    def hold(self, operand: Any) -> Any:
        """See `StepGraph.hold`; a tensor may get another storage later, so it is noted with the one that it has."""
        if isinstance(operand, TensorData):
            return TensorData.on(
                self.hold(operand._storage), operand.shape, operand.strides, operand.size, operand.backend
            )
        # Other kinds of tuples are settings.
        return operand if isinstance(operand, tuple) and type(operand) is not tuple else super().hold(operand)

    def replay(self) -> None:
        """See `StepGraph.replay`."""
        for run in self._runs:
            run()

    @staticmethod
    def is_array(operand: Any) -> bool:
        """See `StepGraph.is_array`."""
        return isinstance(operand, np.ndarray)

    @staticmethod
    def address(array: Any) -> int:
        """See `StepGraph.address`."""
        found: int = array.__array_interface__["data"][0]
        return found

    @staticmethod
    def borrowed(array: Any) -> Any:
        """See `StepGraph.borrowed`."""
        return np.asarray(_Borrowed(array))


def _in_runs(operations: list[jit.Launch]) -> Iterator[Callable[[], None]]:
    """Yield what to call in a replay: launches that follow each other in one, other operations one by one."""
    launches, records = list[jit.Launch](), list[Record]()
    for kernel, operands in operations:
        record = recorded((kernel, operands))
        if record is None:
            if records:
                yield Launches(launches, records)
                launches, records = [], []
            yield functools.partial(kernel, *operands)
        else:
            launches.append((kernel, operands))
            records.append(record)
    if records:
        yield Launches(launches, records)


def recordable(kernel: Fn, launches: Callable[..., bool] | None = None) -> Fn:
    """Return a kernel that is recorded, and not run, while this thread records a step.

    Args:
        kernel: The kernel.
        launches: Of its operands: whether all it does is to launch compiled loops; see `Graph.add`. None: never.
    """

    @functools.wraps(kernel)
    def run(*operands: Any) -> None:
        graph = _state.captured
        if graph is None:
            kernel(*operands)
        else:
            graph.add(kernel, operands, launches is not None and launches(*operands))

    return run


def packed(*operands: Any) -> bool:
    """Tell whether kernels can use all tensors among their operands without a packed copy."""
    tensors = [t for t in operands if isinstance(t, TensorData)]
    return all(t.dtype == tensors[0].dtype and t.is_contiguous() for t in tensors)


def recordable_update(rule: Fn, update: Fn) -> Fn:
    """Return a kernel ``(settings, rows)``; see `tensor_ops.base.TensorOps.update_kernel`.

    Args:
        rule: The rule of the update.
        update: Called with an array of the settings, and with the rows.
    """

    def run(settings: tuple[float, ...], rows: Sequence[tuple[TensorData, ...]]) -> None:
        given = quiet.run(
            np.array, settings, rows[0][0].dtype
        )  # a learning rate too large for float32 is inf
        captured, refreshed = _state.captured, _state.refreshed
        if captured is None and refreshed is None:
            update(given, rows)
            return
        # Not by the gradient: it is another tensor at each step, and has the same address at each replay.
        key = (rule, *(id(t._storage) for p, _, *states in rows for t in (p, *states)))
        if captured is not None:
            captured.settings[key] = given, [(p, *states) for p, _, *states in rows]
            captured.add(update, (given, rows), launches=True)
        elif key in refreshed.settings:
            refreshed.settings[key][0][:] = given
        else:
            raise Stale

    return run


def on_host(fn: Fn, *operands: Any) -> bool:
    """See `tensor_ops.base.TensorOps.on_host`."""
    if _state.captured is None:
        fn(*operands)
    else:
        _state.captured.host(fn, operands)
    return True


def storage(array: Array) -> Array:
    """Return a flat array as memory of the backend; a recorded step fills its own with these numbers each time."""
    graph = _state.captured
    if graph is None:
        return array
    out = empty(array.size, array.dtype)
    graph.add(np.copyto, (out, array.copy()))
    return out


def replay_input(make: Callable[[], Array]) -> Array:
    """Return the flat array ``make()``; a recorded step calls it again before each replay."""
    if _state.captured is None or capture.rehearsing():
        return make()
    kept: list[Array] = []

    def fill() -> None:
        if kept:
            kept[0][:] = make()
        else:
            kept.append(make())

    capture.repeat(fill)
    return kept[0]


def empty(size: int, dtype: np.dtype[Any]) -> Array:
    """Return memory for a result; that of a recorded step comes from its own pool."""
    count = size * dtype.itemsize
    if count < allocator.MIN_POOLED:
        return np.empty(size, dtype)
    graph = _state.captured
    if graph is None:
        return allocator.empty(size, dtype)
    out = allocator.allocate_block(graph.pool.take(count), size, dtype)
    graph.own(out)
    return out
