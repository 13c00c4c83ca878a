"""How tensors are shown: ``repr`` in PyTorch's format."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .dtypes import bool_, get_default_dtype, int64
from .tensor import Array, Tensor, to_array


class _Options:
    precision, threshold, edgeitems, linewidth = 4, 1000, 3, 80
    sci_mode: bool | None = None


_options = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: int | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are shown: decimals, from how many elements on they are cut, elements at each end, columns."""
    if profile is not None:
        _options.precision, _options.threshold, _options.edgeitems, _options.linewidth = {
            "default": (4, 1000, 3, 80),
            "short": (2, 1000, 2, 80),
            "full": (4, 2**62, 3, 80),
        }[profile]
    _options.sci_mode = sci_mode  # None, which each call without it means, chooses by the numbers
    for name, value in (
        ("precision", precision),
        ("threshold", threshold),
        ("edgeitems", edgeitems),
        ("linewidth", linewidth),
    ):
        if value is not None:
            setattr(_options, name, value)


class _Format:
    """One format for all elements of a tensor: whole numbers, decimals or powers of ten."""

    def __init__(self, x: Array) -> None:
        self.kind, digits = "int", _options.precision
        shown = x.reshape(-1)
        if x.dtype.kind == "f":
            self.kind = "whole"
            shown = shown[np.isfinite(shown) & (shown != 0)].astype(np.float64)
            if shown.size:
                sizes = np.abs(shown)
                powers = bool(
                    sizes.max() / sizes.min() > 1000 or sizes.max() > 1e8 or sizes.min() < 1e-4
                    if _options.sci_mode is None
                    else _options.sci_mode
                )
                whole = bool((shown == np.ceil(shown)).all())
                self.kind = "powers" if powers else "whole" if whole else "decimals"
        self.width = 0
        self.pattern = {"powers": f"{{:.{digits}e}}", "decimals": f"{{:.{digits}f}}", "whole": "{:.0f}."}.get(
            self.kind, "{}"
        )
        self.width = max([1, *(len(self.text(v)) for v in shown.tolist())])

    def text(self, value: Any) -> str:
        if self.kind == "whole" and not math.isfinite(value):
            return f"{value:.0f}".rjust(self.width)
        return self.pattern.format(value).rjust(self.width)


def _summary(x: Array) -> Array:
    """Return the elements that are shown of a large tensor."""
    edge = _options.edgeitems
    for axis, n in enumerate(x.shape):
        if n > 2 * edge:
            x = np.take(x, [*range(edge), *range(n - edge, n)], axis)
    return x


def _lines(x: Array, form: _Format, indent: int, cut: bool) -> str:
    if x.ndim == 0:
        return form.text(x.item())
    edge = _options.edgeitems
    cut_here = cut and len(x) > 2 * edge
    rows = [*x[:edge], *x[-edge:]] if cut_here else list(x)
    if x.ndim == 1:
        words = [form.text(v.item()) for v in rows]
        if cut_here:
            words.insert(edge, " ...")
        per_line = max(1, (_options.linewidth - indent) // (form.width + 2))
        parts = [", ".join(words[k : k + per_line]) for k in range(0, len(words), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(parts) + "]"
    blocks = [_lines(row, form, indent + 1, cut) for row in rows]
    if cut_here:
        blocks.insert(edge, "...")
    return "[" + ("," + "\n" * (x.ndim - 1) + " " * (indent + 1)).join(blocks) + "]"


def show(input: Tensor) -> str:
    """Return the text of a tensor: its numbers, and what is not the default about it."""
    x = np.asarray(to_array(input))
    prefix = "tensor("
    if x.size:
        cut = x.size > _options.threshold
        body = _lines(x, _Format(_summary(x) if cut else x), len(prefix), cut)
    else:
        body = "[]"
    suffixes = []
    if input.is_cuda:
        suffixes.append(f"device='{input.device}'")
    if not x.size and input.ndim != 1:
        suffixes.append(f"size={tuple(input.shape)}")
    usual = (get_default_dtype(), int64, bool_) if x.size else (get_default_dtype(),)
    if input.dtype not in usual:
        suffixes.append(f"dtype={input.dtype}")
    if input.grad_fn is not None:
        suffixes.append(f"grad_fn=<{input.grad_fn.name()}>")
    elif input.requires_grad:
        suffixes.append("requires_grad=True")
    text = prefix + body
    last = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if last + len(suffix) + 2 > _options.linewidth:
            text += ",\n" + " " * len(prefix) + suffix
            last = len(prefix) + len(suffix)
        else:
            text += ", " + suffix
            last += len(suffix) + 2
    return text + ")"
