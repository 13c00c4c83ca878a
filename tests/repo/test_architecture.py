"""The import rules and the shape of the package: layers, no cycles, separate backends, short files, small folders."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from . import source
from .source import (
    Module,
    all_dependencies,
    dependencies,
    expect_none,
    files,
    imports,
    shown,
    tree,
)

# Low to high. A file imports from its own folder and from lower layers; entries of one line do not import each other.
LAYERS = """
    runtime
    operators autodiff module
    tensor_data
    tensor_ops
    fast_ops cuda_ops
    fast_conv cuda_conv
    scalar_functions tensor_functions
    scalar tensor
    nn optim legacy datasets
    data vision testing
    train
    models onnx
    dashboard
    torch course
    torchvision
    __init__
    cli
    __main__
"""
LAYER = {name: level for level, row in enumerate(LAYERS.split("\n")) for name in row.split()}
# What a backend's files are called, and the names that only this backend may use.
BACKENDS = {
    "tensor_ops": ("tensor_ops", set()),
    "fast": ("fast_ops fast_conv", {"FastOps", "FastBackend", "fast_ops", "fast_conv"}),
    "cuda": ("cuda_ops cuda_conv", {"CudaOps", "CudaBackend", "cuda_ops", "cuda_conv"}),
}
# Packages besides the standard library and NumPy that are needed to import the file.
OUTSIDE = {name: {"numba", "llvmlite"} for name in ("fast_ops", "cuda_ops", "fast_conv", "cuda_conv")}
# This file is imported only by those who have the package.
OUTSIDE["dashboard/tensorboard.py"] = {"tensorboardX"}
# The course's own files: Numba and, in the process that runs a student's tests, pytest.
OUTSIDE["course"] = {"numba"}
# Files that import others by name, when they are asked for.
LATE = {("__init__",), ("cli", "main")}
# What a file may need that must not need anything.
SMALL = {("runtime", "types"), ("runtime", "grad_mode"), ("runtime", "versions")}
MOST_LINES, MANY_LINES = 450, 350
LONG_FILES = {
    ("tensor",): "one class: everything that can be called on a Tensor",
    ("torch", "tensor"): "one class, as PyTorch's, and what makes and reads it",
    ("tensor_data",): "the course keeps storage, shapes, strides, broadcasting and indexing in this one file",
}
# From a float to a trained network; README and docs/architecture.md give the number of lines.
CORE_PATH = (
    *(
        "operators",
        "autodiff",
        "module",
        "scalar",
        "scalar_functions",
        "tensor_data",
        "tensor",
        "tensor_functions",
    ),
    *("tensor_ops", "nn", "optim"),
)
# In these folders, but needed by no training step of the course: schedules, clipping, initial values by name,
# embeddings, fused expressions, functions that `minitorch.torch` names.
BESIDE_CORE = {
    *(
        ("optim", "schedulers"),
        ("optim", "plateau"),
        ("optim", "adaptive"),
        ("optim", "clip"),
        ("nn", "init"),
    ),
    ("nn", "fusion"),
    ("nn", "embedding"),
    *(("tensor_functions", "floats"), ("tensor_functions", "math"), ("tensor_functions", "arrange")),
    *(
        ("tensor_functions", "expected_relu"),
        ("tensor_functions", "late_relu"),
        ("tensor_functions", "special"),
        ("tensor_functions", "special_floats"),
    ),
    *(("tensor_functions", "linalg"), ("tensor_functions", "ctc"), ("tensor_ops", "activations")),
}
MOST_CORE_LINES = 5_000
# The top folder has one entry for each word of the layers, `torch` the modules that scripts import, `cli` a file for
# each command; others have 22.
MOST_ENTRIES = {"": len(LAYER) - 1, "torch": 34, "cli": 24}


def inside(folder: str) -> list[Module]:
    """Return the files of a folder, or the file of that name."""
    return [module for module in files() if module[0] in folder.split()]


def test_imports_point_to_lower_layers() -> None:
    def problems() -> Iterator[str]:
        for module in files():
            own = module[0]
            if own not in LAYER:
                yield f"{shown(module)}: {own!r} has no layer; give it one in LAYERS"
                continue
            for found in imports(module):
                other = found.module[0] if found.module else own
                if other != own and LAYER.get(other, -1) >= LAYER[own]:
                    yield f"{shown(module)}:{found.line}: imports {other}, which is not in a layer below {own}"

    expect_none(problems())


def test_no_import_cycles() -> None:
    done: set[Module] = set()

    def cycle(module: Module, path: list[Module]) -> list[Module]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        for other in sorted(dependencies(module)):
            if found := cycle(other, [*path, module]):
                return found
        done.add(module)
        return []

    found = next(filter(None, (cycle(module, []) for module in files())), [])
    expect_none([" imports ".join(map(shown, found))] if found else [])


def test_files_import_siblings_and_not_their_own_init() -> None:
    expect_none(
        f"{shown(module)}:{found.line}: imports from {shown(found.module)}; import from the sibling file"
        for module in files()
        for found in imports(module)
        if found.module
        and found.module[-1] == "__init__"
        and module[: len(found.module) - 1] == found.module[:-1]
    )


def exports_only(node: ast.stmt) -> bool:
    """Tell whether a statement is a docstring, an import, or makes `__all__`."""
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return all(isinstance(target, ast.Name) and target.id == "__all__" for target in targets)
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return docstring or isinstance(node, ast.Import | ast.ImportFrom)


def test_init_files_only_export() -> None:
    def problems() -> Iterator[str]:
        for module in files():
            # The file at the top also holds the version, and finds what is imported when it is asked for.
            if module[-1] != "__init__" or module == ("__init__",):
                continue
            for node in tree(module).body:
                if not exports_only(node):
                    yield f"{shown(module)}:{node.lineno}: an __init__ only imports names and lists them in __all__"
            if dependencies(module) and "__all__" not in source.read(module):
                yield f"{shown(module)}: has no __all__"

    expect_none(problems())


def test_imports_are_visible() -> None:
    def problems() -> Iterator[str]:
        for module in files():
            for found in imports(module):
                if found.outside.split(".")[0] in ("minitorch", "project", "tests", "benchmarks", "scripts"):
                    yield f"{shown(module)}:{found.line}: imports {found.outside}; import relatively, from the package"
            for node in ast.walk(tree(module)):
                if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node).endswith("TYPE_CHECKING"):
                    yield f"{shown(module)}:{node.lineno}: TYPE_CHECKING hides an import"
                if (
                    isinstance(node, ast.Call)
                    and "import_module" in ast.unparse(node.func)
                    and module not in LATE
                ):
                    target = ast.unparse(node.args[0]).lstrip("f")[1:]
                    if target.startswith((".", "minitorch")):
                        yield f"{shown(module)}:{node.lineno}: import_module hides an import"

    expect_none(problems())


def test_outside_packages_are_imported_where_they_are_used() -> None:
    expect_none(
        f"{shown(module)}:{found.line}: needs {found.outside} to be imported; import it in the function that uses it"
        for module in files()
        for found in imports(module)
        if found.outside and found.at_import
        if found.outside.split(".")[0] not in {"numpy", *sys.stdlib_module_names}
        if found.outside.split(".")[0] not in OUTSIDE.get(module[0], OUTSIDE.get(shown(module), ()))
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_names_no_other_backend_and_no_tensor(backend: str) -> None:
    folders, _ = BACKENDS[backend]
    forbidden = {"Tensor"}.union(*(names for other, (_, names) in BACKENDS.items() if other != backend))

    def problems() -> Iterator[str]:
        for module in inside(folders):
            for node in ast.walk(tree(module)):
                named = {getattr(node, field, None) for field in ("id", "attr", "name")}
                for name in sorted(named & forbidden, key=str):
                    yield f"{shown(module)}:{getattr(node, 'lineno', 0)}: names {name}"

    expect_none(problems())


@pytest.mark.parametrize("folder", ["fast_ops", "cuda_ops"])
def test_a_kernel_file_does_not_know_its_backend_class(folder: str) -> None:
    knowing = {"__init__", "backend", "course"}
    expect_none(
        f"{shown(module)}: needs {folder}/backend.py; kernels are below the backend"
        for module in inside(folder)
        if module[-1] not in knowing and (folder, "backend") in all_dependencies(module)
    )


@pytest.mark.parametrize(
    ("path", "unknown"),
    [
        ("operators", "*"),
        ("autodiff", "*"),
        ("runtime/philox", "*"),
        ("runtime/rng", "*"),
        ("optim/schedulers", "*"),
        ("tensor_ops/reference_conv", "tensor_data tensor_ops"),
        ("tensor_ops", "autodiff module"),
        ("fast_ops", "autodiff module"),
        ("cuda_ops", "autodiff module"),
        ("tensor_functions", "tensor_ops fast_ops cuda_ops"),
        ("optim", "scalar tensor"),
        ("data", "tensor module"),
        ("vision", "tensor module data"),
        ("nn/functional", "module"),
        ("nn/losses", "module"),
        ("train/loop", "data optim vision"),
    ],
)
def test_files_that_must_stand_alone(path: str, unknown: str) -> None:
    names = tuple(path.split("/"))
    modules = [module for module in files() if module[: len(names)] == names]
    assert modules, f"{path} is not there"
    expect_none(
        f"{shown(module)}: needs {shown(other)}, and must not need {'anything' if unknown == '*' else other[0]}"
        for module in modules
        for other in all_dependencies(module)
        if other not in SMALL and (unknown == "*" or other[0] in unknown.split())
    )


def test_missing_is_an_error() -> None:
    def problems() -> Iterator[str]:
        for module in files():
            for node in ast.walk(tree(module)):
                where = f"{shown(module)}:{getattr(node, 'lineno', 0)}"
                if isinstance(node, ast.ExceptHandler) and node.type is None:
                    yield f"{where}: a bare except"
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    if node.func.id == "hasattr":
                        yield f"{where}: hasattr"
                    if node.func.id == "getattr" and len(node.args) > 2:
                        yield f"{where}: getattr with a default"

    expect_none(problems())


def test_files_are_short() -> None:
    lengths = {m: len(source.read(m).splitlines()) for m in files()}
    for module in sorted(lengths, key=lengths.__getitem__, reverse=True):
        if lengths[module] > MANY_LINES:  # shown by `pytest -rP`, or when the test fails
            print(
                f"{shown(module)}: {lengths[module]} lines, more than {MANY_LINES}: think about splitting it"
            )
    expect_none(
        f"{shown(module)}: {lines} lines, more than {MOST_LINES}: split it inside its folder"
        for module, lines in lengths.items()
        if lines > MOST_LINES and module not in LONG_FILES
    )
    expect_none(
        f"{shown(module)}: no longer above {MOST_LINES} lines: take it out of LONG_FILES"
        for module in LONG_FILES
        if lengths[module] <= MOST_LINES
    )


def test_the_core_path_is_read_in_an_afternoon() -> None:
    core = [m for m in files() if (m[0] in CORE_PATH or m == ("train", "loop")) and m not in BESIDE_CORE]
    lines = sum(map(source.code_lines, core))
    print(f"core path: {lines} lines of code in {len(core)} files")  # shown by `pytest -rP`
    assert 4_000 < lines <= MOST_CORE_LINES


def test_folders_are_small() -> None:
    entries: dict[str, set[str]] = {}
    for module in files():
        for depth in range(len(module)):
            if module[depth] != "__init__":
                entries.setdefault("/".join(module[:depth]), set()).add(module[depth])
    expect_none(
        f"minitorch/{folder}: {len(names)} entries, more than {MOST_ENTRIES.get(folder, 22)}: make a sub-folder"
        for folder, names in entries.items()
        if len(names) > MOST_ENTRIES.get(folder, 22)
    )


BROKEN: list[tuple[str, str, Callable[..., None], tuple[Any, ...], str]] = [
    ("nn/conv.py", "from ..data import loader", test_imports_point_to_lower_layers, (), "imports data"),
    ("nn/conv.py", "def f(): from ..data import loader", test_imports_point_to_lower_layers, (), "imports data"),
    ("operators.py", "from .autodiff import Context", test_imports_point_to_lower_layers, (), "imports autodiff"),
    ("nn/conv.py", "from .. import Tensor", test_imports_point_to_lower_layers, (), "imports __init__"),
    ("nn/functional.py", "from . import conv", test_no_import_cycles, (), "imports nn/functional.py"),
    ("nn/conv.py", "from . import Linear", test_files_import_siblings_and_not_their_own_init, (), "sibling"),
    ("nn/__init__.py", "LAYERS = {}", test_init_files_only_export, (), "only imports"),
    ("nn/conv.py", "if typing.TYPE_CHECKING: ...", test_imports_are_visible, (), "TYPE_CHECKING"),
    ("nn/conv.py", "import minitorch.data", test_imports_are_visible, (), "relatively"),
    ("nn/conv.py", "import_module('.data', 'minitorch')", test_imports_are_visible, (), "import_module"),
    ("nn/conv.py", "import numba", test_outside_packages_are_imported_where_they_are_used, (), "numba"),
    ("fast_ops/pool.py", "CudaOps", test_a_backend_names_no_other_backend_and_no_tensor, ("fast",), "CudaOps"),
    ("cuda_ops/conv.py", "Tensor", test_a_backend_names_no_other_backend_and_no_tensor, ("cuda",), "Tensor"),
    ("fast_ops/sums.py", "from .backend import FastOps", test_a_kernel_file_does_not_know_its_backend_class,
     ("fast_ops",), "below the backend"),
    ("nn/losses.py", "from ..module import Module", test_files_that_must_stand_alone, ("nn/losses", "module"),
     "must not need module"),
    ("nn/conv.py", "hasattr(x, 'y')", test_missing_is_an_error, (), "hasattr"),
    ("nn/conv.py", "x = 1\n" * 500, test_files_are_short, (), "split it"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "check", "settings", "words"), BROKEN)
def test_a_broken_rule_is_found(
    path: str,
    text: str,
    check: Callable[..., None],
    settings: tuple[Any, ...],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = source.read
    monkeypatch.setattr(source, "read", lambda m: read(m) + (f"\n{text}\n" if shown(m) == path else ""))
    source.forget()
    try:
        with pytest.raises(pytest.fail.Exception, match=words):
            check(*settings)
    finally:
        source.forget()
