"""Convolution of the CUDA backend: both ways to compute it, against float64 loops of the reference backend."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import SimpleBackend, TensorData, tensor
from minitorch.cuda_ops import conv
from minitorch.cuda_ops.device import memory
from minitorch.cuda_ops.implicit_gemm import ConvTile
from minitorch.runtime.types import ConvParams

MODE = os.environ["MINITORCH_CUDA_TESTS"]
pytestmark = pytest.mark.skipif(MODE == "off", reason="MINITORCH_CUDA_TESTS=off")
ORDERS = ("forward", "shuffle:1") if MODE == "sim" else ("forward",)
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
WAYS = {
    "direct": None,
    "8x4": ConvTile(8, 4, 2, 2, 2),
    "4x8": ConvTile(4, 8, 2, 2, 2),
    "4x4": ConvTile(4, 4, 4, 2, 2),
}
every = pytest.mark.parametrize("dtype", ["float32", "float64"])
ways = pytest.mark.parametrize("way", WAYS)


@pytest.fixture(autouse=True, params=ORDERS)
def order(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run each test with the threads of a block in two orders."""
    monkeypatch.setenv("MINITORCH_SIM_ORDER", request.param)
    forget()
    yield
    forget()


def forget() -> None:
    """Forget what was planned for which sizes."""
    conv._plan.cache_clear()
    conv._plan_weight.cache_clear()


def force(way: str, monkeypatch: pytest.MonkeyPatch, share: int = 6) -> None:
    """Choose the way of all sizes, and the least that a block sums over for a weight."""
    monkeypatch.setattr(conv, "_tile", lambda *sizes: WAYS[way])
    monkeypatch.setattr(conv, "MIN_SLICE", share)
    forget()


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


def on(backend: str, array: Any, dtype: str) -> TensorData:
    """Return numbers in a backend, not packed where there are several dimensions."""
    array = np.asarray(array, dtype)
    axes = tuple(range(array.ndim))[::-1]
    return tensor(array.transpose(axes).copy(), backend)._tensor.permute(*axes)


def agree(name: str, dtype: str, *operands: Any) -> Any:
    """Compare an operation of the backend with the plain one in float64, by their norms; return what it gave."""
    ours = [on("cuda", x, dtype) if isinstance(x, np.ndarray) else x for x in operands]
    plain = [on("simple", x, "float64") if isinstance(x, np.ndarray) else x for x in operands]
    found, expected = getattr(minitorch.CudaBackend, name)(*ours), getattr(SimpleBackend, name)(*plain)
    assert (found.shape, found.dtype, found.backend) == (expected.shape, dtype, minitorch.CudaBackend)
    a, b = found.to_numpy(), expected.to_numpy()
    assert np.linalg.norm(a - b) <= TOLERANCE[dtype] * np.linalg.norm(b), name
    return a


# Input, weight, and stride, padding, dilation, groups.
CASES: dict[str, Any] = {
    "plain": ((2, 3, 6, 5), (4, 3, 3, 3), ((1, 1), (0, 0, 0, 0), (1, 1), 1)),
    "one by one": ((2, 5, 3, 4), (3, 5, 1, 1), ((1, 1), (0, 0, 0, 0), (1, 1), 1)),
    "one by one, strides": ((1, 3, 5, 6), (5, 3, 1, 1), ((2, 3), (0, 0, 0, 0), (1, 1), 1)),
    "one by seven": ((1, 2, 3, 9), (3, 2, 1, 7), ((1, 1), (0, 0, 3, 3), (1, 1), 1)),
    "seven by one": ((1, 2, 9, 3), (3, 2, 7, 1), ((1, 1), (3, 3, 0, 0), (1, 1), 1)),
    "four sides": ((1, 3, 4, 3), (5, 3, 3, 2), ((1, 1), (0, 2, 1, 0), (1, 1), 1)),
    "strides": ((2, 3, 7, 8), (3, 3, 3, 2), ((2, 3), (1, 0, 2, 1), (1, 1), 1)),
    "strides beyond the window": ((1, 2, 9, 8), (3, 2, 2, 2), ((4, 3), (1, 1, 0, 0), (1, 1), 1)),
    "dilated": ((1, 3, 7, 6), (3, 3, 3, 2), ((1, 1), (2, 1, 1, 2), (2, 3), 1)),
    "strides and dilation": ((1, 2, 9, 11), (3, 2, 3, 3), ((2, 4), (2, 2, 3, 3), (2, 3), 1)),
    "strides that dilation divides": ((1, 2, 9, 9), (3, 2, 3, 3), ((4, 6), (3, 3, 3, 3), (2, 4), 1)),
    "groups": ((2, 6, 4, 4), (4, 3, 2, 2), ((1, 1), (1, 0, 0, 1), (1, 1), 2)),
    "groups and strides": ((1, 6, 5, 5), (9, 2, 3, 3), ((2, 2), (1, 1, 1, 1), (1, 1), 3)),
    "a channel each": ((1, 5, 4, 4), (5, 1, 3, 3), ((1, 1), (1, 1, 1, 1), (1, 1), 5)),
    "as large as the input": ((3, 3, 4, 5), (3, 3, 4, 5), ((1, 1), (0, 0, 0, 0), (1, 1), 1)),
    "more padding than input": ((1, 1, 2, 1), (2, 1, 2, 2), ((1, 1), (3, 3, 2, 4), (1, 1), 1)),
    "17 to 33 channels": ((1, 17, 2, 2), (33, 17, 2, 1), ((1, 1), (0, 1, 0, 0), (1, 1), 1)),
    "one of everything": ((1, 1, 1, 1), (1, 1, 1, 1), ((1, 1), (0, 0, 0, 0), (1, 1), 1)),
}


def result_of(of_x: Any, of_w: Any, settings: Any) -> tuple[int, ...]:
    """Return the shape of a convolution's result."""
    x, w = (on("simple", np.zeros(s), "float64") for s in (of_x, of_w))
    return tuple(SimpleBackend.conv(x, w, ConvParams(*settings)).shape)


def check(dtype: str, of_x: Any, of_w: Any, settings: Any) -> list[Any]:
    """Check the four kernels, and return what they gave."""
    x, w, bias = numbers(*of_x), numbers(*of_w, seed=1), numbers(of_w[0], seed=2)
    d = numbers(*result_of(of_x, of_w, settings), seed=3)
    return [
        agree("conv", dtype, x, w, ConvParams(*settings)),
        agree("conv_activation", dtype, x, w, bias, "relu", ConvParams(*settings)),
        agree("conv_grad_input", dtype, d, w, of_x, ConvParams(*settings)),
        agree("conv_grad_weight", dtype, x, d, of_w, ConvParams(*settings)),
    ]


@every
@ways
def test_relu6(way: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    force(way, monkeypatch)
    of_x, of_w, settings = CASES["strides"]
    x, w, bias = 5 * numbers(*of_x), numbers(*of_w, seed=1), numbers(of_w[0], seed=2)
    y = agree("conv_activation", dtype, x, w, bias, "relu6", ConvParams(*settings))
    assert {0.0, 6.0} <= set(y.flat)


@every
@ways
@pytest.mark.parametrize("case", CASES)
def test_sizes_and_settings(case: str, way: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    force(way, monkeypatch)
    check(dtype, *CASES[case])


@pytest.mark.parametrize("seed", range(12))
def test_random_settings(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(seed)

    def some(*bounds: int) -> tuple[int, ...]:
        return tuple(int(draw.integers(low, high + 1)) for low, high in zip(bounds[::2], bounds[1::2]))

    stride, padding, dilation = some(1, 3, 1, 3), some(0, 2, 0, 2, 0, 2, 0, 2), some(1, 3, 1, 3)
    batch, groups, ins, outs, kh, kw = some(1, 3, 1, 3, 1, 5, 1, 5, 1, 3, 1, 3)
    high, wide = (dilation[k] * ((kh, kw)[k] - 1) + 1 + some(0, 5)[0] for k in (0, 1))
    force(("8x4", "4x8", "4x4")[seed % 3], monkeypatch, share=1 + seed)
    settings = (stride, padding, dilation, groups)
    check("float64", (batch, groups * ins, high, wide), (groups * outs, ins, kh, kw), settings)


@every
@pytest.mark.parametrize("case", ["strides and dilation", "17 to 33 channels"])
def test_the_tiles_of_a_card(case: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x, w, bias = (numbers(*s) for s in (*CASES[case][:2], CASES[case][1][:1]))
    d = numbers(*result_of(*CASES[case]), seed=3)
    for k in range(3):
        monkeypatch.setattr(conv, "_tile", lambda tiles, of, *sizes, k=k: tiles[np.dtype(of).name][k])
        forget()
        agree("conv_activation", dtype, x, w, bias, "relu", ConvParams(*CASES[case][2]))
        if k < 2:
            agree("conv_grad_weight", dtype, x, d, CASES[case][1], ConvParams(*CASES[case][2]))


@every
@ways
def test_every_run_gives_the_same_bits(way: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    force(way, monkeypatch)
    first = check(dtype, *CASES["strides"])
    monkeypatch.setenv("MINITORCH_SIM_ORDER", "reverse")
    for a, b in zip(first, check(dtype, *CASES["strides"])):
        assert np.array_equal(a, b)


@every
def test_slices_are_summed_from_the_first_to_the_last(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x, d = numbers(4, 2, 5, 5), numbers(4, 3, 5, 5, seed=1)
    settings = ((3, 2, 1, 1), (1, 1), (0, 0, 0, 0), (1, 1), 1)
    asked = []
    empty = memory.empty
    monkeypatch.setattr(memory, "empty", lambda size, of: asked.append(size) or empty(size, of))
    for share, slices in ((1000, 1), (50, 2), (7, 13), (1, 50)):
        force("8x4", monkeypatch, share)
        asked.clear()
        agree("conv_grad_weight", dtype, x, d, settings[0], ConvParams(*settings[1:]))
        assert sorted(asked) == sorted([6, 200, 200, 300, 300] + [6 * slices] * (slices > 1))


@pytest.mark.parametrize("threads", [1, 64, 256])
def test_a_block_of_threads_shares_one_weight(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    force("direct", monkeypatch)
    monkeypatch.setattr(conv, "MAX_WEIGHT_THREADS", threads)
    x, d = numbers(3, 1, 7, 7), numbers(3, 2, 6, 5, seed=1)
    agree("conv_grad_weight", "float64", x, d, (2, 1, 2, 3), ConvParams((1, 1), (0, 0, 0, 0), (1, 1), 1))


def test_a_weight_never_used_gets_0(monkeypatch: pytest.MonkeyPatch) -> None:
    force("4x4", monkeypatch)
    x, d = numbers(1, 1, 1, 1), numbers(1, 1, 1, 1)
    found = agree(
        "conv_grad_weight", "float64", x, d, (1, 1, 3, 3), ConvParams((1, 1), (1, 1, 1, 1), (1, 1), 1)
    )
    assert np.count_nonzero(found) == 1


def test_an_input_between_the_strides_gets_0(monkeypatch: pytest.MonkeyPatch) -> None:
    force("8x4", monkeypatch)
    d, w = numbers(1, 2, 2, 2), numbers(2, 1, 1, 1)
    found = agree(
        "conv_grad_input", "float64", d, w, (1, 1, 6, 6), ConvParams((3, 4), (0, 0, 0, 0), (1, 1), 1)
    )
    assert np.count_nonzero(found) == 4


@ways
def test_an_empty_batch(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    force(way, monkeypatch)
    check("float64", (0, 2, 3, 3), (2, 2, 2, 2), CASES["plain"][2])


@ways
def test_operands_of_two_dtypes(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    force(way, monkeypatch)
    x, w = numbers(1, 3, 4, 4).astype(np.float32), numbers(2, 3, 3, 3, seed=1)
    settings = ((1, 1), (1, 1, 1, 1), (1, 1), 1)
    found = minitorch.CudaBackend.conv(
        on("cuda", x, "float32"), on("cuda", w, "float64"), ConvParams(*settings)
    )
    expected = SimpleBackend.conv(
        on("simple", x, "float64"), on("simple", w, "float64"), ConvParams(*settings)
    )
    assert found.dtype == "float64"
    assert np.allclose(found.to_numpy(), expected.to_numpy(), rtol=0, atol=1e-12)


def test_one_dimension(monkeypatch: pytest.MonkeyPatch) -> None:
    force("4x8", monkeypatch)
    x, w = numbers(2, 3, 9), numbers(4, 3, 3, seed=1)
    a, b = (minitorch.conv1d(tensor(x, r), tensor(w, r), stride=2, padding=1) for r in ("cuda", "simple"))
    assert np.allclose(a.to_numpy(), b.to_numpy(), rtol=0, atol=1e-12)


def test_a_gradient_through_a_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    force("8x4", monkeypatch)
    grads = []
    for backend in ("cuda", "simple"):
        x, w = (tensor(numbers(*s), backend, requires_grad=True) for s in ((2, 3, 5, 5), (4, 3, 3, 3)))
        (minitorch.conv2d(x, w, stride=2, padding=1).relu() ** 2).sum().backward()
        grads += [x.grad.to_numpy(), w.grad.to_numpy()]
    assert np.allclose(grads[0], grads[2], rtol=0, atol=1e-11)
    assert np.allclose(grads[1], grads[3], rtol=0, atol=1e-11)


LARGE, SMALL, SHALLOW = conv.TILES["float32"]
SIZES = [
    # LeNet; a depthwise layer
    ((1, 16 * 24 * 24, 4, 1), None),
    ((1, 16 * 8 * 8, 8, 4), None),
    ((256, 128 * 16 * 16, 1, 1), None),
    # the first layer of a network on photographs, and of one for CIFAR-10
    ((1, 64 * 112 * 112, 64, 3), SHALLOW),
    ((1, 128 * 32 * 32, 32, 3), SHALLOW),
    ((1, 16 * 16, 32, 3), SHALLOW),
    # later layers; batches too small for large tiles
    ((1, 128 * 32 * 32, 64, 32), LARGE),
    ((1, 128 * 8 * 8, 256, 256), SMALL),
    ((1, 128 * 8 * 8, 512, 512), LARGE),
    ((1, 8 * 8, 512, 512), SMALL),
    ((1, 8 * 16 * 16, 256, 256), SMALL),
    ((32, 128 * 32 * 32, 8, 8), SMALL),
    # nothing to compute
    ((1, 0, 8, 8), None),
    ((1, 100, 8, 0), None),
]


@pytest.mark.parametrize(("sizes", "tile"), SIZES)
def test_which_tile_serves_which_sizes(sizes: tuple[int, ...], tile: ConvTile | None) -> None:
    assert conv.tile_for(conv.TILES["float32"], *sizes) == tile


def test_tiles_fit_their_threads() -> None:
    for tiles in (conv.TILES, conv.WEIGHT_TILES, {"sim": (conv.SIMULATED_TILE,)}):
        for tile in (t for of_dtype in tiles.values() for t in of_dtype):
            assert (
                tile.rows % tile.thread_rows
                == tile.cols % tile.thread_cols
                == tile.thread_rows % 2
                == tile.thread_cols % 2
                == 0
            )
            assert tile.depth % 2 == 0
            assert tile.threads % tile.rows == 0 or tiles is conv.WEIGHT_TILES
            assert tile.threads % tile.depth == 0
            assert tile.rows * tile.depth % tile.threads == tile.cols * tile.depth % tile.threads == 0


@pytest.mark.parametrize(
    ("tiles", "positions", "share"),
    [
        (1, 100, 256),  # too few to be worth two blocks
        (1, 128 * 32 * 32, 256),  # 512 blocks: for 1,024 each would have 128
        (10, 128 * 32 * 32, 1280),
        (20, 1003, 256),
        (25, 50_000, 1224),  # 1,220.7, in steps of 8
        (5000, 128 * 32 * 32, 16_384),  # blocks enough, and sums long enough
    ],
)
def test_how_many_positions_a_block_sums_over(tiles: int, positions: int, share: int) -> None:
    assert conv.slice_size(conv.WEIGHT_TILES["float32"][0], tiles, positions) == share
