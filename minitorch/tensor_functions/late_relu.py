"""ReLU that joins the call before it, for code that calls layer and activation one after the other.

``conv2d(x, w, b).relu()`` records two calls, and their backward pass reads and writes all elements twice. Functions
with a setting ``activation`` compute both derivatives in one kernel. When a ReLU is applied to the result of such a
call, `late_relu` computes it, and records the result as that of one call with the setting "relu". The value in between
keeps its own history, so that nothing changes for whoever uses it too; `separate` takes the join back for those who ask
for its derivative. `minitorch.torch` computes its ReLU this way.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

from ..autodiff import Context, Function, History, Variable, grad_enabled
from ..runtime.versions import clock
from .elementwise import ReLU
from .fused import Affine, ConvActivation, ScaleShift
from .nn import Norm
from .shape import View

Saved = tuple[Any, ...]

# What a call would have saved with the activation "relu": of what it saved, and its result after the ReLU.
JOINS: dict[type[Function], Callable[[Saved, Any], Saved]] = {
    ConvActivation: lambda saved, y: (*saved[:2], y, "relu", saved[4]),
    Affine: lambda saved, y: (*saved[:2], y, "relu"),
    ScaleShift: lambda saved, y: (*saved[:2], y, "relu"),
    Norm: lambda saved, y: (*saved[:-1], "relu"),
}


def _nothing() -> None:
    return None


class JoinedHistory(History):
    """The history of a ReLU that joined the call before it.

    ``before()`` is that call's result; None where it was not computed or is gone.
    """

    __slots__ = ("before",)

    def __init__(self, made: History, before: Any = None) -> None:
        super().__init__(made.last_fn, made.ctx, made.inputs)
        self.before: Callable[[], Any] = _nothing if before is None else weakref.ref(before)


def late_relu(t: Any) -> Any:
    """Return ``max(t, 0)`` of a tensor; if it is the result of a call in `JOINS`, also seen through a view, join it."""
    h = t.history
    source = h.inputs[0] if h is not None and h.last_fn is View else t
    joined = _joined(source)
    if joined is None:
        return ReLU.apply(t)
    made = joined if source is t else View.apply(joined, shape=t.shape)
    made.history = JoinedHistory(made.history, t)
    return made


def _joined(t: Any) -> Any:
    h = t.history
    # A value that was changed in place since the call is no longer what it saved.
    if h is None or h.last_fn not in JOINS or h.ctx.time != clock.now or not grad_enabled():
        return None
    saved = h.ctx.saved_values
    if "none" not in [s for s in saved if isinstance(s, str)]:
        return None
    y = t._unwrap().f.relu_map(t._unwrap())
    ctx = Context(saved_values=JOINS[h.last_fn](saved, y))
    ctx.inputs = h.inputs
    return t._wrap(y, History(h.last_fn, ctx, h.inputs))


def separate(graph: Iterable[Variable], wanted: set[int]) -> bool:
    """Take joins back whose value in between is one of those with the ids ``wanted``; tell whether there were any."""
    found = False
    for v in graph:
        h = v.history
        before = h.before() if isinstance(h, JoinedHistory) else None
        if before is not None and id(before) in wanted:
            v.history = History(ReLU, Context(saved_values=(before._unwrap(),)), [before])
            found = True
    return found
