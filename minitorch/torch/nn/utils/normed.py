"""Weights that are normed at each call: weight normalization and spectral normalization.

The parametrizations of ``torch.nn.utils.parametrizations``, and the older functions of ``torch.nn.utils``, which
compute the weight before each forward.
"""

from __future__ import annotations

from typing import Any

from ...autograd import no_grad
from ...elementwise import div, mul
from ...linalg import matmul
from ...reductions import norm
from ...shapes import permute, reshape
from ...tensor import Tensor
from .. import functional as F
from ..modules.module import Module
from ..parameter import Parameter
from . import parametrize


def norm_except(v: Tensor, dim: int | None) -> Tensor:
    """Return the norms over all dimensions but ``dim`` (or over all), whose sizes become 1."""
    if dim is None or dim == -1:
        return norm(v, 2)
    others = tuple(k for k in range(v.ndim) if k != v._dim(dim))
    return norm(v, 2, others, True)


def weight_of(v: Tensor, g: Tensor, dim: int | None) -> Tensor:
    """Return ``v`` with the norms ``g``."""
    return mul(v, div(g, norm_except(v, dim)))


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        """Return the weight of its norms and its direction."""
        return weight_of(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return the norms and the direction of a weight."""
        return norm_except(weight, self.dim), weight


def parametrized_weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Split a weight into its norms (``original0``) and its direction (Salimans and Kingma, 2016)."""
    return parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


class _Spectral(Module):
    """Divides a matrix by its largest singular value, which power iterations estimate (Miyato et al., 2018)."""

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        if dim >= weight.ndim or dim < -weight.ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{weight.ndim}, {weight.ndim - 1}] but got {dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim, self.eps, self.n_power_iterations = weight._dim(dim), eps, n_power_iterations
        if weight.ndim > 1:
            matrix = self._matrix(weight.detach())
            for key, size in (("_u", matrix.shape[0]), ("_v", matrix.shape[1])):
                self.register_buffer(key, F.normalize(matrix.new_empty(size).normal_(0, 1), dim=0, eps=eps))
            self._iterate(matrix, 15)

    def _matrix(self, weight: Tensor) -> Tensor:
        order = [self.dim, *(k for k in range(weight.ndim) if k != self.dim)]
        return reshape(permute(weight, *order), weight.shape[self.dim], -1)

    def _iterate(self, matrix: Tensor, count: int) -> None:
        with no_grad():
            for _ in range(count):
                self._u.copy_(F.normalize(matmul(matrix, self._v), dim=0, eps=self.eps))
                self._v.copy_(F.normalize(matmul(matrix.t(), self._u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        """Return the weight divided by its largest singular value."""
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix.detach(), self.n_power_iterations)
        return div(weight, matmul(self._u.clone(), matmul(matrix, self._v.clone())))

    def right_inverse(self, value: Tensor) -> Tensor:
        """Return the value itself: its norm is taken at the next call."""
        return value


_Spectral.__name__ = _Spectral.__qualname__ = "_SpectralNorm"


def _default_dim(module: Module, dim: int | None) -> int:
    if dim is not None:
        return dim
    kinds = {k.__name__ for k in type(module).__mro__}
    return 1 if kinds & {"ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"} else 0


def parametrized_spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:  # fmt: skip
    """Divide a weight by its largest singular value (Miyato et al., 2018)."""
    if name not in module._parameters:
        raise ValueError(f"Module '{module}' has no parameter with name '{name}'")
    made = _Spectral(getattr(module, name), n_power_iterations, _default_dim(module, dim), eps)
    return parametrize.register_parametrization(module, name, made)


class _WeightNormHook:
    """Computes the weight before each forward, of ``<name>_g`` and ``<name>_v``."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.dim = name, dim

    def compute(self, module: Module) -> Tensor:
        """Return the weight."""
        return weight_of(getattr(module, f"{self.name}_v"), getattr(module, f"{self.name}_g"), self.dim)

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute(module))


def _hooks_of(module: Module, kind: type, name: str) -> list[int]:
    return [
        k
        for k, hook in module._forward_pre_hooks.items()
        if isinstance(hook, kind) and hook.name == name  # type: ignore[attr-defined]
    ]


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Split a weight into ``<name>_g``, its norms, and ``<name>_v``, its direction (Salimans and Kingma, 2016)."""
    if _hooks_of(module, _WeightNormHook, name):
        raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    hook = _WeightNormHook(name, dim)
    weight = getattr(module, name)
    delattr(module, name)
    module.register_parameter(f"{name}_g", Parameter(norm_except(weight.detach(), dim)))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    setattr(module, name, hook.compute(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Make a weight of `weight_norm` an ordinary parameter again."""
    numbers = _hooks_of(module, _WeightNormHook, name)
    if not numbers:
        raise ValueError(f"weight_norm of '{name}' not found in {module}")
    hook = module._forward_pre_hooks.pop(numbers[0])
    weight = hook.compute(module).detach()
    for part in (name, f"{name}_g", f"{name}_v"):
        delattr(module, part)
    module.register_parameter(name, Parameter(weight))
    return module


class _SpectralHook:
    """Computes the weight before each forward, of ``<name>_orig`` and the buffers ``<name>_u`` and ``<name>_v``."""

    def __init__(self, name: str, count: int, dim: int, eps: float) -> None:
        self.name, self.count, self.dim, self.eps = name, count, dim, eps

    def compute(self, module: Module, iterate: bool) -> Tensor:
        """Return the weight; ``iterate`` makes the estimate better first."""
        weight = getattr(module, f"{self.name}_orig")
        u, v = getattr(module, f"{self.name}_u"), getattr(module, f"{self.name}_v")
        order = [self.dim, *(k for k in range(weight.ndim) if k != self.dim)]
        matrix = reshape(permute(weight, *order), weight.shape[self.dim], -1)
        if iterate:
            with no_grad():
                for _ in range(self.count):
                    v.copy_(F.normalize(matmul(matrix.detach().t(), u), dim=0, eps=self.eps))
                    u.copy_(F.normalize(matmul(matrix.detach(), v), dim=0, eps=self.eps))
        return div(weight, matmul(u.clone(), matmul(matrix, v.clone())))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute(module, module.training))


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:  # fmt: skip
    """Divide a weight by its largest singular value: ``<name>_orig`` is the parameter (Miyato et al., 2018)."""
    if _hooks_of(module, _SpectralHook, name):
        raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
    if n_power_iterations <= 0:
        raise ValueError(
            f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
        )
    weight = getattr(module, name)
    axis = weight._dim(_default_dim(module, dim))
    sizes = weight.shape[axis], weight.numel() // weight.shape[axis]
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, weight.detach())
    for part, size in zip(("u", "v"), sizes):
        start = weight.detach().new_empty(size).normal_(0, 1)
        module.register_buffer(f"{name}_{part}", F.normalize(start, dim=0, eps=eps))
    module.register_forward_pre_hook(_SpectralHook(name, n_power_iterations, axis, eps))
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Make a weight of `spectral_norm` an ordinary parameter again."""
    numbers = _hooks_of(module, _SpectralHook, name)
    if not numbers:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    hook = module._forward_pre_hooks.pop(numbers[0])
    weight = hook.compute(module, False).detach()
    for part in (name, f"{name}_u", f"{name}_v", f"{name}_orig"):
        delattr(module, part)
    module.register_parameter(name, Parameter(weight))
    return module
