"""`minitorch course`: folders, status, solutions and grades, and what goes wrong."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from minitorch.cli.main import main
from minitorch.course import folder, stubs
from minitorch.course.tasks import SOLVED, find_task, tasks


def course(*words: object) -> int:
    try:
        return main(["course", *map(str, words)])
    except SystemExit as left:
        return int(left.code or 0)


def one_line(text: str) -> str:
    assert text.count("\n") == 1, text
    assert "Traceback" not in text
    return text


def solved(place: Path, module: int) -> Path:
    for name, text in folder.files_of(module, {}, todo=()).items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    return place


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def contents(place: Path) -> dict[str, bytes]:
    return {str(p.relative_to(place)): p.read_bytes() for p in place.rglob("*") if p.is_file()}


@pytest.mark.parametrize("module", range(5))
def test_new_empties_the_tasks_of_the_module_only(module: int, tmp_path: Path) -> None:
    assert course("new", module, tmp_path / "mine") == 0
    for task in tasks():
        for name, functions in task.functions.items():
            path = tmp_path / "mine" / name
            assert path.exists() == (task.module <= module)
            for function in functions if task.module <= module else ():
                text = path.read_text(encoding="utf-8")
                assert ("Need to implement" in stubs.source_of(text, function)) == (task.module == module)
    assert folder.module_of(tmp_path / "mine") == module
    assert {p.name for p in tmp_path.iterdir()} == {"mine"}


def test_a_stub_keeps_its_docstring_and_no_statement() -> None:
    for task in tasks():
        for name, functions in task.functions.items():
            text = stubs.emptied((SOLVED / name).read_text(encoding="utf-8"), functions, task.message)
            for function in functions:
                source = stubs.source_of(text, function)
                assert source.count(task.message) == 1
                assert '"""' in source, f"{name}: {function} has no docstring to work from"


def test_mine_takes_the_students_own_work_along(tmp_path: Path) -> None:
    before = solved(tmp_path / "one", 1)
    replace(before / "minitorch" / "operators.py", "return x * y", "return y * x  # my own")
    assert course("new", 2, tmp_path / "two", "--mine", before) == 0
    assert "# my own" in (tmp_path / "two" / "minitorch" / "operators.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            lambda p: (p / "minitorch" / "scalar.py").write_text("def f(:\n"),
            "scalar.py, line 1: this is not Python",
        ),
        (lambda p: (p / "minitorch" / "scalar.py").write_bytes(b"\xff\xfe\x00"), "not UTF-8"),
        (lambda p: (p / "minitorch" / "scalar.py").unlink(), "cannot be read"),
        (lambda p: (p / "minitorch" / "scalar.py").write_text("x = 1\n"), "has no Scalar.__add__"),
        (
            lambda p: replace(
                p / "minitorch" / "operators.py", "return x * y", 'raise NotImplementedError("later")'
            ),
            "mul is not written yet (task 0.1)",
        ),
    ],
)
def test_a_previous_folder_that_cannot_be_used(
    spoil: object, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = solved(tmp_path / "one", 1)
    spoil(before)  # type: ignore[operator]
    kept = contents(before)
    assert course("new", 2, tmp_path / "two", "--mine", before) == 2
    assert words in one_line(capsys.readouterr().err)
    assert not (tmp_path / "two").exists()
    assert contents(before) == kept


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("new", 7, "x"), "there is no module 7: expected 0 to 4"),
        (("new", "four", "x"), "invalid int value"),
        (("new", 1, "there"), "exists already"),
        (("fill", "9.9"), "there is no task '9.9'"),
        (("status", "nowhere"), "no folder"),
        (("status", "there"), "no folder of the course"),
        (("grade", "there"), "no folder of the course"),
        ((), "required"),
    ],
)
def test_bad_words(
    words: tuple[object, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "kept.py").write_text("mine")
    assert course(*words) == 2
    assert said in one_line(capsys.readouterr().err)
    assert contents(tmp_path) == {"there/kept.py": b"mine"}


def test_fill_asks_first(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for answer, shown in (("no\n", False), ("\n", False), ("", False), ("yes\n", True)):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        assert course("fill", "1.1") == 0
        assert ("def central_difference" in capsys.readouterr().out) == shown
    assert find_task("task4_4b") is find_task("4.4b")


def test_no_shell_and_no_other_program_is_needed(tmp_path: Path) -> None:
    nowhere = tmp_path / "empty"
    nowhere.mkdir()
    environment = {k: v for k, v in os.environ.items() if k not in ("PATH", "SHELL")} | {"PATH": str(nowhere)}

    def python(*words: str, inside: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", *words]
        return subprocess.run(
            command, cwd=inside, env=environment, capture_output=True, text=True, check=False
        )

    made = python("minitorch", "course", "new", "0", "mine", inside=tmp_path)
    assert made.returncode == 0, made.stderr
    tests = python("pytest", "-q", "-m", "task0_1", inside=tmp_path / "mine")
    assert "Need to implement for Task 0.1" in tests.stdout, tests.stdout + tests.stderr
    status = python("minitorch", "course", "status", "mine", inside=tmp_path)
    assert "next: task 0.1" in status.stdout.lower(), status.stdout + status.stderr
