"""Prints what Numba made of your parallel loops (tasks 3.1 and 3.2). Each kernel is compiled for it.

python project/parallel_check.py
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # your own minitorch, from any directory

import numba

import minitorch
from minitorch import fast_ops


def main() -> None:
    """Run each kernel once, and print its diagnostics."""
    a, b, out = (minitorch.zeros((2, 3)).tuple() for _ in range(3))
    row = minitorch.zeros((1, 3)).tuple()
    matrices = [minitorch.zeros((1, 3, 3)).tuple() for _ in range(3)]
    plus = numba.njit(minitorch.operators.add)
    kernels = {
        "MAP": (fast_ops.tensor_map(numba.njit(minitorch.operators.id)), (*out, *a)),
        "ZIP": (fast_ops.tensor_zip(plus), (*out, *a, *b)),
        "REDUCE": (fast_ops.tensor_reduce(plus), (*row, *a, 0)),
        "MATRIX MULTIPLY": (fast_ops.tensor_matrix_multiply, [x for t in matrices for x in t]),
    }
    for name, (kernel, operands) in kernels.items():
        print(name)
        kernel(*operands)
        kernel.parallel_diagnostics(level=3)


if __name__ == "__main__":
    main()
