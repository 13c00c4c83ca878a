"""Reads images of digits: MNIST from its four files, or the small digits beside this file.

The files (``train-images-idx3-ubyte`` and so on, plain or ``.gz``) are looked for in ``project/data``, and in the
folder that the environment variable MINITORCH_DATA names and its ``mnist``. The small digits are a data set of the UCI
Machine Learning Repository (Alpaydin and Kaynak, 1998), 8 by 8 pixels, enlarged to 28 by 28.
"""

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
FILES = (
    ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
)


def read_idx(path: Path) -> Any:
    """Return the array in a file: 4 bytes that end in the number of dimensions, the sizes, and the bytes."""
    data = path.read_bytes()
    data = gzip.decompress(data) if path.suffix == ".gz" else data
    dims = data[3]
    shape = np.frombuffer(data, ">i4", dims, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dims).reshape(shape)


def mnist_files() -> list[list[Path]]:
    """Return the paths of images and labels, to train with and to test with; an empty list if they are nowhere."""
    places = [HERE / "data"]
    if named := os.environ.get("MINITORCH_DATA"):
        places += [Path(named), Path(named) / "mnist"]
    for place in places:
        found = [
            [path for path in (place / name, place / f"{name}.gz") if path.is_file()][:1]
            for pair in FILES
            for name in pair
        ]
        if all(found):
            paths = [path for (path,) in found]
            return [paths[:2], paths[2:]]
    return []


def enlarge(images: Any) -> Any:
    """Return images of 8 by 8 pixels (0 to 16) as 28 by 28: three times as large, with a border of 2."""
    large = images.reshape(-1, 8, 8).repeat(3, axis=1).repeat(3, axis=2)
    return np.pad(large, ((0, 0), (2, 2), (2, 2))) / 16.0


def load(dataset: str) -> tuple[str, Any, Any, Any, Any]:
    """Return a name, images (N, 28, 28) from 0 to 1 and labels to train with, then images and labels to test with.

    Args:
        dataset: ``"mnist"``, ``"digits"``, or ``"auto"``: MNIST where it is found, else the digits.
    """
    files = mnist_files() if dataset != "digits" else []
    if files:
        (x, y), (u, v) = ([read_idx(path) for path in pair] for pair in files)
        return "MNIST", x / 255.0, y, u / 255.0, v
    if dataset == "mnist":
        raise SystemExit("MNIST is in no place that project/images.py names; --DATASET digits needs no files")
    with np.load(HERE / "digits.npz") as found:
        images, labels = enlarge(found["images"]), found["labels"]
    return "UCI digits", images[:1500], labels[:1500], images[1500:], labels[1500:]
