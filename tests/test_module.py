"""Module trees, parameters, buffers and their state, with stand-in values: no real tensor is needed."""

from __future__ import annotations

import copy
import functools
import pickle
from typing import Any

import numpy as np
import pytest

from minitorch.module import Module, Parameter


class Value:
    """What a Tensor offers to a module."""

    def __init__(self, elements: Any, dtype: str = "float64", backend: str = "simple") -> None:
        self.elements = np.array(elements, dtype=dtype)
        self.backend = backend
        self.grad: Any = None
        self.name: str | None = None
        self.flag = False

    @property
    def shape(self) -> tuple[int, ...]:
        return self.elements.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.elements.dtype

    def requires_grad_(self, flag: bool = True) -> Value:
        self.flag = flag
        return self

    def requires_grad(self) -> bool:
        return self.flag

    def zero_grad_(self) -> None:
        self.grad = None

    def to_numpy(self) -> np.ndarray[Any, Any]:
        return self.elements.copy()

    def copy_(self, array: Any) -> Value:
        assert array.shape == self.shape
        self.elements[...] = array
        return self

    def to(self, backend: str) -> Value:
        return self if backend == self.backend else Value(self.elements, str(self.dtype), backend)

    def astype(self, dtype: Any) -> Value:
        return Value(self.elements, dtype, self.backend)

    def __getitem__(self, key: Any) -> float:
        return float(self.elements[key])

    def __setitem__(self, key: Any, element: float) -> None:
        self.elements[key] = element

    def __repr__(self) -> str:
        return f"Value({self.elements.tolist()})"

    def __str__(self) -> str:
        return "a value"


class Number:
    """What a Scalar offers to a module: it has no shape."""

    def __init__(self, x: float) -> None:
        self.x = x

    def requires_grad_(self, flag: bool = True) -> Number:
        return self

    def to_numpy(self) -> np.ndarray[Any, Any]:
        return np.array(self.x)

    def copy_(self, array: Any) -> Number:
        self.x = float(array)
        return self


class Leaf(Module):
    def __init__(self, start: float = 0.0, name: str = "leaf") -> None:
        super().__init__()
        self.weight = Parameter(Value([[start, 1.0, 2.0], [3.0, 4.0, 5.0]]))
        self.bias = Parameter(Value([start, 1.0], dtype="float32"))
        self.register_buffer("mean", Value([0.5, start]))
        self.register_buffer("count", np.array(7))
        self.label = name

    def forward(self, x: float, *, scale: float = 2.0) -> float:
        return x * scale


class Tree(Module):
    def __init__(self, start: float = 0.0) -> None:
        super().__init__()
        self.first = Leaf(start)
        self.own = Parameter(Number(start))
        self.second = Leaf(start + 1.0, name="right")
        self.extra = 10


NAMES = ["own", "first.weight", "first.bias", "second.weight", "second.bias"]
STATE = [
    "own",
    *("first." + k for k in ("weight", "bias", "mean", "count")),
    *("second." + k for k in ("weight", "bias", "mean", "count")),
]


# Parameters


@pytest.mark.task0_4
def test_parameter_of_any_value() -> None:
    assert Parameter().value is None
    p = Parameter("seven", name="p")
    assert p.value == "seven"
    assert p.name == "p"
    assert repr(p) == "'seven'"
    assert str(p) == "seven"


@pytest.mark.task0_4
def test_parameter_makes_its_value_require_a_gradient() -> None:
    first, second = Value([1.0]), Value([2.0])
    p = Parameter(first, name="p")
    assert (first.flag, first.name) == (True, "p")
    p.update(second)
    assert p.value is second
    assert (second.flag, second.name) == (True, "p")


@pytest.mark.task0_4
def test_parameter_without_name_leaves_the_name() -> None:
    value = Value([1.0])
    value.name = "mine"
    assert Parameter(value).value.name == "mine"
    assert Parameter(Number(1.0), "n").value.name == "n"  # a value need not have a name before


@pytest.mark.task0_4
def test_parameter_reaches_through() -> None:
    p = Parameter(Value([1.0, 2.0]))
    assert p.shape == (2,)
    assert p.grad is None
    p.value.grad = "gradient"
    assert p.grad == "gradient"
    p[1] = 5.0
    assert p[1] == 5.0
    assert repr(p) == "Value([1.0, 5.0])"
    assert str(p) == "a value"


# The tree


@pytest.mark.task0_4
def test_names_and_counts() -> None:
    tree = Tree()
    assert [name for name, _ in tree.named_parameters()] == NAMES
    assert tree.parameters() == [
        tree.own,
        tree.first.weight,
        tree.first.bias,
        tree.second.weight,
        tree.second.bias,
    ]
    assert dict(tree.named_parameters())["second.bias"] is tree.second.bias
    assert tree.modules() == tree.children() == [tree.first, tree.second]
    assert list(tree._modules) == ["first", "second"]
    assert list(tree._parameters) == ["own"]
    assert Module().parameters() == Module().modules() == Module().buffers() == []


@pytest.mark.task0_4
def test_deep_trees() -> None:
    top = node = Module()
    for depth in range(5):
        node.add_parameter("p", Value([depth]))
        node.child = Module()
        node = node.child
    assert [name for name, _ in top.named_parameters()] == ["child." * depth + "p" for depth in range(5)]


@pytest.mark.task0_4
def test_add_parameter() -> None:
    module = Module()
    p = module.add_parameter("weight_0", Value([1.0]))
    assert isinstance(p, Parameter)
    assert module.weight_0 is p
    assert p.value.name == p.name == "weight_0"
    assert module.parameters() == [p]


@pytest.mark.task0_4
def test_shared_things_appear_once() -> None:
    top = Module()
    top.a = Leaf()
    top.b = top.a
    top.tied = top.a.weight
    assert [name for name, _ in top.named_parameters()] == ["tied", "a.bias"]
    assert [name for name, _ in top.named_buffers()] == ["a.mean", "a.count"]
    state = top.state_dict()
    assert {"tied", "a.weight", "b.weight"} < set(state)
    assert Module.load_state_dict(top, state) == ([], [])


@pytest.mark.task0_4
def test_train_and_eval_reach_all() -> None:
    tree = Tree()
    everyone = [tree, tree.first, tree.second]
    assert all(m.training and m.mode == "train" for m in everyone)
    assert tree.eval() is tree
    assert all(not m.training and m.mode == "eval" for m in everyone)
    assert tree.train() is tree
    assert all(m.training for m in everyone)
    assert not tree.train(False).second.training


@pytest.mark.task0_4
def test_train_asks_the_children() -> None:
    class Frozen(Module):
        def train(self, mode: bool = True) -> Frozen:
            return super().train(False)

    top = Module()
    top.frozen = Frozen()
    top.train()
    assert top.training
    assert not top.frozen.training


@pytest.mark.task0_4
def test_own_attribute_mode_wins() -> None:
    class Pool(Module):
        def __init__(self) -> None:
            super().__init__()
            self.mode = "max"

    pool = Pool().eval()
    assert pool.mode == "max"
    assert not pool.training
    del pool.mode
    assert pool.mode == "eval"


@pytest.mark.task0_4
def test_call_runs_forward() -> None:
    assert Leaf()(3.0) == 6.0
    assert Leaf()(3.0, scale=5.0) == 15.0


@pytest.mark.task0_4
def test_call_without_forward() -> None:
    with pytest.raises(NotImplementedError, match="Tree"):
        Tree()(1.0)


@pytest.mark.task0_4
def test_missing_attribute() -> None:
    with pytest.raises(AttributeError, match="Tree has no attribute 'third'"):
        Tree().third  # noqa: B018


@pytest.mark.parametrize("value", [Parameter(1.0), Module()], ids=["parameter", "module"])
def test_before_init(value: Any) -> None:
    class Hasty(Module):
        def __init__(self) -> None:
            self.setting = 3
            self.part = value

    with pytest.raises(AttributeError, match=r"Hasty.part: call super\(\).__init__\(\) before"):
        Hasty()
    hasty = Hasty.__new__(Hasty)
    hasty.setting = 3
    assert hasty.setting == 3
    for attribute in ("training", "mode", "part"):
        with pytest.raises(AttributeError, match=r"was super\(\).__init__\(\) called"):
            getattr(hasty, attribute)
    with pytest.raises(AttributeError, match="__init__"):
        hasty.register_buffer("b", np.zeros(1))


def test_a_module_cannot_contain_itself() -> None:
    tree = Tree()
    with pytest.raises(ValueError, match=r"Leaf\.parent: a module cannot contain itself"):
        tree.first.parent = tree
    with pytest.raises(ValueError, match="contain itself"):
        tree.again = tree
    assert [name for name, _ in tree.named_parameters()] == NAMES


def test_one_name_means_one_thing() -> None:
    module = Module()
    things: list[Any] = [Parameter(1.0), Module(), 3, Parameter(2.0), None, Module()]
    for thing in things:
        module.x = thing
        assert module.x is thing
        assert module.parameters() == ([thing] if isinstance(thing, Parameter) else [])
        assert module.modules() == ([thing] if isinstance(thing, Module) else [])
    module.register_buffer("x", np.zeros(2))
    assert module.modules() == []
    assert module.named_buffers() == [("x", module.x)]


def test_delete() -> None:
    tree = Tree()
    del tree.own, tree.first, tree.extra, tree.second.mean
    assert [name for name, _ in tree.named_parameters()] == NAMES[3:]
    assert [name for name, _ in tree.named_buffers()] == ["second.count"]
    for gone in ("own", "first", "extra"):
        with pytest.raises(AttributeError, match=gone):
            delattr(tree, gone)


def test_dir_lists_what_is_registered() -> None:
    assert {"weight", "bias", "mean", "count", "forward", "label"} <= set(dir(Leaf()))


@pytest.mark.task0_4
def test_repr() -> None:
    class Line(Module):
        def extra_repr(self) -> str:
            return "2, 3"

    assert repr(Module()) == "Module()"
    assert repr(Line()) == "Line(2, 3)"
    line, top = Line(), Tree()
    line.inner = Module()
    top.first.line = line
    expected = """\
Tree(
  (first): Leaf(
    (line): Line(
      2, 3
      (inner): Module()
    )
  )
  (second): Leaf()
)"""
    assert repr(top) == str(top) == expected


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_independent(twin: Any) -> None:
    tree = Tree()
    other = twin(tree)
    assert list(other.state_dict()) == STATE
    other.first.weight[0, 0] = 9.0
    other.eval()
    assert tree.first.weight[0, 0] == 0.0
    assert tree.training


# Buffers


def test_buffers() -> None:
    tree = Tree()
    assert [name for name, _ in tree.named_buffers()] == [n for n in STATE if n.endswith(("mean", "count"))]
    assert tree.buffers()[0] is tree.first.mean
    assert len(tree.buffers()) == 4
    mean = Value([1.0, 2.0])
    tree.first.mean = mean
    assert tree.buffers()[0] is tree.first.mean is mean
    assert not mean.flag
    assert tree.first.parameters() == [tree.first.weight, tree.first.bias]


def test_counting_buffer_stays_an_array() -> None:
    leaf = Leaf()
    leaf.count = leaf.count + 1
    leaf.count += 1
    assert isinstance(leaf.count, np.ndarray)
    assert leaf.count.shape == ()
    assert leaf.count == 9
    assert leaf.state_dict()["count"].dtype == np.int64


@pytest.mark.parametrize("value", [None, "text", object()], ids=["none", "text", "object"])
def test_buffers_are_numbers(value: Any) -> None:
    leaf = Leaf()
    with pytest.raises(TypeError, match="other holds"):
        leaf.register_buffer("other", value)
    with pytest.raises(TypeError, match="count holds"):
        leaf.count = value
    assert leaf.count == 7


# State


def test_state_dict() -> None:
    tree = Tree(4.0)
    state = tree.state_dict()
    assert list(state) == STATE
    assert all(type(array) is np.ndarray for array in state.values())
    assert state["own"].shape == ()
    assert state["own"] == 4.0
    assert state["first.bias"].dtype == np.float32
    np.testing.assert_array_equal(state["second.weight"], [[5.0, 1.0, 2.0], [3.0, 4.0, 5.0]])


def test_state_is_a_copy() -> None:
    tree = Tree()
    state = tree.state_dict()
    for array in state.values():
        array[...] = 99
    assert all((array != 99).all() for array in tree.state_dict().values())


def test_round_trip_in_place() -> None:
    source, target = Tree(4.0), Tree()
    source.first.count = 3
    values = [p.value for p in target.parameters()]
    count = target.first.count
    assert target.load_state_dict(source.state_dict()) == ([], [])
    for name, array in target.state_dict().items():
        np.testing.assert_array_equal(array, source.state_dict()[name])
        assert array.dtype == source.state_dict()[name].dtype
    assert all(p.value is value for p, value in zip(target.parameters(), values))
    assert target.first.count is count


def test_load_lists_values_and_other_dtypes() -> None:
    leaf = Leaf()
    leaf.load_state_dict(
        {
            "weight": [[1, 2, 3], [4, 5, 6]],
            "bias": Value([0.5, 0.25]),
            "mean": np.array([1, 2], dtype=np.int32),
            "count": 5.0,
        }
    )
    assert leaf.weight[1, 2] == 6.0
    assert leaf.bias.value.dtype == np.float32
    assert leaf.bias[1] == 0.25
    assert leaf.mean.elements.tolist() == [1.0, 2.0]
    assert leaf.count.dtype == np.int64
    assert leaf.count == 5


def test_load_what_pytorch_saved() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    theirs = torch.nn.Linear(3, 2)
    ours = Module()
    ours.weight = Parameter(Value(np.zeros((2, 3)), dtype="float32"))
    ours.bias = Parameter(Value(np.zeros(2)))
    ours.load_state_dict(theirs.state_dict())
    np.testing.assert_array_equal(ours.weight.value.elements, theirs.weight.detach().numpy())
    np.testing.assert_array_equal(ours.bias.value.elements, theirs.bias.detach().numpy())


def test_mismatch_lists_everything_and_loads_nothing() -> None:
    tree = Tree()
    before = tree.state_dict()
    state = Tree(4.0).state_dict()
    del state["own"], state["first.mean"]
    state["third.weight"] = state["first.weight"]
    state["other"] = np.zeros(3)
    state["first.weight"] = state["first.weight"].T
    state["second.count"] = np.zeros(2)
    with pytest.raises(RuntimeError) as error:
        tree.load_state_dict(state)
    assert str(error.value).splitlines() == [
        "load_state_dict: the state does not fit Tree, nothing was loaded:",
        "  missing: own",
        "  missing: first.mean",
        "  unexpected: third.weight",
        "  unexpected: other",
        "  shape: first.weight is (2, 3) in the module, (3, 2) in the state",
        "  shape: second.count is () in the module, (2,) in the state",
    ]
    for name, array in tree.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_not_strict() -> None:
    tree = Tree()
    state = {"second.bias": [8.0, 9.0], "other": [1.0]}
    missing, unexpected = tree.load_state_dict(state, strict=False)
    assert missing == [name for name in STATE if name != "second.bias"]
    assert unexpected == ["other"]
    assert tree.second.bias[1] == 9.0
    with pytest.raises(
        RuntimeError, match=r"shape: second.bias is \(2,\) in the module, \(1,\) in the state"
    ):
        tree.load_state_dict({"own": 5.0, "second.bias": [8.0]}, strict=False)
    assert tree.own.value.x == 0.0


def test_one_element_is_not_a_scalar() -> None:
    tree = Tree()
    with pytest.raises(RuntimeError, match=r"own is \(\) in the module, \(1,\)"):
        tree.load_state_dict({"own": [5.0]}, strict=False)


def test_entries_must_be_numbers() -> None:
    tree = Tree()
    with pytest.raises(TypeError, match=r"second.bias holds a list"):
        tree.load_state_dict({"own": 5.0, "second.bias": ["a", "b"]}, strict=False)
    assert tree.own.value.x == 0.0
    tree.own.update(None)
    with pytest.raises(TypeError, match="own holds a NoneType"):
        tree.state_dict()


def test_plain_numbers_have_a_state() -> None:
    module = Module()
    module.a = Parameter(1)
    module.b = Parameter([0.5, 1.5])
    assert {name: array.tolist() for name, array in module.state_dict().items()} == {"a": 1, "b": [0.5, 1.5]}
    module.load_state_dict({"a": 2.0, "b": [3, 4]})
    assert module.a.value == 2
    assert type(module.a.value) is int
    assert module.b.value == [3.0, 4.0]


# Gradients and backends


def test_zero_grad() -> None:
    tree = Tree()
    tree.first.weight.value.grad = tree.second.bias.value.grad = "gradient"
    tree.zero_grad()
    assert all(p.grad is None for p in tree.first.parameters() + tree.second.parameters())


def test_to_dtype() -> None:
    tree = Tree(4.0)
    parameters, bias = tree.parameters(), tree.first.bias.value
    assert tree.to(dtype="float32") is tree
    assert tree.parameters() == parameters
    dtypes = {name: array.dtype.name for name, array in tree.state_dict().items()}
    assert dtypes.pop("own") == "float64"  # a Number has no other dtype
    assert dtypes.pop("first.count") == dtypes.pop("second.count") == "int64"
    assert set(dtypes.values()) == {"float32"}
    assert all(p.value.flag for p in tree.first.parameters())
    assert not tree.first.mean.flag
    assert tree.first.bias.value is bias  # it had that dtype before
    assert tree.first.weight[0, 0] == 4.0


def test_to_backend() -> None:
    tree = Tree()
    frozen = tree.add_parameter("frozen", Value([1.0]))
    frozen.value.requires_grad_(False)
    tree.to("fast", np.float32)
    values = [p.value for p in [*tree.first.parameters(), frozen]] + [tree.second.mean]
    assert all((value.backend, value.dtype) == ("fast", np.float32) for value in values)
    assert (frozen.value.flag, frozen.value.name) == (False, "frozen")
    assert tree.first.weight.value.flag
    held = tree.first.weight.value
    assert tree.to("fast").first.weight.value is held
    assert tree.to().first.weight.value is held


def test_an_error_within_a_property_is_the_one_that_is_reported() -> None:
    class Faulty(Module):
        @property
        def area(self) -> float:
            return self.width * 2.0  # there is no width

        @functools.cached_property
        def depth(self) -> float:
            return [1.0].first  # type: ignore[attr-defined]

    module = Faulty()
    with pytest.raises(AttributeError, match="Faulty has no attribute 'width'"):
        module.area  # noqa: B018
    with pytest.raises(AttributeError, match="'list' object has no attribute 'first'"):
        module.depth  # noqa: B018
    with pytest.raises(AttributeError, match="Faulty has no attribute 'height'"):
        module.height  # noqa: B018
