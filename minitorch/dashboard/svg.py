"""Drawings as SVG and HTML text: line charts, confusion matrices, image galleries, tables of settings.

Depends on NumPy and on `images` beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from .images import data_url

Array = npt.NDArray[Any]
Trace = tuple[Sequence[float], Sequence[float]]

COLOURS = ("#2f6db3", "#e07b39", "#3d9970", "#8e5ea2", "#c9a227")
INK, PALE = "#22262b", "#e6e8eb"
WIDTH, HEIGHT = 460, 280
LEFT, RIGHT, TOP, BOTTOM = 54, 14, 30, 40
MAX_MARKS = 200  # points of a line that show their value under the pointer


# These rules override those of a page, which may make text pale and thin.
STYLE = "<style>.drawn text,.drawn td{font:400 12px sans-serif}.drawn .strong{font-weight:700}</style>"


def svg(kind: str, width: float, height: float, parts: Sequence[str]) -> str:
    """Return an SVG element of class ``kind``; ``width`` and ``height`` are in pixels."""
    return (
        f'<svg class="drawn {kind}" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="12" fill="{INK}">'
        f"{STYLE}{''.join(parts)}</svg>"
    )


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return about ``count`` round numbers from ``low`` to ``high``."""
    span = (high - low) / count
    power = 10.0 ** math.floor(math.log10(span))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= span * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _span(values: Sequence[float]) -> tuple[float, float]:
    """Return the range of the finite values, widened where it would be empty."""
    finite = [v for v in values if math.isfinite(v)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    if 1e-300 < high - low < math.inf:
        return low, high
    margin = abs(low) * 0.1 or 1.0
    return low - margin, low + margin


def line_chart(traces: Mapping[str, Trace], unit: str = "step") -> str:
    """Return a line chart as SVG.

    The legend has the last value of each line. A point shows its value under the pointer. Values that are not finite
    are gaps.

    Args:
        traces: The lines by name: all x and all y of each.
        unit: The unit of x.
    """
    x_low, x_high = _span([v for x, _ in traces.values() for v in x])
    y_low, y_high = _span([v for _, y in traces.values() for v in y])
    margin = 0.05 * (y_high - y_low)
    y_low, y_high = (0.0 if y_low == 0 else y_low - margin), y_high + margin
    legends = [f"{name} {_number(ys[-1])}" for name, (_, ys) in traces.items()]
    corners = _legend_places(legends)
    height = HEIGHT + corners[-1][1] if corners else HEIGHT
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        left = LEFT + (x - x_low) / (x_high - x_low) * across
        return round(left, 1), round(height - BOTTOM - (y - y_low) / (y_high - y_low) * down, 1)

    parts = []
    for y in ticks(y_low, y_high):
        _, top = place(x_low, y)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{top}" y2="{top}" stroke="{PALE}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{top + 4}" text-anchor="end">{_number(y)}</text>')
    for x in ticks(x_low, x_high):
        left, _ = place(x, y_low)
        parts.append(f'<text x="{left}" y="{height - BOTTOM + 17}" text-anchor="middle">{_number(x)}</text>')
    parts.append(f'<text x="{LEFT + across / 2}" y="{height - 6}" text-anchor="middle">{escape(unit)}</text>')
    for (xs, ys), legend, (beside, below), colour in zip(
        traces.values(), legends, corners, COLOURS * len(traces)
    ):
        path = " ".join(_path(place(x, y) if math.isfinite(y) else None for x, y in zip(xs, ys)))
        style = f'fill="none" stroke="{colour}" stroke-width="1.8" stroke-linejoin="round"'
        parts.append(f'<path d="{path}" {style}/>')
        parts += _marks(xs, ys, place, colour)
        parts.append(f'<rect x="{beside}" y="{10 + below}" width="12" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{beside + 17}" y="{16 + below}">{escape(legend)}</text>')
    return svg("chart", WIDTH, height, parts)


def _legend_places(legends: Sequence[str]) -> list[tuple[int, int]]:
    """Return where each legend begins: x, and how far below the first line of legends."""
    places, beside, below = [], LEFT, 0
    for legend in legends:
        width = 34 + 7 * len(legend)
        if beside > LEFT and beside + width > WIDTH:
            beside, below = LEFT, below + 16
        places.append((beside, below))
        beside += width
    return places


def _path(places: Iterator[tuple[float, float] | None]) -> Iterator[str]:
    pen_down = False
    for place in places:
        if place is not None:
            yield f"{'L' if pen_down else 'M'}{place[0]:g} {place[1]:g}"
        pen_down = place is not None


def _marks(xs: Sequence[float], ys: Sequence[float], place: Any, colour: str) -> list[str]:
    """Return circles that show a value under the pointer; they are visible on lines of few points only."""
    every = -(-len(xs) // MAX_MARKS)
    fill = f'fill="{colour}"' if len(xs) <= 30 else 'fill="transparent"'
    marks = []
    for x, y in list(zip(xs, ys))[::-1][::every]:
        if math.isfinite(y):
            left, top = place(x, y)
            label = f"{_number(x)}: {y:.6g}"
            marks.append(f'<circle cx="{left}" cy="{top}" r="3" {fill}><title>{label}</title></circle>')
    return marks


def _number(value: float) -> str:
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 and value == round(value) else f"{value:.4g}"


def confusion(counts: Array, classes: Sequence[str], title: str) -> str:
    """Return a confusion matrix as SVG: true classes in rows, predicted classes in columns."""
    side = 38
    margin = 20 + 7 * max(map(len, classes))
    head = 44 + (margin - 20 if margin > 40 else 18)
    width, height = margin + side * len(classes) + 20, head + side * len(classes) + 14
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    parts = [
        f'<text class="strong" x="6" y="18">{escape(title)}</text>',
        '<text x="6" y="36" fill="#6b7178">rows: true, columns: predicted</text>',
    ]
    for k, name in enumerate(classes):
        middle = side * k + side / 2
        parts.append(
            f'<text x="{margin - 6}" y="{head + middle + 4}" text-anchor="end">{escape(name)}</text>'
        )
        x, rotated = margin + middle, margin > 40
        anchor = f'transform="rotate(-60 {x} {head - 6})"' if rotated else 'text-anchor="middle"'
        parts.append(f'<text x="{x}" y="{head - 6}" {anchor}>{escape(name)}</text>')
    for i, j in np.ndindex(*counts.shape):
        x, y, depth = margin + side * j, head + side * i, float(shares[i, j]) ** 0.5
        red, green, blue = (round(255 - depth * (255 - c)) for c in (47, 109, 179))
        parts.append(
            f'<rect x="{x}" y="{y}" width="{side - 1}" height="{side - 1}" fill="rgb({red},{green},{blue})"/>'
        )
        if counts[i, j]:
            colour = "#ffffff" if depth > 0.6 else INK
            parts.append(
                f'<text x="{x + side / 2}" y="{y + side / 2 + 4}" text-anchor="middle" fill="{colour}">'
                f"{int(counts[i, j])}</text>"
            )
    return svg("confusion", width, height, parts)


def settings_table(record: Mapping[str, Any]) -> str:
    """Return names and values as an HTML table."""
    rows = "".join(
        f"<tr><td style='padding-right:14px;color:#6b7178'>{escape(str(name))}</td>"
        f"<td style='color:{INK}'>{escape('-' if value is None else str(value))}</td></tr>"
        for name, value in record.items()
    )
    return f"{STYLE}<table class='drawn'>{rows}</table>"


def gallery(images: Array, captions: Sequence[str], title: str) -> str:
    """Return uint8 images (N, C, H, W) as SVG: 8 in a row, each below its caption of one or two lines."""
    side, gap, columns = 64, 10, 8
    words = [caption.split("\n") for caption in captions]
    headroom = 16 * max([len(lines) for lines in words], default=1) + 6
    pitch = max(side + gap, 8 + 6 * max((len(line) for lines in words for line in lines), default=0))
    width = max(columns * pitch + gap, 420)
    height = 30 + -(-len(images) // columns) * (side + headroom + 4) + 6
    parts = [f'<text class="strong" x="6" y="18">{escape(title)}</text>']
    for n, (image, lines) in enumerate(zip(images, words)):
        x, y = gap + n % columns * pitch, 30 + n // columns * (side + headroom + 4)
        for k, line in enumerate(lines):
            parts.append(
                f'<text x="{x + side / 2:g}" y="{y + 14 + 16 * k}" text-anchor="middle">{escape(line)}</text>'
            )
        pixels = 255 - image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        parts.append(
            f'<image x="{x}" y="{y + headroom}" width="{side}" height="{side}" '
            f'style="image-rendering:pixelated" href="{data_url(pixels)}"/>'
        )
    return svg("gallery", width, height, parts)
