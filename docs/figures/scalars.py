"""Figures of the guide on Scalars: what a call writes down, and the graph of several calls."""

from __future__ import annotations

from minitorch import Scalar

from .drawing import BLUE, GREEN, GREY, ORANGE, Drawing, figure, number, tint
from .scalar_graph import HEIGHT, ScalarGraph

LEAF, COMPUTED, CONSTANT = GREEN, BLUE, GREY


def kind(variable: Scalar) -> str:
    """Return the colour of a leaf, a constant or a computed variable."""
    return CONSTANT if variable.is_constant() else LEAF if variable.is_leaf() else COMPUTED


def function_of(variable: Scalar) -> str:
    """Return the name of the function that made a computed variable."""
    history = variable.history
    return "" if history is None or history.last_fn is None else history.last_fn.__name__


def draw(picture: Drawing, variables: dict[str, Scalar], places: dict[str, tuple[float, float]]) -> None:
    """Draw a graph: the colour of a box says of which kind it is, the text below it which function made it."""
    graph = ScalarGraph(picture, variables, places)
    graph.arrows()
    for name, variable in variables.items():
        graph.box(name, colour=kind(variable))
        x, y = places[name]
        picture.text(x, y + HEIGHT / 2 + 12, function_of(variable), size=12, fill=COMPUTED, code=True)


def legend(picture: Drawing, y: float) -> None:
    """Draw what the colours mean."""
    for k, (colour, text) in enumerate(((LEAF, "leaf"), (COMPUTED, "computed"), (CONSTANT, "constant"))):
        picture.rect(24 + 110 * k, y - 7, 14, 14, fill=tint(colour, 0.12), stroke=colour, radius=3)
        picture.text(44 + 110 * k, y, text, size=12, anchor="start")


@figure
def scalars_history() -> Drawing:
    """The fields of z = x * y: its number, and a history with function, saved values and operands."""
    x, y = Scalar(2.0), Scalar(3.0)
    z = x * y
    names = {id(x): "x", id(y): "y"}
    history = z.history
    picture = Drawing(600, 206)
    if history is None or history.ctx is None:
        return picture
    picture.rect(210, 18, 370, 170, fill=tint(COMPUTED, 0.06), stroke=COMPUTED, radius=8)
    picture.text(226, 36, "z = x * y", anchor="start", bold=True)
    rows = (
        ("data", number(z.data)),
        ("history.last_fn", function_of(z)),
        ("history.ctx.saved_values", f"({', '.join(map(str, history.ctx.saved_values))})"),
        ("history.inputs", f"[{', '.join(names[id(v)] for v in history.inputs)}]"),
    )
    for k, (field, value) in enumerate(rows):
        picture.text(226, 68 + 32 * k, field, anchor="start", code=True, size=12)
        picture.rect(420, 55 + 32 * k, 146, 26, fill="#ffffff", stroke=tint(COMPUTED, 0.5), radius=4)
        picture.text(493, 68 + 32 * k, value, size=13)
    for k, (name, leaf) in enumerate((("x", x), ("y", y))):
        top = 70 + 64 * k
        picture.rect(24, top, 110, 46, fill=tint(LEAF, 0.12), stroke=LEAF, radius=6)
        picture.text(79, top + 14, name, bold=True)
        picture.text(79, top + 32, f"data {number(leaf.data)}", size=12)
        picture.arrow((222, 164), (136, top + 23), stroke=ORANGE)
    return picture


@figure
def scalars_graph() -> Drawing:
    """The graph of sigmoid(x w + 1) at x = 2, w = -1.5: a constant, two leaves and three calls."""
    x, w = Scalar(2.0), Scalar(-1.5)
    p = x * w
    s = p + 1.0
    one = s.parents[1]
    picture = Drawing(660, 230)
    draw(
        picture,
        {"x": x, "w": w, "1": one, "p = x · w": p, "s = p + 1": s, "sigmoid(s)": s.sigmoid()},
        {
            "x": (74, 50),
            "w": (74, 124),
            "1": (240, 156),
            "p = x · w": (240, 68),
            "s = p + 1": (410, 104),
            "sigmoid(s)": (580, 104),
        },
    )
    legend(picture, 208)
    return picture


@figure
def scalars_methods() -> Drawing:
    """A - b and a > b in terms of the functions that exist: a sum with a negated operand, exchanged operands."""
    a, b = Scalar(5.0), Scalar(3.0)
    difference, greater = a - b, a > b
    picture = Drawing(660, 250)
    negated = difference.parents[1]
    picture.text(20, 22, "a - b", anchor="start", bold=True, code=True)
    draw(
        picture,
        {"a": a, "b": b, "-b": negated, "a + (-b)": difference},
        {"a": (70, 70), "b": (70, 160), "-b": (185, 160), "a + (-b)": (290, 90)},
    )
    picture.text(390, 22, "a > b", anchor="start", bold=True, code=True)
    first, second = greater.parents
    places = {"a": (440.0, 70.0), "b": (440.0, 160.0), "b < a": (590.0, 115.0)}
    draw(picture, {"a": a, "b": b, "b < a": greater}, places)
    for k, operand in enumerate((first, second)):
        name = "a" if operand is a else "b"
        picture.text(506, 80 + 72 * (name == "b"), f"operand {k}", size=11, fill=GREY, anchor="start")
    legend(picture, 228)
    return picture
