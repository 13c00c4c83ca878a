"""`python -m minitorch`: the tour; with words after it, the command that `minitorch` runs with them."""

from __future__ import annotations

import atexit
import gc
import sys

from .cli.main import main

if __name__ == "__main__":
    atexit.register(gc.freeze)  # see `minitorch_command`
    sys.exit(main(sys.argv[1:] or ["tour"]))
