"""torchvision as a reference in tests, beside the CPU build of PyTorch.

Its wheel is a CUDA build whose compiled operators do not load there, and its import fails for want of them. Declaring
their names first is enough for transforms, models and data sets.
"""

from __future__ import annotations

import importlib.util
import re
import warnings
from pathlib import Path
from typing import Any

import pytest


def torchvision() -> Any:
    """Return torchvision; skip the test if it or PyTorch is not installed."""
    torch = pytest.importorskip("torch")
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        pytest.skip("torchvision is not installed")
    operators = (Path(spec.origin).parent / "_meta_registrations.py").read_text()
    if not torch._C._dispatch_has_kernel("torchvision::nms"):
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in set(re.findall(r'register_(?:fake|meta)\("(?:torchvision::)?(\w+)"\)', operators)):
            try:
                library.define(f"{name}(Tensor a) -> Tensor")
            except RuntimeError:  # defined before
                continue
        _KEPT.append(library)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torchvision.transforms.v2
    return torchvision


_KEPT: list[Any] = []  # a library takes its definitions with it
