"""Draws the contact sheet of transforms and the picture of filters: docs/images/transforms.png and filters.png.

    python scripts/make_transforms.py [PHOTO]

Without a photograph both are made of a generated picture. Those of the documentation are made of "chelsea.png" by
Stefan van der Walt (CC0), from scikit-image.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minitorch import vision
from minitorch.cli import edges
from minitorch.runtime import rng
from minitorch.vision.filters import FILTERS

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
SIDE = 96
COLUMNS = 8
SAMPLES: dict[str, Callable[[Any], Any]] = {
    "original": lambda image: image,
    "Resize": vision.Compose([vision.Resize(24), vision.Resize(SIDE, "nearest")]),
    "CenterCrop": vision.CenterCrop(64),
    "Pad reflect": vision.Compose([vision.CenterCrop(64), vision.Pad(16, padding_mode="reflect")]),
    "RandomCrop": vision.RandomCrop(SIDE, 24),
    "RandomResizedCrop": vision.RandomResizedCrop(SIDE, (0.2, 0.5)),
    "FiveCrop, first": lambda image: vision.FiveCrop(64)(image)[0],
    "TenCrop, sixth": lambda image: vision.TenCrop(64)(image)[5],
    "HorizontalFlip": vision.RandomHorizontalFlip(1.0),
    "VerticalFlip": vision.RandomVerticalFlip(1.0),
    "RandomRotation": vision.RandomRotation((20, 30), "bilinear"),
    "RandomAffine": vision.RandomAffine(20, (0.1, 0.1), (0.7, 0.9), 15, "bilinear"),
    "RandomPerspective": vision.RandomPerspective(0.6, 1.0),
    "ColorJitter": vision.ColorJitter(0.5, 0.5, 0.5, 0.3),
    "Grayscale": vision.Grayscale(3),
    "RandomGrayscale": vision.RandomGrayscale(1.0),
    "GaussianBlur": vision.GaussianBlur(9, 3.0),
    "AdjustSharpness": vision.RandomAdjustSharpness(6, 1.0),
    "Invert": vision.RandomInvert(1.0),
    "Posterize": vision.RandomPosterize(2, 1.0),
    "Solarize": vision.RandomSolarize(128, 1.0),
    "Autocontrast": vision.RandomAutocontrast(1.0),
    "Equalize": vision.RandomEqualize(1.0),
    "RandomErasing": vision.RandomErasing(1.0, (0.1, 0.3)),
    "Cutout": vision.Cutout(32),
    "RandomApply": vision.RandomApply([vision.RandomInvert(1.0)], 1.0),
    "RandomChoice": vision.RandomChoice([vision.RandomInvert(1.0), vision.RandomVerticalFlip(1.0)]),
    "RandomOrder": vision.RandomOrder([vision.RandomSolarize(128, 1.0), vision.GaussianBlur(5, 2.0)]),
    "AutoAugment": vision.AutoAugment("imagenet"),
    "RandAugment": vision.RandAugment(2, 15),
    "TrivialAugmentWide": vision.TrivialAugmentWide(),
    "Lambda": vision.Lambda(lambda image: image[::-1].copy()),
}
PAIRS = {"MixUp": vision.MixUp(alpha=8.0), "CutMix": vision.CutMix(alpha=4.0)}


def generated() -> np.ndarray:
    """Return a picture (3, 300, 400) of a sky, a sun, a house and stripes."""
    y, x = np.mgrid[:300, :400]
    picture = np.stack([90 + y * 0.3, 130 + y * 0.3, 220 - y * 0.3]).astype(np.float64)
    picture[:, y > 220] = np.array([[70], [140], [60]])
    picture[:, (x - 320) ** 2 + (y - 60) ** 2 < 900] = np.array([[250], [210], [70]])
    house = (abs(x - 170) < 80) & (abs(y - 190) < 60)
    picture[:, house] = np.array([[190], [90], [70]])
    picture[:, house & (x // 8 % 2 == 0) & (y > 200)] = 235
    return picture.clip(0, 255).astype(np.uint8)


def framed(image: np.ndarray) -> np.ndarray:
    """Return an image in the middle of a white square of `SIDE` pixels."""
    _, height, width = image.shape
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    out = np.full((3, SIDE, SIDE), 255, np.uint8)
    out[:, top : top + height, left : left + width] = image
    return out


def sheet(tiles: dict[str, np.ndarray], path: Path) -> None:
    """Draw named tiles in rows of `COLUMNS`."""
    from PIL import Image, ImageDraw

    pitch, rows = (SIDE + 20, SIDE + 30), -(-len(tiles) // COLUMNS)
    canvas = Image.new("RGB", (COLUMNS * pitch[0] + 12, rows * pitch[1] + 8), "white")
    draw = ImageDraw.Draw(canvas)
    for k, (name, tile) in enumerate(tiles.items()):
        left, top = 12 + k % COLUMNS * pitch[0], 6 + k // COLUMNS * pitch[1]
        draw.text((left, top), name, fill="black")
        canvas.paste(Image.fromarray(tile.transpose(1, 2, 0)), (left, top + 16))
    canvas.save(path, optimize=True)


def main(arguments: Sequence[str]) -> None:
    """Draw both pictures."""
    photo = vision.read_image(arguments[0]) if arguments else generated()
    image = vision.CenterCrop(SIDE)(vision.Resize(SIDE)(photo))
    tiles = {}
    for k, (name, transform) in enumerate(SAMPLES.items()):
        with rng.seeded(k):
            tiles[name] = framed(np.asarray(transform(image)))
    other = np.flip(vision.CenterCrop(SIDE)(vision.Resize(SIDE)(generated())), 2)
    for k, (name, mix) in enumerate(PAIRS.items()):
        with rng.seeded(k + 3):
            tiles[name] = mix(np.stack([image, other]), np.eye(2))[0][0]
    sheet(tiles, IMAGES / "transforms.png")
    grey = vision.Grayscale()(photo)[0] / 255.0
    names = list(FILTERS)
    outputs = np.concatenate([grey[None, 1:-1, 1:-1], edges.shown(edges.filtered(grey, names), names)])
    shown = np.concatenate([outputs, np.ones((2, *outputs.shape[1:]))])[:, None]
    small = vision.Resize((150, 150 * outputs.shape[2] // outputs.shape[1]))(shown)
    vision.save_image(vision.grid(small[:7], nrow=4, padding=4), IMAGES / "filters.png")


if __name__ == "__main__":
    main(sys.argv[1:])
