"""Checks the gradients of layers: `minitorch gradcheck`."""

import sys

from cli import run_command
from minitorch.cli.gradcheck import main

if __name__ == "__main__":
    sys.exit(run_command(main))
