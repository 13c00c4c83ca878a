"""Chains of functions of single elements: their source as one float function, and that of their derivatives.

A `Program` is a list of steps, each a function of `minitorch.operators` on earlier results. A backend may run the steps
one by one, or compile the whole as one kernel.
"""

from __future__ import annotations

import functools
import hashlib
import linecache
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .. import operators
from ..runtime.types import Fn

Place = int | float  # an int numbers an input or, after them, the result of a step; a float is a number

# The derivative of each function with one operand: back(x, d). What is not listed here or in `_slopes` is flat.
BACK: dict[Fn, Fn] = {
    operators.sigmoid: operators.sigmoid_back,
    operators.relu: operators.relu_back,
    operators.log: operators.log_back,
    operators.exp: operators.exp_back,
    operators.inv: operators.inv_back,
    operators.tanh: operators.tanh_back,
    operators.sqrt: operators.sqrt_back,
    operators.abs: operators.abs_back,
}


@dataclass(frozen=True)
class Step:
    """One function, and where its operands are."""

    fn: Fn
    operands: tuple[Place, ...]


@dataclass(frozen=True)
class Program:
    """Steps on ``inputs`` elements; ``result`` says which value is the outcome."""

    inputs: int
    steps: tuple[Step, ...]
    result: Place

    def needed(self) -> Program:
        """Return the same without the steps that nothing depends on."""
        wanted, stack = set(), [self.result]
        while stack:
            place = stack.pop()
            if isinstance(place, int) and place >= self.inputs and place not in wanted:
                wanted.add(place)
                stack.extend(self.steps[place - self.inputs].operands)
        order = sorted(wanted)
        new: dict[Place, Place] = {old: self.inputs + k for k, old in enumerate(order)}
        steps = (self.steps[old - self.inputs] for old in order)
        moved = tuple(
            Step(s.fn, tuple(new.get(p, p) if isinstance(p, int) else p for p in s.operands)) for s in steps
        )
        return Program(self.inputs, moved, new.get(self.result, self.result))

    @functools.cached_property
    def function(self) -> Fn:
        """The whole as a function of ``inputs`` floats."""
        lines = [f"def fused({', '.join(f'v{k}' for k in range(self.inputs))}):"]
        for k, step in enumerate(self.steps, self.inputs):
            lines.append(f"    v{k} = {step.fn.__name__}({', '.join(map(_shown, step.operands))})")
        text = "\n".join([*lines, f"    return {_shown(self.result)}", ""])
        name = f"<fused {hashlib.sha256(text.encode()).hexdigest()[:16]}>"
        # Where `inspect` looks for the source of what has no file.
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        made: dict[str, Fn] = {}
        exec(compile(text, name, "exec"), vars(operators), made)
        return made["fused"]

    def derivative(self, operand: int) -> Program:
        """Return the program of ``inputs`` elements and the derivative of the result: that of one operand."""
        return _derivatives(self)[operand]


def _shown(place: Place) -> str:
    return f"v{place}" if isinstance(place, int) else repr(place)


def _slopes(fn: Fn, a: Sequence[Place], d: Place, step: Callable[..., int]) -> list[Place | None]:
    """Return the derivative of each operand, as far as there is one."""
    if fn in BACK:
        return [step(BACK[fn], a[0], d)]
    if fn is operators.id:
        return [d]
    if fn is operators.neg:
        return [step(operators.neg, d)]
    if fn is operators.add:
        return [d, d]
    if fn is operators.sub:
        return [d, step(operators.neg, d)]
    if fn is operators.mul:
        return [step(operators.mul, d, a[1]), step(operators.mul, d, a[0])]
    if fn is operators.div:
        return [step(operators.div, d, a[1]), step(operators.mul, a[0], step(operators.inv_back, a[1], d))]
    if fn is operators.power and isinstance(a[1], float):
        slope = step(operators.mul, a[1], step(operators.power, a[0], a[1] - 1.0))
        return [step(operators.mul, d, slope), None]
    return [None] * len(a)


@functools.cache
def _derivatives(program: Program) -> tuple[Program, ...]:
    n = program.inputs

    def moved(place: Place) -> Place:
        # The derivative of the result is one more input.
        return place + 1 if isinstance(place, int) and place >= n else place

    steps = [Step(s.fn, tuple(map(moved, s.operands))) for s in program.steps]

    def step(fn: Fn, *operands: Place) -> int:
        steps.append(Step(fn, operands))
        return n + len(steps)

    found: dict[Place, Place] = {moved(program.result): n}
    for k in range(len(program.steps) - 1, -1, -1):
        place = n + 1 + k
        if place not in found:
            continue
        made = steps[k]
        for operand, slope in zip(made.operands, _slopes(made.fn, made.operands, found[place], step)):
            if slope is not None and isinstance(operand, int):
                before = found.get(operand)
                found[operand] = slope if before is None else step(operators.add, before, slope)
    return tuple(Program(n + 1, tuple(steps), found.get(k, 0.0)).needed() for k in range(n))
