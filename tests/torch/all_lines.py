"""The lines of `lines` and of `lines_nn` together, by area."""

from __future__ import annotations

from . import lines, lines_nn

SETUP = lines.SETUP + lines_nn.SETUP
DIFFERENT = {**lines.DIFFERENT, **lines_nn.DIFFERENT}
AREAS = list(lines.LINES)


def numbered() -> list[tuple[str, int, str]]:
    """Return all lines with their areas and numbers."""
    found = []
    for area in AREAS:
        text = lines.LINES[area] + lines_nn.LINES.get(area, "")
        found += [(area, n, line) for n, line in enumerate(filter(None, map(str.strip, text.splitlines())))]
    return found
