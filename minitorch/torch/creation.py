"""Functions that make tensors: of given numbers, of equal ones, of ranges, and random ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..runtime import rng
from ..tensor import Tensor as Core
from .dtypes import bool_, dtype, find_dtype, float32, get_default_dtype, int64
from .random import Generator as Generator
from .random import drawing as drawing
from .random import manual_seed as manual_seed
from .shapes import sizes
from .tensor import Tensor, from_array, to_array, wrap


def _made(array: Any, dtype: Any, device: Any, requires_grad: bool, default: dtype | None = None) -> Tensor:
    found = find_dtype(dtype, default or get_default_dtype())
    made = from_array(np.asarray(array), device, found)
    return made.requires_grad_() if requires_grad else made


def _has_dtype(data: Any) -> bool:
    return isinstance(data, np.ndarray | np.generic | Tensor)


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """Make a tensor of numbers, nested lists, a NumPy array or a Tensor, which are copied.

    Lists of whole numbers give int64, of fractions the default dtype; arrays keep their dtype.

    Raises:
        ValueError: Nested lists have unequal lengths.
        TypeError: The data does not consist of numbers.
    """
    if data is None:
        raise RuntimeError("Could not infer dtype of NoneType")
    if isinstance(data, list | tuple) and any(isinstance(x, Tensor) and x.numel() != 1 for x in data):
        raise ValueError("only one element tensors can be converted to Python scalars")
    try:
        array = np.array(to_array(data))
    except ValueError as error:
        raise ValueError(f"tensor: expected nested lists of equal lengths: {error}") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"tensor: expected numbers, got {type(data).__name__} of dtype {array.dtype}")
    where = data.device if isinstance(data, Tensor) and device is None else device
    if dtype is None and not _has_dtype(data):
        inner = data
        while isinstance(inner, list | tuple) and inner:
            inner = inner[0]
        if array.dtype.kind == "f" and not isinstance(inner, np.ndarray | np.generic):
            known = isinstance(inner, Tensor) and inner.is_floating_point()
            array = array.astype((inner.dtype if known else get_default_dtype()).numpy)
        if array.size == 0:
            array = array.astype(get_default_dtype().numpy)
    return _made(array, dtype, where, requires_grad, find_dtype(array.dtype))


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """Return ``data`` as a tensor: itself or on the same memory where it is possible."""
    if isinstance(data, Tensor):
        return data.to(device=device or data.device, dtype=dtype or data.dtype)
    if isinstance(data, np.ndarray):
        return from_array(data, device, find_dtype(dtype, find_dtype(data.dtype)))
    return tensor(data, dtype=dtype, device=device)


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """Return ``obj`` as a tensor; ``copy`` is True for new memory, else it is shared where it is possible."""
    made = as_tensor(obj, dtype, device)
    made = made.clone() if copy and made.numel() and isinstance(obj, Tensor | np.ndarray) else made
    return made.requires_grad_() if requires_grad else made


def from_numpy(ndarray: Any) -> Tensor:
    """Make a tensor on the memory of an array, where its layout allows it.

    Raises:
        TypeError: It is no array.
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    return from_array(ndarray)


def from_minitorch(t: Core) -> Tensor:
    """Return a Tensor of the core as one of PyTorch's kind; memory and history are the same."""
    return wrap(t)


def _filled(
    value: Any, shape: Sequence[int], dtype: Any, device: Any, requires_grad: bool, default: Any = None
) -> Tensor:
    found = find_dtype(dtype, default or get_default_dtype())
    if any(n < 0 for n in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    return _made(np.full(tuple(shape), value, found.numpy), found, device, requires_grad)


def zeros(
    *given: Any,
    size: Any = (),
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make a tensor of zeros."""
    return _filled(0, sizes(given or (size,)), dtype, device, requires_grad)


def ones(
    *given: Any,
    size: Any = (),
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make a tensor of ones."""
    return _filled(1, sizes(given or (size,)), dtype, device, requires_grad)


def empty(
    *given: Any,
    size: Any = (),
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **ignored: Any,
) -> Tensor:
    """Make a tensor whose numbers are to be written; here they are zeros."""
    return _filled(0, sizes(given or (size,)), dtype, device, requires_grad)


def full(
    size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Make a tensor of equal numbers; the dtype is that of the number."""
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    if not isinstance(value, bool | int | float | np.number):
        raise TypeError(
            f"full(): argument 'fill_value' (position 2) must be Number, not {type(value).__name__}"
        )
    default = bool_ if isinstance(value, bool) else int64 if isinstance(value, int) else get_default_dtype()
    return _filled(
        value, sizes((size,)) if not isinstance(size, int) else (size,), dtype, device, requires_grad, default
    )


def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Make a tensor of one number, without dimensions, in the default dtype."""
    return _filled(s, (), dtype, device, requires_grad)


def empty_strided(size: Any, stride: Any, **settings: Any) -> Tensor:
    """Make a tensor whose numbers are to be written; elements lie one after the other whatever ``stride`` says."""
    return empty(tuple(size), **settings)


def frombuffer(
    buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """Make a tensor of the bytes of a buffer."""
    return _made(
        np.frombuffer(buffer, find_dtype(dtype).numpy, count, offset).copy(), dtype, None, requires_grad
    )


def eye(
    n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Make the unit matrix."""
    if n < 0 or (m is not None and m < 0):
        raise RuntimeError(f"n must be greater or equal to 0, got {n if n < 0 else m}")
    return _made(np.eye(n, m), dtype, device, requires_grad)


def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make the numbers from ``start`` (by default 0) to below ``end``; whole ones give int64."""
    if end is None:
        start, end = 0, start
    start, end, step = (x.item() if isinstance(x, Tensor) else x for x in (start, end, step))
    whole = all(isinstance(x, int | np.integer) for x in (start, end, step))
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    count = max(0, math.ceil((end - start) / step))
    return _made(
        start + np.arange(count) * step, dtype, device, requires_grad, int64 if whole else get_default_dtype()
    )


def range(start: Any, end: Any, step: Any = 1, **settings: Any) -> Tensor:
    """Make the numbers from ``start`` to ``end``, both included."""
    count = int((end - start) / step) + 1
    settings.setdefault("dtype", get_default_dtype())
    return arange(start, start + (count - 0.5) * step, step, **settings)


def linspace(
    start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Make ``steps`` numbers at equal distances from ``start`` to ``end``."""
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    return _made(np.linspace(float(start), float(end), steps), dtype, device, requires_grad)


def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """Make the powers of ``base`` with exponents at equal distances from ``start`` to ``end``."""
    return _made(np.logspace(start, end, steps, base=base), dtype, device, False)


def _like(input: Tensor, array: Any, settings: dict[str, Any]) -> Tensor:
    settings.pop("memory_format", None)
    d, where = settings.pop("dtype", None) or input.dtype, settings.pop("device", None) or input.device
    return _made(array, d, where, settings.pop("requires_grad", False))


def zeros_like(input: Tensor, **settings: Any) -> Tensor:
    """Make zeros of the shape, dtype and device of a tensor."""
    return _like(input, np.zeros(input.shape), settings)


def ones_like(input: Tensor, **settings: Any) -> Tensor:
    """Make ones of the shape, dtype and device of a tensor."""
    return _like(input, np.ones(input.shape), settings)


def empty_like(input: Tensor, **settings: Any) -> Tensor:
    """Make a tensor of the shape, dtype and device of another, to be written."""
    return _like(input, np.zeros(input.shape), settings)


def full_like(input: Tensor, fill_value: Any, **settings: Any) -> Tensor:
    """Make equal numbers in the shape, dtype and device of a tensor."""
    return _like(input, np.full(input.shape, fill_value), settings)


def new_zeros(input: Tensor, *size: Any, **settings: Any) -> Tensor:
    """Make zeros of the dtype and device of a tensor."""
    return _like(input, np.zeros(sizes(size)), settings)


def new_ones(input: Tensor, *size: Any, **settings: Any) -> Tensor:
    """Make ones of the dtype and device of a tensor."""
    return _like(input, np.ones(sizes(size)), settings)


def new_empty(input: Tensor, *size: Any, **settings: Any) -> Tensor:
    """Make a tensor of the dtype and device of another, to be written."""
    return _like(input, np.zeros(sizes(size)), settings)


def new_full(input: Tensor, size: Any, fill_value: Any, **settings: Any) -> Tensor:
    """Make equal numbers in the dtype and device of a tensor."""
    return _like(input, np.full(tuple(size), fill_value), settings)


def new_tensor(input: Tensor, data: Any, **settings: Any) -> Tensor:
    """Make a tensor of numbers in the dtype and device of another."""
    return _like(input, to_array(data), settings)


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Make the coordinates of a grid; with "ij", the first vector runs along the first dimension."""
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else tensors
    grids = np.meshgrid(*(to_array(x) for x in given), indexing="ij" if indexing == "ij" else "xy")
    return tuple(from_array(g) for g in grids)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return the indices of the lower triangle, as two rows."""
    return _made(np.stack(np.tril_indices(row, offset, col)), dtype, device, False, int64)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return the indices of the upper triangle, as two rows."""
    return _made(np.stack(np.triu_indices(row, offset, col)), dtype, device, False, int64)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """Return all combinations of the elements of vectors, a row for each; of one vector, itself."""
    if len(tensors) == 1:
        return tensors[0]
    return from_array(
        np.stack([g.reshape(-1) for g in np.meshgrid(*map(to_array, tensors), indexing="ij")], -1)
    )


# Random numbers


def rand(
    *given: Any,
    size: Any = (),
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make random numbers, uniform in [0, 1)."""
    d = find_dtype(dtype, get_default_dtype())
    numbers = drawing(generator).random(sizes(given or (size,)), np.float32 if d is float32 else np.float64)
    return _made(numbers, d, device, requires_grad)


def randn(
    *given: Any,
    size: Any = (),
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make random numbers from the standard normal distribution."""
    d = find_dtype(dtype, get_default_dtype())
    numbers = drawing(generator).standard_normal(
        sizes(given or (size,)), np.float32 if d is float32 else np.float64
    )
    return _made(numbers, d, device, requires_grad)


def randint(
    low: int, high: Any = None, size: Any = None, *, generator: Any = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Make random whole numbers from ``low`` (by default 0) to below ``high``."""
    if size is None:
        low, high, size = 0, low, high
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    return _made(drawing(generator).integers(low, high, tuple(size)), dtype, device, requires_grad, int64)


def randperm(n: int, *, generator: Any = None, dtype: Any = None, device: Any = None) -> Tensor:
    """Return the numbers 0 to n - 1 in random order."""
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    return _made(drawing(generator).permutation(n), dtype, device, False, int64)


def rand_like(input: Tensor, **settings: Any) -> Tensor:
    """Make uniform random numbers in the shape, dtype and device of a tensor."""
    return _like(input, rng.uniform(tuple(input.shape)), settings)


def randn_like(input: Tensor, **settings: Any) -> Tensor:
    """Make normal random numbers in the shape, dtype and device of a tensor."""
    return _like(input, rng.normal(tuple(input.shape)), settings)


def randint_like(input: Tensor, low: int, high: Any = None, **settings: Any) -> Tensor:
    """Make random whole numbers in the shape, dtype and device of a tensor."""
    low, high = (0, low) if high is None else (low, high)
    return _like(input, drawing(None).integers(low, high, tuple(input.shape)), settings)


def normal(mean: Any, std: Any = 1.0, size: Any = None, *, generator: Any = None, **settings: Any) -> Tensor:
    """Make random numbers from normal distributions, whose means and deviations may be tensors."""
    m, s = to_array(mean), to_array(std)
    if (s < 0).any():
        raise RuntimeError(f"normal expects all elements of std >= 0.0, but found std {s.min():g}")
    shape = np.broadcast_shapes(m.shape, s.shape) if size is None else tuple(size)
    return _made(drawing(generator).normal(m, s, shape), settings.get("dtype"), settings.get("device"), False)


def bernoulli(input: Tensor, p: Any = None, *, generator: Any = None) -> Tensor:
    """Draw 1 with the probability ``p``, or by default that which each element gives, else 0."""
    chance = to_array(input if p is None else p)
    if ((chance < 0) | (chance > 1)).any():
        raise RuntimeError("Expected p_in >= 0 && p_in <= 1 to be true, but got false.")
    return _like(input, drawing(generator).random(input.shape) < chance, {})


def poisson(input: Tensor, generator: Any = None) -> Tensor:
    """Draw from Poisson distributions of these rates."""
    return _like(input, drawing(generator).poisson(to_array(input)), {})


def binomial(count: Tensor, prob: Tensor, generator: Any = None) -> Tensor:
    """Draw the numbers of successes in ``count`` trials of probability ``prob``."""
    return _like(count, drawing(generator).binomial(to_array(count).astype(np.int64), to_array(prob)), {})


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None
) -> Tensor:
    """Draw indices with probabilities in proportion to the elements of each row."""
    weights = to_array(input).astype(np.float64)
    rows = weights.reshape(-1, weights.shape[-1])
    source = drawing(generator)
    if not np.isfinite(rows).all() or (rows < 0).any():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if not replacement and ((rows > 0).sum(1) < num_samples).any():
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    drawn = [source.choice(len(row), num_samples, replacement, row / row.sum()) for row in rows]
    return from_array(np.array(drawn).reshape(*weights.shape[:-1], num_samples), input.device)
