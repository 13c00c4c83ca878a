"""Writes the network of a run as an ONNX file, which other programs run.

    minitorch export runs/mnist model.onnx
    minitorch export runs/cifar model.onnx --batch 16

The input is normalized images, (N, 1, 28, 28) or (N, 3, 32, 32); N is fixed. Needs the package onnx: pip install onnx.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..models.imagenet.weights import fill, read_weights
from ..models.registry import CIFAR_MODELS, IMAGE_MODELS
from ..onnx.export import export
from ..tensor_data import set_default_dtype
from ..train.run_dir import WEIGHTS, read_results
from .common import Parser, UsageError, count, notice


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = Parser(__doc__)
    parser.add_argument("run", metavar="RUN", type=Path, help="the folder of a run of mnist or cifar10")
    parser.add_argument("file", metavar="FILE.onnx", type=Path)
    parser.add_argument("--batch", metavar="N", type=count, default=1, help="images in a batch; default: 1")
    args = parser.parse_args(arguments)
    if importlib.util.find_spec("onnx") is None:
        raise UsageError("the package onnx is not installed: pip install onnx")
    name = read_results(args.run).get("model")
    grey = name in IMAGE_MODELS
    if not grey and name not in CIFAR_MODELS:
        raise UsageError(f"{args.run}: expected a run of mnist or cifar10, got a network {name!r}")
    set_default_dtype("float32")
    model = (IMAGE_MODELS[str(name)] if grey else CIFAR_MODELS[str(name)])()
    path = args.run / WEIGHTS
    fill(model, read_weights(path), path, str(name))
    shape = (args.batch, 1, 28, 28) if grey else (args.batch, 3, 32, 32)
    export(model.eval(), np.zeros(shape, np.float32), args.file)
    notice(f"written to {args.file}")
