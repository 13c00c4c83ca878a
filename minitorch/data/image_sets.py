"""The image sets by name: MNIST, Fashion-MNIST, CIFAR-10, and the digits that come with minitorch.

Depends on `minitorch.data.download` for where files come from and on `minitorch.data.formats` for what is in them. A
new set is one more entry of `IMAGE_SETS`. Common splits, one line each:

    train, valid = random_split(train, [50_000, 10_000])                     # of the training images
    valid, test = random_split(test, [6_500, 3_500])                         # of the 10,000 test images
    train, valid, _ = random_split(train, [49_000, 1_000, len(train) - 50_000])
    test = test.subset(range(1_000))                                         # the first 1,000

``python -m minitorch.data {mnist,fashion,cifar10} [--root DIR]`` downloads a set.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from . import download as data_download
from . import formats
from .dataset import Dataset

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
    """How an image set is found, downloaded and read.

    Attributes:
        title: Its name, for messages.
        folder: Name of its own folder within a place.
        remotes: The files to download.
        classes: Name of each class.
        find_files: Returns what `read` takes, if a folder holds the set, else None.
        read: Reads images and labels, for training and for test.
        unpack: Leaves its files, unpacked, in a folder.
        own_folder_only: Whether it is looked for in its own folder only, because its files have common names.
        other_folders: Where other programs, such as torchvision, put it within a place.
    """

    title: str
    folder: str
    remotes: tuple[data_download.Remote, ...]
    classes: tuple[str, ...]
    find_files: Callable[[Path], Path | None] = formats.find_idx
    read: Callable[[Path], tuple[formats.Split, formats.Split]] = formats.read_idx_set
    unpack: Callable[[Path, Path], None] = formats.unpack_idx
    own_folder_only: bool = False
    other_folders: tuple[str, ...] = ()

    def find(self, root: Root, download: bool) -> Path:
        """Return where the set is; see `minitorch.data.download.obtain`."""
        return data_download.obtain(
            self.title,
            self.folder,
            self.find_files,
            self.remotes,
            root=root,
            own_folder_only=self.own_folder_only,
            other_folders=self.other_folders,
            download=download,
        )

    def load(self, source: Path) -> tuple[Dataset, Dataset]:
        """Read what ``find`` returned as datasets for training and test."""
        train, test = self.read(source)
        return Dataset(*train, self.classes, self.title), Dataset(*test, self.classes, self.title)


IMAGE_SETS = {
    "mnist": ImageSet(
        "MNIST", "mnist", data_download.MNIST, DIGIT_CLASSES, other_folders=("MNIST/raw", "MNIST")
    ),
    "fashion": ImageSet(
        "Fashion-MNIST",
        "fashion-mnist",
        data_download.FASHION_MNIST,
        FASHION_CLASSES,
        own_folder_only=True,
        other_folders=("FashionMNIST/raw",),
    ),
    "cifar10": ImageSet(
        "CIFAR-10",
        "cifar10",
        data_download.CIFAR10,
        CIFAR10_CLASSES,
        find_files=formats.find_cifar,
        read=formats.read_cifar,
        unpack=formats.unpack_cifar,
    ),
}


def mnist(root: Root = None, *, download: bool = True) -> tuple[Dataset, Dataset]:
    """Return MNIST for training (60,000) and test (10,000): uint8 (N, 1, 28, 28), classes 0..9.

    The handwritten digits of LeCun, Cortes and Burges (1998). They are looked for in ``root``, ``data/`` of the current
    directory and ``$MINITORCH_DATA`` (the four IDX files, packed or not, in the place or its folders ``mnist``,
    ``MNIST`` or ``MNIST/raw``), then downloaded into the first that was given.

    Args:
        root: First place to look in; by default none.
        download: Whether to download what is not found; by default True.

    Raises:
        DataError: Not found (names every place tried), or a file is damaged (names it).
    """
    return _load("mnist", root, download)


def fashion_mnist(root: Root = None, *, download: bool = True) -> tuple[Dataset, Dataset]:
    """Return Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017).

    All as in ``mnist``, but it is looked for in the folders ``fashion-mnist`` only: its files have the same names.
    """
    return _load("fashion", root, download)


def cifar10(root: Root = None, *, download: bool = True) -> tuple[Dataset, Dataset]:
    """Return CIFAR-10 for training (50,000) and test (10,000): uint8 (N, 3, 32, 32), RGB, with class names.

    The images of Krizhevsky, "Learning multiple layers of features from tiny images" (2009). All as in ``mnist``; a
    place holds it as the folder ``cifar-10-batches-py`` or as an archive of that, in the place or its folder
    ``cifar10``. The arrays of an archive are kept in the user's cache folder (``$MINITORCH_CACHE_DIR``), because
    unpacking takes about ten seconds.
    """
    return _load("cifar10", root, download)


def digits() -> tuple[Dataset, Dataset]:
    """Return the digits that come with minitorch, for training (1,500) and test (297), in the order of their file.

    Images are (N, 1, 8, 8), uint8 of 0..16: divided by 255 they are faint, so normalize them by ``mean_std``.
    E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998;
    CC BY 4.0.
    """
    with np.load(Path(__file__).with_name("digits.npz"), allow_pickle=False) as file:
        whole = Dataset(file["images"], file["labels"], DIGIT_CLASSES, "digits")
    return whole.subset(range(1500)), whole.subset(range(1500, len(whole)))


def _load(key: str, root: Root, download: bool) -> tuple[Dataset, Dataset]:
    image_set = IMAGE_SETS[key]
    return image_set.load(image_set.find(root, download))
