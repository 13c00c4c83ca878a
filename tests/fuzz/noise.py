"""How far rounding may change the results of a program: the reference backend with noise on its sums and results.

A backend may add in another order, so its numbers differ from the reference's by rounding, and later steps enlarge the
difference where numbers cancel. `NoisyOps` changes what each kernel reads or gives by a tiny random part; how much the
results of a whole program move is the measure for what is equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import SimpleOps, TensorBackend, operators
from minitorch.tensor_data import TensorData

NOISE = {"float64": 1e-12, "float32": 2e-6}
EXACT = {
    operators.id,
    operators.neg,
    operators.relu,
    operators.abs,
}

COMPARISONS = {operators.lt, operators.eq, operators.is_close}
SAME = 4  # how many times the noise two numbers may differ that another rounding could make equal

# Numbers cancel inside of these functions: the noise of a result is in proportion to the operands.
CANCELS = {
    operators.gelu, operators.gelu_back, operators.gelu_tanh, operators.gelu_tanh_back, operators.tanh_back,
    operators.sigmoid_back, operators.bce, operators.bce_slope, operators.bce_logits, operators.bce_logits_slope,
    operators.log, operators.ln,
}  # fmt: skip


class NoisyOps(SimpleOps):
    """The reference backend with noise."""

    name = "noisy"
    rng = np.random.default_rng(0)

    @classmethod
    def _moved(cls, array: Any) -> Any:
        part = NOISE[array.dtype.name] * cls.rng.uniform(-1, 1, array.shape)
        with np.errstate(all="ignore"):
            return (array * (1 + part)).astype(array.dtype)

    @classmethod
    def _noisy(cls, t: TensorData) -> TensorData:
        return TensorData(cls._moved(t.to_numpy()).reshape(-1), t.shape, None, t.backend)

    @classmethod
    def _after(cls, kernel: Any, fn: Any) -> Any:
        def run(out: TensorData, *operands: TensorData) -> None:
            kernel(out, *operands)
            view = out.numpy_view()
            view[...] = cls._moved(view)
            if fn in CANCELS:
                with np.errstate(all="ignore"):
                    for t in operands:
                        view += cls._moved(t.to_numpy()) - t.to_numpy()

        return run

    @classmethod
    def _before(cls, kernel: Any) -> Any:
        def run(out: TensorData, *operands: Any) -> None:
            kernel(out, *[cls._noisy(t) if isinstance(t, TensorData) else t for t in operands])

        return run

    @classmethod
    def map_kernel(cls, fn: Any) -> Any:
        kernel = super().map_kernel(fn)
        return kernel if fn in EXACT else cls._after(kernel, fn)

    @classmethod
    def zip_kernel(cls, fn: Any) -> Any:
        kernel = super().zip_kernel(fn)
        if fn in COMPARISONS:
            return cls._open_where_close(kernel)
        return kernel if fn in EXACT else cls._after(kernel, fn)

    @classmethod
    def _open_where_close(cls, kernel: Any) -> Any:
        """Say that any result of a comparison is right where rounding alone may make two numbers equal."""

        def run(out: TensorData, a: TensorData, b: TensorData) -> None:
            kernel(out, a, b)
            x, y, view = a.to_numpy(), b.to_numpy(), out.numpy_view()
            with np.errstate(all="ignore"):
                near = np.abs(x - y) <= SAME * NOISE[out.dtype.name] * np.maximum(np.abs(x), np.abs(y))
            view[(x != y) & near] = np.nan

        return run

    @classmethod
    def norm_grad(cls, x: TensorData, w: TensorData, b: TensorData, d: TensorData, *rest: Any) -> Any:
        """Say that any gradient of a norm is right where its variance overflows."""
        dx, dw, db = super().norm_grad(x, w, b, d, *rest)
        dx.numpy_view()[:, ~np.isfinite(rest[1].to_numpy().reshape(-1))] = np.nan
        return dx, dw, db

    @classmethod
    def reduce_kernel(cls, fn: Any, start: float) -> Any:
        kernel = super().reduce_kernel(fn, start)
        return cls._before(kernel) if fn in (operators.add, operators.mul) else kernel

    @classmethod
    def matmul_kernel(cls, out: TensorData, a: TensorData, b: TensorData) -> None:
        cls._before(super().matmul_kernel)(out, a, b)
        # Where a part of the sum may overflow, its order decides whether it does.
        finite = [np.where(np.isfinite(t), np.abs(t), 0) for t in (a.to_numpy(), b.to_numpy())]
        with np.errstate(all="ignore"):
            view = out.numpy_view()
            view[np.isinf(np.matmul(*finite))] = np.nan

    @classmethod
    def update_kernel(cls, rule: Any) -> Any:
        kernel = super().update_kernel(rule)

        def update(settings: Any, rows: Any) -> None:
            before = [row[0].to_numpy() for row in rows]
            kernel(settings, rows)
            for old, (p, *_) in zip(before, rows):
                with np.errstate(all="ignore"):
                    p._storage[:] = (p.to_numpy() + (cls._moved(old) - old)).reshape(-1)

        return update

    @classmethod
    def conv_kernel(cls, out: Any, x: Any, w: Any, params: Any) -> None:
        cls._before(super().conv_kernel)(out, x, w, params)
        cls._leave_open(out, w)

    @classmethod
    def conv_grad_input_kernel(cls, out: Any, d: Any, w: Any, params: Any) -> None:
        cls._before(super().conv_grad_input_kernel)(out, d, w, params)
        cls._leave_open(out, w)

    @classmethod
    def _leave_open(cls, out: TensorData, w: TensorData) -> None:
        """Say that any result is right where a weight is not finite: the zeros of a margin may count or not."""
        if not np.isfinite(w.to_numpy()).all():
            out._storage[:] = np.nan

    @classmethod
    def conv_grad_weight_kernel(cls, out: Any, x: Any, d: Any, params: Any) -> None:
        cls._before(super().conv_grad_weight_kernel)(out, x, d, params)

    @classmethod
    def pool_kernel(cls, out: Any, x: Any, params: Any) -> None:
        (cls._before(super().pool_kernel) if params.kind == "avg" else super().pool_kernel)(out, x, params)

    @classmethod
    def pool_grad_kernel(cls, out: Any, x: Any, d: Any, params: Any) -> None:
        super().pool_grad_kernel(out, x, cls._noisy(d), params)


NoisyBackend = TensorBackend(NoisyOps)
