"""Makes a student's folder: a package of one's own, in which the tasks of one module are to be done.

The folder `solved` beside this file is such a folder with every task done. Functions are emptied by `stubs`.
"""

from __future__ import annotations

import ast
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..train.messages import UsageError
from . import stubs
from .tasks import HERE, SOLVED, Task, modules, read_toml, tasks

# The helpers of the tests, and the module that brings each.
TEST_HELPERS = {
    "__init__.py": 0,
    "conftest.py": 0,
    "helpers.py": 0,
    "tensor_helpers.py": 2,
    "compiled.py": 3,
    "conv_helpers.py": 4,
}
DIGITS = HERE.parent / "data" / "digits.npz"


def new_folder(module: int, target: Path, mine: Path | None = None) -> None:
    """Write a folder for a module; the tasks of earlier modules are done.

    Args:
        module: The number of the module, 0 to 4.
        target: The folder; it must not exist.
        mine: A folder of an earlier module, whose files are taken for the earlier tasks.

    Raises:
        UsageError: The module is unknown, the target exists, or ``mine`` lacks a task or cannot be read.
    """
    if module not in range(len(modules())):
        raise UsageError(f"there is no module {module}: expected 0 to {len(modules()) - 1}")
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target} exists already: name a folder that does not; nothing was changed")
    own = own_files(module, mine) if mine is not None else {}
    parent = target.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=parent))
    try:
        made.chmod(0o755)
        for name, text in files_of(module, own).items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        if module == 4:
            shutil.copyfile(DIGITS, made / "project" / DIGITS.name)
        os.rename(made, target)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def names_of(module: int) -> Iterator[tuple[int, str]]:
    """Yield the files that come from `solved` for a module, each with the module that brings it."""
    for part in modules()[: module + 1]:
        yield from ((part.number, f"minitorch/{file}") for file in part.files)
        yield from ((part.number, f"project/{script}") for script in part.scripts)
    yield from ((number, f"tests/{file}") for file, number in TEST_HELPERS.items() if number <= module)
    yield from ((task.module, f"tests/test_{task.marker}.py") for task in tasks() if task.module <= module)


def files_of(module: int, own: dict[str, str], todo: tuple[Task, ...] | None = None) -> dict[str, str]:
    """Return the texts of a folder, by name.

    Args:
        module: The number of the module.
        own: Files that take the place of those in `solved`.
        todo: The tasks whose functions are emptied; those of the module if left out.
    """
    texts = {name: own.get(name) or _solved(name) for _, name in names_of(module)}
    for task in (task for task in tasks() if task.module == module) if todo is None else todo:
        for name, functions in task.functions.items():
            texts[name] = stubs.emptied(texts[name], functions, task.message)
    texts["minitorch/__init__.py"] = _exports(module)
    texts["pyproject.toml"] = pyproject(module)
    texts["README.md"] = _readme(module)
    for part in modules()[: module + 1]:
        texts[f"guide/module{part.number}.md"] = guide(part.number)
    return texts


def _solved(name: str) -> str:
    return (SOLVED / name).read_text(encoding="utf-8")


def _exports(module: int) -> str:
    """Return the package's ``__init__`` with the names of the files that are there."""
    text = _solved("minitorch/__init__.py")
    tree = ast.parse(text)
    there = {Path(name).stem for _, name in names_of(module) if name.startswith("minitorch/")}
    lines, names = [text.splitlines()[0], ""], []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module is None or node.module in there):
            lines.append(ast.get_source_segment(text, node) or "")
            names += [alias.name for alias in node.names]
    listed = [f'    "{name}",' for name in sorted(names)]
    return "\n".join([*lines, "", "__all__ = [", *listed, "]"]) + "\n"


def pyproject(module: int) -> str:
    """Return the settings of the folder, with the markers of its tasks."""
    later = {f'    "{task.marker}:' for task in tasks() if task.module > module}
    lines = _solved("pyproject.toml").splitlines()
    kept = [line for line in lines if not line.startswith(tuple(later))] if later else lines
    return "\n".join(kept).replace("module = 4", f"module = {module}") + "\n"


def guide(module: int) -> str:
    """Return the guide of a module."""
    part = modules()[module]
    lines = [f"# Module {part.number}: {part.title}", "", part.text, ""]
    for task in (task for task in tasks() if task.module == module):
        lines += [f"## Task {task.name}", "", f"**{task.title}**", "", task.guide, ""]
        lines += [
            f"- `{file}`: {', '.join(f'`{name}`' for name in names)}"
            for file, names in task.functions.items()
        ]
        if task.needs:
            lines += ["", f"It builds on {', '.join(task.needs)}."]
        lines += ["", "```sh", f"pytest -m {task.marker}", "```", "", "<details><summary>Hints</summary>", ""]
        lines += [f"{i}. {hint}" for i, hint in enumerate(task.hints, 1)]
        lines += ["", "</details>", ""]
    return "\n".join(lines)


def _readme(module: int) -> str:
    """Return what the student reads first."""
    part = modules()[module]
    rows = [
        f"| [{task.name}]({task.link}) | {task.title} | `pytest -m {task.marker}` | {', '.join(task.needs) or '-'} |"
        for task in tasks()
        if task.module == module
    ]
    runs = [f"python project/{script}" for script in part.scripts if script != "images.py"]
    along = f"minitorch course new {module + 1} ../module{module + 1} --mine ."
    later = ["", "Take your work along into the next module:", "", "```sh", along, "```"]
    later = later if module + 1 < len(modules()) else []
    scripts = (
        ["", "The scripts of this module use what you wrote:", "", "```sh", *runs, "```"] if runs else []
    )
    return "\n".join(
        [
            f"# My minitorch, module {module}: {part.title}",
            "",
            f"{part.text} The folder `minitorch/` is your own package. Functions that raise `NotImplementedError` are",
            "yours to write; their docstrings and the guide say what they do. Everything else is complete.",
            "",
            "| task | subject | its tests | builds on |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
            "Work in this folder, in an environment with `pip install pytest hypothesis numba`. The tests and scripts",
            "find your package by themselves. To import it elsewhere, `pip install -e .` in an environment of its own:",
            "it is called `minitorch`, like the package that made this folder.",
            "",
            "```sh",
            "pytest -m task" + f"{module}_1    # the tests of a task",
            "minitorch course status .    # which tasks are done",
            f"minitorch course fill {module}.1    # the reference solution, when you ask for it",
            "```",
            *scripts,
            *later,
            "",
            "The lectures and the guides of the original course are at https://minitorch.github.io.",
            "",
        ]
    )


def module_of(folder: Path) -> int:
    """Return the module that a student's folder is for.

    Raises:
        UsageError: It is no such folder.
    """
    path = folder / "pyproject.toml"
    try:
        found = read_toml(path.read_text(encoding="utf-8"))
        module = found["tool"]["minitorch-course"]["module"]
    except (OSError, ValueError, KeyError, TypeError):
        module = None
    if not isinstance(module, int) or module not in range(len(modules())):
        raise UsageError(
            f"{folder} is no folder of the course: its pyproject.toml names no module under [tool.minitorch-course] "
            "(minitorch course new makes one)"
        )
    return module


def own_files(module: int, mine: Path) -> dict[str, str]:
    """Return the files of the modules before ``module`` from a student's folder.

    Raises:
        UsageError: A file is missing, cannot be read or parsed, or a function is missing or not written yet.
    """
    texts = {}
    for number, name in names_of(module - 1) if module else ():
        written = [f for task in tasks() for f in task.functions.get(name, ()) if task.module == number]
        if not written and name.startswith("tests/"):
            continue
        texts[name] = text = _read(mine / name)
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError) as error:
            line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
            raise UsageError(f"{mine / name}{line}: this is not Python: mend it first") from None
        for task in tasks():
            for function in task.functions.get(name, ()):
                node = stubs.find(tree, function)
                if node is None:
                    raise UsageError(f"{mine / name} has no {function}, which task {task.name} asks for")
                if stubs.is_stub(node):
                    raise UsageError(
                        f"{mine / name}: {function} is not written yet (task {task.name}): finish the task, or leave "
                        "--mine out and begin from the reference solutions"
                    )
    return texts


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UsageError(
            f"{path}: cannot be read ({reason}); --mine names a folder of the module before"
        ) from None
