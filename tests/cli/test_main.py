"""The console command `minitorch`: its list, its help, what is not a command, and what it imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from minitorch.cli.main import COMMANDS, main
from minitorch.runtime.parser import Parser

from .runner import one_line

HEAVY = {"matplotlib", "torch", "visdom", "PIL", "requests", "rich", "safetensors", "tensorboardX"}


def test_without_a_command_the_list_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["--help"], ["-h"]):
        assert main(words) == 0
        listed = capsys.readouterr().out
        for name in COMMANDS:
            assert f"\n  {name} " in listed


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.argv[0]
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    assert left.value.code == 0
    printed = capsys.readouterr().out
    assert printed.startswith("usage: ")
    assert f"usage: minitorch {name} [" in printed
    assert sys.argv[0] == before


def test_every_file_of_a_command_is_listed() -> None:
    folder = Path(sys.modules["minitorch.cli.main"].__file__ or "").parent
    shared = {"__init__", "main", "common", "image_trainer", "toy_trainers", "augmentations"}
    assert {path.stem for path in folder.glob("*.py")} - shared == set(COMMANDS)


@pytest.mark.parametrize("word", ["train", "--version", "common", "MNIST"])
def test_what_is_not_a_command(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([word]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"minitorch: unknown command '{word}'" in one_line(printed.err)


def test_errors_name_the_command_as_it_was_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["mnist", "--epochs", "0"])
    assert left.value.code == 2
    assert one_line(capsys.readouterr().err).startswith("minitorch mnist: ")
    assert main(["compare", str(tmp_path)]) == 2
    assert one_line(capsys.readouterr().err).startswith("minitorch compare: ")


@pytest.mark.parametrize("words", [["--help"], ["mnist", "--help"], ["dashboard", "--help"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        "import json, sys\n"
        "from minitorch.cli.main import main\n"
        "try:\n"
        f"    main({words!r})\n"
        "except SystemExit:\n"
        "    pass\n"
        "print()\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "MINITORCH_"))}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert not HEAVY & loaded
    if words == ["--help"]:
        assert not {name for name in loaded if name.startswith(("minitorch.dashboard", "minitorch.data."))}
        assert {name for name in loaded if name.startswith("minitorch.cli")} == {
            "minitorch.cli",
            "minitorch.cli.main",
        }


def test_the_public_packages_can_be_imported_from_a_notebook() -> None:
    code = (
        "import minitorch\n"
        "assert minitorch.models.LeNet and minitorch.dashboard.RunLog\n"
        "from minitorch.train.callbacks import BestCheckpoint, JsonLinesLogger\n"
        "from minitorch.dashboard import DashboardCallback\n"
        "from minitorch.models import LeNet\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_an_empty_path_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser("")
    parser.add_argument("--out", type=Path)
    with pytest.raises(SystemExit) as end:
        parser.parse_args(["--out", ""])
    err = capsys.readouterr().err
    assert (end.value.code, err.count("\n")) == (2, 1)
    assert "argument --out: expected a path, got an empty one" in err
