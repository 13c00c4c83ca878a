"""How the tests run commands and scripts: in this process, or in one of their own."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import minitorch
from minitorch.cli.common import run_command
from minitorch.cli.main import COMMANDS, main
from minitorch.data import download
from minitorch.data.download import DataError

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "project"
SCRIPTS = ("run_manual", "run_scalar", "run_tensor", "run_fast_tensor", "run_torch", "run_mnist_multiclass")
TRAINERS = {*SCRIPTS, "mnist", "cifar10", "toys", "sentiment", "run_sentiment"}
SMALL = ("--dataset", "digits", "--limit", "200", "--batch-size", "40")
ENLARGED = "the digits of 8x8 pixels are enlarged to 28x28\n"


def script(name: str) -> Any:
    """Import a script of project/; its folder is on the path meanwhile, as when Python runs it."""
    sys.path.insert(0, str(PROJECT))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(PROJECT))


def run(name: str, *flags: object) -> int:
    """Run a command or a script in this process, and restore the defaults it sets; return its exit status."""
    dtype, backend = minitorch.get_default_dtype(), minitorch.get_default_backend()
    words = [str(f) for f in flags]
    if name in TRAINERS and "--dashboard" not in words:
        words += ["--dashboard", "off"]  # the tests do not write to a dashboard of this machine
    try:
        if name in COMMANDS:
            return main([name, *words])
        return run_command(lambda: script(name).main(words))
    except SystemExit as left:
        return int(left.code or 0)
    finally:
        minitorch.set_default_dtype(dtype)
        minitorch.set_default_backend(backend)


def train(*flags: object) -> int:
    return run("mnist", *SMALL, *flags)


def process(name: str, *flags: object, **settings: Any) -> subprocess.Popen[str]:
    """Start a script of project/ in its own process, without the simulator that the tests may have switched on."""
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_ENABLE_CUDASIM"}
    environment |= settings.pop("env", {})
    words = [sys.executable, str(PROJECT / f"{name}.py"), *map(str, flags)]
    pipe = subprocess.PIPE
    return subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True, env=environment, **settings)


def one_line(text: str) -> str:
    """Assert that a text is one line and no traceback."""
    assert text.count("\n") == 1, text
    assert "Traceback" not in text
    return text


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No data anywhere, and no network."""

    def refuse(remote: download.Remote, *_: object, **__: object) -> None:
        raise DataError(f"cannot download {remote.name}")

    monkeypatch.setattr(download, "fetch", refuse)
    monkeypatch.delenv("MINITORCH_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path
