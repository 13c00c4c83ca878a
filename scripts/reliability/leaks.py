"""What a long training must not lose: descriptors, threads, memory."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .experiment import Outcome, environment, run

# Trains on batches whose size, height and width change with each step. Prints memory in KiB, descriptors and threads
# after the first tenth, when kernels are compiled and buffers are as large as they become, and at the end.
PROGRAM = """
import json, os, random, sys
import numpy as np
import minitorch as mt
steps = int(sys.argv[1])
mt.set_default_dtype("float32")
mt.manual_seed(0)
model = mt.Sequential(mt.Conv2d(2, 8, 3, padding=1), mt.BatchNorm2d(8), mt.ReLU(), mt.MaxPool2d(2),
                      mt.AdaptiveAvgPool2d(2), mt.Dropout(0.1), mt.Flatten(), mt.Linear(32, 5))
optimizer = mt.Adam(model.parameters(), 0.001)
draw = random.Random(0)

def measure():
    with open("/proc/self/status") as file:
        status = dict(line.split(":", 1) for line in file)
    return [int(status["VmRSS"].split()[0]), len(os.listdir("/proc/self/fd")), int(status["Threads"])]

found = []
for step in range(1, steps + 1):
    n, h, w = draw.randint(1, 24), draw.randint(6, 24), draw.randint(6, 24)
    images = np.ones((n, 2, h, w), "float32") * draw.random()
    loss = mt.cross_entropy(model(mt.tensor(images)), [draw.randrange(5) for _ in range(n)])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step == 2:  # largest shapes first, so that buffers do not grow later
        model(mt.tensor(np.ones((24, 2, 24, 24), "float32"))).sum().backward()
    if step in (max(steps // 10, 2), steps):
        found.append(measure())
print(json.dumps(found))
"""
MOST_GROWTH = 16 << 10  # KiB: the allocator of the C library keeps parts of pages


def long_training(times: int, folder: Path) -> Outcome:
    """Train for ``times`` steps and compare memory, descriptors and threads with those after a tenth of them."""
    outcome = Outcome()
    if not Path("/proc/self/status").exists():
        outcome.notes.append("left out: this system has no /proc")
        return outcome
    done = run([sys.executable, "-c", PROGRAM, str(times)], env=environment(), cwd=folder)
    if done.status != 0:
        outcome.add("memory", f"{times} steps", [done.err[-500:]])
        return outcome
    early, late = json.loads(done.out)
    growth = late[0] - early[0]
    grown = [f"it grew by {growth} KiB"] if growth > MOST_GROWTH else []
    outcome.add("memory", f"{times} steps", grown)
    for n, name in ((1, "descriptors"), (2, "threads")):
        outcome.add(name, f"{times} steps", [f"{early[n]}, then {late[n]}"] if late[n] > early[n] else [])
    outcome.notes.append(
        f"{times} steps: {early[0] >> 10} MiB after a tenth of them, {late[0] >> 10} MiB at the end; "
        f"{late[1]} descriptors and {late[2]} threads"
    )
    return outcome
