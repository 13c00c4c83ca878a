"""minitorch: a tensor framework one can read in an afternoon.

The files stand on floors, and each imports from lower floors only: operators, autodiff and module at the bottom; tensor
data, the door and the rooms that compute; functions; tensors; networks, losses and layers; training on top.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

from . import (
    autodiff,
    cuda,
    cuda_conv,
    cuda_ops,
    fast_conv,
    fast_ops,
    init,
    metrics,
    module,
    operators,
    optim,
    scalar_functions,
    testing,
    vision,
)
from .autodiff import (
    Context,
    Function,
    History,
    backpropagate,
    central_difference,
    grad_enabled,
    no_grad,
    topological_sort,
    wrap_tuple,
)
from .backends import get_default_backend, set_default_backend
from .checkpoint import Checkpoint, load, load_checkpoint, save, save_checkpoint
from .cuda_matmul import get_float32_matmul_precision, set_float32_matmul_precision
from .cuda_ops import (
    THREADS_PER_BLOCK,
    CudaOps,
    jit_mm_practice,
    jit_sum_practice,
    mm_practice,
    sum_practice,
)
from .datasets import Graph, circle, datasets, diag, make_pts, simple, spiral, split, xor
from .dtypes import get_default_dtype, set_default_dtype
from .fast_conv import tensor_conv1d, tensor_conv2d
from .fast_ops import FastBackend, FastOps, tensor_matrix_multiply
from .finder import lr_range
from .fusing import fuse
from .layers import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    Conv1d,
    Conv2d,
    Dropout,
    Dropout2d,
    Embedding,
    Flatten,
    Identity,
    Linear,
    MaxPool2d,
)
from .layers_activation import GELU, LeakyReLU, LogSoftmax, Softmax
from .layers_norm import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm
from .layers_sequential import Sequential
from .legacy import Variable
from .losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    l1_loss,
    mse_loss,
    multi_margin_loss,
    nll_loss,
)
from .memory import empty_cache, memory_stats
from .metrics import ClassReport, accuracy, confusion_matrix, per_class_report, top_k_accuracy
from .module import Module, Parameter
from .nn import (
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
from .operators import prod
from .optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop, clip_grad_norm_, clip_grad_value_
from .pth import CheckpointError
from .rng import manual_seed
from .scalar import Scalar, ScalarHistory
from .scalar_functions import ScalarFunction
from .schedulers import (
    CosineAnnealingLR,
    EarlyStopping,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)
from .tensor import Tensor, cat, from_dlpack, ones, rand, randn, stack, tensor, zeros
from .tensor_data import (
    MAX_DIMS,
    BackendError,
    IndexingError,
    TensorData,
    broadcast_index,
    index_to_position,
    shape_broadcast,
    strides_from_shape,
    to_index,
)
from .tensor_functions import (
    EQ,
    LT,
    Add,
    All,
    Copy,
    Exp,
    Inv,
    IsClose,
    Log,
    MatMul,
    Max,
    Mul,
    Neg,
    Permute,
    ReLU,
    Sigmoid,
    Sqrt,
    Sum,
    Tanh,
    View,
)
from .tensor_functions_nn import Conv1dFun, Conv2dFun
from .tensor_ops import (
    MapProto,
    SimpleBackend,
    SimpleOps,
    TensorBackend,
    TensorOps,
    tensor_map,
    tensor_reduce,
    tensor_zip,
)
from .testing import (
    MathTest,
    MathTestVariable,
    check_layer,
    derivative_check,
    grad_central_difference,
    grad_check,
)
from .train import Evaluation, Step, evaluate, fit, predict

__version__ = version = "1.0.0.dev0"

__all__ = [
    "EQ",
    "GELU",
    "LT",
    "MAX_DIMS",
    "SGD",
    "THREADS_PER_BLOCK",
    "Adagrad",
    "Adam",
    "AdamW",
    "AdaptiveAvgPool2d",
    "Add",
    "All",
    "AvgPool2d",
    "BackendError",
    "BatchNorm1d",
    "BatchNorm2d",
    "Checkpoint",
    "CheckpointError",
    "ClassReport",
    "Context",
    "Conv1d",
    "Conv1dFun",
    "Conv2d",
    "Conv2dFun",
    "Copy",
    "CosineAnnealingLR",
    "CudaOps",
    "Dropout",
    "Dropout2d",
    "EarlyStopping",
    "Embedding",
    "Evaluation",
    "Exp",
    "ExponentialLR",
    "FastBackend",
    "FastOps",
    "Flatten",
    "Function",
    "Graph",
    "GroupNorm",
    "History",
    "Identity",
    "IndexingError",
    "Inv",
    "IsClose",
    "LambdaLR",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LinearLR",
    "Log",
    "LogSoftmax",
    "MapProto",
    "MatMul",
    "MathTest",
    "MathTestVariable",
    "Max",
    "MaxPool2d",
    "Module",
    "Mul",
    "MultiStepLR",
    "Neg",
    "OneCycleLR",
    "Optimizer",
    "Parameter",
    "Permute",
    "RMSprop",
    "ReLU",
    "ReduceLROnPlateau",
    "Scalar",
    "ScalarFunction",
    "ScalarHistory",
    "Sequential",
    "Sigmoid",
    "SimpleBackend",
    "SimpleOps",
    "Softmax",
    "Sqrt",
    "Step",
    "StepLR",
    "Sum",
    "Tanh",
    "Tensor",
    "TensorBackend",
    "TensorData",
    "TensorOps",
    "Variable",
    "View",
    "__version__",
    "accuracy",
    "adaptive_avgpool2d",
    "argmax",
    "autodiff",
    "avgpool2d",
    "backpropagate",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "broadcast_index",
    "cat",
    "central_difference",
    "check_layer",
    "circle",
    "clip_grad_norm_",
    "clip_grad_value_",
    "confusion_matrix",
    "conv1d",
    "conv2d",
    "cross_entropy",
    "cuda",
    "cuda_conv",
    "cuda_ops",
    "data",
    "datasets",
    "derivative_check",
    "diag",
    "dropout",
    "empty_cache",
    "evaluate",
    "fast_conv",
    "fast_ops",
    "fit",
    "from_dlpack",
    "fuse",
    "get_default_backend",
    "get_default_dtype",
    "get_float32_matmul_precision",
    "grad_central_difference",
    "grad_check",
    "grad_enabled",
    "index_to_position",
    "init",
    "jit_mm_practice",
    "jit_sum_practice",
    "l1_loss",
    "load",
    "load_checkpoint",
    "logsoftmax",
    "lr_range",
    "make_pts",
    "manual_seed",
    "max",
    "max_reduce",
    "maxpool2d",
    "memory_stats",
    "metrics",
    "mm_practice",
    "module",
    "mse_loss",
    "multi_margin_loss",
    "nll_loss",
    "no_grad",
    "ones",
    "operators",
    "optim",
    "per_class_report",
    "predict",
    "prod",
    "rand",
    "randn",
    "save",
    "save_checkpoint",
    "scalar_functions",
    "set_default_backend",
    "set_default_dtype",
    "set_float32_matmul_precision",
    "shape_broadcast",
    "simple",
    "softmax",
    "spiral",
    "split",
    "stack",
    "strides_from_shape",
    "sum_practice",
    "tensor",
    "tensor_conv1d",
    "tensor_conv2d",
    "tensor_map",
    "tensor_matrix_multiply",
    "tensor_reduce",
    "tensor_zip",
    "testing",
    "tile",
    "to_index",
    "top_k_accuracy",
    "topological_sort",
    "version",
    "vision",
    "wrap_tuple",
    "xor",
    "zeros",
]

# Loaded when first asked for: `python -m minitorch.data` runs the first as a script, the second is for old code.
# CudaBackend is made when first asked for: it needs a GPU.
_LATER = ("data", "legacy")


def __getattr__(name: str) -> _Any:
    if name in _LATER:
        return _import_module(f".{name}", __name__)
    if name == "CudaBackend":
        return cuda_ops.cuda_backend()
    found = _import_module(".legacy", __name__).NAMES.get(name)
    if found is None:
        raise AttributeError(f"module 'minitorch' has no attribute {name!r}")
    return found
