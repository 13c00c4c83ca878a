"""The networks of the scripts, one per file; ``IMAGE_MODELS`` names those that ``--model`` offers for digits.

They refuse to know data, training and files.
"""

from __future__ import annotations

from .cnn import CNN
from .lenet import LeNet

__all__ = ["CNN", "IMAGE_MODELS", "LeNet"]

IMAGE_MODELS: dict[str, type[LeNet] | type[CNN]] = {"lenet": LeNet, "cnn": CNN}
