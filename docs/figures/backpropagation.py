"""Figures of the guide on backpropagation: one pass over a small graph, call by call."""

from __future__ import annotations

import math
from collections.abc import Iterable

from minitorch import Scalar, topological_sort

from .drawing import BLUE, GREEN, GREY, ORANGE, RED, WHITE, Axes, Drawing, figure, number, power_of_ten
from .scalar_graph import HEIGHT, ScalarGraph

PLACES = {
    "x": (74.0, 72.0),
    "y": (74.0, 216.0),
    "a = x · y": (250.0, 178.0),
    "b = a + x": (426.0, 86.0),
    "c = a · b": (602.0, 152.0),
}
STATES = {"waits": GREY, "handled now": ORANGE, "complete": GREEN}


def computation() -> dict[str, Scalar]:
    """Return the variables of c = (x y) (x y + x) at x = 2, y = 3."""
    x, y = Scalar(2.0), Scalar(3.0)
    a = x * y
    b = a + x
    return {"x": x, "y": y, "a = x · y": a, "b = a + x": b, "c = a · b": a * b}


class Pass:
    """A backward pass over the graph of `computation`, one call of ``chain_rule`` after the other.

    Attributes:
        open_uses: How many derivatives each variable waits for.
        arrived: The sum of the derivatives that each variable has.
        handled: The variables that have passed theirs on.
        sent: What the last one passed on: the name of each operand and its part.
    """

    def __init__(self) -> None:
        self.variables = computation()
        self.names = {id(v): name for name, v in self.variables.items()}
        self.order = [self.names[id(v)] for v in topological_sort(self.variables["c = a · b"])]
        self.open_uses = dict.fromkeys(self.variables, 0)
        for v in self.variables.values():
            for operand in v.parents:
                self.open_uses[self.names[id(operand)]] += 1
        self.arrived = {self.order[0]: 1.0}
        self.handled: list[str] = []
        self.sent: list[tuple[str, float]] = []

    def handle(self, name: str) -> None:
        """Let a variable pass its derivative on."""
        pairs = self.variables[name].chain_rule(self.arrived[name])
        self.sent = [(self.names[id(operand)], part) for operand, part in pairs]
        for operand, part in self.sent:
            self.arrived[operand] = self.arrived.get(operand, 0.0) + part
            self.open_uses[operand] -= 1
        self.handled.append(name)

    def draw(self, title: str) -> Drawing:
        """Draw the state after the last call."""
        picture = Drawing(680, 270)
        graph = ScalarGraph(picture, self.variables, PLACES)
        picture.text(20, 20, title, anchor="start", bold=True)
        now = self.handled[-1] if self.handled else ""
        graph.arrows(without=[now])
        for operand, part in self.sent:
            graph.back(now, operand, f"+ {number(part)}")
        for name, (x, y) in PLACES.items():
            complete = name in self.arrived and self.open_uses[name] == 0
            state = "handled now" if name == now else "complete" if complete else "waits"
            graph.box(name, colour=STATES[state])
            picture.circle(x, y - HEIGHT / 2 - 8, 9, fill=WHITE, stroke=STATES[state])
            picture.text(x, y - HEIGHT / 2 - 8, str(self.open_uses[name]), size=12)
            if name in self.arrived:
                text = f"sum {number(self.arrived[name])}"
                picture.text(x, y + HEIGHT / 2 + 11, text, size=12, fill=STATES[state], bold=complete)
        return picture


def after(names: Iterable[str], title: str) -> Drawing:
    """Draw the graph after these variables were handled, in this order."""
    state = Pass()
    for name in names:
        state.handle(name)
    return state.draw(title)


@figure
def backpropagation_uses() -> Drawing:
    """The values of the forward pass; the circles count how often each variable is used."""
    return Pass().draw("values, and the number of uses of each variable")


@figure
def backpropagation_first() -> Drawing:
    """The first call: c passes 8 to a and 6 to b."""
    return after(Pass().order[:1], "call 1: c passes on its derivative")


@figure
def backpropagation_second() -> Drawing:
    """The second call: b completes a."""
    return after(Pass().order[:2], "call 2: b passes on its derivative")


@figure
def backpropagation_third() -> Drawing:
    """The third call: a completes both leaves."""
    return after(Pass().order[:3], "call 3: a passes on its derivative")


@figure
def backpropagation_too_early() -> Drawing:
    """The pass goes wrong where a is handled before b: what b sends comes too late."""
    state = Pass()
    c, b, a = state.order[:3]
    state.handle(c)
    state.handle(a)
    passed = {name: state.arrived[name] for name, _ in state.sent}
    picture = Drawing(680, 270)
    picture.text(20, 20, "a is handled before b", anchor="start", bold=True)
    graph = ScalarGraph(picture, state.variables, PLACES)
    graph.arrows(without=[a, b])
    for operand, part in state.sent:
        graph.back(a, operand, f"+ {number(part)}")
    state.handle(b)
    for operand, part in state.sent:
        graph.back(b, operand, f"+ {number(part)}", colour=RED if operand == a else BLUE)
    state.variables[c].backward()
    for name, (x, y) in PLACES.items():
        leaf = state.variables[name].is_leaf()
        graph.box(name, colour=RED if leaf or name == a else GREY)
        if leaf:
            got, right = number(state.arrived[name]), number(state.variables[name].derivative or 0.0)
            picture.text(x, y + HEIGHT / 2 + 11, f"{got}, not {right}", size=12, fill=RED, bold=True)
    x, y = PLACES[a]
    picture.text(
        x, y + HEIGHT / 2 + 11, f"passed on as {number(passed['y'] / state.variables['x'].data)}", size=12
    )
    picture.text(x, y + HEIGHT / 2 + 27, "what b sends is lost", size=12, fill=RED)
    return picture


def visits(length: int, *, each_path: bool) -> int:
    """Count the calls of ``chain_rule`` below ``length`` doublings, path by path or variable by variable."""
    result = Scalar(1.0)
    for _ in range(length):
        result = result + result
    if not each_path:
        return sum(not v.is_leaf() for v in topological_sort(result))
    calls, waiting = 0, [result]
    while waiting:
        v = waiting.pop()
        if not v.is_leaf():
            calls += 1
            waiting += [operand for operand, _ in v.chain_rule(1.0)]
    return calls


@figure
def backpropagation_visits() -> Drawing:
    """How many calls a pass needs: along each path they double with each use, per variable they grow by one."""
    lengths = range(1, 15)
    paths = [visits(n, each_path=True) for n in lengths]
    variables = [visits(n, each_path=False) for n in lengths]
    picture = Drawing(520, 280)
    axes = Axes(
        picture,
        60,
        40,
        330,
        180,
        (0, 15),
        (0, 5),
        title="calls of chain_rule for n doublings v + v",
        x_label="n",
        marks=5,
        y_text=power_of_ten,
    )
    for counts, colour, name in ((paths, RED, "each path"), (variables, BLUE, "each variable")):
        logs = [math.log10(count) for count in counts]
        axes.curve(lengths, logs, stroke=colour)
        x, y = axes.at(lengths[-1], logs[-1])
        picture.text(x + 12, y - 7, f"{name}:", anchor="start", size=12, fill=colour, bold=True)
        picture.text(x + 12, y + 9, f"{counts[-1]:,}", anchor="start", size=12, fill=colour)
    return picture
