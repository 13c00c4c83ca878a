"""Draws the graph that autodiff recorded as SVG text: inputs above, the result below, a layer for each call.

The layout is its own: a variable stands one layer above the first call that uses it, lines that pass several layers
are led around the boxes, and boxes are ordered to cross few lines. It refuses to know what a value is, beyond asking
for its number or its shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from charts import svg
from minitorch import Module, Scalar, Tensor
from minitorch.autodiff import Variable, topological_sort

LINE, GAP, RISE, SLOT = 15, 18, 40, 26  # heights and distances in pixels; SLOT is for a line that passes
EDGE = "#8a8f98"
FILLS = {"call": "#dce8f5", "leaf": "#fbe7d8", "constant": "#eceef0", "result": "#d9efe0"}
MOST = 80  # boxes in a drawing
SWEEPS = 6


@dataclass(eq=False)
class Box:
    """A variable, or (without lines of text) a place where a line passes a layer."""

    lines: Sequence[str] = ()
    kind: str = "call"
    layer: int = 0
    above: list[Box] = field(default_factory=list)
    below: list[Box] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0

    @property
    def width(self) -> float:
        return max(46.0, 14 + 7.0 * max(map(len, self.lines))) if self.lines else SLOT

    @property
    def height(self) -> float:
        return LINE * len(self.lines) + 10 if self.lines else 0.0


def parameter_names(model: Module) -> dict[int, str]:
    """Return what the parameters of a model are called, by the identity of their values."""
    return {id(parameter.value): name for name, parameter in model.named_parameters()}


def derivatives(result: Variable, d: Any = 1.0) -> dict[int, Any]:
    """Return the derivative of ``result``, times ``d``, by the identity of each variable that led to it."""
    found: dict[int, Any] = {id(result): d}
    for variable in topological_sort(result):
        if variable.is_leaf():
            continue
        for parent, part in variable.chain_rule(found[id(variable)]):
            if parent.history is not None:
                known = found.get(id(parent))
                found[id(parent)] = part if known is None else known + part
    return found


def draw(result: Variable, names: Mapping[int, str] | None = None, *, slopes: bool = False) -> str:
    """Return the graph of ``result`` as SVG.

    Args:
        result: What was computed.
        names: What variables are called, by identity, besides their own names.
        slopes: Whether derivatives are told too (of Scalars).
    """
    found = derivatives(result) if slopes else {}
    boxes: dict[int, Box] = {}
    order = topological_sort(result)
    for variable in [*order, *(p for v in order for p in v.parents)]:
        if id(variable) not in boxes:
            box = boxes[id(variable)] = Box(_lines(variable, names or {}, found), _kind(variable))
            if variable is result:
                box.kind = "result"
    for variable in order:
        box = boxes[id(variable)]
        box.above = [boxes[id(p)] for p in variable.parents]
        for parent in box.above:
            parent.layer = max(parent.layer, box.layer + 1)
    return _svg(_layers(_first(list(boxes.values()))))


def _kind(variable: Variable) -> str:
    if variable.is_constant():
        return "constant"
    return "leaf" if variable.is_leaf() else "call"


def _lines(variable: Variable, names: Mapping[int, str], slopes: Mapping[int, Any]) -> list[str]:
    """Return what is written on a variable: its name or function, its value or shape, its derivative."""
    history = variable.history
    called = history.last_fn.__name__ if history is not None and history.last_fn is not None else None
    name = names.get(id(variable)) or variable.name
    lines = [" = ".join(part for part in (name, called) if part)] if name or called else []
    if isinstance(variable, Scalar):
        lines.append(f"{variable.data:.4g}")
    elif isinstance(variable, Tensor):
        lines.append(" × ".join(map(str, variable.shape)))
    if id(variable) in slopes:
        lines.append(f"d {float(slopes[id(variable)]):.4g}")
    return lines


def _first(boxes: list[Box]) -> list[Box]:
    """Return the boxes, or of a large graph those nearest to its inputs."""
    if len(boxes) <= MOST:
        return boxes
    kept = sorted(boxes, key=lambda box: -box.layer)[:MOST]
    lowest = min(box.layer for box in kept)
    kept = [box for box in kept if box.layer > lowest] or kept
    chosen = set(map(id, kept))
    for box in kept:
        box.above = [parent for parent in box.above if id(parent) in chosen]
    base = min(box.layer for box in kept)
    for box in kept:
        box.layer -= base
    return kept


def _layers(boxes: list[Box]) -> list[list[Box]]:
    """Put boxes into layers, the result's first, with a place in each layer that a line passes; place all."""
    layers: list[list[Box]] = [[] for _ in range(1 + max(box.layer for box in boxes))]
    for box in boxes:
        layers[box.layer].append(box)
    for box in boxes:
        for k, parent in enumerate(box.above):
            lower, upper = box, parent
            for layer in range(box.layer + 1, parent.layer):
                passing = Box(layer=layer)
                layers[layer].append(passing)
                _join(lower, passing, k if lower is box else None)
                lower = passing
            _join(lower, upper, k if lower is box else None)
    for sweep in range(SWEEPS):
        downward = sweep % 2 == 1
        for row in reversed(layers) if downward else layers:
            for n, box in enumerate(row):
                box.x = _middle(box.above if downward else box.below, n)
            row.sort(key=lambda box: box.x)
            for n, box in enumerate(row):
                box.x = float(n)
    _place(layers)
    return layers


def _join(lower: Box, upper: Box, operand: int | None) -> None:
    if operand is None:
        lower.above.append(upper)
    else:
        lower.above[operand] = upper
    upper.below.append(lower)


def _middle(neighbours: Sequence[Box], otherwise: float) -> float:
    return sum(box.x for box in neighbours) / len(neighbours) if neighbours else otherwise


def _place(layers: list[list[Box]]) -> None:
    """Give each box its middle: below what it uses where there is room, layers centred on one another."""
    y = 8.0
    for row in reversed(layers):
        height = max(box.height for box in row)
        for box in row:
            box.y = y + height / 2
        y += height + RISE
    for row in layers:
        _spread(row, 0.0)
    for row in layers[1:]:
        wished = sum(_middle(box.below, 0.0) for box in row) / len(row)
        _spread(row, wished)


def _spread(row: list[Box], middle: float) -> None:
    left = middle - (sum(box.width for box in row) + GAP * (len(row) - 1)) / 2
    for box in row:
        box.x = left + box.width / 2
        left += box.width + GAP


def _svg(layers: list[list[Box]]) -> str:
    boxes = [box for row in layers for box in row]
    left = min(box.x - box.width / 2 for box in boxes) - 8
    width = round(max(box.x + box.width / 2 for box in boxes) + 8 - left)
    height = round(max(box.y + box.height / 2 for box in boxes) + 8)
    for box in boxes:
        box.x -= left
    parts = [
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{EDGE}"/></marker></defs>'
    ]
    for box in boxes:
        parts += [_edge(parent, box) for parent in box.above]
    parts += [_drawn(box) for box in boxes if box.lines]
    return svg("graph", width, height, parts)


def _edge(upper: Box, lower: Box) -> str:
    start, end = upper.y + upper.height / 2, lower.y - lower.height / 2
    bend = (end - start) / 2
    curve = (
        f"M{upper.x:.1f} {start:.1f}C{upper.x:.1f} {start + bend:.1f} "
        f"{lower.x:.1f} {end - bend:.1f} {lower.x:.1f} {end:.1f}"
    )
    tip = ' marker-end="url(#tip)"' if lower.lines else ""
    return f'<path d="{curve}" fill="none" stroke="{EDGE}" stroke-width="1.3"{tip}/>'


def _drawn(box: Box) -> str:
    x, y = box.x - box.width / 2, box.y - box.height / 2
    rounding = 4 if box.kind in ("leaf", "constant") else 10
    heavy = ' class="strong"'
    texts = "".join(
        f'<text x="{box.x:.1f}" y="{y + 5 + LINE * n + 11:.1f}" text-anchor="middle"{"" if n else heavy}>'
        f"{escape(line)}</text>"
        for n, line in enumerate(box.lines)
    )
    return (
        f'<g class="node {box.kind}"><rect x="{x:.1f}" y="{y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="{rounding}" fill="{FILLS[box.kind]}" stroke="{EDGE}"/>{texts}</g>'
    )
