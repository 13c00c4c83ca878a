"""The directory of a run: the names of its files, and how they are written.

Every file is written completely or stays as it was. Depends on the file helpers and on `messages`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..runtime.files import replacing
from .messages import UsageError, notice

LOG, RESULTS, PLOTS = "metrics.jsonl", "results.json", "panels"
WEIGHTS, CHECKPOINT = "model.safetensors", "checkpoint.safetensors"


def write_file(path: Path, content: str | bytes) -> None:
    """Write ``content`` to ``path`` atomically; create the directory if it is missing."""
    with replacing(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record as indented JSON."""
    write_file(path, json.dumps(record, indent=2) + "\n")


def prepare_dir(path: Path) -> None:
    """Create a directory and check that it can be written to, before hours of training depend on it.

    Raises:
        UsageError: The directory cannot be created or written to.
    """
    probe = path / f".{os.getpid()}.tmp"
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
