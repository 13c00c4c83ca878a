"""How a convolution of the fast backend is shared out changes no bit of it: bands of rows, parts of the channels."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from minitorch import operators
from minitorch.fast_ops.convolution import conv, conv_plan, winograd
from minitorch.runtime.types import ConvParams
from minitorch.tensor_ops import reference_conv

from ..support.checks import needs_jit

Array = np.ndarray
pytestmark = needs_jit
# Limits by `NAMES`; the first ones share out as little as they can.
WHOLE = (1 << 40, 1 << 30, 1 << 30, 1 << 30, 0)
SHARED = [(1, 1, 1, 1, 0), (1, 1, 1, 1, 1 << 30), (2000, 2, 8, 4, 1 << 30), (600, 1, 64, 4, 0)]
NAMES = ("BAND_BYTES", "BAND_VECTORS", "PART_PRODUCTS", "PART_CHANNELS", "PACKED_PIXELS")  # of `conv_plan`


@pytest.fixture
def shared_out(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give a function that changes how work is shared out; small work is shared out too."""
    launches = (conv_plan.forward_launch, conv_plan.input_grad_launches)
    monkeypatch.setattr(conv_plan, "share_count", lambda products, most: most)
    monkeypatch.setattr(conv_plan, "PACKED_WEIGHTS", 0)
    monkeypatch.setattr(winograd, "MIN_CHANNELS", 1 << 30)

    def change(limits: tuple[int, ...]) -> None:
        for name, limit in zip(NAMES, limits):
            monkeypatch.setattr(conv_plan, name, limit)
        for launch in launches:
            launch.cache_clear()

    yield change
    monkeypatch.undo()
    for launch in launches:
        launch.cache_clear()


def draw_case(seed: int) -> tuple[Array, Array, ConvParams, tuple[int, int]]:
    """Return images, a weight, settings, and rows and columns of the result."""
    draw = np.random.default_rng(seed)
    groups = int(draw.choice([1, 1, 1, 2, 3]))
    ins, outs = (groups * int(draw.integers(1, 11)) for _ in range(2))
    plain = seed % 3 == 0  # 1 x 1, read where it lies
    kernel = (1, 1) if plain else tuple(int(n) for n in draw.integers(1, 5, 2))
    stride = (1, 1) if plain else tuple(int(n) for n in draw.integers(1, 4, 2))
    dilation = (1, 1) if plain else tuple(int(n) for n in draw.integers(1, 3, 2))
    padding = (0, 0, 0, 0) if plain else tuple(int(n) for n in draw.integers(0, 3, 4))
    spans = [dilation[k] * (kernel[k] - 1) + 1 for k in (0, 1)]
    size = tuple(int(draw.integers(max(1, spans[k] - padding[2 * k]), 24)) for k in (0, 1))
    rows, cols = ((size[k] + padding[2 * k] + padding[2 * k + 1] - spans[k]) // stride[k] + 1 for k in (0, 1))
    x = draw.standard_normal((int(draw.integers(1, 4)), ins, *size))
    w = draw.standard_normal((outs, ins // groups, *kernel))
    return x, w, ConvParams(stride, padding, dilation, groups), (rows, cols)


@pytest.mark.parametrize("seed", range(40))
def test_shared_out_or_not_the_bits_are_the_same(seed: int, shared_out: Any) -> None:
    x, w, params, size = draw_case(seed)
    bias, shape = np.linspace(-1, 1, len(w)), (len(x), len(w), *size)
    d = np.random.default_rng(seed).standard_normal(shape)
    expected = np.zeros(shape)
    reference_conv.conv(expected, x, w, params)
    expected = np.maximum(expected + bias[:, None, None], 0)
    expected_grad = np.zeros(x.shape)
    reference_conv.conv_grad_input(expected_grad, np.where(expected > 0, d, 0), w, params)
    found = []
    for limits in (WHOLE, *SHARED):
        shared_out(limits)
        y, dx = np.full(shape, np.nan), np.full(x.shape, np.nan)
        conv.forward(y, x, w, params, bias, operators.relu)
        conv.grad_input(dx, d, w, params, y)
        apart = np.full(x.shape, np.nan)
        conv.grad_input(apart, np.where(y > 0, d, 0), w, params)
        assert np.array_equal(dx, apart)
        found.append((y, dx))
    np.testing.assert_allclose(found[0][0], expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found[0][1], expected_grad, rtol=1e-12, atol=1e-12)
    for y, dx in found[1:]:
        assert np.array_equal(y, found[0][0])
        assert np.array_equal(dx, found[0][1])


def test_the_cases_are_of_each_kind(shared_out: Any) -> None:
    kinds = set()
    for seed in range(40):
        x, w, params, size = draw_case(seed)
        for limits in (WHOLE, *SHARED):
            shared_out(limits)
            launch = conv_plan.forward_launch((len(x), len(w), *size), w.shape, params, 8)
            layout = launch.layout
            kinds |= {("bands", layout.bands > 1), ("parts", layout.parts > 1), ("packed", launch.packed > 0)}
            kinds |= {("direct", layout.direct, layout.bands > 1)}
    assert kinds == {
        *((name, yes) for name in ("bands", "parts", "packed") for yes in (True, False)),
        *(("direct", direct, banded) for direct in (True, False) for banded in (True, False)),
    }


@pytest.mark.parametrize("pixels", range(1, 40))
def test_nothing_beyond_an_image_is_read(pixels: int, shared_out: Any) -> None:
    """What lies behind the image is nan: a vector that reached it would show, or crash at the end of the memory."""
    shared_out(SHARED[1])
    draw = np.random.default_rng(pixels)
    memory = np.full(5 * pixels + 64, np.nan)
    x = memory[: 5 * pixels].reshape(1, 5, 1, pixels)
    x[...] = draw.standard_normal(x.shape)
    w = draw.standard_normal((6, 5, 1, 1))
    y = np.full((1, 6, 1, pixels), np.nan)
    conv.forward(y, x, w, ConvParams())
    expected = np.einsum("oc,ncyz->noyz", w[:, :, 0, 0], x)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)


def weight_case(seed: int) -> tuple[Array, Array, Array | None, tuple[int, ...], ConvParams]:
    """Return images, gradients of a result, perhaps the result of a ReLU, the weight's shape, and settings."""
    draw = np.random.default_rng(seed)
    groups, dtype = int(draw.choice([1, 1, 2, 3])), draw.choice(["float32", "float64"])
    ins, outs = int(draw.integers(1, 40)), int(draw.integers(1, 30))
    kernel, stride, dilation = (tuple(int(n) for n in draw.integers(1, most, 2)) for most in (4, 4, 3))
    padding = tuple(int(n) for n in draw.integers(0, 3, 4))
    spans = [dilation[k] * (kernel[k] - 1) + 1 for k in (0, 1)]
    size = [int(draw.integers(spans[k], 18)) for k in (0, 1)]
    rows = [(size[k] + sum(padding[2 * k : 2 * k + 2]) - spans[k]) // stride[k] + 1 for k in (0, 1)]
    batch = int(draw.integers(0, 6))
    x = draw.standard_normal((batch, groups * ins, *size)).astype(dtype)
    d = draw.standard_normal((batch, groups * outs, *rows)).astype(dtype)
    relu_result = draw.standard_normal(d.shape).astype(dtype) if seed % 2 else None
    return x, d, relu_result, (groups * outs, ins, *kernel), ConvParams(stride, padding, dilation, groups)


@pytest.mark.parametrize("seed", range(60))
def test_the_weights_gradient_by_either_kernel(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, d, relu_result, shape, params = weight_case(seed)
    monkeypatch.setattr(winograd, "MIN_CHANNELS", 1 << 30)
    monkeypatch.setattr(conv_plan, "share_count", lambda products, most: most)
    expected, kept = np.zeros(shape), d if relu_result is None else np.where(relu_result > 0, d, 0)
    reference_conv.conv_grad_weight(expected, x.astype(np.float64), kept.astype(np.float64), params)
    tolerance = 1e-11 if x.dtype == np.float64 else 3e-4
    for by_pixels, part_products in itertools.product((True, False), (1, 1 << 30)):
        monkeypatch.setattr(conv, "multiplies_pixels", lambda *_, answer=by_pixels: answer)
        monkeypatch.setattr(conv_plan, "PART_PRODUCTS", part_products)
        monkeypatch.setattr(conv_plan, "TRANSPOSED_PRODUCTS", part_products)
        conv_plan.pixel_launch.cache_clear()
        conv_plan.weight_grad_launch.cache_clear()
        out, sums = np.full(shape, np.nan, x.dtype), np.full(shape[0], np.nan, x.dtype)
        conv.grad_weight(out, x, d, params, relu_result, sums)
        np.testing.assert_allclose(out, expected, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(sums, kept.sum((0, 2, 3)), rtol=tolerance, atol=tolerance)
    monkeypatch.undo()
    conv_plan.pixel_launch.cache_clear()
    conv_plan.weight_grad_launch.cache_clear()


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_margins_add_no_nan_to_the_gradient_by_pixels(poison: float) -> None:
    """A gradient that is not finite reaches the taps that read a pixel there, not those that read the margin."""
    x, d = np.ones((2, 32, 4, 4), "float32"), np.ones((2, 32, 2, 2), "float32")
    d[0, 3, 0, 0] = poison
    out, params = np.zeros((32, 32, 3, 3), "float32"), ConvParams((2, 2), (1, 1, 1, 1))
    assert conv_plan.multiplies_pixels(out.shape, params, 4)
    conv.grad_weight(out, x, d, params)
    touched = np.zeros(out.shape, bool)
    touched[3, :, 1:, 1:] = True
    assert np.isfinite(out[~touched]).all()
    assert not np.isfinite(out[touched]).any()
