"""Stage sanitize: the cases of `gpu_checks.kernels` under the tools of compute-sanitizer.

A tool that is missing, refused by the machine, or cut short leaves a row "not run" that says why: only a summary of the
tool itself counts as a verdict. In the simulator the cases run without a tool.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from .report import Check, NotRun, Row

CHECK_LIMIT = None  # the limit of the stage
FAULTS = 86  # exit status of a tool that found something
TOOLS = {
    "memcheck": "accesses beyond an allocation",
    "racecheck": "races in shared memory",
    "synccheck": "barriers that some threads miss",
}
PLACES = ("/usr/local/cuda/bin", "/usr/local/cuda/compute-sanitizer", "/opt/cuda/bin")
SUMMARY = re.compile(r"(?:ERROR SUMMARY|RACECHECK SUMMARY): (\d+) (?:errors?|hazards?)")
REFUSED = re.compile(
    r".*(?:not supported|Unable to|unable to|No attachable|Internal Sanitizer Error|Error: ).*"
)
CASES = re.compile(r"kernels: (\d+) of (\d+) cases are right")


def sanitizer() -> str:
    """Return where compute-sanitizer is."""
    found = shutil.which("compute-sanitizer") or shutil.which(
        "compute-sanitizer", path=os.pathsep.join(PLACES)
    )
    if found is None:
        raise NotRun(f"compute-sanitizer is neither on the PATH nor in {', '.join(PLACES)}")
    return found


def verdict(tool: str, output: str, status: int | None) -> Row:
    """Return what the output of a tool says.

    Raises:
        NotRun: It has no summary, or no kernel ran.
        AssertionError: The tool found faults, or a result was wrong.
    """
    summaries, cases = SUMMARY.findall(output), CASES.search(output)
    refused = next((line.strip("= \t") for line in output.splitlines() if REFUSED.match(line)), "")
    faults = sum(map(int, summaries))
    if summaries and faults:
        first = next((line.strip("= ") for line in output.splitlines() if "========= " in line and line[10:].strip()
                      and "COMPUTE-SANITIZER" not in line), "")  # fmt: skip
        raise AssertionError(f"{faults} faults; the first: {first}")
    if status is None:
        raise NotRun("cut by the limit: no verdict")
    if not summaries or cases is None:
        raise NotRun(f"no verdict, status {status}: {refused or output.strip()[-200:] or 'no output'}")
    if cases[1] != cases[2]:
        raise AssertionError(f"no faults, but only {cases[1]} of {cases[2]} cases are right: see the log")
    return {"faults": faults, "cases": int(cases[2])}


def checks(options: argparse.Namespace) -> list[Check]:
    """Return a check for each tool; all tools start together."""
    out, seconds = Path(options.out), 0.9 * options.limits["sanitize"]
    end = time.monotonic() + seconds
    running: dict[str, subprocess.Popen[str]] = {}
    kernels = [sys.executable, "-m", "gpu_checks.kernels"]

    def log_of(tool: str) -> Path:
        return out / f"sanitize.{tool}.tmp"

    def start(tool: str) -> None:
        if tool not in running:
            command = [
                sanitizer(),
                "--tool",
                tool,
                "--error-exitcode",
                str(FAULTS),
                "--print-limit",
                "20",
                *kernels,
            ]
            with log_of(tool).open("w") as log:
                running[tool] = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, text=True)

    def under(tool: str) -> Row:
        for name in list(TOOLS)[options.skip :]:
            start(name)
        try:
            status: int | None = running[tool].wait(max(end - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            status = None
            running[tool].kill()
        output = log_of(tool).read_text(errors="replace")
        log_of(tool).unlink()
        print(f"--- {tool}\n{output}", flush=True)
        return verdict(tool, output, status)

    def without(tool: str) -> Row:
        if tool != "memcheck":
            raise NotRun("the simulator has no compute-sanitizer")
        done = subprocess.run([*kernels, "--tiny"], capture_output=True, text=True, check=False)
        print(done.stdout + done.stderr, flush=True)
        cases = CASES.search(done.stdout)
        if done.returncode or cases is None:
            raise AssertionError(
                f"the cases ended with status {done.returncode}: {done.stdout.strip()[-200:]}"
            )
        return {"tool": "none: simulator", "cases": int(cases[2])}

    run = without if options.rehearse else under
    options.report.state["device"] = "simulator" if options.rehearse else "see stage look"
    return [(tool, lambda tool=tool: run(tool)) for tool in TOOLS]  # type: ignore[misc]


def headline(rows: list[Row]) -> str:
    """Return the stage in one line; a tool that did not run is never called clean."""
    told = []
    for row in rows:
        if row["status"] == "ok":
            told.append(
                f"{row['check']}: " + ("no tool, simulator" if "tool" in row else f"{row['faults']} faults")
            )
        else:
            told.append(f"{row['check']}: {row['status']}, {row.get('message', '')[:80]}")
    return "; ".join(told)
