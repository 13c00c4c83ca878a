"""The kernel cache: two processes that fill it at once, and a cache on a full disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from minitorch.fast_ops import kernel_cache

from .disks import fill, small_disk
from .experiment import Outcome, environment, run, temporary_files

# Prints a number that needs a parallel and a serial kernel, and every warning.
PROGRAM = """
import sys, warnings
warnings.simplefilter("always")
warnings.showwarning = lambda message, *rest: print("WARNING", message, file=sys.stderr)
import minitorch as mt
x = mt.tensor([[float(i * j % 7) for i in range(40)] for j in range(40)], requires_grad=True)
y = ((x @ x).sigmoid() * x + x.exp()).sum()
y.backward()
print(repr(y.item()), repr(float(x.grad.to_numpy().sum())))
"""
WORDS = [sys.executable, "-c", PROGRAM]


def cold_cache(times: int, folder: Path) -> Outcome:
    """Start two processes on an empty cache at once, then a third on what they have left."""
    outcome, expected = Outcome(), run(WORDS).out
    for n in range(times):
        cache = folder / f"cache{n}"
        pipe = subprocess.PIPE
        settings = {"env": environment(MINITORCH_CACHE_DIR=str(cache)), "stdout": pipe, "stderr": pipe}
        both = [subprocess.Popen(WORDS, text=True, **settings) for _ in range(2)]
        ended = [process.communicate() for process in both]
        third = run(WORDS, env=environment(MINITORCH_CACHE_DIR=str(cache)))
        problems = []
        for out, err in (*ended, (third.out, third.err)):
            if out != expected or err:
                problems.append(f"printed {out!r} {err!r}, expected {expected!r}")
        files = [p for p in (cache / "kernels").iterdir() if p.suffix in (".py", ".nbc")]
        problems += [f"{p.name} is damaged" for p in files if kernel_cache.read(p) is None]
        problems += [f"left {name}" for name in temporary_files(cache)]
        if not any(p.suffix == ".nbc" for p in files):
            problems.append("nothing was cached")
        outcome.add("two processes", f"attempt {n + 1}", problems)
    return outcome


def full_cache(times: int, folder: Path) -> Outcome:
    """Compute with the cache on disks with little space, and then with more."""
    outcome, expected = Outcome(), run(WORDS).out
    for n in range(times):
        with small_disk(folder / "disk", 1 << 22) as disk:
            if disk is None:
                outcome.notes.append("left out: mounting a small disk is not allowed here")
                return outcome
            leave = n * (1 << 17) // times
            fill(disk, leave)
            variables = {"MINITORCH_CACHE_DIR": str(disk)}
            first = run(WORDS, env=environment(**variables))
            problems = [] if first.out == expected else [f"printed {first.out!r}, expected {expected!r}"]
            warned = [line for line in first.err.splitlines() if line]
            if len(warned) != 1 or "cannot be cached" not in warned[0]:
                problems.append(f"expected one warning, got {first.err!r}")
            problems += [f"left {name}" for name in temporary_files(disk)]
            (disk / "ballast").unlink()
            again = run(WORDS, env=environment(**variables))
            if (again.out, again.err) != (expected, ""):
                problems.append(f"with more space: {again.out!r} {again.err!r}")
            outcome.add("full disk", f"{leave} bytes free", problems)
    return outcome
