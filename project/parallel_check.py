"""Shows what Numba made parallel in the map, zip, reduce and matrix product of the fast backend (module 3)."""

from __future__ import annotations

import sys
from typing import Any

from cli import Parser, run_command
from minitorch import operators, tensor_matrix_multiply, zeros
from minitorch.fast_ops import course


def show(title: str, kernel: Any, *operands: Any) -> None:
    """Run a kernel once, so that it is compiled, and print its diagnostics."""
    kernel(*operands)
    print(title)
    kernel.parallel_diagnostics(level=3)


def main() -> None:
    """Print the four diagnostics."""
    Parser(__doc__).parse_args()
    out, a, b = (zeros((10,)).tuple() for _ in range(3))
    show("MAP", course.tensor_map(operators.id), *out, *a)
    show("ZIP", course.tensor_zip(operators.eq), *out, *a, *b)
    total, table = zeros((1,)).tuple(), zeros((10,)).tuple()
    show("REDUCE", course.tensor_reduce(operators.add), *total, *table, 0)
    out, a, b = (zeros((1, 10, 10)).tuple() for _ in range(3))
    show("MATRIX MULTIPLY", tensor_matrix_multiply, *out, *a, *b)


if __name__ == "__main__":
    sys.exit(run_command(main))
