"""The folder that a run writes to: every file is written wholly or stays as it was.

It refuses to know what is in the files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cli import Refusal


def write(path: Path, content: str | bytes) -> None:
    """Put ``content`` at ``path`` under a temporary name, then rename it; make the folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record for people and programs to read."""
    write(path, json.dumps(record, indent=2) + "\n")


def prepare(path: Path) -> None:
    """Make a folder and see that it can be written to, before hours of work depend on it.

    Raises:
        Refusal: It cannot.
    """
    probe = path / f".{os.getpid()}.tmp"
    try:
        write(probe, b"")
        probe.unlink()
    except OSError as error:
        raise Refusal(f"cannot write to the folder {path}: {error.strerror}") from error
