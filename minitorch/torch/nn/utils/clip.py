"""Clipping of gradients, and parameters as one vector."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from ...autograd import no_grad
from ...creation import tensor
from ...elementwise import mul
from ...joining import cat, stack
from ...reductions import norm
from ...tensor import Tensor, replace


def _listed(parameters: Any) -> list[Tensor]:
    return [parameters] if isinstance(parameters, Tensor) else list(parameters)


@no_grad()  # type: ignore[untyped-decorator]
def get_total_norm(
    tensors: Any, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: Any = None
) -> Tensor:
    """Return the norm of all elements of these tensors together."""
    listed = _listed(tensors)
    if not listed:
        return tensor(0.0)
    total = norm(stack([norm(t, float(norm_type)) for t in listed]), float(norm_type))
    if error_if_nonfinite and not total.isfinite():
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return total


@no_grad()  # type: ignore[untyped-decorator]
def clip_grads_with_norm_(parameters: Any, max_norm: float, total_norm: Tensor, foreach: Any = None) -> None:
    """Scale all gradients by ``max_norm / total_norm``, if this is below 1."""
    factor = min(1.0, float(max_norm) / (total_norm.item() + 1e-6))
    if factor < 1.0 or factor != factor:
        for p in _listed(parameters):
            if p.grad is not None:
                replace(p.grad, mul(p.grad, factor))


def clip_grad_norm_(
    parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: Any = None
) -> Tensor:  # fmt: skip
    """Scale all gradients so that the norm of all together is at most ``max_norm``; return the norm before."""
    listed = _listed(parameters)
    grads = [p.grad for p in listed if p.grad is not None]
    total = get_total_norm(grads, norm_type, error_if_nonfinite)
    clip_grads_with_norm_(listed, max_norm, total)
    return total


def clip_grad_norm(
    parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: Any = None
) -> Tensor:  # fmt: skip
    """Do `clip_grad_norm_`, under the old name."""
    warnings.warn(
        "torch.nn.utils.clip_grad_norm is now deprecated in favor of torch.nn.utils.clip_grad_norm_.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite)


@no_grad()  # type: ignore[untyped-decorator]
def clip_grad_value_(parameters: Any, clip_value: float, foreach: Any = None) -> None:
    """Clip each element of each gradient to [-clip_value, clip_value]."""
    for p in _listed(parameters):
        if p.grad is not None:
            p.grad.clamp_(-float(clip_value), float(clip_value))


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Join parameters into one vector."""
    return cat([p.reshape(-1) for p in parameters])


@no_grad()  # type: ignore[untyped-decorator]
def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write the elements of a vector into parameters."""
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec)}")
    start = 0
    for p in parameters:
        p.copy_(vec[start : start + p.numel()].reshape(p.shape))
        start += p.numel()


def skip_init(module_cls: Any, *args: Any, **kwargs: Any) -> Any:
    """Return a module; its initial values are those of the class."""
    return module_cls(*args, **kwargs)
