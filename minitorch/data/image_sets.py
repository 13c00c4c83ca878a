"""The image sets by name, and the one door to what feeds a model: Dataset, splits, samplers, DataLoader. Common splits, one line each:

    train, valid = random_split(train, [50_000, 10_000])                     # of the training images
    valid, test = random_split(test, [6_500, 3_500])                         # of the 10,000 test images
    train, valid, _ = random_split(train, [49_000, 1_000, len(train) - 50_000])
    test = test.subset(range(1_000))                                         # the first 1,000

``python -m minitorch.data {mnist,fashion,cifar10} [--root DIR]`` fetches a set.
"""

from __future__ import annotations

import numpy as np
import os
from . import download as data_download, formats
from .dataset import Dataset
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Root: TypeAlias = str | os.PathLike[str] | None

FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
CIFAR10_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
DIGIT_CLASSES = tuple("0123456789")


@dataclass(frozen=True)
class ImageSet:
    """How an image set is found, downloaded and read; ``alone`` means in its own folder only."""

    title: str
    folder: str
    remotes: tuple[data_download.Remote, ...]
    classes: tuple[str, ...]
    detect: Callable[[Path], Path | None] = formats.find_idx
    read: Callable[[Path], tuple[formats.Split, formats.Split]] = formats.read_idx_set
    unpack: Callable[[Path, Path], None] = formats.unpack_idx
    alone: bool = False

    def find(self, root: Root, download: bool) -> Path:
        """Return where the set lies, downloaded if need be."""
        return data_download.obtain(
            self.title, self.folder, self.detect, self.remotes, root=root, alone=self.alone, download=download
        )

    def load(self, source: Path) -> tuple[Dataset, Dataset]:
        """Read what ``find`` found."""
        train, test = self.read(source)
        return Dataset(*train, self.classes, self.title), Dataset(*test, self.classes, self.title)


IMAGE_SETS = {
    "mnist": ImageSet("MNIST", "mnist", data_download.MNIST, DIGIT_CLASSES),
    "fashion": ImageSet("Fashion-MNIST", "fashion-mnist", data_download.FASHION_MNIST, FASHION_CLASSES, alone=True),
    "cifar10": ImageSet(
        "CIFAR-10",
        "cifar10",
        data_download.CIFAR10,
        CIFAR10_CLASSES,
        detect=formats.find_cifar,
        read=formats.read_cifar,
        unpack=formats.unpack_cifar,
    ),
}


def mnist(root: Root = None, *, download: bool = True) -> tuple[Dataset, Dataset]:
    """Return MNIST for training (60,000) and test (10,000): uint8 (N, 1, 28, 28), classes 0..9.

    Looked for in ``root``, ``data/`` of the current directory and ``$MINITORCH_DATA`` (the four IDX files,
    packed or not, in the place or its folder ``mnist``), then downloaded into the first that was given.

    Args:
        root: First place to detect in.
        download: Whether to download what is not found.

    Raises:
        DataError: Not found (names every place tried), or a file is damaged (names it).
    """
    return _load("mnist", root, download)


def fashion_mnist(root: Root = None, *, download: bool = True) -> tuple[Dataset, Dataset]:
    """Return Fashion-MNIST; all as in ``mnist``, but looked for in the folders ``fashion-mnist`` only."""
    return _load("fashion", root, download)


def cifar10(root: Root = None, *, download: bool = True) -> tuple[Dataset, Dataset]:
    """Return CIFAR-10 for training (50,000) and test (10,000): uint8 (N, 3, 32, 32), RGB, with class names.

    All as in ``mnist``; a place holds it as the folder ``cifar-10-batches-py`` or as an archive of that, in
    the place or its folder ``cifar10``. The arrays of an archive are kept in the user's cache folder
    (``$MINITORCH_CACHE_DIR``), as unpacking takes about ten seconds.
    """
    return _load("cifar10", root, download)


def digits() -> tuple[Dataset, Dataset]:
    """Return the bundled digits for training (1,500) and test (297): uint8 0..16, (N, 1, 8, 8), file order.

    E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998;
    CC BY 4.0. As bytes of 0..16 they are faint when divided by 255: normalize them by ``mean_std``.
    """
    with np.load(Path(__file__).with_name("digits.npz"), allow_pickle=False) as file:
        whole = Dataset(file["images"], file["labels"], DIGIT_CLASSES, "digits")
    return whole.subset(range(1500)), whole.subset(range(1500, len(whole)))


def _load(key: str, root: Root, download: bool) -> tuple[Dataset, Dataset]:
    image_set = IMAGE_SETS[key]
    return image_set.load(image_set.find(root, download))
