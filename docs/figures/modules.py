"""Figures of the guide on modules: trees of real modules with the names of their parameters."""

from __future__ import annotations

import math

from minitorch import Module, Parameter, tensor
from minitorch.models.lenet import LeNet
from minitorch.nn import Dropout
from minitorch.runtime import rng
from minitorch.tensor_ops.backend import find_backend

from .drawing import BLUE, GREEN, GREY, ORANGE, WHITE, Drawing, figure, tint

LINE = 29  # pixels between two rows of a tree
INDENT = 44


class Linear(Module):
    """A layer: weight and bias."""

    def __init__(self, weight: float, bias: float) -> None:
        super().__init__()
        self.weight = Parameter(weight)
        self.bias = Parameter(bias)


class Classifier(Module):
    """Two layers and a parameter of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = Parameter(1.0)
        self.hidden = Linear(0.5, 0.0)
        self.output = Linear(2.0, -1.0)


class Tree:
    """A tree of modules as rows: each below its parent, with an angle that leads to it.

    Attributes:
        rows: Depth, own name, dotted name, and Module or Parameter of each row.
    """

    def __init__(self, root: Module, name: str) -> None:
        self.rows: list[tuple[int, str, str, Module | Parameter]] = [(0, name, "", root)]
        self._add(root, 1, "")

    def _add(self, module: Module, depth: int, path: str) -> None:
        for key, parameter in module._parameters.items():
            self.rows.append((depth, key, path + key, parameter))
        for key, child in module._modules.items():
            self.rows.append((depth, key, path + key, child))
            self._add(child, depth + 1, f"{path}{key}.")

    def draw(self, picture: Drawing, left: float, top: float) -> list[float]:
        """Draw it and return the height of each row."""
        heights = [top + LINE * k for k in range(len(self.rows))]
        parents: dict[int, float] = {}
        for (depth, name, _, node), y in zip(self.rows, heights, strict=True):
            x = left + INDENT * depth
            if depth:
                corner = x - INDENT + 14
                picture.line([(corner, parents[depth - 1] + 12), (corner, y), (x, y)], stroke=GREY, thick=1)
            parents[depth] = y
            is_module = isinstance(node, Module)
            text = f"{name}: {type(node).__name__}" if is_module else name
            colour = BLUE if is_module else ORANGE
            picture.rect(
                x,
                y - 12,
                7.6 * len(text) + 18,
                24,
                fill=tint(colour, 0.15),
                stroke=colour,
                radius=4 if is_module else 12,
            )
            picture.text(x + 9, y, text, anchor="start", size=12, code=True)
        return heights


@figure
def modules_tree() -> Drawing:
    """The tree of a classifier, and the dotted name of each Parameter."""
    tree = Tree(Classifier(), "model")
    picture = Drawing(600, 60 + LINE * len(tree.rows))
    picture.text(30, 24, "modules and parameters", anchor="start", bold=True)
    picture.text(400, 24, "named_parameters()", anchor="start", bold=True, code=True)
    names = [name for name, _ in Classifier().named_parameters()]
    for (_, _, dotted, node), y in zip(tree.rows, tree.draw(picture, 30, 58), strict=True):
        if isinstance(node, Parameter):
            picture.line([(250, y), (392, y)], stroke=GREY, thick=1, dash="2 4")
            picture.text(400, y, names[names.index(dotted)], anchor="start", code=True, size=12)
    return picture


@figure
def modules_recursion() -> Drawing:
    """What each module of the classifier answers: the parent puts the child's name in front of the child's answers."""
    model = Classifier()
    picture = Drawing(700, 244)
    boxes = (
        ("hidden", model.hidden, 30, BLUE),
        ("output", model.output, 264, GREEN),
    )
    for name, module, x, colour in boxes:
        picture.rect(x, 142, 214, 84, fill=tint(colour, 0.08), stroke=colour, radius=6)
        picture.text(x + 12, 158, f"{name}.named_parameters()", anchor="start", size=12, bold=True)
        for k, (own, _) in enumerate(module.named_parameters()):
            picture.text(x + 20, 184 + 24 * k, own, anchor="start", code=True, size=12)
        picture.arrow((x + 95, 140), (x + 95, 106), stroke=colour)
        picture.text(x + 104, 124, f"puts “{name}.” in front", anchor="start", size=12, fill=colour)
    picture.rect(30, 22, 646, 82, fill=tint(ORANGE, 0.06), stroke=ORANGE, radius=6)
    picture.text(42, 40, "model.named_parameters()", anchor="start", size=12, bold=True)
    for k, (name, _) in enumerate(model.named_parameters()):
        parts = name.split(".")
        colour = {"hidden": BLUE, "output": GREEN}.get(parts[0], ORANGE)
        x = 42 + 126 * k
        picture.rect(x - 6, 62, 118, 26, fill=WHITE, stroke=colour, radius=4)
        picture.text(x + 53, 75, name, code=True, size=12)
    picture.text(506, 172, "its own Parameters", anchor="start", size=12, fill=ORANGE)
    picture.text(506, 190, "come first, as they are", anchor="start", size=12, fill=ORANGE)
    return picture


@figure
def modules_modes() -> Drawing:
    """A Dropout in train mode at three calls, and in eval mode."""
    layer = Dropout(0.5)
    values = tensor([float(k) for k in range(1, 9)], find_backend("simple"))
    picture = Drawing(640, 200)
    lines = []
    with rng.seeded(3):
        layer.train()
        lines += [("train(), call " + str(k + 1), layer(values).to_numpy()) for k in range(3)]
        layer.eval()
        lines.append(("eval()", layer(values).to_numpy()))
    for k, (name, numbers) in enumerate(lines):
        y = 20 + 42 * k
        picture.text(150, y + 17, name, anchor="end", size=12, code=True)
        fills = [[tint(GREY, 0.25) if v == 0 else tint(BLUE if k == 3 else ORANGE, 0.2) for v in numbers]]
        picture.grid([list(numbers)], 170, y, size=34, fills=fills)
    picture.text(460, 37, "half of the elements are 0,", anchor="start", size=12)
    picture.text(460, 55, "the others are doubled", anchor="start", size=12)
    picture.text(460, 163, "nothing is changed", anchor="start", size=12)
    return picture


@figure
def modules_lenet() -> Drawing:
    """The tree of LeNet with the shape and size of each parameter."""
    model = LeNet()
    tree = Tree(model, "model")
    picture = Drawing(700, 60 + LINE * len(tree.rows))
    total = sum(math.prod(p.shape) for p in model.parameters())
    picture.text(30, 24, "LeNet", anchor="start", bold=True)
    picture.text(290, 24, "shape", anchor="start", bold=True)
    picture.text(420, 24, f"{total:,} numbers", anchor="start", bold=True)
    for (_, _, _, node), y in zip(tree.rows, tree.draw(picture, 30, 58), strict=True):
        if isinstance(node, Parameter):
            size = math.prod(node.shape)
            picture.text(290, y, str(node.shape), anchor="start", size=12)
            picture.rect(420, y - 8, max(200 * size / total, 1), 16, fill=tint(ORANGE, 0.5), stroke=ORANGE)
            picture.text(428 + 200 * size / total, y, f"{size:,}", anchor="start", size=12)
    return picture
