"""Figures of the guide on properties: what Hypothesis tries, and how it makes a counterexample smaller.

The numbers that Hypothesis draws differ between its versions. ``python -m docs.figures.properties`` runs it and keeps
what it tried in ``properties.json`` beside this file; the figures are drawn from that.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
from pathlib import Path
from typing import Any

from minitorch import operators
from minitorch.runtime import rng

from .drawing import BLUE, GREEN, GREY, ORANGE, RED, WHITE, Axes, Drawing, figure, number, power_of_ten, tint

RECORD = Path(__file__).with_suffix(".json")
Pair = tuple[float, float]


def wrong_max(x: float, y: float) -> float:
    """Return the number with the larger absolute value: a mistaken `operators.max`."""
    return x if abs(x) > abs(y) else y


def holds(x: float, y: float) -> bool:
    """Tell whether `wrong_max` is at least as large as its first argument."""
    return wrong_max(x, y) >= x


def record() -> None:
    """Run Hypothesis and write what it tried: pairs for the property `holds`, and single numbers."""
    import hypothesis
    from hypothesis import Phase, given, settings
    from hypothesis.strategies import floats

    small_floats = floats(min_value=-100, max_value=100, allow_nan=False)

    pairs: list[Pair] = []

    @settings(database=None, deadline=None, derandomize=True, phases=[Phase.generate, Phase.shrink])
    @given(small_floats, small_floats)
    def check(x: float, y: float) -> None:
        pairs.append((x, y))
        assert holds(x, y)

    with contextlib.suppress(AssertionError):
        check()
    numbers: list[float] = []

    @settings(database=None, deadline=None, derandomize=True, max_examples=200)
    @given(small_floats)
    def draw(x: float) -> None:
        numbers.append(x)

    draw()
    found = {"hypothesis": hypothesis.__version__, "pairs": pairs, "numbers": numbers}
    RECORD.write_text(json.dumps(found) + "\n", encoding="utf-8")


@functools.cache
def recorded() -> dict[str, Any]:
    """Return what Hypothesis tried."""
    found: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return found


def pairs_drawn() -> tuple[list[Pair], list[Pair]]:
    """Return the pairs that were drawn, and those tried afterwards: these begin with a failing pair once more."""
    pairs = [(x, y) for x, y in recorded()["pairs"]]
    start = next(k for k, pair in enumerate(pairs) if not holds(*pair) and pair in pairs[:k])
    return pairs[:start], pairs[start:]


def plane(picture: Drawing, left: float, title: str, pairs: list[Pair]) -> None:
    """Draw pairs in the plane; where the property does not hold, the plane is red."""
    axes = Axes(picture, left, 40, 220, 220, (-100, 100), (-100, 100), title=title, x_label="x", marks=4)
    corners = [axes.at(0, 0), axes.at(100, -100), axes.at(-100, -100)]
    picture.line(corners, stroke=tint(RED, 0.5), thick=1, fill=tint(RED, 0.15), close=True)
    picture.text(left - 26, 40 + 110, "y", size=12, anchor="end")
    for good, colour in ((True, BLUE), (False, RED)):
        some = [pair for pair in pairs if holds(*pair) == good]
        axes.points([x for x, _ in some], [y for _, y in some], fill=colour, radius=4.5)


@figure
def properties_examples() -> Drawing:
    """Where a mistaken max fails: three examples miss it, random pairs do not."""
    drawn, _ = pairs_drawn()
    examples = [(10.0, 20.0), (50.0, 30.0), (-40.0, 60.0)]
    failing = sum(not holds(*pair) for pair in drawn)
    picture = Drawing(640, 340)
    plane(picture, 60, "three examples", examples)
    plane(picture, 390, f"{len(drawn)} pairs drawn by Hypothesis", drawn)
    for left, text, colour in (
        (170, f"{sum(not holds(*pair) for pair in examples)} fail", BLUE),
        (500, f"{failing} fail", RED),
    ):
        picture.text(left, 316, text, fill=colour, bold=True)
    return picture


@figure
def properties_shrinking() -> Drawing:
    """How Hypothesis makes the failing pair smaller: what it tries, and what it keeps."""
    _, tried = pairs_drawn()
    picture = Drawing(700, 330)
    turns = list(range(1, len(tried) + 1))
    axes = Axes(
        picture,
        60,
        40,
        600,
        220,
        (0, len(tried) + 1),
        (-80, 80),
        title="second number y",
        x_label="attempt",
        marks=6,
    )
    best, path = tried[0], []
    for turn, pair in zip(turns, tried, strict=True):
        best = pair if not holds(*pair) else best
        path.append((float(turn), best[1]))
    axes.curve([x for x, _ in path], [y for _, y in path], stroke=tint(RED, 0.5), dash="4 3")
    for good, colour in ((True, BLUE), (False, RED)):
        some = [(turn, pair[1]) for turn, pair in zip(turns, tried, strict=True) if holds(*pair) == good]
        axes.points([t for t, _ in some], [y for _, y in some], fill=colour, radius=5)
    kept: list[Pair] = []
    for turn, pair in zip(turns, tried, strict=True):
        if not holds(*pair) and pair not in kept:
            kept.append(pair)
            x, y = axes.at(turn, pair[1])
            x = max(x, axes.left + 52)
            below = 16 if len(kept) % 2 else -16
            picture.text(
                x, y + below, f"({number(pair[0], 1)}, {number(pair[1], 1)})", size=12, fill=RED, bold=True
            )
    picture.circle(70, 308, 5, fill=RED, stroke=WHITE)
    picture.text(82, 308, "the property fails: kept", size=12, anchor="start")
    picture.circle(270, 308, 5, fill=BLUE, stroke=WHITE)
    picture.text(282, 308, "the property holds: not a counterexample", size=12, anchor="start")
    return picture


def classes(numbers: list[float]) -> list[int]:
    """Count numbers: 0, other whole numbers, closer to 0 than 1e-6, the others."""
    whole = sum(x == round(x) and x != 0.0 for x in numbers)
    tiny = sum(0.0 < abs(x) < 1e-6 for x in numbers)
    zero = sum(x == 0.0 for x in numbers)
    return [zero, whole, tiny, len(numbers) - zero - whole - tiny]


@figure
def properties_numbers() -> Drawing:
    """What kinds of numbers Hypothesis draws between -100 and 100, beside uniform ones."""
    drawn = [float(x) for x in recorded()["numbers"]]
    with rng.seeded(0):
        uniform = [float(x) for x in rng.uniform((len(drawn),), -100.0, 100.0)]
    picture = Drawing(640, 210)
    picture.text(20, 22, f"{len(drawn)} numbers from -100 to 100", anchor="start", bold=True)
    names = ("0 or -0", "other whole numbers", "closer to 0 than 10⁻⁶", "all others")
    for k, name in enumerate(names):
        y = 52 + 36 * k
        picture.text(170, y + 7, name, anchor="end", size=12)
        for source, colour, shift in ((drawn, ORANGE, 0), (uniform, GREY, 14)):
            count = classes(source)[k]
            picture.rect(180, y - 6 + shift, 2 * count, 12, fill=tint(colour, 0.7), stroke=colour)
            picture.text(186 + 2 * count, y + shift, str(count), size=11, anchor="start")
    picture.text(620, 22, "Hypothesis", anchor="end", fill=ORANGE, bold=True)
    picture.text(620, 40, "uniform", anchor="end", fill=GREY, bold=True)
    return picture


@figure
def properties_rounding() -> Drawing:
    """The difference of a (b + c) and a b + a c for random numbers: often 0, never larger than 1e-11."""
    with rng.seeded(1):
        triples = rng.uniform((2000, 3), -100.0, 100.0)
    exponents: dict[int, int] = {}
    for a, b, c in triples:
        left = operators.mul(float(a), operators.add(float(b), float(c)))
        right = operators.add(operators.mul(float(a), float(b)), operators.mul(float(a), float(c)))
        size = abs(left - right)
        key = -99 if size == 0.0 else math.floor(math.log10(size))
        exponents[key] = exponents.get(key, 0) + 1
    picture = Drawing(560, 240)
    picture.text(20, 22, f"a (b + c) and a b + a c, for {len(triples):,} triples", anchor="start", bold=True)
    rows = [
        (-99, "equal"),
        *((k, f"differ by {power_of_ten(k)} to {power_of_ten(k + 1)}") for k in sorted(exponents) if k > -99),
    ]
    for k, (key, name) in enumerate(rows):
        y = 52 + 30 * k
        picture.text(190, y, name, anchor="end", size=12)
        width = exponents[key] / len(triples) * 340
        picture.rect(200, y - 9, width, 18, fill=tint(GREEN if key == -99 else BLUE, 0.5), stroke=GREY)
        picture.text(206 + width, y, str(exponents[key]), size=12, anchor="start")
    return picture


if __name__ == "__main__":
    record()
