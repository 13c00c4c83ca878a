"""Runs a line of `lines` in one of the two packages, and tells what came out in a form that can be compared."""

from __future__ import annotations

import ast
import importlib
import sys
import warnings
from types import ModuleType
from typing import Any

import numpy as np

from .all_lines import SETUP

# Modules that `import torch` of PyTorch leaves out.
PARTS = (
    "nn.utils.fusion",
    "nn.utils.parametrizations",
    "nn.utils.parametrize",
    "nn.utils.prune",
    "nn.utils.rnn",
    "nn.utils.stateless",
    "optim.swa_utils",
    "utils.data",
)


def spaces(torch: Any, nn: Any, functional: Any, optim: Any, data: Any) -> dict[str, Any]:
    """Return the names that a line sees."""
    for name in PARTS:
        importlib.import_module(f"{torch.__name__}.{name}")
    stand_in = ModuleType("torch_data")
    vars(stand_in).update({k: v for k, v in vars(data).items() if k[0] != "_"})
    return {"torch": torch, "nn": nn, "F": functional, "optim": optim, "np": np, "torch_data": stand_in}


def run(line: str, names: dict[str, Any]) -> Any:
    """Return what the last expression of a line gives, in plain form; or the kind of its error."""
    inside: dict[str, Any] = dict(names)
    sys.modules["torch_data"] = names["torch_data"]
    names["torch"].manual_seed(1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(SETUP, inside)
            tree = ast.parse(line)
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, line, "exec"), inside)
            value = None if last is None else eval(compile(ast.Expression(last.value), line, "eval"), inside)
            return plain(value, names["torch"])
    except Exception as error:
        return (
            "error",
            next(k.__name__ for k in type(error).__mro__ if k.__module__ == "builtins"),
            str(error),
        )
    finally:
        del sys.modules["torch_data"]


def plain(value: Any, torch: Any) -> Any:
    """Return a result as nested tuples of strings, numbers and arrays."""
    if isinstance(value, torch.Tensor):
        array = value.detach().cpu().numpy()
        return ("tensor", str(value.dtype), tuple(value.shape), bool(value.requires_grad), array)
    if isinstance(value, torch.nn.Module):
        return ("module", repr(value))
    if isinstance(value, torch.Size):
        return ("size", tuple(value))
    if isinstance(value, torch.dtype | torch.device):
        return (type(value).__name__, str(value))
    if isinstance(value, dict):
        return ("dict", [(k, plain(v, torch)) for k, v in value.items()])
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return (kind, [plain(v, torch) for v in value])
    if isinstance(value, np.ndarray):
        return ("array", str(value.dtype), value.shape, value)
    if isinstance(value, float):
        return ("float", value)
    if isinstance(value, int | str | bool | type(None)):
        return (type(value).__name__, value)
    if isinstance(value, np.generic):
        return (type(value).__name__, value.item())
    return (str(value) if str(value).startswith("torch.") else type(value).__name__,)


def equal(a: Any, b: Any) -> bool:
    """Tell whether two results are the same; numbers up to 1e-5 of the largest; errors by their kind."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        if a.dtype.kind != "f":
            return a.shape == b.shape and bool((a == b).all())
        finite = np.abs(b[np.isfinite(b)])
        scale = max(1.0, float(finite.max(initial=0.0)))
        return a.shape == b.shape and bool(np.allclose(a, b, 1e-5, 1e-5 * scale, equal_nan=True))
    if isinstance(a, float) and isinstance(b, float):
        return bool(np.isclose(a, b, 1e-5, 1e-6, equal_nan=True))
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        if (
            a
            and b
            and isinstance(a[0], str)
            and a[0] == "error"
            and isinstance(b[0], str)
            and b[0] == "error"
        ):
            return a[1] == b[1]
        return len(a) == len(b) and all(equal(p, q) for p, q in zip(a, b))
    return type(a) is type(b) and bool(a == b)
