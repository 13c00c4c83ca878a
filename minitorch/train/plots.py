"""The figures of a run as PNG files: curves, predictions, hidden channels, mistakes, decision boundaries.

Takes arrays and records of a log, no models. Matplotlib draws them without a display; it is imported with the first
figure.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data.dataset import Dataset
from ..datasets import Graph
from ..vision.io import grid
from .metrics import confusion_matrix, worst_mistakes
from .run_dir import write_file

Array = npt.NDArray[Any]

BLUE, ORANGE, RED, GREY, INK = "#2f6db3", "#e07b39", "#c0392b", "#8a8f98", "#22262b"
SERIES = (BLUE, ORANGE, "#3d9970", "#8e5ea2", "#c9a227", RED, "#4fb3bf")  # one per run
DPI = 150
LARGEST_DRAWN = 1e100  # the ranges of axes are computed from differences and products of values
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e8eb",
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
}


@contextmanager
def figure(path: Path, width: float, height: float) -> Iterator[Any]:
    """Give an empty figure of a size in inches; at the end it is written to ``path`` atomically."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        drawn = Figure((width, height), dpi=DPI, layout="constrained")
        yield drawn
        content = io.BytesIO()
        drawn.savefig(content, format="png", metadata={"Software": None})
    write_file(path, content.getvalue())


def smoothed(values: Array) -> Array:
    """Return centred running means over a twelfth of the values; fewer near both ends, nan left out."""
    half = max(len(values) // 24, 1)
    windows = (values[max(k - half, 0) : k + half + 1] for k in range(len(values)))
    return np.array([np.nanmean(w) if np.isfinite(w).any() else math.nan for w in windows])


def drawable(values: Sequence[float | None]) -> Array:
    """Return values as an array with nan, a gap in a line, for None and for what matplotlib cannot lay out."""
    array = np.array(values, float)
    return np.where(np.abs(array) <= LARGEST_DRAWN, array, math.nan)


def plot_curves(folder: Path, records: Sequence[dict[str, Any]]) -> None:
    """Draw ``loss.png`` and ``accuracy.png`` from the records of a log, and ``lr.png`` if they have learning rates."""
    for name in ("loss", "accuracy"):
        if any(record[name] is not None for record in records):
            plot_curve(folder / f"{name}.png", name, records)
    if any("lr" in record for record in records):
        plot_rates(folder / "lr.png", records)


def plot_curve(path: Path, name: str, records: Sequence[dict[str, Any]], unit: str = "training step") -> None:
    """Draw a value of the training batches, raw (faint) and smoothed, and of the validation images."""
    steps = np.array([record["step"] for record in records])
    values = drawable([record[name] for record in records])
    checks = [r for r in records if r.get(f"valid_{name}") is not None]
    with figure(path, 6.4, 3.8) as drawn:
        axes = drawn.subplots()
        axes.plot(steps, values, color=BLUE, alpha=0.25, linewidth=1)
        axes.plot(steps, smoothed(values), color=BLUE, label="training")
        valid = drawable([r[f"valid_{name}"] for r in checks])
        if checks:
            axes.plot(
                [r["step"] for r in checks], valid, "o-", color=ORANGE, markersize=4.5, label="validation"
            )
        if name == "loss":
            axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        axes.set(title=name.capitalize(), xlabel=unit)
        axes.locator_params(axis="x", integer=True)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        if checks:
            axes.legend()


def plot_rates(path: Path, records: Sequence[dict[str, Any]]) -> None:
    """Draw the learning rate of each step."""
    with figure(path, 6.4, 2.9) as drawn:
        axes = drawn.subplots()
        steps, rates = [r["step"] for r in records], [r.get("lr") for r in records]
        axes.plot(steps, drawable(rates), color=BLUE)
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.set(title="Learning rate", xlabel="training step")
        axes.locator_params(axis="x", integer=True)
        axes.xaxis.set_major_formatter("{x:,.0f}")


def plot_comparison(path: Path, logs: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    """Draw the validation accuracy and the smoothed training loss of several runs, by name, over their epochs."""
    with figure(path, 9.6, 4.2) as drawn:
        left, right = drawn.subplots(1, 2)
        for k, (name, records) in enumerate(logs.items()):
            colour, dash = SERIES[k % len(SERIES)], ("-", "--", ":")[k // len(SERIES) % 3]
            steps = next((r["step"] / r["epoch"] for r in records if "valid_accuracy" in r), 1)
            checks = [r for r in records if r.get("valid_accuracy") is not None]
            epochs, valid = [r["epoch"] for r in checks], drawable([r["valid_accuracy"] for r in checks])
            left.plot(epochs, valid, f"o{dash}", color=colour, markersize=4, label=name)
            losses = smoothed(drawable([r["loss"] for r in records]))
            right.plot([r["step"] / steps for r in records], losses, dash, color=colour)
        for axes, title in ((left, "Validation accuracy"), (right, "Training loss")):
            axes.set(title=title, xlabel="epoch")
            axes.set_xlim(left=0)
            axes.locator_params(axis="x", integer=True)
        right.set_ylim(bottom=0)
        drawn.legend(loc="outside lower center", ncols=min(len(logs), 4))


SCALE = 3  # each pixel of an image becomes 3x3 pixels of a grid, so that frames are thinner than image pixels
FRAME = 0.8  # grey level


@dataclass(frozen=True)
class ImageGrid:
    """Images laid out in rows, as one array from 0 (black) to 1 (white).

    Attributes:
        canvas: (height, width), or (height, width, 3).
        corners: Left and top of each image, in pixels.
        side: Width of an image, in pixels.
    """

    canvas: Array
    corners: list[tuple[int, int]]
    side: int

    def show(self, axes: Any) -> None:
        """Draw the grid, without axes."""
        colours = self.canvas if self.canvas.ndim == 3 else self.canvas[..., None].repeat(3, axis=2)
        axes.imshow((colours * 255).astype(np.uint8), interpolation="nearest")
        axes.set_axis_off()

    def caption(self, axes: Any, captions: Sequence[str], colours: Sequence[str]) -> None:
        """Write a caption above each image."""
        for (left, top), text, colour in zip(self.corners, captions, colours):
            axes.text(left + self.side / 2, top - 5, text, color=colour, fontsize=9, ha="center", va="bottom")


def framed_grid(images: Array, columns: int, headroom: float = 0.1) -> ImageGrid:
    """Lay out images (N, H, W) or (N, H, W, 3) with thin frames; ``headroom`` is the gap above each, in heights."""
    planes = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    large = np.nan_to_num(planes, nan=1.0).repeat(SCALE, axis=2).repeat(SCALE, axis=3)
    count, channels, height, width = large.shape
    gap, above = round(0.1 * width), round(headroom * height)
    rows = max(-(-count // columns), 1)
    tiles = np.ones((rows * columns, channels, above + height, width + gap))
    tiles[:count, :, above:, :width] = FRAME
    tiles[:count, :, above + 1 : -1, 1 : width - 1] = large[:, :, 1:-1, 1:-1]
    canvas = grid(tiles, nrow=columns, padding=0)[:, :, : columns * (width + gap) - gap]
    corners = [(n % columns * (width + gap), n // columns * (above + height) + above) for n in range(count)]
    return ImageGrid(canvas[0] if channels == 1 else canvas.transpose(1, 2, 0), corners, width)


def _for_display(images: Array) -> Array:
    """Return uint8 images (N, C, H, W) from 0 to 1: grey ones inverted (N, H, W), others as RGB (N, H, W, 3)."""
    return 1 - images[:, 0] / 255 if images.shape[1] == 1 else images.transpose(0, 2, 3, 1) / 255


def _inverted(channel: Array) -> Array:
    """Return a channel (N, H, W) from 0 to 1: the highest activation black, the lowest white."""
    low, high = float(channel.min()), float(channel.max())
    constant = not (math.isfinite(low) and math.isfinite(high) and low < high)
    return np.ones_like(channel) if constant else (high - channel.astype(float)) / (high - low)


def _captions(images: Dataset, guesses: Array) -> tuple[list[str], float]:
    """Return captions, ``predicted`` or ``predicted (true)``, and the headroom they need."""
    names = images.classes
    gap = "\n" if max(map(len, names)) > 2 else " "
    pairs = zip(guesses, images.labels)
    texts = [names[guess] + (f"{gap}({names[truth]})" if guess != truth else "") for guess, truth in pairs]
    return texts, 0.58 if any("\n" in text for text in texts) else 0.34


def plot_predictions(folder: Path, scores: Array, images: Dataset) -> None:
    """Draw ``val_images.png``: held-out images, 8 in a row, with the predicted class of each."""
    guesses = scores.argmax(axis=1)
    wrong = guesses != images.labels
    captions, headroom = _captions(images, guesses)
    laid = framed_grid(_for_display(images.images), 8, headroom)
    title = f"Held-out images as the network reads them: {len(images) - wrong.sum()} of {len(images)} right"
    with figure_of_grid(folder / "val_images.png", laid, 8.4, title) as axes:
        laid.caption(axes, captions, [RED if w else INK for w in wrong])


def plot_channels(folder: Path, name: str, channels: Array) -> None:
    """Draw hidden channels (N, C, H, W): ``name_c.png``, 4 images in a row, for each; ``name.png`` for all.

    High activations are dark. Each channel is scaled by its own range, which its title gives.
    """
    stage = {"mid_images": "First convolution", "out_images": "Second convolution"}[name]
    for c, channel in enumerate(channels.swapaxes(0, 1)):
        title = f"{stage}, channel {c}: {channel.min():.3g} to {channel.max():.3g}"
        with figure_of_grid(folder / f"{name}_{c}.png", framed_grid(_inverted(channel), 4), 4.4, title):
            pass
    columns = min(8, len(channels))
    rows = [_inverted(channel)[:columns] for channel in channels.swapaxes(0, 1)]
    laid = framed_grid(np.concatenate(rows), columns)
    title = f"{stage}: what its {len(rows)} channels see in {columns} held-out images"
    with figure_of_grid(folder / f"{name}.png", laid, 8.4, title) as axes:
        for c, (left, top) in enumerate(laid.corners[::columns]):
            axes.text(left - 12, top + laid.side / 2, f"{c}", ha="right", va="center", color=GREY)


def plot_filters(folder: Path, weights: Array) -> None:
    """Draw ``filters.png``: filters (O, C, H, W), RGB if C is 3, else grey; each is scaled by its own range."""
    count, channels, height, width = weights.shape
    low, high = (end(axis=(1, 2, 3), keepdims=True) for end in (weights.min, weights.max))
    tiles = (weights - low) / np.where(high > low, high - low, 1)
    tiles = tiles.transpose(0, 2, 3, 1) if channels == 3 else tiles.mean(axis=1)
    size = max(32 // max(height, width), 1)
    laid = framed_grid(tiles.repeat(size, axis=1).repeat(size, axis=2), 8)
    title = f"First convolution: {count} filters of {height}×{width}, each scaled by its own range"
    with figure_of_grid(folder / "filters.png", laid, 7.0, title):
        pass


@contextmanager
def figure_of_grid(path: Path, laid: ImageGrid, width: float, title: str) -> Iterator[Any]:
    """Draw a grid with a title; give its axes, to draw more on them."""
    height = width * laid.canvas.shape[0] / laid.canvas.shape[1]
    with figure(path, width, height + 0.4) as drawn:
        axes = drawn.subplots()
        laid.show(axes)
        axes.set_title(title)
        yield axes


def plot_confusion(folder: Path, scores: Array, images: Dataset) -> None:
    """Draw ``confusion.png``: the confusion matrix of the test images, from scores (N, classes)."""
    size = len(images.classes)
    counts = confusion_matrix(scores, images.labels, images.classes)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with figure(folder / "confusion.png", 6.4, 6.2) as drawn:
        axes = drawn.subplots()
        axes.grid(False)
        axes.imshow(shares**0.5, cmap="Blues", vmin=0, vmax=1)  # the root shows rare mistakes
        long = max(map(len, images.classes)) > 2
        axes.set_xticks(
            range(size), images.classes, rotation=40 if long else 0, ha="right" if long else "center"
        )
        axes.set_yticks(range(size), images.classes)
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        for i, j in zip(*np.nonzero(counts)):
            white = shares[i, j] ** 0.5 > 0.6
            axes.text(
                j,
                i,
                f"{counts[i, j]}",
                ha="center",
                va="center",
                fontsize=8.5,
                color="white" if white else INK,
            )
        right = np.trace(counts) / max(len(images), 1)
        axes.set(xlabel="predicted", ylabel="true", title=f"Test images: {right:.2%} right")


def plot_mistakes(folder: Path, scores: Array, images: Dataset, count: int = 24) -> None:
    """Draw ``mistakes.png``: the test images whose true class got the lowest probability."""
    wrong, worst = worst_mistakes(scores, images.labels, count)
    captions, headroom = _captions(images.subset(worst), scores.argmax(axis=1)[worst])
    laid = framed_grid(_for_display(images.images[worst]), 8, headroom)
    title = f"No mistakes in {len(images):,} test images"
    if len(worst):
        title = f"The worst of {wrong:,} mistakes in {len(images):,} test images: predicted (true)"
    with figure_of_grid(folder / "mistakes.png", laid, 8.4, title) as axes:
        laid.caption(axes, captions, [INK] * len(worst))


def plot_boundary(
    path: Path, data: Graph, classify: Callable[[list[tuple[float, float]]], Array], title: str
) -> None:
    """Draw the points of a toy set over the probability of label 1 in the plane.

    Args:
        path: The file.
        data: The points and their labels.
        classify: Maps points to the probability of label 1 at each.
        title: The title of the figure.
    """
    points, labels = np.array(data.X), np.array(data.y)
    low, high = min(points.min(), 0.0) - 0.03, max(points.max(), 1.0) + 0.03
    ticks = np.linspace(low, high, 81)
    x, y = np.meshgrid(ticks, ticks)
    field = np.asarray(classify(list(zip(x.ravel().tolist(), y.ravel().tolist())))).reshape(x.shape)
    with figure(path, 4.8, 4.6) as drawn:
        axes = drawn.subplots()
        axes.grid(False)
        levels = np.linspace(0, 1, 21)
        axes.contourf(x, y, field, levels, cmap="RdBu", vmin=-0.9, vmax=1.9)
        if field.min() < 0.5 < field.max():
            axes.contour(x, y, field, [0.5], colors=INK, linewidths=1.5)
        for label, colour, marker, name in ((0, RED, "X", "label 0"), (1, BLUE, "o", "label 1")):
            chosen = points[labels == label]
            axes.scatter(
                *chosen.T, s=46, c=colour, marker=marker, edgecolors="white", linewidths=0.9, label=name
            )
        axes.set(title=title, xlim=(low, high), ylim=(low, high), aspect="equal")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=2, handletextpad=0.2)
