"""Neural networks: functions, layers, losses and initial values, with the names and defaults of PyTorch."""

from . import init
from .activation import GELU, LeakyReLU, LogSoftmax, Softmax
from .containers import Sequential
from .conv import Conv1d, Conv2d
from .dropout import Dropout, Dropout2d
from .embedding import Embedding
from .functional import (
    adaptive_avgpool2d,
    argmax,
    avgpool2d,
    conv1d,
    conv2d,
    dropout,
    logsoftmax,
    max,
    max_reduce,
    maxpool2d,
    softmax,
    tile,
)
from .fusion import fuse
from .linear import Linear
from .losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    l1_loss,
    mse_loss,
    multi_margin_loss,
    nll_loss,
)
from .normalization import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm
from .pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d
from .shape import Flatten, Identity

# isort: split
from .functional import (
    linear as linear,
)  # after the file of that name, whose import binds the name to a module

__all__ = [
    "GELU",
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv1d",
    "Conv2d",
    "Dropout",
    "Dropout2d",
    "Embedding",
    "Flatten",
    "GroupNorm",
    "Identity",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MaxPool2d",
    "Sequential",
    "Softmax",
    "adaptive_avgpool2d",
    "argmax",
    "avgpool2d",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv1d",
    "conv2d",
    "cross_entropy",
    "dropout",
    "fuse",
    "init",
    "l1_loss",
    "logsoftmax",
    "max",
    "max_reduce",
    "maxpool2d",
    "mse_loss",
    "multi_margin_loss",
    "nll_loss",
    "softmax",
    "tile",
]
