"""The argument parser of every command. Depends on the standard library only, so that a bare interpreter can use it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, and whose description keeps its line breaks."""

    def __init__(self, description: str | None, prog: str | None = None) -> None:
        super().__init__(prog, description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.register("type", Path, _path)
        self._strict = False  # whether `error` raises

    def print_help(self, file: Any = None) -> None:
        """Print the help; argparse would be silent where it cannot be written."""
        print(self.format_help(), end="", file=file)

    def flags(self) -> set[str]:
        """Return the names of the flags, as attributes of what `parse_args` returns."""
        return {action.dest for action in self._actions}

    def parse_saved(self, settings: Mapping[str, Any]) -> argparse.Namespace:
        """Return settings that a file holds, read as if they were flags; None is a flag that is not given.

        Raises:
            ValueError: A flag of the command would not have such a value.
        """
        given = [f"--{n.replace('_', '-')}={value}" for n, value in settings.items() if value is not None]
        self._strict = True
        try:
            return self.parse_args(given)
        finally:
            self._strict = False

    def error(self, message: str) -> NoReturn:
        """Print one line and exit with status 2."""
        if self._strict:
            raise ValueError(message)
        self.exit(2, f"{self.prog}: {message} (--help lists the flags)\n")


def _path(text: str) -> Path:
    """Return a path; an empty one, such as an unset variable of the shell gives, is an error."""
    if not text:
        raise argparse.ArgumentTypeError("expected a path, got an empty one")
    return Path(text)
