"""Checks of derivatives, gradients and layers, and the functions that the course tests with."""

from .grad_check import derivative_check, grad_central_difference, grad_check
from .layer_check import check_layer
from .math_test import MathTest, MathTestVariable

__all__ = [
    "MathTest",
    "MathTestVariable",
    "check_layer",
    "derivative_check",
    "grad_central_difference",
    "grad_check",
]
