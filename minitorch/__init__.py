"""minitorch: a tensor framework whose core is read in an afternoon.

Layers, low to high: `runtime` (small tools); `operators`, `autodiff`, `module`; `tensor_data`; `tensor_ops` (the
backend interface) with the backends `fast_ops` and `cuda_ops`; `scalar_functions`, `tensor_functions`; `scalar`,
`tensor`; `nn`, `optim`; `data`, `vision`, `testing`; `train`. A file imports from lower layers only.
"""

import sys as _sys
from importlib import import_module as _import_module
from typing import Any as _Any

from . import (
    autodiff,
    cuda_conv,
    cuda_ops,
    fast_conv,
    fast_ops,
    module,
    nn,
    operators,
    optim,
    scalar_functions,
    tensor_ops,
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
from .cuda_ops import (
    THREADS_PER_BLOCK,
    CudaOps,
    get_float32_matmul_precision,
    jit_mm_practice,
    jit_sum_practice,
    mm_practice,
    set_float32_matmul_precision,
    sum_practice,
)
from .datasets import Graph, circle, datasets, diag, make_pts, simple, spiral, split, xor
from .fast_conv import tensor_conv1d, tensor_conv2d
from .fast_ops import FastBackend, FastOps, tensor_matrix_multiply
from .legacy import Variable
from .module import Module, Parameter
from .nn import *
from .operators import prod
from .optim import *
from .runtime.allocator import empty_cache, memory_stats
from .runtime.rng import manual_seed
from .scalar import Scalar, ScalarHistory
from .scalar_functions import ScalarFunction
from .tensor import Tensor, cat, from_dlpack, ones, rand, randn, stack, tensor, zeros
from .tensor_data import (
    MAX_DIMS,
    BackendError,
    IndexingError,
    TensorData,
    broadcast_index,
    get_default_dtype,
    index_to_position,
    set_default_dtype,
    shape_broadcast,
    strides_from_shape,
    to_index,
)
from .tensor_functions import (
    EQ,
    LT,
    Add,
    All,
    Conv1dFun,
    Conv2dFun,
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
from .tensor_ops import (
    MapProto,
    SimpleBackend,
    SimpleOps,
    TensorBackend,
    TensorOps,
    get_default_backend,
    register_backend,
    set_default_backend,
    tensor_map,
    tensor_reduce,
    tensor_zip,
)
from .testing import *
from .train import (
    Checkpoint,
    CheckpointError,
    ClassReport,
    Evaluation,
    GraphedStep,
    Step,
    accuracy,
    confusion_matrix,
    evaluate,
    fit,
    load,
    load_checkpoint,
    lr_range,
    metrics,
    per_class_report,
    predict,
    save,
    save_checkpoint,
    top_k_accuracy,
)

__version__ = version = "1.0.0.dev0"

# Loaded at first use: commands, dashboards, models and data sets, and the names of older courses.
_LATER = ("cli", "dashboard", "data", "legacy", "models")

# fmt: off
__all__ = [
    "EQ", "LT", "MAX_DIMS", "THREADS_PER_BLOCK", "Add", "All", "BackendError", "Checkpoint", "CheckpointError",
    "ClassReport", "Context", "Conv1dFun", "Conv2dFun", "Copy", "CudaOps", "Evaluation", "Exp", "FastBackend",
    "FastOps", "Function", "Graph", "GraphedStep", "History", "IndexingError", "Inv", "IsClose", "Log",
    "MapProto", "MatMul", "Max", "Module", "Mul", "Neg", "Parameter", "Permute", "ReLU", "Scalar",
    "ScalarFunction", "ScalarHistory", "Sigmoid", "SimpleBackend", "SimpleOps", "Sqrt", "Step", "Sum", "Tanh",
    "Tensor", "TensorBackend", "TensorData", "TensorOps", "Variable", "View", "__version__", "accuracy",
    "autodiff", "backpropagate", "broadcast_index", "cat", "central_difference", "circle", "confusion_matrix",
    "cuda_conv", "cuda_ops", "data", "datasets", "diag", "empty_cache", "evaluate", "fast_conv",
    "fast_ops", "fit", "from_dlpack", "get_default_backend", "get_default_dtype",
    "get_float32_matmul_precision", "grad_enabled", "index_to_position", "jit_mm_practice", "jit_sum_practice",
    "load", "load_checkpoint", "lr_range", "make_pts", "manual_seed", "memory_stats", "metrics", "mm_practice",
    "module", "nn", "no_grad", "ones", "operators", "optim", "per_class_report", "predict", "prod", "rand",
    "randn", "register_backend", "save", "save_checkpoint", "scalar_functions", "set_default_backend",
    "set_default_dtype", "set_float32_matmul_precision", "shape_broadcast", "simple", "spiral", "split",
    "stack", "strides_from_shape", "sum_practice", "tensor", "tensor_conv1d", "tensor_conv2d", "tensor_map",
    "tensor_matrix_multiply", "tensor_reduce", "tensor_zip", "testing", "to_index", "top_k_accuracy",
    "topological_sort", "version", "vision", "wrap_tuple", "xor", "zeros",
]
# fmt: on
__all__ += nn.__all__
__all__ += optim.__all__
__all__ += testing.__all__

# `import minitorch.init` works as well as `minitorch.nn.init`.
_sys.modules[f"{__name__}.init"] = nn.init

tensor_ops.backend.check_default_backend()


def __getattr__(name: str) -> _Any:
    if name in _LATER:
        return _import_module(f".{name}", __name__)
    if name == "CudaBackend":
        return cuda_ops.cuda_backend()  # made when first asked for: it needs a GPU
    found = _import_module(".legacy", __name__).NAMES.get(name)
    if found is None:
        raise AttributeError(f"module 'minitorch' has no attribute {name!r}")
    return found
