"""What the comparisons with PyTorch share: a sampler of shapes and settings, configurations, and one comparison.

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

from .op_table import BACKENDS, LAYOUTS, in_layout

torch = pytest.importorskip("torch", reason="the reference is PyTorch")

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
Settings = dict[str, Any]
TOLERANCE = {"float64": 1e-9, "float32": 1e-4}


class Sampler(random.Random):
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
class Config:
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
        return in_layout(elements, self.layout, self.backend, self.dtype)

    def agree(self, what: str, found: Any, expected: Any) -> None:
        """Insist on shape and numbers, relative to the largest one (in float32, of at least 1: terms may cancel)."""
        ours, reference = np.asarray(found), np.asarray(expected.detach())
        assert ours.shape == reference.shape, f"{what}: shape {ours.shape}, expected {reference.shape}"
        scale = max(0.01 if self.dtype == "float64" else 1.0, float(np.abs(reference).max(initial=0.0)))
        atol = TOLERANCE[self.dtype] * scale
        np.testing.assert_allclose(ours, reference, rtol=0, atol=atol, err_msg=what)


def configs(count: int) -> Iterable[Config]:
    """Yield configurations, all combinations in turn; where nothing is compiled shapes are tiny."""
    for k in range(count):
        backend, dtype = BACKENDS[k % 2], ("float64", "float32")[k // 2 % 2]
        tiny = backend == "simple" or jit.disabled()
        yield Config(k, backend, dtype, LAYOUTS[k // 4 % 3], 3 if tiny else (4, 8, 16)[k // 12 % 3])


def label(value: Any) -> str:
    """Return a setting for the name of a case."""
    if callable(value):
        return "fn"
    if isinstance(value, list) and value and isinstance(value[0], tuple):  # layers of a stack
        return ">".join(name for name, _ in value)
    if isinstance(value, list | tuple):
        return f"({','.join(map(label, value))})"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def settings_label(settings: Settings) -> str:
    """Return settings for the name of a case."""
    return ",".join(f"{name}={label(value)}" for name, value in settings.items())


def shape_label(shape: Shape) -> str:
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
    draw: Callable[[Sampler, int], tuple[Settings, Shape]]
    build: Callable[[Any, str, Settings], Any] = by_name
    ties: bool = False
    modes: Sequence[Sequence[str]] = (("train",), ("eval",))
    note: str = ""


@dataclass(frozen=True)
class Case:
    """A row with settings, in a configuration."""

    row: Row
    config: Config
    settings: Settings
    shape: Shape
    ways: Sequence[str]

    def __str__(self) -> str:
        name = f"{self.row.name} {self.row.note}".strip()
        return f"{name}-{self.config}-{'+'.join(self.ways)}-{shape_label(self.shape)}-{settings_label(self.settings)}"


def cases(rows: Sequence[Row], count: int) -> list[Any]:
    """Draw ``count`` cases of each row, named by what was drawn."""
    found = []
    for row in rows:
        for config in configs(count):
            d = Sampler(row.name, row.note, config.seed)
            settings, shape = row.draw(d, config.limit)
            case = Case(row, config, settings, shape, d.choice(row.modes))
            found.append(pytest.param(case, id=str(case)))
    return found


def reference_leaf(elements: Array) -> Any:
    """Return PyTorch's leaf: the case's numbers, in float64."""
    return torch.tensor(elements.astype(np.float64), requires_grad=True)
