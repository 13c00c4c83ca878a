"""Check and time the CUDA backend on a GPU, in stages that each leave a log and a JSON file.

    PYTHONPATH=. python scripts/gpu_day.py look tests train --out results
    PYTHONPATH=. python scripts/gpu_day.py --rehearse          # all stages in Numba's simulator, tiny sizes
    PYTHONPATH=. python scripts/gpu_day.py pack data/mnist     # a small MNIST that can be copied along

Each stage runs in a process of its own with a time limit. A stage that fails, crashes or is cut does not stop the next
one, and what it had found is in its JSON file. A check that loses the CUDA context (an illegal address, say) or hangs
costs only itself: the stage goes on in a new process with the next check.

Exit status: 0 if every stage passed, 1 if one did not, 2 for wrong arguments or if there is no GPU.
This file needs the standard library only; the checks are in `gpu_checks`.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gzip
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

from gpu_checks import report  # noqa: E402 - found through the line above

# Seconds that a stage may take; the order is that in which stages run by default.
LIMITS = {"look": 45, "tests": 130, "train": 75, "replay": 75, "bench": 100, "tune": 90, "sanitize": 90}
PACK_LIMIT = 12 << 20  # bytes of a packed MNIST subset
IDX_FILES = {  # name: dimensions
    "train-images-idx3-ubyte": 3,
    "train-labels-idx1-ubyte": 1,
    "t10k-images-idx3-ubyte": 3,
    "t10k-labels-idx1-ubyte": 1,
}


class Arguments(argparse.ArgumentParser):
    """A parser whose errors are one line, with exit status 2."""

    def error(self, message: str) -> NoReturn:
        """See `argparse.ArgumentParser.error`."""
        stop(message)


def stop(message: str) -> NoReturn:
    """End with one line and exit status 2."""
    print(f"gpu_day.py: {message}", file=sys.stderr)
    raise SystemExit(2)


def gpu_present() -> bool:
    """Ask the driver whether there is a GPU, without creating a context."""
    with contextlib.suppress(OSError):
        driver, count = ctypes.CDLL("libcuda.so.1"), ctypes.c_int(0)
        return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
    return False


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; wrong ones end the program."""
    parser = Arguments(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"of {', '.join(LIMITS)}; default: all")
    parser.add_argument(
        "--out", type=Path, default=os.environ.get("OUT"), help="folder for logs and JSON; default: $OUT"
    )
    parser.add_argument("--data", type=Path, help="folder with MNIST (IDX files, packed or not)")
    parser.add_argument("--limit", action="append", default=[], metavar="STAGE=SECONDS")
    parser.add_argument(
        "--rehearse", action="store_true", help="tiny sizes in Numba's simulator, no GPU needed"
    )
    parser.add_argument("--child", choices=LIMITS, help=argparse.SUPPRESS)
    parser.add_argument("--skip", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    for stage in options.stages:
        if stage not in LIMITS:
            stop(f"unknown stage {stage!r}: expected {', '.join(LIMITS)}")
    options.stages = options.stages or list(LIMITS)
    options.limits = dict(LIMITS)
    for text in options.limit:
        stage, _, seconds = text.partition("=")
        if stage not in LIMITS or not seconds.replace(".", "", 1).isdigit():
            stop(f"--limit {text}: expected STAGE=SECONDS, where STAGE is one of {', '.join(LIMITS)}")
        options.limits[stage] = float(seconds)
    options.out = (options.out or Path("runs/gpu_day")).resolve()
    return options


def environment(options: argparse.Namespace) -> dict[str, str]:
    """Return the environment of the stages."""
    found = dict(os.environ)
    paths = [str(ROOT), str(HERE), str(ROOT / "benchmarks"), *filter(None, [found.get("PYTHONPATH")])]
    found["PYTHONPATH"] = os.pathsep.join(paths)
    found["PYTHONUNBUFFERED"] = found["PYTHONFAULTHANDLER"] = "1"
    found["NUMBA_CUDA_LOW_OCCUPANCY_WARNINGS"] = "0"
    found["NUMBA_ENABLE_CUDASIM"] = "1" if options.rehearse else "0"
    found["MINITORCH_CUDA_TESTS"] = "sim" if options.rehearse else "gpu"
    if options.data:
        found["MINITORCH_DATA"] = str(options.data.resolve())
    return found


@contextlib.contextmanager
def ended_with_us(process: subprocess.Popen[str]) -> Iterator[None]:
    """Kill a process and its children when the block ends, and when this program is told to end."""

    def end(*_: Any) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    def end_all(number: int, frame: Any) -> None:
        end()
        raise SystemExit(128 + number)

    before = {n: signal.signal(n, end_all) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        end()
        process.wait()
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def losses_of_the_cpu(options: argparse.Namespace) -> Iterator[None]:
    """Compute, beside the stages, what stage train compares with; a variable names the file."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        if "train" in options.stages:
            target = Path(folder) / "losses.json"
            os.environ[report.REFERENCE] = str(target)
            backend, tiny = ("simple", "1") if options.rehearse else ("fast", "0")
            command = [sys.executable, "-m", "gpu_checks.train", backend, tiny, str(target)]
            beside = subprocess.Popen(
                command, cwd=ROOT, env=environment(options), text=True, preexec_fn=os.setpgrp
            )
            stack.enter_context(ended_with_us(beside))
        yield


def command_of(stage: str, options: argparse.Namespace, skip: int) -> list[str]:
    """Return the command that runs the checks of a stage after the first ``skip``."""
    command = [sys.executable, __file__, "--child", stage, "--out", str(options.out), "--skip", str(skip)]
    return [*command, "--limit", f"{stage}={options.limits[stage]}", *["--rehearse"] * options.rehearse]


def run_child(stage: str, options: argparse.Namespace, skip: int, seconds: float) -> int | None:
    """Run the checks of a stage after the first ``skip``; return the exit status, or None if it was cut."""
    process = subprocess.Popen(
        command_of(stage, options, skip), cwd=ROOT, env=environment(options), text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=os.setpgrp,
    )  # fmt: skip

    def copy_output() -> None:
        assert process.stdout is not None
        with process.stdout as lines, (options.out / f"{stage}.log").open("a") as log:
            for line in lines:
                log.write(line)
                log.flush()
                print(f"{stage}: {line}", end="", flush=True)

    reader = threading.Thread(target=copy_output, daemon=True)
    with ended_with_us(process):
        reader.start()
        try:
            status: int | None = process.wait(max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            status = None
    reader.join(10)
    return status


def last_line(log: Path) -> str:
    """Return the last line of a log that says something."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    hang = next((line for line in reversed(lines[-200:]) if line.startswith("Timeout (")), None)
    return hang or (lines[-1][:300] if lines else "no output")


def run_stage(stage: str, options: argparse.Namespace) -> dict[str, Any]:
    """Run a stage to its end or limit, in several processes if checks kill them; return what its JSON file holds."""
    start, skip, limit = time.monotonic(), 0, options.limits[stage]
    path, log = options.out / f"{stage}.json", options.out / f"{stage}.log"
    for old in (path, log):
        old.unlink(missing_ok=True)
    log.touch()
    state = report.empty_state(stage, options.rehearse)
    report.write(path, state)
    while True:
        status = run_child(stage, options, skip, limit - (time.monotonic() - start))
        state = json.loads(path.read_text())
        index, current = state["index"], state["current"]
        if status is None:
            state["status"] = "cut"
            where = current or ("its start" if index < 0 else "its end")
            state["headline"] = f"cut after {limit:g} s in {where}; {report.counts(state)}"
            break
        if status == 0:
            break
        if current is None or index < skip:  # nothing to go on with
            state["status"] = "failed"
            state["headline"] = f"ended with status {status}: {last_line(log)}"
            break
        if status != report.CONTEXT_LOST:
            message = f"the process ended with status {status}: {last_line(log)}"
            state["rows"].append({"check": current, "status": "failed", "message": message})
        skip = index + 1
        report.write(path, state)
    for rest in options.out.glob("*.tmp"):  # of a process that was killed
        with log.open("a") as whole:
            whole.write(f"--- {rest.name}\n{rest.read_text(errors='replace')}\n")
        rest.unlink()
    state["seconds"] = round(time.monotonic() - start, 1)
    report.write(path, state)
    return state


def pack(folder: Path, data: Path, train: int = 20_000, test: int = 4_000) -> int:
    """Write the first images of MNIST into ``folder`` as packed IDX files, and return their size in bytes."""
    places = [data, data / "mnist"]
    folder.mkdir(parents=True, exist_ok=True)
    size = 0
    for name, dims in IDX_FILES.items():
        found = [p / f for p in places for f in (name, f"{name}.gz") if (p / f).is_file()]
        if not found:
            stop(f"pack: {name} is neither in {places[0]} nor in {places[1]}")
        content = (
            gzip.decompress(found[0].read_bytes()) if found[0].suffix == ".gz" else found[0].read_bytes()
        )
        count = min(train if name.startswith("train") else test, int.from_bytes(content[4:8], "big"))
        each = 28 * 28 if dims == 3 else 1
        header = content[:4] + count.to_bytes(4, "big") + content[8 : 4 + 4 * dims]
        start = 4 + 4 * dims
        target = folder / f"{name}.gz"
        target.write_bytes(gzip.compress(header + content[start : start + count * each], 9, mtime=0))
        size += target.stat().st_size
    if size > PACK_LIMIT:
        stop(f"pack: {size / 2**20:.1f} MiB in {folder}, more than {PACK_LIMIT >> 20}")
    return size


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stages that were asked for; return the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["pack"]:
        data = os.environ.get("MINITORCH_DATA")
        if len(given) != 2 or not data:
            stop("pack takes one folder to write to, and reads MNIST from $MINITORCH_DATA")
        print(f"{given[1]}: {pack(Path(given[1]), Path(data)) / 2**20:.1f} MiB")
        return 0
    options = parse(given)
    if options.child:
        return report.run(importlib.import_module(f"gpu_checks.{options.child}"), options)
    if not options.rehearse and not gpu_present():
        stop("there is no GPU (--rehearse runs the checks in Numba's simulator)")
    options.out.mkdir(parents=True, exist_ok=True)
    with losses_of_the_cpu(options):
        found = [run_stage(stage, options) for stage in options.stages]
    names = ("stage", "status", "seconds", "headline")
    table = report.table([{name: state[name] for name in names} for state in found])
    report.write(options.out / "summary.json", {state["stage"]: state["status"] for state in found})
    print(f"\n{'Rehearsal in the simulator: no figure below is a result.' * options.rehearse}\n{table}")
    return int(any(state["status"] != "ok" for state in found))


if __name__ == "__main__":
    raise SystemExit(main())
