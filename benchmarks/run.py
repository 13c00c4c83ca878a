"""Runs all benchmarks, one after the other, and puts their tables into one page."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import harness

SCRIPTS = (
    "call_depth",
    "startup",
    "mnist",
    "training_step",
    "torch_module",
    "compiled_frameworks",
    "operations",
    "photographs",
    "oversubscription",
    "ablation",
    "dashboard",
)


def write_page() -> None:
    """Write results/README.md from results/*.json."""
    page = [
        "# Benchmark results",
        "",
        "Written by `make bench`; each table names the machine it was read on.",
    ]
    for path in sorted(harness.RESULTS.glob("*.json")):
        if path.with_suffix(".md").exists():  # has a page of its own
            continue
        found = json.loads(path.read_text())
        where = ", ".join(f"{k} {v}" for k, v in found["machine"].items())
        page += ["", f"## {path.stem}", "", where, "", harness.table(found["rows"])]
    (harness.RESULTS / "README.md").write_text("\n".join(page) + "\n")


def main() -> None:
    """Write results/*.json and results/README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about a minute in all")
    quick = ["--quick"] if parser.parse_args().quick else []
    folder = Path(__file__).parent
    for name in SCRIPTS:
        flags = [] if name == "call_depth" else quick
        subprocess.run([sys.executable, str(folder / f"{name}.py"), *flags], cwd=harness.ROOT, check=True)
    write_page()


if __name__ == "__main__":
    main()
