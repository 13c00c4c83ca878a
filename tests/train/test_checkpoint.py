"""Files of arrays and whole trainings: exact, and written or taken over wholly or not at all."""

from __future__ import annotations

import errno
import io
import json
import math
import os
import pickle
import random
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save as serialize
from safetensors.numpy import save_file

from minitorch.train import checkpoint
from minitorch.train.checkpoint import (
    Checkpoint,
    CheckpointError,
    flatten,
    load,
    load_checkpoint,
    save,
    save_checkpoint,
    unflatten,
)


class Model:
    """Two weights under dotted names, all or nothing on loading."""

    def __init__(self, values: int = 4) -> None:
        self.weights = {"body.weight": np.zeros(values, np.float32), "head.weight": np.zeros((), np.float64)}

    def state_dict(self) -> dict[str, Any]:
        return {name: np.array(value) for name, value in self.weights.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        shapes = {name: value.shape for name, value in self.weights.items()}
        if shapes != {name: value.shape for name, value in state.items()}:
            raise RuntimeError(f"body.weight has shape {self.weights['body.weight'].shape}")
        self.weights = {name: value.copy() for name, value in state.items()}


class Momentum:
    """Hands out its live arrays, and stops half way when a state does not fit."""

    def __init__(self, model: Model, lr: float = 0.1) -> None:
        self.model = model
        self.settings = {"lr": lr, "betas": (0.9, 0.999), "limit": math.inf, "floor": -math.inf, "on": True}
        self.m: list[Any] = []

    def state_dict(self) -> dict[str, Any]:
        return {"settings": self.settings, "state": {"m": self.m, "none": None}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.settings = {**state["settings"], "betas": tuple(state["settings"]["betas"])}
        if any(not np.isfinite(m).all() for m in state["state"]["m"]):
            raise ValueError("m is not finite")
        self.m = list(state["state"]["m"])

    def step(self) -> None:
        weights = self.model.weights
        noise = {name: np.asarray(random.random(), value.dtype) for name, value in weights.items()}
        self.m = self.m or [np.zeros_like(value) for value in weights.values()]
        for m, (name, value) in zip(self.m, weights.items()):
            m *= 0.9
            m += noise[name] - value
            weights[name] = (value + self.settings["lr"] * m).astype(value.dtype)


class Decay:
    """Lowers the rate of an optimizer."""

    def __init__(self, optimizer: Momentum) -> None:
        self.optimizer = optimizer
        self.count = 0

    def step(self) -> None:
        self.count += 1
        self.optimizer.settings["lr"] *= 0.7

    def state_dict(self) -> dict[str, Any]:
        return {"count": self.count}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.count = state["count"]


def training(values: int = 4) -> tuple[Model, Momentum, Decay]:
    model = Model(values)
    optimizer = Momentum(model)
    return model, optimizer, Decay(optimizer)


def train(parts: tuple[Model, Momentum, Decay], steps: int) -> None:
    for _ in range(steps):
        parts[1].step()
        parts[2].step()


def frozen(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: frozen(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [frozen(value) for value in node]
    return (node.dtype.str, node.shape, node.tobytes()) if isinstance(node, np.ndarray) else repr(node)


def snapshot(*parts: Any) -> Any:
    """Copy all that a checkpoint must bring back, or leave alone, to the last bit."""
    return frozen([part.state_dict() for part in parts]), random.getstate()


@pytest.fixture(autouse=True)
def sealed_random() -> Iterator[None]:
    state = random.getstate()
    random.seed(7)
    yield
    random.setstate(state)


DTYPES = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"]
SUFFIXES = [".safetensors", ".npz"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_arrays_come_back(tmp_path: Path, suffix: str) -> None:
    grid = np.arange(24.0).reshape(4, 6)
    state = {word: np.array([0, 1, 100]).astype(word) for word in DTYPES}
    state |= {
        "transposed": grid.T,
        "steps": grid[::2, 1::3],
        "backwards": grid[::-1],
        "foreign.order": grid.astype(">f4"),
        "scalar": np.array(3.5),
        "empty": np.zeros((0, 3)),
        "special": np.array([math.nan, math.inf, -math.inf, -0.0]),
        "file": grid,
        "ä/ö \\ .npy": grid,
    }
    path = tmp_path / f"state{suffix}"
    save(state, path)
    read = load(str(path))
    assert set(read) == set(state)
    for name, value in state.items():
        np.testing.assert_array_equal(read[name], value)
        assert read[name].dtype == value.dtype.newbyteorder("=")
        assert read[name].shape == value.shape
        assert read[name].flags.writeable
    assert np.signbit(read["special"][3])
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_lists_are_saved_and_an_empty_state(tmp_path: Path, suffix: str) -> None:
    save({"a": [[1.0, 2.0]], "b": 3}, tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(load(tmp_path / f"a{suffix}")["a"], [[1.0, 2.0]])
    assert load(tmp_path / f"a{suffix}")["b"].shape == ()
    save({}, tmp_path / f"empty{suffix}")
    assert load(tmp_path / f"empty{suffix}") == {}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("value", [np.array([None]), np.array(["a"]), np.array([1j]), object()])
def test_only_numbers_are_saved(tmp_path: Path, suffix: str, value: Any) -> None:
    with pytest.raises(TypeError, match="words has dtype"):
        save({"words": value}, tmp_path / f"a{suffix}")
    assert os.listdir(tmp_path) == []


def test_other_suffixes(tmp_path: Path) -> None:
    for suffix in (".pth", ".json", ""):
        with pytest.raises(ValueError, match="saved as"):
            save({}, tmp_path / f"a{suffix}")
    with pytest.raises(ValueError, match="loaded from"):
        load(tmp_path / "a.json")
    with pytest.raises(ValueError, match="__metadata__"):
        save({"__metadata__": [1.0]}, tmp_path / "a.safetensors")
    save({"a": [1.0]}, tmp_path / "A.NPZ")
    assert list(load(tmp_path / "A.NPZ")) == ["a"]


def refused(path: Path, *words: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        load(path)
    for word in (str(path), *words):
        assert word in str(caught.value)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".pth"])
def test_missing_and_foreign_files(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    refused(path, "No such file")
    for content in (b"", b"no tensors at all", bytes(500), b"PK\x03\x04" * 20):
        path.write_bytes(content)
        refused(path)
    path.unlink()
    path.mkdir()
    refused(path, "directory")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_cut_files(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    save({"a": np.arange(20.0), "b": np.ones(3)}, path)
    whole = path.read_bytes()
    for size in range(0, len(whole), 23):
        path.write_bytes(whole[:size])
        refused(path)


def test_no_pickle_in_npz(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, a=np.array([{"run": "me"}], dtype=object))
    refused(path, "it holds objects")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", pickle.dumps([1]))
    refused(path)


def test_npz_files_of_numpy(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", a=np.arange(5), b=np.asfortranarray(np.eye(3, 2)))
    state = load(tmp_path / "a.npz")
    np.testing.assert_array_equal(state["b"], np.eye(3, 2))
    save(state, tmp_path / "b.npz")
    with np.load(tmp_path / "b.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["a"], np.arange(5))


def test_pytorch_and_its_files(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file
    from safetensors.torch import save_file as torch_save_file

    parts = training()
    train(parts, 2)
    save_checkpoint(tmp_path / "a.safetensors", *parts, epoch=1, extra={"bound": math.inf})
    tensors = load_file(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(tensors["model.body.weight"].numpy(), parts[0].weights["body.weight"])
    np.testing.assert_array_equal(tensors["optimizer.state.m.0"].numpy(), parts[1].m[0])

    half = torch.linspace(-3, 3, 7).to(torch.bfloat16)
    torch_save_file({"x": half, "n": torch.arange(3)}, tmp_path / "b.safetensors")
    state = load(tmp_path / "b.safetensors")
    np.testing.assert_array_equal(state["x"], half.float().numpy())
    np.testing.assert_array_equal(state["n"], [0, 1, 2])
    torch_save_file({"x": half.to(torch.float8_e4m3fn)}, tmp_path / "c.safetensors")
    refused(tmp_path / "c.safetensors", "x has dtype F8_E4M3")

    torch.save({"model": {"x": half}}, tmp_path / "d.PT")
    np.testing.assert_array_equal(load(tmp_path / "d.PT")["model.x"], half.float().numpy())


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    path = tmp_path / "a.safetensors"
    save({"a": [1.0]}, path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, failing, full)
        with pytest.raises(CheckpointError, match="cannot be written: No space left on device") as caught:
            save({"a": [2.0]}, path)
        assert str(path) in str(caught.value)
        patch.setattr(os, failing, interrupted)
        with pytest.raises(KeyboardInterrupt):
            save({"a": [2.0]}, path)
    assert os.listdir(tmp_path) == [path.name]
    np.testing.assert_array_equal(load(path)["a"], [1.0])


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in ("none", "file"):
        path = tmp_path / folder / "a.npz"
        with pytest.raises(CheckpointError, match="cannot be written") as caught:
            save({"a": [1.0]}, path)
        assert str(path) in str(caught.value)


def test_a_resumed_training_goes_on_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    parts = training()
    train(parts, 3)
    random.gauss(0, 1)  # leaves a second number waiting
    extra = {"names": ["a", None], "nan": math.nan, "low": -math.inf, "tiny": 5e-324}
    save_checkpoint(path, *parts, epoch=2, step=3, extra=extra)
    gauss = random.gauss(0, 1)
    train(parts, 3)

    random.seed(99)
    resumed = training()
    found = load_checkpoint(str(path), *resumed)
    assert isinstance(found, Checkpoint)
    assert (found.epoch, found.step) == (2, 3)
    assert math.isnan(found.extra.pop("nan"))
    assert found.extra == {"names": ["a", None], "low": -math.inf, "tiny": 5e-324}
    assert random.gauss(0, 1) == gauss
    train(resumed, 3)
    assert snapshot(*resumed) == snapshot(*parts)


def test_saving_changes_nothing_and_equal_states_give_equal_files(tmp_path: Path) -> None:
    parts = training()
    train(parts, 2)
    before = snapshot(*parts)
    save_checkpoint(tmp_path / "a", *parts)
    save_checkpoint(tmp_path / "b", *parts)
    assert snapshot(*parts) == before
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_format(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    parts = training()
    train(parts, 1)
    save_checkpoint(path, *parts, epoch=1, step=5, extra=[1])
    names = ["model.body.weight", "model.head.weight", "optimizer.state.m.0", "optimizer.state.m.1"]
    assert sorted(load(path)) == names
    with safe_open(path, framework="np") as file:
        metadata = file.metadata()
    assert list(metadata) == ["minitorch"]
    header = json.loads(metadata["minitorch"])
    assert (header["format"], header["epoch"], header["step"], header["extra"]) == (1, 1, 5, [1])
    assert header["optimizer"]["settings"]["betas"] == [0.9, 0.999]
    assert header["scheduler"] == {"count": 1}
    assert header["tensors"] == names
    assert len(header["random"]) == 3


def test_parts_may_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    parts = training()
    train(parts, 2)
    save_checkpoint(path, *parts)
    model = Model()
    assert load_checkpoint(path, model) == Checkpoint(0, 0, None)
    assert snapshot(model) == snapshot(parts[0])
    save_checkpoint(path, model)
    for missing, others in (("optimizer", parts[:2]), ("scheduler", (parts[0], None, parts[2]))):
        before = snapshot(*parts)
        with pytest.raises(CheckpointError, match=f"saved without {missing}"):
            load_checkpoint(path, *others)
        assert snapshot(*parts) == before


def test_what_cannot_be_saved(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with pytest.raises(TypeError, match="not JSON serializable"):
        save_checkpoint(path, Model(), extra={1, 2})
    with pytest.raises(TypeError, match="a key of extra is 3, not a string"):
        save_checkpoint(path, Model(), extra={3: "three"})
    with pytest.raises(ValueError, match=r"extra\.a\.b leads to an array and to something else"):
        save_checkpoint(path, Model(), extra={"a.b": np.ones(1), "a": {"b": None}})
    assert os.listdir(tmp_path) == []


def edited(path: Path, **changes: Any) -> None:
    """Write the checkpoint anew with some entries of its header changed, or removed by ``...``."""
    tensors = load(path)
    with safe_open(path, framework="np") as file:
        header = json.loads(file.metadata()["minitorch"])
    header = {key: value for key, value in {**header, **changes}.items() if value is not ...}
    save_file(tensors, path, {"minitorch": json.dumps(header)})


BROKEN: dict[str, dict[str, Any]] = {
    "newer": {"format": 2},
    "no format": {"format": ...},
    "no tensors": {"tensors": ...},
    "no list": {"tensors": 4},
    "no epoch": {"epoch": ...},
    "no scheduler": {"scheduler": ...},
    "no random": {"random": None},
    "other random": {"random": [3, [1, 2, 3], None]},
    "wild random": {"random": [3, [-1] * 625, None]},
    "word random": {"random": [3, ["a"] * 625, None]},
    "lost tensor": {"tensors": ["model.body.weight"]},
    "scheduler": {"scheduler": {"steps": 3}},
    "optimizer": {"optimizer": {"settings": {"lr": 9.0, "betas": []}, "state": {}}},
    "optimizer list": {"optimizer": [1]},
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_checkpoint_that_does_not_fit_changes_nothing(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "a.safetensors"
    parts = training()
    train(parts, 2)
    save_checkpoint(path, *parts)
    edited(path)
    load_checkpoint(path, *parts)
    edited(path, **BROKEN[fault])
    train(parts, 2)
    before = snapshot(*parts)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path, *parts)
    assert str(path) in str(caught.value)
    assert snapshot(*parts) == before


@pytest.mark.parametrize("content", [b"[1]", b"{", b"3", b'"word"'])
def test_other_headers(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"model.a": np.ones(1)}, path, {"minitorch": content.decode()})
    with pytest.raises(CheckpointError, match="header of the checkpoint is damaged"):
        load_checkpoint(path, Model())
    save_file({"model.a": np.ones(1)}, path)
    with pytest.raises(CheckpointError, match="not a checkpoint of minitorch"):
        load_checkpoint(path, Model())


def test_cut_and_mismatched_checkpoints_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    parts = training()
    train(parts, 2)
    save_checkpoint(path, *parts)

    other = training(values=5)
    train(other, 1)
    before = snapshot(*other)
    with pytest.raises(CheckpointError, match=r"does not fit this model: body\.weight has shape \(5,\)"):
        load_checkpoint(path, *other)
    whole = path.read_bytes()
    for size in (0, 7, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(CheckpointError, match="cut short"):
            load_checkpoint(path, *other)
    with pytest.raises(CheckpointError, match="No such file"):
        load_checkpoint(tmp_path / "none", *other)
    assert snapshot(*other) == before


def test_a_late_failure_takes_everything_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.safetensors"
    parts = training()
    save_checkpoint(path, *parts)
    train(parts, 2)
    before = snapshot(*parts)
    taken = Decay.load_state_dict

    def interrupted(self: Decay, state: Mapping[str, Any]) -> None:
        taken(self, state)
        if self.count == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(Decay, "load_state_dict", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load_checkpoint(path, *parts)
    assert snapshot(*parts) == before


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ARRAYS = st.lists(st.floats(), max_size=3).map(np.array)
TREES = st.recursive(
    PLAIN | ARRAYS,
    lambda node: st.lists(node, max_size=3) | st.dictionaries(st.text(max_size=3), node, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=3), TREES, max_size=3))
@settings(max_examples=60, deadline=None)
def test_any_tree_comes_back(tree: dict[str, Any]) -> None:
    try:
        skeleton, arrays = flatten(tree)
    except ValueError:  # two leaves share a dotted path: see the next test
        return
    assert frozen(unflatten(json.loads(json.dumps(skeleton)), arrays)) == frozen(tree)


def test_paths_of_a_tree() -> None:
    one = np.ones(1)
    skeleton, arrays = flatten({"m": {"conv1.weight": one, "list": [(one, 2), None]}, "lr": 0.1})
    assert list(arrays) == ["m.conv1.weight", "m.list.0.0"]
    assert skeleton == {"m": {"conv1.weight": None, "list": [[None, 2], None]}, "lr": 0.1}
    with pytest.raises(ValueError, match=r"the path a\.b"):
        flatten({"a.b": one, "a": {"b": one}})
    skeleton, arrays = flatten({"step": np.int64(3), "lr": np.float64(0.1)})
    assert skeleton == {"step": None, "lr": 0.1}
    assert arrays["step"].shape == ()
    with pytest.raises(TypeError, match="a key of the state is 1"):
        flatten({1: one})  # type: ignore[dict-item]


SAVER = """
import sys
import numpy as np
from minitorch.train.checkpoint import save_checkpoint

class Model:
    def state_dict(self):
        return {"weight": np.full(500_000, float(epoch))}

epoch = 0
while True:
    epoch += 1
    save_checkpoint(sys.argv[1], Model(), epoch=epoch)
    print(epoch, flush=True)
"""


class Weight:
    def __init__(self) -> None:
        self.weight = np.zeros(1)

    def state_dict(self) -> dict[str, Any]:
        return {"weight": self.weight}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.weight = state["weight"]


@pytest.mark.parametrize("delay", [0.0, 0.003, 0.011])
def test_a_process_killed_while_it_saves_leaves_a_whole_file(tmp_path: Path, delay: float) -> None:
    path = tmp_path / "a.safetensors"
    root = Path(checkpoint.__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", SAVER, str(path)],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        saved = [int(process.stdout.readline()) for _ in range(3)][-1]
        time.sleep(delay)
        process.kill()
    model = Weight()
    found = load_checkpoint(path, model)
    assert found.epoch >= saved
    np.testing.assert_array_equal(model.weight, np.full(500_000, float(found.epoch)))


def test_an_npz_file_cannot_exhaust_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40,)}
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header.getvalue() + bytes(8))
    with pytest.raises(CheckpointError, match="has 8 bytes, expected 8796093022208"):
        load(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as member:
        for _ in range(300):
            member.write(bytes(1 << 20))
    with pytest.raises(CheckpointError, match="unpacks to more than"):
        load(path)
    np.savez_compressed(path, x=np.zeros((1000, 1000)), y=np.asfortranarray(np.arange(6.0).reshape(2, 3)))
    assert load(path)["x"].shape == (1000, 1000)
    np.testing.assert_array_equal(load(path)["y"], np.arange(6.0).reshape(2, 3))


def test_a_header_nested_too_deep_is_one_error(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    nested = "[" * 100_000 + "]" * 100_000
    path.write_bytes(serialize({}, {"minitorch": f'{{"format": 1, "tensors": [], "extra": {nested}}}'}))
    with pytest.raises(CheckpointError, match="header of the checkpoint is damaged"):
        load_checkpoint(path, Model())


def test_arrays_come_by_name(tmp_path: Path) -> None:
    names = [f"layer{n}.weight" for n in range(30)]
    path = tmp_path / "weights.safetensors"
    save({name: np.zeros(2) for name in reversed(names)}, path)
    assert [list(load(path)) for _ in range(5)] == [sorted(names)] * 5
