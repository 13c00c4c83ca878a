"""What minitorch computes for random settings of the playgrounds, to compare the pages with: by page, a list of cases.

python -m tests.docs.playground_values FILE.json        # from the top of the repository

A case has the settings, as the functions of the page take them, and what minitorch gives. It depends on minitorch; the
CUDA kernels are in `playground_kernels`.
"""

from __future__ import annotations

import json
import math
import operator
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

import minitorch
from minitorch.runtime.shape_errors import first_line

from .playground_kernels import cuda_kernel

Case = dict[str, Any]
COUNT = 60  # cases of a page


def strides(random: np.random.Generator) -> Case:
    """Return the layout of a tensor with reordered dimensions, and the position in storage of each element."""
    shape = [int(n) for n in random.integers(1, 5, random.integers(1, 5))]
    while math.prod(shape) > 120:
        shape.pop()
    order = [int(k) for k in random.permutation(len(shape))]
    offset = int(random.integers(0, 6))
    # In a storage of its own positions, each element is the position that it is read from.
    storage = minitorch.tensor(list(range(offset + math.prod(shape))))
    t = storage[offset:].view(*shape).permute(*order)
    return {
        "shape": shape,
        "order": order,
        "offset": offset,
        "result": {
            "shape": t.shape,
            "strides": t._tensor.strides,
            "contiguous": t._tensor.is_contiguous(),
            "positions": t.to_numpy().ravel().tolist(),
        },
    }


def broadcasting(random: np.random.Generator) -> Case:
    """Return what the sum of two tensors reads for each of its elements, and how often it reads each of theirs."""
    whole = [int(n) for n in random.integers(1, 5, 3)]
    # Mostly shapes that fit: sizes are taken away on the left, or become 1; now and then one is another.
    shapes = []
    for _ in range(2):
        shape = [1 if random.random() < 0.3 else n for n in whole[int(random.integers(0, 4)) :]]
        shapes.append([n + 1 if random.random() < 0.1 else n for n in shape])
    case: Case = {"a": shapes[0], "b": shapes[1]}
    a, b = (minitorch.tensor(list(range(math.prod(shape)))).view(*shape) for shape in shapes)
    try:
        out = a + 10.0 * b
    except minitorch.IndexingError as error:
        return {**case, "result": {"error": first_line(error)}}
    reads = {"a": a + minitorch.zeros(b.shape), "b": minitorch.zeros(a.shape) + b}
    leaves = [minitorch.zeros(t.shape).requires_grad_() for t in (a, b)]
    (leaves[0] + leaves[1]).sum().backward()
    return {
        **case,
        "result": {
            "shape": out.shape,
            "sums": out.to_numpy().ravel().tolist(),
            "reads": {name: t.to_numpy().ravel().tolist() for name, t in reads.items()},
            "uses": {name: t.grad.to_numpy().ravel().tolist() for name, t in zip("ab", leaves)},
        },
    }


def convolution(random: np.random.Generator) -> Case:
    """Return a convolution of one channel, and the gradients of the input and the kernel for given derivatives."""
    rows, columns, height, width = (int(n) for n in (*random.integers(2, 9, 2), *random.integers(1, 5, 2)))
    mode = ("number", "number", "same", "anchored")[int(random.integers(0, 4))]
    stride, padding, dilation = (int(random.integers(*ends)) for ends in ((1, 4), (0, 4), (1, 4)))
    x, w = random.integers(-9, 10, (rows, columns)), random.integers(-8, 9, (height, width)) / 4
    settings = {"mode": mode, "stride": stride, "padding": padding, "dilation": dilation}
    case: Case = {"input": x.tolist(), "kernel": w.tolist(), "settings": settings}
    image, kernel = (minitorch.tensor([[values.tolist()]], requires_grad=True) for values in (x, w))
    zeros = padding if mode == "number" else mode
    try:
        out = minitorch.conv2d(image, kernel, stride=stride, padding=zeros, dilation=dilation)
    except (minitorch.IndexingError, ValueError) as error:
        return {**case, "derivatives": [], "result": {"error": first_line(error)}}
    d = random.integers(-4, 5, out.shape)
    out.backward(minitorch.tensor(d.tolist()))
    arrays = {"output": out, "input_grad": image.grad, "kernel_grad": kernel.grad}
    result = {name: t.to_numpy()[0, 0].tolist() for name, t in arrays.items()}
    return {**case, "derivatives": d[0, 0].tolist(), "result": result}


class Recorded(minitorch.Scalar):
    """A Scalar that writes down, in `events`, what is computed and what backpropagation does."""

    events: ClassVar[list[Any]] = []

    def _wrap(self, raw: Any, history: Any) -> Recorded:
        self.events.append(["call", history.last_fn.__name__, raw])
        return Recorded(raw, history)

    def chain_rule(self, d_output: Any) -> Any:
        pairs = list(super().chain_rule(d_output))
        self.events.append(["backward", self.history.last_fn.__name__, d_output, [d for _, d in pairs]])
        return pairs

    def _finish_leaf(self, d: Any, owned: set[int]) -> None:
        super()._finish_leaf(d, owned)
        self.events.append(["leaf", self.name, self.derivative])


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    name: operator.methodcaller(name) for name in ("log", "exp", "sigmoid", "relu")
}


def formula(random: np.random.Generator, depth: int) -> str:
    """Return a random formula of x, y, z and numbers."""
    kind = int(random.integers(0, 10))
    if depth == 0 or kind == 0:
        return str(random.choice(["x", "y", "z", "x", "y", "2", "0.5"]))
    inside = [formula(random, depth - 1) for _ in range(2)]
    if kind == 1:
        return f"-({inside[0]})"
    if kind in (2, 3):
        return f"{random.choice(list(FUNCTIONS))}({inside[0]})"
    return f"({inside[0]}) {random.choice(list('+-*/'))} ({inside[1]})"


def autodiff(random: np.random.Generator) -> Case:
    """Return what is computed for a formula, and each step of its backpropagation, in order."""
    while True:
        text = formula(random, int(random.integers(1, 5)))
        given = {
            name: round(float(random.uniform(-3, 3)), 2) for name in "xyz" if name in text.replace("exp", "")
        }
        variables = {name: Recorded(value, name=name) for name, value in given.items()}
        Recorded.events.clear()
        try:
            result = eval(text, {**FUNCTIONS, **variables})
        except (ValueError, ZeroDivisionError, OverflowError, AttributeError):
            continue  # not defined there, or a function of a number
        if isinstance(result, Recorded) and not result.is_leaf():
            break
    result.backward()
    return {"formula": text, "values": given, "result": list(Recorded.events)}


PAGES: dict[str, Callable[[np.random.Generator], Case]] = {
    "strides": strides,
    "broadcasting": broadcasting,
    "convolution": convolution,
    "autodiff": autodiff,
    "cuda": cuda_kernel,
}


def values(page: str) -> list[Case]:
    """Return the cases of a page, the same at every call; JSON holds them."""
    random = np.random.default_rng(0)
    return json.loads(json.dumps([PAGES[page](random) for _ in range(COUNT)]))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps({page: values(page) for page in PAGES}), encoding="utf-8")
