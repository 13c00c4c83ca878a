"""The graph of a computation with Scalars: a box for each variable, an arrow from each operand to the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minitorch import Scalar
from minitorch.dashboard.svg import INK

from .drawing import GREY, ORANGE, WHITE, Drawing, Point, number, tint

WIDTH, HEIGHT = 88, 44


def _border(inside: Point, outside: Point) -> Point:
    """Return where the line from the middle of a box to a point outside of it leaves the box, and 2 pixels more."""
    across, down = outside[0] - inside[0], outside[1] - inside[1]
    scale = min((WIDTH / 2 + 2) / max(abs(across), 1e-9), (HEIGHT / 2 + 2) / max(abs(down), 1e-9))
    return inside[0] + scale * across, inside[1] + scale * down


class ScalarGraph:
    """Boxes and arrows of a drawing.

    Args:
        picture: The drawing.
        variables: The variables by the text that stands in the first line of their box.
        places: The middle of each box, by the same text.
    """

    def __init__(
        self, picture: Drawing, variables: Mapping[str, Scalar], places: Mapping[str, Point]
    ) -> None:
        self.picture, self.variables, self.places = picture, variables, places
        self.names = {id(variable): name for name, variable in variables.items()}

    def operands(self, name: str) -> list[str]:
        """Return the names of the operands of a variable, those that have a box."""
        return [self.names[id(v)] for v in self.variables[name].parents if id(v) in self.names]

    def ends(self, start: str, end: str) -> tuple[Point, Point]:
        """Return where an arrow from one box to another begins and ends."""
        a, b = self.places[start], self.places[end]
        return _border(a, b), _border(b, a)

    def arrows(self, *, without: Sequence[str] = (), stroke: str = GREY) -> None:
        """Draw an arrow from each operand to its result; two uses by one call are two bent arrows.

        Args:
            without: Results whose arrows are left out, as `back` draws them.
            stroke: Colour.
        """
        for name in self.variables:
            operands = [] if name in without else self.operands(name)
            for k, operand in enumerate(operands):
                twice = operands.count(operand) > 1
                start, end = self.ends(operand, name)
                self.picture.arrow(start, end, stroke=stroke, bend=(9 if k else -9) if twice else 0)

    def back(self, result: str, operand: str, text: str, *, colour: str = ORANGE, at: float = 0.5) -> None:
        """Draw the way of a derivative: an arrow from a result back to an operand, with a text on it."""
        start, end = self.ends(result, operand)
        self.picture.arrow(start, end, stroke=colour, thick=2.5)
        x, y = start[0] + at * (end[0] - start[0]), start[1] + at * (end[1] - start[1])
        self.tag(x, y, text, colour=colour)

    def tag(self, x: float, y: float, text: str, *, colour: str = ORANGE) -> None:
        """Draw a text on a white card around (x, y)."""
        width = 7.2 * len(text) + 10
        self.picture.rect(x - width / 2, y - 10, width, 20, fill=WHITE, stroke=colour, radius=4)
        self.picture.text(x, y, text, size=12, fill=INK)

    def box(
        self, name: str, *, colour: str = GREY, strength: float = 0.12, second: str | None = None
    ) -> None:
        """Draw the box of a variable: its text and its value, or ``second``."""
        x, y = self.places[name]
        self.picture.rect(
            x - WIDTH / 2,
            y - HEIGHT / 2,
            WIDTH,
            HEIGHT,
            fill=tint(colour, strength),
            stroke=colour,
            radius=6,
        )
        self.picture.text(x, y - 9, name, bold=True)
        self.picture.text(x, y + 10, number(self.variables[name].data, 4) if second is None else second)
