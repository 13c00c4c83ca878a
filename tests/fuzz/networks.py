"""Drawers of `programs` for networks: convolution, pooling, losses, layers and optimizers."""

from __future__ import annotations

import math
from typing import Any

from minitorch.optim import Optimizer

from .programs import LIMIT, SIZES, WINDOWS, Draw, weight


def images(d: Draw, dims: int = 4) -> int:
    """Return the number of a tensor of images (N, C, H, W), or of rows (N, C, W)."""
    channels = d.rng.choice([1, 2, 3, 4, 6, 8])
    size = [d.rng.choice([1, 2, 3, 4, 5, 7, 8, 9, 13]) for _ in range(dims - 2)]
    batch = d.rng.choice([0, 1, 2, 2, 3])
    while batch * channels > 1 and batch * channels * math.prod(size) > 2 * LIMIT:
        batch, channels = max(batch // 2, 1), max(channels // 2, 1)
    return d.tensor(lambda t: t.dims == dims and t.size <= 2 * LIMIT, shape=(batch, channels, *size))


@weight(6)
def convolution(d: Draw) -> int:
    dims = d.rng.choice([1, 2, 2, 2])
    x = images(d, dims + 2)
    t = d.value(x)
    if t is None or t.dims != dims + 2:
        return x
    channels = t.shape[1]
    groups = d.rng.choice([g for g in (1, 1, 1, 2, channels) if g and channels % g == 0] or [1])
    outs = groups * d.rng.choice([1, 1, 2, 3])
    kernel = [d.rng.choice([1, 2, 3, 3, 5]) for _ in range(dims)]
    weights = d.make((outs, channels // groups, *kernel))
    bias = [] if d.rng.random() < 0.4 else [d.make((outs,))]
    settings: dict[str, Any] = {}
    if d.rng.random() < 0.8:
        padding = [None, 0, 0, 1, 2, "same", "valid", "anchored", (1,) * dims, [0] * dims]
        settings = {
            "stride": d.rng.choice([1, 1, 2, 3, (2,) * dims, [1] * dims, 2**31 - 1]),
            "padding": d.rng.choice(padding),
            "dilation": d.rng.choice([1, 1, 1, 2, (2,) * dims]),
            "groups": groups,
        }
        if d.rng.random() < 0.3:
            settings["act"] = d.rng.choice(["none", "relu"])
    return d.emit("conv", x, weights, *bias, dims=dims, **settings)


@weight(5)
def pooling(d: Draw) -> int:
    x = images(d)
    name = d.rng.choice(["maxpool2d", "maxpool2d", "avgpool2d", "avgpool2d", "adaptive_avgpool2d", "tile"])
    if name == "tile":
        return d.emit("tile", x, kernel=d.rng.choice([(1, 1), (2, 2), (1, 2)]))
    if name == "adaptive_avgpool2d":
        return d.emit("pool", x, name=name, output_size=d.rng.choice([1, 2, 3, (1, 2), (4, 5)]))
    settings: dict[str, Any] = {"kernel": d.rng.choice(WINDOWS)}
    if d.rng.random() < 0.8:
        settings["stride"] = d.rng.choice([None, 1, 2, 3, (1, 2)])
        settings["padding"] = d.rng.choice([0, 0, 1, (0, 1)])
        settings["ceil_mode"] = d.rng.random() < 0.4
        if name == "maxpool2d":
            settings["dilation"] = d.rng.choice([1, 1, 2])
        else:
            settings["count_include_pad"] = d.rng.random() < 0.5
    return d.emit("pool", x, name=name, **settings)


@weight(4)
def class_loss(d: Draw) -> int:
    x = d.tensor(lambda t: t.dims == 2, shape=d.shape(2))
    t = d.value(x)
    if t is None or t.dims != 2:
        return x
    name = d.rng.choice(["cross_entropy", "cross_entropy", "nll_loss", "multi_margin_loss"])
    count, classes = t.shape
    low = -1 if d.rng.random() < 0.05 else 0
    settings: dict[str, Any] = {"reduction": d.rng.choice(["mean", "sum", "none"])}
    labels: Any = [d.rng.randrange(low, max(classes, 1)) for _ in range(count)]
    if name == "cross_entropy":
        settings["label_smoothing"] = d.rng.choice([0.0, 0.0, 0.1, 1])
        if d.rng.random() < 0.3:
            labels = [[d.rng.choice([0.0, 1.0, 0.5]) for _ in range(classes)] for _ in range(count)]
    if name == "multi_margin_loss":
        settings.update(p=d.rng.choice([1, 2]), margin=d.rng.choice([1.0, 0, 2]))
    elif d.rng.random() < 0.2:
        settings["ignore_index"] = d.rng.choice([0, 1, -1])
    return d.emit("class_loss", x, name=name, labels=labels, **settings)


@weight(3)
def paired_loss(d: Draw) -> int:
    x = d.tensor()
    t = d.value(x)
    if t is None:
        return x
    shape = t.shape
    name = d.rng.choice(["mse_loss", "l1_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"])
    target = d.make(shape, kind="unit") if d.rng.random() < 0.7 else d.tensor(lambda o: o.shape == shape)
    return d.emit("paired_loss", x, target, name=name, reduction=d.rng.choice(["mean", "sum", "none"]))


def make_layer(d: Draw, t: Any) -> int:
    """Make a layer that takes a tensor."""
    options = ["Linear", "LayerNorm", "Dropout"] if t.dims else ["Dropout"]
    if t.dims >= 2 and t.shape[1]:
        options += ["GroupNorm"] + ["BatchNorm1d", "BatchNorm1d"] * (t.dims <= 3)
    if t.dims == 4 and t.shape[1]:
        options += ["BatchNorm2d", "BatchNorm2d", "Conv2d", "Conv2d", "MaxPool2d", "Dropout2d"]
    if t.dims == 3 and t.shape[1]:
        options += ["Conv1d"]
    name, rng = d.rng.choice(options), d.rng
    dtype = str(t.dtype) if rng.random() < 0.95 else "float32"
    settings: dict[str, Any] = {}
    if name == "Linear":
        settings = {
            "in_features": t.shape[-1],
            "out_features": rng.choice([1, 2, 3, 8]),
            "bias": rng.random() < 0.7,
        }
    elif name == "LayerNorm":
        cut = rng.randint(0, t.dims - 1)
        settings = {"normalized_shape": t.shape[cut:], "elementwise_affine": rng.random() < 0.7}
    elif name == "GroupNorm":
        groups = rng.choice([g for g in (1, 2, 3, t.shape[1]) if t.shape[1] % g == 0])
        settings = {"num_groups": groups, "num_channels": t.shape[1], "affine": rng.random() < 0.7}
    elif name.startswith("BatchNorm"):
        settings = {
            "num_features": t.shape[1], "momentum": rng.choice([0.1, 0.1, None, 1.0]), "affine": rng.random() < 0.7,
            "track_running_stats": rng.random() < 0.8, "eps": rng.choice([1e-5, 1e-3]),
        }  # fmt: skip
    elif name.startswith("Conv"):
        groups = rng.choice([g for g in (1, 1, 2) if t.shape[1] % g == 0])
        settings = {
            "in_channels": t.shape[1],
            "out_channels": groups * rng.choice([1, 2]), "kernel_size": rng.choice([1, 2, 3]),
            "stride": rng.choice([1, 2]), "padding": rng.choice([0, 1, "same", "anchored"]), "groups": groups,
            "bias": rng.random() < 0.6,
        }  # fmt: skip
    elif name == "MaxPool2d":
        settings = {"kernel_size": rng.choice([1, 2, 3]), "stride": rng.choice([None, 1, 2])}
    else:
        settings = {"p": rng.choice([0.0, 0.5, 1.0])}
    return d.emit("layer", name=name, dtype=dtype, **settings)


@weight(7)
def call(d: Draw) -> int:
    x = (
        d.tensor(lambda t: t.size <= 2 * LIMIT)
        if d.rng.random() < 0.5
        else images(d, d.rng.choice([2, 3, 4, 4]))
    )
    t = d.value(x)
    if t is None:
        return x
    found = d.modules()
    if found and d.rng.random() < 0.35:
        return d.emit("call", d.rng.choice(found), x)
    module = make_layer(d, t)
    if d.rng.random() < 0.4:
        parts, y = [module], d.emit("call", module, x)
        for _ in range(d.rng.randint(0, 2)):
            if d.value(y) is not None:
                parts.append(make_layer(d, d.value(y)))
                y = d.emit("call", parts[-1], y)
        relu_at = [k for k in range(1, len(parts) + 1) if d.rng.random() < 0.5]
        module = d.emit("sequential", *parts, relu_at=relu_at)
    if d.rng.random() < 0.3:
        d.emit("train", module, mode=d.rng.random() < 0.3)
    return d.emit("call", module, x)


@weight(1)
def embedding(d: Draw) -> int:
    count = d.rng.choice([1, 3, 8])
    module = d.emit(
        "layer", name="Embedding", dtype="float64", num_embeddings=count, embedding_dim=d.rng.choice([1, 4])
    )
    rows: Any = [
        d.rng.randrange(-1 if d.rng.random() < 0.05 else 0, count) for _ in range(d.rng.choice(SIZES))
    ]
    return d.emit("embed", module, rows=[rows, rows] if d.rng.random() < 0.3 else rows)


SETTINGS: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {"lr": 0.1}, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}, {"lr": 1, "momentum": 0.5, "nesterov": True},
    ],
    "Adam": [{"lr": 0.1}, {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1}],
    "AdamW": [{"lr": 0.1}],
    "RMSprop": [{"lr": 0.1}, {"lr": 0.1, "momentum": 0.9, "centered": True}],
    "Adagrad": [{"lr": 0.1, "lr_decay": 0.1}],
}  # fmt: skip


@weight(4)
def optimize(d: Draw) -> int:
    found = [k for k, v in enumerate(d.run.values) if isinstance(v, Optimizer)]
    if found and d.rng.random() < 0.7:
        return d.emit("optimizer_step", d.rng.choice(found))
    owners = [k for k in d.modules() if d.value(k).parameters()]
    leaves = d.all(lambda t: t.history is not None and t.is_leaf())
    chosen = d.rng.sample(owners, min(len(owners), 1)) + d.rng.sample(leaves, min(len(leaves), 2))
    if not chosen:
        return d.make(grad=True)
    name = d.rng.choice(list(SETTINGS))
    k = d.emit("optimizer", *chosen, name=name, **d.rng.choice(SETTINGS[name]))
    return k if d.value(k) is None else d.emit("optimizer_step", k)
