"""The visdom client: sends a `RunLog` to a visdom server from its own thread, in visdom's wire format.

visdom itself is not needed. Twice a second every window that has changed is sent whole. So a server may start late,
stop and come back: it always gets the whole history. No error reaches the training; each kind is reported once.
Depends on `run_log` and `images`.
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

from ..images import Pixels, data_url, image_grid
from ..run_log import Frame, Frames, Images, Lines, RunLog, Text, Window, finite

LOCAL = "http://127.0.0.1:8097"
PAUSE = 0.5  # seconds between two rounds of sending
RETRY = 5.0  # seconds between two attempts to reach a server
TIMEOUT = 2.0  # seconds that a server may take to answer
# The pause after a round is at least this many times as long as the round: the thread needs a small share of one core.
PAUSE_FACTOR = 40.0
MAX_PAUSE = 10.0  # seconds
MAX_WIDTH = 520  # of the window of an image, in pixels

Report = Callable[[str], None]


class VisdomError(Exception):
    """The server gave an answer that visdom would not give."""


class Address:
    """The address of a server: ``http://host:port[/base][/env/NAME]``.

    Attributes:
        env: The name of the environment; ``main`` if the URL has none.
        server: The URL without the environment.

    Raises:
        ValueError: The URL is not of this form.
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
        """Return a connection that is not open yet; ``timeout`` is in seconds."""
        kind = http.client.HTTPSConnection if self.secure else http.client.HTTPConnection
        return kind(self.host, self.port, timeout=timeout)


class VisdomClient:
    """Shows a `RunLog` on a visdom server, until it is closed.

    Args:
        log: What is shown.
        url: The server; ``/env/NAME`` at the end chooses one of its environments.
        report: Called with one line for each kind of error, once.
        quiet_if_absent: Whether a server that is not there is no error.
        pause: Seconds between two rounds of sending.
        retry: Seconds between two attempts to reach the server.
        timeout: Seconds that the server may take to answer.

    Attributes:
        errors: The number of rounds that have failed.

    Raises:
        ValueError: The URL is not an http address.
    """

    def __init__(
        self,
        log: RunLog,
        url: str = LOCAL,
        *,
        report: Report,
        quiet_if_absent: bool = False,
        pause: float = PAUSE,
        retry: float = RETRY,
        timeout: float = TIMEOUT,
    ) -> None:
        self.log, self.address, self.report = log, Address(url), report
        self.quiet_if_absent = quiet_if_absent
        self.pause, self.retry, self.timeout = pause, retry, timeout
        self.errors = 0
        self._reported: set[str] = set()
        self._connection: http.client.HTTPConnection | None = None
        self._connected_once = False
        self._sent: dict[str, int] = {}
        self._frames: dict[str, list[int]] = {}
        self._next_try = self._checked = 0.0
        self._round_seconds = 0.0
        self._deadline = float("inf")
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="visdom", daemon=True)
        self._thread.start()

    def close(self, limit: float = 5.0) -> bool:
        """Send the last changes, have the server save them, and stop, within ``limit`` seconds.

        Returns:
            Whether everything was sent.
        """
        self._deadline = time.monotonic() + limit
        self._closing.set()
        self._thread.join(limit + 0.5)
        complete = bool(self._sent) and not self.log.windows(self._sent)
        if self._connected_once and not complete:
            self._report_once("end", "the last changes did not reach it")
        return complete

    # The methods below run in the thread.

    def _run(self) -> None:
        while not self._closing.wait(min(max(self.pause, PAUSE_FACTOR * self._round_seconds), MAX_PAUSE)):
            self._round()
        self._next_try = 0.0
        self._round(last=True)
        self._drop()

    def _round(self, last: bool = False) -> None:
        began = time.monotonic()
        if began < self._next_try:
            self._round_seconds = 0.0
            return
        try:
            self._send_changes()
            if last and self._sent:
                self._post("/save", {"data": [self.address.env]})
        except (OSError, http.client.HTTPException, VisdomError) as error:
            self._fail(error)
        except Exception as error:  # a bug here must not print a traceback while the training goes on
            self._fail(error)
        self._round_seconds = time.monotonic() - began

    def _fail(self, error: Exception) -> None:
        self.errors += 1
        self._next_try = time.monotonic() + self.retry
        self._drop()
        if isinstance(error, ConnectionError) and not self._connected_once:
            if not self.quiet_if_absent:
                self._report_once("absent", "no server answers; one may be started at any time")
        elif self._connected_once and isinstance(error, OSError | http.client.HTTPException):
            self._report_once("lost", f"lost ({_reason(error)}); when it is back it gets everything")
        else:
            self._report_once("odd", f"{_reason(error)}; training goes on without it")

    def _report_once(self, kind: str, what: str) -> None:
        """Report the first error of each kind."""
        if kind not in self._reported:
            self._reported.add(kind)
            self.report(f"dashboard {self.address.server}: {what}")

    def _drop(self) -> None:
        """Close the connection and forget what the server has been sent."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        if not self._closing.is_set():
            self._forget()

    def _forget(self) -> None:
        self._sent.clear()
        self._frames.clear()

    def _send_changes(self) -> None:
        changed = self.log.windows(self._sent)
        idle = not changed and time.monotonic() - self._checked < self.retry
        if self._sent and not idle:
            # A server that was restarted between two rounds has lost everything.
            known = {"win": next(iter(self._sent)), "eid": self.address.env}
            self._checked = time.monotonic()
            if self._post("/win_exists", known) != "true":
                self._forget()
                changed = self.log.windows()
        for window in changed:
            self._send(window)
            self._sent[window.name] = window.version

    def _send(self, window: Window) -> None:
        name, content = window.name, window.content
        if isinstance(content, Lines):
            self._create(name, _traces(content), layout=_layout(content, self.log.unit))
        elif isinstance(content, Images):
            pixels = image_grid(content.array, content.columns)
            self._create(name, _image(pixels), opts=_image_size(pixels, content.title))
        elif isinstance(content, Text):
            opts = {"title": name, **_svg_size(content.html)}
            self._create(name, [{"type": "text", "content": content.html}], opts=opts)
        else:
            self._send_frames(name, content)

    def _send_frames(self, name: str, content: Frames) -> None:
        """Send the frames that the server does not have; all of them if it has others."""
        numbers = [frame.number for frame in content.frames]
        sent = self._frames.get(name, [])
        if sent != numbers[: len(sent)]:
            sent = []
        for k, frame in enumerate(content.frames[len(sent) :], len(sent)):
            picture = _slider_image(frame)
            if k == 0:
                self._create(name, picture, opts=_image_size(frame.array, name, slider=True))
            elif "does not exist" in self._post("/update", self._event(name, picture)):
                raise VisdomError(f"its window {name} is gone")
            self._frames[name] = numbers[: k + 1]

    def _create(
        self, name: str, data: list[Any], *, layout: dict[str, Any] | None = None, opts: Any = None
    ) -> None:
        event = self._event(name, data) | {"layout": layout or {}, "opts": opts or {"title": name}}
        if self._post("/events", event) != name:
            raise VisdomError("something answers that is not visdom")

    def _event(self, name: str, data: list[Any]) -> dict[str, Any]:
        return {"eid": self.address.env, "win": name, "data": data}

    def _post(self, path: str, message: dict[str, Any]) -> str:
        """Send a message and return the answer without quotes.

        Raises:
            VisdomError: The status is not 200, or the time limit of `close` has passed.
            OSError: There is no connection, or no answer in time.
            HTTPException: The answer is not HTTP.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise VisdomError("too slow to take the last changes")
        timeout = min(self.timeout, left)
        if self._connection is None:
            self._connection = self.address.connect(timeout)
            self._connection.connect()
        self._connection.sock.settimeout(timeout)
        body = json.dumps(message, allow_nan=False).encode()
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", self.address.base + path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read().decode("utf-8", "replace").strip().strip('"')
        if answer.status != 200:
            raise VisdomError(f"answers {answer.status} {answer.reason}")
        self._connected_once = True
        return text


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
    if len(values) == 1:  # plotly's default range for a constant 0.001 is -1 to 1
        value = values.pop()
        layout["yaxis"] = {"range": [value - (abs(value) or 1) / 2, value + (abs(value) or 1) / 2]}
    return layout


def _image(pixels: Pixels) -> list[Any]:
    return [{"type": "image", "content": {"src": data_url(pixels), "caption": ""}}]


def _slider_image(frame: Frame) -> list[Any]:
    return [
        {
            "type": "image_history",
            "content": {"src": data_url(frame.array), "caption": frame.label},
        }
    ]


def _image_size(pixels: Pixels, title: str, slider: bool = False) -> dict[str, Any]:
    """Return the options of the window of an image: its title and its size; large images are shown smaller."""
    shrink = min(1.0, MAX_WIDTH / pixels.shape[1])
    height, width = (round(side * shrink) for side in pixels.shape[:2])
    return {"title": title, "width": width + 20, "height": height + (90 if slider else 40)}


def _svg_size(html: str) -> dict[str, int]:
    """Return the size of the window of an SVG drawing; nothing for other HTML."""
    found = re.match(r'<svg[^>]* width="(\d+)" height="(\d+)"', html)
    return {"width": int(found[1]) + 30, "height": int(found[2]) + 50} if found else {}
