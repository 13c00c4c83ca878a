"""Files of PyTorch: read exactly, without PyTorch, and without doing what a file asks for."""

from __future__ import annotations

import gc
import io
import pickle
import struct
import tempfile
import time
import tracemalloc
import weakref
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minitorch.train.torch_format import CheckpointError, read_objects, read_pth

Write = Callable[..., Path]


# A pickle by hand, opcode by opcode: so these tests need no PyTorch, and can say what PyTorch never would.


def plain(value: Any) -> bytes:
    return pickle.dumps(value, 2)[2:-1]


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def several(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def call(function: bytes, *parts: bytes) -> bytes:
    return function + several(*parts) + b"R"


def mapping(**items: bytes) -> bytes:
    return b"}(" + b"".join(plain(key) + value for key, value in items.items()) + b"u"


def storage(kind: bytes = name("torch", "FloatStorage"), key: str = "0", values: int = 6) -> bytes:
    return several(plain("storage"), kind, plain(key), plain("cpu"), plain(values)) + b"Q"


NO_HOOKS = call(name("collections", "OrderedDict"))
REBUILD = name("torch._utils", "_rebuild_tensor_v2")


def tensor(
    under: bytes, offset: int = 0, size: Any = (2, 3), stride: Any = (3, 1), *more: bytes, by: bytes = REBUILD
) -> bytes:
    return call(by, under, plain(offset), plain(size), plain(stride), plain(False), NO_HOOKS, *more)


SIX = np.arange(6, dtype="<f4")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: bytes, *storages: bytes, byteorder: bytes | None = b"little") -> Path:
        path = tmp_path / "model.pth"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("model/data.pkl", b"\x80\x02" + content + b".")
            for key, raw in enumerate(storages or (SIX.tobytes(),)):
                archive.writestr(f"model/data/{key}", raw)
            if byteorder is not None:
                archive.writestr("model/byteorder", byteorder)
            archive.writestr("model/version", b"3\n")
        return path

    return write


def refused(path: Path, *words: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        read_pth(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    for word in words:
        assert word in message


def test_a_tensor(write: Write) -> None:
    state = read_pth(write(mapping(weight=tensor(storage()))))
    assert list(state) == ["weight"]
    np.testing.assert_array_equal(state["weight"], SIX.reshape(2, 3))
    assert state["weight"].dtype == np.float32
    state["weight"][0, 0] = 7.0  # one's own, not a window into the file


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("DoubleStorage", "f8"),
        ("FloatStorage", "f4"),
        ("HalfStorage", "f2"),
        ("LongStorage", "i8"),
        ("IntStorage", "i4"),
        ("ShortStorage", "i2"),
        ("CharStorage", "i1"),
        ("ByteStorage", "u1"),
        ("BoolStorage", "?"),
        ("ComplexFloatStorage", "c8"),
        ("ComplexDoubleStorage", "c16"),
    ],
)
@pytest.mark.parametrize(("byteorder", "sign"), [(b"little", "<"), (b"big", ">"), (None, "<")])
def test_every_dtype(write: Write, kind: str, code: str, byteorder: bytes | None, sign: str) -> None:
    values = np.array([0, 1, 2, 100, 5, 1]).astype(sign + code)
    path = write(mapping(x=tensor(storage(name("torch", kind)))), values.tobytes(), byteorder=byteorder)
    read = read_pth(path)["x"]
    assert read.dtype == np.dtype(code)
    np.testing.assert_array_equal(read, values.reshape(2, 3))


@pytest.mark.parametrize(("byteorder", "sign"), [(b"little", "<"), (b"big", ">")])
def test_bfloat16_is_widened_exactly(write: Write, byteorder: bytes, sign: str) -> None:
    floats = np.array([1.0, -2.5, 0.0, np.inf, 2.0**-130, 3.0e38], np.float32)
    bits = (floats.view(np.uint32) >> 16).astype(f"{sign}u2")
    under = storage(name("torch", "BFloat16Storage"))
    content = mapping(x=tensor(under), one=tensor(under, 1, (), ()))
    state = read_pth(write(content, bits.tobytes(), byteorder=byteorder))
    expected = (bits.astype(np.uint32) << 16).view(np.float32).reshape(2, 3)
    np.testing.assert_array_equal(state["x"], expected)
    assert state["one"].shape == ()
    assert state["one"] == np.float32(-2.5)


@pytest.mark.parametrize(
    ("offset", "size", "stride", "expected"),
    [
        (0, (3, 2), (1, 3), [[0, 3], [1, 4], [2, 5]]),
        (1, (2,), (2,), [1, 3]),
        (5, (), (), 5),
        (4, (2, 2), (0, 1), [[4, 5], [4, 5]]),
        (6, (0,), (1,), []),
        (0, (0, 3), (3, 1), np.zeros((0, 3))),
    ],
)
def test_views(write: Write, offset: int, size: Any, stride: Any, expected: Any) -> None:
    read = read_pth(write(mapping(x=tensor(storage(), offset, size, stride))))["x"]
    np.testing.assert_array_equal(read, np.asarray(expected, np.float32))
    assert read.flags.c_contiguous
    assert read.flags.writeable


def test_tensors_on_one_storage_are_read_apart(write: Write) -> None:
    state = read_pth(write(mapping(a=tensor(storage()), b=tensor(storage()))))
    state["a"][:] = 9.0
    np.testing.assert_array_equal(state["b"], SIX.reshape(2, 3))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("kind", ["path", "file", "bytes", "wrapper"])
def test_arrays_are_writable_and_share_no_memory(tmp_path: Path, kind: str, compression: int) -> None:
    size = 3 * (1 << 17) + 5  # several pieces and a rest, of 4 bytes each
    elements = np.random.default_rng(0).standard_normal(size).astype("<f4")
    under = storage(values=size)
    names = [tensor(under, size=(size,), stride=(1,)), tensor(under, size=(5, 2), stride=(2, 1))]
    content = b"\x80\x02" + mapping(a=names[0], b=names[0], c=names[1]) + b"."
    path = tmp_path / "several.pth"
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/data/0", elements.tobytes())
    with tempfile.NamedTemporaryFile() as wrapper, path.open("rb") as file:
        wrapper.write(path.read_bytes())
        sources: dict[str, Any] = {"path": path, "file": file, "wrapper": wrapper}
        sources["bytes"] = io.BytesIO(path.read_bytes())
        read = read_objects(sources[kind])
    a, b, c = (read[key] for key in "abc")
    assert np.array_equal(a, elements)
    assert np.array_equal(b, elements)
    assert np.array_equal(c, elements[:10].reshape(5, 2))
    assert all(array.flags.writeable and array.flags.aligned for array in (a, b, c))
    a[:] = 1.0
    assert np.array_equal(b, elements)
    assert np.array_equal(c, elements[:10].reshape(5, 2))


def test_arrays_are_gone_with_the_last_reference(write: Write) -> None:
    put = [b"q" + bytes([k]) for k in (50, 51, 52)]  # PyTorch's pickles remember each object
    path = write(mapping(w=tensor(storage() + put[0]) + put[1], v=tensor(b"h2") + put[2]))
    gc.collect()
    gc.disable()
    try:
        state = read_pth(path)
        references = [weakref.ref(array) for array in state.values()]
        references += [weakref.ref(array.base) for array in state.values() if array.base is not None]
        del state
        assert len(references) == 3
        assert [r() for r in references] == [None] * 3
    finally:
        gc.enable()


@pytest.mark.parametrize("damage", ["mark", "name", "length of the name", "length of more", "bytes"])
def test_a_damaged_header_or_record_is_found(write: Write, damage: str) -> None:
    path = write(mapping(w=tensor(storage())))
    content = bytearray(path.read_bytes())
    start = content.index(b"model/data/0") - 30
    assert content[start : start + 4] == b"PK\x03\x04"
    places = {"mark": 0, "name": 30, "length of the name": 26, "length of more": 28, "bytes": 45}
    content[start + places[damage]] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError):
        read_pth(path)


def test_a_dtype_beside_the_storage(write: Write) -> None:
    rebuild = name("torch._utils", "_rebuild_tensor_v3")
    under = storage(name("torch.storage", "UntypedStorage"), values=12)
    values = np.array([1, 2, 3, 4, 5, 65535], "<u2")
    path = write(
        mapping(x=tensor(under, 0, (6,), (1,), name("torch", "uint16"), by=rebuild)), values.tobytes()
    )
    np.testing.assert_array_equal(read_pth(path)["x"], values)
    refused(write(mapping(x=tensor(under)), values.tobytes()), "unknown dtype")


def test_parameters_and_ordered_dicts_with_attributes(write: Write) -> None:
    parameter = call(name("torch._utils", "_rebuild_parameter"), tensor(storage()), plain(True), NO_HOOKS)
    ordered = NO_HOOKS + b"(" + plain("weight") + parameter + b"u" + plain({"_metadata": {}}) + b"b"
    np.testing.assert_array_equal(read_pth(write(ordered))["weight"], SIX.reshape(2, 3))


def test_nested_names_and_what_is_no_tensor(write: Write) -> None:
    inner = mapping(weight=tensor(storage()))
    several_of_them = b"](" + tensor(storage()) + plain("word") + tensor(storage()) + b"e"
    path = write(
        mapping(epoch=plain(3), arch=plain("lenet"), none=plain(None), model=inner, m=several_of_them)
    )
    assert list(read_pth(path)) == ["model.weight", "m.0", "m.2"]


def test_an_empty_dict(write: Write) -> None:
    assert read_pth(write(plain({}))) == {}


@pytest.mark.parametrize(
    ("module", "attribute"),
    [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("__builtin__", "exec"),
        ("subprocess", "Popen"),
        ("numpy", "load"),
        ("torch", "load"),
        ("torch._utils", "_rebuild_tensor_v2.__globals__"),
        ("minitorch.train.torch_format", "_Storage"),
        ("collections", "OrderedDict.fromkeys"),
    ],
)
def test_nothing_in_a_file_is_run(write: Write, tmp_path: Path, module: str, attribute: str) -> None:
    witness = tmp_path / "witness"
    path = write(mapping(x=call(name(module, attribute), plain(f"touch {witness}")), y=tensor(storage())))
    refused(path, f"{module}.{attribute}")
    assert not witness.exists()


@pytest.mark.parametrize("state", [{"spoiled": 1}, (None, {"__defaults__": (1, 2, 3)})])
@pytest.mark.parametrize(
    "target", [REBUILD, name("collections", "OrderedDict"), name("torch", "FloatStorage"), storage()]
)
def test_a_file_cannot_spoil_the_reader(write: Write, target: bytes, state: Any) -> None:
    path = write(target + plain(state) + b"b0" + mapping(x=tensor(storage())))
    with suppress(CheckpointError):
        read_pth(path)
    np.testing.assert_array_equal(read_pth(write(mapping(x=tensor(storage()))))["x"], SIX.reshape(2, 3))


LYING = {
    "past the end": tensor(storage(), 1),
    "before the start": tensor(storage(), -1, (2,), (1,)),
    "backwards": tensor(storage(), 0, (2,), (-1,)),
    "huge stride": tensor(storage(), 0, (2,), (2**61,)),
    "huge size": tensor(storage(), 0, (2**62, 2**62), (0, 0)),
    "more than memory": tensor(storage(), 0, (2**50,), (0,)),
    "negative size": tensor(storage(), 0, (-2,), (1,)),
    "odd lengths": tensor(storage(), 0, (2, 3), (1,)),
    "fractions": tensor(storage(), 0.5),  # type: ignore[arg-type]
    "objects": tensor(storage(plain("O")), 0, (1,), (1,)),
    "not on a storage": tensor(plain(("f4", "<", b"")), 0, (1,), (1,)),
    "no such storage": tensor(storage(key="7")),
    "not a storage": tensor(several(*map(plain, ["module", "a", "0", "cpu", 6])) + b"Q"),
    "malformed reference": tensor(plain(3) + b"Q"),
    "conjugate": tensor(storage(), 0, (2, 3), (3, 1), plain({"conj": True})),
    "too few values": call(REBUILD, storage()),
    "ends early": b"(",
    "sparse": call(name("torch._utils", "_rebuild_sparse_tensor"), storage()),
}


@pytest.mark.parametrize("lie", LYING)
def test_lies(write: Write, lie: str) -> None:
    refused(write(mapping(x=LYING[lie])), "not a PyTorch state dict")


def test_other_contents(write: Write) -> None:
    refused(write(tensor(storage())), "holds a tensor, not a dict")
    refused(write(plain([1, 2])), "holds a list")
    refused(write(plain({"epoch": 3})), "no tensors")
    twice = mapping(a=mapping(b=tensor(storage())), **{"a.b": tensor(storage())})
    refused(write(twice), "two of its tensors are called 'a.b'")
    refused(write(b"}q\x07" + plain("self") + b"h\x07s"), "nested more than 100 levels")


def test_other_files(tmp_path: Path, write: Write) -> None:
    refused(tmp_path / "none.pth", "No such file")
    refused(tmp_path, "cannot be read")
    path = tmp_path / "other.pth"
    path.write_text("weights")
    refused(path, "not a PyTorch archive")
    path.write_bytes(b"")
    refused(path, "not a PyTorch archive")
    path.write_bytes(pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2))
    refused(path, "not a PyTorch state dict")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "none")
    refused(path, "data.pkl")


def test_a_cut_file(tmp_path: Path, write: Write) -> None:
    whole = write(mapping(x=tensor(storage()))).read_bytes()
    cut = tmp_path / "cut.pth"
    for size in range(0, len(whole), 37):
        cut.write_bytes(whole[:size])
        refused(cut)


def test_a_changed_byte_is_found(tmp_path: Path, write: Write) -> None:
    path = write(mapping(x=tensor(storage())))
    content = bytearray(path.read_bytes())
    content[content.index(struct.pack("<f", 5.0))] ^= 1
    path.write_bytes(content)
    refused(path)


# Against PyTorch itself.


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


def test_a_model_of_pytorch(torch: Any, tmp_path: Path) -> None:
    nn = torch.nn
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(8, 2))
    torch.save(model.state_dict(), tmp_path / "model.pt")
    state = read_pth(tmp_path / "model.pt")
    assert list(state) == list(model.state_dict())
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(state[key], value.numpy())
        assert state[key].dtype == value.numpy().dtype


def test_a_training_of_pytorch(torch: Any, tmp_path: Path) -> None:
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    whole = {"epoch": 4, "arch": "linear", "model": model.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save(whole, tmp_path / "training.pth")
    state = read_pth(tmp_path / "training.pth")
    np.testing.assert_array_equal(state["model.weight"], model.weight.detach().numpy())
    average = optimizer.state_dict()["state"][1]["exp_avg"]
    np.testing.assert_array_equal(state["optimizer.state.1.exp_avg"], average.numpy())


def test_dtypes_and_views_of_pytorch(torch: Any, tmp_path: Path) -> None:
    floats = [torch.float64, torch.float32, torch.float16, torch.complex64]
    signed = [torch.int64, torch.int32, torch.int16, torch.int8]
    unsigned = [torch.uint64, torch.uint32, torch.uint16, torch.uint8, torch.bool]
    base = torch.arange(24.0).reshape(4, 6)
    numbers = torch.tensor([0, 1, 3, 100])
    tensors = {str(dtype): numbers.to(dtype) for dtype in [*floats, *signed, *unsigned]}
    tensors |= {
        "transposed": base.T,
        "slice": base[1:3, ::2],
        "expanded": base[:1].expand(5, 6),
        "one": base[2, 3],
        "none": torch.zeros(0, 3),
        "end": base[4:],
        "parameter": torch.nn.Parameter(base),
    }
    torch.save(tensors, tmp_path / "all.pth")
    state = read_pth(tmp_path / "all.pth")
    for key, value in tensors.items():
        np.testing.assert_array_equal(state[key], value.detach().numpy())
        assert state[key].dtype == value.detach().numpy().dtype
    half = torch.randn(50).to(torch.bfloat16)
    torch.save({"x": half}, tmp_path / "half.pth")
    np.testing.assert_array_equal(read_pth(tmp_path / "half.pth")["x"], half.float().numpy())


def old_file(torch: Any, path: Path) -> dict[str, Any]:
    base = torch.arange(24.0).view(2, 3, 4)
    content = {
        "x": base.transpose(0, 2), "part": base[1], "long": torch.arange(5), "flags": torch.tensor([True, False]),
        "half": torch.randn(7).to(torch.bfloat16), "none": torch.zeros(0, 3), "epoch": 3,
    }  # fmt: skip
    torch.save(content, path, _use_new_zipfile_serialization=False)
    return content


def test_the_format_before_pytorch_1_6(torch: Any, tmp_path: Path) -> None:
    path = tmp_path / "old.pth"
    content = old_file(torch, path)
    assert content.pop("epoch") == read_objects(path)["epoch"] == 3
    state = read_pth(path)
    assert state.keys() == content.keys()
    for key, value in content.items():
        expected = value.float() if key == "half" else value
        np.testing.assert_array_equal(state[key], expected.numpy())
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    torch.save(model.state_dict(), path, _use_new_zipfile_serialization=False)
    with path.open("rb") as file:
        assert {k: v.shape for k, v in read_objects(file).items()} == {
            k: tuple(v.shape) for k, v in model.state_dict().items()
        }


def test_damaged_files_of_the_format_before_pytorch_1_6(torch: Any, tmp_path: Path) -> None:
    path = tmp_path / "old.pth"
    old_file(torch, path)
    whole = path.read_bytes()
    draw = np.random.default_rng(0)
    messages = []
    for k in range(600):
        changed = bytearray(whole[: int(draw.integers(len(whole)))] if k % 2 else whole)
        if not k % 2:
            changed[int(draw.integers(len(whole)))] = int(draw.integers(256))
        path.write_bytes(changed)
        try:
            read_objects(path)
        except CheckpointError as error:
            messages.append(str(error))
    assert len(messages) >= 300  # each file that is cut
    assert not any("\n" in message for message in messages)
    for what, message in (
        (whole.replace(b"FloatStorage", b"EvalStorages"), "EvalStorages"),
        (whole.replace(b"_rebuild_tensor_v2", b"_rebuild_anything_"), "_rebuild_anything_"),
        (whole.replace(pickle.dumps(1001, 2)[2:], pickle.dumps(1002, 2)[2:]), "version"),
    ):
        path.write_bytes(what)
        refused(path, message)


def test_a_whole_model_of_pytorch_is_refused(torch: Any, tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "whole.pth")
    refused(tmp_path / "whole.pth", "torch.nn.modules.linear.Linear")


def test_plain_containers(write: Write) -> None:
    # What torch.load(weights_only=True) reads beside tensors; in a file it is left out.
    others = {
        "counter": call(name("collections", "Counter"), plain({1: 2})),
        "empty": call(name("collections", "Counter")),
        "set": call(name("__builtin__", "set"), plain([1, 2])),
        "frozen": call(name("builtins", "frozenset"), plain([1, 2])),
        "size": call(name("torch", "Size"), plain((1, 2))),
        "device": call(name("torch", "device"), plain("cuda"), plain(1)),
        "dtype": name("torch", "float32"),
        "bytes": call(name("_codecs", "encode"), plain("x"), plain("latin1")),
    }
    path = write(mapping(w=tensor(storage()), **others))
    assert list(read_pth(path)) == ["w"]
    for wrong in (
        call(name("torch", "Size"), plain(1 << 40)),
        call(name("builtins", "bytearray"), plain(1 << 40)),
        call(name("collections", "Counter"), plain("letters")),
        call(name("builtins", "set"), plain("letters")),
        call(name("_codecs", "encode"), plain("x"), plain("utf-7")),
    ):
        refused(write(mapping(w=tensor(storage()), wrong=wrong)))


def test_bytes_of_a_bool_that_are_neither_0_nor_1(write: Write) -> None:
    x = read_pth(
        write(mapping(x=tensor(storage(name("torch", "BoolStorage")))), bytes([0, 1, 2, 3, 255, 0]))
    )["x"]
    np.testing.assert_array_equal(x, [[False, True, True], [True, True, False]])
    assert x.view(np.uint8).max() == 1


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (mapping(x=tensor(storage(values=5))), "24 bytes, expected 20"),
        (mapping(x=tensor(storage(values=1 << 60))), "24 bytes, expected"),
        (mapping(x=tensor(storage(), 0, (1 << 20, 1 << 10), (0, 0))), "unpacks to more than"),
        (mapping(x=tensor(storage(), 0, (1 << 62, 1 << 62), (0, 0))), "unpacks to more than"),
        (
            mapping(**{f"x{i}": tensor(storage(), 0, (1 << 24,), (0,)) for i in range(8)}),
            "unpacks to more than",
        ),
        (mapping(x=tensor(storage(), 0, (-2, -3), (3, 1))), "shape (-2, -3)"),
        (mapping(x=tensor(storage(), 0, (2.0, 3), (3, 1))), "shape (2.0, 3)"),
        (mapping(x=tensor(storage(), -1)), ""),
        (mapping(x=tensor(storage(), 0, (2, 3), (1 << 61, 1))), ""),
        (mapping(x=tensor(storage()), deep=b")" + b"\x85" * 300_000), "nested more than 100 levels"),
        (
            mapping(x=tensor(storage())) + b"(" + b")" + b"\x85" * 300_000 + b"K\x01u",
            "nested more than 100 levels",
        ),
        (mapping(x=tensor(storage()), deep=b"]" * 50_000 + b"a" * 49_999), "nested more than 100 levels"),
        (b"]r\xff\xff\xff\x7f", "memo index"),
        (b"\x96" + b"\xff" * 7 + b"\x00", ""),
        # Lists that hold the one before twice: 2 ** 60 paths.
        (
            mapping(x=b"]q\x01" + b"".join(b"0](h\x01h\x01eq\x01" for _ in range(60))),
            "hold each other too often",
        ),
        (mapping(x=b"]q\x01h\x01a"), "nested more than 100 levels"),
        (mapping(**{"n" * 2000: tensor(storage())}), "name is longer"),
    ],
)
def test_a_file_cannot_exhaust_the_machine(write: Write, content: bytes, word: str) -> None:
    path = write(content)
    tracemalloc.start()
    try:
        start = time.perf_counter()
        refused(path, word)
        assert time.perf_counter() - start < 20.0
        assert tracemalloc.get_traced_memory()[1] < 1 << 29
    finally:
        tracemalloc.stop()


def test_a_record_that_unpacks_to_too_many_bytes(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/data.pkl", b"\x80\x02" + mapping(x=tensor(storage(values=75 << 20))) + b".")
        with archive.open("model/data/0", "w") as record:
            for _ in range(300):
                record.write(bytes(1 << 20))
    refused(path, "unpacks to more than")


def test_a_small_file_may_still_be_packed_and_expanded(write: Write) -> None:
    x = read_pth(write(mapping(x=tensor(storage(), 0, (1000, 1000), (0, 0)))))["x"]
    assert x.shape == (1000, 1000)
