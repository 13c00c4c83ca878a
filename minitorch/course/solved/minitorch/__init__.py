"""Your own minitorch: the names that scripts and tests use."""

from . import operators
from .autodiff import Context, Variable, backpropagate, central_difference, topological_sort
from .cuda_ops import CudaBackend, CudaOps, mm_practice, sum_practice
from .datasets import Graph, datasets, make_pts
from .fast_conv import Conv1dFun, Conv2dFun, conv1d, conv2d
from .fast_ops import FastBackend, FastOps
from .module import Module, Parameter
from .nn import Max, argmax, avgpool2d, dropout, logsoftmax, max, maxpool2d, softmax, tile
from .operators import prod
from .optim import SGD, Optimizer
from .scalar import Scalar, ScalarHistory, derivative_check
from .scalar_functions import ScalarFunction
from .tensor import History, Tensor, grad_central_difference, grad_check, rand, tensor, zeros
from .tensor_data import (
    MAX_DIMS,
    IndexingError,
    TensorData,
    broadcast_index,
    index_to_position,
    shape_broadcast,
    strides_from_shape,
    to_index,
)
from .tensor_functions import Function
from .tensor_ops import SimpleBackend, SimpleOps, TensorBackend, TensorOps
from .testing import MathTest, MathTestVariable

__all__ = [
    "MAX_DIMS",
    "SGD",
    "Context",
    "Conv1dFun",
    "Conv2dFun",
    "CudaBackend",
    "CudaOps",
    "FastBackend",
    "FastOps",
    "Function",
    "Graph",
    "History",
    "IndexingError",
    "MathTest",
    "MathTestVariable",
    "Max",
    "Module",
    "Optimizer",
    "Parameter",
    "Scalar",
    "ScalarFunction",
    "ScalarHistory",
    "SimpleBackend",
    "SimpleOps",
    "Tensor",
    "TensorBackend",
    "TensorData",
    "TensorOps",
    "Variable",
    "argmax",
    "avgpool2d",
    "backpropagate",
    "broadcast_index",
    "central_difference",
    "conv1d",
    "conv2d",
    "datasets",
    "derivative_check",
    "dropout",
    "grad_central_difference",
    "grad_check",
    "index_to_position",
    "logsoftmax",
    "make_pts",
    "max",
    "maxpool2d",
    "mm_practice",
    "operators",
    "prod",
    "rand",
    "shape_broadcast",
    "softmax",
    "strides_from_shape",
    "sum_practice",
    "tensor",
    "tile",
    "to_index",
    "topological_sort",
    "zeros",
]
