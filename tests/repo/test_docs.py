"""The documentation is run: each page's Python code, from top to bottom, as a reader would type it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from minitorch.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_code_of_a_page_runs(page: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {"__name__": page.stem}
    for block in blocks:
        exec(compile(block, str(page), "exec"), names)


def test_the_readme_shows_what_its_example_prints(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (shown,) = re.findall(r"^```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len([line for line in code.splitlines() if line]) <= 12
    exec(compile(code, "README.md", "exec"), {"__name__": "README"})
    assert capsys.readouterr().out == shown


def test_the_commands_page_lists_all_commands() -> None:
    table = (
        (ROOT / "docs" / "commands.md").read_text(encoding="utf-8").split("| --- | --- |")[1].split("\n\n")[0]
    )
    listed = [
        name
        for row in table.splitlines()
        for name in re.findall(r"`(\w+)`", row.split("|")[1] if row else "")
    ]
    assert sorted(listed) == sorted(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_points_to_is_there(page: Path) -> None:
    text = page.read_text()
    targets = re.findall(r"\]\((?!http)([^)#]+)", text) + re.findall(r'src="(?!http)([^"]+)"', text)
    assert [t for t in targets if not (page.parent / t).exists()] == []


def test_the_commands_of_the_readme_are_targets_of_the_makefile() -> None:
    readme, makefile = (ROOT / name for name in ("README.md", "Makefile"))
    commands = set(re.findall(r"^make (\S+)", readme.read_text(), re.MULTILINE))
    targets = set(re.findall(r"^(\w[\w-]*):", makefile.read_text(), re.MULTILINE))
    assert {"mnist", "test"} <= commands <= targets
