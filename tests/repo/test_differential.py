"""What the tests against PyTorch draw and compare: every combination comes, and a small difference is noticed."""

from __future__ import annotations

import numpy as np
import pytest

from minitorch.fast_ops import jit

from ..support.differential import TOLERANCE, Config, Sampler, configs, torch
from ..support.op_table import BACKENDS, LAYOUTS


def test_all_combinations_come_in_turn() -> None:
    seen = {(config.backend, config.dtype, config.layout) for config in configs(12)}
    assert len(seen) == len(BACKENDS) * len(TOLERANCE) * len(LAYOUTS)
    limits = {config.limit for config in configs(36) if config.backend == "fast"}
    assert limits == ({3} if jit.disabled() else {4, 8, 16})


def test_the_same_words_give_the_same_draws() -> None:
    first, again, other = (
        [d.sizes(5, 5, 99) for _ in range(3)] for d in (Sampler("a", 1), Sampler("a", 1), Sampler("a", 2))
    )
    assert first == again != other


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_a_small_difference_and_a_wrong_shape_are_noticed(dtype: str) -> None:
    config = Config(0, "fast", dtype, "packed", 4)
    elements = np.array([1.0, -2.0, 1e-9])
    config.agree("equal", elements * (1 + TOLERANCE[dtype] / 3), torch.tensor(elements))
    for wrong in (
        elements * (1 + 3 * TOLERANCE[dtype]),
        elements[:2],
        elements[:, None],
        [1.0, -2.0, np.nan],
    ):
        with pytest.raises(AssertionError, match="the gradient"):
            config.agree("the gradient", wrong, torch.tensor(elements))
