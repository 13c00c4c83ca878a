"""Task 0.4: the tree of modules."""

import pytest
from hypothesis import given
from hypothesis.strategies import integers

import minitorch

from .helpers import same

pytestmark = pytest.mark.task0_4


class Leaf(minitorch.Module):
    def __init__(self, value: float) -> None:
        super().__init__()
        self.weight = minitorch.Parameter(value)


class Tree(minitorch.Module):
    def __init__(self) -> None:
        super().__init__()
        self.own = minitorch.Parameter(1.0)
        self.left = Leaf(2.0)
        self.right = Leaf(3.0)
        self.right.below = Leaf(4.0)


def chain(length: int) -> minitorch.Module:
    """A module of ``length`` modules, one below the other."""
    found = Leaf(0.0)
    for i in range(1, length):
        above = Leaf(float(i))
        above.child = found
        found = above
    return found


def test_names() -> None:
    found = [name for name, _ in Tree().named_parameters()]
    same(
        sorted(found), ["left.weight", "own", "right.below.weight", "right.weight"], "names of the Parameters"
    )


def test_own_names_come_first() -> None:
    same(next(name for name, _ in Tree().named_parameters()), "own", "the first name")


def test_values() -> None:
    found = {name: p.value for name, p in Tree().named_parameters()}
    same(found.get("right.below.weight"), 4.0, "the value of right.below.weight")


def test_parameters() -> None:
    same(sorted(p.value for p in Tree().parameters()), [1.0, 2.0, 3.0, 4.0], "the values of the Parameters")


@given(integers(min_value=1, max_value=10))
def test_train_and_eval_reach_all(length: int) -> None:
    model = chain(length)
    for switch, expected in ((model.eval, False), (model.train, True)):
        switch()
        node, depth = model, 0
        while True:
            same(
                node.training,
                expected,
                f"training of the module {depth} levels below, after {switch.__name__}",
            )
            if not node.modules():
                break
            node, depth = node.modules()[0], depth + 1


@given(integers(min_value=1, max_value=10))
def test_count(length: int) -> None:
    same(len(chain(length).parameters()), length, f"number of Parameters of {length} modules")
