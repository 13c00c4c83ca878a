"""Trains a convolutional network on handwritten digits or Fashion-MNIST: `minitorch mnist`."""

import sys

from cli import run_command
from minitorch.cli.mnist import main

if __name__ == "__main__":
    sys.exit(run_command(main))
