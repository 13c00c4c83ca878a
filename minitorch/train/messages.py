"""How training code reports to its user: an error that ends a run, and lines on stderr.

Depends on the standard library only.
"""

from __future__ import annotations

import sys


class UsageError(Exception):
    """What was asked for cannot be done. The message is one line for the user; commands print it and exit with 2."""


def notice(message: str) -> None:
    """Print a line that is not a result: on stderr, at once."""
    print(message, file=sys.stderr, flush=True)
