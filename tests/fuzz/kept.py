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
    # True as a size.
    (35169, [Step("create", (), {"name": "rand", "shape": True, "dtype": "float32"})]),
    # Settings of a wrong kind.
    (1300, [
        Step("make", (), {"shape": (3, 3, 1), "dtype": "float64", "kind": "unit", "seed": 388098, "layout": None, "grad": True}),
        Step("optimizer", (0,), {"name": "AdamW", "lr": (1.0, 2)}),
    ]),
    (1833, [
        Step("make", (), {"shape": (2, 3), "dtype": "float64", "kind": "unit", "seed": 1, "layout": None, "grad": True}),
        Step("linear", (0, 0), {"act": {}, "no_grad": True}),
    ]),
    (2442, [
        Step("make", (), {"shape": (1, 1, 3, 3), "dtype": "float64", "kind": "unit", "seed": 1, "layout": None, "grad": True}),
        Step("conv", (0, 0), {"dims": 2, "stride": slice(None), "padding": "valid", "dilation": (2, 2), "groups": 1}),
    ]),
    (10131, [
        Step("make", (), {"shape": (33,), "dtype": "float32", "kind": "whole", "seed": 231741, "layout": None, "grad": True}),
        Step("reduction", (0,), {"name": "sum", "dim": None}),
        Step("backward", (1,), {}),
        Step("optimizer", (0,), {"name": "SGD", "lr": 1, "momentum": 0.5, "nesterov": {"a": 1}}),
        Step("optimizer_step", (3,), {}),
    ]),
    (22017, [
        Step("layer", (), {"name": "Embedding", "dtype": "float64", "num_embeddings": 3, "embedding_dim": 1}),
        Step("embed", (0,), {"rows": [[1, 2], [3]]}),
    ]),
    (32320, [
        Step("make", (), {"shape": (0, 3, 3), "dtype": "float64", "kind": "unit", "seed": 872706, "layout": (2, 0, 1), "grad": False}),
        Step("init", (0,), {"name": "constant_", "value": (0, 1)}),
    ]),
    (32573, [
        Step("make", (), {"shape": (3, 8), "dtype": "float32", "kind": "normal", "seed": 14677, "layout": None, "grad": False}),
        Step("class_loss", (0,), {"name": "nll_loss", "labels": [6, 7, 7], "reduction": "mean", "ignore_index": (1.0, 2)}),
    ]),
    (34335, [
        Step("make", (), {"shape": (1, 8, 0), "dtype": "float64", "kind": "unit", "seed": 943528, "layout": (0, 1, 2), "grad": False}),
        Step("dropout", (0,), {"rate": 0.25, "ignore": False, "scale": {}}),
    ]),
    # An infinite gradient beside the margin of a convolution.
    (302958, [
        Step("make", (), {"shape": (5, 4, 1, 2), "dtype": "float64", "kind": "whole", "seed": 553036, "layout": ("strides", (0, 1, 1, 4)), "grad": True}),
        Step("make", (), {"shape": (1, 4, 5, 5), "dtype": "float64", "kind": "whole", "seed": 350065, "layout": (2, 3, 1, 0), "grad": True}),
        Step("conv", (0, 1), {"dims": 2, "stride": 1, "padding": None, "dilation": 1, "groups": 1}),
        Step("make", (), {"shape": (5, 1, 1, 2), "dtype": "float64", "kind": "special", "seed": 875850, "layout": None, "grad": False}),
        Step("backward", (2, 3), {}),
    ]),
    (309593, [
        Step("make", (), {"shape": (5, 2, 5, 1), "dtype": "float32", "kind": "whole", "seed": 92353, "layout": (1, 2, 0, 3), "grad": True}),
        Step("make", (), {"shape": (2, 2, 5, 3), "dtype": "float32", "kind": "whole", "seed": 649486, "layout": ("strides", (30, 15, 0, 5)), "grad": True}),
        Step("conv", (0, 1), {"dims": 2, "stride": 1, "padding": "same", "dilation": 1, "groups": 1}),
        Step("make", (), {"shape": (5, 2, 5, 1), "dtype": "float32", "kind": "special", "seed": 346261, "layout": None, "grad": False}),
        Step("backward", (2, 3), {}),
    ]),
    # A row that does not count, with a score that is nan.
    (408858, [
        Step("make", (), {"shape": (1, 3), "dtype": "float64", "kind": "normal", "seed": 155325, "layout": None, "grad": True}),
        Step("assign", (0,), {"key": (Ellipsis, slice(-2, 2, 2), 1), "number": nan}),
        Step("class_loss", (1,), {"name": "cross_entropy", "labels": [-1], "reduction": "none", "label_smoothing": 0.1, "ignore_index": -1}),
        Step("class_loss", (1,), {"name": "cross_entropy", "labels": [-1], "reduction": "sum", "label_smoothing": 0.0, "ignore_index": -1}),
        Step("backward", (2,), {}),
        Step("backward", (3,), {}),
    ]),
    # A NumPy integer as stride.
    (412633, [
        Step("make", (), {"shape": (2, 0, 4), "dtype": "float64", "kind": "normal", "seed": 1, "layout": None, "grad": True}),
        Step("make", (), {"shape": (1, 0, 5), "dtype": "float64", "kind": "normal", "seed": 980059, "layout": None, "grad": True}),
        Step("conv", (0, 1), {"dims": 1, "stride": np.int64(2), "padding": None, "dilation": 1, "groups": 1}),
    ]),
    # A score of float32 and its target of float64: a part was computed in float32.
    (301783, [
        Step("make", (), {"shape": (13, 8, 2), "dtype": "float32", "kind": "whole", "seed": 938604, "layout": None, "grad": False}),
        Step("make", (), {"shape": (13, 8, 2), "dtype": "float64", "kind": "unit", "seed": 911877, "layout": ("strides", (0, 13, 104)), "grad": True}),
        Step("paired_loss", (0, 1), {"name": "binary_cross_entropy_with_logits", "reduction": "none"}),
    ]),
]  # fmt: skip
