"""Packages that some tests compare with: without one they are skipped, or fail where they must run.

With `MINITORCH_REQUIRE_MODELS=1` a missing package is a failure. See `.ci/run` for how each is installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

REQUIRED = os.environ.get("MINITORCH_REQUIRE_MODELS") == "1"
_libraries: list[Any] = []


def required(name: str) -> ModuleType:
    """Import a package that the tests of networks need."""
    if importlib.util.find_spec(name) is None:
        if REQUIRED:
            pytest.fail(f"MINITORCH_REQUIRE_MODELS=1, and {name} is not installed", pytrace=False)
        pytest.skip(f"{name} is not installed", allow_module_level=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it may miss parts that are not needed here
        return importlib.import_module(name)


def torchvision() -> Any:
    """Import torchvision with its transforms, also where its compiled operators do not fit the build of PyTorch.

    Tests need none of them, but its import fails where they are unknown: then their names are declared first.
    """
    torch = required("torch")
    spec = importlib.util.find_spec("torchvision")
    if spec is not None and spec.origin is not None and not torch._C._dispatch_has_kernel("torchvision::nms"):
        text = (Path(spec.origin).parent / "_meta_registrations.py").read_text()
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in set(re.findall(r'register_(?:fake|meta)\("(?:torchvision::)?(\w+)"\)', text)):
            try:
                library.define(f"{name}(Tensor a) -> Tensor")
            except RuntimeError:  # an operator without a kernel for this build
                continue
        _libraries.append(library)  # the declarations live as long as it does
    package = required("torchvision")
    required("torchvision.transforms.v2")
    return package
