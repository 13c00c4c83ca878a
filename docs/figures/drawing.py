"""Shapes, arrows, grids of numbers and axes as SVG text, and the list of all figures.

A figure is a function without arguments that returns a `Drawing`. `@figure` puts it on the list under its name:
``def strides_permute()`` is written to ``docs/images/guide/strides-permute.svg``. Coordinates are pixels from the top
left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from minitorch.dashboard.svg import COLOURS, INK, PALE, ticks

BLUE, ORANGE, GREEN, PURPLE, YELLOW = COLOURS
GREY, RED, WHITE = "#7b838c", "#c0392b", "#ffffff"
FOLDER = Path(__file__).resolve().parents[1] / "images" / "guide"
FIGURES: dict[str, Callable[[], Drawing]] = {}

Point = tuple[float, float]


def figure(draw: Callable[[], Drawing]) -> Callable[[], Drawing]:
    """Put a function that draws a figure on the list of figures."""
    FIGURES[draw.__name__.replace("_", "-")] = draw
    return draw


def tint(colour: str, strength: float) -> str:
    """Return a colour mixed with white: strength 0 gives white, 1 the colour."""
    parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 + (part - 255) * min(max(strength, 0.0), 1.0)):02x}" for part in parts)


def signed(value: float, largest: float) -> str:
    """Return blue for a positive number, orange for a negative one, the stronger the closer it is to ``largest``."""
    return tint(BLUE if value > 0 else ORANGE, round(16 * abs(value) / largest) / 16)


def number(value: float, digits: int = 2) -> str:
    """Return a number as short text: at most ``digits`` decimals, no zeros at the end, no negative zero."""
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def power_of_ten(exponent: float) -> str:
    """Return 10 to a whole power as text, for a logarithmic axis: its values are logarithms to base 10."""
    return "10" + str(round(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


class Drawing:
    """A picture of ``width`` x ``height`` pixels on a white card, to which shapes are added from back to front."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.parts: list[str] = []

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: str = "none",
        stroke: str = INK,
        thick: float = 1,
        radius: float = 0,
    ) -> None:
        """Add a rectangle with its top left corner at (x, y)."""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:g}" '
            f'fill="{fill}" stroke="{stroke}" stroke-width="{thick:g}"/>'
        )

    def circle(
        self, x: float, y: float, radius: float, *, fill: str = WHITE, stroke: str = INK, thick: float = 1
    ) -> None:
        """Add a circle around (x, y)."""
        self.parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{fill}" stroke="{stroke}" '
            f'stroke-width="{thick:g}"/>'
        )

    def line(
        self,
        points: Sequence[Point],
        *,
        stroke: str = INK,
        thick: float = 1.5,
        dash: str = "",
        fill: str = "none",
        close: bool = False,
    ) -> None:
        """Add straight lines through all points; with ``close``, back to the first, which may be filled."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<{"polygon" if close else "polyline"} points="{path}" fill="{fill}" stroke="{stroke}" '
            f'stroke-width="{thick:g}"{dashes} stroke-linejoin="round"/>'
        )

    def arrow(
        self,
        start: Point,
        end: Point,
        *,
        stroke: str = INK,
        thick: float = 1.5,
        bend: float = 0.0,
        dash: str = "",
    ) -> None:
        """Add an arrow; ``bend`` moves its middle that many pixels to the left of its direction."""
        a, b = np.array(start, dtype=float), np.array(end, dtype=float)
        along = (b - a) / max(float(np.hypot(*(b - a))), 1e-9)
        left = np.array([along[1], -along[0]])
        middle = (a + b) / 2 + 2 * bend * left
        into = (b - middle) / max(float(np.hypot(*(b - middle))), 1e-9)
        side = np.array([into[1], -into[0]])
        head = [b, b - 9 * into + 4 * side, b - 9 * into - 4 * side]
        tail = b - 7 * into
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<path d="M{a[0]:.1f},{a[1]:.1f} Q{middle[0]:.1f},{middle[1]:.1f} {tail[0]:.1f},{tail[1]:.1f}" '
            f'fill="none" stroke="{stroke}" stroke-width="{thick:g}"{dashes}/>'
        )
        self.line(
            [(float(p[0]), float(p[1])) for p in head], stroke=stroke, thick=0.5, fill=stroke, close=True
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 13,
        fill: str = INK,
        anchor: str = "middle",
        bold: bool = False,
        code: bool = False,
    ) -> None:
        """Add a line of text whose middle height is at y; ``anchor`` is start, middle or end."""
        weight = ' font-weight="700"' if bold else ""
        family = ' font-family="monospace"' if code else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y + size * 0.35:.1f}" font-size="{size:g}" fill="{fill}" '
            f'text-anchor="{anchor}"{weight}{family}>{escape(text)}</text>'
        )

    def grid(
        self,
        values: npt.ArrayLike,
        x: float,
        y: float,
        *,
        size: float = 34,
        fills: Sequence[Sequence[str]] | None = None,
        digits: int = 2,
        text_size: float = 13,
    ) -> None:
        """Add a table of numbers or texts, one square of ``size`` pixels for each.

        Args:
            values: Numbers or texts, (rows, columns).
            x: Left edge.
            y: Top edge.
            size: Width and height of a square in pixels.
            fills: Colour of each square; white where left out.
            digits: Decimals of numbers.
            text_size: Height of the text in pixels.
        """
        table = np.asarray(values, dtype=object)
        for (row, column), value in np.ndenumerate(table):
            fill = fills[row][column] if fills is not None else WHITE
            self.rect(x + column * size, y + row * size, size, size, fill=fill, stroke=GREY)
            shown = value if isinstance(value, str) else number(float(value), digits)
            self.text(x + (column + 0.5) * size, y + (row + 0.5) * size, shown, size=text_size)

    def image(self, values: npt.ArrayLike, x: float, y: float, *, size: float = 4, colour: str = INK) -> None:
        """Add an image (rows, columns) without numbers: the smallest value white, the largest in ``colour``."""
        pixels = np.asarray(values, dtype=float)
        low, high = float(pixels.min()), float(pixels.max())
        scaled = (pixels - low) / (high - low) if high > low else np.zeros_like(pixels)
        for (row, column), strength in np.ndenumerate(np.round(scaled * 16) / 16):
            if strength > 0:
                self.parts.append(
                    f'<rect x="{x + column * size:.1f}" y="{y + row * size:.1f}" width="{size + 0.1:.1f}" '
                    f'height="{size + 0.1:.1f}" fill="{tint(colour, float(strength))}"/>'
                )
        self.rect(x, y, pixels.shape[1] * size, pixels.shape[0] * size, stroke=GREY)

    def signed_image(self, values: npt.ArrayLike, x: float, y: float, *, size: float = 4) -> None:
        """Add an image (rows, columns) without numbers: positive values blue, negative ones orange, 0 white."""
        pixels = np.asarray(values, dtype=float)
        largest = max(float(np.abs(pixels).max()), 1e-12)
        for (row, column), value in np.ndenumerate(pixels):
            if (fill := signed(float(value), largest)) != WHITE:
                self.parts.append(
                    f'<rect x="{x + column * size:.1f}" y="{y + row * size:.1f}" width="{size + 0.1:.1f}" '
                    f'height="{size + 0.1:.1f}" fill="{fill}"/>'
                )
        self.rect(x, y, pixels.shape[1] * size, pixels.shape[0] * size, stroke=GREY)

    def fine_image(
        self,
        values: npt.ArrayLike,
        x: float,
        y: float,
        *,
        size: float = 2,
        colour: str = INK,
        high: float = 0.0,
    ) -> None:
        """Add an image of many pixels, 0 white and ``high`` in ``colour``, in six levels and rows of equal ones.

        Its text is short: a row of equal pixels is one rectangle of a path. ``high`` is by default the largest value.
        """
        pixels = np.asarray(values, dtype=float)
        most = high or max(float(pixels.max()), 1e-12)
        levels = np.clip(np.round(pixels / most * 6), 0, 6).astype(int)
        for level in range(1, 7):
            runs = []
            for row, line in enumerate(levels == level):
                edges = np.flatnonzero(np.diff(np.concatenate([[False], line, [False]])))
                runs += [(row, int(start), int(end)) for start, end in edges.reshape(-1, 2)]
            path = "".join(
                f"M{x + start * size:.1f},{y + row * size:.1f}h{(end - start) * size:.1f}v{size:.1f}"
                f"h-{(end - start) * size:.1f}z"
                for row, start, end in runs
            )
            if path:
                self.parts.append(f'<path d="{path}" fill="{tint(colour, level / 6)}"/>')
        self.rect(x, y, pixels.shape[1] * size, pixels.shape[0] * size, stroke=GREY)

    def svg(self) -> str:
        """Return the drawing as the text of an SVG file."""
        card = f'<rect width="{self.width:g}" height="{self.height:g}" rx="8" fill="{WHITE}"/>'
        body = "\n".join([card, *self.parts])
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:g}" height="{self.height:g}" '
            f'viewBox="0 0 {self.width:g} {self.height:g}" font-family="sans-serif" font-size="13" '
            f'fill="{INK}">\n{body}\n</svg>\n'
        )


class Axes:
    """A plot inside of a drawing: a rectangle of it with a range of x and of y, tick marks and labels."""

    def __init__(
        self,
        drawing: Drawing,
        left: float,
        top: float,
        width: float,
        height: float,
        xs: tuple[float, float],
        ys: tuple[float, float],
        *,
        title: str = "",
        x_label: str = "",
        y_label: str = "",
        marks: int = 4,
        x_text: Callable[[float], str] = number,
        y_text: Callable[[float], str] = number,
    ) -> None:
        self.drawing, self.left, self.top, self.width, self.height = drawing, left, top, width, height
        self.xs, self.ys = xs, ys
        drawing.rect(left, top, width, height, stroke=PALE)
        if marks:
            for value in ticks(*xs, marks):
                x, _ = self.at(value, ys[0])
                drawing.line([(x, top), (x, top + height)], stroke=PALE, thick=1)
                drawing.text(x, top + height + 12, x_text(value), size=11, fill=GREY)
            for value in ticks(*ys, marks):
                _, y = self.at(xs[0], value)
                drawing.line([(left, y), (left + width, y)], stroke=PALE, thick=1)
                drawing.text(left - 6, y, y_text(value), size=11, fill=GREY, anchor="end")
        drawing.text(left + width / 2, top - 12, title, bold=True)
        drawing.text(left + width / 2, top + height + 30, x_label, size=12)
        drawing.text(left - 34, top - 12, y_label, size=12, anchor="start")

    def at(self, x: float, y: float) -> Point:
        """Return the pixel of a value."""
        across = (x - self.xs[0]) / (self.xs[1] - self.xs[0])
        up = (y - self.ys[0]) / (self.ys[1] - self.ys[0])
        return self.left + across * self.width, self.top + (1 - up) * self.height

    def curve(
        self, xs: npt.ArrayLike, ys: npt.ArrayLike, *, stroke: str = BLUE, thick: float = 2, dash: str = ""
    ) -> None:
        """Add a line through all (x, y); what lies above or below the plot is cut at its edge."""
        pairs = zip(np.asarray(xs, dtype=float).ravel(), np.asarray(ys, dtype=float).ravel(), strict=True)
        points = [self.at(float(x), float(min(max(y, self.ys[0]), self.ys[1]))) for x, y in pairs]
        self.drawing.line(points, stroke=stroke, thick=thick, dash=dash)

    def points(self, xs: npt.ArrayLike, ys: npt.ArrayLike, *, fill: str = ORANGE, radius: float = 4) -> None:
        """Add a dot for each (x, y)."""
        for x, y in zip(
            np.asarray(xs, dtype=float).ravel(), np.asarray(ys, dtype=float).ravel(), strict=True
        ):
            self.drawing.circle(*self.at(float(x), float(y)), radius, fill=fill, stroke=WHITE)

    def areas(self, values: npt.NDArray[Any], colour: Callable[[float], str]) -> None:
        """Fill the plot with squares: ``values`` (rows from the top, columns) and the colour of each value."""
        rows, columns = values.shape
        width, height = self.width / columns, self.height / rows
        for (row, column), value in np.ndenumerate(values):
            self.drawing.parts.append(
                f'<rect x="{self.left + column * width:.1f}" y="{self.top + row * height:.1f}" '
                f'width="{width + 0.3:.1f}" height="{height + 0.3:.1f}" fill="{colour(float(value))}"/>'
            )
