"""``gradcheck`` and ``gradgradcheck``: derivatives against differences."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ...tensor import Tensor as Core
from ..creation import randn_like, zeros_like
from ..tensor import Tensor, to_array, wrap
from .derivatives import grad
from .grad_mode import enable_grad, no_grad


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
            (d,) = (
                grad(out, x, wrap(Core(out._value.f.from_array(start))), allow_unused=True)
                if out.requires_grad
                else (None,)
            )
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


def gradgradcheck(
    func: Any,
    inputs: Any,
    grad_outputs: Any = None,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    **ignored: Any,
) -> bool:
    """Do `gradcheck` for the derivatives of ``func``: those for the inputs and for the derivatives of its results.

    Args:
        func: A function of tensors that returns a tensor or a tuple.
        inputs: A tensor, or a tuple; those that require a gradient are varied.
        grad_outputs: The derivatives of the results; None draws them.
        eps: Half the distance of the two evaluations.
        atol: How much two numbers may differ.
        rtol: How much they may differ, as a part of the number.
        gen_non_contig_grad_outputs: Accepted, and changes nothing.
        raise_exception: Whether a difference is an error.
        **ignored: Accepted, and changes nothing.

    Raises:
        GradcheckError: They differ, and ``raise_exception`` is True.
    """
    tensors = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    given = func(*tensors)
    results = (given,) if isinstance(given, Tensor) else tuple(given)
    chosen = [k for k, y in enumerate(results) if isinstance(y, Tensor) and y.requires_grad]
    if grad_outputs is None:
        starts = [randn_like(results[k].detach()).requires_grad_() for k in chosen]
    else:
        starts = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs)
    varied = [k for k, x in enumerate(tensors) if isinstance(x, Tensor) and x.requires_grad]

    def slope(number: int, *args: Any) -> Tensor:
        xs, ds = args[: len(tensors)], args[len(tensors) :]
        with enable_grad():
            out = func(*xs)
            ys = (out,) if isinstance(out, Tensor) else tuple(out)
            wanted = [xs[k] for k in varied]
            found = grad([ys[k] for k in chosen], wanted, ds, create_graph=True, allow_unused=True)[number]
        return zeros_like(wanted[number]) if found is None else found

    return all(
        gradcheck(partial(slope, number), (*tensors, *starts), eps, atol, rtol, raise_exception)
        for number in range(len(varied))
    )


class GradcheckError(RuntimeError):
    """`gradcheck` found a wrong derivative."""
