"""What lines do not show: shared memory, autograd modes and functions, files, states of optimizers, the loader."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
import minitorch.torch as torch
from minitorch.torch import nn, optim
from minitorch.torch.utils.data import DataLoader, Dataset, TensorDataset

real = pytest.importorskip("torch", reason="the reference is PyTorch")


def test_tensors_share_memory_with_the_core_and_with_numpy() -> None:
    core = minitorch.tensor([1.0, 2.0], requires_grad=True)
    t = torch.from_minitorch(core)
    assert t.minitorch() is core
    (t * t).sum().backward()
    assert core.grad is not None
    assert core.grad.to_numpy().tolist() == [2.0, 4.0]
    array = np.zeros(3, np.float32)
    view = torch.from_numpy(array)
    view[1] = 5.0
    view.numpy()[2] = 7.0
    assert array.tolist() == [0.0, 5.0, 7.0]
    with pytest.raises(TypeError, match="fractions"):
        torch.arange(3).minitorch()


@pytest.mark.parametrize("backend", ["simple", "fast"])
def test_the_default_backend_of_the_core_computes(backend: str) -> None:
    minitorch.set_default_backend(backend)
    x = torch.ones(2, 3, requires_grad=True)
    (nn.functional.softmax(x, 1).log().sum() * x.sum()).backward()
    assert x.minitorch().backend.ops.name == backend
    assert torch.allclose(x.grad, torch.full((2, 3), float(6 * np.log(1 / 3))))


def test_modes_of_recording() -> None:
    x = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        assert not (x * 2).requires_grad
        with torch.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    with torch.inference_mode():
        assert not (x * 2).requires_grad
    with torch.inference_mode(False):
        assert (x * 2).requires_grad
    with torch.set_grad_enabled(False):
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    try:
        assert not (x * 2).requires_grad
    finally:
        torch.set_grad_enabled(True)

    @torch.no_grad()
    def constant(t: Any) -> Any:
        return t * 2

    @torch.inference_mode()
    def constant_too(t: Any) -> Any:
        return t * 2

    assert not constant(x).requires_grad
    assert not constant_too(x).requires_grad


class Cube(torch.autograd.Function):
    """A function of a user's."""

    @staticmethod
    def forward(ctx: Any, x: Any, scale: float) -> Any:
        ctx.save_for_backward(x)
        ctx.scale = scale
        return x * x * x * scale

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 3 * x * x * grad * ctx.scale, None


def test_functions_of_the_users() -> None:
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    out = Cube.apply(x, 2.0)
    assert out.grad_fn.name() == "CubeBackward0"
    out.sum().backward()
    assert x.grad.tolist() == [6.0, 24.0]
    assert torch.autograd.gradcheck(lambda t: Cube.apply(t, 2.0), x)

    class Wrong(Cube):
        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad, None

    with pytest.raises(torch.autograd.GradcheckError):
        torch.autograd.gradcheck(lambda t: Wrong.apply(t, 2.0), x)


def test_a_change_in_place_between_forward_and_backward_is_an_error() -> None:
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    z = y * y
    y.detach()[0] = 5.0
    with pytest.raises(RuntimeError, match="changed in place"):
        z.sum().backward()


CONTENT: dict[str, Any] = {
    "epoch": 3, "best": 0.5, "name": "net", "ok": True, "none": None, "list": [1, (2.5, "a")], "nested": {"a": {1: 2}},
}  # fmt: skip


def test_files_pass_to_pytorch_and_back(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    ours = {
        **CONTENT,
        "model": model.state_dict(),
        "i": torch.arange(4),
        "b": torch.tensor([True]),
        "p": model[0].bias,
    }
    path = tmp_path / "file.ckpt"
    torch.save(ours, path)
    theirs = real.load(path, weights_only=True)
    back = torch.load(path)
    for found in (theirs, back):
        assert {k: found[k] for k in CONTENT} == CONTENT
        assert found["i"].tolist() == [0, 1, 2, 3]
        assert str(found["b"].dtype) == "torch.bool"
        assert list(found["model"]) == list(ours["model"])
        np.testing.assert_array_equal(found["model"]["0.weight"].numpy(), model[0].weight.detach().numpy())
        np.testing.assert_array_equal(found["p"].detach().numpy(), model[0].bias.detach().numpy())
    buffer = io.BytesIO()
    real.save({"t": real.arange(6.0).reshape(2, 3).t(), "h": real.ones(2, dtype=real.bfloat16)}, buffer)
    buffer.seek(0)
    read = torch.load(buffer, map_location="cpu", weights_only=True)
    assert read["t"].tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    with pytest.raises(TypeError, match="state_dict"):
        torch.save(model, tmp_path / "model.pt")
    with pytest.raises(FileNotFoundError):
        torch.load(tmp_path / "nothing.pt")


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.1}),
        ("Adam", {"lr": 0.1, "amsgrad": True}),
        ("AdamW", {"lr": 0.1}),
        ("RMSprop", {"lr": 0.01, "momentum": 0.5, "centered": True}),
        ("Adagrad", {"lr": 0.1}),
        ("Adadelta", {}),
        ("Adamax", {}),
        ("RAdam", {"lr": 0.1}),
    ],
)
def test_states_of_optimizers_pass_to_pytorch_and_back(
    name: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    def steps(package: Any, weight: Any, optimizer: Any, count: int) -> Any:
        for _ in range(count):
            optimizer.zero_grad()
            ((weight - 2) ** 2).sum().backward()
            optimizer.step()
        return weight

    def start(package: Any, values: Any) -> tuple[Any, Any]:
        weight = package.tensor(values, requires_grad=True)
        return weight, vars(package.optim)[name]([weight], **settings)

    expected = steps(real, *start(real, [1.0, 3.0]), 6).tolist()
    for first, second in ((torch, real), (real, torch)):
        weight, optimizer = start(first, [1.0, 3.0])
        steps(first, weight, optimizer, 3)
        first.save({"w": weight.detach(), "o": optimizer.state_dict()}, tmp_path / "state.pt")
        saved = second.load(tmp_path / "state.pt", weights_only=True)
        weight, optimizer = start(second, saved["w"].tolist())
        optimizer.load_state_dict(saved["o"])
        np.testing.assert_allclose(steps(second, weight, optimizer, 3).tolist(), expected, rtol=1e-5)


class Noisy(Dataset):
    """Random numbers, as a transform draws them."""

    def __len__(self) -> int:
        return 11

    def __getitem__(self, k: int) -> Any:
        return torch.rand(2) + k


def test_a_loader_gives_the_same_for_any_number_of_workers() -> None:
    passes = []
    for workers in (0, 1, 3):
        torch.manual_seed(4)
        passes.append(
            [b.tolist() for b in DataLoader(Noisy(), batch_size=3, shuffle=True, num_workers=workers)]
        )
    assert passes[0] == passes[1] == passes[2]
    torch.manual_seed(4)
    loader = DataLoader(TensorDataset(torch.arange(40)), batch_size=40, shuffle=True)
    first, second = (next(iter(loader))[0].tolist() for _ in range(2))
    assert first != second
    assert sorted(first) == list(range(40))


def test_an_optimizer_of_the_users_own() -> None:
    class Plain(optim.Optimizer):
        def __init__(self, params: Any, lr: float) -> None:
            super().__init__(params, {"lr": lr})

        @torch.no_grad()
        def step(self, closure: Any = None) -> None:
            for group in self.param_groups:
                for p in group["params"]:
                    state = self.state[p]
                    state["n"] = state.get("n", 0) + 1
                    p.add_(p.grad, alpha=-group["lr"] / state["n"])

    w = nn.Parameter(torch.ones(2))
    optimizer = Plain([w], lr=0.5)
    for _ in range(2):
        optimizer.zero_grad()
        w.sum().backward()
        optimizer.step()
    assert w.tolist() == [0.25, 0.25]
    assert optimizer.state_dict()["state"] == {0: {"n": 2}}


def test_a_model_that_is_moved_keeps_its_parameters() -> None:
    model = nn.Linear(2, 2)
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    before = model.weight
    model.double()
    assert model.weight is before
    model(torch.ones(1, 2, dtype=torch.float64)).sum().backward()
    start = model.weight.tolist()
    optimizer.step()
    assert model.weight.tolist() == (np.array(start) - 1).tolist()


def test_without_a_gpu_one_line_says_so() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(RuntimeError, match="no CUDA GPU"):
        torch.ones(2, device="cuda")
    with pytest.raises(RuntimeError, match="no CUDA GPU"):
        nn.Linear(2, 2).cuda()
