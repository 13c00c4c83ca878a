"""Every line of the table in every backend: values, gradients, layouts, dtypes; and numbers beyond the finite."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats, lists

import minitorch
from minitorch import FastOps, Function, Tensor, TensorBackend, tensor, topological_sort
from minitorch.nn import fusion
from minitorch.tensor_functions import arrange, elementwise, fused, reduce, shape
from minitorch.tensor_functions import math as functions_math
from minitorch.tensor_functions import nn as functions_nn
from minitorch.tensor_ops import composite

from ..support.op_table import (
    BACKENDS,
    LAYOUTS,
    NP_ACTIVATIONS,
    TABLE,
    Line,
    check_agreement,
    check_gradients,
    check_values,
    compare,
    gradients,
    in_layout,
    operands,
)

lines = pytest.mark.parametrize("line", TABLE, ids=lambda line: line.name)
differentiable = pytest.mark.parametrize(
    "line", [line for line in TABLE if line.slope], ids=lambda line: line.name
)
backends = pytest.mark.parametrize("backend", BACKENDS)


@lines
@backends
@pytest.mark.parametrize("layout", LAYOUTS)
def test_value(line: Line, backend: str, layout: str) -> None:
    check_values(line, backend, layout)


@lines
@backends
def test_value_in_float32(line: Line, backend: str) -> None:
    check_values(line, backend, "packed", "float32")


@differentiable
@backends
@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradient(line: Line, backend: str, layout: str) -> None:
    check_gradients(line, backend, layout)


@differentiable
@pytest.mark.parametrize("backend", [backend for backend in BACKENDS if backend != "simple"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradient_agrees_with_the_reference_backend(line: Line, backend: str, dtype: str) -> None:
    check_agreement(line, backend, dtype)


def test_every_function_has_its_line() -> None:
    used = set()
    for line in TABLE:
        out = line.fn(*(in_layout(x, "packed", "fast") for x in operands(line, line.shapes[0])))
        used |= {v.history.last_fn for v in topological_sort(out)}
    ours = {
        value
        for module in (
            arrange,
            elementwise,
            fused,
            functions_math,
            functions_nn,
            reduce,
            shape,
            fusion,
        )
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Function) and "forward" in dir(value)
    }
    abstract = {elementwise.Pointwise, elementwise._Comparison, elementwise.Paired}
    elsewhere = {shape.Assign}  # changes its operand: see tests/test_versions.py
    assert ours - abstract - elsewhere - used == set()


@pytest.mark.parametrize(
    "name",
    [
        *(f"{op}, {activation}" for op in ("norm", "scale and shift") for activation in NP_ACTIVATIONS),
        "cross entropy with probabilities",
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fused_kernels_agree_with_their_composition(
    name: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (line,) = (line for line in TABLE if line.name == name)
    monkeypatch.setenv("MINITORCH_FUSE", "0")
    composed: Any = TensorBackend(FastOps)
    for shapes in line.shapes:
        elements = operands(line, shapes)
        fused = line.fn(*(in_layout(x, "packed", "fast", dtype) for x in elements)).to_numpy()
        plain = line.fn(*(in_layout(x, "packed", composed, dtype) for x in elements)).to_numpy()
        tolerance = 1e-9 if dtype == "float64" else 1e-4
        compare(name, fused, plain, tolerance)
        for found, expected in zip(
            gradients(line, "fast", "packed", shapes, dtype),
            gradients(line, composed, "packed", shapes, dtype),
        ):
            compare(f"gradient of {name}", found, expected, tolerance)


@pytest.mark.parametrize("name", sorted(composite.MEANINGS))
def test_every_fused_override_can_be_turned_off(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert name in FastOps.fused
    assert getattr(TensorBackend(FastOps), name) == getattr(FastOps, name)
    monkeypatch.setenv("MINITORCH_FUSE", "0")
    assert getattr(TensorBackend(FastOps), name).func is composite.MEANINGS[name]


numbers = lists(floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9)


@backends
@pytest.mark.parametrize("name", ["add", "sub", "mul", "neg", "lt", "eq"])
@given(ls=numbers)
def test_single_operations_are_bit_equal_to_python(name: str, backend: str, ls: list[float]) -> None:
    both: dict[str, Callable[[Any, Any], Any]] = {
        "add": lambda x, y: x + y,
        "sub": lambda x, y: x - y,
        "mul": lambda x, y: x * y,
        "neg": lambda x, y: -x,
        "lt": lambda x, y: x < y,
        "eq": lambda x, y: x == y,
    }
    others = ls[1:] + ls[:1]
    found = both[name](tensor(ls, backend), tensor(others, backend)).to_numpy()
    expected = np.array([both[name](x, y) for x, y in zip(ls, others)], np.float64)
    assert found.tobytes() == expected.tobytes()


INF, NAN = math.inf, math.nan
BEYOND: list[tuple[str, Callable[[Tensor], Tensor], list[float], list[float]]] = [
    ("1 / 0", lambda x: 1 / x, [0.0, -0.0, INF], [INF, -INF, 0.0]),
    ("0 / 0", lambda x: x / 0, [0.0, 1.0, -1.0], [NAN, INF, -INF]),
    ("inv", minitorch.Inv(), [0.0, NAN], [INF, NAN]),
    ("exp", lambda x: x.exp(), [1000.0, -1000.0, INF, -INF, NAN], [INF, 0.0, INF, 0.0, NAN]),
    ("log", lambda x: x.log(), [-1.0, INF, NAN, -1e-6], [NAN, INF, NAN, -INF]),
    ("sqrt", lambda x: x.sqrt(), [-1.0, INF, NAN], [NAN, INF, NAN]),
    ("sigmoid", lambda x: x.sigmoid(), [1000.0, -1000.0, INF, -INF, NAN], [1.0, 0.0, 1.0, 0.0, NAN]),
    ("tanh", lambda x: x.tanh(), [1000.0, -INF, NAN], [1.0, -1.0, NAN]),
    ("relu", lambda x: x.relu(), [INF, -INF, NAN], [INF, 0.0, NAN]),
    ("power", lambda x: x**0.5, [-1.0, INF], [NAN, INF]),
    ("power -1", lambda x: x**-1, [0.0, INF], [INF, 0.0]),
    ("overflow", lambda x: x**16, [1e30, -1e30], [INF, INF]),
    ("inf - inf", lambda x: x - x, [INF, 1.0], [NAN, 0.0]),
    ("lt", lambda x: x < 1, [INF, -INF, NAN], [0.0, 1.0, 0.0]),
    ("eq", lambda x: x == x, [INF, NAN], [1.0, 0.0]),
    ("max", lambda x: x.max(0), [1.0, NAN, INF], [NAN]),
    ("max of -inf", lambda x: x.max(0), [-INF, -INF], [-INF]),
    ("sum", lambda x: x.sum(0), [INF, 1.0], [INF]),
    ("sum of both", lambda x: x.sum(0), [INF, -INF], [NAN]),
    ("sum with nan", lambda x: x.sum(), [1.0, NAN, 2.0], [NAN]),
    ("all with nan", lambda x: x.all(), [0.0, NAN], [NAN]),
    ("matmul", lambda x: (x.view(1, 2) @ tensor([[1.0], [0.0]], x.backend)).view(1), [1.0, INF], [NAN]),
]


@backends
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "fn", "elements", "expected"), BEYOND, ids=[row[0] for row in BEYOND])
def test_beyond_the_finite(
    backend: str,
    dtype: str,
    name: str,
    fn: Callable[[Tensor], Tensor],
    elements: list[float],
    expected: list[float],
) -> None:
    t = tensor(elements, backend, True, dtype=dtype)
    out = fn(t)
    assert np.array_equal(out.to_numpy(), np.array(expected), equal_nan=True)
    if name != "all with nan":
        out.sum().backward()
        assert t.grad.shape == t.shape


@backends
def test_gradients_at_the_poles(backend: str) -> None:
    for fn, at, expected in [
        (lambda x: 1 / x, 0.0, -INF),
        (lambda x: x.sqrt(), 0.0, INF),
        (lambda x: x.log(), -1e-6, INF),
        (lambda x: x.relu(), 0.0, 0.0),
        (lambda x: x.sigmoid(), 1000.0, 0.0),
        (abs, 0.0, 0.0),
        (lambda x: x**0, 0.0, 0.0),
        (lambda x: x**2, 0.0, 0.0),
    ]:
        t = tensor([at], backend, True)
        fn(t).backward()
        assert t.grad.item() == expected


@backends
def test_sums_of_many_elements_keep_their_digits(backend: str) -> None:
    elements = np.random.default_rng(0).standard_normal(20_000) * 1e3
    for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-4)):
        total = tensor(elements, backend, dtype=dtype).sum().item()
        exact = math.fsum(elements.astype(dtype).astype(np.float64))
        assert abs(total - exact) <= tolerance * np.abs(elements).sum()
