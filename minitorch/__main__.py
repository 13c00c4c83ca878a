"""`python -m minitorch`: the tour; with words after it, the command that `minitorch` runs with them."""

from __future__ import annotations

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["tour"]))
