"""torchvision's surface over `minitorch.data` and `minitorch.vision`: data sets, transforms, grids, models."""

from . import datasets, models, transforms, utils

__all__ = ["datasets", "models", "transforms", "utils"]
