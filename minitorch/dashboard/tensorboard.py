"""A logger that writes the files which TensorBoard reads. Importing it needs tensorboardX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy.typing as npt
from tensorboardX import SummaryWriter

from pixels import sheet

Array = npt.NDArray[Any]


class TensorBoard:
    """Writes lines, pictures and texts into a folder.

    Args:
        folder: Where; it may hold other runs in folders beside.
    """

    def __init__(self, folder: Path) -> None:
        self.writer = SummaryWriter(str(folder))
        self.step = 0  # of pictures: that of the last point
        self.frames: dict[str, int] = {}

    def scalar(self, window: str, line: str, x: float, y: float) -> None:
        """Add a point to a line."""
        self.step = int(x)
        self.writer.add_scalar(f"{window}/{line}", y, self.step)

    def images(self, window: str, array: Array, *, columns: int = 8, title: str = "") -> None:
        """Show images in rows."""
        pixels = sheet(array, columns)
        self.writer.add_image(window, pixels, self.step, dataformats="HWC" if pixels.ndim == 3 else "HW")

    def frame(self, window: str, array: Array, *, label: str) -> None:
        """Add a picture; TensorBoard has a slider of its own."""
        self.frames[window] = self.frames.get(window, 0) + 1
        self.writer.add_image(window, array, self.frames[window], dataformats="HWC")

    def text(self, window: str, html: str) -> None:
        """Show a text; drawings are left out, for TensorBoard shows them as their source."""
        if not html.startswith("<svg"):
            self.writer.add_text(window, html, self.step)

    def close(self) -> None:
        """Finish the files."""
        self.writer.close()
