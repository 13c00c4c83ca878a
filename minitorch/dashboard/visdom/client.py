"""Sends a board to a visdom server from a thread of its own, in visdom's wire format, without visdom.

Twice a second every window that has changed is sent whole. So a server may start late, go, and come back: it gets
all of the history. Nothing that goes wrong here reaches the training; it is said once. It refuses to know what the
windows mean.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from board import Board, Frame, Frames, Images, Lines, Text, Window, finite
from pixels import Pixels, data_address, sheet

LOCAL = "http://127.0.0.1:8097"
PAUSE = 0.5  # seconds from one round to the next
RETRY = 5.0  # seconds from one try to find a server to the next
TIMEOUT = 2.0  # seconds that a server may take to answer
# A round is followed by a pause this many times as long, so that all of it is a small share of one core.
REST = 40.0
LONGEST = 10.0  # but by no longer pause than this
WIDEST = 520  # pixels of a picture's window

Say = Callable[[str], None]


class Trouble(Exception):
    """A server answered what visdom would not."""


class Address:
    """Where a server is, from ``http://host:port[/base][/env/NAME]``.

    Raises:
        ValueError: It is no such address.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an http address: {url!r}")
        self.secure, self.host, self.port = parts.scheme == "https", parts.hostname, parts.port
        base, _, env = parts.path.partition("/env/")
        self.base = base.rstrip("/")
        self.env = unquote(env).strip("/").replace("/", "_") or "main"
        self.server = f"{parts.scheme}://{parts.netloc}{self.base}"

    def connect(self, timeout: float) -> http.client.HTTPConnection:
        """Return a connection, not yet opened."""
        kind = http.client.HTTPSConnection if self.secure else http.client.HTTPConnection
        return kind(self.host, self.port, timeout=timeout)


class VisdomLink:
    """Shows a board on a visdom server.

    Args:
        board: What is shown.
        url: Of the server; with ``/env/NAME`` at the end, of one of its environments.
        say: Told, in one line, what has gone wrong.
        patient: Whether to say nothing of a server that is not there.
        pause: Seconds from one round to the next.
        retry: Seconds from one try to find the server to the next.
        timeout: Seconds that it may take to answer.

    Attributes:
        errors: How many rounds have failed.
    """

    def __init__(
        self,
        board: Board,
        url: str = LOCAL,
        *,
        say: Say,
        patient: bool = False,
        pause: float = PAUSE,
        retry: float = RETRY,
        timeout: float = TIMEOUT,
    ) -> None:
        self.board, self.address, self.say = board, Address(url), say
        self.patient, self.pause, self.retry, self.timeout = patient, pause, retry, timeout
        self.errors = 0
        self._told: set[str] = set()
        self._connection: http.client.HTTPConnection | None = None
        self._ever = False
        self._sent: dict[str, int] = {}
        self._frames: dict[str, list[int]] = {}
        self._next_try = self._checked = 0.0
        self._took = 0.0
        self._deadline = float("inf")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="visdom", daemon=True)
        self._thread.start()

    def close(self, limit: float = 5.0) -> bool:
        """Send what is left, have the server save it, and stop, within ``limit`` seconds; tell if all was sent."""
        self._deadline = time.monotonic() + limit
        self._over.set()
        self._thread.join(limit + 0.5)
        complete = bool(self._sent) and not self.board.windows(self._sent)
        if self._ever and not complete:
            self._tell("end", "the last changes did not reach it")
        return complete

    # The thread.

    def _run(self) -> None:
        while not self._over.wait(min(max(self.pause, REST * self._took), LONGEST)):
            self._round()
        self._next_try = 0.0
        self._round(last=True)
        self._drop()

    def _round(self, last: bool = False) -> None:
        began = time.monotonic()
        if began < self._next_try:
            self._took = 0.0
            return
        try:
            self._send_changes()
            if last and self._sent:
                self._post("/save", {"data": [self.address.env]})
        except (OSError, http.client.HTTPException, Trouble) as error:
            self._fail(error)
        except (
            Exception
        ) as error:  # a mistake of ours must not end in a traceback beside a training that goes on
            self._fail(error)
        self._took = time.monotonic() - began

    def _fail(self, error: Exception) -> None:
        self.errors += 1
        self._next_try = time.monotonic() + self.retry
        self._drop()
        if isinstance(error, ConnectionError) and not self._ever:
            if not self.patient:
                self._tell("absent", "no server answers; one may be started at any time")
        elif self._ever and isinstance(error, OSError | http.client.HTTPException):
            self._tell("lost", f"lost ({_reason(error)}); when it is back it gets everything")
        else:
            self._tell("odd", f"{_reason(error)}; training goes on without it")

    def _tell(self, kind: str, what: str) -> None:
        """Say something, once."""
        if kind not in self._told:
            self._told.add(kind)
            self.say(f"dashboard {self.address.server}: {what}")

    def _drop(self) -> None:
        """Forget the connection, and with it what the server has been sent."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        if not self._over.is_set():
            self._forget()

    def _forget(self) -> None:
        self._sent.clear()
        self._frames.clear()

    def _send_changes(self) -> None:
        changed = self.board.windows(self._sent)
        idle = not changed and time.monotonic() - self._checked < self.retry
        if self._sent and not idle:
            # A server that was restarted between two rounds has forgotten everything.
            known = {"win": next(iter(self._sent)), "eid": self.address.env}
            self._checked = time.monotonic()
            if self._post("/win_exists", known) != "true":
                self._forget()
                changed = self.board.windows()
        for window in changed:
            self._send(window)
            self._sent[window.name] = window.version

    def _send(self, window: Window) -> None:
        name, content = window.name, window.content
        if isinstance(content, Lines):
            self._create(name, _traces(content), layout=_layout(content, self.board.unit))
        elif isinstance(content, Images):
            pixels = sheet(content.array, content.columns)
            self._create(name, _image(pixels), opts=_room(pixels, content.title))
        elif isinstance(content, Text):
            opts = {"title": name, **_size(content.html)}
            self._create(name, [{"type": "text", "content": content.html}], opts=opts)
        else:
            self._send_frames(name, content)

    def _send_frames(self, name: str, content: Frames) -> None:
        """Send the frames that the server does not have; all of them, where it has others."""
        numbers = [frame.number for frame in content.frames]
        there = self._frames.get(name, [])
        if there != numbers[: len(there)] or not there:
            there = []
        for k, frame in enumerate(content.frames[len(there) :], len(there)):
            picture = _picture(frame)
            if k == 0:
                self._create(name, picture, opts=_room(frame.array, name, slider=True))
            elif "does not exist" in self._post("/update", self._event(name, picture)):
                raise Trouble(f"its window {name} is gone")
            self._frames[name] = numbers[: k + 1]

    def _create(
        self, name: str, data: list[Any], *, layout: dict[str, Any] | None = None, opts: Any = None
    ) -> None:
        event = self._event(name, data) | {"layout": layout or {}, "opts": opts or {"title": name}}
        if self._post("/events", event) != name:
            raise Trouble("something answers that is not visdom")

    def _event(self, name: str, data: list[Any]) -> dict[str, Any]:
        return {"eid": self.address.env, "win": name, "data": data}

    def _post(self, path: str, message: dict[str, Any]) -> str:
        """Send a message and return the answer, without quotes.

        Raises:
            Trouble: The answer is an error, or there is no time left for it.
            OSError: There is no connection, or no answer in time.
            HTTPException: The answer is not HTTP.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Trouble("too slow to take the last changes")
        timeout = min(self.timeout, left)
        if self._connection is None:
            self._connection = self.address.connect(timeout)
            self._connection.connect()
        self._connection.sock.settimeout(timeout)
        body = json.dumps(message, allow_nan=False).encode()
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", self.address.base + path, body, headers)
        answer = self._connection.getresponse()
        said = answer.read().decode("utf-8", "replace").strip().strip('"')
        if answer.status != 200:
            raise Trouble(f"answers {answer.status} {answer.reason}")
        self._ever = True
        return said


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer"
    return " ".join(str(error).split()) or type(error).__name__


def _traces(content: Lines) -> list[Any]:
    return [
        {
            "type": "scatter",
            "mode": "lines+markers" if len(x) <= 30 else "lines",
            "name": line,
            "x": list(x),
            "y": [finite(value) for value in y],
        }
        for line, (x, y) in content.traces.items()
    ]


def _layout(content: Lines, unit: str) -> dict[str, Any]:
    layout: dict[str, Any] = {
        "showlegend": len(content.traces) > 1,
        "legend": {"orientation": "h", "y": 1.12},
        "margin": {"l": 55, "r": 15, "t": 25, "b": 40},
        "xaxis": {"title": {"text": unit}},
    }
    values = {y for _, ys in content.traces.values() for y in ys if finite(y) is not None}
    if len(values) == 1:  # plotly would show a learning rate of 0.001 between -1 and 1
        value = values.pop()
        layout["yaxis"] = {"range": [value - (abs(value) or 1) / 2, value + (abs(value) or 1) / 2]}
    return layout


def _image(pixels: Pixels) -> list[Any]:
    return [{"type": "image", "content": {"src": data_address(pixels), "caption": ""}}]


def _picture(frame: Frame) -> list[Any]:
    return [
        {
            "type": "image_history",
            "content": {"src": data_address(frame.array), "caption": frame.label},
        }
    ]


def _room(pixels: Pixels, title: str, slider: bool = False) -> dict[str, Any]:
    """Return the title of a picture, and how large its window must be; a large picture is shown smaller."""
    shrink = min(1.0, WIDEST / pixels.shape[1])
    height, width = (round(side * shrink) for side in pixels.shape[:2])
    return {"title": title, "width": width + 20, "height": height + (90 if slider else 40)}


def _size(html: str) -> dict[str, int]:
    """Return how large the window of a drawing must be; nothing for a text."""
    found = re.match(r'<svg[^>]* width="(\d+)" height="(\d+)"', html)
    return {"width": int(found[1]) + 30, "height": int(found[2]) + 50} if found else {}
