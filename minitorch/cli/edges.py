"""Filters a picture by a convolution whose weights are set by hand, and writes the outputs as one picture.

    minitorch edges photo.png --out edges.png
    minitorch edges https://example.org/photo.jpg --filters sobel-vertical sobel-horizontal blur sharpen

The picture is read as grey. It and the output of each filter stand side by side: edges as the size of the answer, the
largest of each white; blur and sharpen as they are. In the course this is project/edges.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..autodiff import no_grad
from ..nn.conv import Conv2d
from ..tensor import tensor
from ..vision.filters import FILTERS
from ..vision.io import grid, read_image, save_image
from .common import Parser, UsageError

PLAIN = ("blur", "sharpen")  # their outputs are grey levels, not answers to edges


def filter_layer(names: Sequence[str]) -> Conv2d:
    """Return a convolution with one output channel for each filter: weight (O, 1, 3, 3), no bias."""
    conv = Conv2d(1, len(names), 3, bias=False)
    for channel, name in enumerate(names):
        conv.weight[channel, 0] = tensor(FILTERS[name], dtype=conv.weight.value.dtype)
    return conv


def filtered(grey: npt.NDArray[Any], names: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the outputs (O, H - 2, W - 2) of filters on a picture (H, W) of levels in [0, 1].

    Raises:
        ValueError: The picture is smaller than a filter.
    """
    if min(grey.shape) < 3:
        raise ValueError(
            f"edges: expected a picture of at least 3 x 3 pixels, got {grey.shape[1]} x {grey.shape[0]}"
        )
    with no_grad():
        outputs = filter_layer(names)(tensor(grey[None, None]))
    return outputs.to_numpy()[0].astype(np.float64)


def shown(outputs: npt.NDArray[np.float64], names: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return outputs as grey levels in [0, 1]."""
    sizes = np.abs(outputs)
    largest = np.maximum(sizes.max((1, 2), keepdims=True), 1e-12)
    plain = np.isin(names, PLAIN)[:, None, None]
    return np.where(plain, outputs.clip(0, 1), sizes / largest)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = Parser(__doc__)
    parser.add_argument("image", metavar="IMAGE", help="a file, or an http(s) address")
    parser.add_argument(
        "--out", metavar="FILE.png", type=Path, default=Path("edges.png"), help="default: edges.png"
    )
    parser.add_argument(
        "--filters",
        nargs="+",
        choices=list(FILTERS),
        default=["vertical", "horizontal"],
        help="default: vertical horizontal",
    )
    args = parser.parse_args(arguments)
    if args.out.suffix.lower() != ".png":
        parser.error(f"--out must name a .png file, not {args.out}")
    grey = read_image(args.image, "L")[0] / 255.0
    try:
        outputs = filtered(grey, args.filters)
    except ValueError as error:
        raise UsageError(str(error)) from None
    tiles = np.concatenate([grey[None, 1:-1, 1:-1], shown(outputs, args.filters)])
    args.out.parent.mkdir(parents=True, exist_ok=True)
    save_image(grid(tiles[:, None], nrow=3, padding=4), args.out)
    print(f"{args.out}: the picture in grey, {', '.join(args.filters)}", flush=True)
