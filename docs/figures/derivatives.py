"""Figures of the guide on derivatives by differences: secants, and the error against epsilon."""

from __future__ import annotations

import math

import numpy as np

from minitorch import central_difference, operators

from .drawing import BLUE, GREEN, GREY, ORANGE, RED, Axes, Drawing, figure, number, power_of_ten


def cube(x: float) -> float:
    """Return x³."""
    return x * x * x


def forward_difference(x: float, epsilon: float) -> float:
    """Return the one-sided difference quotient of `cube`."""
    return (cube(x + epsilon) - cube(x)) / epsilon


@figure
def derivatives_secants() -> Drawing:
    """The tangent of x³ at 1, a one-sided secant and a two-sided one, with epsilon 0.5."""
    x, epsilon = 1.0, 0.5
    picture = Drawing(640, 300)
    xs = np.linspace(0.2, 1.7, 60)
    for left, title, low, slope in (
        (50, "one-sided", x, forward_difference(x, epsilon)),
        (360, "two-sided", x - epsilon, central_difference(cube, x, epsilon=epsilon)),
    ):
        axes = Axes(picture, left, 40, 250, 200, (0.2, 1.8), (-1, 5), title=title, x_label="x")
        axes.curve(xs, [cube(v) for v in xs], stroke=GREY)
        axes.curve([0.3, 1.75], [1 + 3 * (v - 1) for v in (0.3, 1.75)], stroke=GREEN, dash="5 4")
        level = cube(low)
        axes.curve([0.3, 1.7], [level + slope * (v - low) for v in (0.3, 1.7)], stroke=ORANGE)
        axes.points([low, x + epsilon], [cube(low), cube(x + epsilon)], fill=ORANGE, radius=5)
        axes.points([x], [1.0], fill=GREEN)
        picture.text(left + 14, 60, f"secant {number(slope, 3)}", anchor="start", fill=ORANGE, bold=True)
        picture.text(left + 14, 78, "tangent 3", anchor="start", fill=GREEN, bold=True)
    return picture


@figure
def derivatives_zoom() -> Drawing:
    """The curve x³ around 1, from farther away and from nearer: the nearer, the straighter it is."""
    picture = Drawing(660, 250)
    for k, reach in enumerate((1.0, 0.3, 0.05)):
        left = 50 + 210 * k
        axes = Axes(
            picture,
            left,
            40,
            160,
            160,
            (1 - reach, 1 + reach),
            (1 - 3.2 * reach, 1 + 3.2 * reach),
            title=f"1 ± {number(reach)}",
            marks=0,
        )
        xs = np.linspace(1 - reach, 1 + reach, 40)
        ends = np.array([1 - reach, 1 + reach])
        axes.curve(ends, 1 + 3 * (ends - 1), stroke=GREEN, dash="5 4")
        inside = [v for v in xs if abs(cube(v) - 1) <= 3.2 * reach]
        axes.curve(inside, [cube(v) for v in inside])
        axes.points([1.0], [1.0])
        gap = max(abs(cube(v) - 1 - 3 * (v - 1)) for v in ends)
        picture.text(left + 80, 220, f"largest gap {number(gap, 4)}", size=12)
    return picture


@figure
def derivatives_error() -> Drawing:
    """The error of both quotients for x³ at 0.7 against epsilon, on logarithmic axes."""
    # Written out as text, an epsilon is the same number on every machine, and so is the rounding.
    epsilons = [float(f"{digit}e{power}") for power in range(-14, 0) for digit in (1, 2, 3, 5, 7)]
    picture = Drawing(640, 340)
    axes = Axes(
        picture,
        70,
        40,
        400,
        240,
        (-14, 0),
        (-12, 1),
        title="error of the derivative of x³ at 0.7",
        x_label="epsilon",
        marks=7,
        x_text=power_of_ten,
        y_text=power_of_ten,
    )
    x = 0.7
    exponents = [math.log10(epsilon) for epsilon in epsilons]
    for quotient, colour in (
        (forward_difference, ORANGE),
        (lambda x, epsilon: central_difference(cube, x, epsilon=epsilon), BLUE),
    ):
        errors = [abs(quotient(x, epsilon) - 3 * x * x) for epsilon in epsilons]
        axes.curve(exponents, [math.log10(max(error, 1e-12)) for error in errors], stroke=colour)
    at, _ = axes.at(-6, 0)
    picture.line([(at, 40), (at, 280)], stroke=RED, thick=1, dash="4 4")
    picture.text(at + 6, 52, "default", size=12, fill=RED, anchor="start")
    for y, colour, name in ((90, ORANGE, "one-sided"), (190, BLUE, "two-sided")):
        picture.text(484, y, name, anchor="start", fill=colour, bold=True)
    picture.text(484, 108, "error ~ epsilon", anchor="start", size=12)
    picture.text(484, 208, "error ~ epsilon²", anchor="start", size=12)
    picture.text(484, 250, "left of its lowest point,", anchor="start", size=12, fill=GREY)
    picture.text(484, 266, "rounding is larger", anchor="start", size=12, fill=GREY)
    return picture


@figure
def derivatives_kink() -> Drawing:
    """The two-sided quotient of ReLU: where the two points lie on both sides of the kink, it is in between."""
    picture = Drawing(520, 270)
    axes = Axes(
        picture,
        60,
        40,
        420,
        170,
        (-1, 1),
        (-0.2, 1.2),
        title="the derivative of ReLU near its kink",
        x_label="x",
    )
    xs = np.linspace(-1, 1, 81)
    axes.curve(xs, [central_difference(operators.relu, v, epsilon=0.3) for v in xs], stroke=ORANGE)
    for part in (xs[xs <= 0], xs[xs > 0]):
        axes.curve(part, [operators.relu_back(v, 1.0) for v in part], stroke=BLUE, dash="6 4")
    picture.text(84, 74, "differences, epsilon 0.3", anchor="start", fill=ORANGE, bold=True)
    picture.text(84, 94, "relu_back", anchor="start", fill=BLUE, bold=True)
    return picture
