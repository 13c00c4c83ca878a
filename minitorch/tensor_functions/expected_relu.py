"""A call computed with the ReLU that is expected after it, because one came last time.

Code in PyTorch's style calls a layer and then ``relu``. One kernel computes both and writes the result once, but the
layer has to know what follows. `Follower` keeps what followed its last call. Where this was a ReLU, `ExpectedRelu`
computes layer and ReLU in one call, and hands the result out when the ReLU comes. If something else comes, the call is
computed again without the ReLU, and no ReLU is expected any more: a wrong guess costs one call. The operands are then
those of the first time: `Reader` computes before they are changed in place, and memory that others may write to
(`is_exposed`) is left out.

The other way would be to compute nothing before it is known what follows. Then errors would come late, and every result
that is kept would depend on operands that may change; here only a wrong guess does. `minitorch.torch` calls its layers
this way; `late_relu` computes the ReLU that was not expected.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autodiff import Context, Function, History
from ..runtime.exposure import is_exposed
from ..runtime.grad_mode import mode
from ..runtime.versions import Reader, add_reader
from .late_relu import JoinedHistory
from .shape import View


class Follower:
    """Whether a ReLU follows the calls of a layer: None before it is known."""

    __slots__ = ("relu",)

    def __init__(self) -> None:
        self.relu: bool | None = None


class ExpectedRelu(Reader):
    """The result of ``fn`` (one of `late_relu.JOINS`) and of a ReLU after it, until it is known what follows.

    Args:
        follower: What is told if no ReLU follows.
        fn: The Function.
        operands: Its operands, Variables of one kind.
        settings: Its settings, without ``activation``.
        once: Settings of the first call only, such as the observer of a norm.
        shape: The shape under which the result is viewed; None means its own.
    """

    __slots__ = ("_fn", "_follower", "_history", "_operands", "_raw", "_results", "_settings", "_shape")

    def __init__(
        self,
        follower: Follower,
        fn: type[Function],
        operands: Sequence[Any],
        settings: dict[str, Any],
        once: dict[str, Any],
        shape: Sequence[int] | None,
    ) -> None:
        self._follower, self._fn, self._operands = follower, fn, operands
        self._settings, self._shape = settings, shape
        self._raw = [v._unwrap() for v in operands]
        made = fn.apply(*operands, activation="relu", **settings, **once)
        if shape is not None:
            made = View.apply(made, shape=shape)
        if made.history is not None:
            made.history = JoinedHistory(made.history)
        self._history = made.history
        self._results = {"relu": made}  # single operations on it are safe in several threads
        add_reader(self)

    @property
    def tracked(self) -> bool:
        """Whether the call was recorded."""
        return self._history is not None

    def take(self) -> Any:
        """Return the result after the ReLU, the first time; None later."""
        made = self._results.pop("relu", None)
        return made.detach() if made is not None and made.history is not None and not mode.enabled else made

    def separate(self) -> Any:
        """Return the result before the ReLU."""
        known = self._results.get("none")
        if known is not None:
            return known
        self._follower.relu = False
        before = self._record(self._fn, self._operands, self._raw, activation="none", **self._settings)
        if self._shape is not None:
            before = self._record(View, [before], [before._unwrap()], shape=self._shape)
        before = self._results.setdefault("none", before)
        if self._history is not None:
            self._history.before = weakref.ref(before)
        return before

    def _record(self, fn: type[Function], inputs: Sequence[Any], raw: Sequence[Any], **settings: Any) -> Any:
        """Call a Function as at the time of the first call, whatever the mode is now."""
        ctx = Context(self._history is None)
        if self._history is None:
            return inputs[0]._wrap(fn.forward(ctx, *raw, **settings), None)
        ctx.inputs = inputs
        return inputs[0]._wrap(fn.forward(ctx, *raw, **settings), History(fn, ctx, inputs))

    def reads(self, storage: Any) -> bool:
        """Tell whether an operand uses the memory of ``storage``."""
        if not isinstance(storage, np.ndarray):
            return True
        return any(np.may_share_memory(storage, r._storage) for r in self._raw)

    def read(self) -> None:
        """Compute the result before the ReLU now."""
        self.separate()


def may_expect(follower: Follower, operands: Sequence[Any]) -> bool:
    """Tell whether a ReLU is expected after a call, and nobody can change the operands unnoticed."""
    return bool(follower.relu) and not any(is_exposed(v._unwrap()._storage) for v in operands)
