"""The pictures of a run, as PNG files: curves, digits, hidden channels, mistakes, decision boundaries.

Matplotlib draws them, without a display, and is imported with the first picture. It refuses to know models
and training: it is given arrays and records.
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

import folder as files
from minitorch import Graph
from minitorch.data import Dataset

Array = npt.NDArray[Any]

BLUE, ORANGE, RED, GREY, INK = "#2f6db3", "#e07b39", "#c0392b", "#8a8f98", "#22262b"
SERIES = (BLUE, ORANGE, "#3d9970", "#8e5ea2", "#c9a227", RED, "#4fb3bf")  # one for each run
DPI = 150
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
    """Give an empty figure, in inches; at the end it is written to ``path``, wholly or not at all."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        drawn = Figure((width, height), dpi=DPI, layout="constrained")
        yield drawn
        content = io.BytesIO()
        drawn.savefig(content, format="png", metadata={"Software": None})
    files.write(path, content.getvalue())


def smoothed(values: Array) -> Array:
    """Return running means over a twelfth of the values, centred, one-sided near both ends; nan stays out."""
    reach = max(len(values) // 24, 1)
    windows = (values[max(k - reach, 0) : k + reach + 1] for k in range(len(values)))
    return np.array([np.nanmean(w) if np.isfinite(w).any() else math.nan for w in windows])


def draw_curves(folder: Path, records: Sequence[dict[str, Any]]) -> None:
    """Draw ``loss.png`` and ``accuracy.png`` from the records of a log, and ``lr.png`` if they tell the rates."""
    for name in ("loss", "accuracy"):
        if any(record[name] is not None for record in records):
            draw_curve(folder / f"{name}.png", name, records)
    if any("lr" in record for record in records):
        draw_rates(folder / "lr.png", records)


def draw_curve(path: Path, name: str, records: Sequence[dict[str, Any]], unit: str = "training step") -> None:
    """Draw what training gave, faint and smoothed, and what the validation images gave."""
    steps = np.array([record["step"] for record in records])
    values = np.array([record[name] for record in records], float)
    checks = [r for r in records if r.get(f"valid_{name}") is not None]
    with figure(path, 6.4, 3.8) as drawn:
        axes = drawn.subplots()
        axes.plot(steps, values, color=BLUE, alpha=0.25, linewidth=1)
        axes.plot(steps, smoothed(values), color=BLUE, label="training")
        valid = [r[f"valid_{name}"] for r in checks]
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


def draw_rates(path: Path, records: Sequence[dict[str, Any]]) -> None:
    """Draw the learning rates that steps were taken with."""
    with figure(path, 6.4, 2.9) as drawn:
        axes = drawn.subplots()
        axes.plot([r["step"] for r in records], [r["lr"] for r in records], color=BLUE)
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.set(title="Learning rate", xlabel="training step")
        axes.locator_params(axis="x", integer=True)
        axes.xaxis.set_major_formatter("{x:,.0f}")


def draw_comparison(path: Path, logs: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    """Draw the validation accuracy and the smoothed training loss of several runs, by name, over their epochs."""
    with figure(path, 9.6, 4.2) as drawn:
        left, right = drawn.subplots(1, 2)
        for k, (name, records) in enumerate(logs.items()):
            colour, dash = SERIES[k % len(SERIES)], ("-", "--", ":")[k // len(SERIES) % 3]
            steps = next((r["step"] / r["epoch"] for r in records if "valid_accuracy" in r), 1)
            checks = [r for r in records if r.get("valid_accuracy") is not None]
            epochs, valid = [r["epoch"] for r in checks], [r["valid_accuracy"] for r in checks]
            left.plot(epochs, valid, f"o{dash}", color=colour, markersize=4, label=name)
            losses = smoothed(np.array([r["loss"] for r in records], float))
            right.plot([r["step"] / steps for r in records], losses, dash, color=colour)
        for axes, title in ((left, "Validation accuracy"), (right, "Training loss")):
            axes.set(title=title, xlabel="epoch")
            axes.set_xlim(left=0)
            axes.locator_params(axis="x", integer=True)
        right.set_ylim(bottom=0)
        drawn.legend(loc="outside lower center", ncols=min(len(logs), 4))


ZOOM = 3  # how many pixels of a sheet a pixel of an image becomes, so that frames are finer than they


@dataclass(frozen=True)
class Sheet:
    """Pictures laid out in rows, as one array from 0 (black) to 1 (white).

    Attributes:
        canvas: (height, width), or (height, width, 3).
        corners: Left and top of each picture.
        side: Width of a picture.
    """

    canvas: Array
    corners: list[tuple[int, int]]
    side: int

    def show(self, axes: Any) -> None:
        """Draw the sheet and nothing else."""
        colours = self.canvas if self.canvas.ndim == 3 else self.canvas[..., None].repeat(3, axis=2)
        axes.imshow((colours * 255).astype(np.uint8), interpolation="nearest")
        axes.set_axis_off()

    def caption(self, axes: Any, captions: Sequence[str], colours: Sequence[str]) -> None:
        """Write a line above each picture."""
        for (left, top), text, colour in zip(self.corners, captions, colours):
            axes.text(left + self.side / 2, top - 5, text, color=colour, fontsize=9, ha="center", va="bottom")


def sheet(pictures: Array, columns: int, headroom: float = 0.1) -> Sheet:
    """Lay out pictures (N, H, W) or (N, H, W, 3) with thin frames, ``headroom`` heights apart."""
    large = np.nan_to_num(pictures, nan=1.0).repeat(ZOOM, axis=1).repeat(ZOOM, axis=2)
    count, height, width = large.shape[:3]
    across, down = width + round(0.1 * width), height + round(headroom * height)
    rows = max(-(-count // columns), 1)
    canvas = np.ones((rows * down, columns * across - across + width, *large.shape[3:]))
    corners = [(n % columns * across, n // columns * down + down - height) for n in range(count)]
    for picture, (left, top) in zip(large, corners):
        canvas[top : top + height, left : left + width] = 0.8
        inside = picture[1:-1, 1:-1]
        canvas[top + 1 : top + height - 1, left + 1 : left + width - 1] = inside
    return Sheet(canvas, corners, width)


def _paper(images: Array) -> Array:
    """Return uint8 images (N, C, H, W) as pictures: grey ones as ink on paper, others in their colours."""
    return 1 - images[:, 0] / 255 if images.shape[1] == 1 else images.transpose(0, 2, 3, 1) / 255


def _inked(channel: Array) -> Array:
    """Return a channel as pictures: the strongest answer black, the weakest white."""
    low, high = float(channel.min()), float(channel.max())
    flat = not (math.isfinite(low) and math.isfinite(high) and low < high)
    return np.ones_like(channel) if flat else (high - channel.astype(float)) / (high - low)


def _captions(images: Dataset, guesses: Array) -> tuple[list[str], float]:
    """Return what to write above images, ``guess`` or ``guess (truth)``, and how much room that needs."""
    names = images.classes
    gap = "\n" if max(map(len, names)) > 2 else " "
    pairs = zip(guesses, images.labels)
    told = [names[guess] + (f"{gap}({names[truth]})" if guess != truth else "") for guess, truth in pairs]
    return told, 0.58 if any("\n" in text for text in told) else 0.34


def draw_guesses(folder: Path, scores: Array, images: Dataset) -> None:
    """Draw ``val_images.png``: held-out images, 8 in a row, with what the model takes each for."""
    guesses = scores.argmax(axis=1)
    wrong = guesses != images.labels
    captions, headroom = _captions(images, guesses)
    laid = sheet(_paper(images.images), 8, headroom)
    title = f"Held-out images as the network reads them: {len(images) - wrong.sum()} of {len(images)} right"
    with picture(folder / "val_images.png", laid, 8.4, title) as axes:
        laid.caption(axes, captions, [RED if w else INK for w in wrong])


def draw_channels(folder: Path, name: str, channels: Array) -> None:
    """Draw hidden channels (N, C, H, W): ``name_c.png``, 4 images in a row, for each; ``name.png`` for all.

    Strong answers are dark. Each channel is scaled by its own range, which its title gives.
    """
    stage = {"mid_images": "First convolution", "out_images": "Second convolution"}[name]
    for c, channel in enumerate(channels.swapaxes(0, 1)):
        title = f"{stage}, channel {c}: {channel.min():.3g} to {channel.max():.3g}"
        with picture(folder / f"{name}_{c}.png", sheet(_inked(channel), 4), 4.4, title):
            pass
    columns = min(8, len(channels))
    rows = [_inked(channel)[:columns] for channel in channels.swapaxes(0, 1)]
    laid = sheet(np.concatenate(rows), columns)
    title = f"{stage}: what its {len(rows)} channels see in {columns} held-out images"
    with picture(folder / f"{name}.png", laid, 8.4, title) as axes:
        for c, (left, top) in enumerate(laid.corners[::columns]):
            axes.text(left - 12, top + laid.side / 2, f"{c}", ha="right", va="center", color=GREY)


def draw_filters(folder: Path, weights: Array) -> None:
    """Draw ``filters.png``: filters (O, C, H, W) of colours (C = 3) or greys, each scaled by its own range."""
    count, channels, height, width = weights.shape
    low, high = (end(axis=(1, 2, 3), keepdims=True) for end in (weights.min, weights.max))
    tiles = (weights - low) / np.where(high > low, high - low, 1)
    tiles = tiles.transpose(0, 2, 3, 1) if channels == 3 else tiles.mean(axis=1)
    size = max(32 // max(height, width), 1)
    laid = sheet(tiles.repeat(size, axis=1).repeat(size, axis=2), 8)
    title = f"First convolution: {count} filters of {height}×{width}, each scaled by its own range"
    with picture(folder / "filters.png", laid, 7.0, title):
        pass


@contextmanager
def picture(path: Path, laid: Sheet, width: float, title: str) -> Iterator[Any]:
    """Draw a sheet with a title; give its axes for more."""
    height = width * laid.canvas.shape[0] / laid.canvas.shape[1]
    with figure(path, width, height + 0.4) as drawn:
        axes = drawn.subplots()
        laid.show(axes)
        axes.set_title(title)
        yield axes


def draw_confusion(folder: Path, scores: Array, images: Dataset) -> None:
    """Draw ``confusion.png``: how often each class of the test images is taken for each."""
    guesses, size = scores.argmax(axis=1), len(images.classes)
    counts = np.zeros((size, size), int)
    np.add.at(counts, (images.labels, guesses), 1)
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
        right = np.trace(counts) / max(counts.sum(), 1)
        axes.set(xlabel="predicted", ylabel="true", title=f"Test images: {right:.2%} right")


def draw_mistakes(folder: Path, scores: Array, images: Dataset, count: int = 24) -> None:
    """Draw ``mistakes.png``: the test images whose true class was thought least likely."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    chances = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    guesses = scores.argmax(axis=1)
    wrong = np.flatnonzero(guesses != images.labels)
    worst = wrong[np.argsort(chances[wrong, images.labels[wrong]], kind="stable")][:count]
    captions, headroom = _captions(images.subset(worst), guesses[worst])
    laid = sheet(_paper(images.images[worst]), 8, headroom)
    title = f"No mistakes in {len(images):,} test images"
    if len(worst):
        title = f"The worst of {len(wrong):,} mistakes in {len(images):,} test images: predicted (true)"
    with picture(folder / "mistakes.png", laid, 8.4, title) as axes:
        laid.caption(axes, captions, [INK] * len(worst))


def draw_boundary(
    path: Path, data: Graph, classify: Callable[[list[tuple[float, float]]], Array], title: str
) -> None:
    """Draw the points of a toy set over the probability that ``classify`` gives to label 1 everywhere.

    Args:
        path: The file.
        data: The points.
        classify: Maps points to probabilities.
        title: Stands above.
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
