"""Starting: import, first training step with an empty and with a filled kernel cache, and the cache over ten runs.

The step compiles ahead, as the trainers do.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import harness

STEP = """
import random
import minitorch as mt
from minitorch.models import LeNet
from minitorch.train.compile_ahead import any_batch, compile_ahead
random.seed(0)
mt.set_default_dtype("float32")
model = LeNet()
optimizer = mt.Adam(model.parameters())
shape = (64, 1, 28, 28)
compile_ahead(model, optimizer, mt.cross_entropy, *any_batch(next(p.value for p in model.parameters()), shape))
batch = mt.rand(shape).to_numpy(), [k % 10 for k in range(64)]
print(next(mt.fit(model, [batch], optimizer)).loss)
"""


def seconds(*arguments: str, **variables: str) -> float:
    """Return the wall time of a fresh process."""
    start = time.perf_counter()
    harness.python(*arguments, **variables)
    return time.perf_counter() - start


def files(folder: Path) -> int:
    """Count the files of a cache."""
    return sum(len(names) for _, _, names in os.walk(folder))


def main() -> None:
    """Write results/startup.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three warm runs in place of ten")
    runs = 3 if parser.parse_args().quick else 10
    bare = sorted(seconds("-c", "pass") for _ in range(5))[2]
    loaded = sorted(seconds("-c", "import minitorch") for _ in range(5))[2]
    least = [
        min(seconds("-c", f"import {name}") for _ in range(10)) for name in ("minitorch", "minitorch.torch")
    ]
    with tempfile.TemporaryDirectory() as folder:
        cold = seconds("-c", STEP, MINITORCH_CACHE_DIR=folder)
        first = files(Path(folder))
        warm = sorted(seconds("-c", STEP, MINITORCH_CACHE_DIR=folder) for _ in range(runs))
        last = files(Path(folder))
    harness.write(
        "startup",
        [
            {"what": "import minitorch", "value": loaded - bare, "unit": "s", "limit": 0.6},
            {
                "what": "import minitorch.torch, beyond that",
                "value": least[1] - least[0],
                "unit": "s",
                "limit": 0.15,
            },
            {
                "what": "cold: process start to the end of the first LeNet step",
                "value": cold,
                "unit": "s",
                "limit": 20,
            },
            {"what": f"warm: the same, median of {runs}", "value": warm[runs // 2], "unit": "s", "limit": 2},
            {"what": "files in the cache after the first run", "value": first, "unit": "", "limit": ""},
            {"what": f"files in the cache after {runs} more runs", "value": last, "unit": "", "limit": first},
        ],
    )


if __name__ == "__main__":
    main()
