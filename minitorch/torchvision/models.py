"""Networks of `torchvision.models`: those of `minitorch.models.imagenet`, as Modules of `minitorch.torch`.

An architecture is written once, on the layers of the core. `converted` builds the same tree of layers of
`minitorch.torch.nn`, with the same names, and runs the same ``forward`` on it: children, arithmetic and
methods of tensors mean the same in both. So layers can be exchanged, frozen and hooked as in PyTorch.
"""

from __future__ import annotations

import functools
import os
from collections import OrderedDict
from collections.abc import Callable
from types import FunctionType
from typing import Any

from ..autodiff import Function
from ..models.imagenet.blocks import Concatenate
from ..models.imagenet.registry import IMAGENET_MODELS
from ..nn.containers import Sequential
from ..nn.conv import Conv2d
from ..nn.dropout import Dropout
from ..nn.linear import Linear
from ..nn.normalization import BatchNorm2d
from ..nn.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d
from ..tensor_data import get_default_dtype, set_default_dtype
from ..tensor_functions.elementwise import ReLU
from ..tensor_functions.math import ReLU6
from ..torch import cat, dtypes, nn


class _Join(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, *parts: Any) -> Any:
        return cat(parts, self.dim)


def _conv(core: Any) -> Any:
    sizes = core.in_channels, core.out_channels, core.kernel_size
    return nn.Conv2d(*sizes, bias=core.bias is not None, **core.settings)


def _pool(kind: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda core: kind(core.kernel_size, core.stride, core.padding, ceil_mode=core.ceil_mode)


_LAYERS: dict[type[Any], Callable[[Any], Any]] = {
    ReLU: lambda core: nn.ReLU(inplace=True),
    ReLU6: lambda core: nn.ReLU6(inplace=True),
    Concatenate: lambda core: _Join(core.dim),
    Conv2d: _conv,
    Linear: lambda core: nn.Linear(core.in_features, core.out_features, core.bias is not None),
    BatchNorm2d: lambda core: nn.BatchNorm2d(core.num_features, core.eps, core.momentum),
    Dropout: lambda core: nn.Dropout(core.p),
    MaxPool2d: _pool(nn.MaxPool2d),
    AvgPool2d: _pool(nn.AvgPool2d),
    AdaptiveAvgPool2d: lambda core: nn.AdaptiveAvgPool2d(core.output_size),
}


@functools.cache
def _class_of(kind: Any) -> type[nn.Module]:
    """Return the class of `minitorch.torch.nn` Modules with the methods of a class of the core."""
    methods = {name: value for name, value in vars(kind).items() if isinstance(value, FunctionType)}
    methods.pop("__init__")
    return type(kind.__name__, (nn.Module,), {"__doc__": kind.__doc__, **methods})


def converted(core: Any) -> Any:
    """Return the tree of layers of `minitorch.torch.nn` that corresponds to a network of the core; values differ."""
    if type(core) in _LAYERS:
        return _LAYERS[type(core)](core)
    if isinstance(core, Sequential):
        return nn.Sequential(OrderedDict((name, converted(layer)) for name, layer in zip(core.names, core)))
    kind: Any = type(core)
    made = _class_of(kind)()
    for name, value in vars(core).items():
        if not name.startswith("_"):  # settings, and activations without parameters
            setattr(made, name, converted(value) if isinstance(value, Function) else value)
    for name, child in core._modules.items():
        setattr(made, name, converted(child))
    return made


def _builder(name: str) -> Callable[..., Any]:
    def build(
        weights: str | os.PathLike[str] | None = None, pretrained: bool = False, **settings: Any
    ) -> Any:
        settings.pop("progress", None)
        published = ("IMAGENET1K_V1",) if name in _TWO_VERSIONS else ("IMAGENET1K_V1", "DEFAULT")
        if weights in published:
            weights, pretrained = None, True
        before = get_default_dtype()
        set_default_dtype(dtypes.get_default_dtype().numpy)
        try:
            core = IMAGENET_MODELS[name].build(pretrained, weights, **settings)
        finally:
            set_default_dtype(before)
        model = converted(core)
        model.load_state_dict(core.state_dict())
        return model

    build.__name__ = build.__qualname__ = name
    build.__doc__ = f"""Make the network `minitorch.models.{name}`, of layers of `minitorch.torch`.

    Args:
        weights: A file with weights, or "IMAGENET1K_V1" for the published ones (also "DEFAULT", where torchvision has
            only one version); None (default) for random ones.
        pretrained: The same as "IMAGENET1K_V1".
        **settings: Of the network, such as ``num_classes``.
    """
    return build


_TWO_VERSIONS = ("mobilenet_v2", "resnet50")  # of their weights, the second being torchvision's default

alexnet = _builder("alexnet")
inception_v3 = _builder("inception_v3")
mobilenet_v2 = _builder("mobilenet_v2")
resnet18 = _builder("resnet18")
resnet34 = _builder("resnet34")
resnet50 = _builder("resnet50")
squeezenet1_0 = _builder("squeezenet1_0")
squeezenet1_1 = _builder("squeezenet1_1")
vgg11 = _builder("vgg11")
vgg11_bn = _builder("vgg11_bn")
vgg16 = _builder("vgg16")
vgg16_bn = _builder("vgg16_bn")
