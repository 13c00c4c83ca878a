"""Figures of the guide on the chain rule: a small change on its way, and the step back through one call."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minitorch import Scalar, central_difference, operators

from .drawing import BLUE, GREEN, GREY, ORANGE, Axes, Drawing, figure, number, tint

D_OUTPUT = 5.0


@figure
def chain_rule_change() -> Drawing:
    """A change of 0.1 in x becomes 0.3 in 3x and 3.69 in (3x)², all drawn to one scale."""
    start, end = Scalar(2.0), Scalar(2.1)
    picture = Drawing(580, 224)
    rows: list[tuple[str, Callable[[Scalar], Scalar], str]] = [
        ("x", lambda x: x, BLUE),
        ("g = 3x", lambda x: x * 3.0, GREEN),
        ("f = g²", lambda x: (x * 3.0) * (x * 3.0), ORANGE),
    ]
    scale, before = 95.0, 0.0
    for k, (name, f, colour) in enumerate(rows):
        y = 34 + 76 * k
        low, high = f(start).data, f(end).data
        change = high - low
        picture.text(24, y, name, anchor="start", bold=True)
        picture.rect(130, y - 9, change * scale, 18, fill=tint(colour, 0.5), stroke=colour, thick=1, radius=2)
        ends = f"{number(low)} to {number(high)}"
        picture.text(138 + change * scale, y, ends, size=12, anchor="start")
        picture.text(24, y + 18, f"change {number(change)}", size=12, fill=colour, anchor="start")
        if before:
            picture.arrow((134, y - 62), (134, y - 14), stroke=GREY)
            picture.text(146, y - 40, f"times {number(change / before)}", size=12, anchor="start", fill=GREY)
        before = change
    return picture


@figure
def chain_rule_slopes() -> Drawing:
    """G = x² + 1 and f = 1 / g at x = 1, and f of x: its slope is the product of the two others."""
    plots: list[
        tuple[str, Callable[[float], float], float, tuple[float, float], tuple[float, float], str]
    ] = [
        ("g = x² + 1", lambda x: x * x + 1.0, 1.0, (0, 2), (0, 5), "x"),
        ("f = 1 / g", operators.inv, 2.0, (0.7, 4), (0, 1.5), "g"),
        ("f = 1 / (x² + 1)", lambda x: operators.inv(x * x + 1.0), 1.0, (0, 2), (0, 1.5), "x"),
    ]
    picture = Drawing(700, 270)
    for k, (title, f, at, xs, ys, label) in enumerate(plots):
        left, colour = 45 + 232 * k, (GREEN, ORANGE, BLUE)[k]
        axes = Axes(picture, left, 40, 176, 170, xs, ys, title=title, x_label=label, marks=3)
        values = np.linspace(*xs, 50)
        axes.curve(values, [f(float(v)) for v in values], stroke=GREY)
        slope = central_difference(f, at)
        reach = 0.24 * (xs[1] - xs[0])
        axes.curve(
            [at - reach, at + reach], [f(at) - slope * reach, f(at) + slope * reach], stroke=colour, thick=3
        )
        axes.points([at], [f(at)], fill=colour, radius=5)
        x, anchor = (left + 168, "end") if slope < 0 else (left + 10, "start")  # where the curve is not
        picture.text(x, 58, f"slope {number(slope)}", anchor=anchor, fill=colour, bold=True)
    return picture


def step(
    picture: Drawing,
    left: float,
    top: float,
    title: str,
    f: Callable[..., Scalar],
    values: dict[str, float],
) -> None:
    """Draw one call: its operands with their values, its result, and the derivatives on their way back."""
    operands = [Scalar(v) for v in values.values()]
    result = f(*operands)
    back = [d for _, d in result.chain_rule(D_OUTPUT)]
    picture.rect(left + 78, top, 76, 84, fill=tint(BLUE, 0.08), stroke=BLUE, radius=8)
    picture.text(left + 116, top + 42, title, bold=True)
    heights = [top + 42] if len(back) == 1 else [top + 20, top + 64]
    for name, value, d, y in zip(values, values.values(), back, heights, strict=True):
        picture.text(left, y - 7, f"{name} = {number(value)}", size=12, anchor="start")
        picture.arrow((left + 46, y - 7), (left + 76, y - 7), stroke=GREY)
        picture.arrow((left + 76, y + 8), (left + 46, y + 8), stroke=ORANGE, thick=2.5)
        picture.text(left + 40, y + 8, number(d), size=12, fill=ORANGE, bold=True, anchor="end")
    picture.arrow((left + 156, top + 35), (left + 182, top + 35), stroke=GREY)
    picture.text(left + 188, top + 35, number(result.data), size=12, anchor="start")
    picture.arrow((left + 182, top + 50), (left + 156, top + 50), stroke=ORANGE, thick=2.5)
    picture.text(left + 188, top + 50, number(D_OUTPUT), size=12, fill=ORANGE, bold=True, anchor="start")


@figure
def chain_rule_functions() -> Drawing:
    """What six functions send back when 5 arrives at their result."""
    picture = Drawing(700, 260)
    calls: list[tuple[str, Callable[..., Scalar], dict[str, float]]] = [
        ("a + b", lambda a, b: a + b, {"a": 2.0, "b": 3.0}),
        ("a · b", lambda a, b: a * b, {"a": 2.0, "b": 3.0}),
        ("a < b", lambda a, b: a < b, {"a": 2.0, "b": 3.0}),
        ("relu(a)", lambda a: a.relu(), {"a": 2.0}),
        ("relu(a)", lambda a: a.relu(), {"a": -2.0}),
        ("-a", lambda a: -a, {"a": 2.0}),
    ]
    for k, (title, f, values) in enumerate(calls):
        step(picture, 20 + 232 * (k % 3), 22 + 120 * (k // 3), title, f, values)
    return picture


@figure
def chain_rule_two_calls() -> Drawing:
    """1 goes back through f = g² and arrives at x as 36: each call multiplies by its own derivative."""
    x = Scalar(2.0)
    g = x * 3.0
    f = g * g
    to_g = sum(d for _, d in f.chain_rule(1.0))
    to_x = g.chain_rule(to_g)[0][1]
    picture = Drawing(560, 130)
    boxes = ((40, "x", x.data, to_x), (240, "g = 3x", g.data, to_g), (440, "f = g²", f.data, 1.0))
    for k, (left, name, value, d) in enumerate(boxes):
        picture.rect(left, 30, 90, 44, fill=tint(BLUE, 0.1), stroke=BLUE, radius=6)
        picture.text(left + 45, 43, name, bold=True)
        picture.text(left + 45, 62, number(value))
        picture.text(left + 45, 92, number(d), fill=ORANGE, bold=True)
        if k:
            picture.arrow((left - 106, 46), (left - 4, 46), stroke=GREY)
            picture.arrow((left + 20, 92), (left - 128, 92), stroke=ORANGE, thick=2.5)
            factor = boxes[k - 1][3] / d
            picture.text(left - 54, 108, f"times {number(factor)}", size=12, fill=ORANGE)
    return picture
