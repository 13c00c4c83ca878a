"""Normalising layers. Names, defaults, parameter and buffer names are PyTorch's.

PyTorch's ``momentum`` is the share of the new batch: where a course says 0.9 for the share that stays, say 0.1 here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..module import Module, Parameter
from ..runtime.capture import repeat
from ..tensor import Tensor, ones, zeros
from ..tensor_data import IndexingError, TensorData
from ..tensor_functions.fused import ScaleShift
from ..tensor_functions.nn import Norm
from .containers import Folding, fuses


def blend_rule(s: Any, x: float, d: float) -> tuple[float]:
    """Move ``x`` towards ``d``. Settings: share of the new value, factor of the new value."""
    return (x + s[0] * (d * s[1] - x),)


class _BatchNorm(Folding):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight = Parameter(ones((num_features,))) if affine else None
        self.bias = Parameter(zeros((num_features,))) if affine else None
        self.track_running_stats = track_running_stats
        if track_running_stats:
            self.register_buffer("running_mean", zeros((num_features,)))
            self.register_buffer("running_var", ones((num_features,)))
            self.register_buffer("num_batches_tracked", np.array(0, np.int64))

    @fuses
    def forward(self, x: Tensor, activation: str = "none") -> Tensor:
        """Keep the shape, and activate ("none" or "relu").

        Raises:
            IndexingError: The shape of ``x`` does not fit.
            ValueError: In training, there is one value per channel: its variance would be 0.
        """
        if x.dims not in self.dims or x.shape[1] != self.num_features:
            raise IndexingError(
                f"{type(self).__name__}({self.num_features}) expects {' or '.join(map(str, self.dims))} dimensions "
                f"with {self.num_features} channels second, not shape {x.shape}"
            )
        channels = x.reshape(x.shape[0], x.shape[1], math.prod(x.shape[2:]))
        shape = (1, self.num_features, 1)
        like = x.detach()
        if self.training or not self.track_running_stats:
            count = channels.shape[0] * channels.shape[2]
            if count == 1:
                raise ValueError(
                    f"{type(self).__name__} in training needs more than one value per channel: {x.shape}"
                )
            w = like.zeros(shape) + 1.0 if self.weight is None else self.weight.value.reshape(*shape)
            b = like.zeros(shape) if self.bias is None else self.bias.value.reshape(*shape)
            observe = self._observe(count) if self.track_running_stats else None
            out = Norm.apply(channels, w, b, eps=self.eps, activation=activation, observe=observe)
        else:
            scale, shift = (t.reshape(*shape) for t in self._scale_and_shift(like))
            out = ScaleShift.apply(channels, scale, shift, activation=activation)
        return out.view(*x.shape)

    def scale_and_shift(self) -> tuple[Tensor, Tensor] | None:
        """See `Folding.scale_and_shift`: in evaluation by running statistics."""
        return (
            None
            if self.training or not self.track_running_stats
            else self._scale_and_shift(self.running_mean)
        )

    def _scale_and_shift(self, like: Tensor) -> tuple[Tensor, Tensor]:
        mean, root = self.running_mean, (self.running_var + self.eps).sqrt()
        scale = like.zeros(mean.shape) + 1.0 if self.weight is None else self.weight.value
        scale = scale / root
        shift = -mean * scale if self.bias is None else self.bias.value - mean * scale
        return scale, shift

    def _observe(self, count: int) -> Any:
        def observe(mean: TensorData, var: TensorData) -> None:
            repeat(self._count)
            for running, batch, factor in (
                (self.running_mean, mean, 1.0),
                (self.running_var, var, count / max(count - 1, 1)),
            ):
                running.grad = Tensor(batch.view(self.num_features))
                running.update_(blend_rule, (self.momentum, factor))
                running.zero_grad_()

        return observe if self.training else None

    def _count(self) -> None:
        self.num_batches_tracked: Any = self.num_batches_tracked + 1

    def extra_repr(self) -> str:
        """Show channels and settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.weight is not None}"
        )


class BatchNorm1d(_BatchNorm):
    """Normalises each channel of (N, C) or (N, C, L) over the batch (Ioffe and Szegedy, 2015).

    Parameters: ``weight``, ``bias`` (C,). Buffers: ``running_mean``, ``running_var`` (unbiased) and
    ``num_batches_tracked``; evaluation uses the running statistics.
    """

    dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Normalises each channel of images (N, C, H, W) over batch and pixels; see `BatchNorm1d`."""

    dims = (4,)


class LayerNorm(Module):
    """Normalises each sample over its last dimensions, ``normalized_shape`` (Ba, Kiros and Hinton, 2016).

    Parameters: ``weight``, ``bias`` of that shape.
    """

    def __init__(
        self, normalized_shape: int | tuple[int, ...], eps: float = 1e-5, elementwise_affine: bool = True
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape, self.eps = shape, eps
        self.weight = Parameter(ones(shape)) if elementwise_affine else None
        self.bias = Parameter(zeros(shape)) if elementwise_affine else None

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        size = math.prod(self.normalized_shape)
        if x.shape[x.dims - len(self.normalized_shape) :] != self.normalized_shape:
            raise IndexingError(
                f"LayerNorm{self.normalized_shape} does not fit the last sizes of shape {x.shape}"
            )
        out = _rows_normed(x, size, self.eps)
        return out if self.weight is None or self.bias is None else out * self.weight.value + self.bias.value

    def extra_repr(self) -> str:
        """Show shape and settings."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.weight is not None}"


class GroupNorm(Module):
    """Normalises each sample over groups of channels of (N, C, ...) (Wu and He, 2018).

    Parameters: ``weight``, ``bias`` (C,).
    """

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True) -> None:
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(f"num_groups {num_groups} must divide num_channels {num_channels}")
        self.num_groups, self.num_channels, self.eps = num_groups, num_channels, eps
        self.weight = Parameter(ones((num_channels,))) if affine else None
        self.bias = Parameter(zeros((num_channels,))) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        if x.dims < 2 or x.shape[1] != self.num_channels:
            raise IndexingError(f"GroupNorm expects {self.num_channels} channels second, not shape {x.shape}")
        out = _rows_normed(x, math.prod(x.shape[1:]) // self.num_groups, self.eps)
        if self.weight is None or self.bias is None:
            return out
        shape = (1, self.num_channels, *(1 for _ in x.shape[2:]))
        return out * self.weight.value.reshape(*shape) + self.bias.value.reshape(*shape)

    def extra_repr(self) -> str:
        """Show groups, channels and settings."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.weight is not None}"


def _rows_normed(x: Tensor, size: int, eps: float) -> Tensor:
    """Normalise each packed row of ``size`` elements."""
    rows = x.size // size if size else 0
    like = x.detach()
    channels = x.reshape(1, rows, size)
    one, none = like.zeros((1, rows, 1)) + 1.0, like.zeros((1, rows, 1))
    return Norm.apply(channels, one, none, eps=eps).view(*x.shape)
