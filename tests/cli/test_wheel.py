"""The package as users install it: a wheel in an environment of its own, and a run from an empty directory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .runner import ROOT

SOURCES = ("minitorch", "minitorch_command.py", "pyproject.toml", "setup.py", "README.md", "LICENSE")
TIMEOUT = 900  # seconds for pip, and for the run, which compiles its kernels


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from a clean copy of the sources."""
    clean, out = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, clean / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, clean)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, clean]
    subprocess.run(command, check=True, timeout=TIMEOUT)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of a fresh environment that has the wheel and what it depends on."""
    place = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", place], check=True, timeout=TIMEOUT)
    programs = place / ("Scripts" if os.name == "nt" else "bin")
    install = [programs / "python", "-m", "pip", "install", "--quiet", wheel]
    subprocess.run(install, check=True, timeout=TIMEOUT)
    return programs


def outside(folder: Path) -> dict[str, str]:
    """Return an environment that knows nothing of this checkout: an empty home, no variables of ours."""
    home = folder / "home"
    home.mkdir()
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "MINITORCH_", "NUMBA_", "XDG_"))
    }
    return {**kept, "HOME": str(home)}


def test_the_wheel_holds_the_data_files(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {
        *(
            "minitorch/py.typed",
            "minitorch/dashboard/visdom/assets.json",
            "minitorch/models/imagenet/classes.txt",
        )
    } <= names
    assert any(name.endswith("digits.npz") for name in names)
    assert {name.split("/")[0] for name in names if not name.split("/")[0].endswith(".dist-info")} == {
        *("minitorch", "minitorch_command.py")
    }
    folders = {str(path.parent.relative_to(ROOT)) for path in (ROOT / "minitorch").rglob("*.py")}
    assert folders <= {name.rpartition("/")[0] for name in names}


def test_an_installed_package_trains(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    environment = outside(tmp_path)
    listed = subprocess.run(
        [installed / "minitorch", "--help"],
        cwd=tmp_path / "empty",
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "mnist" in listed.stdout
    done = subprocess.run(
        [installed / "minitorch", "mnist", "--dataset", "digits", "--epochs", "1", "--out", "run"],
        cwd=tmp_path / "empty",
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stderr
    run = tmp_path / "empty" / "run"
    assert (run / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    accuracy = json.loads((run / "results.json").read_text())["test_accuracy"]
    assert done.stdout.splitlines()[-1] == f"test accuracy {accuracy:.4f}"
    assert {path.name for path in (tmp_path / "empty").iterdir()} == {"run"}
