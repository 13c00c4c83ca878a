"""A function of two numbers in a plot: bands of colour between levels, and lines along a level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from minitorch.dashboard.svg import INK

from .drawing import Axes, Point

Array = npt.NDArray[Any]
Field = Callable[[Array, Array], Array]  # of x and y, arrays of one shape


def bands(axes: Axes, field: Field, levels: Sequence[float], colours: Sequence[str], steps: int = 60) -> None:
    """Fill the plot with one colour for the values below the first level, one for each band between two, and so on.

    Args:
        axes: The plot.
        field: The function.
        levels: The limits of the bands, rising.
        colours: One more than levels.
        steps: Squares in a row and in a column.
    """
    width, height = axes.width / steps, axes.height / steps
    xs = axes.xs[0] + (np.arange(steps) + 0.5) / steps * (axes.xs[1] - axes.xs[0])
    ys = axes.ys[1] - (np.arange(steps) + 0.5) / steps * (axes.ys[1] - axes.ys[0])
    kinds = np.searchsorted(levels, field(*np.meshgrid(xs, ys)))
    for kind, colour in enumerate(colours):
        parts = []
        for row in range(steps):
            inside = np.concatenate([[False], kinds[row] == kind, [False]])
            edges = np.flatnonzero(inside[1:] != inside[:-1])
            for start, stop in zip(edges[::2], edges[1::2], strict=True):
                x, y = axes.left + start * width, axes.top + (row + 0.5) * height
                parts.append(f"M{x:.1f} {y:.1f}h{(stop - start) * width:.1f}")
        if parts:
            # One thick line for each row of squares; they overlap by a little, so that no white shows between them.
            path = f'<path d="{"".join(parts)}" stroke="{colour}" stroke-width="{height + 0.4:.1f}"/>'
            axes.drawing.parts.append(path)


def contour(
    axes: Axes, field: Field, level: float, *, stroke: str = INK, thick: float = 1.5, steps: int = 40
) -> None:
    """Draw the line along which a function has one value: a piece in each square of a grid that it goes through.

    The values at the corners decide which sides of a square the line crosses, and their difference where.
    """
    xs, ys = np.linspace(*axes.xs, steps + 1), np.linspace(*axes.ys, steps + 1)
    values = field(*np.meshgrid(xs, ys)) - level
    parts = []
    for i, j in np.ndindex(steps, steps):
        corners = [(i, j), (i, j + 1), (i + 1, j + 1), (i + 1, j)]
        crossed: list[Point] = []
        for (a, b), (c, d) in zip(corners, corners[1:] + corners[:1], strict=True):
            first, second = float(values[a, b]), float(values[c, d])
            if (first < 0) != (second < 0):
                part = first / (first - second)
                x, y = xs[b] + part * (xs[d] - xs[b]), ys[a] + part * (ys[c] - ys[a])
                crossed.append(axes.at(float(x), float(y)))
        for (x0, y0), (x1, y1) in zip(crossed[::2], crossed[1::2], strict=True):
            parts.append(f"M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}")
    if parts:
        axes.drawing.parts.append(
            f'<path d="{"".join(parts)}" fill="none" stroke="{stroke}" stroke-width="{thick:g}"/>'
        )
