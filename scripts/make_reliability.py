"""Runs the experiments of docs/reliability.md for real, with child processes, and writes its tables.

    python scripts/make_reliability.py                        # all of them: half an hour on two free cores
    python scripts/make_reliability.py --only stopped_trainings --times 20
    python scripts/make_reliability.py --dry --times 2        # print only

The counts go to docs/results/reliability.json; an experiment that is left out keeps its row. Exit status 1: something
did not hold.
"""

from __future__ import annotations

import functools
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "docs"), str(ROOT / "scripts")]  # this file is in no package

from fill_readme import RELIABILITY, fill, reliability  # noqa: E402

from minitorch.cli.common import Parser, count, run_command  # noqa: E402
from minitorch.train.run_dir import write_json  # noqa: E402
from reliability import cache, damage, disks, leaks, stops  # noqa: E402
from reliability.experiment import Experiment, Outcome  # noqa: E402

EXPERIMENTS = {
    "stopped_trainings": Experiment(
        "SIGKILL, and as often SIGINT, SIGTERM and SIGHUP in turn, at random moments of a training with checkpoints",
        "every file loads; a signal other than SIGKILL leaves no temporary file; the resumed run has the bytes of one "
        "that was not stopped; no temporary file is left then",
        200,
        stops.stopped_trainings,
    ),
    "stopped_scripts": Experiment(
        "SIGINT and SIGTERM in turn at random moments of each script and command",
        "exit status 130 or 143, or ended by the signal during the imports; no traceback, no temporary file, every "
        "file loads",
        50,
        stops.stopped_scripts,
    ),
    "stopped_commands": Experiment(
        "the same with commands beside the course's scripts",
        "the same",
        20,
        functools.partial(stops.stopped_scripts, given=stops.COMMANDS),
    ),
    "full_disk": Experiment(
        "a training on a small disk (tmpfs) with less and less space",
        "one line and exit status 2; no temporary file; files from before stay and load; it can be resumed with more "
        "space, with the same bytes",
        20,
        disks.full_disk,
    ),
    "read_only": Experiment(
        "commands that write to read-only folders",
        "one line that names the folder and exit status 2; nothing has changed; a read-only cache is one warning",
        2,
        disks.read_only,
    ),
    "lost_output": Experiment(
        "stdout and stderr are a closed pipe, a full disk or closed",
        "one line and exit status 2, without a traceback; closed streams are as /dev/null",
        1,
        disks.lost_output,
    ),
    "damaged_files": Experiment(
        "data, weights, checkpoints and kernels, cut and changed in every region",
        "one error that names the file, or arrays of the right sizes; a refused checkpoint changes nothing",
        300,
        damage.damaged_files,
    ),
    "damaged_runs": Experiment(
        "`compare`, `replay` and `--resume` with a folder of a run in which one file is damaged",
        "it works, or one line and exit status 2; the folder stays as it was",
        len(damage.DAMAGES),
        damage.damaged_runs,
    ),
    "cold_cache": Experiment(
        "two processes on one empty kernel cache at once, then a third",
        "the same numbers, no warning, every file of the cache whole",
        5,
        cache.cold_cache,
    ),
    "full_cache": Experiment(
        "the kernel cache on a small disk (tmpfs) with little space",
        "the same numbers and one warning; with more space it is used again",
        5,
        cache.full_cache,
    ),
    "long_training": Experiment(
        "5,000 training steps on batches of varying shapes",
        "no more descriptors and threads than after 500 steps; memory grows by less than 16 MiB",
        5000,
        leaks.long_training,
    ),
}


def describe_outcome(name: str, outcome: Outcome, times: int, seconds: float) -> dict[str, object]:
    """Return the record of an experiment for the file of results."""
    experiment = EXPERIMENTS[name]
    return {
        "title": experiment.title,
        "promise": experiment.promise,
        "times": times,
        **vars(outcome),
        "seconds": round(seconds),
        "date": time.strftime("%Y-%m-%d"),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the experiments; return 1 if something did not hold."""
    parser = Parser(__doc__)
    parser.add_argument(
        "--only", choices=list(EXPERIMENTS), action="append", help="may be given several times"
    )
    parser.add_argument(
        "--times", metavar="N", type=count, help="how often; default: that of the full version"
    )
    parser.add_argument("--dry", action="store_true", help="write nothing")
    args = parser.parse_args(arguments)
    os.environ["MINITORCH_BACKEND"] = "fast"
    # A shell that starts a job in the background lets it ignore Ctrl-C; what is stopped here must not inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    good = True
    for name in args.only or EXPERIMENTS:
        times, began = args.times or EXPERIMENTS[name].times, time.perf_counter()
        print(f"{name}, {times} times", flush=True)
        folder = Path(tempfile.mkdtemp(prefix=f"minitorch-{name}-"))
        try:
            outcome = EXPERIMENTS[name].run(times, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        seconds = time.perf_counter() - began
        print(
            f"    held {outcome.held} of {outcome.tried}, {seconds:.0f} s",
            *outcome.notes,
            sep="\n    ",
            flush=True,
        )
        good = good and outcome.held == outcome.tried
        if not args.dry:
            known = json.loads(RELIABILITY.read_text(encoding="utf-8")) if RELIABILITY.exists() else {}
            known[name] = describe_outcome(name, outcome, times, seconds)
            write_json(RELIABILITY, {key: known[key] for key in EXPERIMENTS if key in known})
            fill(ROOT / "docs" / "reliability.md", reliability())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(run_command(main))
