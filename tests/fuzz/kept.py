"""Programs that once failed, each made small, with the seed that found it (seeds name other programs by now)."""

from __future__ import annotations

import numpy as np

from .interpreter import Step

inf, nan = np.inf, np.nan

# ruff: noqa: E501
KEPT: list[tuple[int, list[Step]]] = [
    # Linear with no input features, on an empty input.
    (134, [
        Step("make", (), {"shape": (3, 8, 1, 0), "dtype": "float64", "kind": "whole", "seed": 841758, "layout": None, "grad": True}),
        Step("layer", (), {"name": "Linear", "dtype": "float64", "in_features": 0, "out_features": 8, "bias": True}),
        Step("call", (1, 0), {}),
    ]),
    # Operands of two dtypes: the reference computed a part of the function in float32.
    (1266, [
        Step("make", (), {"shape": (3, 5, 3), "dtype": "float64", "kind": "special", "seed": 673363, "layout": ("strides", (0, 3, 15)), "grad": True}),
        Step("unary", (0,), {"name": "relu"}),
        Step("make", (), {"shape": (3, 5, 3), "dtype": "float32", "kind": "unit", "seed": 959450, "layout": None, "grad": True}),
        Step("paired_loss", (1, 2), {"name": "binary_cross_entropy_with_logits", "reduction": "sum"}),
    ]),
    # Adaptive pooling of images without rows.
    (1362, [
        Step("make", (), {"shape": (2, 4, 0, 1), "dtype": "float32", "kind": "normal", "seed": 714377, "layout": None, "grad": False}),
        Step("pool", (0,), {"name": "adaptive_avgpool2d", "output_size": (4, 5)}),
    ]),
    # Numbers of a wrong shape for one element.
    (6, [
        Step("make", (), {"shape": (), "dtype": "float32", "kind": "normal", "seed": 765276, "layout": None, "grad": False}),
        Step("assign", (0,), {"key": (), "number": [[1.0], [2.0]]}),
    ]),
    # A dimension of size 1 with a stride of more than 32 bits.
    (21453, [
        Step("make", (), {"shape": (1, 1), "dtype": "float64", "kind": "whole", "seed": 219514, "layout": ("strides", (1, 2**31)), "grad": True}),
        Step("class_loss", (0,), {"name": "cross_entropy", "labels": [[0.5]], "reduction": "mean", "label_smoothing": 0.1}),
        Step("backward", (1,), {}),
    ]),
]  # fmt: skip
