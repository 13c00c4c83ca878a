"""Calls of NumPy without its warnings: infinities and nan are values here, as in compiled kernels."""

from __future__ import annotations

import contextvars
import threading

import numpy as np


class _Quiet(threading.local):
    """Runs functions of NumPy without warnings: ``run(fn, *args)``. Such a function may not call it in turn.

    Entering a context in which NumPy ignores them costs a tenth of `numpy.errstate`, which makes one each time.
    """

    def __init__(self) -> None:
        self.run = contextvars.copy_context().run
        self.run(np.seterr, all="ignore")


quiet = _Quiet()
