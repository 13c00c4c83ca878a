"""The argument parser of every command. Depends on the standard library only, so that a bare interpreter can use it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, and whose description keeps its line breaks."""

    def __init__(self, description: str | None) -> None:
        super().__init__(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.register("type", Path, _path)

    def error(self, message: str) -> NoReturn:
        """Print one line and exit with status 2."""
        self.exit(2, f"{self.prog}: {message} (--help lists the flags)\n")


def _path(text: str) -> Path:
    """Return a path; an empty one, such as an unset variable of the shell gives, is an error."""
    if not text:
        raise argparse.ArgumentTypeError("expected a path, got an empty one")
    return Path(text)
