"""Networks as ONNX files: onnxruntime computes the same scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch.models import CIFAR_MODELS, IMAGE_MODELS, IMAGENET_MODELS
from minitorch.nn.containers import Sequential
from minitorch.onnx import ExportError, export

from ..cli.runner import one_line, run
from ..support.required import required

SIDES = {"alexnet": 64, "inception_v3": 75}
SMALL = [
    name for name in IMAGENET_MODELS if name not in ("vgg16", "vgg11_bn", "resnet34", "alexnet", "vgg16_bn")
]


def scores(path: Path, x: Any) -> Any:
    required("onnx")
    runtime = required("onnxruntime")
    session = runtime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return session.run(["output"], {"input": x.astype(np.float32)})[0]


def compare(model: Any, x: Any, path: Path) -> None:
    required("onnx")
    export(model.eval(), x, path)
    with minitorch.no_grad():
        expected = model(minitorch.tensor(x)).to_numpy()
    found = scores(path, x)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-4 * max(np.abs(expected).max(), 1e-3)


def images(*shape: int) -> Any:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("name", SMALL)
def test_networks_for_photographs(name: str, tmp_path: Path) -> None:
    minitorch.set_default_dtype("float32")
    settings: dict[str, Any] = {"transform_input": True} if name == "inception_v3" else {}
    model = IMAGENET_MODELS[name].build(num_classes=3, init_weights=False, **settings)
    side = SIDES.get(name, 40)
    compare(model, images(2, 3, side, side), tmp_path / "model.onnx")


@pytest.mark.parametrize("name", [*IMAGE_MODELS, *CIFAR_MODELS])
def test_networks_of_the_commands(name: str, tmp_path: Path) -> None:
    minitorch.set_default_dtype("float32")
    grey = name in IMAGE_MODELS
    model = (IMAGE_MODELS[name] if grey else CIFAR_MODELS[name])()
    compare(model, images(2, 1, 28, 28) if grey else images(2, 3, 32, 32), tmp_path / "model.onnx")


class Operations(minitorch.Module):
    """Operations that the networks do not use."""

    def forward(self, x: Any) -> Any:
        y = x.sigmoid() * 2.0 - x.tanh() / (x.exp() + 1.0)
        z = minitorch.nn.LeakyReLU(0.2)(-x) + abs(x).sqrt() ** 3
        picked = minitorch.nn.softmax(y, 1)[:, 1:3, ::2] + z.permute(0, 2, 1).contiguous().sum(2).mean(1).max(
            0
        )
        return picked.sum(1) @ x[:, :3, 1:4]


def test_other_operations(tmp_path: Path) -> None:
    minitorch.set_default_dtype("float32")
    compare(Operations(), images(2, 4, 6), tmp_path / "model.onnx")


def test_what_cannot_be_exported(tmp_path: Path) -> None:
    required("onnx")
    x, path = images(2, 3), tmp_path / "model.onnx"
    with pytest.raises(ExportError, match=r"evaluation mode, call eval\(\) first"):
        export(Sequential(minitorch.Linear(3, 2)), x, path)
    with pytest.raises(ExportError, match="GELUFun has no operator in the table"):
        export(Sequential(minitorch.GELU()).eval(), x, path)
    with pytest.raises(ExportError, match="returns a Tensor, got tuple"):
        export(Sequential(lambda t: (t, t)).eval(), x, path)
    with pytest.raises(ExportError, match="depends on the input"):
        export(Sequential(lambda t: minitorch.zeros((2,))).eval(), x, path)
    assert not list(tmp_path.iterdir())


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    required("onnx")
    folder = tmp_path / "run"
    flags = ("--dataset", "digits", "--epochs", "1", "--limit", "100", "--out", folder)
    assert run("mnist", *flags) == 0
    assert run("export", folder, tmp_path / "model.onnx", "--batch", 3) == 0
    model = IMAGE_MODELS["lenet"]()
    model.load_state_dict(minitorch.load(folder / "model.safetensors"))
    x = images(3, 1, 28, 28)
    expected = model.eval()(minitorch.tensor(x)).to_numpy()
    assert np.abs(scores(tmp_path / "model.onnx", x) - expected).max() < 1e-4
    capsys.readouterr()
    assert run("export", tmp_path, tmp_path / "other.onnx") == 2
    assert "is not the folder of a finished run" in one_line(capsys.readouterr().err)
    assert not (tmp_path / "other.onnx").exists()
