"""The console command `minitorch`. Each of its commands is one file in this folder, imported when it is chosen."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module

from ..runtime.streams import drop_unwritten

COMMANDS = {
    "tour": "show in a few seconds what minitorch does",
    "mnist": "train LeNet or a CNN on MNIST, Fashion-MNIST or the bundled digits",
    "cifar10": "train a convolutional network on CIFAR-10",
    "sentiment": "train a network to tell good opinions from bad ones",
    "study": "train with several augmentations and compare them on one page",
    "edges": "filter a picture by hand-made edge detectors",
    "classify": "name what pictures show, by a trained network",
    "toys": "train a small network on a toy point set",
    "dashboard": "start a visdom server for this machine",
    "replay": "show a finished run on a visdom server",
    "compare": "compare finished runs in a table and a figure",
    "gradcheck": "check the gradients of layers",
    "sanity": "check that a network can learn",
    "export": "write the network of a run as an ONNX file",
    "graph": "draw the graph of an expression",
    "warmup": "compile the common kernels ahead of time",
    "data": "download an image set and check it",
    "course": "do the minitorch course: a folder per module, its tests, grades",
}


def usage() -> str:
    """Return the list of commands."""
    lines = [f"  {name:10}  {what}" for name, what in COMMANDS.items()]
    return "\n".join(
        [
            "usage: minitorch COMMAND ...",
            "",
            *lines,
            "",
            "`minitorch COMMAND --help` lists the flags of a command.",
        ]
    )


@contextmanager
def _named(command: str) -> Iterator[None]:
    """Let messages name the command as it was typed: argparse and `run_command` read ``sys.argv[0]``."""
    before = sys.argv[0]
    sys.argv[0] = f"minitorch {command}"
    try:
        yield
    finally:
        sys.argv[0] = before


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status; 2 for an unknown command."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        return _show_usage()
    name, *rest = words
    if name not in COMMANDS:
        print(f"minitorch: unknown command {name!r} (minitorch --help lists them)", file=sys.stderr)
        return 2
    with _named(name):
        command = import_module(f".{name}", __package__)
        from .common import run_command

        return run_command(lambda: command.main(rest))


def _show_usage() -> int:
    """Print the list of commands, without the imports that a command needs."""
    try:
        print(usage(), flush=True)
    except OSError as error:
        with suppress(OSError):
            print(f"minitorch: cannot write the output: {error.strerror}", file=sys.stderr)
        drop_unwritten()
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
