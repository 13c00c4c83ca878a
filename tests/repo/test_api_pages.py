"""The reference pages have an entry and an example for every public name; `test_docs` runs the examples."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator

import pytest

import minitorch

from .source import ROOT

API = ROOT / "docs" / "api"
ENTRY = re.compile(r"^::: (\S+)\n((?:    [^\n]*\n)*)(.*?)(?=^::: |^## |\Z)", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Modules whose names are not all for users; these are.
SOME = {
    "minitorch.operators": """mul id add neg lt eq max is_close sigmoid relu log exp inv log_back inv_back relu_back
        map zipWith reduce negList addLists sum""",
    "minitorch.scalar_functions": "Add Log Mul Inv Neg Sigmoid ReLU Exp LT EQ",
    "minitorch.nn.init": """uniform_ normal_ trunc_normal_ constant_ zeros_ ones_ calculate_gain xavier_uniform_
        xavier_normal_ kaiming_uniform_ kaiming_normal_""",
}
WHOLE = ("minitorch.data", "minitorch.models", "minitorch.train", "minitorch.vision")
TORCH = """torch torch.Tensor torch.nn torch.nn.functional torch.nn.init torch.nn.utils torch.optim
    torch.optim.lr_scheduler torch.utils.data torch.autograd torch.linalg"""

HELPERS = {"Tensor", "legacy_reduction", "reduced"}  # imported by these modules for themselves


def entries() -> list[tuple[str, str]]:
    """Return the names of all entries, each with the text below it."""
    pages = [page.read_text(encoding="utf-8") for page in sorted(API.glob("*.md"))]
    return [(found[1], found[3]) for page in pages for found in ENTRY.finditer(page)]


def public() -> Iterator[str]:
    yield from (f"minitorch.{name}" for name in minitorch.__all__)
    for module in WHOLE:
        yield from (
            f"{module}.{name}"
            for name in importlib.import_module(module).__all__
            if name not in minitorch.__all__
        )
    for module, names in SOME.items():
        yield from (f"{module}.{name}" for name in names.split())


def test_every_public_name_has_one_entry() -> None:
    found = [name for name, _ in entries()]
    assert sorted(found) == sorted(set(public()))


@pytest.mark.parametrize(("name", "text"), entries(), ids=[name for name, _ in entries()])
def test_an_entry_has_an_example_that_uses_it(name: str, text: str) -> None:
    code = "".join(CODE.findall(text))
    used = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Attribute | ast.Name)
    }
    assert name.rsplit(".", 1)[1] in used


def names_of(path: str) -> set[str]:
    """Return the public names of a module or class of `minitorch.torch`."""
    if path == "torch.Tensor":
        return {name for name in dir(importlib.import_module("minitorch.torch").Tensor) if name[0] != "_"}
    module = importlib.import_module(f"minitorch.{path}")
    if "__all__" in vars(module):
        return set(module.__all__)
    # What `nn.functional` offers is defined in `torch` too, what others offer in their own package.
    package = "minitorch.torch" if path == "torch.nn.functional" else module.__name__.rpartition(".")[0]
    return {
        name
        for name, value in vars(module).items()
        if name[0] != "_" and callable(value) and value.__module__.startswith(package)
    } - HELPERS


@pytest.mark.parametrize("path", TORCH.split())
def test_the_names_of_torch_are_listed(path: str) -> None:
    text = (API / "torch.md").read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## `{re.escape(path)}`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    listed = re.findall(r"`(\w+)`", section)
    assert sorted(listed) == sorted(names_of(path))
