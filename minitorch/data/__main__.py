"""The command ``python -m minitorch.data {mnist,fashion,cifar10} [--root DIR] [--unpack DIR]``: gets an image set."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from .download import DataError
from .image_sets import IMAGE_SETS


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (--help lists the flags)\n")


def main(arguments: Sequence[str] | None = None, prog: str = "python -m minitorch.data") -> int:
    """Fetch an image set and check it.

    Args:
        arguments: The command line after the name; None for that of the process.
        prog: The name of the command, for messages.

    Returns:
        The exit status: 0, 2 with one line on stderr, 130 after Ctrl-C.
    """
    parser = _Parser(prog, description="Fetch an image set and check it.")
    parser.add_argument("set", choices=list(IMAGE_SETS))
    parser.add_argument("--root", metavar="DIR", help="first place to look in, and where a download goes")
    parser.add_argument("--unpack", metavar="DIR", help="leave the set's files, unpacked, in DIR")
    wanted = parser.parse_args(arguments)
    image_set = IMAGE_SETS[wanted.set]
    try:
        source = image_set.find(wanted.root, download=True)
        if wanted.unpack is not None:
            image_set.unpack(source, Path(wanted.unpack))
            source = image_set.find(wanted.unpack, download=False)
        train, test = image_set.load(source)
    except (DataError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print(f"{image_set.title}: {len(train)} training and {len(test)} test images in {source}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
