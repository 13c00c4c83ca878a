"""Downloads an image set and checks it.

    minitorch data mnist
    minitorch data cifar10 --root data

The same as ``python -m minitorch.data``.
"""

from __future__ import annotations
