"""The check of a whole layer: right layers pass, each kind of wrong layer is caught, and nothing is left behind."""

from __future__ import annotations

import builtins
import importlib
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import (
    Conv2d,
    Dropout,
    Function,
    Linear,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
    Tensor,
    check_layer,
    cross_entropy,
)
from minitorch.cli import gradcheck

SCRIPT = Path(__file__).parents[2] / "project" / "gradient_checker.py"
GOOD: list[tuple[Any, tuple[int, ...]]] = [
    (Linear(30, 10), (8, 30)),
    (Conv2d(3, 6, 3, stride=2, padding=1), (2, 3, 6, 6)),
    (MaxPool2d(2, stride=2), (2, 3, 4, 4)),
    (ReLU(), (4, 30)),
    (minitorch.GELU("tanh"), (3, 4)),
    (minitorch.LeakyReLU(0.2), (3, 4)),
    (minitorch.BatchNorm1d(5), (6, 5)),
    (minitorch.BatchNorm2d(2, affine=False).eval(), (2, 2, 3, 3)),
    (minitorch.LayerNorm((3, 4), elementwise_affine=False), (2, 3, 4)),
    (minitorch.GroupNorm(2, 4), (2, 4, 3)),
    (Sequential(Linear(4, 6), minitorch.Tanh(), Linear(6, 2, bias=False)), (3, 4)),
    (Sequential({"body": Conv2d(1, 2, 2), "flat": minitorch.Flatten()}), (2, 1, 3, 3)),
]


class Square(Function):
    """A student's own function, its derivative off by ``error``."""

    error = 0.0

    @classmethod
    def forward(cls, ctx: Any, a: Any) -> Any:
        ctx.save_for_backward(a)
        return a * a

    @classmethod
    def backward(cls, ctx: Any, d: Any) -> Any:
        (a,) = ctx.saved_values
        return d * a * (2.0 + cls.error)


class WrongSquare(Square):
    error = 0.002


class Corner(Function):
    """The identity, whose derivative forgets the last element."""

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        return a * 1.0

    @staticmethod
    def backward(ctx: Any, d: Any) -> Any:
        short = d * 1.0
        short[tuple(n - 1 for n in short.shape)] = 0.0
        return short


class Scaled(Module):
    """Linear, with a weight whose derivative is lost on the way."""

    def __init__(self, lost: bool) -> None:
        super().__init__()
        self.inner = Linear(3, 2)
        self.scale = minitorch.Parameter(minitorch.tensor([2.0]))
        self.lost = lost

    def forward(self, x: Tensor) -> Tensor:
        out = self.inner(x)
        scale = self.scale.value.detach() if self.lost else self.scale.value
        return out * scale


@pytest.mark.parametrize("case", range(len(GOOD)))
def test_right_layers_pass(case: int) -> None:
    layer, shape = GOOD[case]
    rows = check_layer(layer, shape)
    names = [f"{n} gradient" for n, _ in layer.named_parameters()] if isinstance(layer, Module) else []
    assert [name for name, _ in rows] == ["output", "input gradient", *names]
    assert all(isinstance(error, float) and error < 1e-8 for _, error in rows), rows


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (minitorch.BatchNorm1d(5), (6, 5)),
        (minitorch.BatchNorm2d(3), (3, 3, 2, 4)),
        (minitorch.LayerNorm(5), (4, 5)),
        (minitorch.GroupNorm(2, 4), (2, 4, 3, 2)),
        (minitorch.Dropout(0.3), (4, 5)),
        (minitorch.Dropout2d(0.3), (2, 4, 2, 2)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_norms_and_dropout_in_both_modes(layer: Module, shape: tuple[int, ...], training: bool) -> None:
    rows = check_layer(layer.train() if training else layer.eval(), shape)
    assert all(error < 1e-8 for _, error in rows), rows


@pytest.mark.parametrize("case", range(len(GOOD)))
def test_right_layers_pass_before_pytorch(case: int) -> None:
    pytest.importorskip("torch")
    layer, shape = GOOD[case]
    rows = check_layer(layer, shape, against="torch")
    names = [f"{n} gradient" for n, _ in layer.named_parameters()] if isinstance(layer, Module) else []
    assert [name for name, _ in rows] == ["output", "input gradient", *names]
    assert all(error < 1e-12 for _, error in rows), rows


def test_a_derivative_off_by_a_thousandth_is_caught() -> None:
    assert dict(check_layer(Square(), (3, 4)))["input gradient"] < 1e-8
    assert dict(check_layer(WrongSquare(), (3, 4)))["input gradient"] > 1e-4


@pytest.mark.parametrize("shape", [(3, 4), (40, 50)])
def test_one_wrong_element_is_caught_also_where_elements_are_sampled(shape: tuple[int, ...]) -> None:
    assert dict(check_layer(Corner(), shape))["input gradient"] > 1e-6


def test_a_lost_parameter_gradient_is_caught() -> None:
    assert all(error < 1e-8 for _, error in check_layer(Scaled(False), (4, 3)))
    errors = dict(check_layer(Scaled(True), (4, 3)))
    assert errors["scale gradient"] > 0.1
    assert errors["input gradient"] < 1e-8
    assert errors["inner.weight gradient"] < 1e-8


def test_a_wrong_layer_is_caught_by_pytorch() -> None:
    nn = pytest.importorskip("torch").nn

    class Linear(minitorch.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * 1.001

    wrong = dict(check_layer(Linear(3, 2), (4, 3), against="torch"))
    assert all(error > 1e-5 for error in wrong.values()), wrong
    assert all(error < 1e-8 for _, error in check_layer(Linear(3, 2), (4, 3))), "differences cannot see it"
    other = dict(check_layer(Conv2d(2, 2, 3, padding=1), (1, 2, 4, 4), against=nn.Conv2d(2, 2, 3, 1, 1)))
    assert all(error < 1e-12 for error in other.values())
    slow = dict(check_layer(MaxPool2d(2), (1, 2, 4, 4), against=nn.AvgPool2d(2)))
    assert slow["output"] > 0.1
    with pytest.raises(AssertionError, match=r"output has shape \(1, 2, 2, 2\) here, \(1, 2, 3, 3\)"):
        check_layer(MaxPool2d(2), (1, 2, 4, 4), against=nn.MaxPool2d(2, 1))


def test_several_inputs_and_functions() -> None:
    rows = check_layer(lambda a, b: a @ b, (3, 4), (4, 2))
    assert [name for name, _ in rows] == ["output", "input 0 gradient", "input 1 gradient"]
    assert all(error < 1e-8 for _, error in rows)
    here = minitorch.tensor([[2.0]], "fast")
    assert [name for name, _ in check_layer(lambda a: a * here, (3, 4))] == ["input gradient"]
    torch = pytest.importorskip("torch")
    rows = check_layer(lambda a, b: a @ b, (3, 4), (4, 2), against=torch.matmul)
    assert [name for name, _ in rows] == ["output", "input 0 gradient", "input 1 gradient"]
    assert all(error < 1e-12 for _, error in rows)
    labels = [0, 4, 2]
    rows = check_layer(
        lambda x: cross_entropy(x, labels),
        (3, 5),
        against=lambda x: torch.nn.functional.cross_entropy(x, torch.tensor(labels)),
    )
    assert all(error < 1e-12 for _, error in rows)


def test_random_layers_draw_the_same_each_time() -> None:
    assert all(error < 1e-8 for _, error in check_layer(Sequential(Linear(4, 5), Dropout(0.5)), (6, 4)))


def test_everything_stays_as_it_is() -> None:
    minitorch.set_default_dtype("float32")
    layer = Sequential(Linear(3, 4), Dropout(0.5), Linear(4, 2))
    layer(minitorch.rand((2, 3))).sum().backward()
    before, gradients = layer.state_dict(), [p.grad.to_numpy() for p in layer.parameters()]
    values, state = [p.value for p in layer.parameters()], random.getstate()
    assert all(error < 1e-8 for _, error in check_layer(layer, (5, 3)))
    assert random.getstate() == state
    assert all(p.value is value for p, value in zip(layer.parameters(), values))
    for p, grad in zip(layer.parameters(), gradients):
        assert p.value.dtype == "float32"
        np.testing.assert_array_equal(p.grad.to_numpy(), grad)
    for key, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[key])
    assert layer.training


def test_seed() -> None:
    layer = Linear(3, 2)
    assert check_layer(layer, (4, 3), seed=1) == check_layer(layer, (4, 3), seed=1)
    assert check_layer(layer, (4, 3), seed=1) != check_layer(layer, (4, 3), seed=2)


@pytest.mark.parametrize("backend", ["simple", "fast"])
def test_in_the_backend_of_the_layer(backend: str) -> None:
    layer = Linear(3, 2).to(backend)
    assert all(error < 1e-8 for _, error in check_layer(layer, (2, 3)))


def test_frozen_parameters_are_not_checked() -> None:
    layer = Linear(3, 2)
    layer.weight.value.requires_grad_(False)
    assert [name for name, _ in check_layer(layer, (2, 3))] == ["output", "input gradient", "bias gradient"]


def test_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="at least one input"):
        check_layer(Linear(3, 2))
    with pytest.raises(ValueError, match=r"expected against .* got 'jax'"):
        check_layer(Linear(3, 2), (1, 3), against="jax")
    with pytest.raises(TypeError, match="got a tuple"):
        check_layer(lambda x: (x, x), (1, 3))
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="needs PyTorch: pip install torch"):
        check_layer(Linear(3, 2), (1, 3), against="torch")


def test_a_layer_that_pytorch_lacks() -> None:
    pytest.importorskip("torch")
    for layer in (Scaled(False), Square(), lambda x: x, Sequential(Linear(3, 3), Scaled(False))):
        with pytest.raises(ValueError, match=r"torch\.nn has no layer"):
            check_layer(layer, (4, 3), against="torch")


@pytest.fixture
def checker(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    monkeypatch.delitem(sys.modules, "gradient_checker", raising=False)
    module = importlib.import_module("gradient_checker")
    yield module
    del sys.modules["gradient_checker"]


def test_the_script_passes(checker: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert checker.main([]) == 0
    table = capsys.readouterr().out
    for word in ("Linear(30, 10)", "Conv2d(3, 6, 3", "MaxPool2d(2, 2)", "ReLU()", "cross_entropy, 3x5"):
        assert word in table
    assert "bias gradient" in table
    assert "TOO LARGE" not in table


def test_the_script_checks_any_layer(checker: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert checker.main(["--layer", "Conv2d(3, 6, 3)", "--shape", "2,3,5,5"]) == 0
    assert checker.main(["--layer", "Sequential(Linear(3, 4), ReLU(), Exp())", "--shape", "2,3"]) == 0
    assert checker.main(["--layer", "MatMul()", "--shape", "2,3", "--shape", "3,4"]) == 0
    assert "input 1 gradient" in capsys.readouterr().out


def test_the_script_fails_by_exit_status(
    checker: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(gradcheck.LAYERS, "WrongSquare", WrongSquare)
    assert checker.main(["--layer", "WrongSquare()", "--shape", "2,3"]) == 1
    assert "TOO LARGE" in capsys.readouterr().out
    assert checker.main(["--layer", "WrongSquare()", "--shape", "2,3", "--tolerance", "1"]) == 0


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "Linear(open('x'), 3)",
        "Linear(3, 2).forward(1)",
        "Linear(3, 2, bias=x)",
        "Linear(**{'in_features': 3})",
        "tensor(3)",
        "Module",
        "Linear(3",
        "Linear(3)",
        "",
    ],
)
def test_the_script_builds_layers_only(
    checker: Any, text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builtins, "eval", None)
    with pytest.raises(SystemExit) as ended:
        checker.main(["--layer", text, "--shape", "2,3"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [["--layer", "ReLU()"], ["--shape", "2"], ["--layer", "ReLU()", "--shape", "2,x"]]
)
def test_the_script_refuses_half_a_question(checker: Any, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        checker.main(arguments)
    assert ended.value.code == 2


def test_the_script_does_without_pytorch(
    checker: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else found(name))
    assert checker.main([]) == 0
    captured = capsys.readouterr()
    assert "PyTorch " not in captured.out
    assert "PyTorch is not installed" in captured.err


def test_the_script_runs_from_any_folder(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--layer", "Linear(3, 2)", "--shape", "4,3"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "weight gradient" in done.stdout
