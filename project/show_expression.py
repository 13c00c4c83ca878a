"""Draws the graph of a small expression: `minitorch graph`."""

import sys

from cli import run_command
from minitorch.cli.graph import main

if __name__ == "__main__":
    sys.exit(run_command(main))
