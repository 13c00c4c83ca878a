"""Filters of 3x3 pixels set by hand: edges, Sobel, blur, sharpen. Depends on NumPy only.

A filter is a cross-correlation: element (i, j) weighs the pixel i - 1 below and j - 1 to the right.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Filter = npt.NDArray[np.float64]

VERTICAL: Filter = np.array([[1.0, 0, -1], [1, 0, -1], [1, 0, -1]])
"""Left less right (Prewitt, 1970): answers at vertical edges."""
HORIZONTAL: Filter = VERTICAL.T.copy()
"""Above less below: answers at horizontal edges."""
SOBEL_VERTICAL: Filter = np.array([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
"""Sobel's filter for vertical edges: the middle row counts twice."""
SOBEL_HORIZONTAL: Filter = SOBEL_VERTICAL.T.copy()
"""Sobel's filter for horizontal edges."""
BLUR: Filter = np.full((3, 3), 1 / 9)
"""The mean of nine pixels."""
SHARPEN: Filter = np.array([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]])
"""Five times the pixel less its four neighbours."""

FILTERS: dict[str, Filter] = {
    "vertical": VERTICAL,
    "horizontal": HORIZONTAL,
    "sobel-vertical": SOBEL_VERTICAL,
    "sobel-horizontal": SOBEL_HORIZONTAL,
    "blur": BLUR,
    "sharpen": SHARPEN,
}
