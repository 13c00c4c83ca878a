"""Random words that any thread can make, against NumPy's; and dropout, which is made of them, in every backend."""

from __future__ import annotations

import os
import random
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Tensor, tensor
from minitorch.fast_ops import jit
from minitorch.nn import functional
from minitorch.runtime import philox, rng

CUDA = [] if os.environ["MINITORCH_CUDA_TESTS"] == "off" else ["cuda"]
backends = pytest.mark.parametrize("backend", ["simple", "fast", *CUDA])
every = pytest.mark.parametrize("dtype", ["float32", "float64"])
SIZES = (0, 1, 3, 4, 5, 1000)
KEYS = (0, 1, 2**32, 2**64 - 1, 0x9E3779B97F4A7C15, 2**127 + 3)
WORDS = [0, 1, 2**32 - 1, 2**32, 2**63, 2**64 - 1, philox.MUL_A, philox.WEYL_B, 0x0123456789ABCDEF]


def raw(key: int, size: int) -> list[int]:
    """Return what NumPy draws."""
    return np.random.Philox(key=key).random_raw(size).tolist()


def ours(key: int, size: int) -> list[int]:
    words = philox.key_words(key)
    blocks = (philox.four_words(t, words) for t in range((size + 3) // 4))
    return [int(w) for four in blocks for w in four][:size]


@pytest.mark.parametrize("key", KEYS)
def test_the_words_are_numpys(key: int) -> None:
    for size in SIZES:
        assert ours(key, size) == raw(key, size)


@pytest.mark.skipif(jit.disabled(), reason="NUMBA_DISABLE_JIT is set")
def test_the_words_are_the_same_compiled() -> None:
    four = jit.kernel(philox.four_words, cache=False)
    for key in KEYS:
        words = philox.key_words(key)
        found = [int(w) for t in (0, 1, 249) for w in four(t, words)]
        expected = raw(key, 1000)
        assert found == expected[:8] + expected[-4:]


def test_products_of_words() -> None:
    for a in WORDS:
        for b in WORDS:
            high, low = philox.product(np.uint64(a), np.uint64(b))
            assert int(high) * 2**64 + int(low) == a * b


def test_numbers_are_compared_as_integers() -> None:
    drawn = philox.generator(7).uniform(size=40)
    words = [np.uint64(w) for w in raw(7, 40)]
    rates = [0.0, 5e-324, 0.3, 1 / 3, 1 - 2**-53, 1.0, 1]
    for u in drawn[:5]:
        rates += [u, np.nextafter(u, 0), np.nextafter(u, 1), np.float32(u)]
    for rate in rates:
        found = [bool(philox.at_least(w, philox.threshold(rate))) for w in words]
        assert found == (drawn >= rate).tolist()


def as_before(x: Any, rate: Any, scale: bool) -> Any:
    """Return what dropout kept when all of it was made by NumPy, and scaled."""
    kept = (philox.generator(rng.new_key()).uniform(size=x.shape) >= rate).astype(x.dtype)
    if scale and rate < 1:
        kept /= 1 - rate
    return kept


@backends
@every
@pytest.mark.parametrize("rate", [0.25, 1 / 3, 0.9999, 1.0, np.float32(0.3), np.float64(0.7)])
@pytest.mark.parametrize("scale", [False, True])
def test_masks_and_results_are_those_that_numpy_gives(
    backend: str, dtype: str, rate: Any, scale: bool
) -> None:
    for size in SIZES if rate == 0.25 else (5,):
        x = np.random.default_rng(size).standard_normal(size).astype(dtype)
        x[::7] = np.inf
        minitorch.manual_seed(size)
        with np.errstate(invalid="ignore"):
            mask = as_before(x, rate, scale)
            expected, after = x * mask, random.getstate()
        minitorch.manual_seed(size)
        t = tensor(x, backend, dtype=dtype)
        y, kept = t.f.dropout(t._tensor, rng.new_key, rate, scale)
        assert random.getstate() == after
        assert y.dtype == kept.dtype == dtype
        assert y.to_numpy().tobytes() == expected.tobytes()
        assert kept.to_numpy().tobytes() == mask.tobytes()


@backends
def test_elements_are_counted_in_the_order_of_the_shape(backend: str) -> None:
    x = np.random.default_rng(0).standard_normal((3, 4, 5))
    for order in ((2, 0, 1), (0, 2, 1)):
        minitorch.manual_seed(1)
        found = functional.dropout(tensor(x, backend).permute(*order), 0.5, scale=True).to_numpy()
        minitorch.manual_seed(1)
        transposed = x.transpose(order)
        assert np.array_equal(found, transposed * as_before(transposed, 0.5, True))


@backends
@pytest.mark.parametrize("fuse", ["1", "0"])
def test_gradients_pass_through_what_was_kept(
    backend: str, fuse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINITORCH_FUSE", fuse)
    backend = minitorch.TensorBackend(tensor([0.0], backend).f.ops)
    x = tensor(np.arange(1.0, 22.0).reshape(3, 7), backend, requires_grad=True)
    weights = np.arange(21.0).reshape(3, 7)
    minitorch.manual_seed(2)
    mask = as_before(weights, 0.4, True)
    minitorch.manual_seed(2)
    (functional.dropout(x, 0.4, scale=True) * tensor(weights, backend)).sum().backward()
    assert np.array_equal(x.grad.to_numpy(), weights * mask)


@backends
def test_whole_channels_are_dropped_as_before(backend: str) -> None:
    minitorch.manual_seed(3)
    kept = as_before(np.ones((3, 5, 1, 1)), 0.5, True)
    minitorch.manual_seed(3)
    x = np.random.default_rng(1).standard_normal((3, 5, 2, 2))
    assert np.array_equal(minitorch.Dropout2d(0.5)(tensor(x, backend)).to_numpy(), x * kept)


def test_threads_make_the_same_mask() -> None:
    elements = np.ones(70_001)
    minitorch.manual_seed(4)
    expected = as_before(elements, 0.5, False)
    minitorch.manual_seed(4)
    assert np.array_equal(functional.dropout(tensor(elements, "fast"), 0.5).to_numpy(), expected)


@pytest.mark.skipif(not CUDA, reason="MINITORCH_CUDA_TESTS=off")
def test_a_small_grid_makes_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minitorch.cuda_ops.fused, "grid_stride", lambda size: (2, 4))
    minitorch.manual_seed(4)
    expected = as_before(np.ones(101), 0.5, False)
    minitorch.manual_seed(4)
    assert np.array_equal(functional.dropout(tensor(np.ones(101), "cuda"), 0.5).to_numpy(), expected)


def trained(backend: str) -> list[Any]:
    minitorch.manual_seed(5)
    minitorch.set_default_backend(backend)
    model = minitorch.Sequential(
        minitorch.Linear(4, 6), minitorch.Dropout(0.5), minitorch.ReLU(), minitorch.Linear(6, 2)
    )
    optimizer = minitorch.SGD(model.parameters(), lr=0.1)
    for k in range(3):
        x: Tensor = tensor(np.random.default_rng(k).standard_normal((5, 4)))
        minitorch.cross_entropy(model(x), [0, 1, 0, 1, 1]).backward()
        optimizer.step()
    return list(model.state_dict().values())


@backends
def test_training_with_dropout_repeats(backend: str) -> None:
    first, again, plain = trained(backend), trained(backend), trained("simple")
    for one, two, reference in zip(first, again, plain):
        assert np.array_equal(one, two)
        assert np.allclose(one, reference, rtol=0, atol=1e-12)
