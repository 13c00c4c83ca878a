"""Runs a script of PyTorch with ``torch`` and ``torchvision`` bound to these modules, in this process only.

``python -m minitorch.torch train.py ARGS...`` runs a file; `install` does the same for a notebook. A name that is not
here gives one line: which name, in which line of the script, and that real PyTorch is needed for it.
"""

from __future__ import annotations

import importlib
import re
import runpy
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

OURS = "minitorch."
# Modules under the names that scripts import.
_ALIASES = {
    "torch": ["", "amp", "autograd", "autograd.function", "autograd.functional", "autograd.grad_mode", "backends",
              "cuda", "distributions", "fft", "func", "linalg", "nn", "nn.functional", "nn.init", "nn.utils", "optim",
              "optim.lr_scheduler", "random", "return_types", "special", "testing", "utils", "utils.checkpoint",
              "utils.data", "utils.tensorboard"],
    "torchvision": ["", "datasets", "models", "transforms", "transforms.functional", "utils"],
}  # fmt: skip
_MORE = {
    "torch.cuda.amp": "torch.amp",
    "torch.nn.modules.instancenorm": "torch.nn.modules.batchnorm",
    "torch.nn.modules.fold": "torch.nn.modules.flatten",
    "torch.nn.modules.channelshuffle": "torch.nn.modules.pixelshuffle",
    "torch.nn.utils.clip_grad": "torch.nn.utils.clip",
    "torch.nn.utils.convert_parameters": "torch.nn.utils.clip",
    **{f"torch.optim.{name}": "torch.optim.algorithms" for name in ("adam", "adamw", "rmsprop", "sgd")},
}
# Files that have PyTorch's names.
_FILES = {
    "torch.nn": "parallel parameter modules",
    "torch.nn.modules": "activation adaptive batchnorm container conv distance dropout flatten lazy linear loss module "
    "normalization padding pixelshuffle pooling rnn sparse transformer upsampling utils",
    "torch.nn.utils": "fusion parametrizations parametrize prune rnn stateless",
    "torch.optim": "lbfgs optimizer swa_utils",
}


class _NoOthers:
    """Keeps Python from importing other files of these packages under the names of PyTorch."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] in _ALIASES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def install() -> None:
    """Bind ``torch`` and ``torchvision`` to these modules in ``sys.modules``.

    Raises:
        RuntimeError: Real PyTorch was imported before.
    """
    loaded = sys.modules.get("torch")
    if loaded is not None and not loaded.__name__.startswith(OURS):
        raise RuntimeError(
            "install: real PyTorch is imported already: call install() in a new process, before any import"
        )
    for package, names in _ALIASES.items():
        for name in names:
            alias = ".".join(filter(None, [package, name]))
            sys.modules[alias] = importlib.import_module(f"{OURS}{alias}")
    same = {
        f"{folder}.{name}": f"{folder}.{name}" for folder, names in _FILES.items() for name in names.split()
    }
    for alias, module in {**_MORE, **same}.items():
        sys.modules[alias] = importlib.import_module(f"{OURS}{module}")
    if _NoOthers not in sys.meta_path:
        sys.meta_path.insert(0, _NoOthers)


def missing_name(error: BaseException) -> str | None:
    """Return the name of PyTorch that an error of a script says is not here; None for any other error."""
    if isinstance(error, ModuleNotFoundError):
        return error.name if (error.name or "").partition(".")[0] in _ALIASES else None
    if isinstance(error, ImportError):
        found = re.search(r"cannot import name '([^']+)' from '(?:minitorch\.)?([^']+)'", str(error))
        ours = found is not None and found[2].partition(".")[0] in _ALIASES
        return f"{found[2]}.{found[1]}" if found is not None and ours else None
    if isinstance(error, AttributeError):
        owner, name = error.obj, error.name
        if isinstance(owner, ModuleType) and owner.__name__.startswith(
            (f"{OURS}torch", f"{OURS}torchvision")
        ):
            return f"{owner.__name__.removeprefix(OURS)}.{name}"
        kind = type(owner)
        if kind.__module__.startswith(f"{OURS}torch") and kind.__name__ in ("Tensor", "Parameter"):
            return f"torch.Tensor.{name}"
    return None


def script_line(error: BaseException, folder: Path) -> str:
    """Return the last place of an error within the script's folder, as ``file, line n``."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if Path(f.filename).resolve().is_relative_to(folder)]
    last = own[-1] if own else frames[-1]
    return f"{Path(last.filename).name}, line {last.lineno}"


def main(arguments: list[str]) -> int:
    """Run a script with its arguments; return the exit status.

    Args:
        arguments: The path of the script, and what it reads in ``sys.argv``.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        print(
            "usage: python -m minitorch.torch SCRIPT.py [ARGS...]",
            file=sys.stdout if arguments else sys.stderr,
        )
        return 0 if arguments else 2
    path = Path(arguments[0])
    if not path.is_file():
        print(f"minitorch.torch: no script {arguments[0]}", file=sys.stderr)
        return 2
    folder = path.resolve().parent
    try:
        install()
        sys.argv = [str(path), *arguments[1:]]
        sys.path.insert(0, str(folder))
        runpy.run_path(str(path), run_name="__main__")
    except (AttributeError, ImportError) as error:
        name = missing_name(error)
        if name is None:
            raise
        print(
            f"{script_line(error, folder)}: {name} is not in minitorch.torch; real PyTorch is needed for it",
            file=sys.stderr,
        )
        return 2
    return 0
