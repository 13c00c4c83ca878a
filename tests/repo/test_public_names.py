"""The public names: what `import minitorch` loads, what it shows, and what the contract promises."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

import minitorch

from .source import files

ENTRIES = {module[0] for module in files()}


def in_a_fresh_process(code: str) -> Any:
    """Run ``code`` and return what it printed, as JSON."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "MINITORCH_"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


HEAVY = [
    "torch",
    "visdom",
    "matplotlib",
    "PIL",
    "requests",
    "rich",
    "safetensors",
    "sklearn",
    "mpi4py",
    "mnist",
]


def test_importing_is_light_and_compiles_nothing() -> None:
    loaded, compiled, cuda = in_a_fresh_process(
        "import json, sys\n"
        "from numba.core import event\n"
        "with event.install_recorder('numba:compile') as recorder:\n"
        "    import minitorch\n"
        "import numba\n"
        "print(json.dumps([sorted(sys.modules), len(recorder.buffer), bool(numba.cuda.is_available())]))"
    )
    assert not set(HEAVY) & set(loaded)
    assert compiled == 0
    assert isinstance(cuda, bool)


def test_a_wrong_default_backend_is_an_error_at_import() -> None:
    environment = {**os.environ, "MINITORCH_BACKEND": "slow"}
    done = subprocess.run(
        [sys.executable, "-c", "import minitorch"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode != 0
    assert "ValueError: MINITORCH_BACKEND is 'slow'" in done.stderr


@pytest.mark.parametrize("name", ["simple", "fast"])
def test_the_default_backend_comes_from_the_environment(name: str) -> None:
    code = (
        f"import os; os.environ['MINITORCH_BACKEND'] = {name!r}; import minitorch, json;"
        "print(json.dumps(minitorch.get_default_backend().ops.name))"
    )
    assert in_a_fresh_process(code) == name


def test_all_is_what_is_visible() -> None:
    # Python itself adds every submodule that was imported, and this name for a future import.
    visible = {name for name in vars(minitorch) if not name.startswith("_")} - ENTRIES - {"annotations"}
    later = {"__version__", "CudaBackend"}
    assert visible - set(minitorch.__all__) == set()
    assert set(minitorch.__all__) - visible - ENTRIES - later == set()
    assert len(set(minitorch.__all__)) == len(minitorch.__all__)


def test_all_holds_no_foreign_names() -> None:
    for name in minitorch.__all__:
        value = vars(minitorch).get(name)
        if isinstance(value, ModuleType):
            assert value.__name__ in (f"minitorch.{name}", f"minitorch.nn.{name}", f"minitorch.train.{name}")
        elif callable(value):
            assert value.__module__.startswith("minitorch."), f"{name} comes from {value.__module__}"


PROMISED = """
    operators scalar_functions fast_ops cuda_ops testing init data vision module optim autodiff fast_conv cuda_conv
    set_default_dtype get_default_dtype set_default_backend get_default_backend no_grad manual_seed
    IndexingError BackendError version __version__
    Parameter Module make_pts Graph datasets simple diag split xor circle spiral
    MathTest MathTestVariable grad_check derivative_check grad_central_difference
    central_difference Context History ScalarHistory Variable topological_sort backpropagate Function ScalarFunction
    Scalar Optimizer SGD
    MAX_DIMS index_to_position to_index broadcast_index shape_broadcast strides_from_shape TensorData
    TensorOps TensorBackend SimpleOps SimpleBackend FastBackend FastOps CudaOps MapProto
    tensor_map tensor_zip tensor_reduce tensor_matrix_multiply tensor_conv1d tensor_conv2d
    Neg Inv Add Mul Sigmoid ReLU Log Exp LT EQ IsClose Copy MatMul Sum All Max Permute View Tanh Sqrt
    tensor zeros rand ones randn cat Tensor Conv1dFun Conv2dFun
    tile avgpool2d maxpool2d max argmax softmax logsoftmax dropout max_reduce conv1d conv2d adaptive_avgpool2d
    Linear Conv1d Conv2d MaxPool2d AvgPool2d AdaptiveAvgPool2d BatchNorm1d BatchNorm2d LayerNorm GroupNorm
    Dropout Dropout2d Flatten Softmax LogSoftmax Identity Sequential
    cross_entropy nll_loss mse_loss l1_loss binary_cross_entropy binary_cross_entropy_with_logits multi_margin_loss
    accuracy Adam AdamW RMSprop Adagrad
    StepLR MultiStepLR ExponentialLR CosineAnnealingLR LambdaLR ReduceLROnPlateau EarlyStopping
    save load save_checkpoint load_checkpoint Checkpoint CheckpointError
    fit evaluate predict Step Evaluation prod
"""


@pytest.mark.parametrize("name", PROMISED.split())
def test_promised_names(name: str) -> None:
    assert getattr(minitorch, name) is not None


def test_promised_kinds() -> None:
    assert callable(minitorch.tensor)
    assert isinstance(minitorch.datasets, dict)
    assert minitorch.prod is minitorch.operators.prod
    assert minitorch.to_index is minitorch.tensor_data.to_index
    assert minitorch.tensor_map is minitorch.tensor_ops.tensor_map
    assert minitorch.version == minitorch.__version__
    assert importlib.import_module("minitorch.data").DataLoader.__name__ == "DataLoader"
    for foreign in ("np", "numba", "List", "math"):
        assert foreign not in vars(minitorch)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        minitorch.nonsense  # noqa: B018
