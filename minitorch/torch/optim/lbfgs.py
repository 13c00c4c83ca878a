"""L-BFGS (Liu and Nocedal, 1989), with the line search of strong Wolfe conditions (Nocedal and Wright, 2006)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..autograd import enable_grad, no_grad
from ..elementwise import add, mul, neg, sub
from ..joining import cat
from ..linalg import matmul
from ..shapes import reshape
from ..tensor import Tensor
from .optimizer import Optimizer

Evaluate = Callable[[float], tuple[float, Tensor]]


def _largest(x: Tensor) -> float:
    return float(x.abs().max().item()) if x.numel() else 0.0


def _cubic_minimum(
    a: tuple[float, float, float], b: tuple[float, float, float], bounds: tuple[float, float] | None = None
) -> float:
    """Return the minimum of the cubic through two points (place, value, slope), kept within bounds."""
    (x1, f1, g1), (x2, f2, g2) = a, b
    low, high = bounds if bounds is not None else (min(x1, x2), max(x1, x2))
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    root = d1 * d1 - g1 * g2
    if root < 0:
        return (low + high) / 2.0
    d2 = math.sqrt(root)
    if x1 <= x2:
        place = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    else:
        place = x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2))
    return min(max(place, low), high)


class _Point:
    """A place on the line: its value, gradient and slope."""

    def __init__(self, t: float, loss: float, grad: Tensor, slope: float) -> None:
        self.t, self.loss, self.grad, self.slope = t, loss, grad, slope

    def plain(self) -> tuple[float, float, float]:
        """Return what the interpolation needs."""
        return self.t, self.loss, self.slope


def strong_wolfe(
    evaluate: Evaluate, t: float, d: Tensor, start: _Point, tolerance_change: float, c1: float = 1e-4, c2: float = 0.9,
    max_ls: int = 25,
) -> tuple[float, Tensor, float, int]:  # fmt: skip
    """Find a step where the loss fell enough and the slope is small; return loss, gradient, step, evaluations."""
    length = _largest(d)

    def at(place: float) -> _Point:
        loss, grad = evaluate(place)
        return _Point(place, loss, grad, float(matmul(grad, d).item()))

    count, new = 1, at(t)
    before, done, tries = start, False, 0
    bracket = [start]
    while tries < max_ls:
        if new.loss > start.loss + c1 * new.t * start.slope or (tries > 1 and new.loss >= before.loss):
            bracket = [before, new]
            break
        if abs(new.slope) <= -c2 * start.slope:
            bracket, done = [new], True
            break
        if new.slope >= 0:
            bracket = [before, new]
            break
        low, high = new.t + 0.01 * (new.t - before.t), new.t * 10
        place = _cubic_minimum(before.plain(), new.plain(), (low, high))
        before = new
        new = at(place)
        count += 1
        tries += 1
    else:
        bracket = [start, new]
    stalled = False
    while not done and tries < max_ls and len(bracket) == 2:
        small, big = sorted(p.t for p in bracket)
        if (big - small) * length < tolerance_change:
            break
        low_point, high_point = bracket if bracket[0].loss <= bracket[1].loss else bracket[::-1]
        place = _cubic_minimum(bracket[0].plain(), bracket[1].plain())
        edge = 0.1 * (big - small)
        if min(big - place, place - small) < edge:
            if stalled or place >= big or place <= small:
                place = big - edge if abs(place - big) < abs(place - small) else small + edge
                stalled = False
            else:
                stalled = True
        else:
            stalled = False
        new = at(place)
        count += 1
        tries += 1
        position = bracket.index(high_point)
        if new.loss > start.loss + c1 * new.t * start.slope or new.loss >= low_point.loss:
            bracket[position] = new
        else:
            if abs(new.slope) <= -c2 * start.slope:
                done = True
            elif new.slope * (high_point.t - low_point.t) >= 0:
                bracket[position] = low_point
            bracket[1 - position] = new
    best = min(bracket, key=lambda p: p.loss)
    return best.loss, best.grad, best.t, count


class LBFGS(Optimizer):
    """L-BFGS: ``step`` takes a closure, which computes the loss anew and is called several times.

    Args:
        params: Parameters, in one group.
        lr: Step size, by default 1.
        max_iter: Iterations of one step, by default 20.
        max_eval: Evaluations of one step, by default 1.25 times as many.
        tolerance_grad: A gradient whose elements are at most this ends the step, by default 1e-7.
        tolerance_change: A change of loss or parameters below this ends it, by default 1e-9.
        history_size: How many updates are kept, by default 100.
        line_search_fn: "strong_wolfe", or None (default) for steps of fixed size.
    """

    def __init__(
        self, params: Any, lr: Any = 1, max_iter: int = 20, max_eval: int | None = None, tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9, history_size: int = 100, line_search_fn: str | None = None,
    ) -> None:  # fmt: skip
        if not float(lr) >= 0:
            raise ValueError(f"Invalid learning rate: {lr}")
        settings = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
        }
        settings = {**settings, "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change}
        super().__init__(params, {**settings, "history_size": history_size, "line_search_fn": line_search_fn})
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params: list[Tensor] = self.param_groups[0]["params"]

    def _flat_gradient(self) -> Tensor:
        parts = [p.grad if p.grad is not None else p.detach() * 0 for p in self._params]
        return cat([reshape(g, -1) for g in parts])

    def _move(self, start: list[Tensor], t: float, d: Tensor) -> None:
        place = 0
        for p, before in zip(self._params, start):
            p.copy_(add(before, mul(reshape(d[place : place + p.numel()], *p.shape), t)))
            place += p.numel()

    def _direction(self, state: dict[str, Any], grad: Tensor, history: int) -> Tensor:
        """Return the direction of the two-loop recursion."""
        if state["n_iter"] == 1:
            state["old_dirs"], state["old_stps"], state["ro"], state["H_diag"] = [], [], [], 1
            return neg(grad)
        y, s = sub(grad, state["prev_flat_grad"]), mul(state["d"], state["t"])
        ys = float(matmul(y, s).item())
        dirs, steps, ro = state["old_dirs"], state["old_stps"], state["ro"]
        if ys > 1e-10:
            if len(dirs) == history:
                for kept in (dirs, steps, ro):
                    kept.pop(0)
            dirs.append(y)
            steps.append(s)
            ro.append(1.0 / ys)
            state["H_diag"] = ys / float(matmul(y, y).item())
        q, factors = neg(grad), state.setdefault("al", [None] * history)
        for k in reversed(range(len(dirs))):
            factors[k] = float(matmul(steps[k], q).item()) * ro[k]
            q = sub(q, mul(dirs[k], factors[k]))
        r = mul(q, state["H_diag"])
        for k in range(len(dirs)):
            be = float(matmul(dirs[k], r).item()) * ro[k]
            r = add(r, mul(steps[k], factors[k] - be))
        return r

    @no_grad()  # type: ignore[untyped-decorator]
    def step(self, closure: Callable[[], Any]) -> Any:
        """Do up to ``max_iter`` iterations.

        Args:
            closure: Clears the gradients, computes the loss, calls ``backward`` and returns the loss.

        Returns:
            The loss at the start.
        """
        group = self.param_groups[0]
        lr, change = float(group["lr"]), group["tolerance_change"]
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        def measured() -> Any:
            with enable_grad():
                return closure()

        first = measured()
        loss, evals, iterations = float(first), 1, 0
        state["func_evals"] += 1
        grad = self._flat_gradient()
        if _largest(grad) <= group["tolerance_grad"]:
            return first
        while iterations < group["max_iter"]:
            iterations += 1
            state["n_iter"] += 1
            d = self._direction(state, grad, group["history_size"])
            state["prev_flat_grad"], before = grad.clone(), loss
            t = min(1.0, 1.0 / float(grad.abs().sum().item())) * lr if state["n_iter"] == 1 else lr
            state["d"], state["t"], state["prev_loss"] = d, t, loss
            slope = float(matmul(grad, d).item())
            if slope > -change:
                break
            start, count = [p.detach().clone() for p in self._params], 0
            if group["line_search_fn"] is not None:
                if group["line_search_fn"] != "strong_wolfe":
                    raise RuntimeError("only 'strong_wolfe' is supported")

                def evaluate(
                    place: float, start: list[Tensor] = start, d: Tensor = d
                ) -> tuple[float, Tensor]:
                    self._move(start, place, d)
                    value = float(measured())
                    return value, self._flat_gradient()

                here = _Point(0.0, loss, grad, slope)
                loss, grad, t, count = strong_wolfe(evaluate, t, d, here, change)
                self._move(start, t, d)
                state["t"] = t
            else:
                self._move(start, t, d)
                if iterations != group["max_iter"]:
                    loss, count = float(measured()), 1
                    grad = self._flat_gradient()
            evals += count
            state["func_evals"] += count
            flat = _largest(grad) <= group["tolerance_grad"]
            still = _largest(mul(d, t)) <= change or abs(loss - before) < change
            if iterations == group["max_iter"] or evals >= group["max_eval"] or flat or still:
                break
        return first
