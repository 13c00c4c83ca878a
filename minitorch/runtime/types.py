"""Types that many files name: shapes, settings of convolutions, functions and arrays.

It depends on NumPy's types only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy.typing as npt

Fn: TypeAlias = Callable[..., Any]
Array: TypeAlias = npt.NDArray[Any]
Shape: TypeAlias = tuple[int, ...]
Pair: TypeAlias = tuple[int, int]
Padding: TypeAlias = tuple[int, int, int, int]  # top, bottom, left, right
