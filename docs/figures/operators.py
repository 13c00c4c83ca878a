"""Figures of the guide on operators: the curves of the functions, and where the sigmoid's two forms overflow."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from minitorch import operators

from .drawing import BLUE, GREEN, GREY, ORANGE, RED, Axes, Drawing, figure, number, power_of_ten, tint

Function = Callable[[float], float]


def panel(picture: Drawing, k: int, title: str, ys: tuple[float, float]) -> Axes:
    """Return axes for the plot number ``k`` of three in a row."""
    left, top = 45 + 225 * (k % 3), 40 + 190 * (k // 3)
    return Axes(picture, left, top, 165, 120, (-4, 4), ys, title=title, marks=4)


def curve(
    axes: Axes, f: Function, low: float = -4.0, high: float = 4.0, *, stroke: str = BLUE, dash: str = ""
) -> None:
    """Draw a function from ``low`` to ``high``, where it lies inside of the plot."""
    xs = [float(x) for x in np.linspace(low, high, 41)]
    inside = [x for x in xs if axes.ys[0] <= f(x) <= axes.ys[1]]
    axes.curve(inside, [f(x) for x in inside], stroke=stroke, dash=dash)


@figure
def operators_curves() -> Drawing:
    """Six functions of one number."""
    picture = Drawing(700, 390)
    curve(panel(picture, 0, "neg", (-4, 4)), operators.neg)
    curve(panel(picture, 1, "relu", (-1, 4)), operators.relu)
    curve(panel(picture, 2, "sigmoid", (-0.2, 1.2)), operators.sigmoid)
    curve(panel(picture, 3, "exp", (-1, 8)), operators.exp)
    curve(panel(picture, 4, "log", (-4, 4)), operators.log, 0.02)
    reciprocal = panel(picture, 5, "inv", (-4, 4))
    curve(reciprocal, operators.inv, -4.0, -0.05)
    curve(reciprocal, operators.inv, 0.05)
    return picture


@figure
def operators_comparisons() -> Drawing:
    """lt, eq and max of x and 1: two of them are 0 or 1."""
    picture = Drawing(700, 200)
    below = panel(picture, 0, "lt(x, 1)", (-0.2, 1.2))
    curve(below, lambda x: operators.lt(x, 1.0), -4.0, 0.999)
    curve(below, lambda x: operators.lt(x, 1.0), 1.0)
    equal = panel(picture, 1, "eq(x, 1)", (-0.2, 1.2))
    curve(equal, lambda x: operators.eq(x, 1.0), -4.0, 0.999)
    curve(equal, lambda x: operators.eq(x, 1.0), 1.001)
    equal.points([1.0], [operators.eq(1.0, 1.0)], fill=BLUE)
    curve(panel(picture, 2, "max(x, 1)", (-1, 4)), lambda x: operators.max(x, 1.0))
    return picture


def first(x: float) -> float:
    """Return the sigmoid by its usual form."""
    return 1.0 / (1.0 + math.exp(-x))


def second(x: float) -> float:
    """Return the sigmoid by the form whose exponent is x."""
    return math.exp(x) / (1.0 + math.exp(x))


def works(f: Function, x: float) -> bool:
    """Tell whether a form gives a number."""
    try:
        f(x)
    except OverflowError:
        return False
    return True


def limit(f: Function, good: float, bad: float) -> float:
    """Return the last argument, between a good and a bad one, for which a form gives a number."""
    while abs(bad - good) > 0.01:
        middle = (good + bad) / 2
        good, bad = (middle, bad) if works(f, middle) else (good, middle)
    return good


@figure
def operators_sigmoid_forms() -> Drawing:
    """For which arguments each form of the sigmoid gives a number."""
    picture = Drawing(700, 210)
    scale, middle = 0.22, 440.0
    rows: list[tuple[str, Function]] = [
        ("1 / (1 + exp(-x))", first),
        ("exp(x) / (1 + exp(x))", second),
        ("by the sign of x", operators.sigmoid),
    ]
    for k, (name, f) in enumerate(rows):
        y = 30 + 46 * k
        picture.text(20, y + 13, name, anchor="start", code=k < 2, size=13)
        low = -1000.0 if works(f, -1000.0) else limit(f, 0.0, -1000.0)
        high = 1000.0 if works(f, 1000.0) else limit(f, 0.0, 1000.0)
        picture.rect(middle - 1000 * scale, y, 2000 * scale, 26, fill=tint(RED, 0.25), stroke=GREY)
        picture.rect(
            middle + low * scale, y, (high - low) * scale, 26, fill=tint(GREEN, 0.35), stroke=GREY, thick=0.5
        )
        picture.text(middle, y + 13, "a number", size=12)
        for end, outer in ((low, -1000.0), (high, 1000.0)):
            if abs(end) < 1000:
                picture.text(middle + (end + outer) / 2 * scale, y + 13, "error", size=12, fill=RED)
                picture.text(middle + end * scale, y - 9, number(end, 1), size=11, fill=GREY)
    for x in (-1000, -500, 0, 500, 1000):
        picture.text(middle + x * scale, 180, str(x), size=11, fill=GREY)
        picture.line([(middle + x * scale, 162), (middle + x * scale, 168)], stroke=GREY, thick=1)
    picture.text(middle, 198, "x", size=12)
    return picture


@figure
def operators_log_eps() -> Drawing:
    """Log with EPS and without, for small arguments on a logarithmic axis."""
    picture = Drawing(560, 280)
    axes = Axes(
        picture,
        60,
        40,
        300,
        180,
        (-12, 0),
        (-30, 2),
        title="logarithm of a small x",
        x_label="x",
        x_text=power_of_ten,
    )
    exponents = [k / 4 for k in range(-48, 1)]
    axes.curve(exponents, [math.log(10.0**e) for e in exponents], stroke=GREY, dash="5 4")
    axes.curve(exponents, [operators.log(10.0**e) for e in exponents], stroke=ORANGE)
    for value, text, colour in (
        (operators.log(1e-12), f"log(x + EPS): {number(operators.log(0.0))} at 0", ORANGE),
        (math.log(1e-12), "log(x): no value at 0", GREY),
    ):
        _, y = axes.at(0, value)
        picture.text(372, y, text, anchor="start", size=12, fill=colour, bold=True)
    return picture


@figure
def operators_derivatives() -> Drawing:
    """Three functions and their derivatives, which the functions ending in _back multiply with d."""
    picture = Drawing(700, 220)
    parts: list[tuple[str, Function, Function, float]] = [
        ("relu", operators.relu, lambda x: operators.relu_back(x, 1.0), -4.0),
        ("log", operators.log, lambda x: operators.log_back(x, 1.0), 0.05),
        ("inv", operators.inv, lambda x: operators.inv_back(x, 1.0), 0.2),
    ]
    for k, (name, f, back, low) in enumerate(parts):
        axes = panel(picture, k, name, (-4, 4))
        curve(axes, f, low)
        if k:
            curve(axes, back, low, stroke=ORANGE, dash="5 4")
        else:
            curve(axes, back, -4.0, 0.0, stroke=ORANGE, dash="5 4")
            curve(axes, back, 0.01, stroke=ORANGE, dash="5 4")
    picture.text(250, 204, "the function", fill=BLUE, bold=True)
    picture.text(440, 204, "its derivative: name_back(x, 1)", fill=ORANGE, bold=True)
    return picture
