"""Checks the gradients of layers against central differences, and against PyTorch where it is installed.

    minitorch gradcheck
    minitorch gradcheck --layer "Conv2d(3, 6, 3, groups=3)" --shape 2,3,8,8

Prints one row per layer and quantity with the mean absolute error. Exit status 1: an error exceeds the tolerance. In
the course this is project/gradient_checker.py.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import math
import random
import sys
from collections.abc import Sequence
from typing import Any

from .. import nn, tensor_functions
from ..autodiff import Function
from ..module import Module
from ..nn.losses import cross_entropy
from ..tensor import Tensor
from ..testing.layer_check import check_layer
from .common import Parser, UsageError, parse_expression

Shape = tuple[int, ...]
Case = tuple[str, Any, list[Shape], Any]
LABELS = [0, 2, 4]
LAYERS = {
    name: found
    for file in (nn, tensor_functions)
    for name, found in vars(file).items()
    if isinstance(found, type) and issubclass(found, (Module, Function)) and not name.startswith("_")
}


class CrossEntropy(Module):
    """Cross-entropy of scores (3, C) as a layer."""

    def forward(self, scores: Tensor) -> Tensor:
        """Return the mean loss."""
        return cross_entropy(scores, LABELS)


def parse_layer(text: str) -> Any:
    """Build a layer from the text of its constructor call, such as ``Conv2d(3, 6, 3, stride=2)``.

    Only layers and functions of minitorch are called, with literals or other layers as arguments, as in
    ``Sequential(Linear(3, 4), ReLU())``.

    Raises:
        UsageError: The text is not a Python expression.
        ValueError: It is not such a call.
    """
    call = parse_expression(text)
    if not isinstance(call, ast.Call):
        raise ValueError(f"{text!r} is not a call of a layer, such as Linear(30, 10)")
    return _build(call)


def _build(node: ast.expr) -> Any:
    if not isinstance(node, ast.Call):
        try:
            return ast.literal_eval(node)
        except ValueError:
            raise ValueError(f"{ast.unparse(node)!r} is neither a literal nor a layer") from None
    name = ast.unparse(node.func)
    if name not in LAYERS:
        raise ValueError(f"minitorch has no layer {name!r}")
    settings = {k.arg: _build(k.value) for k in node.keywords if k.arg is not None}
    if len(settings) != len(node.keywords):
        raise ValueError(f"{ast.unparse(node)!r}: ** is not supported")
    try:
        return LAYERS[name](*[_build(argument) for argument in node.args], **settings)
    except TypeError as problem:
        raise ValueError(f"{ast.unparse(node)}: {problem}") from None


def parse_shape(text: str) -> Shape:
    """Read ``2,3,8,8`` as a shape."""
    try:
        shape = tuple(int(n) for n in text.strip("() ").split(",") if n.strip())
    except ValueError:
        shape = ()
    if not shape or min(shape) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a shape such as 2,3,8,8")
    return shape


def standard_cases() -> list[Case]:
    """List (row title, layer, input shapes, PyTorch reference) of the layers checked by default."""
    calls = [
        ("Linear(30, 10)", (8, 30)),
        ("Conv2d(3, 6, 3, stride=2, padding=1)", (2, 3, 8, 8)),
        ("MaxPool2d(2, 2)", (2, 3, 8, 8)),
        ("ReLU()", (4, 30)),
        ("BatchNorm1d(100)", (8, 100)),
    ]
    cases: list[Case] = [(call, parse_layer(call), [shape], "torch") for call, shape in calls]
    return [*cases, ("cross_entropy, 3x5", CrossEntropy(), [(3, 5)], _torch_cross_entropy)]


def _torch_cross_entropy(scores: Any) -> Any:
    torch = importlib.import_module("torch")
    return torch.nn.functional.cross_entropy(scores, torch.tensor(LABELS))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = Parser(__doc__)
    parser.add_argument("--layer", help='a layer of minitorch, such as "Conv2d(3, 6, 3)"')
    parser.add_argument(
        "--shape",
        type=parse_shape,
        action="append",
        help="of its input, such as 2,3,8,8; once for each input",
    )
    parser.add_argument("--tolerance", type=float, default=1e-6, help="largest mean absolute error (1e-6)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and inputs (0)")
    options = parser.parse_args(arguments)
    if (options.layer is None) != (options.shape is None):
        parser.error("--layer and --shape go together")
    random.seed(options.seed)
    try:
        if options.layer is None:
            cases = standard_cases()
        else:
            cases = [(options.layer, parse_layer(options.layer), options.shape, "torch")]
        return 0 if _report(cases, options.tolerance, options.seed) else 1
    except (ValueError, TypeError, RuntimeError, UsageError) as problem:
        parser.error(str(problem))


def _report(cases: Sequence[Case], tolerance: float, seed: int) -> bool:
    """Print the table; return whether all errors are within the tolerance."""
    has_torch = importlib.util.find_spec("torch") is not None
    width = max(len(title) for title, *_ in cases)
    print(f"{'layer':{width}}  {'quantity':20}  {'against':11}  mean absolute error")
    passed = True
    for title, layer, shapes, reference in cases:
        for against, name in (("numeric", "differences"), (reference, "PyTorch"))[: 1 + has_torch]:
            try:
                errors = check_layer(layer, *shapes, against=against, seed=seed)
            except ValueError as problem:
                if against == "numeric":
                    raise
                print(f"PyTorch cannot check {title}: {problem}", file=sys.stderr)
                continue
            except AssertionError as problem:
                print(f"{title:{width}}  {problem}")
                passed = False
                continue
            for quantity, error in errors:
                good = math.isfinite(error) and error <= tolerance
                passed = passed and good
                verdict = "ok" if good else "TOO LARGE"
                print(f"{title:{width}}  {quantity:20}  {name:11}  {error:.2e}  {verdict}")
    if not has_torch:
        print("PyTorch is not installed: checked against central differences only", file=sys.stderr)
    print("all within" if passed else "NOT all within", f"{tolerance:g}")
    return passed
