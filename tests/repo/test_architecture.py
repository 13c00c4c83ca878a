"""The plan of the package, checked: floors, no cycles, rooms apart, a light import, a flat surface."""

from __future__ import annotations

import ast
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import minitorch

HOME = Path(minitorch.__file__).parent
FILES = sorted(path.stem for path in HOME.glob("*.py"))
# A file imports from lower floors only.
FLOORS = """
    operators autodiff module rng memory retype _cuda vector_math dlpack fast_tile dtypes recording philox strided
    vector_sums
    jit simple_conv tensor_data cellwise _driver cuda_staging
    cuda_graph
    fast_mix cuda_device cuda_launch cuda_memory
    cuda_conv_gemm
    optional_ops fast_map fast_loops fast_pool fast_norm fast_matmul cuda_conv cuda_kernels cuda_norm cuda_pool
    cuda_sgemm cuda_update fast_dropout cuda_dropout cuda_index
    cuda_tensor_cores cuda_fold cuda_share cuda_cells
    fast_winograd cuda_matmul tensor_ops_conv
    tensor_ops fast_conv
    fast_fused_ops cuda_fused_ops
    fast_ops cuda_ops
    scalar_functions tensor_functions backends
    tensor_functions_more tensor_functions_nn tensor_functions_fused
    scalar tensor metrics
    nn fusing optim schedulers init datasets fetch pth vision_transforms testing_layers
    vision_color testing data_files data_loader
    vision losses layers_sequential data checkpoint distributed
    layers layers_activation layers_norm cuda
    train legacy
    finder warmup
    __init__
"""
FLOOR = {name: floor for floor, row in enumerate(FLOORS.split("\n")) for name in row.split()}
# Outside packages, besides the standard library; whatever else is used is imported where it is needed.
NUMBA = {"jit", "_cuda", "vector_math", "vector_sums"}
OUTSIDE = {"numpy", "numba", "llvmlite"}


def tree(name: str) -> ast.Module:
    return ast.parse((HOME / f"{name}.py").read_text())


def imports(name: str, top: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield (module, whether it is one of ours) for each import; with ``top``, those that run at import only."""
    inner = {
        child
        for node in ast.walk(tree(name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for statement in node.body
        for child in [ast.dump(n) for n in ast.walk(statement) if isinstance(n, ast.Import | ast.ImportFrom)]
    }
    for node in ast.walk(tree(name)):
        if top and ast.dump(node) in inner:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module), False
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 1, f"{name} reaches out of the package"
            yield from ((node.module or alias.name, True) for alias in node.names)


def ours(name: str) -> set[str]:
    return {other for other, inside in imports(name) if inside}


@pytest.mark.parametrize("name", FILES)
def test_arrows_point_down(name: str) -> None:
    assert name in FLOOR, f"{name}.py has no floor: give it one in FLOORS"
    assert {other for other in ours(name) if FLOOR[other] >= FLOOR[name]} == set()


@pytest.mark.parametrize("name", FILES)
def test_nothing_hides_an_import(name: str) -> None:
    words = {node.id for node in ast.walk(tree(name)) if isinstance(node, ast.Name)}
    assert "TYPE_CHECKING" not in words
    assert not {other for other, inside in imports(name) if not inside and other.split(".")[0] == "minitorch"}


@pytest.mark.parametrize("name", FILES)
def test_outside_packages(name: str) -> None:
    found = {other.split(".")[0] for other, inside in imports(name, top=True) if not inside}
    foreign = found - set(sys.stdlib_module_names)
    compiles = name in NUMBA or name.startswith(("fast_", "cuda_"))
    assert foreign <= (OUTSIDE if compiles else {"numpy"})


@pytest.mark.parametrize("name", FILES)
def test_missing_is_an_error(name: str) -> None:
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"a bare except in line {node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "hasattr", f"hasattr in line {node.lineno}"
            assert node.func.id != "getattr" or len(node.args) == 2, (
                f"a getattr default in line {node.lineno}"
            )


def below(name: str) -> set[str]:
    """Return all files that ``name`` stands on."""
    found: set[str] = set()
    rest = [name]
    while rest:
        for other in ours(rest.pop()) - found:
            found.add(other)
            rest.append(other)
    return found


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith(("fast_", "cuda_", "simple_"))])
def test_rooms_do_not_see_each_other(name: str) -> None:
    strange = {"fast_": "cuda_", "cuda_": "fast_", "simple_": ("fast_", "cuda_")}[name[: name.index("_") + 1]]
    assert not {other for other in below(name) if other.startswith(strange)}
    assert not below(name) & {"tensor", "tensor_functions", "scalar", "nn", "module"}
    if not name.endswith("_ops"):
        assert not {other for other in below(name) if other.endswith("_ops")}, "a kernel file names its room"


@pytest.mark.parametrize(
    ("name", "unknown"),
    [
        ("operators", {"*"}),
        ("autodiff", {"*"}),
        ("rng", {"*"}),
        ("philox", {"*"}),
        ("strided", {"*"}),
        ("simple_conv", {"*"}),
        ("schedulers", {"*"}),
        ("tensor_ops", {"tensor", "autodiff", "jit"}),
        ("tensor_functions", {"tensor", "tensor_ops", "backends"}),
        ("optim", {"scalar", "tensor"}),
        ("train", {"layers", "data", "optim"}),
        ("data", {"tensor", "module"}),
        ("vision", {"tensor", "data", "module"}),
        ("nn", {"module"}),
        ("losses", {"layers"}),
    ],
)
def test_what_a_file_refuses_to_know(name: str, unknown: set[str]) -> None:
    assert not (below(name) if "*" in unknown else below(name) & unknown)


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


# The surface.


def test_all_is_what_is_visible() -> None:
    # Python itself adds every submodule that was imported, and this name for a future import.
    visible = {name for name in vars(minitorch) if not name.startswith("_")} - set(FILES) - {"annotations"}
    later = {"__version__", "CudaBackend"}
    assert visible - set(minitorch.__all__) == set()
    assert set(minitorch.__all__) - visible - set(FILES) - later == set()
    assert len(set(minitorch.__all__)) == len(minitorch.__all__)


def test_all_holds_no_foreign_names() -> None:
    for name in minitorch.__all__:
        value = vars(minitorch).get(name)
        if isinstance(value, ModuleType):
            assert value.__name__ == f"minitorch.{name}"
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
