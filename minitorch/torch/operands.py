"""What functions of elements do with their operands: dtype and device of the result, shapes, and the call itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autodiff import Function
from ..tensor import Tensor as Core
from .dtypes import common_dtype, device, dtype, float16, get_default_dtype, number_dtype
from .tensor import CPU, Tensor, as_core, from_array, is_float, to_array, wrap


def result_type(*operands: Any) -> dtype:
    """Return the dtype of an operation on tensors and numbers."""
    tensors = [x for x in operands if isinstance(x, Tensor)]
    return common_dtype(
        [t.dtype for t in tensors if t.ndim],
        [t.dtype for t in tensors if not t.ndim],
        [number_dtype(x) for x in operands if not isinstance(x, Tensor)],
    )


def common_device(name: str, *operands: Any) -> device:
    """Return the device of the tensors among the operands; one of a single element may be on the CPU.

    Raises:
        RuntimeError: They are on different devices.
        TypeError: An operand is neither a Tensor nor a number.
    """
    found: device | None = None
    for x in operands:
        if not isinstance(x, Tensor):
            if isinstance(x, bool | int | float | np.number | np.bool_):
                continue
            raise TypeError(f"{name}: expected Tensors and numbers, got {type(x).__name__}")
        if not x.ndim and not x.is_cuda:
            continue
        if found is not None and x.device != found:
            raise RuntimeError(
                f"{name}: Expected all tensors to be on the same device, but found at least two devices, "
                f"{found} and {x.device}!"
            )
        found = x.device
    if found is not None:
        return found
    return CPU


def check_shapes(operands: tuple[Any, ...]) -> None:
    """Check that operands broadcast.

    Raises:
        RuntimeError: They do not.
    """
    tensors = [x for x in operands if isinstance(x, Tensor)]
    for other in tensors[1:]:
        a, b = tuple(tensors[0].shape), tuple(other.shape)
        n = max(len(a), len(b))
        for k, (p, q) in enumerate(zip((1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b)):
            if p != q and p != 1 and q != 1:
                raise RuntimeError(
                    f"The size of tensor a ({p}) must match the size of tensor b ({q}) at non-singleton dimension {k}"
                )


def apply(
    name: str,
    fn: type[Function],
    array_fn: Callable[..., Any],
    *operands: Any,
    floats_only: bool = False,
    op: str | None = None,
) -> Tensor:
    """Apply a function of elements: ``fn`` of the core to fractions, ``array_fn`` of NumPy to integers.

    Args:
        name: For messages.
        fn: The Function.
        array_fn: The same on arrays.
        *operands: Tensors and numbers, which broadcast.
        floats_only: Whether integers are converted to the default dtype first.
        op: What ``grad_fn`` is called.
    """
    if len(operands) == 1 and is_float(operands[0]):
        return wrap(fn.apply(operands[0]._value), op=op)
    check_shapes(operands)
    place = common_device(name, *operands)
    d = result_type(*operands)
    if floats_only and not d.is_floating_point:
        d = get_default_dtype()
    if not d.is_floating_point or d is float16:
        if d is float16:
            raise RuntimeError(f"{name}: minitorch computes in float32 and float64: convert {d} with float()")
        arrays = [to_array(x).astype(d.numpy) for x in operands]
        return from_array(array_fn(*arrays), place)
    backend = next((x._value.backend for x in operands if is_float(x) and x.device == place), None)
    values = [as_core(x, d, backend) for x in operands]
    return wrap(fn.apply(*values), op=op)


def binary(name: str, fn: type[Function], array_fn: Callable[..., Any], a: Any, b: Any, op: str) -> Tensor:
    """Apply a function of two elements; two tensors of one kind, or one and a number, go straight to the core."""
    if isinstance(a, Tensor) and isinstance(a._value, Core):
        va = a._value
        if type(b) is float or type(b) is int:
            return wrap(fn.apply(va, b), op=op)
        if isinstance(b, Tensor) and isinstance(b._value, Core):
            vb = b._value
            if vb.dtype == va.dtype and vb.backend is va.backend and (va.shape == vb.shape):
                return wrap(fn.apply(va, vb), op=op)
    return apply(name, fn, array_fn, a, b, op=op)
