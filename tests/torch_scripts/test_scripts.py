"""Scripts for PyTorch, unmodified, through ``python -m minitorch.torch``: the same losses as on PyTorch itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the reference is PyTorch")

from . import reference  # noqa: E402 - it needs PyTorch

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def execute(module: str, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
    """Run ``python -m module`` in the repository."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert not ok or done.returncode == 0, done.stderr
    return done


def weights(path: Path, shapes: dict[str, tuple[int, ...]]) -> str:
    """Save a state dict by PyTorch, drawn by a fixed seed."""
    draw = np.random.default_rng(5)
    state = {}
    for name, shape in shapes.items():
        bound = 1 / np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 0.05
        state[name] = torch.tensor(draw.uniform(-bound, bound, shape).astype(np.float32))
    torch.save(state, path)
    return str(path)


def compare(script: str, tmp_path: Path, arguments: list[str], count: int) -> str:
    """Run a script here and on PyTorch, compare the losses that it saves at the place LOSSES; return its output."""
    files = [tmp_path / "theirs.pt", tmp_path / "ours.pt"]
    theirs, ours = ([str(path) if a == "LOSSES" else a for a in arguments] for path in files)
    reference.run(str(HERE / script), theirs)
    printed = execute("minitorch.torch", str(HERE / script), *ours).stdout
    expected, found = (torch.load(path).numpy() for path in files)
    assert len(expected) == count
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    return printed


def test_first_mnist_example(tmp_path: Path, data_dir: Path) -> None:
    shapes = {
        "conv1.weight": (8, 1, 3, 3), "conv1.bias": (8,), "conv2.weight": (16, 8, 3, 3), "conv2.bias": (16,),
        "fc1.weight": (32, 2304), "fc1.bias": (32,), "fc2.weight": (10, 32), "fc2.bias": (10,),
    }  # fmt: skip
    start = weights(tmp_path / "start.pt", shapes)
    saved = tmp_path / "digits.pt"
    flags = ["--root", str(data_dir), "--weights", start, "--losses", "LOSSES", "--save-model", str(saved)]
    printed = compare("mnist_first.py", tmp_path, [*flags, "--rate", "0", "--lr", "0.5"], 20)
    assert "epoch 2" in printed
    assert "test: mean loss" in printed
    state = torch.load(saved, weights_only=True)  # PyTorch reads what we wrote
    assert {name: tuple(t.shape) for name, t in state.items()} == shapes


def test_cifar_tutorial(tmp_path: Path, data_dir: Path) -> None:
    shapes = {
        "conv1.weight": (6, 3, 5, 5), "conv1.bias": (6,), "conv2.weight": (16, 6, 5, 5), "conv2.bias": (16,),
        "fc1.weight": (120, 400), "fc1.bias": (120,), "fc2.weight": (84, 120), "fc2.bias": (84,),
        "fc3.weight": (10, 84), "fc3.bias": (10,),
    }  # fmt: skip
    start = weights(tmp_path / "start.pt", shapes)
    printed = compare("cifar_tutorial.py", tmp_path, [str(data_dir), start, "LOSSES", "320"], 20)
    assert "(conv1): Conv2d(3, 6, kernel_size=(5, 5), stride=(1, 1))" in printed
    assert "Accuracy on 64 test images" in printed


def test_convnet_on_three_levels(tmp_path: Path) -> None:
    assert "Sequential: right on" in compare("convnet_levels.py", tmp_path, ["LOSSES"], 24)


def test_sequences_autoencoder_and_table(tmp_path: Path) -> None:
    assert "20 losses" in compare("sequences.py", tmp_path, ["LOSSES"], 20)


@pytest.mark.filterwarnings("ignore:enable_nested_tensor:UserWarning")  # of PyTorch
def test_translation_by_a_transformer(tmp_path: Path) -> None:
    assert "20 losses, translated 7 words" in compare("translation.py", tmp_path, ["LOSSES"], 20)


def test_reviews_of_different_lengths(tmp_path: Path) -> None:
    assert "right: " in compare("reviews.py", tmp_path, ["LOSSES"], 20)


MISSING = {
    "import torch\n\ntorch.sparse_coo_tensor()\n": "line 3: torch.sparse_coo_tensor",
    "import torch.jit\n": "line 1: torch.jit",
    "from torch.nn import FractionalMaxPool2d\n": "line 1: torch.nn.FractionalMaxPool2d",
    "import torch\ntorch.ones(2).to_sparse()\n": "line 2: torch.Tensor.to_sparse",
    "from torchvision.models import densenet121\n": "line 1: torchvision.models.densenet121",
}
IN_TURN = """
import sys
from minitorch.torch.runner import main
print([main([path]) for path in sys.argv[1:]], main([]), main(["nothing.py"]))
"""


def test_a_missing_name_is_one_line(tmp_path: Path) -> None:
    paths = []
    for n, text in enumerate(MISSING):
        paths.append(tmp_path / f"script{n}.py")
        paths[-1].write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", IN_TURN, *map(str, paths)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.stdout == f"{[2] * len(MISSING)} 2 2\n"
    expected = [
        f"script{n}.py, {words} is not in minitorch.torch; real PyTorch is needed for it"
        for n, words in enumerate(MISSING.values())
    ]
    usage = "usage: python -m minitorch.torch SCRIPT.py [ARGS...]"
    assert done.stderr.splitlines() == [*expected, usage, "minitorch.torch: no script nothing.py"]


def test_arguments_exit_status_and_errors_of_the_script(tmp_path: Path) -> None:
    script = tmp_path / "args.py"
    text = "import sys, torch\nprint(sys.argv[1:], torch.__name__, __name__)\n{}[sys.argv[1]]\n"
    script.write_text(text, encoding="utf-8")
    done = execute("minitorch.torch", str(script), "--a", "b", ok=False)
    assert (done.returncode, done.stdout) == (1, "['--a', 'b'] minitorch.torch __main__\n")
    assert "KeyError: '--a'" in done.stderr


AMP = """
import torch
from torch.cuda.amp import GradScaler, autocast
from torch import nn, optim

model = nn.Linear(3, 1)
optimizer, scaler = optim.SGD(model.parameters(), lr=0.1), GradScaler()
before = model.weight.clone()
for k in range(3):
    with autocast():
        loss = model(torch.ones(4, 3) * (float("inf") if k == 2 else 1.0)).mean()
    optimizer.zero_grad()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
print(torch.allclose(before - model.weight, torch.full((1, 3), 0.2)))
"""


def test_mixed_precision_of_a_script(tmp_path: Path) -> None:
    script = tmp_path / "amp.py"
    script.write_text(AMP, encoding="utf-8")
    assert (
        execute("minitorch.torch", str(script)).stdout == "True\n"
    )  # the third step, not finite, is left out


def test_importing_the_core_loads_none_of_it() -> None:
    code = (
        "import sys, minitorch; print([m for m in sys.modules if m.startswith(('minitorch.torch', 'torch'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout == "[]\n", done.stderr


def test_speed_run_and_resnet(tmp_path: Path) -> None:
    assert "right: " in compare("speedrun.py", tmp_path, ["LOSSES"], 20)
