"""A training step that is recorded once, and replayed without the work of Python.

The backend of the batch records and replays (`runtime.step_graph`): `fast` calls its kernels again, `cuda` launches a
CUDA graph by one call of the driver. What Python does in a step besides is repeated by `runtime.capture`.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from ..runtime.capture import during_capture
from ..runtime.step_graph import RecordingError, Stale, StepGraph
from ..tensor import Tensor, tensor
from ..tensor_data import BackendError
from ..tensor_ops.backend import find_backend

Step = Callable[..., Any]


@functools.cache
def _warn(fault: str) -> None:
    warnings.warn(f"steps run eagerly: they cannot be recorded here ({fault})", RuntimeWarning, stacklevel=3)


class GraphedStep:
    """A training step that is captured once and then replayed, without the cost of Python.

        def step(images, labels):
            optimizer.zero_grad()
            loss = minitorch.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            return loss

        graphed = minitorch.GraphedStep(step, images, labels, optimizer=optimizer)
        for images, labels in batches:
            loss = graphed(images, labels)

    The first ``warmup`` calls run the step eagerly. The next one captures it. All later ones copy the batch to where
    the captured kernels read it, refresh what changes (the optimizer's settings and counts, random keys, BatchNorm's
    counts) and replay. The weights are the same, bit by bit, as without it.

    - Each call returns the same tensors with new numbers: read them before the next call.
    - A batch of other shapes than the examples (a short last one) runs eagerly; so does everything where a CUDA
      driver cannot capture, with one RuntimeWarning.
    - The step must not read tensor values on the host: no ``item``, print, ``if`` or ``clip_grad_norm_``. The capture
      raises an error.
    - Whatever else Python does in the step is done at the capture, not at replays: a scheduler's ``step`` belongs
      outside. A wrong class number is an error on `fast`; on `cuda` it makes the loss NaN, the host does not see it.
    - Settings of the model (training or evaluation, a frozen weight) are those at the time of the capture.
    - The step has a memory pool of its own as long as it lives, which is not in ``memory_stats``.

    Args:
        step: Takes the tensors of a batch; returns a tensor, a tuple of tensors, or None.
        *examples: A batch that gives shapes and dtypes: tensors, or anything `minitorch.tensor` takes.
        optimizer: The optimizer whose ``step()`` is called inside, or a list of them.
        warmup: How often the step runs eagerly at first.

    Raises:
        BackendError: The examples are in another backend than `fast` or `cuda`.
        TypeError: The optimizer has an ``update_one`` or a ``step`` of its own, which a replay would not call.
        ValueError: ``warmup`` is less than 1.
    """

    def __init__(self, step: Step, *examples: Any, optimizer: Any = None, warmup: int = 3) -> None:
        backend = next((e.backend for e in examples if isinstance(e, Tensor)), find_backend(None))
        if warmup < 1:
            raise ValueError(
                f"warmup must be at least 1, not {warmup}: kernels are compiled at their first launch"
            )
        given = [optimizer] if optimizer is not None else []
        self._optimizers = list(optimizer) if isinstance(optimizer, list | tuple) else given
        for one in self._optimizers:
            if not one.replayable:
                raise TypeError(
                    f"{type(one).__name__} has an update_one or a step of its own: it cannot be replayed"
                )
        self._step, self._warm = step, warmup
        self._inputs = [_input(e, backend) for e in examples]
        self._new_graph = backend.ops.step_graph
        self._graph: StepGraph | None = None
        self._updated: list[Any] = []
        self._results: Any = None
        self._records = True
        try:
            self._new_graph()
        except RecordingError as fault:
            _warn(str(fault))
            self._records = False

    @property
    def recorded(self) -> bool:
        """Whether the next call replays."""
        return self._graph is not None

    def __call__(self, *batch: Any) -> Any:
        """Take a step with a batch.

        Raises:
            TypeError: There are more or fewer tensors than examples, or the step returns something else than tensors.
            RuntimeError: The step does what cannot be recorded; the message says what.
            BackendError: A CUDA driver cannot record it.
        """
        if len(batch) != len(self._inputs):
            raise TypeError(f"the step takes {len(self._inputs)} tensors, not {len(batch)}")
        if any(np.shape(given) != t.shape for given, t in zip(batch, self._inputs)):
            return self._run([_input(given, t.backend, t.dtype) for given, t in zip(batch, self._inputs)])
        for given, t in zip(batch, self._inputs):
            _fill(t, given)
        if self._warm or not self._records:
            self._warm = max(self._warm - 1, 0)
            return self._run(self._inputs)
        with self._counting(self._optimizers):
            if self._graph is None or not self._refreshed(self._graph):
                self._graph = self._results = None  # their memory first
                self._graph = self._record()
            self._graph.replay()
        return self._results

    def _run(self, inputs: list[Tensor]) -> Any:
        with during_capture():
            return self._step(*inputs)

    def _record(self) -> StepGraph:
        """Record the step; what Python does in it is done now."""
        graph = self._new_graph()
        try:
            with self._counting(self._optimizers), graph.record():
                self._results = _detached(self._run(self._inputs))
                self._check(graph.stepped)
        except BaseException as problem:
            for one in self._optimizers:
                one.zero_grad()  # nothing was computed
            if isinstance(problem, RecordingError):
                raise BackendError(f"the step could not be recorded: {problem}") from problem
            raise
        rows = [row for _, rows in graph.settings.values() for row in rows]
        updated = {id(row[0]) for row in rows}
        parameters = [p for one in graph.stepped for p in one.parameters if isinstance(p.value, Tensor)]
        self._updated = [p for p in parameters if id(p.value._tensor) in updated]
        return graph

    @staticmethod
    @contextmanager
    def _counting(optimizers: list[Any]) -> Iterator[None]:
        """Forget the steps that optimizers count within the block if it raises."""
        with ExitStack() as stack:
            for one in optimizers:
                stack.enter_context(one.counting())
            yield

    def _check(self, stepped: list[Any]) -> None:
        for one in stepped:
            if all(one is not other for other in self._optimizers):
                raise RuntimeError(
                    f"the step calls step() of {type(one).__name__}, which was not given as optimizer="
                )
            if sum(one is other for other in stepped) > 1:
                raise RuntimeError(f"the step calls step() of {type(one).__name__} more than once")

    def _refreshed(self, graph: StepGraph) -> bool:
        """Do what Python does at each step, and tell whether the recorded step still fits."""
        try:
            with graph.refresh(), self._counting(graph.stepped):
                for one in graph.stepped:
                    one.refresh(self._updated)
        except Stale:
            return False
        for action in graph.actions:
            action()
        return True


def _input(given: Any, backend: Any, dtype: Any = None) -> Tensor:
    """Return a new constant in the backend, with the numbers of ``given``."""
    if isinstance(given, Tensor):
        moved = given.detach().to(backend)
        return moved.astype(dtype or given.dtype).clone()
    return tensor(np.asarray(given), backend, dtype=dtype)


def _fill(t: Tensor, given: Any) -> None:
    """Copy the numbers of ``given`` into the storage of ``t``."""
    if isinstance(given, Tensor) and given.backend == t.backend:
        t.f.id_map(given._tensor, t._tensor)
    else:
        t.backend.ops.write(t._tensor._storage, np.asarray(given, t.dtype).reshape(-1))


def _detached(found: Any) -> Any:
    """Return results without their history, which would keep the step's memory in use."""
    if found is None or isinstance(found, Tensor):
        return None if found is None else found.detach()
    if isinstance(found, tuple) and all(isinstance(t, Tensor) for t in found):
        return tuple(t.detach() for t in found)
    raise TypeError(f"a step returns a tensor, a tuple of tensors or None, not {type(found).__name__}")
