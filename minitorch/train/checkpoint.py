"""Files of arrays by name, and checkpoints to resume a training from.

A file is written completely or stays as it was; a checkpoint is loaded completely or not at all. Depends on
`torch_format`; safetensors is imported at first use. Models, optimizers and schedulers are anything with ``state_dict``
and ``load_state_dict``.
"""

from __future__ import annotations

import copy
import errno
import io
import json
import math
import os
import random
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import numpy.typing as npt

from ..runtime.files import opened, replacing
from ..runtime.pickles import unpacked_limit
from .raw_bytes import BFLOAT16, decode
from .torch_format import CheckpointError, read_pth

Array = npt.NDArray[Any]
PathLike = str | os.PathLike[str]

FORMAT = 1
_LONGEST_HEADER = 100_000_000  # bytes; the limit of safetensors itself
_HEADER = "minitorch"  # the key of the JSON among the file's metadata
_FLOATS = {"F64": "f8", "F32": "f4", "F16": "f2", "BF16": BFLOAT16}
_SIGNED = {"I64": "i8", "I32": "i4", "I16": "i2", "I8": "i1"}
_UNSIGNED = {"U64": "u8", "U32": "u4", "U16": "u2", "U8": "u1"}
_DTYPES = {**_FLOATS, **_SIGNED, **_UNSIGNED, "BOOL": "?"}
_STORABLE = {np.dtype(code) for code in _DTYPES.values() if code != BFLOAT16}


class Stateful(Protocol):
    """What a checkpoint needs of a model, an optimizer or a scheduler."""

    def state_dict(self) -> Mapping[str, Any]:
        """Return the state: dicts with string keys, lists, arrays, and what JSON can hold."""

    def load_state_dict(self, state: Any, /) -> object:
        """Restore a state that ``state_dict`` gave; tuples come back as lists."""


@dataclass(frozen=True)
class Checkpoint:
    """The ``epoch``, ``step`` and ``extra`` that a checkpoint was saved with."""

    epoch: int
    step: int
    extra: Any


def save(state: Mapping[str, npt.ArrayLike], path: PathLike) -> None:
    """Write arrays by name to a ``.safetensors`` or ``.npz`` file, atomically.

    Raises:
        ValueError: The suffix is another one.
        TypeError: An array is not of numbers or booleans.
        CheckpointError: The file cannot be written.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in (".safetensors", ".npz"):
        raise ValueError(f"{path}: can be saved as .safetensors or .npz, not as {suffix!r}")
    arrays = _arrays(state)
    _write(target, _safetensors(arrays, {}) if suffix == ".safetensors" else _npz(arrays))


def load(path: PathLike) -> dict[str, Array]:
    """Read arrays by name from a ``.safetensors``, ``.npz``, or PyTorch ``.pth`` or ``.pt`` file.

    PyTorch is not needed, and no code in the file is run. bfloat16 becomes float32.

    Raises:
        ValueError: The suffix is another one.
        CheckpointError: The file is missing, cut or of another format.
    """
    source = Path(path)
    suffix = source.suffix.lower()
    if suffix == ".safetensors":
        return _read_safetensors(source)[0]
    if suffix == ".npz":
        return _read_npz(source)
    if suffix in (".pth", ".pt"):
        return read_pth(source)
    raise ValueError(f"{path}: can be loaded from .safetensors, .npz, .pth or .pt, not from {suffix!r}")


def save_checkpoint(
    path: PathLike,
    model: Stateful,
    optimizer: Stateful | None = None,
    scheduler: Stateful | None = None,
    *,
    epoch: int = 0,
    step: int = 0,
    extra: Any = None,
) -> None:
    """Write everything needed to resume, with the state of ``random``, to one safetensors file, atomically.

    Raises:
        TypeError: A state or ``extra`` has a value that is neither an array nor possible in JSON.
        CheckpointError: The file cannot be written.
    """
    _write(Path(path), _pack(_tree(model, optimizer, scheduler, epoch, step, extra)))


def load_checkpoint(
    path: PathLike, model: Stateful, optimizer: Stateful | None = None, scheduler: Stateful | None = None
) -> Checkpoint:
    """Restore model, optimizer, scheduler and the state of ``random`` from a checkpoint.

    Raises:
        CheckpointError: The file is missing, cut, of another format, or does not fit. Then nothing has changed.
    """
    return _restore(Path(path), _unpack(Path(path)), model, optimizer, scheduler)


def read_checkpoint(path: PathLike) -> Checkpoint:
    """Return the ``epoch``, ``step`` and ``extra`` of a checkpoint, and restore nothing.

    Raises:
        CheckpointError: The file is missing, cut or of another format.
    """
    return _checkpoint_of(Path(path), _unpack(Path(path)))


def flatten(tree: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Split a tree of dicts and lists into its skeleton and its arrays by dotted path.

    The skeleton has None where an array was, and lists for tuples; JSON can hold it. A NumPy scalar becomes
    an array of shape (), unless it is one of Python's floats or strings.

    Raises:
        TypeError: A key is not a string.
        ValueError: An array shares its dotted path with another leaf.
    """
    arrays: dict[str, Array] = {}
    leaves: Counter[str] = Counter()

    def strip(node: Any, path: str) -> Any:
        if isinstance(node, Mapping):
            for key in node:
                if not isinstance(key, str):
                    raise TypeError(f"a key of {path or 'the state'} is {key!r}, not a string")
            return {key: strip(value, _join(path, key)) for key, value in node.items()}
        if isinstance(node, list | tuple):
            return [strip(value, _join(path, position)) for position, value in enumerate(node)]
        leaves[path] += 1
        if isinstance(node, np.ndarray | np.generic) and not isinstance(node, float | str):
            arrays[path] = np.asarray(node)
            return None
        return node

    skeleton = strip(tree, "")
    for path in arrays:
        if leaves[path] > 1:
            raise ValueError(f"the path {path} leads to an array and to something else")
    return skeleton, arrays


def unflatten(skeleton: Any, arrays: Mapping[str, Array], path: str = "") -> Any:
    """Put the arrays back into the skeleton: the inverse of ``flatten``."""
    if isinstance(skeleton, dict):
        return {key: unflatten(node, arrays, _join(path, key)) for key, node in skeleton.items()}
    if isinstance(skeleton, list):
        return [unflatten(node, arrays, _join(path, position)) for position, node in enumerate(skeleton)]
    return arrays.get(path, skeleton)


def _join(path: str, key: str | int) -> str:
    return f"{path}.{key}" if path else str(key)


def _tree(
    model: Stateful, optimizer: Stateful | None, scheduler: Stateful | None, epoch: int, step: int, extra: Any
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "epoch": epoch,
        "step": step,
        "model": {name: np.asarray(value) for name, value in model.state_dict().items()},
        "optimizer": None if optimizer is None else optimizer.state_dict(),
        "scheduler": None if scheduler is None else scheduler.state_dict(),
        "random": random.getstate(),
        "extra": extra,
    }


def _pack(tree: Mapping[str, Any]) -> bytes:
    skeleton, arrays = flatten(tree)
    header = json.dumps({**skeleton, "tensors": sorted(arrays)})
    return _safetensors(_arrays(arrays), {_HEADER: header})


def _unpack(path: Path) -> dict[str, Any]:
    arrays, metadata = _read_safetensors(path)
    if _HEADER not in metadata:
        raise CheckpointError(f"{path}: holds tensors, but is not a checkpoint of minitorch")
    try:
        header = json.loads(metadata[_HEADER])
        version = header["format"]
        differing = sorted(map(str, set(header["tensors"]).symmetric_difference(arrays)))
        tree: dict[str, Any] = unflatten(header, arrays)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path, error) from error
    if version != FORMAT:
        raise CheckpointError(f"{path}: a checkpoint of format {version}; this minitorch reads {FORMAT}")
    if differing:
        raise CheckpointError(f"{path}: tensors and header disagree on {', '.join(differing)}")
    return tree


def _checkpoint_of(path: Path, tree: Mapping[str, Any]) -> Checkpoint:
    missing = {"epoch", "step", "extra"} - set(tree)
    if missing:
        raise CheckpointError(
            f"{path}: the header of the checkpoint is damaged: it has no {sorted(missing)[0]}"
        )
    for name in ("epoch", "step"):
        if type(tree[name]) is not int or tree[name] < 0:
            raise CheckpointError(
                f"{path}: the header of the checkpoint is damaged: {name} is {str(tree[name])[:50]!r}, "
                "expected a whole number of at least 0"
            )
    return Checkpoint(tree["epoch"], tree["step"], tree["extra"])


def _restore(
    path: Path,
    tree: Mapping[str, Any],
    model: Stateful,
    optimizer: Stateful | None,
    scheduler: Stateful | None,
) -> Checkpoint:
    named = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    parts = {name: part for name, part in named.items() if part is not None}
    checkpoint = _checkpoint_of(path, tree)
    try:
        states = {name: tree[name] for name in parts}
        version, words, gauss = tree["random"]
        randomness = (version, tuple(words), gauss)
        random.Random().setstate(randomness)  # an invalid state fails here, before anything is loaded
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise _damaged(path, error) from error
    for name, state in states.items():
        if state is None:
            raise CheckpointError(f"{path}: was saved without {name}")
    before = {name: copy.deepcopy(part.state_dict()) for name, part in parts.items()}
    try:
        for name, part in parts.items():
            _load_part(path, name, part, states[name])
    except BaseException:
        for name, part in parts.items():
            part.load_state_dict(before[name])
        raise
    random.setstate(randomness)
    return checkpoint


def _load_part(path: Path, name: str, part: Stateful, state: Any) -> None:
    try:
        part.load_state_dict(state)
    except Exception as error:  # each part raises errors of its own
        reason = " ".join(str(error).split())  # a module lists its faults in several lines
        raise CheckpointError(f"{path}: does not fit this {name}: {reason}") from error


def _arrays(state: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
    """Convert values to arrays as files hold them: row-major, native byte order, a dtype that both formats have."""
    arrays: dict[str, Array] = {}
    for name, value in state.items():
        array = np.asarray(value)
        dtype = array.dtype.newbyteorder("=")
        if dtype not in _STORABLE:
            raise TypeError(f"{name} has dtype {dtype}; only numbers and booleans can be saved")
        arrays[name] = array.astype(dtype, order="C", copy=False)
    return arrays


def _safetensors(arrays: dict[str, Array], metadata: dict[str, str]) -> bytes:
    from safetensors.numpy import save as serialize

    if "__metadata__" in arrays:
        raise ValueError("no tensor of a safetensors file can be called __metadata__")
    content: bytes = serialize(arrays, metadata or None)
    return content


def _read_safetensors(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    import safetensors

    deserialize: Callable[[bytes], list[tuple[str, dict[str, Any]]]] = safetensors.deserialize
    with _naming(path, "read"), opened(path) as file:
        metadata = _read_header(path, file)
        file.seek(0)
        content = file.read()
    try:
        entries = deserialize(content)
    except safetensors.SafetensorError as error:
        raise CheckpointError(f"{path}: not a safetensors file, or cut short: {error}") from error
    arrays: dict[str, Array] = {}
    for name, entry in sorted(
        entries, key=lambda named: named[0]
    ):  # the library's order changes from run to run
        code = _DTYPES.get(entry["dtype"])
        if code is None:
            raise CheckpointError(f"{path}: {name} has dtype {entry['dtype']}, which NumPy does not know")
        try:
            arrays[name] = decode(code, entry["data"], entry["shape"])
        except ValueError as error:  # a shape that NumPy cannot hold
            raise CheckpointError(f"{path}: {name} is damaged: {error}") from error
    return arrays, metadata


def _read_header(path: Path, file: BinaryIO) -> dict[str, str]:
    """Return the metadata of a safetensors file, after a check that its header describes all bytes of the file.

    So a sparse file of a terabyte with a small header is an error before its bytes are read.
    """
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= min(size - 8, _LONGEST_HEADER):
        raise CheckpointError(f"{path}: not a safetensors file, or cut short: a header of {length} bytes")
    try:
        header: dict[str, Any] = json.loads(file.read(length))
        metadata: dict[str, str] = header.pop("__metadata__", None) or {}
        end = max((int(entry["data_offsets"][1]) for entry in header.values()), default=0)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(
            f"{path}: not a safetensors file, or cut short: {type(error).__name__}"
        ) from error
    if 8 + length + end != size:
        raise CheckpointError(
            f"{path}: not a safetensors file, or cut short: expected {8 + length + end} bytes by its header, got {size}"
        )
    return metadata


def _npz(arrays: dict[str, Array]) -> bytes:
    # np.savez would take a tensor called "file" for one of its own arguments.
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return buffer.getvalue()


def _read_npz(path: Path) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    with _naming(path, "read"), opened(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                limit = unpacked_limit(os.fstat(file.fileno()).st_size)
                if sum(info.file_size for info in archive.infolist()) > limit:
                    raise ValueError(f"it unpacks to more than {limit} bytes")
                for member in archive.namelist():
                    raw = archive.read(member)
                    arrays[member.removesuffix(".npy")] = _read_npy(raw)
        except Exception as error:  # a damaged archive may raise anything
            raise CheckpointError(
                f"{path}: not an npz file of plain arrays, or cut short: {error}"
            ) from error
    return arrays


def _read_npy(raw: bytes) -> Array:
    """Read an array of numbers whose header and bytes fit: NumPy makes the array before it looks at the bytes."""
    file = io.BytesIO(raw)
    version = np.lib.format.read_magic(file)
    read_header = (
        np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read_header(file)
    if dtype.hasobject:
        raise ValueError("it holds objects")
    expected, found = math.prod(shape) * dtype.itemsize, len(raw) - file.tell()
    if min(shape, default=0) < 0 or expected != found:
        raise ValueError(f"an array of shape {shape} has {found} bytes, expected {expected}")
    file.seek(0)
    array: Array = np.lib.format.read_array(file, allow_pickle=False)
    return array


def _write(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` atomically and flush it to disk: the old file stays until the new one is whole.

    The directory must exist: a misspelt path is an error, not a new directory.
    """
    with _naming(path, "written"):
        if not path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path.parent)
        with replacing(path) as temporary:
            temporary.write_bytes(content)


@contextmanager
def _naming(path: Path, action: str) -> Iterator[None]:
    """Turn an OSError into a CheckpointError that names the file."""
    try:
        yield
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be {action}: {error.strerror or error}") from error


def _damaged(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(f"{path}: the header of the checkpoint is damaged: {error!r}")
