"""The nets of the training steps in JAX: layers as a list, a step as one compiled function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jax import grad, jit, lax, nn, random, tree
from jax import numpy as jnp

from training_step import WIDTHS, image_shape

Layer = tuple[Any, ...]


def layers(name: str) -> list[Layer]:
    """Return the layers of a net: a kind and its sizes."""
    if name == "lenet":
        convolutions: list[Layer] = [
            ("conv", 1, 4, 3, 1),
            ("relu",),
            ("conv", 4, 8, 3, 1),
            ("relu",),
            ("avg", 4),
        ]
        return [
            *convolutions,
            ("flat",),
            ("linear", 392, 64),
            ("relu",),
            ("dropout", 0.25),
            ("linear", 64, 10),
        ]
    if name == "cnn":
        first: list[Layer] = [
            ("conv", 1, 16, 5, 0),
            ("relu",),
            ("max", 2),
            ("conv", 16, 16, 3, 0),
            ("relu",),
            ("max", 2),
        ]
        return [*first, ("conv", 16, 32, 2, 0), ("relu",), ("flat",), ("linear", 512, 10)]
    stages: list[Layer] = []
    for k, (ins, outs) in enumerate(WIDTHS):
        stages += [("conv", ins, outs, 3, 1), ("norm", outs), ("relu",)]
        stages += [("max", 2)] * (k % 2)
    return [*stages, ("flat",), ("linear", 2048, 10)]


def start(layer: Layer, draw: np.random.Generator) -> tuple[Any, ...]:
    """Return the parameters of a layer."""
    kind, *sizes = layer
    if kind == "norm":
        return jnp.ones(sizes[0]), jnp.zeros(sizes[0])
    if kind not in ("conv", "linear"):
        return ()
    ins, outs = sizes[:2]
    shape = (outs, ins, sizes[2], sizes[2]) if kind == "conv" else (ins, outs)
    bound = (ins * sizes[2] ** 2 if kind == "conv" else ins) ** -0.5
    return tuple(jnp.asarray(draw.uniform(-bound, bound, s), jnp.float32) for s in (shape, (outs,)))


def window(x: Any, size: int, initial: float, join: Callable[..., Any]) -> Any:
    """Fold windows that tile the images."""
    return lax.reduce_window(x, initial, join, (1, 1, size, size), (1, 1, size, size), "VALID")


def run(layer: Layer, own: tuple[Any, ...], x: Any, key: Any) -> Any:
    """Apply a layer in training mode; running statistics of norms are left out."""
    kind, *sizes = layer
    if kind == "conv":
        edge = (sizes[3], sizes[3])
        names = ("NCHW", "OIHW", "NCHW")
        return (
            lax.conv_general_dilated(x, own[0], (1, 1), (edge, edge), dimension_numbers=names)
            + own[1][:, None, None]
        )
    if kind == "linear":
        return x @ own[0] + own[1]
    if kind == "norm":
        mean, var = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
        return (x - mean) * lax.rsqrt(var + 1e-5) * own[0][:, None, None] + own[1][:, None, None]
    if kind == "dropout":
        return x * random.bernoulli(key, 1 - sizes[0], x.shape) / (1 - sizes[0])
    if kind == "max":
        return window(x, sizes[0], -jnp.inf, lax.max)
    if kind == "avg":
        return window(x, sizes[0], 0.0, lax.add) / sizes[0] ** 2
    return nn.relu(x) if kind == "relu" else x.reshape(len(x), -1)


def training_step(name: str, batch: int) -> Callable[[], None]:
    """Return a step of stochastic gradient descent with momentum, compiled as a whole."""
    net, draw = layers(name), np.random.default_rng(0)
    images = jnp.asarray(draw.standard_normal(image_shape(name, batch)), jnp.float32)
    labels = jnp.arange(batch) % 10

    def loss(weights: Any, key: Any) -> Any:
        x = images
        for layer, own in zip(net, weights):
            x = run(layer, own, x, key)
        return -nn.log_softmax(x)[jnp.arange(batch), labels].mean()

    @jit
    def update(weights: Any, speeds: Any, key: Any) -> Any:
        key, use = random.split(key)
        speeds = tree.map(lambda v, d: 0.9 * v + d, speeds, grad(loss)(weights, use))
        return tree.map(lambda p, v: p - 0.01 * v, weights, speeds), speeds, key

    weights = [start(layer, draw) for layer in net]
    held = [weights, tree.map(jnp.zeros_like, weights), random.key(0)]

    def step() -> None:
        held[:] = update(*held)
        tree.map(lambda t: t.block_until_ready(), held[0])

    return step
