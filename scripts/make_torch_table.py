"""Writes the table of docs/from_pytorch.md: how many lines of tests/torch/ give what PyTorch gives, by area.

Needs PyTorch. ``python scripts/make_torch_table.py`` runs each line in both packages, fills the text between
``<!-- lines -->`` and ``<!-- /lines -->``, and prints the lines that differ. The exit status is 1 if one differs that
the list of known differences does not have.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import torch.utils.data

import minitorch.torch

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "from_pytorch.md"


def main() -> int:
    """Run the lines, fill the page; return the exit status."""
    sys.path.insert(0, str(ROOT))
    from tests.torch.all_lines import DIFFERENT, numbered
    from tests.torch.compare import equal, run, spaces

    theirs, ours = (spaces(t, t.nn, t.nn.functional, t.optim, t.utils.data) for t in (torch, minitorch.torch))
    counts: dict[str, list[int]] = {}
    unknown = 0
    for area, _, line in numbered():
        same = equal(run(line, ours), run(line, theirs))
        total = counts.setdefault(area, [0, 0])
        total[0] += same
        total[1] += 1
        if not same:
            known = DIFFERENT.get(line, "")
            unknown += not known
            print(f"{area}: {line}  {known or 'not a known difference'}")
    rows = [f"| {area} | {same} | {total} |" for area, (same, total) in counts.items()]
    same, total = (sum(c[k] for c in counts.values()) for k in (0, 1))
    table = "\n".join(
        ["| area | equal | lines |", "| --- | --- | --- |", *rows, f"| **all** | **{same}** | **{total}** |"]
    )
    text = PAGE.read_text(encoding="utf-8")
    pattern = r"(<!-- lines -->\n).*?(<!-- /lines -->)"
    filled = re.sub(pattern, lambda m: f"{m[1]}{table}\n{m[2]}", text, flags=re.DOTALL)
    PAGE.write_text(filled, encoding="utf-8")
    print(f"{same} of {total} lines are equal")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
