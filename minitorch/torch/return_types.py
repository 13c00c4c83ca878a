"""``torch.return_types``: the named tuples that functions with several results return."""

from __future__ import annotations

from operator import itemgetter
from typing import Any


class Result(tuple[Any, ...]):
    """A tuple whose parts have names: ``torch.sort(x).values``."""

    _fields: tuple[str, ...] = ()
    __slots__ = ()

    def __new__(cls, *parts: Any) -> Result:
        return super().__new__(cls, parts)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        lines = ",\n".join(f"{name}={part!r}" for name, part in zip(self._fields, self))
        return f"torch.return_types.{type(self).__name__}(\n{lines})"


def _named(name: str, *fields: str) -> Any:
    """Return a class of results with these names."""
    parts = {field: property(itemgetter(k)) for k, field in enumerate(fields)}
    doc = f"What ``{name.replace('linalg_', 'linalg.')}`` returns: {', '.join(fields)}."
    inside = {**parts, "_fields": fields, "__slots__": (), "__doc__": doc, "__module__": __name__}
    return type(name, (Result,), inside)


_PAIR = ("values", "indices")
max, min = _named("max", *_PAIR), _named("min", *_PAIR)
sort, topk, kthvalue = _named("sort", *_PAIR), _named("topk", *_PAIR), _named("kthvalue", *_PAIR)
median, nanmedian, mode = _named("median", *_PAIR), _named("nanmedian", *_PAIR), _named("mode", *_PAIR)
cummax, cummin = _named("cummax", *_PAIR), _named("cummin", *_PAIR)
aminmax = _named("aminmax", "min", "max")
frexp = _named("frexp", "mantissa", "exponent")
histogram = _named("histogram", "hist", "bin_edges")
svd = _named("svd", "U", "S", "V")
qr = _named("qr", "Q", "R")
triangular_solve = _named("triangular_solve", "solution", "cloned_coefficient")
slogdet = _named("slogdet", "sign", "logabsdet")
linalg_slogdet = _named("linalg_slogdet", "sign", "logabsdet")
linalg_svd = _named("linalg_svd", "U", "S", "Vh")
linalg_qr = _named("linalg_qr", "Q", "R")
linalg_eigh = _named("linalg_eigh", "eigenvalues", "eigenvectors")
linalg_cholesky_ex = _named("linalg_cholesky_ex", "L", "info")
linalg_inv_ex = _named("linalg_inv_ex", "inverse", "info")
linalg_lstsq = _named("linalg_lstsq", "solution", "residuals", "rank", "singular_values")
linalg_lu = _named("linalg_lu", "P", "L", "U")
linalg_lu_factor = _named("linalg_lu_factor", "LU", "pivots")
