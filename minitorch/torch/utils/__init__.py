"""``torch.utils``: ``data``, ``checkpoint``; ``tensorboard`` is imported by those who have tensorboardX."""

from . import checkpoint, data

__all__ = ["checkpoint", "data"]
