"""Trains a convolutional network on CIFAR-10: `minitorch cifar10`."""

import sys

from cli import run_command
from minitorch.cli.cifar10 import main

if __name__ == "__main__":
    sys.exit(run_command(main))
