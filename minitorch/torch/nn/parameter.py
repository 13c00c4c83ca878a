"""Parameter: a tensor that a Module registers when it is assigned to an attribute."""

from __future__ import annotations

from typing import Any

from ...autodiff import History
from ...tensor import Tensor as Core
from ..show import show
from ..tensor import Tensor


class Parameter(Tensor):
    """A leaf that training changes; it shares the memory of ``data``.

    Args:
        data: A tensor of fractions.
        requires_grad: Whether it collects a gradient; by default it does.

    Raises:
        RuntimeError: ``data`` has no fractions and ``requires_grad`` is True.
    """

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        source = Tensor(0) if data is None else data
        v = source._value
        if isinstance(v, Core):
            self._value = Core(v._tensor, History() if requires_grad else None)
        elif requires_grad:
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        else:
            self._value, self._place = v, source._place

    def __repr__(self) -> str:
        return f"Parameter containing:\n{show(self)}"


class Buffer(Tensor):
    """A tensor that a Module registers as a buffer when it is assigned to an attribute."""

    def __init__(self, data: Tensor, persistent: bool = True) -> None:
        self._value, self._place, self.persistent = data._value, data._place, persistent
