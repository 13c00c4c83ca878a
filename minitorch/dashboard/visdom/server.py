"""A visdom server as a process of its own, which only this machine can reach.

Depends on the standard library and on `assets` beside it; visdom is that of another interpreter.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from .assets import ASSETS, BUILT, SetupError, missing, probe

HOST = "127.0.0.1"
START_TIMEOUT = 60.0  # seconds until the server must serve its page
SET_UP = "`make dashboard` sets everything up"


def check(python: Path) -> None:
    """Check that an interpreter has everything that the server needs.

    Raises:
        SetupError: Something is missing, or has another version.
    """
    found = probe(python)
    if found["visdom"] is None:
        raise SetupError(f"{python} has no visdom; {SET_UP}")
    if found["visdom"] != ASSETS["visdom"]:
        raise SetupError(f"{python} has visdom {found['visdom']}, and {ASSETS['visdom']} is needed; {SET_UP}")
    tornado = tuple(int(n) for n in found["tornado"].split(".")[:2])
    if tornado >= (6, 6):
        raise SetupError(f"tornado {found['tornado']} does not serve visdom's page, 6.5 does; {SET_UP}")
    static = Path(found["folder"]) / "static"
    absent = missing(static)
    if absent or not (static / BUILT).exists():
        raise SetupError(f"{len(absent) or 'some'} files of visdom's page are missing; {SET_UP}")


class Server:
    """A running visdom server, bound to 127.0.0.1.

    Args:
        port: The port; 0 takes any free one.
        folder: Where the server keeps what is shown; created if it is missing.
        python: The interpreter that has visdom.

    Attributes:
        port: The port.
        url: The address.
        process: The process.

    Raises:
        SetupError: The port is taken, or the server does not start.
    """

    def __init__(self, port: int, folder: Path, python: Path) -> None:
        # Not a pipe: when nobody reads it, it fills up and blocks the server.
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - open as long as the server runs
        for _ in range(3 if port == 0 else 1):  # another process may take the free port first
            self.port = port or _free_port()
            if _taken(self.port):
                self.log.close()
                raise SetupError(f"port {self.port} is taken; if it is by a visdom server, that one will do")
            folder.mkdir(parents=True, exist_ok=True)
            self.url = f"http://{HOST}:{self.port}"
            self.process = self._start(folder, python)
            reason = self._wait()
            if reason is None:
                return
        self.stop()
        raise SetupError(f"the visdom server does not start: {reason}")

    def _start(self, folder: Path, python: Path) -> subprocess.Popen[bytes]:
        flags = ["-port", str(self.port), "-bind_local", "-env_path", f"{folder}{os.sep}"]
        return subprocess.Popen(
            [str(python), "-m", "visdom.server", *flags, "-logging_level", "WARNING"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.log,
            start_new_session=True,  # Ctrl-C in a training on the same terminal must not stop it
        )

    def _wait(self) -> str | None:
        """Wait until the server serves its page; return None, or why it does not."""
        until = time.monotonic() + START_TIMEOUT
        while time.monotonic() < until:
            if self.process.poll() is not None:
                self.log.seek(0)
                lines = [line.strip() for line in self.log if line.strip()]
                return lines[-1] if lines else "it ends at once"
            if serves(self.port):
                return None
            time.sleep(0.05)
        return f"no page within {START_TIMEOUT:.0f} seconds"

    def stop(self) -> None:
        """Stop the process."""
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def serves(port: int) -> bool:
    """Return whether a visdom server serves its page on a port of this machine."""
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
