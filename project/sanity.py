"""Checks that a network can learn before hours are spent on it: `minitorch sanity`."""

import sys

from cli import run_command
from minitorch.cli.sanity import main

if __name__ == "__main__":
    sys.exit(run_command(main))
