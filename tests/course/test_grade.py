"""`grade` and `status`: what they say of right, wrong, missing and harmful code. One line each, and they always end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from minitorch.cli.main import main
from minitorch.course import checks, folder
from minitorch.course.tasks import find_task

FIRST = find_task("0.1")
SHORT = checks.Limits(seconds=8.0, megabytes=1024)


def solved(place: Path) -> Path:
    """Write the solved folder of module 0."""
    for name, text in folder.files_of(0, {}, todo=()).items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    return place


def with_mul(place: Path, body: str) -> Path:
    """Write the solved folder with other statements in `operators.mul`."""
    path = solved(place) / "minitorch" / "operators.py"
    text = path.read_text(encoding="utf-8")
    assert "    return x * y\n" in text
    path.write_text(text.replace("    return x * y\n", f"    {body}\n"), encoding="utf-8")
    return place


# Statements of `mul`, the state of the task, and words of the line about it.
HARMFUL = [
    ("while True: pass", "stopped", "stopped after 8 seconds in test_task0_1.py::test_same_as_python"),
    ("import os; os._exit(0)", "stopped", "the process ended in test_task0_1.py::test_same_as_python"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "stopped", "exit status -9"),
    ("import sys; sys.exit('done')", "failing", "SystemExit: done"),
    ("return len([0] * (1 << 40))", "failing", "MemoryError"),
    ("raise KeyboardInterrupt", "stopped", "the process ended in test_task0_1.py::test_same_as_python"),
    ("import os; os.close(1); os.close(2); return x + y", "failing", "Bad file descriptor"),
    ("import sys; sys.stdout.write('x' * (1 << 16)); return x + y", "failing", "mul("),
    ("import sys; [sys.stdout.write('x' * (1 << 22)) for _ in range(1 << 20)]", "failing", "File too large"),
    ("return mul(x, y)", "failing", "RecursionError"),
    ("import urllib.request as u; u.urlopen('http://127.0.0.1:9'); return 0.0", "failing", "without network"),
    ("raise ValueError('a\\nb' * 400)", "failing", "ValueError: a"),
]


@pytest.mark.parametrize(("body", "state", "words"), HARMFUL, ids=[body[:30] for body, _, _ in HARMFUL])
def test_harmful_code_gives_one_line(body: str, state: str, words: str, tmp_path: Path) -> None:
    result = checks.check_own(with_mul(tmp_path, body), FIRST, SHORT)
    assert (result.state, "\n" in result.problem) == (state, False), result
    assert words in result.problem
    assert len(result.problem) <= 200


def test_code_that_ends_python_when_it_is_imported(tmp_path: Path) -> None:
    path = solved(tmp_path) / "minitorch" / "operators.py"
    for line, words in (
        ("import os; os._exit(0)", "before the first test"),
        ("import sys; sys.exit(0)", "is there a sys.exit?"),
        ("def f(:", "SyntaxError"),
        ("import minitorch.nothing", "No module named 'minitorch.nothing'"),
    ):
        kept = path.read_text(encoding="utf-8")
        path.write_text(f"{kept}\n{line}\n", encoding="utf-8")
        result = checks.grade(tmp_path, FIRST, SHORT, seed=1, examples=2)
        path.write_text(kept, encoding="utf-8")
        assert (result.passed, result.state in ("failing", "stopped")) == (0, True), result
        assert words in result.problem, result
        assert "\n" not in result.problem


def test_a_solved_folder_has_all_points(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(solved(tmp_path))
    assert main(["course", "grade", ".", "--json", "--seed", "5"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["points"] == 1.0, found
    assert [task["task"] for task in found["tasks"]] == ["0.1", "0.2", "0.3", "0.4"]


def test_hidden_tests_find_what_the_students_tests_miss(tmp_path: Path) -> None:
    place = with_mul(tmp_path, "return x * y if abs(x) < 90 else 0.0")
    weak = place / "tests" / "test_task0_1.py"
    weak.write_text(
        "import pytest\n@pytest.mark.task0_1\ndef test_nothing() -> None:\n    pass\n", encoding="utf-8"
    )
    assert checks.check_own(place, FIRST, SHORT).state == "done"
    graded = checks.grade(place, FIRST, SHORT, seed=3)
    assert graded.state == "failing"
    assert graded.total > 5


def test_status_names_the_next_task(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["course", "new", "0", "hw0"]) == 0
    assert main(["course", "status", "hw0"]) == 0
    said = capsys.readouterr().out
    assert "Next: task 0.1, Operators: guide/module0.md#task-01, then pytest -m task0_1" in said
    assert said.count("to do") == 4
