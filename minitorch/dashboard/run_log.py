"""What a run shows, kept in memory: lines, pictures, pictures under a slider, texts, each in a named window.

A `Board` is what trainers write to. Whoever shows it (a visdom server, the report) reads it when there is time:
so a viewer may come late, leave and come back, and sees the whole history. It refuses to know who looks.
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

POINTS = 1000  # of a line, at most
FRAMES = 50  # under a slider, at most


class Logger(Protocol):
    """Takes what a run has to show."""

    def scalar(self, window: str, line: str, x: float, y: float) -> None:
        """Add a point to a line."""

    def images(self, window: str, array: Array, *, columns: int = 8, title: str = "") -> None:
        """Show images (N, H, W) or (N, C, H, W) in rows; other than uint8 ones are scaled by their own range."""

    def frame(self, window: str, array: Array, *, label: str) -> None:
        """Add a picture (H, W, 3) to those under a slider."""

    def text(self, window: str, html: str) -> None:
        """Show HTML or SVG; whoever writes it escapes what is not markup."""

    def close(self) -> None:
        """Finish; nothing comes after it."""


@dataclass(frozen=True)
class Lines:
    """Points of each line: all x, all y."""

    traces: Mapping[str, tuple[Sequence[float], Sequence[float]]]


@dataclass(frozen=True)
class Images:
    """Images to be laid out in rows."""

    array: Array
    columns: int
    title: str


@dataclass(frozen=True)
class Frame:
    """One picture under a slider; ``number`` tells it from all others of its window."""

    number: int
    label: str
    array: Array


@dataclass(frozen=True)
class Frames:
    """Pictures under a slider, the oldest first."""

    frames: Sequence[Frame]


@dataclass(frozen=True)
class Text:
    """HTML or SVG."""

    html: str


Content = Lines | Images | Frames | Text


@dataclass(frozen=True)
class Window:
    """A window as it is at one time; ``version`` grows with each change."""

    name: str
    version: int
    content: Content


class Thinned:
    """A growing list that keeps at most ``limit`` items, evenly spread, and always the last.

    Whenever it is full every second item is dropped, and from then on only every second one is kept.
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
        """Return what is kept."""
        last_is_kept = (self.count - 1) % self.stride == 0
        return list(self.kept) if last_is_kept else [*self.kept, self.last]


class Board:
    """Keeps what a run shows. A call copies what it is given and returns within microseconds; nothing is drawn.

    Args:
        unit: What the lines are drawn over.
    """

    def __init__(self, unit: str = "step") -> None:
        self.unit = unit
        self._lock = threading.Lock()
        self._lines: dict[str, dict[str, Thinned]] = {}
        self._frames: dict[str, Thinned] = {}
        self._latest: dict[str, Images | Text] = {}
        self._versions: dict[str, int] = {}  # in the order in which the windows came

    def scalar(self, window: str, line: str, x: float, y: float) -> None:
        """Add a point to a line."""
        with self._lock:
            lines = self._lines.setdefault(window, {})
            if line not in lines:
                lines[line] = Thinned(POINTS)
            lines[line].add((x, y))
            self._touch(window)

    def images(self, window: str, array: Array, *, columns: int = 8, title: str = "") -> None:
        """Show images in rows, instead of those before."""
        content = Images(np.array(array), columns, title or window)
        with self._lock:
            self._latest[window] = content
            self._touch(window)

    def frame(self, window: str, array: Array, *, label: str) -> None:
        """Add a picture to those under a slider."""
        copied = np.array(array)
        with self._lock:
            frames = self._frames.setdefault(window, Thinned(FRAMES))
            frames.add(Frame(frames.count, label, copied))
            self._touch(window)

    def text(self, window: str, html: str) -> None:
        """Show HTML or SVG, instead of what was there."""
        with self._lock:
            self._latest[window] = Text(html)
            self._touch(window)

    def close(self) -> None:
        """Nothing is held open."""

    def _touch(self, window: str) -> None:
        self._versions[window] = self._versions.get(window, 0) + 1

    def windows(self, seen: Mapping[str, int] | None = None) -> list[Window]:
        """Return the windows that have changed since the versions in ``seen``; all of them without it."""
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


class Fan:
    """A logger that hands everything to several others."""

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
        """Add a picture to those under a slider."""
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
    """Return ``y``, or None, which is a gap in a line, for what is not a finite number."""
    return float(y) if math.isfinite(y) else None
