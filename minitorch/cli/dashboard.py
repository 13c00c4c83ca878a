"""Starts a visdom server for the browser of this machine; Ctrl-C stops it.

    make dashboard                 # installs visdom in an environment of its own, then starts the server
    minitorch dashboard            # http://127.0.0.1:8097; what is shown is kept in runs/visdom
    minitorch dashboard --port 9000

Trainings find the server by themselves, whichever is started first. visdom is taken from .venv-visdom, or else from
this interpreter.
"""

# Depends on the standard library only, like all that it imports: `make dashboard` runs it where NumPy is not installed.

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from ..dashboard.visdom.assets import SetupError, default_python
from ..dashboard.visdom.server import Server, check
from ..runtime.parser import Parser

PORT = 8097
FOLDER = Path("runs") / "visdom"


def _port(text: str) -> int:
    if not text.isdigit() or not int(text) < 1 << 16:
        raise argparse.ArgumentTypeError(f"must be a port, 0 to 65535, not {text!r}")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = Parser(__doc__)
    parser.add_argument(
        "--port", metavar="N", type=_port, default=PORT, help="default: 8097; 0: any free one"
    )
    parser.add_argument("--folder", metavar="DIR", type=Path, default=FOLDER, help="default: runs/visdom")
    parser.add_argument(
        "--python", metavar="FILE", type=Path, default=default_python(), help="interpreter with visdom"
    )
    args = parser.parse_args(arguments)
    try:
        check(args.python)
        server = Server(args.port, args.folder, args.python)
    except (SetupError, OSError) as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return wait_for(server)


def wait_for(server: Server) -> int:
    """Print the address of the server and wait; return 0 if it is stopped by a signal, 2 if it ends by itself."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"dashboard: {server.url}   (Ctrl-C stops it)", flush=True)
    try:
        server.process.wait()
    except KeyboardInterrupt:
        server.stop()
        print("dashboard: stopped", flush=True)
        return 0
    print(f"{Path(sys.argv[0]).name}: the visdom server has ended", file=sys.stderr)
    return 2
