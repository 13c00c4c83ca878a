"""What a run shows, kept in memory: lines, images, images under a slider, texts; each has a named window.

Training writes to a `RunLog`. A viewer (the visdom client, the HTML report) reads it in its own time. So a viewer may
come late, leave and come back, and it sees the whole history. Depends on NumPy only; it knows no viewer.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

MAX_POINTS = 1000  # of a line
MAX_FRAMES = 50  # under a slider


class Logger(Protocol):
    """Takes what a run shows. Each window has a name and holds one kind of content."""

    def scalar(self, window: str, line: str, x: float, y: float) -> None:
        """Add the point (x, y) to a line."""

    def images(self, window: str, array: Array, *, columns: int = 8, title: str = "") -> None:
        """Show images (N, H, W) or (N, C, H, W), C = 1 or 3, ``columns`` in a row.

        uint8 images are shown as they are, others are scaled by their own minimum and maximum.
        """

    def frame(self, window: str, array: Array, *, label: str) -> None:
        """Add a uint8 image (H, W, 3) to those under a slider."""

    def text(self, window: str, html: str) -> None:
        """Show HTML or SVG. The caller escapes text that is not markup."""

    def close(self) -> None:
        """Finish; no call follows."""


@dataclass(frozen=True)
class Lines:
    """Lines by name: all x and all y of each."""

    traces: Mapping[str, tuple[Sequence[float], Sequence[float]]]


@dataclass(frozen=True)
class Images:
    """Images to lay out in rows of ``columns``."""

    array: Array
    columns: int
    title: str


@dataclass(frozen=True)
class Frame:
    """One image (H, W, 3) under a slider; ``number`` is unique in its window."""

    number: int
    label: str
    array: Array


@dataclass(frozen=True)
class Frames:
    """The images under a slider, the oldest first."""

    frames: Sequence[Frame]


@dataclass(frozen=True)
class Text:
    """HTML or SVG text."""

    html: str


Content = Lines | Images | Frames | Text


@dataclass(frozen=True)
class Window:
    """A window at one time; ``version`` grows with each change."""

    name: str
    version: int
    content: Content


class Thinned:
    """A growing list that keeps at most ``limit`` items, evenly spread, and always the last one.

    Whenever it is full, every second item is dropped, and from then on only every second new item is kept.
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.stride, self.count = limit, 1, 0
        self.kept: list[Any] = []
        self.last: Any = None

    def add(self, item: Any) -> None:
        """Add an item."""
        if self.count % self.stride == 0:
            self.kept.append(item)
        self.last = item
        self.count += 1
        if len(self.kept) >= self.limit:
            self.kept = self.kept[::2]
            self.stride *= 2

    def items(self) -> list[Any]:
        """Return the items that are kept, in order."""
        last_is_kept = (self.count - 1) % self.stride == 0
        return list(self.kept) if last_is_kept else [*self.kept, self.last]


class RunLog:
    """A `Logger` that keeps everything in memory, for viewers in other threads.

    A call copies its arguments and returns within microseconds; nothing is drawn.

    Args:
        unit: The unit of x of all lines: ``"step"`` (default) or ``"epoch"``.
    """

    def __init__(self, unit: str = "step") -> None:
        self.unit = unit
        self._lock = threading.Lock()
        self._lines: dict[str, dict[str, Thinned]] = {}
        self._frames: dict[str, Thinned] = {}
        self._latest: dict[str, Images | Text] = {}
        self._versions: dict[str, int] = {}  # in the order in which the windows were created

    def scalar(self, window: str, line: str, x: float, y: float) -> None:
        """Add a point to a line."""
        with self._lock:
            lines = self._lines.setdefault(window, {})
            if line not in lines:
                lines[line] = Thinned(MAX_POINTS)
            lines[line].add((x, y))
            self._touch(window)

    def images(self, window: str, array: Array, *, columns: int = 8, title: str = "") -> None:
        """Show images in rows, in place of earlier ones."""
        content = Images(np.array(array), columns, title or window)
        with self._lock:
            self._latest[window] = content
            self._touch(window)

    def frame(self, window: str, array: Array, *, label: str) -> None:
        """Add an image to those under a slider."""
        copied = np.array(array)
        with self._lock:
            frames = self._frames.setdefault(window, Thinned(MAX_FRAMES))
            frames.add(Frame(frames.count, label, copied))
            self._touch(window)

    def text(self, window: str, html: str) -> None:
        """Show HTML or SVG, in place of an earlier text."""
        with self._lock:
            self._latest[window] = Text(html)
            self._touch(window)

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def _touch(self, window: str) -> None:
        self._versions[window] = self._versions.get(window, 0) + 1

    def windows(self, seen: Mapping[str, int] | None = None) -> list[Window]:
        """Return the windows whose version differs from that in ``seen`` (by name); without it, all windows."""
        seen = seen or {}
        with self._lock:
            changed = [(name, v) for name, v in self._versions.items() if seen.get(name) != v]
            return [Window(name, version, self._content(name)) for name, version in changed]

    def _content(self, name: str) -> Content:
        if name in self._lines:
            traces = {}
            for line, points in self._lines[name].items():
                x, y = zip(*points.items())
                traces[line] = (x, y)
            return Lines(traces)
        if name in self._frames:
            return Frames(self._frames[name].items())
        return self._latest[name]


class MultiLogger:
    """A `Logger` that passes every call on to several others."""

    def __init__(self, loggers: Sequence[Logger]) -> None:
        self.loggers = loggers

    def scalar(self, window: str, line: str, x: float, y: float) -> None:
        """Add a point to a line."""
        for logger in self.loggers:
            logger.scalar(window, line, x, y)

    def images(self, window: str, array: Array, *, columns: int = 8, title: str = "") -> None:
        """Show images in rows."""
        for logger in self.loggers:
            logger.images(window, array, columns=columns, title=title)

    def frame(self, window: str, array: Array, *, label: str) -> None:
        """Add an image to those under a slider."""
        for logger in self.loggers:
            logger.frame(window, array, label=label)

    def text(self, window: str, html: str) -> None:
        """Show HTML or SVG."""
        for logger in self.loggers:
            logger.text(window, html)

    def close(self) -> None:
        """Close all of them."""
        for logger in self.loggers:
            logger.close()


def finite(y: float) -> float | None:
    """Return ``y``, or None (a gap in a line) if it is infinite or not a number."""
    return float(y) if math.isfinite(y) else None
