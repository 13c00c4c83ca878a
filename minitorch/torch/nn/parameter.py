"""Parameter and Buffer: tensors that a Module registers when they are assigned to an attribute."""

from __future__ import annotations

from typing import Any

from ...autodiff import History
from ...tensor import Tensor as Core
from ..creation import empty
from ..dtypes import Size
from ..show import show
from ..tensor import Tensor


class Parameter(Tensor):
    """A leaf that training changes; it shares the memory of ``data``.

    Args:
        data: A tensor of fractions; by default one without elements.
        requires_grad: Whether it collects a gradient; by default it does.

    Raises:
        RuntimeError: ``data`` has no fractions and ``requires_grad`` is True.
    """

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        source = Tensor() if data is None else data
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

    def __init__(self, data: Any = None, persistent: bool = True) -> None:
        source = Tensor() if data is None else data
        self._value, self._place, self.persistent = source._value, source._place, persistent


class UninitializedTensor(Tensor):
    """What a lazy module has before its first call: a tensor whose shape is not known."""

    _kind: type[Tensor] = Tensor

    persistent = True

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        self._value = empty(0, device=device, dtype=dtype)._value
        self.wants_grad = requires_grad

    @property
    def shape(self) -> Size:
        """Not known yet.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. Call `forward` to initialize the "
            "parameters before accessing their attributes."
        )

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become a tensor of this shape, with zeros."""
        made = empty(*shape, device=self.device if device is None else device, dtype=dtype or self.dtype)
        self.__class__ = self._kind  # type: ignore[assignment]
        self._value = made._value
        if self.wants_grad:
            self.requires_grad_()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(UninitializedTensor, Parameter):
    """A Parameter whose shape is not known yet."""

    _kind = Parameter


class UninitializedBuffer(UninitializedTensor, Buffer):
    """A buffer whose shape is not known yet."""

    _kind = Tensor
