"""The words of the project are the field's words: some private terms of old versions are not used again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .source import ROOT, expect_none

FORBIDDEN = re.compile(r"\b(rooms?|corridors?|judges?|cells?|cellwise|refuses to know)\b", re.IGNORECASE)
# What the words mean elsewhere: a cell of a notebook, of a recurrent network, or of a table on a web page.
ALLOWED = re.compile(r"notebook|recurrent|\b(RNN|LSTM|GRU)|get_by_role", re.IGNORECASE)
HERE = Path(__file__).resolve()
SKIPPED_FOLDERS = {"build", "data", "runs", "site", "node_modules"}  # at the top of the repository
SKIPPED_FILES = {HERE, HERE.parent / "test_notebooks.py"}


def texts() -> list[Path]:
    """Return the code, pages and scripts of the repository."""
    folders = [p for p in ROOT.iterdir() if p.is_dir() and p.name[0] != "." and p.name not in SKIPPED_FOLDERS]
    found = [path for folder in folders for path in folder.rglob("*")] + list(ROOT.iterdir())
    kinds = {".py", ".md", ".toml", ".sh"}
    wanted = [p for p in found if p.suffix in kinds or p.name == "Makefile"]
    return sorted(p for p in wanted if p.is_file() and p not in SKIPPED_FILES)


def in_the_words_of_old_versions(path: Path, line: str) -> bool:
    """Tell whether a line belongs to the changelog's table of old names and new ones."""
    return path.name == "CHANGELOG.md" and line.startswith("|")


def test_private_terms_are_not_used() -> None:
    expect_none(
        f"{path.relative_to(ROOT)}:{number}: {', '.join(sorted(set(found)))}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := FORBIDDEN.findall(line)) and not ALLOWED.search(line)
        if not in_the_words_of_old_versions(path, line)
    )


@pytest.mark.parametrize(
    ("line", "found"),
    [("three rooms", True), ("Cell by cell", True), ("a notebook's cell", False), ("bedroom cellar", False)],
)
def test_what_counts_as_a_private_term(line: str, found: bool) -> None:
    assert bool(FORBIDDEN.search(line) and not ALLOWED.search(line)) == found
