"""Draws the graph of a small expression, with the value and the derivative of every node, as an SVG file.

    minitorch graph                                   # the expression below
    minitorch graph "x * y + exp(-x)" x=2 y=3
    minitorch graph --out graph.svg --dashboard http://127.0.0.1:8097

Names are Scalars: NAME=NUMBER sets the value of one (default: 1). Allowed are + - * / < > ==, whole powers, and log,
exp, sigmoid, relu. A dashboard shows the drawing too, if there is one. In the course this is
project/show_expression.py.
"""

from __future__ import annotations

import argparse
import ast
import operator
from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from ..dashboard.graph import draw_graph
from ..dashboard.outputs import visdom_client
from ..dashboard.run_log import RunLog
from ..scalar import Scalar
from ..train.run_dir import write_file
from .common import Parser, UsageError, add_dashboard_flags, notice, parse_expression

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
    """Compute an expression of Scalars; return its result and the Scalars by name.

    Raises:
        UsageError: The expression has a part that is not allowed.
    """
    names: dict[str, Scalar] = {}
    tree = parse_expression(text)
    try:
        result = _value(tree, names, values)
    except RecursionError:
        raise UsageError(f"an expression that is nested too deeply: {text[:57]}...") from None
    except (ArithmeticError, ValueError) as error:
        raise UsageError(f"{text} cannot be computed there: {error}") from error
    unused = set(values) - set(names)
    if unused:
        raise UsageError(f"{', '.join(sorted(unused))} is not in {text}")
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
    raise UsageError(f"{ast.unparse(node)!r} is not allowed in an expression (--help lists what is)")


def _assignment(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        if not name.isidentifier():
            raise ValueError
        return name, float(number)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be NAME=NUMBER, not {text!r}") from None


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = Parser(__doc__)
    add = parser.add_argument
    add("expression", nargs="?", default=EXPRESSION, help=f"default: {EXPRESSION}")
    add("values", nargs="*", metavar="NAME=NUMBER", type=_assignment, help="values of names; default: 1")
    add("--out", metavar="FILE", type=Path, default=Path("runs") / "expression.svg")
    add_dashboard_flags(parser, tensorboard=False)
    args = parser.parse_args(arguments)
    result, names = build(args.expression, dict(args.values))
    if not isinstance(result, Scalar) or result.is_constant():
        raise UsageError(f"{args.expression} has no variables to differentiate")
    drawing = draw_graph(result, show_derivatives=True)
    result.backward()
    print(f"{args.expression} = {result.data:g}")
    for name, scalar in names.items():
        print(f"d/d{name} = {scalar.derivative or 0.0:g}   at {name} = {scalar.data:g}")
    write_file(args.out, drawing + "\n")
    notice(f"drawn in {args.out}")
    log = RunLog()
    log.text("graph", drawing)
    client = visdom_client(log, args.dashboard)
    if client is not None:
        client.close()
