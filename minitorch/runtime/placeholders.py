"""Names that kernels use and that a compiler of kernels binds later.

A kernel is written once as a plain function. `minitorch.fast_ops.jit` and `minitorch.cuda_ops.device.launch` compile
it for each dtype and each float function: they replace these names by what the caller passes. The values here only
make the names known to a reader, a linter and a type checker. The file depends on NumPy only.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def _identity(x: Any) -> Any:
    return x


real: Any = np.float64  # the scalar type of the kernel's dtype
fn: Any = _identity  # the float function of an elementwise operation, a reduction or an optimizer's rule
finish: Any = _identity  # the activation at the end of a kernel (its epilogue)
activation: Any = _identity  # the activation at the end of a CUDA kernel
activation_grad: Any = _identity  # its gradient, a function of (result, output gradient)
