"""ONNX files that other programs write: what is read computes what onnxruntime computes, and bad files are named."""

from __future__ import annotations

import copy
import pickle
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch.onnx import LoadError, load
from minitorch.onnx.operators import OPERATORS

from ..support.op_table import BACKENDS
from ..support.required import required

RNG = np.random.default_rng(5)
FLOAT, INT64 = 1, 7


def real(*shape: int) -> Any:
    return RNG.normal(size=shape).astype(np.float32)


def whole(*values: int) -> Any:
    return np.array(values, np.int64)


def graph_model(
    nodes: Any, arrays: Any, shapes: Any, *, version: int = 17, outputs: Any = ("y",), shape: Any = None
) -> Any:
    """Return a model with inputs of given shapes."""
    helper, numpy_helper = required("onnx").helper, required("onnx").numpy_helper
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(name, FLOAT, sizes) for name, sizes in shapes.items()],
        [helper.make_tensor_value_info(name, FLOAT, shape) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=8)


def single(name: str, *operands: Any, version: int = 17, **settings: Any) -> tuple[Any, Any]:
    """Return a model of one node, whose first operand is the input, and that input."""
    helper = required("onnx").helper
    names = ["x", *("" if array is None else f"a{k}" for k, array in enumerate(operands[1:]))]
    arrays = {n: a for n, a in zip(names[1:], operands[1:]) if a is not None}
    node = helper.make_node(name, names, ["y"], **settings)
    return graph_model([node], arrays, {"x": operands[0].shape}, version=version), operands[0]


def expected_of(model: Any, *inputs: Any) -> Any:
    runtime = required("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    session = runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {i.name: x for i, x in zip(session.get_inputs(), inputs)})


def written(model: Any, folder: Path) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def agree(found: Any, expected: Any) -> None:
    found = np.asarray(found.to_numpy() if isinstance(found, minitorch.Tensor) else found)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)


NODES: list[tuple[Any, ...]] = [
    *((name, real(2, 3)) for name in ("Abs", "Ceil", "Cos", "Erf", "Exp", "Floor", "HardSigmoid")),
    *((name, real(3, 1, 2)) for name in ("Identity", "Neg", "Relu", "Round", "Sigmoid", "Sign", "Sin")),
    *((name, real(4)) for name in ("Softplus", "Tanh", "HardSwish", "Elu", "LeakyRelu")),
    *((name, abs(real(2, 5)) + 0.1) for name in ("Log", "Sqrt", "Reciprocal")),
    *((name, real(2, 1, 3), real(4, 1)) for name in ("Add", "Sub", "Mul", "Div", "Max", "Min", "Sum")),
    ("Max", real(2, 3), real(3), real(2, 1)),
    ("PRelu", real(2, 3, 4), abs(real(3, 1))),
    ("Pow", abs(real(2, 3)), np.array(1.5, np.float32)),
    ("Pow", abs(real(2, 3)), np.array([2.0, 3.0, 0.5], np.float32)),
    ("Clip", real(5), np.array(-0.5, np.float32), np.array(0.4, np.float32)),
    ("Clip", real(5), None, np.array(0.4, np.float32)),
    ("Clip", real(5), {"min": -0.2, "max": 0.3}, 9),
    ("Gelu", real(5), {}, 20),
    ("Gelu", real(5), {"approximate": "tanh"}, 20),
    ("MatMul", real(2, 3), real(3, 4)),
    ("MatMul", real(5, 2, 3), real(3, 4)),
    ("Gemm", real(2, 3), real(4, 3), real(4), {"transB": 1}),
    ("Gemm", real(3, 2), real(3, 4), real(2, 1), {"transA": 1, "alpha": 0.5, "beta": 2.0}),
    ("Gemm", real(2, 3), real(3, 4)),
    ("Conv", real(2, 4, 7, 6), real(6, 2, 3, 2), real(6), {"group": 2, "pads": [1, 0, 2, 1], "strides": [2, 1]}),
    ("Conv", real(1, 3, 8, 8), real(2, 3, 3, 3), {"dilations": [2, 1], "kernel_shape": [3, 3]}),
    ("Conv", real(2, 3, 9), real(4, 3, 3), real(4), {"strides": [2], "pads": [1, 1]}),
    *(
        ("Conv", real(1, 1, 7, 6), real(1, 1, 4, 3), {"auto_pad": kind, "strides": [2, 1]})
        for kind in ("SAME_UPPER", "SAME_LOWER", "VALID")
    ),
    ("MaxPool", real(2, 3, 7, 6), {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 1]}),
    ("MaxPool", real(1, 2, 8, 8), {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    ("MaxPool", real(1, 2, 9), {"kernel_shape": [2], "strides": [2]}),
    ("MaxPool", real(1, 1, 9, 9), {"kernel_shape": [2, 2], "dilations": [3, 2]}),
    ("AveragePool", real(2, 3, 7, 6), {"kernel_shape": [3, 2], "pads": [1, 1, 1, 0]}),
    ("AveragePool", real(2, 3, 7, 6), {"kernel_shape": [3, 2], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    ("AveragePool", real(2, 3, 7, 6), {"kernel_shape": [2, 2], "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    ("GlobalAveragePool", real(2, 3, 5, 4)),
    ("GlobalMaxPool", real(2, 3, 5)),
    ("BatchNormalization", real(2, 3, 4, 5), real(3), real(3), real(3), abs(real(3)) + 0.1),
    ("BatchNormalization", real(2, 3), real(3), real(3), real(3), abs(real(3)) + 0.1, {"epsilon": 0.1}),
    ("LayerNormalization", real(2, 3, 4), real(4), real(4)),
    ("LayerNormalization", real(2, 3, 4), real(3, 4), {"axis": 1, "epsilon": 0.01}),
    ("Dropout", real(2, 3)),
    *((name, real(2, 3, 4), {"axis": 1}) for name in ("Softmax", "LogSoftmax")),
    ("Softmax", real(2, 3), {}, 11),
    ("Softmax", real(2, 3)),
    *((name, real(2, 3, 4), {"axes": [0, -1], "keepdims": k}) for name in ("ReduceMean", "ReduceMax") for k in (0, 1)),
    ("ReduceMean", real(2, 3, 4), whole(1), {"keepdims": 0}, 18),
    ("ReduceSum", real(2, 3, 4), whole(1, 2)),
    ("ReduceSum", real(2, 3, 4)),
    ("ReduceSum", real(2, 3), {"noop_with_empty_axes": 1}),
    ("Flatten", real(2, 3, 4)),
    ("Flatten", real(2, 3, 4), {"axis": 0}),
    ("Flatten", real(2, 3, 4), {"axis": -1}),
    ("Reshape", real(2, 3, 4), whole(0, -1)),
    ("Reshape", real(2, 3, 4), whole(4, 3, 2)),
    ("Transpose", real(2, 3, 4)),
    ("Transpose", real(2, 3, 4), {"perm": [1, 2, 0]}),
    ("Concat", real(2, 3), real(2, 1), real(2, 2), {"axis": -1}),
    ("Slice", real(5, 6), whole(1, -4), whole(9, -1), whole(0, 1), whole(2, 1)),
    ("Slice", real(5, 6), whole(3), whole(1)),
    ("Slice", real(5, 6), {"starts": [1], "ends": [3], "axes": [1]}, 9),
    ("Squeeze", real(1, 3, 1), whole(0)),
    ("Squeeze", real(1, 3, 1)),
    ("Squeeze", real(1, 3, 1), {"axes": [2]}, 11),
    ("Unsqueeze", real(3, 2), whole(0, -1)),
    ("Unsqueeze", real(3, 2), {"axes": [1]}, 11),
    ("Expand", real(3, 1), whole(2, 1, 4)),
    ("Pad", real(2, 3), whole(1, 0, 0, 2), np.array(0.5, np.float32)),
    ("Pad", real(2, 3), {"pads": [0, 1, 1, 0], "value": 2.0}, 9),
    ("Gather", real(4, 3), np.array([[0, -1], [2, 2]], np.int64)),
    ("Gather", real(4, 3, 2), whole(2, 0), {"axis": 1}),
    ("Gather", real(4, 3), np.array(1, np.int64), {"axis": -1}),
    ("Cast", real(2, 2), {"to": FLOAT}),
]  # fmt: skip


def parts(case: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any], int]:
    """Return the operands, the attributes and the version of the operators of a line of `NODES`."""
    rest, settings, version = list(case[1:]), {}, 17
    if isinstance(rest[-1], int):
        version = rest.pop()
    if isinstance(rest[-1], dict):
        settings = rest.pop()
    return tuple(rest), settings, version


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", NODES, ids=lambda case: case[0])
def test_operators_compute_what_onnxruntime_computes(
    case: tuple[Any, ...], backend: str, tmp_path: Path
) -> None:
    operands, settings, version = parts(case)
    model, x = single(case[0], *operands, version=version, **settings)
    minitorch.set_default_backend(backend)
    agree(load(written(model, tmp_path))(x), expected_of(model, x)[0])


def test_all_operators_are_in_the_tests() -> None:
    others = {"Shape", "ConstantOfShape"}  # in `test_shapes_that_are_computed`
    assert {case[0] for case in NODES} | others == set(OPERATORS)


def test_the_page_lists_all_operators() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "onnx.md").read_text(encoding="utf-8")
    listed = re.findall(
        r"`(\w+)`", re.findall(r"<!-- operators -->(.*)<!-- /operators -->", page, re.DOTALL)[0]
    )
    assert sorted(listed) == sorted([*OPERATORS, "Constant"])


def test_shapes_that_are_computed(tmp_path: Path) -> None:
    """``x.view(x.shape[0] * 2, -1) + zeros(2 * N, 1)``, as exporters write it for any N."""
    make = required("onnx").helper.make_node
    nodes = [
        make("Shape", ["x"], ["sizes"]),
        make("Constant", [], ["zero"], value_int=0),
        make("Gather", ["sizes", "zero"], ["n"]),
        make("Mul", ["n", "two"], ["n2"]),
        make("Div", ["n2", "one"], ["rows"]),
        make("Unsqueeze", ["rows", "axis"], ["row"]),
        make("Concat", ["row", "rest"], ["wanted"], axis=0),
        make("Reshape", ["x", "wanted"], ["z"]),
        make("Slice", ["sizes", "axis", "end"], ["first"]),
        make("Cast", ["first"], ["first_whole"], to=INT64),
        make("Squeeze", ["first_whole"], ["n3"]),
        make("Add", ["n3", "n"], ["n4"]),
        make("Sub", ["n4", "n"], ["n5"]),
        make("Reshape", ["n5", "rest"], ["n6"]),
        make("ConstantOfShape", ["n6"], ["zeros"]),
        make("ReduceSum", ["zeros"], ["total"]),
        make("Add", ["z", "total"], ["z2"]),
        make("Transpose", ["z2"], ["y"]),
    ]
    arrays = {
        "two": np.array(2, np.int64), "one": np.array(1, np.int64), "axis": whole(0), "rest": whole(-1),
        "end": whole(1),
    }  # fmt: skip
    model = graph_model(nodes, arrays, {"x": ("N", 6)})
    network = load(written(model, tmp_path))
    for n in (1, 3):
        x = real(n, 6)
        agree(network(x), expected_of(model, x)[0])


def torch_networks() -> dict[str, tuple[Any, Any]]:
    """Return networks of PyTorch, and an input for each."""
    torch = required("torch")
    nn = torch.nn

    class Residual(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(3, 6, 3, stride=2, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(6)
            self.depthwise = nn.Conv2d(6, 6, 3, padding=1, groups=6)
            self.bn2 = nn.BatchNorm2d(6)
            self.shortcut = nn.Conv2d(3, 6, 1, stride=2)
            self.head = nn.Linear(6, 4)

        def forward(self, x: Any) -> Any:
            y = torch.relu(self.bn1(self.conv1(x)))
            y = torch.nn.functional.hardswish(self.bn2(self.depthwise(y)) + self.shortcut(x))
            return torch.log_softmax(self.head(y.mean((2, 3))), 1)

    cnn = nn.Sequential(
        nn.Conv2d(1, 4, 5, padding="same"), nn.BatchNorm2d(4), nn.LeakyReLU(0.2), nn.MaxPool2d(2),
        nn.Conv2d(4, 8, 3), nn.ELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(8, 3),
    )  # fmt: skip
    mlp = nn.Sequential(nn.Linear(7, 9), nn.LayerNorm(9), nn.GELU(), nn.Linear(9, 2), nn.Sigmoid())
    return {
        "cnn": (cnn, real(2, 1, 10, 10)),
        "mlp": (mlp, real(5, 7)),
        "residual": (Residual(), real(2, 3, 9, 8)),
    }


@pytest.mark.parametrize("whole_graph", [True, False], ids=["folded", "as it is"])
@pytest.mark.parametrize("version", [11, 17, 20])
@pytest.mark.parametrize("name", ["cnn", "mlp", "residual"])
def test_files_of_pytorch(name: str, version: int, whole_graph: bool, tmp_path: Path) -> None:
    torch = required("torch")
    torch.manual_seed(3)
    model, x = torch_networks()[name]
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2.0)
    path, settings = tmp_path / "model.onnx", {}
    if not whole_graph:
        settings = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            *(model.eval(), (torch.tensor(x),), str(path)),
            dynamo=False,
            opset_version=version,
            input_names=["x"],
            dynamic_axes={"x": {0: "N"}},
            **settings,
        )
    network = load(path)
    agree(network(x), model(torch.tensor(x)).detach().numpy())
    agree(network(x[:1]), model(torch.tensor(x[:1])).detach().numpy())
    if not whole_graph:
        weights = dict(model.named_parameters())
        assert weights.keys() <= network.state_dict().keys()
        loss = model(torch.tensor(x)).square().sum()
        loss.backward()
        (network(x) * network(x)).sum().backward()
        for key, parameter in network.named_parameters():
            if key in weights:
                np.testing.assert_allclose(
                    parameter.grad.to_numpy(), weights[key].grad.numpy(), rtol=2e-3, atol=1e-4
                )


def test_training_uses_dropout_and_the_batch(tmp_path: Path) -> None:
    make = required("onnx").helper.make_node
    names = ["bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"]
    nodes = [make("BatchNormalization", ["x", *names], ["z"], momentum=0.8), make("Dropout", ["z"], ["y"])]
    arrays = {**dict.fromkeys(names, np.ones(3, np.float32)), "bn.bias": np.zeros(3, np.float32)}
    network = load(written(graph_model(nodes, arrays, {"x": ("N", 3, 4, 4)}), tmp_path))
    assert not network.training
    x = real(8, 3, 4, 4) + 2
    assert np.array_equal(network(x).to_numpy(), network(x).to_numpy())
    out = network.train()(x).to_numpy()
    assert 0.3 < (out == 0).mean() < 0.7
    layer = minitorch.BatchNorm2d(3, momentum=0.2).to(dtype="float32")
    layer.load_state_dict(
        {"weight": np.ones(3), "bias": np.zeros(3), "running_mean": np.ones(3), "running_var": np.ones(3)},
        strict=False,
    )
    layer(minitorch.tensor(x))
    assert network.state_dict()["bn.running_mean"] == pytest.approx(layer.state_dict()["running_mean"])
    before = network.state_dict()["bn.weight"].copy()
    optimizer = minitorch.SGD(network.parameters(), 0.1)
    (network(x) * network(x)).sum().backward()
    optimizer.step()
    assert (network.state_dict()["bn.weight"] != before).all()


def test_names_of_weights(tmp_path: Path) -> None:
    make = required("onnx").helper.make_node
    names = ["a.b", "a", "forward", "", "::", "training", "x.", "_modules.q", "1.weight"]
    nodes, last = [], "x"
    for k, name in enumerate(names):
        if name:
            nodes.append(make("Add", [last, name], [f"t{k}"]))
            last = f"t{k}"
    nodes.append(make("Identity", [last], ["y"]))
    arrays = {name: real(3) for name in names if name}
    model = graph_model(nodes, arrays, {"x": (3,)})
    network = load(written(model, tmp_path))
    x = real(3)
    agree(network(x), expected_of(model, x)[0])
    state = network.state_dict()
    assert len(state) == len(arrays)
    assert {"a.b", "1.weight"} <= state.keys()
    network.load_state_dict({key: 0 * value for key, value in state.items()})
    agree(network(x), x)


def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    helper = required("onnx").helper
    nodes = [helper.make_node("Add", ["x", "z"], ["y"]), helper.make_node("Gather", ["table", "row"], ["w"])]
    model = graph_model(nodes, {"table": real(4, 2)}, {"x": (2, 3), "z": (3,)}, outputs=("y", "w"))
    model.graph.input.append(helper.make_tensor_value_info("row", INT64, ("k",)))
    inputs = real(2, 3), real(3), whole(3, 1)
    network = load(written(model, tmp_path))
    for found, expected in zip(network(*inputs), expected_of(model, *inputs)):
        agree(found, expected)
    with pytest.raises(minitorch.IndexingError, match=r"expected 3 inputs \('x', 'z', 'row'\), got 1"):
        network(inputs[0])
    with pytest.raises(minitorch.IndexingError, match=r"input 'z' of shape \(3,\), got \(4,\)"):
        network(inputs[0], real(4), whole(0))
    with pytest.raises(minitorch.IndexingError, match="expected whole numbers as input 'row'"):
        network(*inputs[:2], np.array([0.5]))
    with pytest.raises(
        LoadError, match=r"model.onnx: node 2 \(Gather\): expected indices of 4 elements, got 4 to 4"
    ):
        network(*inputs[:2], whole(4))


def test_a_network_is_copied_moved_and_pickled(tmp_path: Path) -> None:
    make = required("onnx").helper.make_node
    norm = ["n.weight", "n.bias", "n.running_mean", "n.running_var"]
    nodes = [
        make("Conv", ["x", "conv.weight"], ["a"]),
        make("BatchNormalization", ["a", *norm], ["b"]),
        make("Constant", [], ["two"], value_floats=[2.0]),
        make("Mul", ["b", "two"], ["y"]),
    ]
    arrays = {"conv.weight": real(3, 2, 3, 3), **{name: abs(real(3)) + 0.5 for name in norm}}
    network = load(written(graph_model(nodes, arrays, {"x": (1, 2, 5, 5)}), tmp_path))
    x = real(1, 2, 5, 5)
    expected = network(x).to_numpy()
    for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        agree(twin(x), expected)
        twin.load_state_dict({name: 0 * value for name, value in twin.state_dict().items()})
        assert not twin(x).to_numpy().any()
    agree(network.to("simple")(x), expected)
    moved = network.to(dtype="float64")(x)
    assert moved.dtype == np.float64
    agree(moved, expected)


def relu(model_of: Callable[[Any], Any] | None = None) -> Any:
    """Return a model of one ReLU, after a change."""
    model, _ = single("Relu", real(2, 3))
    if model_of is not None:
        model_of(model)
    return model


def change(**fields: Any) -> Callable[[Any], None]:
    """Return what changes fields of the first node."""

    def apply(model: Any) -> None:
        node = model.graph.node[0]
        for name, value in fields.items():
            field = getattr(node, name)
            if isinstance(value, str):
                setattr(node, name, value)
            else:
                del field[:]
                field.extend(value)

    return apply


def added(*message: Any, **settings: Any) -> Callable[[Any], None]:
    return lambda model: model.graph.node.append(required("onnx").helper.make_node(*message, **settings))


def attribute(name: str, value: Any) -> Callable[[Any], None]:
    return lambda m: m.graph.node[0].attribute.append(required("onnx").helper.make_attribute(name, value))


def stored(name: str, array: Any, **fields: Any) -> Callable[[Any], None]:
    """Return what adds an array, with some of its fields changed."""

    def apply(model: Any) -> None:
        kept = required("onnx").numpy_helper.from_array(array, name)
        for field, value in fields.items():
            if isinstance(value, list):
                kept.ClearField(field)
                getattr(kept, field).extend(value)
            else:
                setattr(kept, field, value)
        model.graph.initializer.append(kept)

    return apply


def version(number: int) -> Callable[[Any], None]:
    def apply(model: Any) -> None:
        model.opset_import[0].version = number

    return apply


BAD: list[tuple[Callable[[Any], Any], str]] = [
    (change(op_type="Loop"), r"node 1 \(Loop\): this operator is not in the table of minitorch.onnx"),
    (change(domain="com.microsoft"), "operators of 'com.microsoft' are not known"),
    (change(input=["other"]), r"node 1 \(Relu\): needs 'other', which is nowhere in the file"),
    (change(input=["y"]), "needs 'y', which a later node computes: the nodes are out of order or in a cycle"),
    (change(input=["x", "x"]), "expected 1 operands, got 2"),
    (change(input=[""]), "expected 1 operands, got 0"),
    (change(output=[]), "it has no result"),
    (change(output=["z"]), "output 'y' is computed nowhere"),
    (change(output=["x"]), "the name 'x' is taken"),
    (added("Relu", ["x"], ["y"]), r"node 2 \(Relu\): the name 'y' is taken"),
    (attribute("alpha", 1.0), "attribute 'alpha' is not known"),
    (lambda m: (change(op_type="LeakyRelu")(m), attribute("alpha", 1)(m)), "attribute alpha: expected float, got int"),
    (version(8), "expected operators of one version from 9 to 23, got 8"),
    (version(99), "from 9 to 23, got 99"),
    (lambda m: m.ClearField("graph"), "not an ONNX file"),
    (lambda m: m.ClearField("opset_import"), "not an ONNX file"),
    (lambda m: m.graph.ClearField("output"), "there is no output"),
    (lambda m: m.graph.input.append(m.graph.input[0]), "an input is there twice"),
    (lambda m: m.graph.input[0].type.ClearField("tensor_type"), "input 'x': expected an array of numbers"),
    (stored("", real(2)), "expected an array with a name of its own"),
    (lambda m: (stored("w", real(2))(m), stored("w", real(2))(m)), "expected an array with a name of its own, got 'w'"),
    (stored("w", real(2), dims=[-2]), r"expected a shape of at most .* elements, got \(-2,\)"),
    (stored("w", real(2), dims=[1 << 40]), "expected a shape of at most"),
    (stored("w", real(2), dims=[3]), r"array 'w' of shape \(3,\) is damaged"),
    (stored("w", real(2), dims=[1] * 40), "expected a shape of at most"),
    (stored("w", real(2), data_type=8), "has the type number 8, which is not read"),
    (stored("w", real(2), data_type=999), "has the type number 999, which is not read"),
    (lambda m: (change(op_type="Add", input=["x", "w"])(m), stored("w", real(4))(m)), "shapes or types do not fit"),
    (lambda m: m.graph.sparse_initializer.add(), "sparse arrays"),
    (added("Constant", [], ["c"]), "expected one of the attributes value"),
    (added("Constant", [], ["c"], value_string="a"), "expected one of the attributes value"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "words"), BAD)
def test_bad_files_are_named_in_one_line(damage: Callable[[Any], Any], words: str, tmp_path: Path) -> None:
    path = written(relu(damage), tmp_path)
    with pytest.raises(LoadError, match=words) as caught:
        load(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text


def test_files_that_are_none(tmp_path: Path) -> None:
    required("onnx")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.onnx")
    whole_file = written(relu(), tmp_path).read_bytes()
    path = tmp_path / "other.onnx"
    for content in (b"", b"hello", b"\xff" * 100, whole_file[:-20]):
        path.write_bytes(content)
        with pytest.raises(LoadError, match=r"ONNX file|computed nowhere|there is no output|expected"):
            load(path)


@pytest.mark.parametrize("seed", range(60))
def test_damaged_files_are_load_errors(seed: int, tmp_path: Path) -> None:
    """Random bytes of a network are changed: it is read, or one line says what is wrong."""
    model, x = single("Conv", real(1, 2, 5, 5), real(2, 2, 3, 3), real(2), pads=[1, 1, 1, 1])
    content = bytearray(model.SerializeToString())
    random = np.random.default_rng(seed)
    for _ in range(3):
        content[random.integers(len(content))] = random.integers(256)
    path = tmp_path / "model.onnx"
    path.write_bytes(bytes(content))
    said = ""
    try:
        network = load(path)
        with np.errstate(all="ignore"):
            network(x)
    except (LoadError, minitorch.IndexingError) as error:
        said = str(error)
    assert "\n" not in said


def external(folder: Path, location: str, **more: Any) -> Path:
    """Write a model whose weight is in another file."""
    model, _ = single("Add", real(2, 3), real(3))
    kept = model.graph.initializer[0]
    kept.ClearField("raw_data")
    kept.data_location = 1
    for key, value in {"location": location, **more}.items():
        kept.external_data.add(key=key, value=str(value))
    return written(model, folder)


def test_data_in_another_file(tmp_path: Path) -> None:
    required("onnx")
    folder = tmp_path / "inside"
    folder.mkdir()
    values = real(5)
    for place in (folder, tmp_path):
        (place / "weights.bin").write_bytes(values.tobytes())
    network = load(external(folder, "weights.bin", offset=8, length=12))
    agree(network(np.zeros((2, 3), np.float32)), np.tile(values[2:], (2, 1)))
    (folder / "link.bin").symlink_to(tmp_path / "weights.bin")
    for location in ("../weights.bin", str(tmp_path / "weights.bin"), "link.bin", "", "a\0b", "."):
        with pytest.raises(LoadError, match=r"own folder|is not there"):
            load(external(folder, location))
    with pytest.raises(LoadError, match=r"its data file 'none\.bin' is not there"):
        load(external(folder, "none.bin"))
    for more in ({"offset": 12}, {"offset": -4}, {"length": 8}, {"offset": 1 << 60}):
        with pytest.raises(LoadError, match="expected 12 bytes at"):
            load(external(folder, "weights.bin", **more))
    with pytest.raises(LoadError, match="expected a whole number as offset"):
        load(external(folder, "weights.bin", offset="x"))


@pytest.mark.parametrize(
    ("name", "operands", "settings", "words"),
    [
        ("Pad", (real(2, 3), whole(0, 1 << 40, 0, 0)), {}, "at most 2,147,483,648 elements|shapes or types"),
        ("Expand", (real(1), whole(1 << 20, 1 << 20)), {}, "at most 2,147,483,648 elements"),
        (
            "Conv",
            (real(1, 1, 5, 5), real(1, 1, 3, 3)),
            {"pads": [1 << 40] * 4},
            "from 0 to 65536|shapes or types",
        ),
        (
            "Pad",
            (real(2, 3), whole(1, 1, 1, 1)),
            {"mode": "reflect"},
            "expected mode constant, got 'reflect'",
        ),
        ("Slice", (real(4), whole(3), whole(0), whole(0), whole(-1)), {}, "positive steps"),
        ("MaxPool", (real(1, 1, 4, 4),), {"kernel_shape": [2, 2], "storage_order": 1}, "storage_order 0"),
    ],
)
def test_settings_that_are_not_computed(
    name: str, operands: Any, settings: Any, words: str, tmp_path: Path
) -> None:
    model, x = single(name, *operands, **settings)
    with pytest.raises(LoadError, match=words):
        load(written(model, tmp_path))(x)
