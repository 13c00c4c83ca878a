"""Runs a script on real PyTorch, with a stand-in for the part of torchvision that the scripts use."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

import torch
from minitorch.data import cifar10, mnist


class Compose:
    """Transforms one after the other."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, image: Any) -> Any:
        for transform in self.transforms:
            image = transform(image)
        return image


class ToTensor:
    """Bytes (C, H, W) to float32 in [0, 1]."""

    def __call__(self, image: Any) -> Any:
        return torch.from_numpy(image.astype(np.float32) / 255)


class Normalize:
    """Subtracts the mean of each channel and divides by its deviation."""

    def __init__(self, mean: Any, std: Any) -> None:
        self.mean, self.std = (torch.tensor(v).reshape(-1, 1, 1) for v in (mean, std))

    def __call__(self, image: Any) -> Any:
        return (image - self.mean) / self.std


def image_set(read: Callable[..., Any]) -> Any:
    """Return a class with the arguments of a data set of torchvision."""

    class ImageSet(torch.utils.data.Dataset):
        def __init__(
            self, root: str, train: bool = True, transform: Any = None, download: bool = False
        ) -> None:
            self.found = read(root, download=False)[0 if train else 1]
            self.classes, self.transform = list(self.found.classes), transform

        def __len__(self) -> int:
            return len(self.found)

        def __getitem__(self, k: int) -> Any:
            image, label = self.found[k]
            return self.transform(image), label

    return ImageSet


def stand_in() -> dict[str, ModuleType]:
    """Return the modules that stand for torchvision, by name."""
    parts = {
        "transforms": {"Compose": Compose, "ToTensor": ToTensor, "Normalize": Normalize},
        "datasets": {"MNIST": image_set(mnist), "CIFAR10": image_set(cifar10)},
        "utils": {"make_grid": lambda images: images[0]},
    }
    package = ModuleType("torchvision")
    found = {"torchvision": package}
    for name, content in parts.items():
        module = found[f"torchvision.{name}"] = ModuleType(f"torchvision.{name}")
        vars(module).update(content)
        setattr(package, name, module)
    return found


def run(script: str, arguments: list[str]) -> None:
    """Run a script in this process, with these arguments, on one thread."""
    threads, argv = torch.get_num_threads(), sys.argv
    torch.set_num_threads(1)
    sys.argv = [script, *arguments]
    # torchvision is whole here or not here: other tests may have imported the real one.
    real = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "torchvision"}
    sys.modules.update(stand_in())
    try:
        runpy.run_path(script, run_name="__main__")
    finally:
        torch.set_num_threads(threads)
        sys.argv = argv
        for name in stand_in():
            del sys.modules[name]
        sys.modules.update(real)
