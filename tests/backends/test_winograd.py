"""Winograd's convolution: the same numbers as the plain sum, for images of any size, and for what is not finite."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from minitorch import operators
from minitorch.fast_ops import jit, threads
from minitorch.fast_ops.convolution import conv, winograd, winograd_plan
from minitorch.fast_ops.convolution.scratch import borrow, give_back, pieces
from minitorch.fast_ops.convolution.winograd_plan import Launch
from minitorch.runtime.types import ConvParams

from ..support.checks import needs_jit

Array = np.ndarray
pytestmark = needs_jit


def windows(x: Array, padding: tuple[int, int, int, int]) -> Array:
    """Return (N, C, H', W', 3, 3) in float64."""
    top, bottom, left, right = padding
    around = ((0, 0), (0, 0), (top, bottom), (left, right))
    return sliding_window_view(np.pad(x.astype(np.float64), around), (3, 3), (2, 3))


def close(found: Array, expected: Array) -> None:
    scale = np.abs(expected).max()
    assert np.abs(found - expected).max() <= (1e-12 if found.dtype == np.float64 else 1e-4) * scale


SIZES = [(1, 1), (2, 3), (4, 4), (5, 7), (7, 5), (8, 8), (9, 16), (17, 6), (3, 33)]
PADDINGS = [(1, 1, 1, 1), (0, 0, 0, 0), (2, 2, 2, 2), (0, 2, 0, 2), (1, 2, 0, 1)]
CASES = [
    (size, p)
    for size, p in itertools.product(SIZES, PADDINGS)
    if min(size[0] + p[0] + p[1], size[1] + p[2] + p[3]) >= 3
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("size", "padding"), CASES)
def test_it_agrees_with_the_direct_sum(
    size: tuple[int, int], padding: tuple[int, int, int, int], dtype: str
) -> None:
    height, width = size[0] + padding[0] + padding[1] - 2, size[1] + padding[2] + padding[3] - 2
    draw = np.random.default_rng(abs(hash((size, padding))) % 2**32)
    batch, ins, outs = int(draw.integers(1, 6)), int(draw.integers(24, 41)), int(draw.integers(24, 41))
    x = draw.standard_normal((batch, ins, *size)).astype(dtype)
    w = draw.standard_normal((outs, ins, 3, 3)).astype(dtype)
    shift = draw.standard_normal(outs).astype(dtype)
    out = np.full((batch, outs, height, width), np.nan, dtype)
    assert winograd.applies(w, ConvParams(padding=padding))
    assert winograd.forward(out, x, w, padding, shift, operators.relu)
    cut = windows(x, padding)
    expected = np.einsum("nchwij,ocij->nohw", cut, w.astype(np.float64), optimize=True)
    close(out, np.maximum(expected + shift[:, None, None], 0))

    d = draw.standard_normal(out.shape).astype(dtype)
    dw = np.full(w.shape, np.nan, dtype)
    assert winograd.grad_weight(dw, x, d, padding)
    close(dw, np.einsum("nchwij,nohw->ocij", cut, d.astype(np.float64), optimize=True))

    dx = np.full(x.shape, np.nan, dtype)
    conv.grad_input(dx, d, w, ConvParams(padding=padding))
    spread = np.zeros((batch, ins, height + 2, width + 2))
    for i, j in np.ndindex(3, 3):
        spread[:, :, i : i + height, j : j + width] += np.einsum(
            "nohw,oc->nchw", d, w[:, :, i, j], optimize=True
        )
    top, left = padding[0], padding[2]
    close(dx, spread[:, :, top : top + size[0], left : left + size[1]])


@pytest.mark.parametrize("size", [(29, 30), (41, 17), (8, 120)])
def test_bands_of_large_images_and_parts_of_channels_change_little(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(size[0])
    x, w = draw.standard_normal((3, 26, *size)), draw.standard_normal((27, 26, 3, 3))
    d, shift = draw.standard_normal((3, 27, *size)), draw.standard_normal(27)
    found = []
    for cache, part_outs in ((1 << 30, 1 << 30), (1, 8)):
        monkeypatch.setattr(winograd_plan, "CACHE_BYTES", cache)
        monkeypatch.setattr(winograd_plan, "PART_OUTS", part_outs)
        monkeypatch.setattr(winograd_plan, "SUMMED_TILES", 1 << 20)
        layouts = [Launch(3, 26, 27, *size, (1, 1), 8, weight).layout for weight in (False, True)]
        assert all((layout.band < layout.tile_rows) == (cache == 1) for layout in layouts)
        assert (layouts[1].parts > 1) == (cache == 1)
        out, dw = np.full(d.shape, np.nan), np.full(w.shape, np.nan)
        assert winograd.forward(out, x, w, (1, 1, 1, 1), shift, operators.id)
        assert winograd.grad_weight(dw, x, d, (1, 1, 1, 1))
        found.append((out, dw))
    assert (found[0][0] == found[1][0]).all()
    cut = windows(x, (1, 1, 1, 1))
    close(found[0][0], np.einsum("nchwij,ocij->nohw", cut, w, optimize=True) + shift[:, None, None])
    for _, dw in found:
        close(dw, np.einsum("nchwij,nohw->ocij", cut, d, optimize=True))


@pytest.mark.parametrize("poison", [np.nan, np.inf, 3e38])
def test_what_is_not_finite_stays_where_the_direct_sum_has_it(poison: float) -> None:
    draw = np.random.default_rng(3)
    x = draw.standard_normal((2, 24, 9, 9)).astype("float32")
    w = np.abs(draw.standard_normal((25, 24, 3, 3))).astype("float32")
    x[1, 3, 4, 4] = poison
    out = np.empty((2, 25, 7, 7), "float32")
    conv.forward(out, x, w, ConvParams())
    touched = np.zeros(out.shape, bool)
    touched[1, :, 2:5, 2:5] = True
    assert np.isfinite(out[~touched]).all()
    assert not np.isfinite(out[touched]).all()


def test_the_same_bits_each_time() -> None:
    draw = np.random.default_rng(5)
    x, w = draw.standard_normal((9, 32, 8, 8)), draw.standard_normal((32, 32, 3, 3))
    found = []
    for _ in range(3):
        out, dw = np.empty((9, 32, 8, 8)), np.empty(w.shape)
        winograd.forward(out, x, w, (1, 1, 1, 1), np.zeros(32), operators.id)
        winograd.grad_weight(dw, x, out, (1, 1, 1, 1))
        found.append((out, dw))
    for out, dw in found[1:]:
        assert (out == found[0][0]).all()
        assert (dw == found[0][1]).all()


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ((24, 23, 3, 3), ((1, 1), (0, 0, 0, 0), (1, 1), 1)),
        ((24, 24, 3, 1), ((1, 1), (0, 0, 0, 0), (1, 1), 1)),
        ((24, 24, 3, 3), ((2, 1), (0, 0, 0, 0), (1, 1), 1)),
        ((24, 24, 3, 3), ((1, 1), (0, 3, 0, 0), (1, 1), 1)),
        ((24, 24, 3, 3), ((1, 1), (0, 0, 0, 0), (1, 2), 1)),
        ((48, 24, 3, 3), ((1, 1), (0, 0, 0, 0), (1, 1), 2)),
    ],
)
def test_other_convolutions_are_left_alone(shape: tuple[int, ...], settings: tuple[object, ...]) -> None:
    assert not winograd.applies(np.zeros(shape), ConvParams(*settings))


def test_an_empty_batch_changes_nothing() -> None:
    dw = np.full((24, 24, 3, 3), np.nan)
    conv.grad_weight(dw, np.zeros((0, 24, 5, 5)), np.zeros((0, 24, 3, 3)), ConvParams())
    assert (dw == 0).all()


def borrow_one(found: Array, taken: Array) -> None:
    found[0] = borrow(taken)


def give_back_one(taken: Array, piece: int) -> None:
    give_back(taken, piece)


def test_a_piece_of_scratch_memory_is_borrowed_by_one_share_at_a_time() -> None:
    take, give = jit.kernel(borrow_one, cache=False), jit.kernel(give_back_one, cache=False)
    memory, taken = pieces(2, 5, np.dtype(np.float32))
    assert memory.shape == (2, 5)
    found = np.empty(1, np.int64)
    for expected in (0, 1):
        take(found, taken)
        assert found[0] == expected
    with pytest.raises(RuntimeError, match="no scratch memory"):
        take(found, taken)
    give(taken, 0)
    take(found, taken)
    assert found[0] == 0


def test_all_pieces_come_back() -> None:
    x, w = np.ones((9, 32, 12, 12), np.float32), np.ones((32, 32, 3, 3), np.float32)
    kept = []
    made = pieces

    def noted(*given: object) -> tuple[Array, Array]:
        kept.append(made(*given))
        return kept[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("minitorch.fast_ops.convolution.scratch.pieces", noted)
        assert winograd.forward(np.empty_like(x), x, w, (1, 1, 1, 1), np.zeros(32, np.float32), operators.id)
    ((memory, taken),) = kept
    assert not taken.any()
    assert len(memory) == len(taken) <= threads.thread_count()


@pytest.mark.parametrize("weight_grad", [False, True])
@pytest.mark.parametrize("batch", [1, 2, 3, 7, 64, 128, 130])
@pytest.mark.parametrize("size", [4, 8, 16, 32, 57])
def test_groups_of_images_are_even(size: int, batch: int, weight_grad: bool) -> None:
    """A group computes tiles for all images that it could hold, so few places may stay empty."""
    layout = Launch(batch, 32, 32, size, size, (1, 1), 4, weight_grad).layout
    places = 0
    for share in range(layout.shares):
        images = (share + 1) * batch // layout.shares - share * batch // layout.shares
        places += -(-images // layout.group_images) * layout.group_images
    assert batch <= places
    assert layout.shares <= batch
    assert places <= batch + max(layout.shares, batch // 8)
