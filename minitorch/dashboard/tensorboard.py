"""A logger that writes the files of TensorBoard. Importing it needs tensorboardX; nothing else in the package does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy.typing as npt
from tensorboardX import SummaryWriter

from .images import image_grid

Array = npt.NDArray[Any]


class TensorBoardLogger:
    """Writes lines, images and texts to a log directory.

    Args:
        folder: The directory of this run.
    """

    def __init__(self, folder: Path) -> None:
        self.writer = SummaryWriter(str(folder))
        self.step = 0  # of the last point; images and texts are written at this step
        self.frames: dict[str, int] = {}

    def scalar(self, window: str, line: str, x: float, y: float) -> None:
        """Add a point to a line."""
        self.step = int(x)
        self.writer.add_scalar(f"{window}/{line}", y, self.step)

    def images(self, window: str, array: Array, *, columns: int = 8, title: str = "") -> None:
        """Show images in rows."""
        pixels = image_grid(array, columns)
        self.writer.add_image(window, pixels, self.step, dataformats="HWC" if pixels.ndim == 3 else "HW")

    def frame(self, window: str, array: Array, *, label: str) -> None:
        """Add an image; TensorBoard has its own slider."""
        self.frames[window] = self.frames.get(window, 0) + 1
        self.writer.add_image(window, array, self.frames[window], dataformats="HWC")

    def text(self, window: str, html: str) -> None:
        """Show a text; SVG is left out, because TensorBoard shows its source."""
        if not html.startswith("<svg"):
            self.writer.add_text(window, html, self.step)

    def close(self) -> None:
        """Finish the files."""
        self.writer.close()
