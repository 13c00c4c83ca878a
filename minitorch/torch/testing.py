"""``torch.testing``: ``assert_close``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .dtypes import bfloat16, dtype, float16, float32, float64
from .tensor import Tensor, from_array, to_array

# Relative and absolute tolerances, as in PyTorch; numbers that are not fractions are compared exactly.
_TOLERANCES = {
    float16: (1e-3, 1e-5),
    bfloat16: (1.6e-2, 1e-5),
    float32: (1.3e-6, 1e-5),
    float64: (1e-7, 1e-7),
}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Check that tensors, numbers, or sequences and mappings of them, are close.

    Args:
        actual: What was found.
        expected: What was expected.
        allow_subclasses: Accepted, and changes nothing.
        rtol: The relative tolerance, together with ``atol``; by default that of the dtype.
        atol: The absolute tolerance.
        equal_nan: Whether two nan are equal.
        check_device: Whether devices must be equal.
        check_dtype: Whether dtypes must be equal.
        check_layout: Accepted: all tensors are strided.
        check_stride: Whether strides must be equal.
        msg: The message in place of the usual one, or a function of that.

    Raises:
        AssertionError: They are not close, or of different shapes, dtypes, devices or lengths.
        ValueError: Only one of the tolerances is given.
    """
    if (rtol is None) != (atol is None):
        missing, given = ("rtol", "atol") if rtol is None else ("atol", "rtol")
        raise ValueError(
            f"Both 'rtol' and 'atol' must be either specified or unspecified, but got no {missing} and {given}."
        )

    def fail(words: str) -> None:
        raise AssertionError(words if msg is None else msg(words) if callable(msg) else msg)

    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        if set(actual) != set(expected):
            fail(
                f"The keys of the mappings do not match: {sorted(map(str, actual))} and {sorted(map(str, expected))}"
            )
        pairs = [(actual[k], expected[k]) for k in expected]
    elif isinstance(expected, Sequence) and isinstance(actual, Sequence) and not isinstance(expected, str):
        if len(actual) != len(expected):
            fail(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}")
        pairs = list(zip(actual, expected))
    else:
        if isinstance(actual, Tensor) != isinstance(expected, Tensor):
            raise TypeError(
                f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}."
            )
        words = _difference(
            actual, expected, (rtol, atol), equal_nan, (check_device, check_dtype, check_stride)
        )
        if words:
            fail(words)
        return
    for a, b in pairs:
        assert_close(
            a, b, rtol=rtol, atol=atol, equal_nan=equal_nan, check_device=check_device, check_dtype=check_dtype,
            check_stride=check_stride, msg=msg,
        )  # fmt: skip


def _limits(given: tuple[float | None, float | None], kinds: list[dtype]) -> tuple[float, float]:
    rtol, atol = given
    if rtol is not None and atol is not None:
        return rtol, atol
    found = [_TOLERANCES.get(d, (0.0, 0.0)) for d in kinds]
    return max(r for r, _ in found), max(a for _, a in found)


def _difference(
    actual: Any,
    expected: Any,
    given: tuple[float | None, float | None],
    equal_nan: bool,
    checks: tuple[bool, bool, bool],
) -> str:
    """Return in words how two tensors or numbers differ; nothing if they are close."""
    a, b = (x if isinstance(x, Tensor) else from_array(np.asarray(x)) for x in (actual, expected))
    device, same_dtype, stride = checks
    if a.shape != b.shape:
        return f"The values for attribute 'shape' do not match: {a.shape} != {b.shape}."
    if device and a.device != b.device:
        return f"The values for attribute 'device' do not match: {a.device} != {b.device}."
    if same_dtype and isinstance(actual, Tensor) and a.dtype is not b.dtype:
        return f"The values for attribute 'dtype' do not match: {a.dtype} != {b.dtype}."
    if stride and a.stride() != b.stride():
        return f"The values for attribute 'stride()' do not match: {a.stride()} != {b.stride()}."
    rtol, atol = _limits(given, [a.dtype, b.dtype])
    x, y = (to_array(t).astype(np.float64) for t in (a, b))
    close = np.isclose(x, y, rtol, atol, equal_nan)
    if close.all():
        return ""
    kind = "close" if rtol or atol else "equal"
    limit = (f" (up to {atol} allowed)", f" (up to {rtol} allowed)") if kind == "close" else ("", "")
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.where(close, 0, np.abs(x - y))
        relative = apart / np.abs(y)
    relative = np.where(close, 0, relative)
    if not x.ndim:
        name = "Tensor-likes" if isinstance(actual, Tensor) else "Scalars"
        if not isinstance(actual, Tensor):
            return f"Scalars are not {kind}!\n\nExpected {expected} but got {actual}.\n" + (
                f"Absolute difference: {apart.item()}{limit[0]}\nRelative difference: {relative.item()}{limit[1]}"
            )
        return f"{name} are not {kind}!\n\nExpected {b.item()} but got {a.item()}.\n" + (
            f"Absolute difference: {apart.item()}{limit[0]}\nRelative difference: {relative.item()}{limit[1]}"
        )

    def worst(values: Any) -> tuple[float, tuple[int, ...]]:
        place = np.unravel_index(int(np.nanargmax(values)) if not np.isnan(values).all() else 0, values.shape)
        return float(values[place]), tuple(int(k) for k in place)

    (most, at), (share, where) = worst(apart), worst(relative)
    missed = int((~close).sum())
    return (
        f"Tensor-likes are not {kind}!\n\nMismatched elements: {missed} / {x.size} ({missed / x.size:.1%})\n"
        f"Greatest absolute difference: {most} at index {at}{limit[0]}\n"
        f"Greatest relative difference: {share} at index {where}{limit[1]}"
    )
