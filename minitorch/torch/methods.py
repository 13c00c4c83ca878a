"""The functions of this package as methods and operators of Tensor."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from ..tensor import Number
from . import (
    comparison,
    creation,
    dtypes,
    elementwise,
    indexing,
    inplace,
    joining,
    ordering,
    reductions,
    shapes,
    show,
)
from .autograd.derivatives import backward_of
from .functions import attributes, composed, counting, numeric, quantiles, scattering
from .linalg import decompositions, norms, products
from .tensor import Tensor

_OPERANDS = (Tensor, bool, *Number)
# Functions of these modules that are no methods.
_NO_METHODS = {
    "apply", "binary", "cast", "check_shapes", "common_device", "compared", "dims_of", "flat_places",
    "in_place", "ordinals", "pick", "rdiv", "result_type", "rpow", "rsub", "sizes", "unary", "atleast_1d",
    "atleast_2d", "atleast_3d", "block_diag", "broadcast_tensors", "bucketize", "cat", "chain_matmul",
    "column_stack", "combinations", "concat", "concatenate", "cumulative_trapezoid", "dstack", "einsum",
    "gradient", "hstack", "isin", "matrix_diagonal", "multi_dot", "one_hot", "polygamma", "real",
    "searchsorted", "stack", "std_mean", "tensordot", "trapezoid", "trapz", "unravel_index", "vander",
    "var_mean", "vstack", "where", "row_stack", "getitem", "setitem",
}  # fmt: skip


def _functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """Return the functions that a module defines, those of its neighbours left out."""
    return {
        name: value
        for name, value in vars(module).items()
        if callable(value)
        and not isinstance(value, type)
        and value.__module__ in (module.__name__, elementwise.__name__)
        and name[0] != "_"
        and name not in _NO_METHODS
    }


def _operator(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return an operator, which leaves operands that it does not know to the other side."""

    def operator(input: Tensor, other: Any) -> Any:
        return fn(input, other) if isinstance(other, _OPERANDS) else NotImplemented

    return operator


def _reversed(fn: Callable[..., Any]) -> Callable[..., Any]:
    def operator(input: Tensor, other: Any) -> Any:
        return fn(other, input) if isinstance(other, _OPERANDS) else NotImplemented

    return operator


def _to_dtype(d: dtypes.dtype) -> Callable[[Tensor], Tensor]:
    def convert(input: Tensor) -> Tensor:
        return elementwise.cast(input, d)

    convert.__doc__ = f"Return the elements as {d}."
    return convert


def _as_type(input: Tensor, dtype: Any = None) -> Any:
    """Return the elements in another dtype, or without one the name of the type."""
    if dtype is None:
        return f"torch.{'cuda.' * input.is_cuda}{dtypes.TYPE_NAMES[input.dtype.name]}Tensor"
    if isinstance(dtype, str):
        named = [k for k, v in dtypes.TYPE_NAMES.items() if dtype in (f"torch.{v}Tensor", f"torch.{k}")]
        if not named:
            raise ValueError(f"invalid type: {dtype!r}")
        dtype = named[0]
    if callable(dtype) and not isinstance(dtype, type | dtypes.dtype):  # torch.FloatTensor
        return elementwise.cast(input, dtype().dtype)
    return elementwise.cast(input, dtypes.find_dtype(dtype))


def _cpu(input: Tensor) -> Tensor:
    """Return the tensor on the CPU."""
    return shapes.to(input, "cpu")


def _cuda(input: Tensor, device: Any = None, non_blocking: bool = False) -> Tensor:
    """Return the tensor on the GPU."""
    return shapes.to(input, "cuda")


def _itself(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Return the tensor."""
    return input


def _transposed(input: Tensor) -> Tensor:
    """The dimensions in reverse order."""
    return shapes.permute(input, *reversed(range(input.ndim))) if input.ndim else input


def _matrix_transposed(input: Tensor) -> Tensor:
    """The last two dimensions exchanged."""
    return shapes.transpose(input, -2, -1)


def _unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Return the windows along a dimension, as a new last dimension."""
    d = input._dim(dimension)
    if size > input.shape[d]:
        raise RuntimeError(f"maximum size for tensor at dimension {d} is {input.shape[d]} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    windows = np.lib.stride_tricks.sliding_window_view(shapes.ordinals(input), size, d)
    return shapes.pick(input, windows[(slice(None),) * d + (slice(None, None, step),)], "Unfold")


def _matmul(input: Any, other: Any) -> Any:
    return products.matmul(input, other)


# Functions of matrices that are methods too.
_OF_MATRICES = (
    "cholesky", "cholesky_inverse", "cholesky_solve", "det", "inverse", "logdet", "matrix_exp", "matrix_power",
    "pinverse", "slogdet", "triangular_solve",
)  # fmt: skip

_UFUNCS = {"add": elementwise.add, "subtract": elementwise.sub, "multiply": elementwise.mul, "divide": elementwise.div,
           "true_divide": elementwise.div, "power": elementwise.pow, "matmul": products.matmul,
           "equal": comparison.eq, "not_equal": comparison.ne, "less": comparison.lt, "less_equal": comparison.le,
           "greater": comparison.gt, "greater_equal": comparison.ge}  # fmt: skip


def _array_ufunc(input: Tensor, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
    """Compute a function of NumPy on tensors: arithmetic is ours, the rest gives a constant."""
    if method != "__call__" or settings:
        return NotImplemented
    own = _UFUNCS.get(ufunc.__name__)
    if own is not None:
        return own(*(x.item() if isinstance(x, np.generic) else creation.as_tensor(x) for x in inputs))
    return creation.as_tensor(ufunc(*(x.numpy() if isinstance(x, Tensor) else x for x in inputs)))


def attach() -> None:
    """Give Tensor its methods and operators."""
    for module in (
        elementwise,
        comparison,
        shapes,
        joining,
        indexing,
        reductions,
        ordering,
        products,
        numeric,
        composed,
        counting,
        quantiles,
        scattering,
        inplace,
    ):
        for name, fn in _functions(module).items():
            if name not in vars(Tensor):
                setattr(Tensor, name, fn)
    for name in ("new_zeros", "new_ones", "new_empty", "new_full", "new_tensor", "bernoulli", "multinomial"):
        setattr(Tensor, name, vars(creation)[name])
    pairs = {"add": elementwise.add, "sub": elementwise.sub, "mul": elementwise.mul, "truediv": elementwise.div,
             "floordiv": elementwise.floor_divide, "mod": elementwise.remainder, "pow": elementwise.pow,
             "and": comparison.bitwise_and, "or": comparison.bitwise_or, "xor": comparison.bitwise_xor,
             "lshift": comparison.bitwise_left_shift, "rshift": comparison.bitwise_right_shift,
             "matmul": products.matmul}  # fmt: skip
    for name, fn in pairs.items():
        setattr(Tensor, f"__{name}__", _operator(fn))
        setattr(Tensor, f"__r{name}__", _reversed(fn))
    for name in ("lt", "le", "gt", "ge"):
        setattr(Tensor, f"__{name}__", _operator(vars(comparison)[name]))
    changes = {"add": inplace.add_, "sub": inplace.sub_, "mul": inplace.mul_, "truediv": inplace.div_,
               "pow": inplace.pow_, "floordiv": inplace.floor_divide_, "mod": inplace.remainder_,
               "and": inplace.bitwise_and_, "or": inplace.bitwise_or_, "xor": inplace.bitwise_xor_,
               "lshift": inplace.bitwise_left_shift_, "rshift": inplace.bitwise_right_shift_}  # fmt: skip
    for name, fn in changes.items():
        setattr(Tensor, f"__i{name}__", fn)
    more: dict[str, Any] = {
        "__eq__": _operator(comparison.eq), "__ne__": _operator(comparison.ne), "__neg__": elementwise.neg,
        "__abs__": elementwise.abs, "__pos__": _itself, "__invert__": comparison.bitwise_not,
        "__getitem__": indexing.getitem, "__setitem__": indexing.setitem, "__repr__": show.show,
        "T": property(_transposed), "mT": property(_matrix_transposed), "type": _as_type, "cpu": _cpu, "cuda": _cuda,
        "float": _to_dtype(dtypes.float32), "double": _to_dtype(dtypes.float64), "half": _to_dtype(dtypes.float16),
        "long": _to_dtype(dtypes.int64), "int": _to_dtype(dtypes.int32), "short": _to_dtype(dtypes.int16),
        "bool": _to_dtype(dtypes.bool_), "byte": _to_dtype(dtypes.uint8), "char": _to_dtype(dtypes.int8),
        "bfloat16": _to_dtype(dtypes.bfloat16), "pin_memory": _itself, "requires_grad_": Tensor.requires_grad_,
        "true_divide": elementwise.div, "divide": elementwise.div, "multiply": elementwise.mul,
        "subtract": elementwise.sub, "negative": elementwise.neg, "absolute": elementwise.abs,
        "backward": backward_of, "clip": elementwise.clamp, "arctan2": elementwise.atan2,
        "polygamma": lambda input, n: numeric.polygamma(n, input),
        **{name: vars(decompositions)[name] for name in _OF_MATRICES},
        "svd": decompositions.old_svd, "qr": decompositions.old_qr, "lu_solve": decompositions.old_lu_solve,
        "renorm": norms.renorm,
        "real": property(_itself), "H": property(_transposed), "mH": property(_matrix_transposed),
        "imag": property(attributes.imag), "adjoint": _matrix_transposed, "nbytes": property(attributes.nbytes),
        "is_cpu": property(lambda input: not input.is_cuda), "name": None, "output_nr": 0,
        **{name: property(attributes.no) for name in attributes.NEVER},
        **dict.fromkeys(("is_inference", "is_pinned", "is_conj", "is_neg"), attributes.no),
        "is_signed": lambda input: input.dtype.is_signed,
        "get_device": lambda input: 0 if input.is_cuda else -1,
        **dict.fromkeys(("share_memory_", "resolve_neg", "conj", "conj_physical", "to_dense"), _itself),
        "storage": attributes.storage, "untyped_storage": attributes.untyped_storage, "new": attributes.new,
        "storage_offset": attributes.storage_offset, "is_shared": attributes.is_shared,
        "narrow_copy": lambda input, dim, start, length: joining.narrow(input, dim, start, length).clone(),
        "__complex__": lambda input: complex(attributes.single(input)),
        "__float__": lambda input: float(attributes.single(input)),
        "__int__": lambda input: int(attributes.single(input)), "__reversed__": lambda input: shapes.flip(input, 0),
        "__array_ufunc__": _array_ufunc,
        "where": lambda input, condition, other: elementwise.where(condition, input, other),
        "type_as": lambda input, other: shapes.to(input, other), "unfold": _unfold, "resolve_conj": _itself,
        "is_complex": lambda input: False, "is_same_size": lambda input, other: input.shape == other.shape,
    }  # fmt: skip
    for name, value in more.items():
        setattr(Tensor, name, value)


attach()
