"""Layers that learn the size of their input in the first call: they become the usual layer then."""

from __future__ import annotations

from typing import Any

from ...tensor import Tensor
from ..parameter import UninitializedBuffer, UninitializedParameter, UninitializedTensor
from .batchnorm import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
    _NormBase,
)
from .conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, _ConvNd
from .linear import Linear
from .module import Module


class LazyModuleMixin(Module):
    """A layer whose parameters get their shapes in the first call, of `initialize_parameters`."""

    cls_to_become: type[Module]

    def initialize_parameters(self, input: Any) -> None:
        """Give the parameters their shapes; a subclass defines it."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Tell whether a parameter or buffer has no shape yet."""
        values = (*self._parameters.values(), *self._buffers.values())
        return any(isinstance(p, UninitializedTensor) for p in values)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.has_uninitialized_params():
            self.initialize_parameters(*args, **kwargs)
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        return self(*args, **kwargs)


class LazyLinear(LazyModuleMixin, Linear):
    """`Linear` that learns ``in_features``."""

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, False)
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        self.weight = UninitializedParameter(**made)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(**made)

    def reset_parameters(self) -> None:
        """Draw initial values, once there are any."""
        if self.in_features and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Take the last size of the input."""
        self.in_features = input.shape[-1]
        self.weight.materialize((self.out_features, self.in_features))
        if self.bias is not None:
            self.bias.materialize((self.out_features,))
        self.reset_parameters()


class _LazyConv(LazyModuleMixin, _ConvNd):
    def __init__(self, out_channels: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(0, out_channels, *args, **kwargs)

    def _make(self, device: Any, dtype: Any, bias: bool) -> None:
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        self.weight = UninitializedParameter(**made)
        self.register_parameter("bias", UninitializedParameter(**made) if bias else None)

    def initialize_parameters(self, input: Tensor, *more: Any) -> None:
        """Take the channels of the input."""
        batched = input.ndim == self.dims + 2
        if not batched and input.ndim != self.dims + 1:
            raise RuntimeError(
                f"Expected {self.dims + 1}D (unbatched) or {self.dims + 2}D (batched) input to {type(self).__name__}, "
                f"but got input of size: {input.shape}"
            )
        self.in_channels = input.shape[1 if batched else 0]
        if self.in_channels % self.groups:
            raise ValueError("in_channels must be divisible by groups")
        inner, outer = self.in_channels, self.out_channels
        first = (inner, outer // self.groups) if self.transposed else (outer, inner // self.groups)
        self.weight.materialize((*first, *self.kernel_size))
        if self.bias is not None:
            self.bias.materialize((outer,))
        self.reset_parameters()


class _LazyNorm(LazyModuleMixin, _NormBase):
    def __init__(
        self, eps: float = 1e-5, momentum: float = 0.1, affine: bool = True, track_running_stats: bool = True,
        device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(0, eps, momentum, False, track_running_stats, device, dtype)
        self.affine = affine
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        if affine:
            self.weight = UninitializedParameter(**made)
            self.bias = UninitializedParameter(**made) if bias else None
        if track_running_stats:
            self.running_mean = UninitializedBuffer(False, **made)
            self.running_var = UninitializedBuffer(False, **made)

    def initialize_parameters(self, input: Tensor) -> None:
        """Take the channels of the input."""
        self._check(input)
        batched = input.ndim == self.dims[-1] or isinstance(self, BatchNorm1d)
        self.num_features = input.shape[1 if batched else 0]
        for t in (*self._parameters.values(), *self._buffers.values()):
            if isinstance(t, UninitializedTensor):
                t.materialize((self.num_features,))
        self.reset_parameters()


def _lazy(base: type[Module], mixin: type[Module]) -> Any:
    body = {
        "cls_to_become": base,
        "__doc__": f"`{base.__name__}` that learns the number of channels of its input.",
        "__module__": __name__,
    }
    return type(f"Lazy{base.__name__}", (mixin, base), body)


LazyConv1d, LazyConv2d, LazyConv3d = (_lazy(c, _LazyConv) for c in (Conv1d, Conv2d, Conv3d))
LazyConvTranspose1d, LazyConvTranspose2d, LazyConvTranspose3d = (
    _lazy(c, _LazyConv) for c in (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)
)
LazyBatchNorm1d, LazyBatchNorm2d, LazyBatchNorm3d = (
    _lazy(c, _LazyNorm) for c in (BatchNorm1d, BatchNorm2d, BatchNorm3d)
)
LazyInstanceNorm1d, LazyInstanceNorm2d, LazyInstanceNorm3d = (
    _lazy(c, _LazyNorm) for c in (InstanceNorm1d, InstanceNorm2d, InstanceNorm3d)
)
