"""Compares the results of several runs: `minitorch compare`."""

import sys

from cli import run_command
from minitorch.cli.compare import main

if __name__ == "__main__":
    sys.exit(run_command(main))
