"""Layers that normalise: BatchNorm1d, BatchNorm2d, LayerNorm, GroupNorm.

All compute ``(x - mean) / sqrt(var + eps) * weight + bias`` by one kernel, `tensor_functions.nn.Norm`; they differ in
the elements over which mean and (biased) variance are taken, for images (N, C, H, W):

    BatchNorm2d   each channel C, over N, H, W     LayerNorm((C, H, W))   each sample N, over C, H, W
    GroupNorm     each sample N and group of channels, over the group's channels, H, W

Names, defaults, parameter and buffer names are PyTorch's. Its ``momentum`` is the weight of the new batch: where a
course says 0.9 for the weight of the old value, say 0.1 here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..module import Module, Parameter
from ..runtime.capture import recording, repeat
from ..runtime.grad_mode import mode
from ..tensor import Tensor, ones, zeros
from ..tensor_data import IndexingError, TensorData
from ..tensor_functions.fused import ScaleShift
from ..tensor_functions.nn import Norm
from .containers import FoldableNorm
from .functional import as_parameters, require_activation, require_tensor
from .fusion import fuse
from .settings import layer_size, number


def ema_rule(settings: Any, average: float, value: float) -> tuple[float]:
    """Move an exponential moving average towards a value. Settings: momentum, factor of the value."""
    return (average + settings[0] * (value * settings[1] - average),)


def ema_(average: Tensor, value: Tensor, momentum: float, factor: float = 1.0) -> None:
    """Set ``average`` to ``(1 - momentum) * average + momentum * factor * value``, in place.

    It runs on the kernel of the optimizers, in the backend of ``average``.
    """
    Tensor.update_all_(ema_rule, (momentum, factor), [(average, value)])


# One kernel each: a network in evaluation computes them for every layer and every batch.
_scale = fuse(lambda weight, var, eps: weight / (var + eps).sqrt())
_shift = fuse(lambda bias, mean, scale: bias - mean * scale)


class _BatchNorm(FoldableNorm):
    accepts_activation = True

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        num_features = layer_size(name, "num_features", num_features, 0)
        self.num_features, self.eps = num_features, number(name, "eps", eps, 0)
        self._folded: tuple[Any, tuple[Tensor, Tensor]] | None = None
        self.momentum = None if momentum is None else number(name, "momentum", momentum)
        self.weight = Parameter(ones((num_features,))) if affine else None
        self.bias = Parameter(zeros((num_features,))) if affine else None
        self.track_running_stats = track_running_stats
        if track_running_stats:
            self.register_buffer("running_mean", zeros((num_features,)))
            self.register_buffer("running_var", ones((num_features,)))
            self.register_buffer("num_batches_tracked", np.array(0, np.int64))

    def forward(self, x: Tensor, act: str = "none") -> Tensor:
        """Keep the shape.

        Args:
            x: The input.
            act: The activation that follows: "none" (default), "relu" or "relu6".

        Raises:
            IndexingError: The shape of ``x`` does not fit.
            TypeError: ``x`` is no Tensor.
            ValueError: In training, there is one value per channel, whose variance would be 0; or ``act`` is another
                word.
        """
        require_activation(type(self).__name__, act)
        require_tensor(type(self).__name__, x)
        if x.dims not in self.dims or x.shape[1] != self.num_features:
            raise IndexingError(
                f"{type(self).__name__}: expected {' or '.join(map(str, self.dims))} dimensions, the second of "
                f"{self.num_features} channels, got shape {x.shape}"
            )
        x = _with_values(self, x, (self.num_features,))
        channels = x.reshape(x.shape[0], x.shape[1], math.prod(x.shape[2:]))
        shape = (1, self.num_features, 1)
        like = x.detach()
        if self.training or not self.track_running_stats:
            count = channels.shape[0] * channels.shape[2]
            if count == 1:
                raise ValueError(
                    f"{type(self).__name__}: expected more than one value per channel in training, got shape {x.shape}"
                )
            w = like.zeros(shape) + 1.0 if self.weight is None else self.weight.value.reshape(*shape)
            b = like.zeros(shape) if self.bias is None else self.bias.value.reshape(*shape)
            observe = None
            if self.training and self.track_running_stats:
                for name, t in (("running_mean", self.running_mean), ("running_var", self.running_var)):
                    _require_shape(self, name, t, (self.num_features,))
                weight = self._count_batch()
                # An empty batch has no statistics: it is counted, and the running ones stay, as in PyTorch.
                observe = self._observe(count, weight) if count else None
            out = Norm.apply(channels, w, b, eps=self.eps, activation=act, observe=observe)
        else:
            scale, shift = (t.reshape(*shape) for t in self.scale_and_shift() or self._scale_and_shift(like))
            out = ScaleShift.apply(channels, scale, shift, activation=act)
        return out.view(*x.shape)

    def scale_and_shift(self) -> tuple[Tensor, Tensor] | None:
        """See `FoldableNorm.scale_and_shift`: in evaluation they come from the running statistics.

        Without derivatives they are computed anew only if a value has changed.
        """
        if self.training or not self.track_running_stats:
            return None
        values = self._values()
        if values is None:
            return self._scale_and_shift(self.running_mean)
        if self._folded is None or self._folded[0] != values:
            self._folded = values, self._scale_and_shift(self.running_mean)
        return self._folded[1]

    def _values(self) -> tuple[Any, ...] | None:
        """Return all that scale and shift depend on; None where derivatives are recorded or the host has no values."""
        tensors = [self.running_mean, self.running_var]
        tensors += [p.value for p in (self.weight, self.bias) if p is not None]
        if (
            mode.enabled
            or recording()
            or not all(isinstance(t._tensor._storage, np.ndarray) for t in tensors)
        ):
            return None
        kinds = [(t.dtype, t.backend) for t in tensors]
        return self.eps, *kinds, *(t._tensor.numpy_view().tobytes() for t in tensors)

    def _scale_and_shift(self, like: Tensor) -> tuple[Tensor, Tensor]:
        mean, var = self.running_mean, self.running_var
        for name, t in (("running_mean", mean), ("running_var", var)):
            _require_shape(self, name, t, (self.num_features,))
        weight = like.zeros(mean.shape) + 1.0 if self.weight is None else self.weight.value
        scale = _scale(weight, var, self.eps)
        return scale, _shift(0.0 if self.bias is None else self.bias.value, mean, scale)

    def _observe(self, count: int, weight: float) -> Any:
        def observe(mean: TensorData, var: TensorData) -> None:
            ema_(self.running_mean, Tensor(mean.view(self.num_features)), weight)
            ema_(self.running_var, Tensor(var.view(self.num_features)), weight, count / (count - 1))

        return observe

    def _count_batch(self) -> float:
        """Count a batch, and return its weight in the running statistics."""
        if self.momentum is None and recording():
            raise RuntimeError(
                f"{type(self).__name__}: momentum=None cannot be captured in a graph, because each batch has another "
                "weight: give a number"
            )
        repeat(self._count)
        return 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum

    def _count(self) -> None:
        self.num_batches_tracked: Any = self.num_batches_tracked + 1

    def extra_repr(self) -> str:
        """Show channels and settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.weight is not None}"
        )


class BatchNorm1d(_BatchNorm):
    """Normalises each channel of (N, C) or (N, C, L) over the batch (Ioffe and Szegedy, 2015).

    Training uses the statistics of the batch, evaluation the running ones. Parameters: ``weight``, at first 1, and
    ``bias``, at first 0, both (C,). Buffers: ``running_mean`` and ``running_var`` (unbiased), both (C,), and
    ``num_batches_tracked``, an int64 array of shape (). An empty batch is counted, and changes no statistics.

    Args:
        num_features: C.
        eps: Added to the variance, by default 1e-5.
        momentum: Weight of the new batch in the running statistics, by default 0.1; None: one divided by the number of
            batches so far, so that they are the plain averages of all batches.
        affine: Whether there are weight and bias; by default there are.
        track_running_stats: Whether there are running statistics; without them, evaluation uses those of the batch.
    """

    dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Normalises each channel of images (N, C, H, W) over batch and pixels; arguments and state as `BatchNorm1d`."""

    dims: tuple[int, ...] = (4,)


class LayerNorm(Module):
    """Normalises each sample over its last dimensions (Ba, Kiros and Hinton, 2016).

    Parameters: ``weight``, at first 1, and ``bias``, at first 0, both of ``normalized_shape``.

    Args:
        normalized_shape: The last dimensions of the input, (..., *normalized_shape); an int for one dimension.
        eps: Added to the variance, by default 1e-5.
        elementwise_affine: Whether there are weight and bias; by default there are.
    """

    def __init__(
        self, normalized_shape: int | tuple[int, ...], eps: float = 1e-5, elementwise_affine: bool = True
    ) -> None:
        super().__init__()
        given = normalized_shape if isinstance(normalized_shape, tuple | list) else (normalized_shape,)
        shape = tuple(layer_size("LayerNorm", "normalized_shape", n, 0) for n in given)
        if not shape:
            raise ValueError("LayerNorm: expected a normalized_shape of at least one dimension, got ()")
        self.normalized_shape, self.eps = shape, number("LayerNorm", "eps", eps, 0)
        self.weight = Parameter(ones(shape)) if elementwise_affine else None
        self.bias = Parameter(zeros(shape)) if elementwise_affine else None

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape (..., *normalized_shape).

        Raises:
            IndexingError: The last dimensions are others.
            TypeError: ``x`` is no Tensor.
        """
        require_tensor("LayerNorm", x)
        size = math.prod(self.normalized_shape)
        if x.shape[x.dims - len(self.normalized_shape) :] != self.normalized_shape:
            raise IndexingError(
                f"LayerNorm: expected {self.normalized_shape} as the last dimensions, got shape {x.shape}"
            )
        x = _with_values(self, x, self.normalized_shape)
        out = _rows_normed(x, size, self.eps)
        return out if self.weight is None or self.bias is None else out * self.weight.value + self.bias.value

    def extra_repr(self) -> str:
        """Show shape and settings."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.weight is not None}"


class GroupNorm(Module):
    """Normalises each sample over groups of channels of (N, C, ...) (Wu and He, 2018).

    Parameters: ``weight``, at first 1, and ``bias``, at first 0, both (C,).

    Args:
        num_groups: Number of groups of C / num_groups channels each.
        num_channels: C.
        eps: Added to the variance, by default 1e-5.
        affine: Whether there are weight and bias; by default there are.

    Raises:
        ValueError: ``num_groups`` does not divide ``num_channels``.
        TypeError: One of them is not an int.
    """

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True) -> None:
        super().__init__()
        num_groups = layer_size("GroupNorm", "num_groups", num_groups)
        num_channels = layer_size("GroupNorm", "num_channels", num_channels)
        if num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: expected num_groups that divide {num_channels} channels, got {num_groups}"
            )
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps = number("GroupNorm", "eps", eps, 0)
        self.weight = Parameter(ones((num_channels,))) if affine else None
        self.bias = Parameter(zeros((num_channels,))) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape (N, C, ...).

        Raises:
            IndexingError: The input does not have these channels.
            TypeError: ``x`` is no Tensor.
        """
        require_tensor("GroupNorm", x)
        if x.dims < 2 or x.shape[1] != self.num_channels:
            raise IndexingError(
                f"GroupNorm: expected {self.num_channels} channels in the second dimension, got shape {x.shape}"
            )
        x = _with_values(self, x, (self.num_channels,))
        out = _rows_normed(x, math.prod(x.shape[1:]) // self.num_groups, self.eps)
        if self.weight is None or self.bias is None:
            return out
        shape = (1, self.num_channels, *(1 for _ in x.shape[2:]))
        return out * self.weight.value.reshape(*shape) + self.bias.value.reshape(*shape)

    def extra_repr(self) -> str:
        """Show groups, channels and settings."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.weight is not None}"


def _with_values(layer: Any, x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return the input in the dtype of weight and bias, where a layer has them; check that they have ``shape``."""
    for name in ("weight", "bias"):
        p = layer._parameters.get(name)
        if p is not None:
            _require_shape(layer, name, p, shape)
            x = as_parameters(type(layer).__name__, x, p.value)
    return x


def _require_shape(layer: Module, name: str, value: Any, shape: tuple[int, ...]) -> None:
    if value.shape != shape:
        raise IndexingError(f"{type(layer).__name__}: expected {name} of shape {shape}, got {value.shape}")


def _rows_normed(x: Tensor, size: int, eps: float) -> Tensor:
    """Normalise each row of ``size`` elements that follow each other: rows are the channels of one sample of `Norm`."""
    rows = x.size // size if size else 0
    like = x.detach()
    channels = x.reshape(1, rows, size)
    unit, zero = like.zeros((1, rows, 1)) + 1.0, like.zeros((1, rows, 1))
    return Norm.apply(channels, unit, zero, eps=eps).view(*x.shape)
