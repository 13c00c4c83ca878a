"""Packages that some tests compare with: without one they are skipped, or fail where they must run.

With `MINITORCH_REQUIRE_MODELS=1` a missing package is a failure. See `.ci/run` for how each is installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
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


def torchvision() -> ModuleType:
    """Import torchvision, also where its compiled operators do not fit the installed build of PyTorch.

    Networks need none of them, but the import fails where they are unknown: then their names are declared first.
    """
    torch = required("torch")
    try:
        return required("torchvision")
    except RuntimeError as error:
        if "does not exist" not in str(error):
            raise
    for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    spec = importlib.util.find_spec("torchvision")
    assert spec is not None
    assert spec.origin is not None
    text = (Path(spec.origin).parent / "_meta_registrations.py").read_text()
    library = torch.library.Library("torchvision", "DEF")
    for name in sorted(set(re.findall(r'register_(?:fake|meta)\("(?:torchvision::)?(\w+)"\)', text))):
        library.define(f"{name}(Tensor a) -> Tensor")
    _libraries.append(library)  # the declarations live as long as it does
    return required("torchvision")
