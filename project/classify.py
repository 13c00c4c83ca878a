"""Names what pictures show, by a trained network: `minitorch classify`."""

import sys

from cli import run_command
from minitorch.cli.classify import main

if __name__ == "__main__":
    sys.exit(run_command(main))
