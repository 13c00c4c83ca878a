"""The command ``python -m minitorch.data {mnist,fashion,cifar10} [--root DIR] [--unpack DIR]``: gets an image set."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ..runtime.parser import Parser
from ..runtime.signals import exit_status, stoppable
from .download import DataError
from .image_sets import IMAGE_SETS


def main(arguments: Sequence[str] | None = None, prog: str = "python -m minitorch.data") -> int:
    """Fetch an image set and check it.

    Args:
        arguments: The command line after the name; None for that of the process.
        prog: The name of the command, for messages.

    Returns:
        The exit status: 0, 2 with one line on stderr, 130 after Ctrl-C, 143 after SIGTERM.
    """
    parser = Parser("Fetch an image set and check it.", prog)
    parser.add_argument("set", choices=list(IMAGE_SETS))
    parser.add_argument(
        "--root", metavar="DIR", type=Path, help="first place to look in, and where a download goes"
    )
    parser.add_argument("--unpack", metavar="DIR", type=Path, help="leave the set's files, unpacked, in DIR")
    wanted = parser.parse_args(arguments)
    image_set = IMAGE_SETS[wanted.set]
    try:
        with stoppable():
            source = image_set.find(wanted.root, download=True)
            if wanted.unpack is not None:
                image_set.unpack(source, wanted.unpack)
                source = image_set.find(wanted.unpack, download=False)
            train, test = image_set.load(source)
    except (DataError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        return exit_status(stop)
    print(f"{image_set.title}: {len(train)} training and {len(test)} test images in {source}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
