"""Draws the graph that autodiff recorded as SVG text: inputs at the top, the result at the bottom.

Layered layout (as in Sugiyama, Tagawa, Toda, 1981): a variable is one layer above the first call that uses it. An
edge that passes a layer gets a placeholder there, so that it goes around the boxes. The boxes of a layer are ordered by
the means of their neighbours, so that few edges cross. Depends on autodiff, Scalar, Tensor and on `svg` beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from ..autodiff import Variable, topological_sort
from ..module import Module
from ..scalar import Scalar
from ..tensor import Tensor
from .svg import svg

LINE_HEIGHT, GAP, LAYER_GAP, EDGE_WIDTH = (
    15,
    18,
    40,
    26,
)  # pixels; EDGE_WIDTH is for an edge that passes a layer
EDGE = "#8a8f98"
FILLS = {"call": "#dce8f5", "leaf": "#fbe7d8", "constant": "#eceef0", "result": "#d9efe0"}
MAX_BOXES = 80
SWEEPS = 6  # that order the boxes of each layer


@dataclass(eq=False)
class Box:
    """A variable, or (without lines of text) the place where an edge passes a layer."""

    lines: Sequence[str] = ()
    kind: str = "call"
    layer: int = 0
    above: list[Box] = field(default_factory=list)
    below: list[Box] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0

    @property
    def width(self) -> float:
        return max(46.0, 14 + 7.0 * max(map(len, self.lines))) if self.lines else EDGE_WIDTH

    @property
    def height(self) -> float:
        return LINE_HEIGHT * len(self.lines) + 10 if self.lines else 0.0


def parameter_names(model: Module) -> dict[int, str]:
    """Return the names of the parameters of a model, by the identity of their values."""
    return {id(parameter.value): name for name, parameter in model.named_parameters()}


def derivatives(result: Variable, d: Any = 1.0) -> dict[int, Any]:
    """Return ``d`` times the derivative of ``result`` by each variable it was computed from, by identity."""
    found: dict[int, Any] = {id(result): d}
    for variable in topological_sort(result):
        if variable.is_leaf():
            continue
        for parent, part in variable.chain_rule(found[id(variable)]):
            if parent.history is not None:
                known = found.get(id(parent))
                found[id(parent)] = part if known is None else known + part
    return found


def draw_graph(
    result: Variable, names: Mapping[int, str] | None = None, *, show_derivatives: bool = False
) -> str:
    """Return the graph of ``result`` as SVG.

    Args:
        result: The Scalar or Tensor whose graph is drawn.
        names: Names of variables by identity, which override their own; see `parameter_names`.
        show_derivatives: Whether each box has its derivative too; for Scalars.
    """
    found = derivatives(result) if show_derivatives else {}
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


def _lines(variable: Variable, names: Mapping[int, str], found: Mapping[int, Any]) -> list[str]:
    """Return the text in the box of a variable: name or function, value or shape, derivative."""
    history = variable.history
    called = history.last_fn.__name__ if history is not None and history.last_fn is not None else None
    name = names.get(id(variable)) or variable.name
    lines = [" = ".join(part for part in (name, called) if part)] if name or called else []
    if isinstance(variable, Scalar):
        lines.append(f"{variable.data:.4g}")
    elif isinstance(variable, Tensor):
        lines.append(" × ".join(map(str, variable.shape)))
    if id(variable) in found:
        lines.append(f"d {float(found[id(variable)]):.4g}")
    return lines


def _first(boxes: list[Box]) -> list[Box]:
    """Return all boxes, or for a large graph those nearest to its inputs."""
    if len(boxes) <= MAX_BOXES:
        return boxes
    kept = sorted(boxes, key=lambda box: -box.layer)[:MAX_BOXES]
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
    """Assign boxes to layers, the result's first; add placeholders for passing edges; set all positions."""
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
    """Set the centre of each box: layers below each other, each centred on the one below."""
    y = 8.0
    for row in reversed(layers):
        height = max(box.height for box in row)
        for box in row:
            box.y = y + height / 2
        y += height + LAYER_GAP
    for row in layers:
        _spread(row, 0.0)
    for row in layers[1:]:
        middle = sum(_middle(box.below, 0.0) for box in row) / len(row)
        _spread(row, middle)


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
        f'<text x="{box.x:.1f}" y="{y + 5 + LINE_HEIGHT * n + 11:.1f}" text-anchor="middle"{"" if n else heavy}>'
        f"{escape(line)}</text>"
        for n, line in enumerate(box.lines)
    )
    return (
        f'<g class="node {box.kind}"><rect x="{x:.1f}" y="{y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="{rounding}" fill="{FILLS[box.kind]}" stroke="{EDGE}"/>{texts}</g>'
    )
