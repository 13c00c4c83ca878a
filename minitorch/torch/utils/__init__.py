"""``torch.utils``: ``data``; ``tensorboard`` is imported by those who have tensorboardX."""

from . import data

__all__ = ["data"]
