"""Composite operations: a meaning written with required kernels, and one dispatcher to a backend's fused kernels.

It depends on `operators`, `tensor_data`, `activations` and `expression`; `base.TensorOps` inherits it.

Each method of `CompositeOps` is the specification of its operation. A backend that has a faster kernel puts it into
its table `fused`; all other backends, and the reference backend, run the specification. The dispatcher is the same for
all: it checks shapes and backends, allocates the results, and calls the kernel. Operands of mixed dtypes and empty
operands always run the specification. ``MINITORCH_FUSE=0`` in the environment turns all fused kernels off.
"""

from __future__ import annotations

import functools
import inspect
import math
import os
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import operators
from ..runtime import philox
from ..runtime.types import ConvParams, Fn, Shape
from ..tensor_data import IndexingError, TensorData, normal_dim, shape_broadcast
from .activations import ACTIVATIONS
from .conv import conv_shape
from .expression import Expression, Place

MEANINGS: dict[str, Fn] = {}  # the specification of each composite operation, by name


class Fused(NamedTuple):
    """A backend's kernel for a composite operation.

    Attributes:
        kernel: Called with the allocated results, then the operands and settings of the operation. All tensors have
            one dtype and at least one element. A result that nobody asked for is None.
        suits: Of the operands and settings: whether the kernel serves them. None: always.
    """

    kernel: Fn
    suits: Callable[..., bool] | None = None


def fusing() -> bool:
    """Return whether backends may use their fused kernels."""
    return os.environ.get("MINITORCH_FUSE", "1") != "0"


def composite(shapes: Callable[..., tuple[Shape | None, ...]]) -> Callable[[Fn], Any]:
    """Make a class method with dispatch out of the specification of an operation.

    Args:
        shapes: Of the operands and settings: the shapes of the results, None for one that nobody asked for. It raises
            IndexingError where the operands do not fit together.
    """

    def decorate(meaning: Fn) -> Any:
        name = meaning.__name__
        kinds = [p.annotation == "TensorData" for p in inspect.signature(meaning).parameters.values()][1:]
        # Where the tensors are among the arguments: one after the other, as are settings before and after them.
        variadic = inspect.getfullargspec(meaning).varargs is not None
        operands = slice(kinds.index(True), None if variadic else kinds.index(True) + sum(kinds))

        @functools.wraps(meaning)
        def specification(cls: Any, *args: Any) -> Any:
            shapes(*args)
            return meaning(cls, *args)

        MEANINGS[name] = specification

        @functools.wraps(meaning)
        def dispatch(cls: Any, *args: Any) -> Any:
            wanted = shapes(*args)
            first, *others = args[operands]
            backend, dtype = first.backend, first.dtype
            plain = first.size > 0  # one dtype, and nothing is empty
            for t in others:
                if t.backend is not backend:
                    cls.require_same_backend(first, t)
                if not t.size or (t.dtype is not dtype and t.dtype != dtype):
                    plain = False
            fused = cls.fused.get(name)
            if fused is None or not plain or (fused.suits and not fused.suits(*args)):
                return meaning(cls, *args)
            if len(wanted) == 1:
                result = cls.allocate(wanted[0], dtype, backend)
                fused.kernel(result, *args)
                return result
            results = [None if s is None else cls.allocate(s, dtype, backend) for s in wanted]
            fused.kernel(*results, *args)
            return tuple([0.0 if r is None else r for r in results])

        return classmethod(dispatch)

    return decorate


@functools.lru_cache(typed=True)
def dropout_scale(rate: float, scale: bool, dtype: np.dtype[Any]) -> Any:
    """Return the factor of the elements that `CompositeOps.dropout` keeps, a number of ``dtype``."""
    factor = np.ones(1, dtype)
    if scale and rate < 1:
        factor /= 1 - rate
    return factor[0]


# Shapes of results; each function takes what the operation takes.


def _elementwise_shapes(expression: Expression, *operands: TensorData) -> tuple[Shape]:
    shape = operands[0].shape
    for t in operands[1:]:
        shape = shape_broadcast(shape, t.shape)
    return (shape,)


def _conv_shapes(
    x: TensorData, w: TensorData, b: TensorData, activation: str, params: ConvParams
) -> tuple[Shape]:
    _require("conv2d", "bias", b.shape, w.shape[:1])
    return (conv_shape(x.shape, w.shape, params),)


def _conv_grad_shapes(
    x: TensorData, w: TensorData, y: TensorData, d: TensorData,
    activation: str, wanted: tuple[bool, bool], params: ConvParams,
) -> tuple[Shape | None, ...]:  # fmt: skip
    _require("gradient of conv2d", "output gradient", d.shape, y.shape)
    _require("gradient of conv2d", "result", y.shape, conv_shape(x.shape, w.shape, params))
    return x.shape if wanted[0] else None, w.shape if wanted[1] else None, w.shape[:1]


def _linear_shapes(x: TensorData, w: TensorData, b: TensorData, activation: str) -> tuple[Shape]:
    if x.dims != 2 or w.dims != 2 or x.shape[1] != w.shape[1]:
        raise IndexingError(f"linear: expected input (N, K) and weight (M, K), got {x.shape} and {w.shape}")
    _require("linear", "bias", b.shape, w.shape[:1])
    return ((x.shape[0], w.shape[0]),)


def _activation_grad_shapes(y: TensorData, d: TensorData, activation: str) -> tuple[Shape, Shape]:
    _require("gradient of an activation", "output gradient", d.shape, y.shape)
    if y.dims < 2:
        raise IndexingError(f"gradient of an activation: expected a result (A, C, ...), got {y.shape}")
    return y.shape, y.shape[1:2]


def _softmax_shapes(x: TensorData, dim: int) -> tuple[Shape]:
    normal_dim(dim, x.dims, x.shape)
    return (x.shape,)


def _softmax_grad_shapes(y: TensorData, d: TensorData, dim: int) -> tuple[Shape]:
    _require("gradient of log_softmax", "output gradient", d.shape, y.shape)
    return (y.shape,)


def _channels(op: str, x: TensorData, **channels: TensorData) -> Shape:
    """Check that each of ``channels`` has shape (1, C, 1) for ``x`` (A, C, L), and return that shape."""
    if x.dims != 3:
        raise IndexingError(f"{op}: expected (A, C, L), got {x.shape}")
    shape = (1, x.shape[1], 1)
    for name, t in channels.items():
        _require(op, name, t.shape, shape)
    return shape


def _norm_shapes(
    x: TensorData, w: TensorData, b: TensorData, eps: float, activation: str
) -> tuple[Shape, ...]:
    channels = _channels("norm", x, weight=w, bias=b)
    return x.shape, channels, channels


def _norm_grad_shapes(
    x: TensorData, w: TensorData, b: TensorData, d: TensorData,
    mean: TensorData, var: TensorData, eps: float, activation: str,
) -> tuple[Shape, ...]:  # fmt: skip
    channels = _channels("gradient of norm", x, weight=w, bias=b, mean=mean, variance=var)
    _require("gradient of norm", "output gradient", d.shape, x.shape)
    return x.shape, channels, channels


def _scale_shift_shapes(x: TensorData, w: TensorData, b: TensorData, activation: str) -> tuple[Shape]:
    _channels("scale_shift", x, weight=w, bias=b)
    return (x.shape,)


def _cross_entropy_shapes(x: TensorData, target: TensorData) -> tuple[Shape, Shape]:
    if x.dims != 2:
        raise IndexingError(f"cross_entropy: expected scores (N, C), got {x.shape}")
    _require("cross_entropy", "target", target.shape, x.shape)
    return (x.shape[0], 1), x.shape


def _label_entropy_shapes(x: TensorData, labels: npt.NDArray[np.int64]) -> tuple[Shape, Shape]:
    if x.dims != 2:
        raise IndexingError(f"cross_entropy: expected scores (N, C), got {x.shape}")
    _require("cross_entropy", "class numbers", labels.shape, x.shape[:1])
    return (x.shape[0], 1), x.shape


def _dropout_shapes(x: TensorData, key: Callable[[], int], rate: float, scale: bool) -> tuple[Shape, Shape]:
    return x.shape, x.shape


def _require(op: str, what: str, got: Shape, expected: Shape) -> None:
    if got != expected:
        raise IndexingError(f"{op}: expected {what} of shape {expected}, got {got}")


def _value(values: list[TensorData], place: Place) -> TensorData:
    """Return an earlier result, or a number as a tensor of one element."""
    return values[place] if isinstance(place, int) else values[0].filled(place, ())


def _per_channel(x: TensorData) -> TensorData:
    """Sum (A, C, L) to (1, C, 1)."""
    return x.sum(2).sum(0)


class CompositeOps:
    """The specification of each composite operation; `TensorOps` inherits it.

    ``activation`` is a name of `activations.ACTIVATIONS`.

    Attributes:
        fused: The backend's own kernels, by the name of the operation.
    """

    fused: ClassVar[Mapping[str, Fused]] = {}

    @composite(_elementwise_shapes)
    def elementwise(cls, expression: Expression, *operands: TensorData) -> TensorData:
        """Evaluate an expression element by element; operands broadcast."""
        f, values = operands[0].f, list(operands)
        for node in expression.nodes:
            given = [_value(values, place) for place in node.operands]
            values.append((f.map if len(given) == 1 else f.zip)(node.fn)(*given))
        (shape,) = _elementwise_shapes(expression, *operands)
        result = _value(values, expression.result)
        return result if result.shape == shape else result + operands[0].zeros(shape)

    @composite(_conv_shapes)
    def conv_activation(
        cls, x: TensorData, w: TensorData, b: TensorData, activation: str, params: ConvParams
    ) -> TensorData:
        """Convolve ``x`` (N, C, H, W) with ``w``, add the bias ``b`` (O,) of each channel, and activate."""
        f = x.f
        return f.map(ACTIVATIONS[activation][0])(f.conv(x, w, params) + b.contiguous().view(1, b.size, 1, 1))

    @composite(_conv_grad_shapes)
    def conv_activation_grad(
        cls, x: TensorData, w: TensorData, y: TensorData, d: TensorData,
        activation: str, wanted: tuple[bool, bool], params: ConvParams,
    ) -> tuple[Any, Any, TensorData]:  # fmt: skip
        """Return the gradients of `conv_activation` with respect to ``x``, ``w`` and ``b``.

        ``y`` is its result and ``d`` the output gradient. ``wanted`` says which of the first two are needed; the
        others are 0.0.
        """
        d, db = x.f.activation_grad(y, d, activation)
        dx = x.f.conv_grad_input(d, w, x.shape, params) if wanted[0] else 0.0
        return dx, x.f.conv_grad_weight(x, d, w.shape, params) if wanted[1] else 0.0, db

    @composite(_linear_shapes)
    def linear(cls, x: TensorData, w: TensorData, b: TensorData, activation: str) -> TensorData:
        """Return ``x @ w.T + b``, activated, for ``x`` (N, K), ``w`` (M, K) and ``b`` (M,)."""
        f = x.f
        return f.map(ACTIVATIONS[activation][0])(f.matrix_multiply(x, w.permute(1, 0)) + b)

    @composite(_activation_grad_shapes)
    def activation_grad(cls, y: TensorData, d: TensorData, activation: str) -> tuple[TensorData, TensorData]:
        """Return the gradient before an activation, and its sum over each channel: the gradient of a bias.

        ``y`` (A, C, ...) is what the activation returned, ``d`` the output gradient. The sums have shape (C,).
        """
        before = d.contiguous() if activation == "none" else y.f.zip(ACTIVATIONS[activation][1])(y, d)
        channels = before.view(*y.shape[:2], math.prod(y.shape[2:]))
        return before, _per_channel(channels).view(y.shape[1])

    @composite(_softmax_shapes)
    def log_softmax(cls, x: TensorData, dim: int) -> TensorData:
        """Return ``x - ln(sum(e ** x))`` along ``dim``, shifted by the maximum so that nothing overflows."""
        f = x.f
        shifted = x - f.max_reduce(x, dim)
        return shifted - f.map(operators.ln)(f.exp_map(shifted).sum(dim))

    @composite(_softmax_grad_shapes)
    def log_softmax_grad(cls, y: TensorData, d: TensorData, dim: int) -> TensorData:
        """Return the gradient of `log_softmax`, whose result was ``y``: ``d - softmax * sum(d)``."""
        return d - y.f.exp_map(y) * d.sum(dim)

    @composite(_norm_shapes)
    def norm(
        cls, x: TensorData, w: TensorData, b: TensorData, eps: float, activation: str
    ) -> tuple[TensorData, TensorData, TensorData]:
        """Normalise each channel of ``x`` (A, C, L) over A and L, times ``w`` plus ``b``, both (1, C, 1); activate.

        Returns:
            The result, and mean and biased variance of each channel, (1, C, 1).
        """
        count = float(x.shape[0] * x.shape[2])
        mean = _per_channel(x) / count
        centred = x - mean
        var = _per_channel(centred * centred) / count
        root = x.f.map(operators.sqrt)(var + eps)
        return x.f.map(ACTIVATIONS[activation][0])(centred / root * w + b), mean, var

    @composite(_norm_grad_shapes)
    def norm_grad(
        cls, x: TensorData, w: TensorData, b: TensorData, d: TensorData,
        mean: TensorData, var: TensorData, eps: float, activation: str,
    ) -> tuple[TensorData, TensorData, TensorData]:  # fmt: skip
        """Return the gradients of `norm` with respect to ``x``, ``w`` and ``b``."""
        count = float(x.shape[0] * x.shape[2])
        root = x.f.map(operators.sqrt)(var + eps)
        normed = (x - mean) / root
        d = x.f.zip(ACTIVATIONS[activation][1])(normed * w + b, d)
        db, dw = _per_channel(d), _per_channel(d * normed)
        return (d - db / count - normed * (dw / count)) * (w / root), dw, db

    @composite(_scale_shift_shapes)
    def scale_shift(cls, x: TensorData, w: TensorData, b: TensorData, activation: str) -> TensorData:
        """Return ``x * w + b``, activated, for ``x`` (A, C, L), ``w`` and ``b`` (1, C, 1)."""
        return x.f.map(ACTIVATIONS[activation][0])(x * w + b)

    @composite(_cross_entropy_shapes)
    def cross_entropy(cls, x: TensorData, target: TensorData) -> tuple[TensorData, TensorData]:
        """Return minus the sum of target times log-softmax for each row of scores (N, C), and its gradient.

        Targets of 0 hide scores, even infinite or nan ones; a row of them has loss and gradient 0.

        Returns:
            The losses (N, 1), and their gradient with respect to the scores (N, C).
        """
        f = x.f
        shifted = x - f.max_reduce(x, 1)
        e = f.exp_map(shifted)
        total = e.sum(1)
        losses = -f.zip(operators.weigh)(shifted - f.map(operators.ln)(total), target).sum(1)
        return losses, f.zip(operators.weigh)(e / total, target.sum(1)) - target

    @composite(_label_entropy_shapes)
    def label_entropy(cls, x: TensorData, labels: npt.NDArray[np.int64]) -> tuple[TensorData, TensorData]:
        """Do what `cross_entropy` does for one class number a row, -1 for none."""
        target, known = np.zeros(x.shape, x.dtype), np.flatnonzero(labels >= 0)
        target[known, labels[known]] = 1
        return x.f.cross_entropy(x, x.f.from_array(target))

    @composite(_dropout_shapes)
    def dropout(
        cls, x: TensorData, key: Callable[[], int], rate: float, scale: bool
    ) -> tuple[TensorData, TensorData]:
        """Set each element to 0 with probability ``rate``, and divide the others by ``1 - rate`` if ``scale``.

        Args:
            x: The elements.
            key: Draws a key; called once, whatever the size. The key and an element's number decide its fate.
            rate: Between 0 and 1.
            scale: Whether to divide; nothing is divided by 0.

        Returns:
            The result, and the factor of each element.
        """

        def draw() -> npt.NDArray[Any]:
            drawn = philox.generator(key()).uniform(size=x.shape)
            return (drawn >= rate).astype(x.dtype) * dropout_scale(rate, scale, x.dtype)

        mask = x.f.replay_input(draw, x.shape)
        return x * mask, mask
