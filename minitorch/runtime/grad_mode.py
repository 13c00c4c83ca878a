"""Whether operations record their history: the mode of a thread, and `no_grad`, which turns it off.

The file depends on the standard library only; `minitorch.autodiff` reads the mode at each call.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Iterator
from contextlib import ContextDecorator
from typing import Any


class _GradMode(threading.local):
    def __init__(self) -> None:
        self.enabled = True
        self.before: list[bool] = []


mode = _GradMode()


def grad_enabled() -> bool:
    """Tell whether this thread records histories; `no_grad` turns it off."""
    return mode.enabled


class no_grad(ContextDecorator):
    """Context manager and decorator inside which results are constants and no history is recorded.

    ``@no_grad`` and ``@no_grad()`` are the same. A decorated generator records nothing while it runs; between its steps
    the caller's mode holds.
    """

    def __new__(cls, function: Any = None) -> Any:
        made = super().__new__(cls)
        if function is None:
            return made
        if not callable(function):
            raise TypeError(f"no_grad: expected a function to decorate, got a {type(function).__name__}")
        return made(function)

    def __call__(self, func: Any) -> Any:
        if inspect.isgeneratorfunction(func):

            @functools.wraps(func)
            def stepwise(*args: Any, **kwargs: Any) -> Iterator[Any]:
                return (yield from _without_history(self, func(*args, **kwargs)))

            return stepwise
        if inspect.iscoroutinefunction(func) or inspect.isasyncgenfunction(func):
            raise TypeError(
                f"no_grad: {func.__name__} is asynchronous: use `with no_grad()` where it computes"
            )
        return super().__call__(func)

    def __enter__(self) -> no_grad:
        mode.before.append(mode.enabled)
        mode.enabled = False
        return self

    def __exit__(self, *exc: object) -> None:
        mode.enabled = mode.before.pop()


def _without_history(off: no_grad, generator: Any) -> Iterator[Any]:
    """Run each step of a generator within ``off``; what the caller sends or throws goes in."""
    resume = functools.partial(next, generator)
    try:
        while True:
            with off:
                value = resume()
            try:
                sent = yield value
                resume = functools.partial(generator.send, sent)
            except GeneratorExit:
                raise
            except BaseException as error:
                resume = functools.partial(generator.throw, error)
    except StopIteration as end:
        return end.value
    finally:
        with off:
            generator.close()
