"""Trains a convolutional network to tell good opinions from bad ones: `minitorch sentiment`."""

import sys

from cli import run_command
from minitorch.cli.sentiment import main

if __name__ == "__main__":
    sys.exit(run_command(main))
