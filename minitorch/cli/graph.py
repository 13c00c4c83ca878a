"""Draws the graph of a small expression, with the value and the derivative of every node, as an SVG file.

    python project/show_expression.py                                   # the expression below
    python project/show_expression.py "x * y + exp(-x)" x=2 y=3
    python project/show_expression.py --out graph.svg --dashboard http://127.0.0.1:8097

Names are Scalars: NAME=NUMBER gives each its value (1 without). Allowed are + - * / < > ==, whole powers, and
log, exp, sigmoid, relu. The drawing is made here; a dashboard shows it too, where there is one.
"""

from __future__ import annotations

import argparse
import ast
import operator
import sys
from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from board import Board
from cli import Parser, Refusal, guarded, notice
from display import add_flags
from folder import write
from graph_svg import draw
from minitorch import Scalar
from visdom_link import LOCAL, VisdomLink

EXPRESSION = "(x * x) * y + 10.0 * x + relu(y + x)"
BINARY: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
    ast.Eq: operator.eq,
}
FUNCTIONS = ("log", "exp", "sigmoid", "relu")


def build(text: str, values: dict[str, float]) -> tuple[Any, dict[str, Scalar]]:
    """Compute an expression on Scalars; return its result and the Scalars by name.

    Raises:
        Refusal: It has something in it that is not allowed.
    """
    names: dict[str, Scalar] = {}
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise Refusal(f"not an expression: {text!r}") from error
    try:
        result = _value(tree, names, values)
    except (ArithmeticError, ValueError) as error:
        raise Refusal(f"{text} cannot be computed there: {error}") from error
    unused = set(values) - set(names)
    if unused:
        raise Refusal(f"{', '.join(sorted(unused))} is not in {text}")
    return result, names


def _value(node: ast.expr, names: dict[str, Scalar], values: dict[str, float]) -> Any:
    def value(part: ast.expr) -> Any:
        return _value(part, names, values)

    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
        case ast.Name(id=name):
            if name not in names:
                names[name] = Scalar(values.get(name, 1.0), name=name)
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -value(operand)
        case ast.BinOp(left=base, op=ast.Pow(), right=ast.Constant(value=int() as power)) if 1 <= power <= 9:
            return reduce(operator.mul, [value(base)] * power)
        case ast.BinOp(left=left, op=kind, right=right) if type(kind) in BINARY:
            return BINARY[type(kind)](value(left), value(right))
        case ast.Compare(left=left, ops=[kind], comparators=[right]) if type(kind) in BINARY:
            return BINARY[type(kind)](value(left), value(right))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            operand = value(argument)
            return getattr(operand if isinstance(operand, Scalar) else Scalar(operand, None), name)()
    raise Refusal(f"{ast.unparse(node)!r} is not allowed in an expression (--help tells what is)")


def _assignment(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        if not name.isidentifier():
            raise ValueError
        return name, float(number)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be NAME=NUMBER, not {text!r}") from None


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the flags say."""
    parser = Parser(__doc__)
    add = parser.add_argument
    add("expression", nargs="?", default=EXPRESSION, help=f"default: {EXPRESSION}")
    add("values", nargs="*", metavar="NAME=NUMBER", type=_assignment, help="values of names; default: 1")
    add("--out", metavar="FILE", type=Path, default=Path("runs") / "expression.svg")
    add_flags(parser, tensorboard=False)
    args = parser.parse_args(arguments)
    result, names = build(args.expression, dict(args.values))
    if not isinstance(result, Scalar) or result.is_constant():
        raise Refusal(f"{args.expression} has no name in it: there is nothing to derive by")
    drawing = draw(result, slopes=True)
    result.backward()
    print(f"{args.expression} = {result.data:g}")
    for name, scalar in names.items():
        print(f"d/d{name} = {scalar.derivative or 0.0:g}   at {name} = {scalar.data:g}")
    write(args.out, drawing + "\n")
    notice(f"drawn in {args.out}")
    if args.dashboard != "off":
        board = Board()
        board.text("graph", drawing)
        patient = args.dashboard == "auto"
        VisdomLink(board, LOCAL if patient else args.dashboard, say=notice, patient=patient).close()


if __name__ == "__main__":
    sys.exit(guarded(main))
