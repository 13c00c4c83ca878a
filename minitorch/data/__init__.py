"""Image data: sets by name (`mnist`, `cifar10`, ...), Dataset, splits, samplers and DataLoader, on NumPy arrays."""

from .dataset import Dataset, one_hot, random_split
from .download import DataError
from .image_sets import cifar10, digits, fashion_mnist, mnist
from .loader import DataLoader
from .samplers import SubsetRandomSampler, WeightedRandomSampler

__all__ = [
    "DataError",
    "DataLoader",
    "Dataset",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
    "cifar10",
    "digits",
    "fashion_mnist",
    "mnist",
    "one_hot",
    "random_split",
]
