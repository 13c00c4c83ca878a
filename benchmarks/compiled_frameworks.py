"""One training step against frameworks that compile: `torch.compile` and JAX's `jit`, beside PyTorch as it is.

Each side in a process of its own, alternating, same batch, same threads; what compiling takes is not counted.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
import training_step


def jitted(name: str, batch: int) -> Callable[[], None]:
    """Return a step of JAX."""
    import jax_models

    return jax_models.training_step(name, batch)


def compiled(name: str, batch: int) -> Callable[[], None]:
    """Return a step of PyTorch whose net is compiled."""
    return training_step.theirs(name, batch, compiled=True)


SIDES: dict[str, Callable[[str, int], Callable[[], None]]] = {
    "minitorch": training_step.ours,
    "PyTorch": training_step.theirs,
    "torch.compile": compiled,
    "JAX jit": jitted,
}
CASES = {case: found for case, found in training_step.CASES.items() if found[1] > 1}
TWO_THREADS = {"NUMBA_NUM_THREADS": "2", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=true"}


def main() -> None:
    """Write results/compiled_frameworks.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round in place of three")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        side, case = options.child
        name, batch, repeat = CASES[case]
        print(json.dumps(harness.median_ms(SIDES[side](name, batch), repeat, warm=5)))
        return
    rows: list[dict[str, Any]] = []
    for case in CASES:
        seen: dict[str, list[float]] = {side: [] for side in SIDES}
        for _ in range(1 if options.quick else 3):
            for side, found in seen.items():
                found.append(float(harness.python(str(Path(__file__)), "--child", side, case, **TWO_THREADS)))
        ms = {side: statistics.median(found) for side, found in seen.items()}
        ratios = {f"ratio to {side}": ms["minitorch"] / t for side, t in ms.items() if side != "minitorch"}
        rows.append({"step": case, **{f"{side} ms": t for side, t in ms.items()}, **ratios})
    harness.write("compiled_frameworks", rows)


if __name__ == "__main__":
    main()
