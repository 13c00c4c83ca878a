"""Compiles what a training needs before it begins, in several processes; see `fast_ops.steps.ahead`.

Depends on the Numba backend, and on the loop's way of taking a step.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from ..autodiff import no_grad
from ..fast_ops import jit
from ..fast_ops.steps import ahead
from ..module import Module
from ..runtime import capture
from ..tensor import Tensor


class _Undone(Exception):
    """The end of a step that has not been taken."""


def compile_ahead(
    model: Module, optimizer: Any, loss: Callable[..., Tensor], images: Tensor, targets: Tensor
) -> None:
    """Compile the kernels of training and evaluation that the cache does not hold; nothing is computed or changed.

    A terminal shows how many are done.

    Args:
        model: Maps images to scores; it reads no values.
        optimizer: Has the parameters of the model, which have no gradients yet.
        loss: A function of scores and targets.
        images: A batch as the training has them, with any numbers.
        targets: Its targets.
    """
    if images.backend.ops.name != "fast" or jit.disabled():
        return
    plan, modes = ahead.Rehearsal(), [(m, m.training) for m in model.modules_recursive()]
    with capture.rehearsal(), capture.during_capture():
        try:
            with suppress(_Undone), optimizer.counting(), plan.record():
                model.train()
                loss(model(images.clone()), targets).backward()  # a recorded step copies its batch
                optimizer.step()
                raise _Undone
            with plan.record(), no_grad():
                model.eval()
                loss(model(images), targets)
        finally:
            for p in model.parameters():
                p.value.zero_grad_()
            for m, training in modes:
                m.training = training
    ahead.compile_all(plan.missing(), _show if sys.stderr.isatty() else lambda done, count: None)


def _show(done: int, count: int) -> None:
    end = "\n" if done == count else ""
    print(f"\rcompiling kernels {done}/{count}", end=end, file=sys.stderr, flush=True)


def any_batch(like: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Return a batch of zeros of ``shape``, with class 0 as targets, in the dtype and backend of a tensor."""
    return like.zeros(shape), Tensor(like.f.from_array(np.zeros(shape[0], like.dtype)))
