"""Runs a random program on one backend, step by step, and notes what each step gave.

A program is data: a list of `Step`. A step names an operation of `operations.OPERATIONS`, the numbers of the earlier
steps whose results are its operands, and settings. A step whose operands failed is skipped.

Checked here, without a second backend: an error is one that the package raises itself, of a public kind, with a message
of one line, which shapes in a drawing may follow; it changes nothing; and there is no warning.
"""

from __future__ import annotations

import dis
import warnings
from collections.abc import Mapping
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple

import numpy as np

import minitorch
from minitorch import BackendError, IndexingError, Module, Tensor

from .operations import OPERATIONS, recorded

PUBLIC_ERRORS = (IndexingError, BackendError, ValueError, TypeError, RuntimeError)


class Step(NamedTuple):
    """One operation of a program."""

    op: str
    operands: tuple[int, ...]
    settings: dict[str, Any]


class Outcome(NamedTuple):
    """What a step gave.

    Attributes:
        status: "value", the name of an error's class, or "skipped".
        numbers: The result, and after `backward` the gradients, by name.
        notes: What must be equal on all backends beside numbers: dtypes, and whether a gradient is recorded.
        message: Of an error.
        fault: What is wrong whatever another backend does, or "".
    """

    status: str
    numbers: Mapping[str, Any] = MappingProxyType({})
    notes: tuple[Any, ...] = ()
    message: str = ""
    fault: str = ""


class Interpreter:
    """The state of a program on one backend: the results of its steps."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.values: list[Any] = []

    def run(self, step: Step) -> Outcome:
        """Run the next step."""
        operands = [self.values[k] for k in step.operands]
        if any(v is None for v in operands):
            self.values.append(None)
            return Outcome("skipped")
        settings = dict(step.settings)
        no_grad = settings.pop("no_grad", False)
        before = self.numbers()
        minitorch.set_default_backend(self.backend)
        minitorch.manual_seed(len(self.values))
        try:
            with warnings.catch_warnings(), recorded(not no_grad):
                warnings.simplefilter("error")
                result = OPERATIONS[step.op](self.backend, *operands, **settings)
        except Exception as error:
            self.values.append(None)
            fault = _fault(error)
            if not fault and not _may_change(step, operands) and not _equal(before, self.numbers()):
                fault = "a failed step changed numbers"
            return Outcome(type(error).__name__, message=f"{error}"[:300], fault=fault)
        self.values.append(result)
        return self._outcome(step, result)

    def _outcome(self, step: Step, result: Any) -> Outcome:
        if step.op == "backward":
            found = {k: v for k, v in self.numbers().items() if k.endswith("grad")}
            return Outcome("value", found)
        if isinstance(result, Tensor):
            return Outcome("value", {"result": result.to_numpy()}, (result.requires_grad(),))
        return Outcome("value", {"result": np.array(result)} if isinstance(result, float) else {})

    def numbers(self) -> dict[str, Any]:
        """Return all numbers that the program holds: tensors, gradients, parameters and buffers, by name."""
        found: dict[str, Any] = {}
        for k, value in enumerate(self.values):
            tensors = [("", value)] if isinstance(value, Tensor) else []
            if isinstance(value, Module):
                tensors = [(f".{name}", p.value) for name, p in value.named_parameters()]
                tensors += [(f".{name}", b) for name, b in value.named_buffers()]
            for name, t in tensors:
                found[f"{k}{name}"] = np.array(t.to_numpy() if isinstance(t, Tensor) else t)
                if isinstance(t, Tensor) and t.grad is not None:
                    found[f"{k}{name}.grad"] = t.grad.to_numpy()
        return found


def _may_change(step: Step, operands: list[Any]) -> bool:
    """Tell whether a failed step may have changed numbers: in the part of it that worked."""
    return step.op == "backward" or isinstance(operands[0] if operands else None, minitorch.Sequential)


def execute(program: list[Step], backend: Any) -> list[Outcome]:
    """Run a program; the last outcome holds all numbers at the end."""
    interpreter = Interpreter(backend)
    outcomes = [interpreter.run(step) for step in program]
    return [*outcomes, Outcome("value", interpreter.numbers())]


def _equal(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    return a.keys() == b.keys() and all(
        x.shape == b[k].shape and x.dtype == b[k].dtype and x.tobytes() == b[k].tobytes()
        for k, x in a.items()
    )


def _fault(error: Exception) -> str:
    kind, message = type(error), str(error)
    if kind not in PUBLIC_ERRORS:
        return f"not a public error: {kind.__name__}"
    # A drawing of shapes may follow the line.
    if not message or ("\n" in message and "\nguide: docs/guide/" not in message):
        return "the message is not one line"
    if not _raised_by_package(error.__traceback__):
        return "raised by Python or NumPy, not by a check"
    return ""


def _raised_by_package(trace: TracebackType | None) -> bool:
    """Tell whether the error came from a `raise` in the package."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or "minitorch" not in trace.tb_frame.f_globals.get("__name__", ""):
        return False
    return dis.opname[trace.tb_frame.f_code.co_code[trace.tb_lasti]] in ("RAISE_VARARGS", "RERAISE")
