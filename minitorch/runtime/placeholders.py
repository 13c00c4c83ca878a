"""Names that a kernel uses and that are bound when it is compiled.

A kernel is written once, as a plain function. `minitorch.fast_ops.jit` and `minitorch.cuda_ops.device.launch` compile
it for each dtype and each float function, and replace these names by the caller's. The values here only make the names
known to readers, linters and type checkers. The file depends on NumPy only.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def _identity(x: Any) -> Any:
    return x


real: Any = np.float64  # the scalar type of the kernel's dtype
fn: Any = _identity  # the float function of an elementwise operation, a reduction or an optimizer's rule
activation: Any = _identity  # the activation at the end of a kernel
activation_grad: Any = _identity  # its gradient, a function of (result, output gradient)
