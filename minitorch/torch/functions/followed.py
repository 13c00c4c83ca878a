"""Calls of layers that a ReLU may follow: it is computed with them where it followed them before.

What followed is kept beside the weight. See `minitorch.tensor_functions.expected_relu`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autodiff import Function, grad_enabled
from ...tensor_functions.expected_relu import ExpectedRelu, Follower, may_expect
from ...tensor_functions.shape import View
from ..tensor import Tensor, wrap

_NOTHING: dict[str, Any] = {}


def followed(
    weight: Tensor,
    op: str,
    fn: type[Function],
    operands: Sequence[Any],
    settings: dict[str, Any],
    once: dict[str, Any] = _NOTHING,
    shape: Sequence[int] | None = None,
) -> Tensor:
    """Return the result of ``fn`` on Tensors of the core.

    Args:
        weight: Of the layer.
        op: What ``grad_fn`` is called.
        fn: One of `minitorch.tensor_functions.late_relu.JOINS`.
        operands: Its operands.
        settings: Its settings, without ``activation``.
        once: Settings that count only where the call is made for the first time.
        shape: The shape under which the result is viewed; None means its own.
    """
    follower = weight._follower
    if follower is None:
        follower = weight._follower = Follower()
    if follower.relu and may_expect(follower, operands):
        made = Tensor.__new__(Tensor)
        made._expected = ExpectedRelu(follower, fn, operands, settings, once, shape)
        made._op = op
        return made
    value = fn.apply(*operands, activation="none", **settings, **once)
    made = wrap(value if shape is None else View.apply(value, shape=shape), op=op)
    if follower.relu is None:
        made._awaits = follower
    return made


def after_relu(input: Tensor, in_place: bool = False) -> Any:
    """Return the Tensor of the core that a call computed with the ReLU after it; None if there is none.

    A ReLU that was not expected is noted: it is expected next time. One ``in_place`` keeps the history that the call
    has, also where nothing is recorded now.
    """
    expected = input._expected
    if expected is not None:
        return None if in_place and expected.tracked and not grad_enabled() else expected.take()
    follower = input._awaits
    if follower is not None and follower.relu is None:
        follower.relu = True
    return None
