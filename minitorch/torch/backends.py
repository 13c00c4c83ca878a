"""``torch.backends``: settings that scripts write; they change nothing here, except that what is set can be read."""

from __future__ import annotations

from types import SimpleNamespace


def _never() -> bool:
    return False


cudnn = SimpleNamespace(
    benchmark=False,
    deterministic=False,
    enabled=False,
    allow_tf32=False,
    is_available=_never,
    version=lambda: None,
)
cuda = SimpleNamespace(matmul=SimpleNamespace(allow_tf32=False), is_built=_never)
mps = SimpleNamespace(is_available=_never, is_built=_never)
mkldnn = SimpleNamespace(is_available=_never)
mkl = SimpleNamespace(is_available=_never)
openmp = SimpleNamespace(is_available=_never)
