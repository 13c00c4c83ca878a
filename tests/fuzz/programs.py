"""Draws random programs: `program(seed)` gives the same steps each time.

A program is drawn while it runs on the reference backend, so most steps fit the shapes that are there. A part of the
steps then gets a wrong setting or another operand. Sizes are small, and the sizes of windows, the functions that are
fused and the optimizers are few: each compiles kernels of its own.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from minitorch import Module, Tensor

from . import operations
from .interpreter import Interpreter, Outcome, Step

SIZES = (0, 1, 1, 2, 2, 3, 3, 4, 5, 7, 8, 13)
LARGE = (16, 17, 33, 64)
WINDOWS = (1, 2, 3, (1, 2), (3, 1), (2, 2), 5)
LIMIT = 300  # elements of a tensor that is made
MOST = 1500  # elements of a tensor that a step takes
WRONG = (
    None, -1, -2, -7, 0, 1, 2, 3, 17, 2**31 - 1, 2**31, 2**62, -(2**62), 2**63, 2**70, 1.5, 2.0, -0.5, float("nan"),
    float("inf"), "x", "", "same", "none", True, (), (1,), (1, 2), (2, 1, 1), (0, 1), [1, 2], (1.0, 2), (None, 1),
    (2**62, 1), np.int64(2), np.int32(1), np.float32(1.0), b"x", 1j, [[1, 2], [3]], {}, {"a": 1}, slice(None), ...,
)  # fmt: skip
# Settings of these names decide how much memory a layer takes, or what the program draws: wrong ones stay small.
SMALL = {"in_features", "out_features", "num_embeddings", "embedding_dim", "num_features", "in_channels",
         "out_channels", "kernel_size", "normalized_shape", "num_channels", "num_groups"}  # fmt: skip
KEPT = {"kind", "seed", "name", "dims", "new", "copies", "no_grad", "relu_at", "left", "pickled"}
UNTOUCHED = {"make", "copy_", "take"}  # operations that get no wrong setting this way


class Draw:
    """A program as far as it is drawn.

    Args:
        seed: All choices follow from it.
        wrong: The part of the steps that get a wrong setting or operand.
    """

    def __init__(self, seed: int, wrong: float) -> None:
        self.rng = random.Random(seed)
        self.wrong = wrong
        self.steps: list[Step] = []
        self.outcomes: list[Outcome] = []
        self.run = Interpreter("simple")
        self.dtype = self.rng.choices(["float64", "float32", None], [70, 20, 10])[0]
        self.kinds = (
            ["special", "normal", "whole"] if self.rng.random() < 0.25 else ["normal", "whole", "unit"]
        )

    def emit(self, op: str, *operands: int, **settings: Any) -> int:
        """Add a step, and run it; return its number."""
        rng = self.rng
        if op not in UNTOUCHED and rng.random() < self.wrong:
            names = [n for n in settings if n not in KEPT]
            tensors = self.all()
            if names and (rng.random() < 0.7 or not operands or not tensors):
                name = rng.choice(names)
                value = rng.choice(WRONG)
                big = isinstance(value, int) and abs(value) > 100
                if not (big and (name in SMALL or op == "create")):
                    settings[name] = value
            elif operands and tensors and isinstance(self.value(operands[0]), Tensor):
                place = rng.randrange(len(operands))
                operands = (*operands[:place], rng.choice(tensors), *operands[place + 1 :])
        if op not in ("make", "backward", "layer") and rng.random() < 0.05:
            settings["no_grad"] = True
        step = Step(op, operands, settings)
        self.steps.append(step)
        self.outcomes.append(self.run.run(step))
        return len(self.steps) - 1

    def value(self, number: int) -> Any:
        """Return the result of a step; None where it failed."""
        return self.run.values[number]

    def all(self, fits: Callable[[Any], bool] = lambda t: True) -> list[int]:
        """Return the numbers of the tensors that fit and are not too large."""
        return [
            k for k, v in enumerate(self.run.values) if isinstance(v, Tensor) and v.size <= MOST and fits(v)
        ]

    def tensor(self, fits: Callable[[Any], bool] = lambda t: True, **made: Any) -> int:
        """Return the number of a tensor that fits; where there is none, of one made with these settings."""
        found = self.all(fits)
        if found and self.rng.random() < 0.9:
            return self.rng.choice(found[-6:] if self.rng.random() < 0.7 else found)
        return self.make(**made)

    def modules(self) -> list[int]:
        """Return the numbers of the layers."""
        return [k for k, v in enumerate(self.run.values) if isinstance(v, Module)]

    def shape(self, dims: int | None = None) -> tuple[int, ...]:
        """Return a shape of at most `LIMIT` elements."""
        dims = self.rng.choices(range(6), [1, 4, 8, 6, 5, 1])[0] if dims is None else dims
        while True:
            shape = [self.rng.choice(SIZES) for _ in range(dims)]
            if dims and self.rng.random() < 0.15:
                shape[self.rng.randrange(dims)] = self.rng.choice(LARGE)
            if int(np.prod(shape)) <= LIMIT:
                return tuple(shape)

    def make(self, shape: Any = None, grad: bool | None = None, dtype: Any = None, kind: str = "") -> int:
        """Make a tensor in one of the layouts."""
        rng = self.rng
        shape = self.shape() if shape is None else tuple(shape)
        layout: Any = None
        draw = rng.random()
        if len(shape) > 1 and draw < 0.35:
            layout = tuple(rng.sample(range(len(shape)), len(shape)))
        elif shape and draw < 0.5:
            layout = ("strides", self.strides(shape))
            if rng.random() < self.wrong:
                layout = (
                    "strides",
                    rng.choice([WRONG[rng.randrange(len(WRONG))], (*layout[1][1:], rng.choice(WRONG))]),
                )
        return self.emit(
            "make",
            shape=shape,
            dtype=dtype or self.dtype or rng.choice(["float64", "float32"]),
            kind=kind or rng.choice(self.kinds),
            seed=rng.randrange(10**6),
            layout=layout,
            grad=rng.random() < 0.6 if grad is None else grad,
        )

    def strides(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return strides that stay inside a storage of as many elements: of any order, some of them 0."""
        order, step = self.rng.sample(range(len(shape)), len(shape)), 1
        strides = [0] * len(shape)
        for k in order:
            strides[k] = 0 if self.rng.random() < 0.15 else step
            step *= shape[k]
        return tuple(strides)

    def dim(self, t: Any, none: bool = True) -> Any:
        """Return a dimension of a tensor, counted from either side; now and then one that it does not have."""
        options: list[Any] = list(range(-t.dims, t.dims)) or [0]
        return self.rng.choice(options + [None] * (len(options) // 2 + 1) * none)


Drawer = Callable[[Draw], Any]
DRAWERS: dict[Drawer, int] = {}


def weight(n: int) -> Callable[[Drawer], Drawer]:
    """Enter a drawer in the table, with its weight."""

    def enter(fn: Drawer) -> Drawer:
        DRAWERS[fn] = n
        return fn

    return enter


@weight(4)
def make(d: Draw) -> int:
    return d.make()


@weight(2)
def create(d: Draw) -> int:
    name = d.rng.choice(["zeros", "ones", "rand", "randn"])
    return d.emit("create", name=name, shape=d.shape(), dtype=d.rng.choice([None, "float64", "float32"]))


@weight(8)
def unary(d: Draw) -> int:
    return d.emit("unary", d.tensor(), name=d.rng.choice([*operations.UNARY, *operations.FUNCTIONS]))


@weight(10)
def binary(d: Draw) -> int:
    a = d.tensor()
    if d.value(a) is None:
        return a
    shape = d.value(a).shape
    same = d.all(lambda t: t.shape == shape)
    if d.rng.random() < 0.5 and same:
        b = d.rng.choice(same)
    elif d.rng.random() < 0.8:
        cut = shape[d.rng.randint(0, len(shape)) :]
        b = d.make(tuple(1 if d.rng.random() < 0.3 else n for n in cut))
    else:
        b = d.tensor()
    pair = (a, b) if d.rng.random() < 0.7 else (b, a)
    if d.rng.random() < 0.1:
        return d.emit("is_close", *pair)
    if d.rng.random() < 0.2:
        return d.emit("fused", *pair, name="polynomial")
    return d.emit("binary", *pair, name=d.rng.choice(list(operations.BINARY)))


@weight(4)
def scalar(d: Draw) -> int:
    number = d.rng.choice(
        [0, 1, 2.5, -3, 0.0, -0.0, 1e-3, float("inf"), float("nan"), 1e300, True, np.float32(0.1)]
    )
    return d.emit(
        "scalar",
        d.tensor(),
        name=d.rng.choice(list(operations.BINARY)),
        number=number,
        left=d.rng.random() < 0.4,
    )


@weight(3)
def with_setting(d: Draw) -> int:
    if d.rng.random() < 0.5:
        return d.emit("power", d.tensor(), exponent=d.rng.choice([0, 1, 2, 3, 0.5, -1, -2.0, 2.5]))
    return d.emit("leaky_relu", d.tensor(), slope=d.rng.choice([0.01, 0.0, 0.3, 1, -1.0]))


@weight(3)
def fused(d: Draw) -> int:
    name = d.rng.choice(["swish", "softplus", "mixed"])
    a = d.tensor()
    if name != "mixed" or d.value(a) is None:
        return d.emit("fused", a, name=name)
    last = d.value(a).shape[-1:]
    return d.emit("fused", a, d.make(last), d.tensor(), name=name)


@weight(1)
def mixed(d: Draw) -> int:
    return d.emit("mixed", d.tensor())


@weight(9)
def reduction(d: Draw) -> int:
    t = d.tensor()
    if d.value(t) is None:
        return t
    name = d.rng.choice(["sum", "sum", "mean", "max", "all", "softmax", "logsoftmax", "argmax", "max_reduce"])
    return d.emit("reduction", t, name=name, dim=d.dim(d.value(t), name in ("sum", "mean", "max", "all")))


@weight(5)
def product(d: Draw) -> int:
    a = d.tensor(lambda t: 2 <= t.dims <= 3 and t.size <= LIMIT, shape=d.shape(d.rng.choice([2, 2, 3])))
    t = d.value(a)
    if t is None or t.dims < 2:
        return a
    cols = d.rng.choice([*SIZES, 16])
    if d.rng.random() < 0.5 and t.dims == 2:
        w = d.make((cols, t.shape[1]))
        bias = [] if d.rng.random() < 0.4 else [d.make((cols,))]
        return d.emit("linear", a, w, *bias, act=d.rng.choice(["none", "relu"]))
    lead: tuple[int, ...] = (
        () if d.rng.random() < 0.4 else (d.rng.choice([1, t.shape[0] if t.dims == 3 else 2]),)
    )
    return d.emit("matmul", a, d.make((*lead, t.shape[-1], cols)))


@weight(5)
def layout(d: Draw) -> int:
    k = d.tensor()
    t = d.value(k)
    if t is None:
        return k
    kind = d.rng.choice(["permute", "permute", "view", "view", "flatten", "astype", "copied", "expand"])
    if kind == "permute":
        return d.emit("permute", k, order=tuple(d.rng.sample(range(t.dims), t.dims)))
    if kind == "view":
        sizes, rest = [], t.size
        for _ in range(d.rng.randint(0, 3)):
            n = d.rng.choice([m for m in (1, 2, 3, 4, 5, 7, 8, 13) if rest % m == 0])
            sizes.append(n)
            rest //= n
        sizes.append(-1 if d.rng.random() < 0.4 else rest)
        d.rng.shuffle(sizes)
        return d.emit("view", k, shape=tuple(sizes), copies=d.rng.random() < 0.6)
    if kind == "flatten":
        return d.emit("flatten", k, start=d.rng.choice([0, 1, -2]), end=d.rng.choice([-1, 1, 2]))
    if kind == "astype":
        return d.emit("astype", k, dtype=d.rng.choice(["float64", "float32", np.float32]))
    if kind == "copied":
        return d.emit("copied", k, pickled=d.rng.random() < 0.5)
    return d.emit("expand", k, d.tensor())


def key(d: Draw, shape: tuple[int, ...]) -> Any:
    """Return a key that mostly fits a shape."""
    parts: list[Any] = []
    for n in shape[: d.rng.randint(0, len(shape))]:
        if n and d.rng.random() < 0.5:
            parts.append(d.rng.choice([d.rng.randrange(n), np.int64(d.rng.randrange(n)), 0]))
        else:
            ends = [None, None, 0, 1, 2, n, n + 1, -1, -2]
            parts.append(slice(d.rng.choice(ends), d.rng.choice(ends), d.rng.choice([None, None, 1, 2, 3])))
    if d.rng.random() < 0.3:
        parts.insert(d.rng.randint(0, len(parts)), ...)
    if d.rng.random() < 0.05:
        parts.append(d.rng.choice([-1, 99, slice(None, None, -1), 1.0, None, True, "x", 2**63, (0, 1)]))
    return parts[0] if len(parts) == 1 and d.rng.random() < 0.5 else tuple(parts)


@weight(4)
def item(d: Draw) -> int:
    k = d.tensor()
    return k if d.value(k) is None else d.emit("item", k, key=key(d, d.value(k).shape))


@weight(3)
def join(d: Draw) -> int:
    k = d.tensor()
    t = d.value(k)
    if t is None:
        return k
    shape, new, dim = t.shape, d.rng.random() < 0.4, d.dim(t, False)
    others = d.rng.choices(d.all(lambda o: o.shape == shape) or [k], k=d.rng.randint(0, 2))
    if not new and t.dims and d.rng.random() < 0.5:
        others.append(
            d.make(tuple(d.rng.choice(SIZES) if i == dim % t.dims else n for i, n in enumerate(shape)))
        )
    return d.emit("join", k, *others, dim=dim, new=new)


@weight(9)
def assign(d: Draw) -> int:
    k = d.tensor(lambda t: t.history is None or not t.is_leaf(), grad=False)
    t = d.value(k)
    if t is None:
        return k
    place = key(d, t.shape)
    if d.rng.random() < 0.3:
        number = d.rng.choice([0, 1.5, float("nan"), True, np.float32(2), [1.0], [[1.0], [2.0]], "x", None])
        return d.emit("assign", k, key=place, number=number)
    if d.rng.random() < 0.5:
        return d.emit("assign", k, d.tensor(), key=place)
    try:
        target = t._tensor.window(place).shape
    except Exception:
        target = t.shape
    cut = target[d.rng.randint(0, len(target)) :]
    value = d.make(tuple(1 if d.rng.random() < 0.3 else n for n in cut))
    return d.emit("assign", k, value, key=place)


@weight(3)
def change(d: Draw) -> int:
    k = d.tensor()
    t = d.value(k)
    if t is None:
        return k
    kind = d.rng.choice(["copy_", "leaf", "leaf", "init", "zero_grad"])
    if kind == "copy_":
        dtype = d.rng.choice(["float64", "float32"])
        return d.emit("copy_", k, shape=t.shape, kind="normal", seed=d.rng.randrange(999), dtype=dtype)
    if kind == "leaf":
        return d.emit("leaf", k, flag=d.rng.random() < 0.8)
    if kind == "zero_grad":
        return d.emit("zero_grad", k)
    name = d.rng.choice(
        ["zeros_", "ones_", "constant_", "uniform_", "normal_", "xavier_uniform_", "kaiming_normal_"]
    )
    return d.emit("init", k, name=name, value=0.5 if name == "constant_" else None)


@weight(7)
def backward(d: Draw) -> int:
    k = d.tensor(lambda t: t.history is not None, grad=True)
    t = d.value(k)
    if t is None:
        return k
    if d.rng.random() < 0.5:
        k = d.emit("reduction", k, name=d.rng.choice(["sum", "mean"]), dim=None)
        return d.emit("backward", k)
    if d.rng.random() < 0.1:
        return d.emit("backward", k)
    return d.emit("backward", k, d.make(t.shape, grad=False, dtype=str(t.dtype)))


@weight(2)
def dropout(d: Draw) -> int:
    rate = d.rng.choice([0, 0.0, 0.25, 0.5, 1, 1.0])
    return d.emit("dropout", d.tensor(), rate=rate, ignore=d.rng.random() < 0.2, scale=d.rng.random() < 0.5)


@weight(2)
def take(d: Draw) -> int:
    k = d.tensor(lambda t: t.dims == 2, shape=d.shape(2))
    t = d.value(k)
    if t is None or t.dims != 2:
        return k
    rows = [
        d.rng.randrange(-1 if d.rng.random() < 0.05 else 0, max(t.shape[0], 1))
        for _ in range(d.rng.randint(0, 5))
    ]
    return d.emit("take", k, rows=rows)


IN_PLACE = {make, unary, binary, layout, item, join, assign, change, backward}
SHARED = IN_PLACE | {reduction, product, scalar}  # most of what PyTorch has too


def program(seed: int, wrong: float = 0.1, only: Collection[Drawer] = ()) -> tuple[list[Step], list[Outcome]]:
    """Return the program of a seed, and what the reference backend gave for it; of some drawers ``only``."""
    d = Draw(seed, wrong)
    for _ in range(d.rng.randint(1, 3)):
        d.make()
    # A part of the programs is about changes in place and what shares memory.
    only = only or (IN_PLACE if d.rng.random() < 0.3 else DRAWERS)
    chosen = {f: n for f, n in DRAWERS.items() if f in only}
    drawers, weights = list(chosen), list(chosen.values())
    for _ in range(d.rng.randint(3, 12)):
        d.rng.choices(drawers, weights)[0](d)
    if d.rng.random() < 0.6:
        backward(d)
    return d.steps, [*d.outcomes, Outcome("value", d.run.numbers())]
