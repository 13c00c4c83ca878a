"""What minitorch computes for random settings of the playgrounds, to compare the pages with: by page, a list of cases.

python -m tests.docs.playground_values FILE.json        # from the top of the repository

A case has the settings, as the functions of the page take them, and what minitorch gives. It depends on minitorch; the
CUDA kernels run in `kernel_recorder`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import minitorch

Case = dict[str, Any]
COUNT = 60  # cases of a page


def strides(random: np.random.Generator) -> Case:
    """Return the layout of a tensor with reordered dimensions, and the position in storage of each element."""
    shape = [int(n) for n in random.integers(1, 5, random.integers(1, 5))]
    while np.prod(shape) > 120:
        shape.pop()
    order = [int(k) for k in random.permutation(len(shape))]
    offset = int(random.integers(0, 6))
    # In a storage of its own positions, each element is the position that it is read from.
    storage = minitorch.tensor(list(range(offset + int(np.prod(shape)))))
    t = storage[offset:].view(*shape).permute(*order)
    return {
        "shape": shape,
        "order": order,
        "offset": offset,
        "result": {
            "shape": t.shape,
            "strides": t._tensor.strides,
            "contiguous": t._tensor.is_contiguous(),
            "positions": t.to_numpy().ravel().tolist(),
        },
    }


PAGES: dict[str, Callable[[np.random.Generator], Case]] = {"strides": strides}


def values(page: str) -> list[Case]:
    """Return the cases of a page, the same at every call; JSON holds them."""
    random = np.random.default_rng(0)
    return json.loads(json.dumps([PAGES[page](random) for _ in range(COUNT)]))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps({page: values(page) for page in PAGES}), encoding="utf-8")
