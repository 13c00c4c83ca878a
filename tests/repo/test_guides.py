"""Each task of the course has a guide, and each guide has the same parts; `test_docs` runs its code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from minitorch.course.tasks import tasks

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted((ROOT / "docs" / "guide").glob("*.md"))
BEYOND = {"gradient_descent", "boundaries", "diagnostics", "fast_kernels", "growing_an_operation"}
TASK = ["The idea", "The task", "Common mistakes", "Exercises", "What the fast version does"]


def headings(page: Path) -> list[str]:
    return re.findall(r"^## (.*)", page.read_text(encoding="utf-8"), re.MULTILINE)


def test_each_task_has_a_guide_and_each_guide_a_task() -> None:
    pages = {task.page for task in tasks()}
    assert pages == {f"guide/{page.name}" for page in GUIDES if page.stem not in BEYOND}


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_a_guide_has_its_parts(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    found = headings(page)
    if page.stem in BEYOND:
        assert found[0] == "The idea"
        assert found[-1] == "Exercises"
    else:
        assert [name for name in found if name in TASK] == TASK
    exercises = text.split("\n## Exercises\n")[1].split("\n## ")[0]
    assert re.findall(r"^\*\*(\d)\.\*\*", exercises, re.MULTILINE) == ["1", "2", "3"]
    assert exercises.count('<details markdown="1"><summary>Answer</summary>') == 3
    assert len(set(re.findall(r"images/guide/[\w-]+\.svg", text))) >= 2
    assert "```python" in text
