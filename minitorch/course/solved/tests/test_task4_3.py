"""Task 4.3: average pooling."""

import pytest
from hypothesis import given
from hypothesis.strategies import data

import minitorch
from minitorch import FastBackend, tensor

from .helpers import close, same
from .tensor_helpers import all_indices, few, tensors

pytestmark = pytest.mark.task4_3


def test_tile() -> None:
    grid = [[float(4 * i + j + 1) for j in range(4)] for i in range(4)]
    tiles, height, width = minitorch.tile(tensor([[grid]], backend=FastBackend), (2, 2))
    same((tuple(tiles.shape), height, width), ((1, 1, 2, 2, 4), 2, 2), "shape, height and width of the tiles")
    got = [tiles[0, 0, 0, 0, k] for k in range(4)]
    same(got, [1.0, 2.0, 5.0, 6.0], "the first tile of 2 by 2 of 1 to 16")
    tiles, _, _ = minitorch.tile(tensor([[grid]], backend=FastBackend), (1, 2))
    same([tiles[0, 0, 0, 1, k] for k in range(2)], [3.0, 4.0], "the second tile of 1 by 2 of 1 to 16")


@pytest.mark.parametrize("kernel", [(2, 2), (2, 1), (1, 2)])
@few
@given(data())
def test_average(kernel: tuple[int, int], data: object) -> None:
    t = data.draw(tensors(FastBackend, shape=(1, 2, 4, 4)))
    got = minitorch.avgpool2d(t, kernel)
    same(tuple(got.shape), (1, 2, 4 // kernel[0], 4 // kernel[1]), f"shape for tiles of {kernel}")
    for n, c, y, x in all_indices(got.shape):
        tile = [t[n, c, y * kernel[0] + i, x * kernel[1] + j] for i, j in all_indices(kernel)]
        close(got[n, c, y, x], sum(tile) / len(tile), f"average of {tile}")


@few
@given(data())
def test_gradient(data: object) -> None:
    minitorch.grad_check(
        lambda t: minitorch.avgpool2d(t, (2, 2)), data.draw(tensors(FastBackend, shape=(1, 1, 4, 4)))
    )
