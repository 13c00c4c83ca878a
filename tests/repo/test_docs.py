"""The documentation is run: each page's Python code, from top to bottom, as a reader would type it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from minitorch.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_of_a_page_runs_and_prints_what_is_below_it(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = page.read_text(encoding="utf-8")
    names: dict[str, object] = {"__name__": page.stem}
    blocks = list(FENCE.finditer(text))
    for block, after in zip(blocks, [*blocks[1:], None]):
        if block[1] != "python":
            continue
        capsys.readouterr()
        exec(compile(block[2], str(page), "exec"), names)
        # A block of text that follows at once is the output.
        if after is not None and after[1] == "text" and not text[block.end() : after.start()].strip():
            assert capsys.readouterr().out == after[2]


def test_the_example_of_the_readme_is_short() -> None:
    (code,) = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len([line for line in code.splitlines() if line]) <= 12


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
