"""The matrix product of the CUDA backend: tiles, slices of the depth, the bias and activation of a layer, and TF32.

On a GPU the tiles are larger than in the simulator, and so are the matrices here.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import SimpleBackend, tensor
from minitorch.cuda_ops import gemm_tf32, matmul
from minitorch.cuda_ops.device.launch import bind
from minitorch.cuda_ops.device.numba_cuda import cuda
from minitorch.cuda_ops.gemm import THREADS, load_pattern
from minitorch.cuda_ops.matmul import (
    CARD_TILES,
    CARD_WARP_TILES,
    SIMULATOR_TILES,
    WARP_TILES,
    Tile,
    plan_for,
    split_k,
    tile_for,
)

from ..support import strict_simulator
from ..support.strict_simulator import round_tf32

MODE = os.environ["MINITORCH_CUDA_TESTS"]
pytestmark = pytest.mark.skipif(MODE == "off", reason="MINITORCH_CUDA_TESTS=off")
ORDERS = ("forward", "shuffle:1") if MODE == "sim" else ("forward",)
SCALE = 1 if MODE == "sim" else 8  # how much larger the smallest tile of a card is
# Tensor cores cut off what they add, where the stand-in rounds.
TIGHT = 2e-6 if MODE == "sim" else 2e-5
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
every = pytest.mark.parametrize("dtype", ["float32", "float64"])
with_tensor_cores = pytest.mark.skipif(
    MODE == "off" or not gemm_tf32.present(), reason="there are no tensor cores, nor a stand-in"
)
in_strict_simulator = pytest.mark.skipif(
    MODE != "sim" or gemm_tf32.mma_tf32 is None, reason="the strict simulator is not in use"
)


@pytest.fixture(autouse=True, params=ORDERS)
def order(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run each test with the threads of a block in two orders, and leave the precision as it was."""
    monkeypatch.setenv("MINITORCH_SIM_ORDER", request.param)
    yield request.param
    minitorch.set_float32_matmul_precision("highest")


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


def shapes_of(*sizes: int) -> tuple[int, ...]:
    """Return sizes for this machine: on a GPU larger, and as odd as they were."""
    return tuple(n if n < 2 else SCALE * (n - 1) + 1 for n in sizes)


def on_cuda(array: Any, dtype: str, transposed: bool = False) -> Any:
    """Return an operand on the device, packed or with its last two dimensions transposed in memory."""
    axes = (*range(array.ndim - 2), array.ndim - 1, array.ndim - 2)
    if not transposed:
        return tensor(array.astype(dtype), "cuda")
    return tensor(array.astype(dtype).transpose(axes).copy(), "cuda").permute(*axes)


def error(found: Any, expected: Any) -> float:
    return float(np.linalg.norm(found - expected) / max(np.linalg.norm(expected), 1e-30))


def product(a: Any, b: Any, dtype: str, transposed: tuple[bool, bool] = (False, False)) -> Any:
    """Multiply in the backend, and compare with NumPy in float64."""
    found = (on_cuda(a, dtype, transposed[0]) @ on_cuda(b, dtype, transposed[1])).to_numpy()
    expected = a.astype(dtype).astype(np.float64) @ b.astype(dtype).astype(np.float64)
    assert (found.shape, found.dtype) == (expected.shape, dtype)
    assert error(found, expected) <= TOLERANCE[dtype]
    return found


@every
@pytest.mark.parametrize("transposed", list(itertools.product([False, True], repeat=2)))
@pytest.mark.parametrize(("n", "k", "m"), [(8, 4, 8), (9, 3, 17), (16, 8, 16), (7, 9, 33), (25, 1, 4)])
def test_products_of_packed_and_transposed_matrices(
    dtype: str, transposed: tuple[bool, bool], n: int, k: int, m: int
) -> None:
    n, k, m = shapes_of(n, k, m)
    assert plan_for(np.dtype(dtype), (1, n, m, k)) is not None
    product(numbers(n, k), numbers(k, m, seed=1), dtype, transposed)


SIZES = (1, 7, 33, 65, 129)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("m", SIZES)
def test_ragged_edges(n: int, m: int) -> None:
    for k in (0, 1, 7) if MODE == "sim" else (0, *SIZES):
        product(numbers(n, k), numbers(k, m, seed=1), "float32")


@every
@pytest.mark.parametrize("seed", range(6))
def test_random_batches(dtype: str, seed: int) -> None:
    draw = np.random.default_rng(seed)
    n, m = shapes_of(*draw.integers(4, 20, 2))
    (k,) = shapes_of(draw.integers(0, 24))
    layers = draw.integers(1, 4)
    of_a, of_b = [(layers, layers), (1, layers), (layers, 1)][seed % 3]
    a, b = draw.standard_normal((of_a, n, k)), draw.standard_normal((of_b, k, m))
    product(a, b, dtype, (bool(seed & 1), bool(seed & 2)))


@every
def test_batches_whose_matrices_are_not_packed(dtype: str) -> None:
    n, m = shapes_of(9, 10)
    a, b = numbers(n, 3, 6), numbers(6, m, 3, seed=1)
    x = tensor(a.astype(dtype), "cuda").permute(1, 0, 2)
    y = tensor(b.astype(dtype), "cuda").permute(2, 0, 1)
    expected = a.transpose(1, 0, 2).astype(dtype) @ b.transpose(2, 0, 1).astype(dtype).astype(np.float64)
    assert error((x @ y).to_numpy(), expected) <= TOLERANCE[dtype]


@every
def test_one_matrix_stretched_over_a_batch_and_mixed_dtypes(dtype: str) -> None:
    n, m = shapes_of(9, 8)
    a, b = numbers(n, 6), numbers(3, 6, m, seed=1)
    found = (tensor(a.astype(dtype), "cuda") @ tensor(b, "cuda")).to_numpy()
    assert error(found, a.astype(dtype).astype(np.float64) @ b) <= TOLERANCE["float64"]


@every
def test_a_result_with_steps_of_its_own(dtype: str) -> None:
    n, m = shapes_of(9, 10)
    a, b = (t.astype(dtype) for t in (numbers(n, 5), numbers(5, m, seed=1)))
    x, y = (tensor(t, "cuda")._tensor._storage for t in (a, b))
    whole = tensor(np.full((m, 2 * n), 7.0, dtype), "cuda")._tensor
    done = matmul.multiply(
        [(n, 5), (5, m)],
        np.dtype(dtype),
        whole._storage,
        (0, 2, 2 * n),
        x,
        (0, 5, 1),
        y,
        (0, m, 1),
        (1, n, m, 5),
    )
    assert done
    found = whole.to_numpy()
    assert error(found[:, ::2], (a @ b).T) <= TOLERANCE[dtype]
    assert (found[:, 1::2] == 7).all()


def test_more_columns_than_a_grid_has_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thin result: 5 tiles across, in a grid of 2."""
    assert matmul.tiles(10, 2_000_000, 8, 1) == ((1, 65_535, 1), (16, 16, 1))
    monkeypatch.setattr(matmul, "MAX_GRID_YZ", 2)
    a, b, bias = numbers(3, 5), numbers(5, 70, seed=1), numbers(70, seed=2)
    product(a, b, "float64")
    x, w, shift = (tensor(v, "cuda")._tensor for v in (a, b.T.copy(), bias))
    found = minitorch.CudaBackend.linear(x, w, shift, "none").to_numpy()
    assert error(found, a @ b + bias) <= TOLERANCE["float64"]


def test_a_batch_larger_than_a_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "MAX_GRID_YZ", 2)
    n, m = shapes_of(5, 6)
    product(numbers(5, n, 3), numbers(5, 3, m, seed=1), "float32")


@every
def test_numbers_that_are_none_stay_in_their_row_and_column(dtype: str) -> None:
    n, m = shapes_of(9, 9)
    a, b = numbers(n, 5), numbers(5, m, seed=1)
    a[n - 1, 2], b[1, m - 1] = np.nan, np.inf
    found = (tensor(a.astype(dtype), "cuda") @ tensor(b.astype(dtype), "cuda")).to_numpy()
    with np.errstate(invalid="ignore"):
        expected = a @ b
    assert np.array_equal(np.isfinite(found), np.isfinite(expected))
    assert np.array_equal(np.isnan(found), np.isnan(expected))


@every
def test_gradients_multiply_by_transposes(dtype: str) -> None:
    n, k, m = shapes_of(9, 6, 8)
    a, b, d = numbers(n, k), numbers(k, m, seed=1), numbers(n, m, seed=2)
    x, y = (tensor(t.astype(dtype), "cuda", requires_grad=True) for t in (a, b))
    (x @ y).backward(tensor(d.astype(dtype), "cuda"))
    assert error(x.grad.to_numpy(), d @ b.T) <= TOLERANCE[dtype] * 10
    assert error(y.grad.to_numpy(), a.T @ d) <= TOLERANCE[dtype] * 10


def first_elements(out: Any, step: int, deep_step: int) -> None:
    line, deep, _, _ = load_pattern(step, deep_step)
    out[cuda.threadIdx.x] = line * step + deep * deep_step


@pytest.mark.parametrize("steps", [(1, 100), (100, 1), (-100, 1), (100, 0)])
def test_neighbouring_threads_read_neighbouring_elements(steps: tuple[int, int]) -> None:
    out = cuda.device_array(THREADS, np.float64)
    cuda.jit(bind(first_elements, np.float64))[1, THREADS](out, *steps)
    assert (np.abs(np.diff(out.copy_to_host()))[:3] <= 1).all()


# Slices of the depth


DEEP = 5 * matmul.MIN_SLICE_DEPTH + 3


@every
@pytest.mark.parametrize("layers", [1, 2])
def test_deep_products_are_cut_into_slices(dtype: str, layers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "split_k", lambda count, depth, *_: split_k(count, depth, full=16))
    n, m = shapes_of(6, 7)
    plan = plan_for(np.dtype(dtype), (layers, n, m, DEEP))
    assert plan is not None
    assert plan.slices == 5
    product(numbers(layers, n, DEEP), numbers(layers, DEEP, m, seed=1), dtype, (True, False))


def test_where_depth_is_cut() -> None:
    assert split_k(132, 100_000, 132, 256) == (1, 100_000)
    assert split_k(34, 100_000, 132, 256) == (1, 100_000)  # three times as many blocks are not worth a launch
    assert split_k(33, 100_000, 132, 256) == (4, 25_000)
    assert split_k(1, 100_000, 132, 256) == (132, 758)
    assert split_k(1, 1023, 132, 256) == (1, 1023)
    assert split_k(1, 1024, 132, 256) == (4, 256)
    assert split_k(1, 0, 132, 256) == (1, 0)
    for count, depth in itertools.product(range(1, 60, 7), range(700, 5000, 37)):
        slices, chunk = split_k(count, depth, 132, 256)
        assert (slices - 1) * chunk < depth <= slices * chunk


def test_which_tile_is_taken() -> None:
    large, small = CARD_TILES[4]
    for sizes, expected in {
        (1, 4096, 4096, 64): large,
        (1, 1408, 1280, 64): large,  # 110 tiles
        (1, 1280, 1152, 64): small,  # 90: a third of the processors would be idle
        (7, 512, 512, 64): large,
        (1, 512, 512, 512): small,
        (1, 512, 512, 4096): large,  # 16 tiles in 8 slices
        (1, 64, 128, 10_000): small,
        (1, 32, 32, 1): small,
        (1, 31, 4096, 64): None,
        (5000, 10, 10, 10): None,
        (5000, 64, 64, 64): small,  # half of a large tile would be empty
    }.items():
        assert tile_for(CARD_TILES[4], *sizes, full=132, min_depth=256) is expected, sizes


@pytest.mark.parametrize("tile", [*CARD_TILES[4], *CARD_TILES[8], *SIMULATOR_TILES])
def test_tiles_fit_their_threads(tile: Tile) -> None:
    assert tile.side % tile.thread_side == 0
    assert tile.thread_side % tile.vector == 0
    assert tile.depth % tile.unroll == 0
    assert 32 <= tile.threads <= 1024 or tile in SIMULATOR_TILES


@pytest.mark.parametrize(
    "tile", [*CARD_TILES[4], *CARD_TILES[8], *SIMULATOR_TILES, *CARD_WARP_TILES, *WARP_TILES]
)
def test_threads_load_all_of_a_slab(tile: Any) -> None:
    assert tile.constants()["LOADS"] * tile.threads == tile.side * tile.depth
    assert tile.threads % tile.depth == 0
    assert tile.threads % tile.side == 0


CARDS = [(t, name) for size, name in ((4, "float32"), (8, "float64")) for t in CARD_TILES[size]]


@pytest.mark.parametrize(("tile", "dtype"), [*CARDS, *((t, "tf32") for t in CARD_WARP_TILES)])
def test_the_tiles_of_a_card(tile: Any, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the simulator as well, with as many threads and as much shared memory as there."""
    monkeypatch.setattr(matmul, "TILES", {4: (tile,), 8: (tile,)})
    monkeypatch.setattr(matmul, "WARP_TILES", (tile,))
    a, b = numbers(tile.side // 2 + 5, 19), numbers(19, tile.side - 3, seed=1)
    if dtype != "tf32":
        product(a, b, dtype, (False, True))
    elif gemm_tf32.present():
        found, rounded, _ = tf32(a, b)
        assert error(found, rounded) <= TIGHT


@every
def test_every_run_gives_the_same_bits(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n, m = shapes_of(12, 9)
    a, b = numbers(n, DEEP), numbers(DEEP, m, seed=1)
    first = product(a, b, dtype)
    monkeypatch.setenv("MINITORCH_SIM_ORDER", "reverse")
    assert product(a, b, dtype).tobytes() == first.tobytes()


# A layer: bias and activation


@every
@pytest.mark.parametrize("activation", ["none", "relu", "relu6"])
@pytest.mark.parametrize(("n", "k", "m"), [(8, 5, 8), (9, 0, 4), (17, 6, 10), (5, DEEP, 7), (3, 4, 20)])
def test_linear(dtype: str, activation: str, n: int, k: int, m: int) -> None:
    if k != DEEP:
        n, k, m = shapes_of(n, k, m)
    arrays = [a.astype(dtype) for a in (numbers(n, k), numbers(m, k, seed=1), numbers(m, seed=2))]
    ours = [tensor(a.T.copy(), "cuda")._tensor.permute(*range(a.ndim)[::-1]) for a in arrays]
    plain = [tensor(a.astype(np.float64), "simple")._tensor for a in arrays]
    found = minitorch.CudaBackend.linear(*ours, activation)
    assert found.dtype == dtype
    assert error(found.to_numpy(), SimpleBackend.linear(*plain, activation).to_numpy()) <= TOLERANCE[dtype]


# TF32


def tf32(a: Any, b: Any) -> tuple[Any, Any, Any]:
    """Multiply in TF32, and return what the backend, NumPy on rounded operands and NumPy in full find."""
    minitorch.set_float32_matmul_precision("high")
    found = (on_cuda(a, "float32") @ on_cuda(b, "float32", transposed=True)).to_numpy()
    x, y = a.astype(np.float32), b.astype(np.float32)
    rounded = round_tf32(x).astype(np.float64) @ round_tf32(y).astype(np.float64)
    return found, rounded, x.astype(np.float64) @ y.astype(np.float64)


@with_tensor_cores
@pytest.mark.parametrize(
    ("of_a", "of_b"),
    [
        ((32, 8), (8, 32)),
        ((33, 17), (17, 65)),
        ((17, 40), (40, 16)),
        ((3, 20, 9), (1, 9, 34)),
        ((20, 0), (0, 20)),
    ],
)
def test_products_in_tf32(of_a: tuple[int, ...], of_b: tuple[int, ...]) -> None:
    if MODE == "gpu":
        of_a, of_b = (tuple(3 * n if n > 3 else n for n in shape) for shape in (of_a, of_b))
    a, b = numbers(*of_a), numbers(*of_b, seed=1)
    found, rounded, full = tf32(a, b)
    assert error(found, rounded) <= TIGHT
    if full.any():
        assert 1e-5 < error(found, full) <= 1e-2


@with_tensor_cores
def test_deep_products_in_tf32_are_cut_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "split_k", lambda count, depth, *_: split_k(count, depth, full=16))
    a, b = numbers(40, DEEP), numbers(DEEP, 50, seed=1)
    found, rounded, _ = tf32(a, b)
    assert error(found, rounded) <= TIGHT


@with_tensor_cores
@pytest.mark.parametrize("activation", ["none", "relu"])
def test_linear_in_tf32(activation: str) -> None:
    minitorch.set_float32_matmul_precision("medium")
    x, w, b = (a.astype(np.float32) for a in (numbers(50, 21), numbers(70, 21, seed=1), numbers(70, seed=2)))
    ours = [tensor(a, "cuda")._tensor for a in (x, w, b)]
    found = minitorch.CudaBackend.linear(*ours, activation).to_numpy()
    expected = round_tf32(x).astype(np.float64) @ round_tf32(w).astype(np.float64).T + b
    assert error(found, expected if activation == "none" else np.maximum(expected, 0)) <= TIGHT


@with_tensor_cores
def test_only_large_float32_products_are_rounded() -> None:
    single, double, wide = np.dtype("float32"), np.dtype("float64"), (1, 512, 512, 512)
    plain = plan_for(single, wide)
    minitorch.set_float32_matmul_precision("high")
    assert plan_for(single, wide) != plain
    assert plan_for(single, wide).tile in WARP_TILES  # type: ignore[union-attr]
    assert plan_for(double, wide).tile not in WARP_TILES  # type: ignore[union-attr]
    minitorch.set_float32_matmul_precision("highest")
    assert plan_for(single, wide) == plain


def test_older_cards_compute_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gemm_tf32, "present", lambda: False)
    minitorch.set_float32_matmul_precision("high")
    product(numbers(40, 9), numbers(9, 40, seed=1), "float32")


def test_the_precision_is_one_of_three() -> None:
    assert minitorch.get_float32_matmul_precision() == "highest"
    for name in ("medium", "high", "highest"):
        minitorch.set_float32_matmul_precision(name)
        assert minitorch.get_float32_matmul_precision() == name
    for wrong in ("tf32", "High", ""):
        with pytest.raises(ValueError, match=r"'highest', 'high', 'medium'"):
            minitorch.set_float32_matmul_precision(wrong)
    assert minitorch.get_float32_matmul_precision() == "highest"


def test_numbas_own_simulator_has_no_tensor_cores_and_needs_none() -> None:
    code = (
        "import minitorch, numpy as np\n"
        "minitorch.set_float32_matmul_precision('high')\n"
        "a = np.random.default_rng(0).standard_normal((9, 17)).astype(np.float32)\n"
        "t = minitorch.tensor(a, 'cuda')\n"
        "print(np.abs((t @ t.permute(1, 0)).to_numpy() - a.astype(float) @ a.T).max() < 1e-5)\n"
        "y = minitorch.CudaBackend.linear(t._tensor, t._tensor, minitorch.zeros((9,), 'cuda')._tensor, 'relu')\n"
        "print(np.abs(y.to_numpy() - np.maximum(a.astype(float) @ a.T, 0)).max() < 1e-5)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "MINITORCH_BACKEND": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("True\nTrue\n", "")


# The stand-in of the strict simulator


def multiply_once(out: Any, number: Any, part: int) -> None:
    lane = cuda.threadIdx.x
    if lane < part:
        x = number[0]
        out[lane] = mma_tf32(x, x, x, x, x, x, x, x, x, x)[0]


def two_steps(out: Any, barrier: bool) -> None:
    cache = cuda.shared.array(64, np.float32)
    lane, zero = cuda.threadIdx.x, np.float32(0)
    cache[lane] = lane
    cuda.syncthreads()
    other = cache[63 - lane]
    mma_tf32(zero, zero, zero, zero, zero, zero, zero, zero, zero, zero)
    if barrier:
        cuda.syncthreads()
    cache[lane] = -1
    mma_tf32(zero, zero, zero, zero, zero, zero, zero, zero, zero, zero)
    cuda.syncthreads()
    out[lane] = other


mma_tf32 = gemm_tf32.mma_tf32


def launched(loop: Any, threads: int, *operands: Any) -> Any:
    out = cuda.device_array(64, np.float32)
    cuda.jit(bind(loop, np.float32))[1, threads](out, *operands)
    return out.copy_to_host()


@in_strict_simulator
def test_a_warp_multiplies_together() -> None:
    one = cuda.to_device(np.ones(1, np.float32))
    assert (launched(multiply_once, 64, one, 64) == 9).all()
    with pytest.raises(ValueError, match="not rounded to TF32"):
        launched(multiply_once, 32, cuda.to_device(np.full(1, 1 + 2**-20, np.float32)), 32)
    with pytest.raises(ValueError, match="in one of 16 threads"):
        launched(multiply_once, 16, one, 16)
    with pytest.raises(strict_simulator.Divergence, match="multiply_once"):
        launched(multiply_once, 32, one, 31)


@in_strict_simulator
def test_a_warp_does_not_wait_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINITORCH_SIM_ORDER", "forward")
    reads = list(range(63, -1, -1))
    assert launched(two_steps, 64, True).tolist() == reads
    # Without the barrier, the first warp writes before the second one reads.
    assert launched(two_steps, 64, False).tolist() == [*reads[:32], *[-1.0] * 32]


@in_strict_simulator
def test_rounding_to_tf32() -> None:
    x = np.array(
        [1, 1 + 2**-10, 1 + 2**-11, 1 + 2**-11 - 2**-23, -1 - 2**-11, 3e38, np.inf, np.nan], np.float32
    )
    expected = [1, 1 + 2**-10, 1 + 2**-10, 1, -1 - 2**-10, round_tf32(x[5]), np.inf, np.nan]
    assert np.array_equal(round_tf32(x), np.array(expected, np.float32), equal_nan=True)
