"""Image sets with torchvision's arguments, read by `minitorch.data`; and pictures in folders by class."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..data.image_sets import IMAGE_SETS
from ..torch.tensor import Tensor, from_array
from ..torch.utils.data import Dataset


class VisionDataset(Dataset):
    """The base of image sets: transforms of the picture and of its label."""

    def __init__(
        self, root: Any = None, transforms: Any = None, transform: Any = None, target_transform: Any = None
    ) -> None:
        self.root, self.transform, self.target_transform = root, transform, target_transform

    def _transformed(self, image: Any, target: Any) -> tuple[Any, Any]:
        if self.transform is not None:
            image = self.transform(image)
        return image, target if self.target_transform is None else self.target_transform(target)


def _picture(image: Any) -> Any:
    """Return an array (C, H, W) as a picture of PIL."""
    from PIL import Image

    return Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))


class _ImageSet(VisionDataset):
    key: ClassVar[str]

    def __init__(
        self, root: Any, train: bool = True, transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None, download: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(root, None, transform, target_transform)
        self.train = train
        source = IMAGE_SETS[self.key]
        found = source.load(source.find(root, download))[0 if train else 1]
        self._images, self._labels = found.images, found.labels
        self.classes = list(found.classes)
        self.class_to_idx = {name: k for k, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        return self._transformed(_picture(self._images[int(index)]), int(self._labels[int(index)]))

    def __repr__(self) -> str:
        split = "Train" if self.train else "Test"
        lines = [f"Number of datapoints: {len(self)}", f"Root location: {self.root}", f"Split: {split}"]
        return "\n    ".join([f"Dataset {type(self).__name__}", *lines])


class MNIST(_ImageSet):
    """MNIST: pictures 28x28, ``data`` (N, 28, 28) bytes, ``targets`` (N,)."""

    key = "mnist"

    @property
    def data(self) -> Tensor:
        """The images, (N, 28, 28)."""
        return from_array(self._images[:, 0])

    @property
    def targets(self) -> Tensor:
        """The labels, (N,)."""
        return from_array(self._labels)


class FashionMNIST(MNIST):
    """Fashion-MNIST, as `MNIST`."""

    key = "fashion"


class CIFAR10(_ImageSet):
    """CIFAR-10: pictures 32x32 in colour, ``data`` an array (N, 32, 32, 3), ``targets`` a list."""

    key = "cifar10"

    @property
    def data(self) -> Any:
        """The images, (N, 32, 32, 3)."""
        return self._images.transpose(0, 2, 3, 1)

    @property
    def targets(self) -> list[int]:
        """The labels."""
        return self._labels.tolist()


class ImageFolder(VisionDataset):
    """Pictures in one folder for each class.

    Raises:
        FileNotFoundError: There is no class folder, or one has no picture.
    """

    suffixes = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")

    def __init__(
        self,
        root: Any,
        transform: Any = None,
        target_transform: Any = None,
        loader: Any = None,
        is_valid_file: Any = None,
    ) -> None:
        super().__init__(root, None, transform, target_transform)
        self.classes = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
        if not self.classes:
            raise FileNotFoundError(f"Couldn't find any class folder in {root}.")
        self.class_to_idx = {name: k for k, name in enumerate(self.classes)}
        self.loader = loader or _open
        accepted = is_valid_file or (lambda path: path.lower().endswith(self.suffixes))
        self.samples = [
            (str(path), k)
            for name, k in self.class_to_idx.items()
            for path in sorted((Path(root) / name).rglob("*"))
            if path.is_file() and accepted(str(path))
        ]
        empty = [
            name for name, k in self.class_to_idx.items() if all(label != k for _, label in self.samples)
        ]
        if empty:
            raise FileNotFoundError(f"Found no valid file for the classes {', '.join(empty)}.")
        self.imgs, self.targets = self.samples, [k for _, k in self.samples]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self.samples[index]
        return self._transformed(self.loader(path), target)


def _open(path: str) -> Any:
    from PIL import Image

    with Image.open(path) as image:
        return image.convert("RGB")
