"""What the comparisons with PyTorch share: dice for shapes and settings, places to run at, and one comparer.

`tests/nn/test_differential_layers.py`, `..._losses.py` and `..._optim.py` draw their cases with it. PyTorch computes in
float64 at the very numbers the case has, so that in float32, too, only our rounding is on trial.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Tensor
from minitorch.fast_ops import jit

from .op_table import BACKENDS, LAYOUTS, laid

torch = pytest.importorskip("torch", reason="the reference is PyTorch")

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
Settings = dict[str, Any]
TOLERANCE = {"float64": 1e-9, "float32": 1e-4}


class Dice(random.Random):
    """Draws shapes and settings; the same for the same words."""

    def __init__(self, *words: object) -> None:
        super().__init__(" ".join(map(str, words)))

    def flag(self, chance: float = 0.5) -> bool:
        return self.random() < chance

    def size(self, most: int) -> int:
        """Return a size, often 1."""
        return 1 if self.flag(0.2) else self.randint(1, most)

    def sizes(self, least: int, most: int, limit: int) -> Shape:
        """Return between ``least`` and ``most`` sizes."""
        return tuple(self.size(limit) for _ in range(self.randint(least, most)))

    def pair(self, low: int, high: int) -> int | Shape:
        """Return a number, or one each for height and width."""
        number = self.randint(low, high)
        return number if self.flag() else (number, self.randint(low, high))

    def some(self, **settings: Any) -> Settings:
        """Return some of the settings; the others keep their defaults."""
        return {name: value for name, value in settings.items() if self.flag()}


@dataclass(frozen=True)
class Place:
    """Where a case runs: its backend, dtype and layout of tensors, and the largest size to draw."""

    seed: int
    backend: str
    dtype: str
    layout: str
    limit: int

    def __str__(self) -> str:
        return f"{self.seed},{self.backend},{self.dtype},{self.layout}"

    def rng(self) -> np.random.Generator:
        """Return the source of the numbers in tensors."""
        return np.random.default_rng([self.seed, len(self.backend), len(self.layout)])

    def settle(self) -> None:
        """Make backend and dtype the defaults."""
        minitorch.set_default_backend(self.backend)
        minitorch.set_default_dtype(self.dtype)

    def leaf(self, elements: Array) -> Tensor:
        """Make a leaf in the case's backend, dtype and layout."""
        return laid(elements, self.layout, self.backend, self.dtype)

    def agree(self, what: str, found: Any, expected: Any) -> None:
        """Insist on shape and numbers, relative to the largest one (in float32, of at least 1: terms may cancel)."""
        ours, reference = np.asarray(found), np.asarray(expected.detach())
        assert ours.shape == reference.shape, f"{what}: shape {ours.shape}, expected {reference.shape}"
        scale = max(0.01 if self.dtype == "float64" else 1.0, float(np.abs(reference).max(initial=0.0)))
        atol = TOLERANCE[self.dtype] * scale
        np.testing.assert_allclose(ours, reference, rtol=0, atol=atol, err_msg=what)


def places(count: int) -> Iterable[Place]:
    """Yield places, all combinations in turn; where nothing is compiled shapes are tiny."""
    for k in range(count):
        backend, dtype = BACKENDS[k % 2], ("float64", "float32")[k // 2 % 2]
        tiny = backend == "simple" or jit.disabled()
        yield Place(k, backend, dtype, LAYOUTS[k // 4 % 3], 3 if tiny else (4, 8, 16)[k // 12 % 3])


def shown(value: Any) -> str:
    """Return a setting for the name of a case."""
    if callable(value):
        return "fn"
    if isinstance(value, list) and value and isinstance(value[0], tuple):  # layers of a stack
        return ">".join(name for name, _ in value)
    if isinstance(value, list | tuple):
        return f"({','.join(map(shown, value))})"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def told(settings: Settings) -> str:
    """Return settings for the name of a case."""
    return ",".join(f"{name}={shown(value)}" for name, value in settings.items())


def by_x(shape: Shape) -> str:
    """Return a shape for the name of a case."""
    return "x".join(map(str, shape)) or "scalar"


def by_name(package: Any, name: str, settings: Settings) -> Any:
    """Make a layer, of minitorch or of torch.nn."""
    return getattr(package, name)(**settings)


@dataclass(frozen=True)
class Row:
    """A layer or a loss.

    Attributes:
        name: Of the class or function, there and here.
        draw: Gives settings and an input's shape.
        build: Makes a layer of either package.
        ties: Whether equal elements and exact zeros are worth trying.
        modes: The ways through a layer that may be taken one after the other, or a loss's reductions.
        note: Tells rows of one name apart.
    """

    name: str
    draw: Callable[[Dice, int], tuple[Settings, Shape]]
    build: Callable[[Any, str, Settings], Any] = by_name
    ties: bool = False
    modes: Sequence[Sequence[str]] = (("train",), ("eval",))
    note: str = ""


@dataclass(frozen=True)
class Case:
    """A row with settings, at a place."""

    row: Row
    place: Place
    settings: Settings
    shape: Shape
    ways: Sequence[str]

    def __str__(self) -> str:
        name = f"{self.row.name} {self.row.note}".strip()
        return f"{name}-{self.place}-{'+'.join(self.ways)}-{by_x(self.shape)}-{told(self.settings)}"


def cases(rows: Sequence[Row], count: int) -> list[Any]:
    """Draw ``count`` cases of each row, named by what was drawn."""
    found = []
    for row in rows:
        for place in places(count):
            d = Dice(row.name, row.note, place.seed)
            settings, shape = row.draw(d, place.limit)
            case = Case(row, place, settings, shape, d.choice(row.modes))
            found.append(pytest.param(case, id=str(case)))
    return found


def reference_leaf(elements: Array) -> Any:
    """Return PyTorch's leaf: the case's numbers, in float64."""
    return torch.tensor(elements.astype(np.float64), requires_grad=True)


def test_all_combinations_come_in_turn() -> None:
    seen = {(place.backend, place.dtype, place.layout) for place in places(12)}
    assert len(seen) == len(BACKENDS) * len(TOLERANCE) * len(LAYOUTS)
    limits = {place.limit for place in places(36) if place.backend == "fast"}
    assert limits == ({3} if jit.disabled() else {4, 8, 16})


def test_the_same_words_give_the_same_draws() -> None:
    first, again, other = (
        [d.sizes(5, 5, 99) for _ in range(3)] for d in (Dice("a", 1), Dice("a", 1), Dice("a", 2))
    )
    assert first == again != other


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_a_small_difference_and_a_wrong_shape_are_noticed(dtype: str) -> None:
    place = Place(0, "fast", dtype, "packed", 4)
    elements = np.array([1.0, -2.0, 1e-9])
    place.agree("equal", elements * (1 + TOLERANCE[dtype] / 3), torch.tensor(elements))
    for wrong in (
        elements * (1 + 3 * TOLERANCE[dtype]),
        elements[:2],
        elements[:, None],
        [1.0, -2.0, np.nan],
    ):
        with pytest.raises(AssertionError, match="the gradient"):
            place.agree("the gradient", wrong, torch.tensor(elements))
