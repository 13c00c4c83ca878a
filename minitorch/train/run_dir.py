"""The directory of a run: the names of its files, how they are written, and how its log and results are read.

Every file is written completely or stays as it was. What is read may be damaged or of another program: it is checked
before it is used. Depends on the file helpers and on `messages`.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..runtime.files import read_file, replacing
from .messages import UsageError, notice

LOG, RESULTS, PLOTS = "metrics.jsonl", "results.json", "panels"
WEIGHTS, CHECKPOINT = "model.safetensors", "checkpoint.safetensors"

Record = dict[str, Any]

_LARGEST_LOG, _LARGEST_RESULTS = 1 << 28, 1 << 20  # bytes
_LARGEST_NUMBER = 1 << 53  # whole numbers up to it are exact as floats
_LOGGED = ("loss", "accuracy")
_ALSO_LOGGED = ("lr", "valid_loss", "valid_accuracy")
_RESULT_NUMBERS = ("test_accuracy", "valid_accuracy", "accuracy", "best_epoch", "seconds")


def write_file(path: Path, content: str | bytes) -> None:
    """Write ``content`` to ``path`` atomically; create the directory if it is missing."""
    with replacing(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record as indented JSON."""
    write_file(path, json.dumps(record, indent=2) + "\n")


def read_records(path: Path, until: float = math.inf) -> list[Record]:
    """Return the records of a log up to step ``until``; an empty list if there is no file.

    Numbers that are not finite are None. A last line that is cut, as a killed run leaves it, is left out.

    Raises:
        UsageError: The file cannot be read, or a line is no record.
    """
    try:
        lines = read_file(path, _LARGEST_LOG).split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    last = max((n for n, line in enumerate(lines) if line.strip()), default=-1)
    records = []
    for n, line in enumerate(lines[: last + 1]):
        try:
            found = json.loads(line.decode())
        except (ValueError, RecursionError):
            if n == last:
                break
            found = None
        records.append(_checked_record(found, f"{path}, line {n + 1}"))
    return [record for record in records if record["step"] <= until]


def _checked_record(found: Any, place: str) -> Record:
    if not isinstance(found, dict):
        raise UsageError(f"{place}: expected a record of a run as JSON; mend or delete the file")
    for name in ("epoch", "step"):
        value = found.get(name)
        if type(value) is not int or not 1 <= value <= _LARGEST_NUMBER:
            raise UsageError(f"{place}: expected {name} as a number from 1, got {_shortened(value)}")
    for name in (*_LOGGED, *(name for name in _ALSO_LOGGED if name in found)):
        if name not in found or not _number_or_none(found[name]):
            raise UsageError(f"{place}: expected {name} as a number, got {_shortened(found.get(name))}")
        if found[name] is not None and not math.isfinite(found[name]):
            found[name] = None
    return found


def _number_or_none(value: Any) -> bool:
    if type(value) is int:
        return abs(value) <= _LARGEST_NUMBER
    return value is None or isinstance(value, float)


def _shortened(value: Any) -> str:
    """Return a value of a file for a message."""
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def read_results(folder: Path) -> dict[str, Any]:
    """Return the results of the run in ``folder``.

    Raises:
        UsageError: There are none, or the file cannot be read or holds something else.
    """
    path = folder / RESULTS
    try:
        results = json.loads(read_file(path, _LARGEST_RESULTS).decode())
    except FileNotFoundError:
        raise UsageError(f"{folder} has no {RESULTS}: it is not the folder of a finished run") from None
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{path} cannot be read: {reason}") from None
    if not isinstance(results, dict):
        raise UsageError(f"{path}: expected a JSON object, got {_shortened(results)}")
    for name in _RESULT_NUMBERS:
        if not _number_or_none(results.get(name)):
            raise UsageError(f"{path}: expected {name} as a number, got {_shortened(results[name])}")
    return results


def prepare_dir(path: Path) -> None:
    """Create a directory and check that it can be written to, before hours of training depend on it.

    Raises:
        UsageError: The directory cannot be created or written to.
    """
    probe = path / f".{os.getpid()}"
    try:
        write_file(probe, b"")
        probe.unlink()
    except OSError as error:
        raise UsageError(f"cannot write to the folder {path}: {error.strerror}") from error


def write_optional(path: Path, write: Callable[[Path], object]) -> None:
    """Call ``write(path)``; an OSError is reported in one line and the run continues."""
    try:
        write(path)
    except OSError as error:
        notice(f"{Path(sys.argv[0]).name}: cannot write {path}: {error.strerror or error}")
