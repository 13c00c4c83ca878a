"""Compares programs with PyTorch, as far as it has the same operations: all backends share the derivatives.

`difference` runs a program on a backend and in PyTorch side by side. It stops where PyTorch has no such operation, or
where one of them gives an error. Until then values and gradients must be equal. It depends on PyTorch.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

import torch
from minitorch import Tensor

from .interpreter import Interpreter, Step
from .operations import numbers


class Stop(Exception):
    """PyTorch has no such operation, or another meaning of it."""


UNARY: dict[str, Any] = {
    "log": lambda t: (t + 1e-6).log(),  # as `operators.log`
    "contiguous": lambda t: t.clone(memory_format=torch.contiguous_format),
    "clone": lambda t: t.clone(memory_format=torch.contiguous_format),
    "neg": lambda t: -t,
    "inv": lambda t: 1 / t,
    "gelu": torch.nn.functional.gelu,
    "gelu_tanh": lambda t: torch.nn.functional.gelu(t, approximate="tanh"),
}
BINARY: dict[str, Any] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "less": lambda a, b: as_numbers(torch.lt, a, b),
    "greater": lambda a, b: as_numbers(torch.gt, a, b),
    "equal": lambda a, b: as_numbers(torch.eq, a, b),
}
FUSED: dict[str, Any] = {
    "swish": lambda x: x * x.sigmoid(),
    "polynomial": lambda x, y: (x - y) ** 2 + 3.0 * x * y - 1.0,
    "softplus": lambda x: (x.exp() + 1.0 + 1e-6).log() / 2.0,
}
REDUCTIONS: dict[str, Any] = {
    "sum": lambda t, dim: t.sum().view(1) if dim is None else t.sum(dim, keepdim=True),
    "mean": lambda t, dim: t.mean().view(1) if dim is None else t.mean(dim, keepdim=True),
    "softmax": torch.softmax,
    "logsoftmax": torch.log_softmax,
    "all": lambda t, dim: t.detach().prod().view(1) if dim is None else t.detach().prod(dim, keepdim=True),
    "argmax": lambda t, dim: (t.detach() == t.detach().amax(dim, keepdim=True)).to(t.dtype),
    "max_reduce": lambda t, dim: t.detach().amax(dim, keepdim=True),
}


def as_numbers(fn: Any, a: Any, b: Any) -> Any:
    """Compare, and give 1.0 and 0.0, on which gradients stop."""
    dtype = a.dtype if isinstance(a, torch.Tensor) else b.dtype
    a, b = (x.detach() if isinstance(x, torch.Tensor) else torch.tensor(x, dtype=dtype) for x in (a, b))
    return fn(a, b).to(dtype)


def plain(key: Any) -> Any:
    """Return a key with ints of Python."""
    return (
        tuple(plain(k) for k in key)
        if isinstance(key, tuple)
        else int(key)
        if isinstance(key, np.integer)
        else key
    )


def packed(t: Any) -> Any:
    """Return a tensor as `view` takes it: a copy where minitorch makes one."""
    return t if t.is_contiguous() else UNARY["contiguous"](t)


def made(shape: Any, dtype: str, kind: str, seed: int, layout: Any, grad: bool) -> Any:
    """Do what `operations.make` does."""
    array = numbers(int(np.prod(shape)), kind, seed, dtype)
    if layout is None:
        t = torch.tensor(array.reshape(shape))
    elif layout[:1] == ("strides",):
        t = torch.as_strided(torch.tensor(array), shape, layout[1])
    else:
        stored = [shape[layout.index(k)] for k in range(len(shape))]
        t = torch.tensor(array.reshape(stored)).permute(layout)
    return t.requires_grad_(grad)


def run(op: str, operands: list[Any], s: dict[str, Any]) -> Any:
    """Run one operation in PyTorch."""
    t = operands[0] if operands else None
    if len({o.dtype for o in operands}) > 1 and op != "assign":
        raise Stop("two dtypes")  # PyTorch leaves out tensors of shape () when it promotes
    if op == "make":
        return made(**s)
    if op == "unary":
        return UNARY[s["name"]](t) if s["name"] in UNARY else getattr(t, s["name"])()
    if op == "binary" and s["name"] in BINARY:
        return BINARY[s["name"]](*operands)
    if op == "scalar" and s["name"] in BINARY:
        return BINARY[s["name"]](*((s["number"], t) if s["left"] else (t, s["number"])))
    if op == "reduction" and s["name"] in REDUCTIONS:
        return REDUCTIONS[s["name"]](t, s["dim"])
    if op == "fused" and s["name"] in FUSED:
        return FUSED[s["name"]](*operands)
    if op == "copied":
        return copy.deepcopy(t)
    if op == "matmul":
        return t @ operands[1]
    if op == "linear":
        y = torch.nn.functional.linear(*operands)
        return y.relu() if s["act"] == "relu" else y
    if op == "permute":
        return t.permute(s["order"])
    if op == "view":
        return (packed(t) if s["copies"] else t).view(s["shape"])
    if op == "flatten" and t.dim():
        return packed(t).flatten(s["start"], s["end"])
    if op == "item":
        return t[plain(s["key"])].clone()
    if op == "join":
        return torch.stack(operands, s["dim"]) if s["new"] else torch.cat(operands, s["dim"])
    if op == "astype":
        return t.to(getattr(torch, np.dtype(s["dtype"]).name))
    if op == "assign":
        value = operands[1] if len(operands) > 1 else torch.tensor(s["number"], dtype=t.dtype)
        t[plain(s["key"])] = value
        return t
    if op == "copy_":
        with torch.no_grad():
            return t.copy_(
                torch.tensor(numbers(t.numel(), s["kind"], s["seed"], s["dtype"]).reshape(s["shape"]))
            )
    if op == "zero_grad":
        t.grad = None
        return t
    if op == "backward":
        t.backward(*[d.clone() for d in operands[1:]], retain_graph=True)
        return None
    raise Stop(op)


def difference(steps: Sequence[Step], backend: str) -> tuple[int, str]:
    """Return how many steps were compared, and the first difference or ""."""
    ours = Interpreter(backend)
    theirs: list[Any] = []
    for k, step in enumerate(steps):
        outcome = ours.run(step)
        if outcome.status != "value":
            return k, ""
        settings = dict(step.settings)
        mode = torch.no_grad() if settings.pop("no_grad", False) else contextlib.nullcontext()
        try:
            with mode:
                theirs.append(run(step.op, [theirs[o] for o in step.operands], settings))
        except (Stop, RuntimeError, TypeError, ValueError, IndexError):
            return k, ""
        for n, (a, b) in enumerate(zip(ours.values, theirs)):
            if isinstance(a, Tensor):
                found = _unequal(a.to_numpy(), b.detach().numpy()) or _unequal_gradients(a, b)
                if found:
                    return k, f"after step {k}, tensor {n}: {found}"
    return len(steps), ""


def _unequal_gradients(a: Any, b: Any) -> str:
    if not a.is_leaf():
        return ""
    zeros = np.zeros(a.shape, a.dtype)
    got, expected = (
        zeros if a.grad is None else a.grad.to_numpy(),
        zeros if b.grad is None else b.grad.numpy(),
    )
    found = _unequal(got, expected)
    return f"gradient {found}" if found else ""


def _unequal(got: Any, expected: Any) -> str:
    if got.shape != expected.shape or got.dtype != expected.dtype:
        return f"{got.shape} {got.dtype}, expected {expected.shape} {expected.dtype}"
    rtol = 1e-7 if got.dtype == np.float64 else 1e-3
    with np.errstate(all="ignore"):
        scale = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
        close = np.isclose(got, expected, rtol, rtol * min(scale, 1e3) + 1e-300, equal_nan=True)
    return "" if close.all() else f"{got[~close][0]!r}, expected {expected[~close][0]!r}"
