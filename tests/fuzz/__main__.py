"""``python -m tests.fuzz``: run many random programs in child processes, and count.

A child that ends by a signal, or that gives no result for too long, is a failure of the program that it ran. Exit
status: 0; 1 where a program failed; 2 for bad arguments.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

CHUNK = 1000  # programs of a child
SECONDS = 400  # for one program
MEMORY = 8 << 30  # bytes that a child may take
LOCK = threading.Lock()
PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- programs -->", "<!-- end programs -->"


def child(first: int, count: int, backends: list[str]) -> None:
    """Run programs, and print one line of JSON before and after each."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    if "cuda" in backends:
        os.environ["NUMBA_ENABLE_CUDASIM"], os.environ["NUMBA_CUDA_LOW_OCCUPANCY_WARNINGS"] = "1", "0"
        from ..support import strict_simulator

        strict_simulator.install()
    from . import runner

    for seed in range(first, first + count):
        print(json.dumps({"starts": seed}), flush=True)
        steps, outcomes, problem = runner.check(seed, backends)
        found: dict[str, Any] = {"seed": seed, "steps": len(steps)}
        found["operations"] = collections.Counter(step.op for step in steps)
        found["errors"] = sum(o.status not in ("value", "skipped") for o in outcomes)
        if problem is not None:
            small = runner.smaller(steps, backends)
            found["problem"] = problem._asdict()
            found["program"] = runner.text(small)
            found["last"] = str(runner.problem(small, backends))
        print(json.dumps(found), flush=True)


def keep(found: dict[str, Any], results: list[dict[str, Any]], file: Path | None) -> None:
    """Add a result to the list and to the file."""
    results.append(found)
    if file is not None:
        with LOCK, file.open("a") as lines:
            lines.write(json.dumps(found) + "\n")


def run_chunk(
    first: int, last: int, backends: list[str], results: list[dict[str, Any]], file: Path | None
) -> None:
    """Run the seeds from ``first`` to before ``last`` in children; after a crash, go on behind its seed."""
    known = {r["seed"] for r in results}
    while first in known:
        first += 1
    while first < last:
        command = [sys.executable, "-m", "tests.fuzz", "--child", str(first), str(last - first)]
        process = subprocess.Popen(
            [*command, "--backends", ",".join(backends)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        current, beat = first, [time.monotonic()]

        def watch(process: Any = process, beat: list[float] = beat) -> None:
            while process.poll() is None:
                if time.monotonic() - beat[0] > SECONDS:
                    process.send_signal(signal.SIGKILL)
                time.sleep(1)

        threading.Thread(target=watch, daemon=True).start()
        errors: list[str] = []
        reader = threading.Thread(target=lambda: errors.extend(process.stderr), daemon=True)  # noqa: B023
        reader.start()
        for line in process.stdout or ():
            beat[0] = time.monotonic()
            found = json.loads(line)
            current = found.get("starts", current)
            if "seed" in found:
                first = current + 1
                report(found)
                keep(found, results, file)
                if len(results) % 500 == 0:
                    print(f"{len(results)} programs", file=sys.stderr, flush=True)
        status = process.wait()
        reader.join(5)
        if first < last:
            text = f"the process ended with status {status}: {''.join(errors)[-400:]}"
            crashed = {"seed": current, "steps": 0, "operations": {}, "errors": 0}
            crashed["problem"] = {"backend": ",".join(backends), "step": -1, "text": text}
            report(crashed)
            keep(crashed, results, file)
            first = current + 1


def report(found: dict[str, Any]) -> None:
    """Print a failure."""
    if "problem" in found:
        problem = found["problem"]
        print(
            f"seed {found['seed']}, step {problem['step']}, {problem['backend']}: {problem['text']}",
            flush=True,
        )
        if "program" in found:
            print(f"{found['program']}\n{found['last']}", flush=True)


def page(results: list[dict[str, Any]], backends: list[str], first: int) -> str:
    """Return the section of the page."""
    steps = sum(r["steps"] for r in results)
    errors = sum(r["errors"] for r in results)
    failed = [r["seed"] for r in results if "problem" in r]
    operations: collections.Counter[str] = collections.Counter()
    for r in results:
        operations.update(r["operations"])
    table = "".join(f"| `{name}` | {count:,} |\n" for name, count in operations.most_common())
    names = " and ".join(f"`{b}`" for b in backends)
    seeds = f"Seeds of those that failed: {', '.join(map(str, sorted(failed)))}.\n\n" if failed else ""
    return (
        f"{BEGIN}\n## Random programs\n\n"
        f"`python -m tests.fuzz --programs {len(results)} --seed {first} --backends simple,{','.join(backends)}` "
        "draws programs of random operations, shapes, strides, dtypes, settings (some of them wrong) and changes in "
        f"place. It runs each on `simple` (the reference) and on {names}, with bounds checks in all kernels of `fast`. "
        "Each step "
        "must give the result of the reference, within what rounding can change, or the same kind of error. An error "
        "must be raised by a check of the package, have a message of one line, and leave all numbers as they were. "
        "Left open: what a convolution gives where a weight is infinite or nan and its window reaches into the "
        "padding.\n\n"
        f"| programs | steps | steps that are errors, as they should be | programs that failed |\n"
        f"| --- | --- | --- | --- |\n| {len(results):,} | {steps:,} | {errors:,} | {len(failed)} |\n\n"
        f"{seeds}How often each operation ran:\n\n| operation | steps |\n| --- | --- |\n{table}{END}\n"
    )


def write(section: str) -> None:
    """Put the section into the page, in the place of the old one."""
    old = PAGE.read_text() if PAGE.exists() else ""
    if BEGIN in old and END in old:
        old = old[: old.index(BEGIN)] + section + old[old.index(END) + len(END) :].removeprefix("\n")
    else:
        old += section
    PAGE.write_text(old)


def main() -> int:
    """Read the arguments, and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--programs", type=int, default=200, help="how many programs")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--backends", default="simple,fast", help="a comma list of simple, fast, cuda")
    parser.add_argument("--jobs", type=int, default=1, help="child processes at a time")
    parser.add_argument(
        "--results", type=Path, help="a file that keeps each result; a later run goes on from it"
    )
    parser.add_argument("--write", action="store_true", help="write the counts into docs/reliability.md")
    parser.add_argument("--child", type=int, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    backends = [b for b in arguments.backends.split(",") if b != "simple"]
    if not set(backends) <= {"fast", "cuda"} or arguments.programs < 1 or arguments.jobs < 1:
        parser.error(
            f"expected backends among simple, fast, cuda, and numbers of at least 1, got {arguments}"
        )
    os.environ.setdefault("MINITORCH_DEBUG", "1")
    if arguments.child:
        child(*arguments.child, backends)
        return 0
    end = arguments.seed + arguments.programs
    results: list[dict[str, Any]] = []
    if arguments.results is not None and arguments.results.exists():
        results = [json.loads(line) for line in arguments.results.read_text().splitlines()]
        results = [r for r in results if arguments.seed <= r["seed"] < end]
    starts = list(range(arguments.seed, end, CHUNK))[::-1]

    def work() -> None:
        while starts:
            first = starts.pop()
            run_chunk(first, min(first + CHUNK, end), backends, results, arguments.results)

    workers = [threading.Thread(target=work) for _ in range(arguments.jobs)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    failed = sorted(r["seed"] for r in results if "problem" in r)
    print(
        f"{len(results)} programs, {sum(r['steps'] for r in results)} steps, {len(failed)} failed: {failed}"
    )
    if arguments.write:
        write(page(results, backends, arguments.seed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
