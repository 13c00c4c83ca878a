"""Downloads an image set and checks it.

    minitorch data mnist
    minitorch data cifar10 --root data

The same as ``python -m minitorch.data``.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..data import __main__ as image_sets


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch an image set and check it; return the exit status."""
    return image_sets.main(arguments, prog="minitorch data")
