"""One line per operation: what it computes on tensors, what NumPy says, for which shapes and numbers.

The checkers below drive `tests/backends/test_backends.py`; `tests/repo/test_checkers.py` tests that they notice
mistakes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import minitorch
from minitorch import Tensor, operators, tensor
from minitorch.runtime.types import ConvParams
from minitorch.tensor_functions import arrange, ctc, elementwise, fused, linalg, nn, special
from minitorch.tensor_functions import math as more

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
BACKENDS = ("simple", "fast")
LAYOUTS = ("packed", "permuted", "strided")
UNARY = (((2, 3, 4),), ((1, 1),), ((0, 3),), ((),))
BINARY = (
    ((2, 3, 4), (2, 3, 4)),
    ((2, 1, 4), (3, 1)),
    ((), (3,)),
    ((2, 2), ()),
    ((1,), (1, 1)),
    ((0, 3), (1, 3)),
    ((), ()),
)
REDUCED = (((2, 3, 4),), ((3, 3),), ((1, 1),), ((3, 9),))
AND_EMPTY = (*REDUCED, ((0, 3),), ((3, 0),))
ANY = (*AND_EMPTY, ((),), ((0,),))


@dataclass(frozen=True)
class Line:
    """An operation.

    Attributes:
        name: What a failure is reported under.
        fn: The operation, on tensors.
        ref: The same on NumPy arrays.
        shapes: Operands' shapes, the main case first.
        low: The smallest number drawn.
        high: The largest.
        slope: Whether backward agrees with differences (not for what has no derivative).
        tolerance: Of float64 values, relative to the largest one.
    """

    name: str
    fn: Callable[..., Tensor]
    ref: Callable[..., Array]
    shapes: tuple[tuple[Shape, ...], ...] = UNARY
    low: float = -2.0
    high: float = 2.0
    slope: bool = True
    tolerance: float = 1e-9


def keep(reduce_all: Callable[..., Array], axis: int | None) -> Callable[[Array], Array]:
    """Return a NumPy reduction under our rule: the dimension stays; over all elements the shape is (1,)."""
    if axis is None:
        return lambda x: np.asarray(reduce_all(x)).reshape(1)
    return lambda x: reduce_all(x, axis=axis, keepdims=True)


def np_conv(x: Array, w: Array, pads: Any, stride: int = 1) -> Array:
    """Cross-correlate by windows; the last two dimensions are the image's."""
    padded = np.pad(x, ((0, 0), (0, 0), *pads))
    windows = sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwij,ocij->nohw", windows, w)


def np_anchored(x: Array, w: Array) -> Array:
    """Convolve as the course does."""
    return np_conv(x, w, [(0, k - 1) for k in w.shape[2:]])


def np_windows(x: Array, size: int, step: int) -> Array:
    """Return the windows of images, as two last dimensions."""
    return sliding_window_view(x, (size, size), axis=(2, 3))[:, :, ::step, ::step]


def np_transposed_conv(x: Array, w: Array) -> Array:
    """Convolve transposed with stride 2 and padding 1, into images of 3x4."""
    out = np.zeros((len(x), w.shape[1], 5, 6))
    for i, j in np.ndindex(*x.shape[2:]):
        out[:, :, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += np.einsum("no,ocij->ncij", x[:, :, i, j], w)
    return out[:, :, 1:4, 1:5]


def np_tile(x: Array) -> Array:
    """Cut images into windows of 2x2, each in one row."""
    n, c, h, w = x.shape
    cut = x.reshape(n, c, h // 2, 2, w // 2, 2).swapaxes(3, 4)
    return cut.reshape(n, c, h // 2, w // 2, 4)


def np_softmax(x: Array, axis: int) -> Array:
    """Return the softmax."""
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def np_gelu(x: Array) -> Array:
    """Return x times the normal distribution at x."""
    return x * (1 + np.vectorize(math.erf, otypes=[float])(x / math.sqrt(2))) / 2


def np_bce(x: Array, t: Array) -> Array:
    """Return the binary cross-entropy."""
    return -(t * np.log(x) + (1 - t) * np.log(1 - x))


def np_norm(x: Array, w: Array, b: Array) -> Array:
    """Normalise channels."""
    mean, var = x.mean((0, 2), keepdims=True), x.var((0, 2), keepdims=True)
    return (x - mean) / np.sqrt(var + 0.1) * w + b


def chosen(x: Tensor) -> Tensor:
    """Return cross-entropies of two rows for fixed probabilities."""
    target = tensor([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]], x.backend, dtype=x.dtype)
    return nn.CrossEntropy.apply(x, target=target._tensor)


def np_digamma(x: Array) -> Array:
    """Return the derivative of the logarithm of the gamma function, by differences of four places."""
    f = np.vectorize(math.lgamma, otypes=[float])
    h = 1e-3
    return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)


def np_trigamma(x: Array) -> Array:
    """Return the sum of (x + k) ** -2, for positive x; the rest of the sum is an integral."""
    k = np.arange(20_000)
    return ((x[..., None] + k) ** -2.0).sum(-1) + 1 / (x + k[-1] + 0.5)


def np_exp(x: Array) -> Array:
    """Return the exponential of matrices by its series."""
    total = term = np.broadcast_to(np.eye(x.shape[-1]), x.shape)
    for k in range(1, 30):
        term = term @ x / k
        total = total + term
    return total


def np_flat(parts: Any) -> Array:
    """Return the results of a decomposition as one row for each matrix."""
    batch = parts[0].shape[:-2] if parts[0].ndim == parts[-1].ndim else parts[0].shape[:-1]
    return np.concatenate([p.reshape(*batch, -1) for p in parts], -1)


def neutral(ref: Any) -> float:
    """Return the number that a reduction leaves everything as it is with."""
    return 1.0 if ref is np.multiply else -math.inf if ref is np.maximum else math.inf


def near_unit(x: Any) -> Any:
    """Return square matrices with 1, 2, 3, ... added to the diagonal."""
    added = np.diag(np.arange(1.0, x.shape[-1] + 1))
    return x + (added if isinstance(x, np.ndarray) else tensor(added, x.backend, dtype=x.dtype))


def both_triangles(x: Any) -> Any:
    """Return ``x`` plus its transpose."""
    order = (*range(len(x.shape) - 2), len(x.shape) - 1, len(x.shape) - 2)
    return x + (x.transpose(order) if isinstance(x, np.ndarray) else x.permute(*order))


CTC_TARGETS, CTC_STEPS, CTC_SIZES = np.array([[1, 1], [2, 0]]), np.array([4, 3]), np.array([2, 1])


def ctc_losses(x: Tensor) -> Tensor:
    """Return the CTC losses of two samples of scores (4, 2, 3)."""
    settings = {"targets": CTC_TARGETS, "steps": CTC_STEPS, "sizes": CTC_SIZES, "blank": 0, "finite": False}
    return ctc.CTC.apply(minitorch.logsoftmax(x, 2), **settings)


def np_ctc(x: Array) -> Array:
    """Return the same by the sum over all paths that spell the target."""
    p, losses = np_softmax(x, 2), []
    for n, (steps, size) in enumerate(zip(CTC_STEPS, CTC_SIZES)):
        total = 0.0
        for path in itertools.product(range(x.shape[2]), repeat=int(steps)):
            spelled = [c for c, _ in itertools.groupby(path) if c]
            if spelled == CTC_TARGETS[n, :size].tolist():
                total += math.prod(p[t, n, c] for t, c in enumerate(path))
        losses.append(-math.log(total))
    return np.array(losses)


NP_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "none": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
}
TABLE = [
    # Pointwise.
    Line("neg", lambda x: -x, lambda x: -x),
    Line("sigmoid", lambda x: x.sigmoid(), lambda x: 1 / (1 + np.exp(-x)), high=40, low=-40),
    Line("relu", lambda x: x.relu(), lambda x: np.maximum(x, 0)),
    Line("log", lambda x: x.log(), lambda x: np.log(x + operators.EPS), low=0.1),
    Line("exp", lambda x: x.exp(), np.exp),
    Line("tanh", lambda x: x.tanh(), np.tanh),
    Line("sqrt", lambda x: x.sqrt(), np.sqrt, low=0.1),
    Line("inv", minitorch.Inv(), lambda x: 1 / x, low=0.3),
    Line("abs", abs, np.abs),
    Line("square", lambda x: x**2, np.square),
    Line("cube", lambda x: x**3, lambda x: x**3),
    Line("power -0.5", lambda x: x**-0.5, lambda x: x**-0.5, low=0.3),
    Line("clone", lambda x: x.clone(), lambda x: x),
    Line("contiguous", lambda x: x.contiguous(), lambda x: x),
    Line("numbers", lambda x: 2 / (3 - x) + 4 * x - 1, lambda x: 2 / (3 - x) + 4 * x - 1),
    Line("leaky relu", minitorch.LeakyReLU(0.1), lambda x: np.where(x > 0, x, 0.1 * x)),
    Line("gelu", minitorch.GELU(), np_gelu),
    Line("gelu tanh", minitorch.GELU("tanh"), np_gelu, slope=True, tolerance=2e-3),
    Line("astype", lambda x: x.astype("float32").astype("float64"), lambda x: x, slope=False, tolerance=1e-6),
    Line("to", lambda x: x.to("simple").to(x.backend), lambda x: x),
    # Pairs of elements.
    Line("add", lambda x, y: x + y, np.add, BINARY),
    Line("sub", lambda x, y: x - y, np.subtract, BINARY),
    Line("mul", lambda x, y: x * y, np.multiply, BINARY),
    Line("div", lambda x, y: x / y, np.divide, BINARY, low=0.3),
    Line("lt", lambda x, y: x < y, lambda x, y: np.asarray(x < y, float), BINARY),
    Line("gt", lambda x, y: x > y, lambda x, y: np.asarray(x > y, float), BINARY),
    Line(
        "eq",
        lambda x, y: x.relu() == y.relu(),
        lambda x, y: np.asarray(np.maximum(x, 0) == np.maximum(y, 0), float),
        BINARY,
    ),
    Line(
        "is_close",
        lambda x, y: (x / 40).is_close(y / 40),
        lambda x, y: np.asarray(np.abs(x - y) < 0.4, float),
        BINARY,
        slope=False,
    ),
    Line("the same twice", lambda x: x * x + x, lambda x: x * x + x),
    Line("bce", elementwise.BCE(), np_bce, BINARY, low=0.1, high=0.9),
    Line(
        "bce with logits",
        elementwise.BCEWithLogits(),
        lambda x, t: np_bce(1 / (1 + np.exp(-x)), t),
        BINARY,
    ),
    # Reductions.
    *(
        Line(f"{name} {dim}", fn, keep(ref, dim), shapes, slope=name != "all")
        for dim in (0, 1, -1, None)
        for name, fn, ref, shapes in [
            ("sum", lambda x, d=dim: x.sum(d), np.sum, AND_EMPTY),
            ("mean", lambda x, d=dim: x.mean(d), np.mean, REDUCED),
            ("max", lambda x, d=dim: x.max(d), np.max, REDUCED),
            ("all", lambda x, d=dim: x.all(d), np.prod, AND_EMPTY),
        ]
    ),
    Line("sum of any shape", lambda x: x.sum(), keep(np.sum, None), ANY),
    # Shapes.
    Line(
        "permute", lambda x: x.permute(2, 0, 1), lambda x: x.transpose(2, 0, 1), (((2, 3, 4),), ((0, 1, 2),))
    ),
    Line("view", lambda x: x.contiguous().view(4, -1), lambda x: x.reshape(4, -1), (((2, 2, 3),), ((4,),))),
    Line("reshape", lambda x: x.reshape(-1), lambda x: x.reshape(-1), ANY),
    Line("flatten", lambda x: x.flatten(1), lambda x: x.reshape(len(x), -1), (((2, 3, 4),), ((1, 1),))),
    Line("slice", lambda x: x[1:, ..., ::2], lambda x: x[1:, ..., ::2], (((3, 2, 5),), ((1, 1),), ((2, 1),))),
    Line("index", lambda x: x[..., 1], lambda x: x[..., 1], (((3, 2),), ((2, 1, 2),))),
    Line(
        "cat",
        lambda x, y: minitorch.cat([x, y, x], 1),
        lambda x, y: np.concatenate([x, y, x], 1),
        (((2, 3), (2, 1)), ((2, 0), (2, 2))),
    ),
    Line(
        "stack",
        lambda x, y: minitorch.stack([x, y], -1),
        lambda x, y: np.stack([x, y], -1),
        (((2, 3), (2, 3)), ((), ())),
    ),
    # Matrices.
    Line(
        "matmul",
        lambda x, y: x @ y,
        np.matmul,
        (((2, 3), (3, 4)), ((1, 1), (1, 1)), ((0, 3), (3, 2)), ((2, 0), (0, 3))),
    ),
    Line(
        "batched matmul",
        lambda x, y: x @ y,
        np.matmul,
        (
            ((5, 2, 3), (5, 3, 4)),
            ((5, 2, 3), (1, 3, 4)),
            ((1, 2, 3), (5, 3, 4)),
            ((5, 2, 3), (3, 4)),
            ((2, 3), (5, 3, 4)),
        ),
    ),
    # Networks.
    *(
        Line(f"{name} {dim}", fn, ref, (((2, 3, 4),), ((1, 1),), ((3, 3),)))
        for dim in (0, 1, -1)
        for name, fn, ref in [
            ("softmax", lambda x, d=dim: minitorch.softmax(x, d), lambda x, d=dim: np_softmax(x, d)),
            (
                "logsoftmax",
                lambda x, d=dim: minitorch.logsoftmax(x, d),
                lambda x, d=dim: np.log(np_softmax(x, d)),
            ),
        ]
    ),
    Line(
        "cross entropy",
        lambda x: minitorch.cross_entropy(x, [2, 0], reduction="none"),
        lambda x: -np.log(np_softmax(x, 1))[[0, 1], [2, 0]],
        (((2, 3),),),
    ),
    Line(
        "cross entropy with probabilities",
        chosen,
        lambda x: -(np.log(np_softmax(x, 1)) * [[0.5, 0.25, 0.25], [0, 1, 0]]).sum(1, keepdims=True),
        (((2, 3),),),
    ),
    Line(
        "nll",
        lambda x: minitorch.nll_loss(x, [2, 0]),
        lambda x: -keep(np.sum, None)(x[[0, 1], [2, 0]]) / 2,
        (((2, 3),),),
    ),
    Line(
        "fused",
        minitorch.fuse(lambda x, y: x * y.sigmoid() + x),
        lambda x, y: x / (1 + np.exp(-y)) + x,
        BINARY,
    ),
    Line("weigh", elementwise.Weigh(), lambda x, w: x * w, BINARY),
    *(
        Line(
            f"norm, {activation}",
            nn.Norm(eps=0.1, activation=activation),
            lambda x, w, b, activation=activation: NP_ACTIVATIONS[activation](np_norm(x, w, b)),
            (((3, 2, 4), (1, 2, 1), (1, 2, 1)),),
            low=-5,
            high=5,
        )
        for activation in NP_ACTIVATIONS
    ),
    Line(
        "dropout",
        fused.Drop(key=lambda: 7, rate=0.25, scale=True),
        lambda x: x * (minitorch.runtime.philox.generator(7).uniform(size=x.shape) >= 0.25) / 0.75,
        (((2, 3),), ((7, 5),), ((1, 3, 1),)),
    ),
    *(
        Line(
            f"scale and shift, {activation}",
            fused.ScaleShift(activation=activation),
            lambda x, w, b, activation=activation: NP_ACTIVATIONS[activation](x * w + b),
            (((3, 2, 4), (1, 2, 1), (1, 2, 1)),),
            low=-5,
            high=5,
        )
        for activation in NP_ACTIVATIONS
    ),
    *(
        Line(
            f"linear, {activation}",
            lambda x, w, b, activation=activation: minitorch.nn.functional.linear(x, w, b, act=activation),
            lambda x, w, b, activation=activation: NP_ACTIVATIONS[activation](x @ w.T + b),
            (((3, 4), (2, 4), (2,)), ((1, 1), (1, 1), (1,))),
            low=-5,
            high=5,
        )
        for activation in NP_ACTIVATIONS
    ),
    *(
        Line(
            f"conv2d with a bias, {activation}",
            lambda x, w, b, activation=activation: minitorch.conv2d(x, w, b, padding=1, act=activation),
            lambda x, w, b, activation=activation: NP_ACTIVATIONS[activation](
                np_conv(x, w, [(1, 1), (1, 1)], 1) + b[:, None, None]
            ),
            (((2, 2, 4, 5), (3, 2, 3, 2), (3,)),),
            low=-5,
            high=5,
        )
        for activation in NP_ACTIVATIONS
    ),
    Line("take", nn.Take(rows=np.array([2, 0, 2])), lambda x: x[[2, 0, 2]], (((3, 2),),)),
    Line(
        "conv1d",
        minitorch.conv1d,
        lambda x, w: np_anchored(x[:, :, None], w[:, :, None])[:, :, 0],
        (((2, 2, 5), (3, 2, 2)), ((1, 1, 1), (1, 1, 3))),
    ),
    Line(
        "conv2d", minitorch.conv2d, np_anchored, (((2, 2, 4, 5), (5, 2, 3, 2)), ((1, 1, 1, 1), (1, 1, 1, 1)))
    ),
    Line(
        "conv2d, stride 2, padding 1",
        lambda x, w: minitorch.conv2d(x, w, stride=2, padding=1),
        lambda x, w: np_conv(x, w, [(1, 1), (1, 1)], 2),
        (((2, 2, 4, 5), (3, 2, 3, 2)),),
    ),
    Line(
        "avgpool2d, 4",
        lambda x: minitorch.avgpool2d(x, 4),
        lambda x: np_windows(x, 4, 4).mean((-2, -1)),
        (((1, 2, 4, 8),),),
    ),
    Line(
        "maxpool2d, 4",
        lambda x: minitorch.maxpool2d(x, 4),
        lambda x: np_windows(x, 4, 4).max((-2, -1)),
        (((1, 2, 4, 8),),),
    ),
    Line("tile", lambda x: minitorch.tile(x, (2, 2))[0], np_tile, (((2, 1, 4, 6),),)),
    Line("avgpool2d", lambda x: minitorch.avgpool2d(x, 2), lambda x: np_tile(x).mean(-1), (((2, 1, 4, 6),),)),
    Line("maxpool2d", lambda x: minitorch.maxpool2d(x, 2), lambda x: np_tile(x).max(-1), (((2, 1, 4, 6),),)),
    Line(
        "avgpool2d, 3 step 2",
        lambda x: minitorch.avgpool2d(x, 3, 2),
        lambda x: np_windows(x, 3, 2).mean((-2, -1)),
        (((1, 2, 5, 6),),),
    ),
    Line(
        "maxpool2d, 3 step 2",
        lambda x: minitorch.maxpool2d(x, 3, 2),
        lambda x: np_windows(x, 3, 2).max((-2, -1)),
        (((1, 2, 5, 6),),),
    ),
    # Functions that minitorch.torch names.
    Line("ln", more.Ln(), np.log, low=0.1),
    Line("log2", more.Log2(), np.log2, low=0.1),
    Line("log10", more.Log10(), np.log10, low=0.1),
    Line("log1p", more.Log1p(), np.log1p, low=-0.9),
    Line("expm1", more.Expm1(), np.expm1),
    Line("rsqrt", more.Rsqrt(), lambda x: 1 / np.sqrt(x), low=0.1),
    Line("relu6", more.ReLU6(), lambda x: np.clip(x, 0, 6), low=-4, high=10),
    Line("sin", more.Sin(), np.sin),
    Line("cos", more.Cos(), np.cos),
    Line("tan", more.Tan(), np.tan, low=-1, high=1),
    Line("asin", more.Asin(), np.arcsin, low=-0.9, high=0.9),
    Line("acos", more.Acos(), np.arccos, low=-0.9, high=0.9),
    Line("atan", more.Atan(), np.arctan),
    Line("sinh", more.Sinh(), np.sinh),
    Line("cosh", more.Cosh(), np.cosh),
    Line("erf", more.Erf(), np.vectorize(math.erf, otypes=[float])),
    Line("floor", more.Floor(), np.floor),
    Line("ceil", more.Ceil(), np.ceil),
    Line("round", more.Round(), np.round),
    Line("trunc", more.Trunc(), np.trunc),
    Line("sign", more.Sign(), np.sign),
    Line("softplus", more.Softplus(), lambda x: np.log1p(np.exp(x))),
    Line("maximum", more.Maximum(), np.maximum, BINARY),
    Line("minimum", more.Minimum(), np.minimum, BINARY),
    Line("clamp", more.Clamp(low=-0.5, high=1.0), lambda x: x.clip(-0.5, 1.0)),
    Line("pow", more.Pow(), np.power, BINARY, low=0.3),
    Line("atan2", more.Atan2(), np.arctan2, BINARY, low=0.3),
    Line(
        "where",
        lambda x, y: more.Where.apply(x.detach() < y.detach(), x, y * y),
        lambda x, y: np.where(x < y, x, y * y),
        BINARY,
    ),
    Line(
        "expand",
        arrange.Expand(shape=(3, 2, 4)),
        lambda x: np.broadcast_to(x, (3, 2, 4)),
        (((2, 4),), ((2, 1),), ((),), ((3, 1, 1),)),
    ),
    Line(
        "pad",
        arrange.Pad(widths=((1, 0), (0, 2)), value=0.5),
        lambda x: np.pad(x, ((1, 0), (0, 2)), constant_values=0.5),
        (((2, 3),), ((1, 1),), ((0, 2),)),
    ),
    Line(
        "pick",
        arrange.Pick(places=np.array([[2, 0], [2, 1]])),
        lambda x: x.reshape(-1)[[[2, 0], [2, 1]]],
        (((3,),), ((3, 2),)),
    ),
    Line(
        "add at",
        arrange.AddAt(places=np.array([2, 0, 2])),
        lambda x, y: x + np.array([y[1], 0, y[0] + y[2]])[:, None],
        (((3, 1), (3,)),),
    ),
    *(
        Line(
            f"{name} {dim}",
            fn(dim=dim),
            lambda x, d=dim, ref=ref: ref(x, d),
            (((2, 3, 4),), ((1, 1),), ((2, 2),)),
        )
        for dim in (0, 1)
        for name, fn, ref in [
            ("cumsum", arrange.CumSum, np.cumsum),
            ("cumprod", arrange.CumProd, np.cumprod),
            ("logcumsumexp", arrange.LogCumSumExp, np.logaddexp.accumulate),
            ("prod", arrange.Prod, lambda x, d: np.prod(x, d, keepdims=True)),
        ]
    ),
    *(
        Line(
            f"{kind} at",
            arrange.ReduceAt(places=np.array([2, 0, 2]), kind=kind),
            lambda x, y, ref=ref: ref(x, np.array([y[1], neutral(ref), ref(y[0], y[2])])[:, None]),
            (((3, 1), (3,)),),
        )
        for kind, ref in (("prod", np.multiply), ("amax", np.maximum), ("amin", np.minimum))
    ),
    Line("asinh", special.Asinh(), np.arcsinh),
    Line("acosh", special.Acosh(), np.arccosh, low=1.1, high=4),
    Line("atanh", special.Atanh(), np.arctanh, low=-0.9, high=0.9),
    Line("erfc", special.Erfc(), np.vectorize(math.erfc, otypes=[float])),
    Line("erfinv of erf", lambda x: special.Erfinv.apply(more.Erf.apply(x)), lambda x: x),
    Line("lgamma", special.Lgamma(), np.vectorize(math.lgamma, otypes=[float]), low=0.3, high=6),
    Line("lgamma below 0", special.Lgamma(), np.vectorize(math.lgamma, otypes=[float]), low=-1.8, high=-1.2),
    Line("digamma", special.Digamma(), np_digamma, low=0.3, high=6, tolerance=1e-7),
    Line("digamma below 0", special.Digamma(), np_digamma, low=-1.8, high=-1.2, tolerance=1e-7),
    Line(
        "polygamma", lambda x: special.Polygamma.apply(x, 1.0), np_trigamma, low=0.3, high=6, tolerance=1e-6
    ),
    Line("copysign", lambda x, y: special.Copysign.apply(x, y), np.copysign, BINARY, low=0.3),
    # Matrices, each well away from singular ones.
    *(
        Line(
            name,
            lambda x, fn=fn: fn(near_unit(x)),
            lambda x, ref=ref: ref(near_unit(x)),
            shapes,
            low=-0.4,
            high=0.4,
        )
        for shapes in [(((3, 3),), ((2, 3, 3),), ((1, 1),))]
        for name, fn, ref in [
            ("inverse", linalg.Inverse(), np.linalg.inv),
            ("det", linalg.Det(), np.linalg.det),
            ("log of det", linalg.LogAbsDet(), lambda x: np.linalg.slogdet(x)[1]),
            ("pinv", linalg.PseudoInverse(rcond=1e-15), np.linalg.pinv),
            (
                "cholesky",
                lambda x: linalg.Cholesky.apply(both_triangles(x)),
                lambda x: np.linalg.cholesky(both_triangles(x)),
            ),
            (
                "eigh",
                lambda x: linalg.Eigh.apply(both_triangles(x)),
                lambda x: np_flat(np.linalg.eigh(both_triangles(x))),
            ),
            ("svd", linalg.Svd(), lambda x: np_flat(np.linalg.svd(x))),
            ("qr", linalg.Qr(), lambda x: np_flat(np.linalg.qr(x))),
            ("matrix exp", linalg.MatrixExp(), np_exp),
        ]
    ),
    *(
        Line(f"{name}, {kind}", fn, ref, (shape,), low=0.1)
        for kind, shape in (("tall", ((4, 2),)), ("wide", ((2, 4),)))
        for name, fn, ref in [
            ("pinv", linalg.PseudoInverse(rcond=1e-15), np.linalg.pinv),
            ("svd", linalg.Svd(), lambda x: np_flat(np.linalg.svd(x, full_matrices=False))),
            ("qr", linalg.Qr(), lambda x: np_flat(np.linalg.qr(x))),
        ]
    ),
    Line(
        "solve",
        lambda x, y: linalg.Solve.apply(near_unit(x), y),
        lambda x, y: np.linalg.solve(near_unit(x), y),
        (((3, 3), (3, 2)), ((2, 3, 3), (1, 3, 2)), ((3, 3), (2, 3, 1))),
        low=-0.4,
        high=0.4,
    ),
    Line(
        "transposed convolution",
        arrange.ConvTranspose(size=(3, 4), params=ConvParams(stride=(2, 2), padding=(1, 1, 1, 1))),
        np_transposed_conv,
        (((2, 2, 2, 2), (2, 3, 3, 3)),),
    ),
    Line("ctc of log-softmax", ctc_losses, np_ctc, (((4, 2, 3),),)),
]


def operands(line: Line, shapes: tuple[Shape, ...]) -> list[Array]:
    """Draw the operands of a line; the same at each call."""
    draw = np.random.default_rng(11)
    return [draw.uniform(line.low, line.high, shape) for shape in shapes]


def in_layout(elements: Array, layout: str, backend: str, dtype: str = "float64") -> Tensor:
    """Make a leaf of ``elements`` that lies in storage packed, permuted, or with gaps and an offset."""
    if layout == "permuted":
        t = tensor(elements.T, backend, dtype=dtype).permute(*reversed(range(elements.ndim)))
    elif layout == "strided" and elements.ndim:
        wide = np.full((*elements.shape[:-1], 2 * elements.shape[-1] + 1), np.nan)
        wide[..., 1::2] = elements
        t = Tensor(tensor(wide, backend, dtype=dtype)._tensor.window((..., slice(1, None, 2))))
    else:
        t = tensor(elements, backend, dtype=dtype)
    return t.requires_grad_()


def compare(where: str, found: Array, expected: Array, tolerance: float) -> None:
    """Insist on the same shape and, relative to the largest number, the same values."""
    assert found.shape == expected.shape, f"{where}: shape {found.shape}, expected {expected.shape}"
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    assert np.allclose(found, expected, rtol=0, atol=tolerance * scale), (
        f"{where}: {found}, expected {expected}"
    )


def check_values(line: Line, backend: str, layout: str, dtype: str = "float64") -> None:
    """Compare with NumPy in float64, for all shapes."""
    for shapes in line.shapes:
        elements = [x.astype(dtype) for x in operands(line, shapes)]
        out = line.fn(*(in_layout(x, layout, backend, dtype) for x in elements))
        expected = line.ref(*(x.astype(np.float64) for x in elements))
        assert out.backend.ops.name == backend
        tolerance = line.tolerance if dtype == "float64" else max(line.tolerance, 1e-4)
        compare(f"{line.name} of {shapes}", out.to_numpy(), expected, tolerance)


def ways(elements: list[Array]) -> Iterator[list[Array]]:
    """Yield directions: one that moves every element of every operand, then each element of small operands alone."""
    draw = np.random.default_rng(12)
    yield [draw.standard_normal(x.shape) for x in elements]
    if sum(x.size for x in elements) <= 24:
        for k, x in enumerate(elements):
            for ind in np.ndindex(*x.shape):
                way = [np.zeros_like(y) for y in elements]
                way[k][ind] = 1.0
                yield way


def gradients(
    line: Line, backend: str, layout: str, shapes: tuple[Shape, ...], dtype: str = "float64"
) -> list[Array]:
    """Return the gradients of the operands, for a random derivative of the result."""
    leaves = [in_layout(x, layout, backend, dtype) for x in operands(line, shapes)]
    out = line.fn(*leaves)
    out.backward(tensor(np.random.default_rng(13).standard_normal(out.shape), backend, dtype=out.dtype))
    for leaf in leaves:
        assert leaf.grad is not None, f"{line.name}: an operand has no gradient"
        assert (leaf.grad.shape, leaf.grad.dtype, leaf.grad.backend) == (leaf.shape, leaf.dtype, leaf.backend)
    return [leaf.grad.to_numpy() for leaf in leaves]


def check_gradients(line: Line, backend: str, layout: str) -> None:
    """Compare u . (f(x + ev) - f(x - ev)) / 2e with backward(u) . v, for all shapes."""
    step = 1e-5
    for shapes in line.shapes:
        elements = operands(line, shapes)
        grads = gradients(line, backend, layout, shapes)

        def moved(way: list[Array], elements: list[Array] = elements) -> Array:
            return line.fn(*(in_layout(x + w, layout, backend) for x, w in zip(elements, way))).to_numpy()

        for way in ways(elements):
            change = moved([step * w for w in way]) - moved([-step * w for w in way])
            u = np.random.default_rng(13).standard_normal(change.shape)
            slope = float((u * change).sum()) / (2 * step)
            found = sum(float((g * w).sum()) for g, w in zip(grads, way))
            scale = sum(float(np.abs(g * w).sum()) for g, w in zip(grads, way))
            assert abs(found - slope) <= 1e-6 * scale + 1e-7, (
                f"{line.name} of {shapes}: backward gives {found}, differences give {slope}"
            )


def check_agreement(line: Line, backend: str, dtype: str) -> None:
    """Compare gradients with the reference backend's in float64, for all shapes."""
    for shapes in line.shapes:
        ours, reference = (
            gradients(line, backend, "packed", shapes, dtype),
            gradients(line, "simple", "packed", shapes),
        )
        for found, expected in zip(ours, reference):
            compare(
                f"gradient of {line.name} of {shapes}", found, expected, 1e-9 if dtype == "float64" else 1e-4
            )
