"""Files that are cut, changed or replaced: data sets, weights, checkpoints, kernels, the folders of runs."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import pickle
import shutil
import tarfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import minitorch
from minitorch.cli.main import main
from minitorch.data import formats
from minitorch.data.download import DataError
from minitorch.fast_ops import kernel_cache
from minitorch.models import LeNet
from minitorch.train.checkpoint import CheckpointError, load, load_checkpoint, save, save_checkpoint

from .experiment import Outcome, command, errors, run, temporary_files
from .stops import SMALL

HEAD = 200  # bytes at the beginning of a file that are changed one by one
Reader = Callable[[Path], Any]


def _make_files(folder: Path) -> dict[str, tuple[Path, Reader]]:
    """Write one small file of each kind; return each with its reader."""
    draw = np.random.default_rng(0)
    idx, packed, batches = folder / "idx", folder / "packed", folder / formats.CIFAR_FOLDER
    for place in (idx, packed, batches):
        place.mkdir(parents=True)
    for name, count in zip(formats.IDX_NAMES, (20, 20, 10, 10)):
        shape = (count, 28, 28) if "idx3" in name else (count,)
        head = bytes((0, 0, 8, len(shape))) + b"".join(n.to_bytes(4, "big") for n in shape)
        content = head + draw.integers(0, 10, shape, np.uint8).tobytes()
        (idx / name).write_bytes(content)
        (packed / f"{name}.gz").write_bytes(gzip.compress(content))
    for name in (*formats.CIFAR_TRAIN, *formats.CIFAR_TEST):
        batch = {"data": draw.integers(0, 256, (4, 3072), np.uint8), "labels": [0, 1, 2, 9]}
        (batches / name).write_bytes(pickle.dumps(batch, protocol=2))
    archive = folder / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(batches, formats.CIFAR_FOLDER)
    arrays = {"a.weight": draw.normal(size=(5, 4)), "b": np.arange(3)}
    for suffix in (".safetensors", ".npz"):
        save(arrays, folder / f"weights{suffix}")
    model = minitorch.Linear(3, 2)
    save_checkpoint(folder / "checkpoint.safetensors", model, minitorch.Adam(model.parameters()), epoch=2)
    kernel_cache.write(folder / "kernels" / "kernel.py", b"def kernel(x):\n    return x\n")
    found: dict[str, tuple[Path, Reader]] = {
        "IDX": (idx / formats.IDX_NAMES[0], lambda path: formats.read_idx_set(path.parent)),
        "IDX, labels": (idx / formats.IDX_NAMES[1], lambda path: formats.read_idx_set(path.parent)),
        "IDX, gzip": (packed / f"{formats.IDX_NAMES[0]}.gz", lambda path: formats.read_idx_set(path.parent)),
        "CIFAR-10 batch": (batches / "data_batch_1", lambda path: formats.read_cifar(path.parent)),
        "CIFAR-10 archive": (archive, formats.read_cifar),
        "safetensors": (folder / "weights.safetensors", load),
        "npz": (folder / "weights.npz", load),
        "checkpoint": (folder / "checkpoint.safetensors", _read_checkpoint),
        "kernel": (folder / "kernels" / "kernel.py", kernel_cache.read),
    }
    with contextlib.suppress(ImportError):
        import torch

        torch.save({"a.weight": torch.ones(5, 4), "b": torch.arange(3)}, folder / "weights.pth")
        found["PyTorch"] = (folder / "weights.pth", load)
    return found


def _read_checkpoint(path: Path) -> Any:
    """Load a checkpoint; where it is refused, check that nothing has changed."""
    model = minitorch.Linear(3, 2)
    optimizer = minitorch.Adam(model.parameters())
    before = model.state_dict()
    try:
        load_checkpoint(path, model, optimizer)
    except CheckpointError:
        after = model.state_dict()
        if any(not np.array_equal(before[name], after[name]) for name in before):
            raise AssertionError("the model has changed") from None
        raise
    return model.state_dict()


def _changes(content: bytes, times: int) -> Iterator[tuple[str, bytes]]:
    """Yield a file cut at, and changed at, every byte of its head and ``times`` places of the rest."""
    size = len(content)
    places = sorted({*range(min(HEAD, size, times)), *(size * n // times for n in range(times)), size - 1})
    for n in places:
        yield f"cut at byte {n} of {size}", content[:n]
        yield f"byte {n} of {size} flipped", content[:n] + bytes((content[n] ^ 255,)) + content[n + 1 :]
        yield f"bit of byte {n} of {size}", content[:n] + bytes((content[n] ^ 1,)) + content[n + 1 :]
        block = b"\xff" * len(content[n : n + 16])
        yield f"16 bytes at {n} of {size}", content[:n] + block + content[n + 16 :]
    yield "longer", content + b"\0" * 100


def _shapes(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: np.shape(array) for name, array in value.items()}
    if isinstance(value, tuple):
        return tuple(np.shape(array) for split in value for array in split)
    return type(value)


def damaged_files(times: int, folder: Path) -> Outcome:
    """Read files after each change: all their arrays with the shapes they had, or one error that names the file."""
    outcome = Outcome()
    before = os.environ.get("MINITORCH_CACHE_DIR")
    os.environ["MINITORCH_CACHE_DIR"] = str(folder / "cache")
    try:
        for name, (path, read) in _make_files(folder / "files").items():
            content, expected = path.read_bytes(), _shapes(read(path))
            refused = 0
            for what, changed in _changes(content, times):
                path.write_bytes(changed)
                problems = []
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        found = read(path)
                    if found is None:  # a kernel is compiled anew
                        refused += 1
                    elif name != "npz" and _shapes(found) != expected and not _renamed(found, expected):
                        problems.append(f"read as {_shapes(found)}, expected {expected}")
                except (DataError, CheckpointError) as error:
                    refused += 1
                    if "\n" in str(error) or path.name not in str(error):
                        problems.append(f"an error of another form: {error!r}")
                except Exception as error:  # whatever else is raised did not hold
                    problems.append(repr(error))
                outcome.add(name, what, problems)
                shutil.rmtree(folder / "cache", ignore_errors=True)
            path.write_bytes(content)
            outcome.notes.append(f"{name}: {refused} of {outcome.parts[name][0]} refused")
    finally:
        if before is None:
            del os.environ["MINITORCH_CACHE_DIR"]
        else:
            os.environ["MINITORCH_CACHE_DIR"] = before
    return outcome


def _renamed(found: Any, expected: Any) -> bool:
    """Tell whether a file holds arrays of the same number of elements: names and shapes carry no checksum."""
    if not isinstance(found, dict):
        return False
    return sorted(np.size(a) for a in found.values()) == sorted(int(np.prod(s)) for s in expected.values())


def _replaced(content: bytes) -> Callable[[Path], object]:
    return lambda path: (path.unlink(), path.write_bytes(content))


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def _huge(path: Path) -> None:
    with open(path, "wb") as file:
        file.truncate(1 << 36)


def _utf16(path: Path) -> None:
    path.write_bytes(path.read_bytes().decode("latin1").encode("utf-16"))


def _line(text: str) -> Callable[[Path], object]:
    return _replaced(text.encode() + b"\n")


RUN_FILES = (
    "metrics.jsonl",
    "results.json",
    "model.safetensors",
    "checkpoint.safetensors",
    "panels/confusion.png",
)
ZEROS = "0" * 400
DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": _replaced(b""),
    "cut": _half,
    "binary": _replaced(bytes(range(256)) * 20),
    "zeros": _replaced(bytes(4096)),
    "a folder": _folder,
    "a link to itself": _link,
    "a pipe": _pipe,
    "a device": _device,
    "64 GiB": _huge,
    "UTF-16": _utf16,
    "deep JSON": _replaced(b'{"a":' + b"[" * 100_000),
    "a list": _line("[1, 2]"),
    "a string": _line('"text"'),
    "null": _line("null"),
    "wrong types": _line('{"epoch": "a", "step": [], "loss": {}, "test_accuracy": [], "seconds": {}}'),
    "nan as strings": _line('{"epoch": 1, "step": 5, "loss": "nan", "accuracy": "inf", "test_accuracy": "nan"}'),
    "nan": _line('{"epoch": 1, "step": 5, "loss": NaN, "accuracy": Infinity, "test_accuracy": NaN}'),
    "beyond floats": _line('{"epoch": 1, "step": 5, "loss": 1e999, "accuracy": -1e308, "test_accuracy": 1e308}'),
    "400 digits": _line('{"epoch": 1, "step": 5, "loss": 1N, "accuracy": 0, "test_accuracy": 1N}'.replace("N", ZEROS)),
    "epoch 0": _line('{"epoch": 0, "step": 0, "loss": 1, "accuracy": 1, "test_accuracy": 0.5}'),
    "missing keys": _line('{"epoch": 1, "step": 1}\n{"epoch": 1, "step": 1}'),
}  # fmt: skip
# Settings and progress in a checkpoint that no run has.
SETTINGS: dict[str, dict[str, Any]] = {
    "lr": {"lr": "fast"},
    "batch_size": {"batch_size": -5},
    "model": {"model": "letter"},
    "optimizer": {"optimizer": None},
    "seed": {"seed": [1]},
    "limit": {"limit": 1e300},
    "epochs": {"epochs": "many"},
    "dataset": {"dataset": 7},
}
PROGRESS: dict[str, Any] = {
    "best": {"best": "good"},
    "best_epoch": {"best_epoch": 10**30},
    "settings": {"settings": [1]},
    "extra": None,
}


def _damaged_checkpoints(folder: Path) -> Iterator[str]:
    """Write one checkpoint after the other that is whole and holds damaged settings."""
    path = folder / "checkpoint.safetensors"
    model = LeNet()
    model.to(dtype="float32")
    optimizer = minitorch.Adam(model.parameters())
    good = load_checkpoint(path, model, optimizer)
    for name, change in {**SETTINGS, **PROGRESS}.items():
        extra = None if change is None else {**good.extra, **change}
        if name in SETTINGS:
            extra = {**good.extra, "settings": {**good.extra["settings"], **SETTINGS[name]}}
        save_checkpoint(path, model, optimizer, epoch=good.epoch, step=good.step, extra=extra)
        yield name


def _main(words: list[str]) -> list[str]:
    """Run a command in this process; return what is wrong with how it ends."""
    out, err = io.StringIO(), io.StringIO()
    dtype, backend = minitorch.get_default_dtype(), minitorch.get_default_backend()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            status = main(words)
        except Exception as error:
            return ["".join(traceback.format_exception_only(error))]
        finally:
            minitorch.set_default_dtype(dtype)
            minitorch.set_default_backend(backend)
    if status == 2:
        lines = errors(err.getvalue())
        return [] if len(lines) == 1 else [f"expected one line of error, got {lines}"]
    return [] if status == 0 else [f"exit status {status}"]


def damaged_runs(times: int, folder: Path) -> Outcome:
    """Give folders with one damaged file to `compare`, `replay` and `--resume`; up to ``times`` damages a file."""
    outcome, good, one = Outcome(), folder / "good", folder / "one"
    run(command("mnist", *SMALL, "--quiet", "--out", good))
    commands = {
        "compare": ["compare", str(one), str(good), "--out", str(folder / "compared.png")],
        "replay": ["replay", str(one), "--dashboard", "http://127.0.0.1:9"],
        "--resume": [*("mnist", "--resume", str(one), "--out", str(folder / "out")), *("--dashboard", "off")],
    }
    for file in RUN_FILES:
        for name, damage in list(DAMAGES.items())[:times]:
            for title, words in commands.items():
                weights = file.endswith(".safetensors")
                # What a command does not read is left out, and so are trainings that would go well.
                if weights != (title == "--resume") and file != "metrics.jsonl":
                    continue
                if file.startswith("panels") and title != "replay":
                    continue
                shutil.rmtree(one, ignore_errors=True)
                shutil.copytree(good, one)
                damage(one / file)
                before = {p: p.lstat().st_mtime_ns for p in one.rglob("*")}
                problems = _main(words)
                if {p: p.lstat().st_mtime_ns for p in one.rglob("*")} != before:
                    problems.append("the folder was changed")
                outcome.add(title, f"{file}: {name}", problems)
    shutil.rmtree(one, ignore_errors=True)
    shutil.copytree(good, one)
    for name in _damaged_checkpoints(one):
        problems = _main(commands["--resume"])
        if not problems and temporary_files(one):
            problems.append("a temporary file is left")
        outcome.add("--resume", f"checkpoint: {name}", problems)
    return outcome
