"""The console command `minitorch`, as it is installed: imports the package and runs `minitorch.cli.main`.

It stands beside the package, because importing the package takes a second or two and may fail: a wrong
MINITORCH_BACKEND is one line, and Ctrl-C ends the process without a traceback.
"""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Run the command line and return the exit status."""
    # Nothing has to be cleaned up yet. `run_command` handles Ctrl-C once there is.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        from minitorch.cli.main import main as run
    except ValueError as error:
        print(f"minitorch: {error}", file=sys.stderr)
        return 2
    return run()


if __name__ == "__main__":
    sys.exit(main())
