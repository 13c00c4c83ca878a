"""``gradcheck``: derivatives against differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...tensor import Tensor as Core
from ..tensor import Tensor, to_array, wrap
from .derivatives import grad
from .grad_mode import no_grad


def gradcheck(
    func: Any,
    inputs: Any,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    **ignored: Any,
) -> bool:
    """Compare the derivatives of ``func`` with differences, for all elements of inputs that require a gradient.

    Raises:
        GradcheckError: They differ, and ``raise_exception`` is True.
    """
    tensors = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    for number, x in enumerate(tensors):
        if not (isinstance(x, Tensor) and x.requires_grad):
            continue
        out = func(*tensors)
        values = to_array(x)
        for k in range(out.numel()):
            start = np.zeros(tuple(out.shape), out.dtype.numpy)
            start.reshape(-1)[k] = 1
            (d,) = grad(out, x, wrap(Core(out._value.f.from_array(start))), allow_unused=True)
            found = np.zeros(values.size) if d is None else to_array(d).reshape(-1)
            flat = values.reshape(-1)
            expected = np.empty(values.size)
            for j in range(values.size):
                before = flat[j]
                results = []
                for moved in (before + eps, before - eps):
                    flat[j] = moved
                    with no_grad():
                        results.append(to_array(func(*tensors)).reshape(-1)[k])
                flat[j] = before
                expected[j] = (results[0] - results[1]) / (2 * eps)
            if not np.allclose(found, expected, rtol, atol):
                if raise_exception:
                    raise GradcheckError(
                        f"Jacobian mismatch for output 0 with respect to input {number}: backward gives {found}, "
                        f"differences give {expected}"
                    )
                return False
    return True


class GradcheckError(RuntimeError):
    """`gradcheck` found a wrong derivative."""
