"""Processes that are killed or stopped at random moments: trainings, and every script of the course."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .experiment import (
    ROOT,
    Ended,
    Outcome,
    command,
    environment,
    run,
    temporary_files,
    unreadable,
)
from .training import (
    KILL,
    STOPS,
    contents,
    forked,
    killed_after,
    random_delays,
    reference,
    status_of,
    train_forked,
)

SMALL = ("--dataset", "digits", "--limit", "100", "--batch-size", "50", "--epochs", "2", "--dashboard", "off")
TOYS = ("--EPOCHS", "20", "--PTS", "20", "--dashboard", "off")
# Each script with flags for a run of a few seconds; DIR is an empty folder, RUN the folder of a finished run.
SCRIPTS: dict[str, tuple[str, ...]] = {
    "run_manual": (*("--dashboard", "off"), "--out", "DIR"),
    "run_scalar": (*TOYS, "--out", "DIR"),
    "run_tensor": (*TOYS, "--out", "DIR"),
    "run_fast_tensor": (*TOYS, "--out", "DIR"),
    "run_torch": (*TOYS, "--out", "DIR"),
    "run_mnist_multiclass": (*SMALL, "--out", "DIR"),
    "run_cifar10": (*("--limit", "100", "--epochs", "1", "--batch-size", "50"), "--dashboard", "off", "--out", "DIR"),
    "pynet": ("--limit", "100", "--epochs", "1"),
    "show_expression": ("--dashboard", "off", "--out", "DIR/expression.svg"),
    "compare": ("RUN", "--out", "DIR/compared.png"),
    "replay": ("RUN", "--dashboard", "http://127.0.0.1:9"),
    "gradient_checker": (),
    "sanity": (),
    "parallel_check": (),
    "warmup": (),
    "data": ("mnist", "--root", "DIR"),
}  # fmt: skip
PICTURE = str(ROOT / "docs" / "images" / "filters.png")
# Commands beside the course's scripts; see `SCRIPTS`.
COMMANDS: dict[str, tuple[str, ...]] = {
    "classify": (PICTURE, "--model", "lenet", "--weights", "RUN", "--out", "DIR/named.png"),
    "edges": (PICTURE, "--out", "DIR/edges.png"),
    "export": ("RUN", "DIR/model.onnx"),
    "sentiment": ("--epochs", "1", "--limit", "100", "--dashboard", "off", "--out", "DIR"),
    "study": (
        "cifar10",
        "--runs",
        "none",
        "flip",
        "--seeds",
        "1",
        "--epochs",
        "1",
        "--limit",
        "100",
        "--out",
        "DIR",
    ),
    "tour": (),
    "course": ("new", "0", "DIR/module0"),
}


def in_a_fork(work: Callable[[Outcome], None]) -> Outcome:
    """Do some work in a forked process, whose kernels are serial as those of its own forks; return its outcome."""
    import json
    import os

    read, write = os.pipe()

    def inside() -> int:
        os.close(read)
        outcome = Outcome()
        work(outcome)
        with open(write, "w", encoding="utf-8") as pipe:
            json.dump(vars(outcome), pipe)
        return 0

    process = forked(inside)
    os.close(write)
    with open(read, encoding="utf-8") as pipe:
        text = pipe.read()
    if status_of(process) != 0 or not text:
        raise RuntimeError("the experiment itself failed, see above")
    return Outcome(**json.loads(text))


def stopped_trainings(times: int, folder: Path) -> Outcome:
    """Kill trainings with SIGKILL, and stop others with SIGINT, SIGTERM and SIGHUP; resume each."""

    def work(outcome: Outcome) -> None:
        expected, seconds = reference(folder / "reference")
        delays = random_delays(2 * times, seconds, 0)
        left = 0
        for n, delay in enumerate(delays):
            number = KILL if n < times else STOPS[n % len(STOPS)]
            one = folder / f"{n:04d}"
            status = killed_after(one, number, delay)
            before = temporary_files(one)
            left += bool(before)
            problems = unreadable(one)
            if number != KILL:
                problems += [f"left {name}" for name in before]
                if status not in (0, 128 + number, -number):
                    problems.append(f"ended with status {status}")
                if "Traceback" in one.with_suffix(".err").read_text():
                    problems.append("a traceback")
            resumed = status_of(train_forked(one, one.with_suffix(".err")))
            if resumed != 0:
                problems.append(
                    f"resuming ended with {resumed}: {one.with_suffix('.err').read_text()[-300:]}"
                )
            found = contents(one)
            problems += [
                f"{name} differs after resuming" for name in expected if found.get(name) != expected[name]
            ]
            problems += [f"{name} is still there" for name in temporary_files(one)]
            name = signal.Signals(number).name
            outcome.add(name, f"after {delay:.3f} of {seconds:.3f} s", problems)
            shutil.rmtree(one, ignore_errors=True)
            if (n + 1) % 50 == 0:
                print(f"    {n + 1} of {len(delays)}", flush=True)
        outcome.notes.append(
            f"{left} of {len(delays)} trainings left a temporary file; the next start deleted it"
        )

    return in_a_fork(work)


def stopped_scripts(times: int, folder: Path, given: Mapping[str, Sequence[str]] = SCRIPTS) -> Outcome:
    """Stop each script of ``given``, which has its flags, with SIGINT and SIGTERM in turn at random moments."""
    outcome, draw = Outcome(), random.Random(1)
    finished = folder / "finished"
    if any("RUN" in flags for flags in given.values()):
        made = run(command("mnist", *SMALL, "--quiet", "--out", finished))
        if made.status != 0:
            raise RuntimeError(f"the run that the scripts read was not made: {made.err}")
    early = 0
    for name, flags in given.items():
        whole = _start(name, flags, folder / f"{name}-whole", finished, None, 0.0)
        if whole.status not in (0, 1, 2):
            raise RuntimeError(f"{name} ended with status {whole.status}: {whole.err}")
        for n in range(times):
            number = (signal.SIGINT, signal.SIGTERM)[n % 2]
            delay = draw.uniform(0.0, whole.seconds)
            one = folder / f"{name}-{n}"
            ended = _start(name, flags, one, finished, number, delay)
            # Before a script has imported `signal`, which takes milliseconds, Python itself prints a traceback.
            ours = "minitorch" in ended.err or "project/" in ended.err
            if "Traceback" in ended.err and (not ours or "import signal" in ended.err):
                early += 1
                ended = Ended(-number, "", "", ended.seconds)
            problems = ended.problems(whole.status, 128 + number, -number)
            problems += unreadable(one) + [f"left {path}" for path in temporary_files(one)]
            outcome.add(name, f"{number.name} after {delay:.2f} of {whole.seconds:.2f} s", problems)
            shutil.rmtree(one, ignore_errors=True)
        print(f"    {name}: {outcome.parts[name]} in runs of {whole.seconds:.1f} s", flush=True)
    outcome.notes.append(
        f"{early} of these signals came before a script had imported `signal`: Python printed a traceback. They are "
        "counted as held"
    )
    return outcome


def _start(
    name: str, flags: Sequence[str], folder: Path, finished: Path, number: int | None, delay: float
) -> Ended:
    folder.mkdir(parents=True, exist_ok=True)
    words = command(name, *(flag.replace("DIR", str(folder)).replace("RUN", str(finished)) for flag in flags))
    if number is None:
        return run(words, cwd=folder)
    pipe, began = subprocess.PIPE, time.perf_counter()
    started = subprocess.Popen(
        words, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
    )
    try:
        out, err = started.communicate(timeout=delay)
    except subprocess.TimeoutExpired:
        started.send_signal(number)
        out, err = started.communicate(timeout=300)
    return Ended(started.returncode, out, err, time.perf_counter() - began)
