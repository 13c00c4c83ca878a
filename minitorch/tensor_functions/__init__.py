"""Differentiable functions of tensors, each derivative beside its function.

`elementwise` (one element at a time), `reduce` (sums, maxima, matrix product), `shape` (same elements, other layout),
`nn` (softmax, convolution, pooling, normalization, losses) and `fused` (several functions in one kernel).
"""

from .elementwise import (
    BCE,
    EQ,
    LT,
    Abs,
    Add,
    BCEWithLogits,
    Div,
    Exp,
    GELUFun,
    GELUTanhFun,
    Inv,
    IsClose,
    LeakyReLUFun,
    Log,
    Mul,
    Neg,
    Power,
    ReLU,
    Sigmoid,
    Sqrt,
    Sub,
    Tanh,
    Weigh,
)
from .fused import Affine, ConvActivation, Drop, ScaleShift
from .nn import NLL, Conv, Conv1dFun, Conv2dFun, CrossEntropy, LogSoftmax, Norm, Pool, Softmax, Take
from .reduce import All, MatMul, Max, Mean, Sum
from .shape import Cast, Cat, Copy, Permute, Slice, To, View, unbroadcast

# fmt: off
__all__ = [
    "BCE", "EQ", "LT", "NLL", "Abs", "Add", "Affine", "All", "BCEWithLogits", "Cast", "Cat", "Conv", "Conv1dFun",
    "Conv2dFun", "ConvActivation", "Copy", "CrossEntropy", "Div", "Drop", "Exp", "GELUFun", "GELUTanhFun", "Inv",
    "IsClose", "LeakyReLUFun", "Log", "LogSoftmax", "MatMul", "Max", "Mean", "Mul", "Neg", "Norm", "Permute", "Pool",
    "Power", "ReLU", "ScaleShift", "Sigmoid", "Slice", "Softmax", "Sqrt", "Sub", "Sum", "Take", "Tanh", "To", "View",
    "Weigh", "unbroadcast",
]
# fmt: on
