"""Shows a finished run on a visdom server: `minitorch replay`."""

import sys

from cli import run_command
from minitorch.cli.replay import main

if __name__ == "__main__":
    sys.exit(run_command(main))
