"""Reads the parts of an ONNX file: arrays, attributes, inputs. Files are not trusted: everything is checked first.

Source: the specification of the file format (onnx.proto). Depends on the package ``onnx``, imported when it is used.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from ..runtime.types import Array
from . import arrays
from .calls import MOST_ELEMENTS
from .errors import LoadError
from .network import Input

MOST_BYTES = (1 << 31) - 1  # of a file: the limit of its format
MOST_DIMS = 32
SHOWN = 60  # characters of a name, in a message


def shown(name: str) -> str:
    """Return a name of a file for a message: printable, and not too long."""
    return repr(name if len(name) <= SHOWN else f"{name[: SHOWN - 3]}...")


def read_model(path: Path) -> Any:
    """Return the message of a file.

    Raises:
        LoadError: It is no ONNX file, or too large.
        OSError: It cannot be read.
    """
    from google.protobuf.message import DecodeError
    from onnx import ModelProto

    size = path.stat().st_size
    if size > MOST_BYTES:
        raise LoadError(f"expected a file of at most {MOST_BYTES:,} bytes, got {size:,}")
    model = ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError:
        raise LoadError("not an ONNX file") from None
    if not model.HasField("graph") or not model.opset_import:
        raise LoadError("not an ONNX file: it has no graph or no version of its operators")
    return model


def read_array(message: Any, folder: Path) -> Array:
    """Return an array of the file, or of a file beside it; float16 becomes float32.

    Raises:
        LoadError: Its type is not read, or its data do not have the length of its shape.
    """
    from onnx import numpy_helper

    name = shown(message.name)
    kinds = {**arrays.REAL, **arrays.WHOLE}
    if message.data_type not in kinds:
        raise LoadError(f"array {name} has the type number {message.data_type}, which is not read")
    sizes = tuple(message.dims)
    if min(sizes, default=0) < 0 or len(sizes) > MOST_DIMS or math.prod(sizes) > MOST_ELEMENTS:
        raise LoadError(f"array {name}: expected a shape of at most {MOST_ELEMENTS:,} elements, got {sizes}")
    kind = np.dtype(kinds[message.data_type]).newbyteorder("<")
    if message.data_location == 1:
        data = _external(message, folder, math.prod(sizes) * kind.itemsize)
        return _native(np.frombuffer(data, kind).reshape(sizes))
    try:
        found = numpy_helper.to_array(message)
    except (ValueError, TypeError) as error:
        raise LoadError(f"array {name} of shape {sizes} is damaged: {' '.join(str(error).split())}") from None
    if found.shape != sizes:
        raise LoadError(f"array {name}: expected the shape {sizes}, got data of shape {found.shape}")
    return _native(found)


def _native(array: Array) -> Array:
    """Return an array in a dtype of this machine that tensors have."""
    return array.astype(
        np.float32 if array.dtype.itemsize == 2 and array.dtype.kind == "f" else array.dtype.newbyteorder("=")
    )


def _external(message: Any, folder: Path, length: int) -> bytes:
    """Return data of an array that are in another file of the folder or below it."""
    name = shown(message.name)
    keys = {entry.key: entry.value for entry in message.external_data}
    location = keys.get("location", "")
    inside = bool(location) and "\0" not in location  # no name of a file has this character
    path = (folder / location).resolve() if inside else folder
    if not inside or not path.is_relative_to(folder.resolve()):
        raise LoadError(f"array {name}: expected data in the file's own folder, got {shown(location)}")
    try:
        offset, given = int(keys.get("offset", 0)), int(keys.get("length", length))
    except ValueError:
        raise LoadError(f"array {name}: expected a whole number as offset and length of its data") from None
    if not path.is_file():
        raise LoadError(f"array {name}: its data file {shown(location)} is not there")
    if given != length or offset < 0 or offset + length > path.stat().st_size:
        raise LoadError(
            f"array {name}: expected {length} bytes at {offset} of {shown(location)}, they are not there"
        )
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)


def read_attribute(message: Any, folder: Path) -> Any:
    """Return the value of an attribute.

    Raises:
        LoadError: It is of a type that is not read, such as a graph.
    """
    kind = message.type
    if kind == 1:
        return float(message.f)
    if kind == 2:
        return int(message.i)
    if kind == 3:
        return message.s.decode("utf-8", "replace")
    if kind == 4:
        return read_array(message.t, folder)
    if kind == 6:
        return tuple(map(float, message.floats))
    if kind == 7:
        return tuple(map(int, message.ints))
    raise LoadError(f"attribute {shown(message.name)} has the type number {kind}, which is not read")


def read_settings(node: Any, known: Any, folder: Path) -> dict[str, Any]:
    """Return the attributes of a node, with the defaults of those that are left out.

    Args:
        node: The message.
        known: Defaults by name, see `calls.Operator`.
        folder: Where files of data are.

    Raises:
        LoadError: An attribute is unknown, or of another type than its default.
    """
    settings = {name: None if isinstance(value, type) else value for name, value in known.items()}
    for attribute in node.attribute:
        name = attribute.name
        if name not in known:
            raise LoadError(f"attribute {shown(name)} is not known")
        value = read_attribute(attribute, folder)
        kind = known[name] if isinstance(known[name], type) else type(known[name])
        if not isinstance(value, kind):
            raise LoadError(f"attribute {name}: expected {kind.__name__}, got {type(value).__name__}")
        settings[name] = value
    return settings


def read_input(message: Any) -> Input:
    """Return an input of the graph.

    Raises:
        LoadError: It is no array of numbers.
    """
    name = message.name
    tensor = message.type.tensor_type
    if message.type.WhichOneof("value") != "tensor_type" or tensor.elem_type not in {
        **arrays.REAL,
        **arrays.WHOLE,
    }:
        raise LoadError(f"input {shown(name)}: expected an array of numbers")
    sizes = None
    if tensor.HasField("shape"):
        sizes = tuple(
            int(d.dim_value) if d.HasField("dim_value") else (d.dim_param or "N") for d in tensor.shape.dim
        )
    return Input(name, sizes, tensor.elem_type in arrays.REAL)
