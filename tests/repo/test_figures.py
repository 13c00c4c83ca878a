"""The figures of the guides are what the code beside them draws from minitorch's values today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.figures import __main__ as figures
from docs.figures.drawing import FIGURES, FOLDER

ROOT = Path(__file__).resolve().parents[2]
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
figures.load()


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_a_figure_is_what_its_code_draws(name: str) -> None:
    drawn, kept = FIGURES[name]().svg(), (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    # Another processor may round otherwise: numbers may differ by a little, everything else is equal.
    assert NUMBER.sub("#", drawn) == NUMBER.sub("#", kept)
    pairs = zip(NUMBER.findall(drawn), NUMBER.findall(kept), strict=True)
    assert [(a, b) for a, b in pairs if abs(float(a) - float(b)) > 0.11] == []


def test_every_figure_is_shown_and_every_file_is_drawn() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md"))
    shown = set(re.findall(r"images/guide/([\w-]+)\.svg", pages))
    assert shown == set(FIGURES) == {path.stem for path in FOLDER.iterdir()}


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_text_and_shapes_lie_on_the_card(name: str) -> None:
    drawing = FIGURES[name]()
    for part in drawing.parts:
        for x, y in re.findall(r'(?:\bx|cx)="(-?[\d.]+)" (?:y|cy)="(-?[\d.]+)"', part):
            assert 0 <= float(x) <= drawing.width, part
            assert 0 <= float(y) <= drawing.height, part
