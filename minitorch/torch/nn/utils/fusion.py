"""Batch normalization in evaluation as part of the layer before it: ``torch.nn.utils.fusion``."""

from __future__ import annotations

import copy
from typing import Any

from ...creation import ones_like, zeros_like
from ...elementwise import add, mul, rsqrt, sub
from ...shapes import reshape
from ...tensor import Tensor
from ..modules.module import Module
from ..parameter import Parameter


def fuse_conv_bn_weights(
    conv_w: Tensor, conv_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor | None,
    bn_b: Tensor | None, transpose: bool = False,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """Return weight and bias of the convolution that does what it and the normalization do."""
    bias = zeros_like(bn_rm) if conv_b is None else conv_b
    weight = ones_like(bn_rm) if bn_w is None else bn_w
    shift = zeros_like(bn_rm) if bn_b is None else bn_b
    scale = mul(weight, rsqrt(add(bn_rv, bn_eps)))
    shape = [1, -1] if transpose else [-1, 1]
    new_w = mul(conv_w, reshape(scale, *shape, *(1,) * (conv_w.ndim - 2)))
    new_b = add(mul(sub(bias, bn_rm), scale), shift)
    wanted = [t.requires_grad for t in (conv_w, bias)]
    return Parameter(new_w.detach(), wanted[0]), Parameter(new_b.detach(), conv_b is None or wanted[1])


def _fused(layer: Any, bn: Any, transpose: bool) -> Any:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")
    made = copy.deepcopy(layer)
    made.weight, made.bias = fuse_conv_bn_weights(
        made.weight, made.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, transpose
    )
    return made


def fuse_conv_bn_eval(conv: Module, bn: Module, transpose: bool = False) -> Module:
    """Return one convolution for a convolution and the batch normalization after it, both in evaluation mode."""
    return _fused(conv, bn, transpose)


def fuse_linear_bn_weights(
    linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor, bn_b: Tensor
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """Return weight and bias of the linear map that does what it and the normalization do."""
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)


def fuse_linear_bn_eval(linear: Module, bn: Module) -> Module:
    """Return one linear map for a linear map and the batch normalization after it, both in evaluation mode."""
    return _fused(linear, bn, False)
