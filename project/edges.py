"""Filters a picture by edge detectors set by hand: `minitorch edges`."""

import sys

from cli import run_command
from minitorch.cli.edges import main

if __name__ == "__main__":
    sys.exit(run_command(main))
