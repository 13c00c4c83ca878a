"""Starts a visdom server for this machine's own browser, and stops it with Ctrl-C.

    make dashboard                          # sets visdom up in an environment of its own, then does this
    python project/dashboard.py             # http://127.0.0.1:8097, what is shown is kept in runs/visdom
    python project/dashboard.py --port 9000

Whatever trains finds it by itself, before or after. It needs no package besides the standard library; visdom is that
of .venv-visdom, or else of this interpreter.
"""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from flags import Parser
from visdom_assets import ASSETS, BUILT, Unready, default_python, missing, probe

PORT = 8097
HOST = "127.0.0.1"
KEPT = Path("runs") / "visdom"
PATIENCE = 60.0  # seconds for the server to answer
SET_UP = "`make dashboard` sets everything up"


def check(python: Path) -> None:
    """See that an interpreter has all that the server needs.

    Raises:
        Unready: It has not.
    """
    found = probe(python)
    if found["visdom"] is None:
        raise Unready(f"{python} has no visdom; {SET_UP}")
    if found["visdom"] != ASSETS["visdom"]:
        raise Unready(f"{python} has visdom {found['visdom']}, and {ASSETS['visdom']} is needed; {SET_UP}")
    tornado = tuple(int(n) for n in found["tornado"].split(".")[:2])
    if tornado >= (6, 6):
        raise Unready(f"tornado {found['tornado']} refuses visdom's page, 6.5 serves it; {SET_UP}")
    static = Path(found["folder"]) / "static"
    lacking = missing(static)
    if lacking or not (static / BUILT).exists():
        raise Unready(f"{len(lacking) or 'some'} files of visdom's page are missing; {SET_UP}")


class Server:
    """A visdom server that only this machine can reach, as a process of its own.

    Args:
        port: Where it listens; 0 takes any free port.
        folder: Where it keeps what is shown.
        python: The interpreter that has visdom.

    Attributes:
        port: Where it listens.
        url: Its address.

    Raises:
        Unready: The port is taken, or the server does not start.
    """

    def __init__(self, port: int, folder: Path, python: Path) -> None:
        # A pipe that nobody reads would one day hold the server up.
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - open as long as the server runs
        for _ in range(3 if port == 0 else 1):  # a free port may be taken before the server takes it
            self.port = port or _free_port()
            if _taken(self.port):
                self.log.close()
                raise Unready(f"port {self.port} is taken; if it is by a visdom server, that one will do")
            folder.mkdir(parents=True, exist_ok=True)
            self.url = f"http://{HOST}:{self.port}"
            self.process = self._start(folder, python)
            complaint = self._wait()
            if complaint is None:
                return
        self.stop()
        raise Unready(f"the visdom server does not start: {complaint}")

    def _start(self, folder: Path, python: Path) -> subprocess.Popen[bytes]:
        flags = ["-port", str(self.port), "-bind_local", "-env_path", f"{folder}{os.sep}"]
        return subprocess.Popen(
            [str(python), "-m", "visdom.server", *flags, "-logging_level", "WARNING"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.log,
            start_new_session=True,  # Ctrl-C in training, on the same terminal, is not for it
        )

    def _wait(self) -> str | None:
        """Wait until it serves its page; return why it does not."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self.process.poll() is not None:
                self.log.seek(0)
                told = [line.strip() for line in self.log if line.strip()]
                return told[-1] if told else "it ends at once"
            if serves(self.port):
                return None
            time.sleep(0.05)
        return f"no page within {PATIENCE:.0f} seconds"

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def serves(port: int) -> bool:
    """Tell whether a visdom server serves its page on a port of this machine."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        return answer.status == 200 and b"<title>visdom</title>" in answer.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _port(text: str) -> int:
    if not text.isdigit() or not int(text) < 1 << 16:
        raise argparse.ArgumentTypeError(f"must be a port, 0 to 65535, not {text!r}")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the flags say, and return the exit status."""
    parser = Parser(__doc__)
    parser.add_argument(
        "--port", metavar="N", type=_port, default=PORT, help="default: 8097; 0: any free one"
    )
    parser.add_argument("--folder", metavar="DIR", type=Path, default=KEPT, help="default: runs/visdom")
    parser.add_argument("--python", metavar="FILE", type=Path, default=default_python(), help="has visdom")
    args = parser.parse_args(arguments)
    try:
        check(args.python)
        server = Server(args.port, args.folder, args.python)
    except (Unready, OSError) as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return watch(server)


def watch(server: Server) -> int:
    """Tell where the server is, and wait until it ends (status 2) or is to be ended (0)."""
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


if __name__ == "__main__":
    sys.exit(main())
