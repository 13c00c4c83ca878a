"""What each operation of a random program does: a table of names, and the functions of minitorch that they call.

An operation takes an `Interpreter`'s backend, the results of earlier steps (tensors, layers, optimizers) and settings,
and returns a result that later steps may use. It depends on the public functions of minitorch only.
"""

from __future__ import annotations

import contextlib
import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

import minitorch
from minitorch.nn import functional
from minitorch.tensor_functions.nn import Take

Operation = Callable[..., Any]
OPERATIONS: dict[str, Operation] = {}
CHANGES = {
    "assign",
    "copy_",
    "init",
    "leaf",
    "zero_grad",
    "optimizer_step",
    "train",
}  # they change an operand

SPECIAL = {
    "float64": (0.0, -0.0, np.inf, -np.inf, np.nan, 1e300, -1e300, 1e-300, 5e-324, 88.0, -800.0, 1e16),
    "float32": (0.0, -0.0, np.inf, -np.inf, np.nan, 1e38, -1e38, 1e-38, 1e-45, 88.0, -200.0, 1e8),
}


def operation(fn: Operation) -> Operation:
    """Enter a function in the table, under its own name."""
    OPERATIONS[fn.__name__] = fn
    return fn


def numbers(count: int, kind: str, seed: int, dtype: str) -> Any:
    """Return ``count`` numbers: "normal", "whole" (small, so that some are equal), "unit" (0 to 1) or "special"."""
    rng = np.random.default_rng(seed)
    if kind == "whole":
        return rng.integers(-2, 3, count).astype(dtype)
    if kind == "unit":
        return rng.random(count).astype(dtype)
    values = (rng.normal(size=count) * 2).astype(dtype)
    if kind == "special":
        special = np.array(SPECIAL[dtype], dtype)
        values = np.where(rng.random(count) < 0.3, special[rng.integers(0, len(special), count)], values)
    return values


@operation
def make(
    backend: Any, shape: Any, dtype: Any, kind: str, seed: int, layout: Any = None, grad: bool = False
) -> Any:
    """Make a tensor: packed, permuted by an order, or (layout "strides", ...) with strides in its storage."""
    if isinstance(layout, tuple) and layout and layout[0] == "strides":
        count = int(np.prod(shape))
        t = minitorch.Tensor.make(numbers(count, kind, seed, dtype), shape, layout[1], backend=backend)
        return t.requires_grad_(grad)
    count = int(np.prod(shape))
    array = numbers(count, kind, seed, dtype)
    if layout is None:
        return minitorch.tensor(array.reshape(shape), backend, requires_grad=grad)
    stored = [0] * len(shape)
    for k, place in enumerate(layout):
        stored[place] = shape[k]
    return minitorch.tensor(array.reshape(stored), backend).permute(*layout).requires_grad_(grad)


@operation
def create(backend: Any, name: str, shape: Any, dtype: Any) -> Any:
    return getattr(minitorch, name)(shape, dtype=dtype)


# Elementwise

UNARY = ("sigmoid", "relu", "log", "exp", "tanh", "sqrt", "clone", "contiguous", "detach")
FUNCTIONS: dict[str, Any] = {
    "neg": lambda t: -t,
    "abs": abs,
    "inv": minitorch.Inv.apply,
    "gelu": lambda t: minitorch.GELU()(t),
    "gelu_tanh": lambda t: minitorch.GELU("tanh")(t),
}
BINARY: dict[str, Any] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "less": lambda a, b: a < b,
    "greater": lambda a, b: a > b,
    "equal": lambda a, b: a == b,
}
FUSED: dict[str, Any] = {
    "swish": minitorch.fuse(lambda x: x * x.sigmoid()),
    "polynomial": minitorch.fuse(lambda x, y: (x - y) ** 2 + 3.0 * x * y - 1.0),
    "mixed": minitorch.fuse(lambda x, y, z: (x * y).tanh() + abs(z) * (x < y)),
    "softplus": minitorch.fuse(lambda x: (x.exp() + 1.0).log() / 2.0),
}


@operation
def unary(backend: Any, t: Any, name: str) -> Any:
    return FUNCTIONS[name](t) if name in FUNCTIONS else getattr(t, name)()


@operation
def binary(backend: Any, a: Any, b: Any, name: str) -> Any:
    return BINARY[name](a, b)


@operation
def scalar(backend: Any, t: Any, name: str, number: Any, left: bool) -> Any:
    return BINARY[name](number, t) if left else BINARY[name](t, number)


@operation
def is_close(backend: Any, a: Any, b: Any) -> Any:
    return a.is_close(b)


@operation
def power(backend: Any, t: Any, exponent: Any) -> Any:
    return t**exponent


@operation
def leaky_relu(backend: Any, t: Any, slope: Any) -> Any:
    return minitorch.LeakyReLU(slope)(t)


@operation
def fused(backend: Any, *operands: Any, name: str) -> Any:
    return FUSED[name](*operands)


@operation
def mixed(backend: Any, t: Any) -> Any:
    """Add a tensor of another backend, which is an error."""
    return t + minitorch.tensor([1.0], "fast" if backend == "simple" else "simple")


# Reductions and products


@operation
def reduction(backend: Any, t: Any, name: str, dim: Any) -> Any:
    if name in ("sum", "mean", "max", "all"):
        return getattr(t, name)(dim)
    return getattr(minitorch, name)(t, dim)


@operation
def matmul(backend: Any, a: Any, b: Any) -> Any:
    return a @ b


@operation
def linear(backend: Any, x: Any, weight: Any, bias: Any = None, act: Any = "none") -> Any:
    return functional.linear(x, weight, bias, act=act)


# Layout


@operation
def permute(backend: Any, t: Any, order: Any) -> Any:
    return t.permute(*order) if isinstance(order, tuple | list) else t.permute(order)


@operation
def view(backend: Any, t: Any, shape: Any, copies: bool) -> Any:
    sizes = shape if isinstance(shape, tuple | list) else (shape,)
    return t.reshape(*sizes) if copies else t.view(*sizes)


@operation
def flatten(backend: Any, t: Any, start: Any, end: Any) -> Any:
    return t.flatten(start, end)


@operation
def item(backend: Any, t: Any, key: Any) -> Any:
    return t[key]


@operation
def expand(backend: Any, t: Any, other: Any) -> Any:
    return t.expand(other)


@operation
def join(backend: Any, *parts: Any, dim: Any, new: bool) -> Any:
    return (minitorch.stack if new else minitorch.cat)(parts, dim)


@operation
def astype(backend: Any, t: Any, dtype: Any) -> Any:
    return t.astype(dtype)


@operation
def copied(backend: Any, t: Any, pickled: bool) -> Any:
    return pickle.loads(pickle.dumps(t)) if pickled else copy.deepcopy(t)


# Changes in place; each returns what it changed


@operation
def assign(backend: Any, t: Any, value: Any = None, *, key: Any, number: Any = None) -> Any:
    t[key] = number if value is None else value
    return t


@operation
def copy_(backend: Any, t: Any, shape: Any, kind: str, seed: int, dtype: str) -> Any:
    return t.copy_(numbers(int(np.prod(shape)), kind, seed, dtype).reshape(shape))


@operation
def init(backend: Any, t: Any, name: str, value: Any) -> Any:
    return getattr(minitorch.init, name)(t, *([value] if name == "constant_" else []))


@operation
def leaf(backend: Any, t: Any, flag: Any) -> Any:
    return t.requires_grad_(flag)


@operation
def backward(backend: Any, t: Any, grad: Any = None) -> None:
    t.backward(grad)


@operation
def zero_grad(backend: Any, t: Any) -> Any:
    t.zero_grad_()
    return t


# Convolution, pooling and rows


@operation
def conv(backend: Any, x: Any, weight: Any, bias: Any = None, *, dims: int, **settings: Any) -> Any:
    return (minitorch.conv1d if dims == 1 else minitorch.conv2d)(x, weight, bias, **settings)


@operation
def pool(backend: Any, x: Any, name: str, **settings: Any) -> Any:
    return getattr(functional, name)(x, **settings)


@operation
def tile(backend: Any, x: Any, kernel: Any) -> Any:
    return minitorch.tile(x, kernel)[0]


@operation
def dropout(backend: Any, x: Any, rate: Any, ignore: bool, scale: bool) -> Any:
    return minitorch.dropout(x, rate, ignore, scale=scale)


@operation
def take(backend: Any, table: Any, rows: Any) -> Any:
    return Take.apply(table, rows=np.array(rows, np.int64).reshape(-1))


# Losses


@operation
def class_loss(backend: Any, scores: Any, name: str, labels: Any, **settings: Any) -> Any:
    return getattr(minitorch, name)(scores, labels, **settings)


@operation
def paired_loss(backend: Any, x: Any, target: Any, name: str, **settings: Any) -> Any:
    return getattr(minitorch, name)(x, target, **settings)


# Layers and optimizers


@operation
def layer(backend: Any, name: str, dtype: Any, **settings: Any) -> Any:
    minitorch.set_default_dtype(dtype)
    try:
        return getattr(minitorch, name)(**settings)
    finally:
        minitorch.set_default_dtype("float64")


@operation
def sequential(backend: Any, *layers: Any, relu_at: Any) -> Any:
    parts = list(layers)
    for place in sorted(relu_at, reverse=True):
        parts.insert(place, minitorch.ReLU())
    return minitorch.Sequential(*parts)


@operation
def call(backend: Any, module: Any, x: Any) -> Any:
    return module(x)


@operation
def embed(backend: Any, module: Any, rows: Any) -> Any:
    return module(rows)


@operation
def train(backend: Any, module: Any, mode: Any) -> Any:
    return module.train(mode)


@operation
def optimizer(backend: Any, *owners: Any, name: str, **settings: Any) -> Any:
    parameters: list[Any] = []
    for owner in owners:
        parameters += (
            owner.parameters() if isinstance(owner, minitorch.Module) else [minitorch.Parameter(owner)]
        )
    return getattr(minitorch, name)(parameters, **settings)


@operation
def optimizer_step(backend: Any, steps: Any) -> Any:
    steps.step()
    return steps


@contextlib.contextmanager
def recorded(enabled: bool) -> Any:
    """Record histories, or not."""
    if enabled:
        yield
    else:
        with minitorch.no_grad():
            yield
