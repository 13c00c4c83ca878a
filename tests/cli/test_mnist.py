"""The scripts of project/, end to end: flags, exit statuses, the files of a run, resuming, Ctrl-C."""

from __future__ import annotations

import importlib
import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Step, fetch
from minitorch.data import DataError

from .conftest import CUDA_MODE

PROJECT = Path(__file__).resolve().parent.parent / "project"
SCRIPTS = ("run_manual", "run_scalar", "run_tensor", "run_fast_tensor", "run_torch", "run_mnist_multiclass")
TRAINS = {*SCRIPTS, "run_cifar10"}
SMALL = ("--dataset", "digits", "--limit", "200", "--batch-size", "40")
PANELS = {"loss", "accuracy", "val_images", "confusion", "mistakes", "mid_images", "out_images"}
CHANNELS = {f"mid_images_{c}" for c in range(4)} | {f"out_images_{c}" for c in range(8)}


@pytest.fixture(scope="module", autouse=True)
def siblings() -> Iterator[None]:
    """Let the scripts find each other, as Python does when it runs one."""
    sys.path.insert(0, str(PROJECT))
    yield
    sys.path.remove(str(PROJECT))


def run(script: str, *flags: object) -> int:
    """Run a script here, leaving no trace in the package; return its exit status."""
    dtype, backend = minitorch.get_default_dtype(), minitorch.get_default_backend()
    main = importlib.import_module(script).main
    words = [str(f) for f in flags]
    if script in TRAINS and "--dashboard" not in words:
        words += ["--dashboard", "off"]  # whatever dashboard is open on this machine is not for tests
    try:
        return importlib.import_module("cli").guarded(lambda: main(words))
    except SystemExit as left:
        return int(left.code or 0)
    finally:
        minitorch.set_default_dtype(dtype)
        minitorch.set_default_backend(backend)


def train(*flags: object) -> int:
    return run("run_mnist_multiclass", *SMALL, *flags)


def process(script: str, *flags: object, **settings: Any) -> subprocess.Popen[str]:
    """Start a script in a process of its own, without the simulator that the tests may have switched on."""
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_ENABLE_CUDASIM"} | settings.pop(
        "env", {}
    )
    words = [sys.executable, str(PROJECT / f"{script}.py"), *map(str, flags)]
    pipe = subprocess.PIPE
    return subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True, env=environment, **settings)


def one_line(text: str) -> str:
    """Insist on one line, and no traceback."""
    assert text.count("\n") == 1, text
    assert "Traceback" not in text
    return text


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two epochs."""
    folder = tmp_path_factory.mktemp("whole")
    assert train("--epochs", 2, "--out", folder, "--quiet") == 0
    return folder


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


# --- the files of a run


def test_files_of_a_run(whole: Path) -> None:
    names = {"metrics.jsonl", "results.json", "model.safetensors", "checkpoint.safetensors", "panels"}
    assert {p.name for p in whole.iterdir()} == {*names, "report.html"}
    assert {p.stem for p in (whole / "panels").iterdir()} == PANELS | CHANNELS
    for picture in (whole / "panels").iterdir():
        image = minitorch.vision.read_image(picture)
        assert min(image.shape[1:]) > 200, picture
        assert len(np.unique(image)) > 20, picture


def test_results(whole: Path) -> None:
    results = json.loads((whole / "results.json").read_text())
    expected = {"dataset": "digits", "model": "lenet", "optimizer": "adam", "lr": 0.001, "batch_size": 40}
    expected |= {"epochs": 2, "seed": 0, "train_images": 200, "backend": "fast"}
    assert expected.items() <= results.items()
    assert 0 <= results["test_accuracy"] <= 1
    assert results["seconds"] > 0


def test_log_holds_every_tenth_step_and_each_last(whole: Path) -> None:
    logged = records(whole)
    assert [(r["epoch"], r["step"]) for r in logged] == [(1, 5), (2, 10)]
    assert all(
        set(r) == {"epoch", "step", "loss", "accuracy", "valid_loss", "valid_accuracy"} for r in logged
    )


def test_weights_give_the_test_accuracy(whole: Path) -> None:
    mnist = importlib.import_module("run_mnist_multiclass")
    trainer = importlib.import_module("trainer")
    train_part, test = (mnist.enlarged(part) for part in minitorch.data.digits())
    images = trainer.hold_out(train_part, test, 150, 200)
    assert len(images.valid) == 150
    normalize = minitorch.vision.Normalize(*images.train.mean_std())
    model = importlib.import_module("models").LeNet()
    model.load_state_dict(minitorch.load(whole / "model.safetensors"))
    model.to(dtype="float32")
    results = json.loads((whole / "results.json").read_text())
    for batch_size in (500, 7):  # also in another mode of batching, and twice: dropout is off
        loader = minitorch.data.DataLoader(test, batch_size, transform=normalize)
        assert minitorch.evaluate(model, loader).accuracy == pytest.approx(results["test_accuracy"], abs=1e-9)


def test_equal_runs_give_equal_bytes(whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "results.json").write_text("of an older run")
    assert train("--epochs", 2, "--out", tmp_path) == 0
    told = capsys.readouterr().out.splitlines()
    accuracy = json.loads((whole / "results.json").read_text())["test_accuracy"]
    assert told[-1] == f"test accuracy {accuracy:.4f}"
    assert [line.split("   ")[0] for line in told[:-1]] == ["epoch 1/2", "epoch 2/2"]
    for name in ("metrics.jsonl", "model.safetensors", "checkpoint.safetensors"):
        assert (tmp_path / name).read_bytes() == (whole / name).read_bytes(), name


# --- resuming


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one epoch that was killed in the second."""
    folder = tmp_path_factory.mktemp("half")
    assert train("--epochs", 1, "--out", folder, "--quiet") == 0
    with (folder / "metrics.jsonl").open("a") as log:
        log.write('{"epoch": 2, "step": 9, "loss": 7.0, "accuracy": 0.0}\n{"epoch": 2, "st')
    return folder


def test_resumed_run_equals_an_uninterrupted_one(whole: Path, half: Path, tmp_path: Path) -> None:
    # What is left out is taken from the run.
    assert run("run_mnist_multiclass", "--resume", half, "--epochs", 2, "--out", tmp_path, "--quiet") == 0
    for name in ("metrics.jsonl", "model.safetensors", "checkpoint.safetensors"):
        assert (tmp_path / name).read_bytes() == (whole / name).read_bytes(), name
    results, expected = (json.loads((f / "results.json").read_text()) for f in (tmp_path, whole))
    assert {**results, "seconds": 0} == {**expected, "seconds": 0}
    assert results["seconds"] > json.loads((half / "results.json").read_text())["seconds"]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--model", "cnn"), "--model lenet"),
        (("--dataset", "mnist"), "--dataset"),
        (("--lr", "0.5"), "--lr 0.001"),
        (("--epochs", "1"), "past --epochs 1"),
    ],
)
def test_another_run_cannot_be_resumed(
    whole: Path, flags: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str], request: Any
) -> None:
    if flags == ("--dataset", "mnist"):
        request.getfixturevalue("data_dir")  # without MNIST it would be the digits again
    before = (whole / "checkpoint.safetensors").read_bytes()
    assert run("run_mnist_multiclass", "--resume", whole, *flags) == 2
    assert told in one_line(capsys.readouterr().err.replace(ENLARGED, ""))
    assert (whole / "checkpoint.safetensors").read_bytes() == before


ENLARGED = "the digits of 8x8 pixels are enlarged to 28x28\n"


# --- what cannot be done


@pytest.mark.parametrize(
    "flags",
    [
        ("--epochs", "0"),
        ("--limit", "0"),
        ("--batch-size", "-5"),
        ("--lr", "-1"),
        ("--lr", "inf"),
        ("--seed", "x"),
        ("--dataset", "letters"),
        ("--model", "resnet"),
        ("--optimizer", "sgdd"),
        ("--backend", "gpu"),
        ("--dashboard", "ftp://here"),
        ("--dashboard", "http://"),
        ("--dashboard", "http://here:99999"),
        ("--dashboard", "http://here:port"),
        ("--colour", "red"),
        ("--out", "/dev/null/run"),
        ("--resume", "/nowhere"),
    ],
)
def test_bad_flags_give_one_line(flags: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("run_mnist_multiclass", "--dataset", "digits", *flags) == 2
    told = capsys.readouterr()
    assert flags[0].lstrip("-") in one_line(told.err) or flags[1] in told.err
    assert told.out == ""


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No data anywhere, and no network."""

    def refuse(remote: fetch.Remote, *_: object, **__: object) -> None:
        raise DataError(f"cannot download {remote.name}")

    monkeypatch.setattr(fetch, "fetch", refuse)
    monkeypatch.delenv("MINITORCH_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_digits_stand_in_for_mnist(offline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("run_mnist_multiclass", "--limit", 100, "--epochs", 1, "--quiet") == 0
    told = capsys.readouterr()
    assert "digits instead" in told.err
    assert "28x28" in told.err
    assert one_line(told.out).startswith("test accuracy 0.")


def test_nothing_stands_in_for_fashion(offline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("run_mnist_multiclass", "--dataset", "fashion") == 2
    assert "Fashion-MNIST not found" in one_line(capsys.readouterr().err)


def test_damaged_data_are_named(offline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for remote in fetch.MNIST:
        (offline / remote.name).write_bytes(b"not a gzip file")
    assert run("run_mnist_multiclass", "--data-dir", offline) == 2
    assert "ubyte.gz" in one_line(capsys.readouterr().err)


def test_diverging_run_stops_and_keeps_the_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--optimizer", "sgd", "--lr", "1e38", "--out", tmp_path, "--quiet") == 2
    told = capsys.readouterr()
    assert "no longer a number at step" in one_line(told.err.replace(ENLARGED, ""))
    assert told.out == ""
    kept = minitorch.load(tmp_path / "checkpoint.safetensors")
    assert all(np.isfinite(array).all() for array in kept.values())
    assert not (tmp_path / "results.json").exists()


@pytest.mark.parametrize("script", [*SCRIPTS, "replay", "show_expression"])
def test_unknown_backend_in_the_environment(script: str) -> None:
    started = process(script, env={"MINITORCH_BACKEND": "abacus"})
    _, told = started.communicate(timeout=300)
    assert started.returncode == 2
    assert "abacus" in one_line(told)


def test_gpu_without_a_gpu() -> None:
    if CUDA_MODE == "gpu":
        pytest.skip("there is a GPU")
    for script, flags in (
        ("run_fast_tensor", ("--BACKEND", "gpu")),
        ("run_mnist_multiclass", ("--backend", "cuda")),
    ):
        started = process(script, *flags)
        _, told = started.communicate(timeout=300)
        assert started.returncode == 2
        assert "GPU" in one_line(told)


# --- Ctrl-C


def test_ctrl_c_keeps_everything_so_far(tmp_path: Path) -> None:
    flags = (*SMALL, "--epochs", 1000, "--out", "kept", "--dashboard", "off")
    started = process("run_mnist_multiclass", *flags, cwd=tmp_path)
    assert started.stdout is not None
    assert started.stdout.readline().startswith("epoch    1/1000")
    started.send_signal(signal.SIGINT)
    _, told = started.communicate(timeout=300)
    assert started.returncode == 130, told
    assert "--resume kept" in one_line(told.replace(ENLARGED, ""))
    folder = tmp_path / "kept"
    model = importlib.import_module("models").LeNet()
    checkpoint = minitorch.load_checkpoint(folder / "checkpoint.safetensors", model)
    assert checkpoint.epoch >= 1
    assert records(folder)[-1]["step"] >= checkpoint.step
    assert (folder / "model.safetensors").exists()
    assert (folder / "panels" / "loss.png").exists()
    assert 'data-window="mid_images_3"' in (folder / "report.html").read_text()


# --- other models and sets


def test_cnn_learns_the_digits(capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--dataset", "digits", "--model", "cnn", "--limit", 600, "--epochs", 2, "--lr", 0.005)
    assert run("run_mnist_multiclass", *flags, "--quiet") == 0
    assert float(capsys.readouterr().out.split()[-1]) > 0.6


def test_cnn_passes_the_widths_of_the_exercise() -> None:
    model = importlib.import_module("models").CNN()
    assert model(minitorch.rand((3, 1, 28, 28))).shape == (3, 10)


def test_real_mnist(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--data-dir", data_dir, "--limit", 600, "--epochs", 2, "--lr", 0.005)
    assert run("run_mnist_multiclass", *flags, "--quiet") == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert float(one_line(told.out).split()[-1]) > 0.6


# --- sinks


def test_json_lines_write_null_for_what_is_not_finite(tmp_path: Path) -> None:
    sinks = importlib.import_module("sinks")
    sink = sinks.JsonLines(tmp_path / "log.jsonl", [])
    sink(Step(1, 10, math.inf, 0.5, 0.1, False))
    sink(Step(1, 11, 1.0, 0.5, 0.1, False))
    sink(Step(1, 12, math.nan, None, 0.1, True, math.nan, 0.25))
    sink.close()
    first, second = (tmp_path / "log.jsonl").read_text().splitlines()
    assert first == '{"epoch": 1, "step": 10, "loss": null, "accuracy": 0.5}'
    assert json.loads(second)["valid_loss"] is None
    assert [r["step"] for r in sinks.read_records(tmp_path / "log.jsonl", until=11)] == [10]


def test_console_speaks_of_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sinks = importlib.import_module("sinks")
    monkeypatch.setattr(sinks, "PATIENCE", -1.0)
    sink = sinks.Console(sinks.Plan(epochs=2, images=100, batch_size=40))
    sink(Step(1, 1, 2.0, 0.5, 0.1, False))
    sink(Step(1, 2, 1.0, 0.5, 0.1, False))
    sink(Step(1, 3, 1.0, 0.25, 0.1, True, 0.5, 0.75))
    sink.close()
    first, progress, epoch = capsys.readouterr().out.splitlines()
    assert first.startswith("kernels ready")
    assert "80 of 100 images" in progress
    assert progress.endswith("left")
    assert "loss 1.4000   accuracy 0.4500   validation loss 0.5000, accuracy 0.7500" in epoch


def test_bar_moves() -> None:
    sinks = importlib.import_module("sinks")
    bar = sinks.Bar(sinks.Plan(epochs=1, images=70, batch_size=40))
    bar(Step(1, 1, 2.0, 0.5, 0.1, False))
    assert bar.bar.tasks[0].completed == 40
    bar(Step(1, 2, 1.0, 0.25, 0.1, True, 0.5, 0.75))
    assert bar.bar.finished
    bar.close()


# --- toy sets

LEARNERS = (
    ("run_scalar", 4, 0.5),
    ("run_tensor", 10, 0.25),
    ("run_fast_tensor", 10, 0.1),
    ("run_torch", 10, 0.5),
)


@pytest.mark.parametrize(("script", "hidden", "rate"), LEARNERS)
def test_toys_learn(
    script: str, hidden: int, rate: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if script == "run_torch":
        pytest.importorskip("torch")
    flags = ("--DATASET", "Diag", "--HIDDEN", hidden, "--RATE", rate, "--EPOCHS", 100, "--out", tmp_path)
    assert run(script, *flags) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].split() == ["Epoch", "10", "loss", told[0].split()[3], "correct", told[0].split()[5]]
    results = json.loads((tmp_path / "results.json").read_text())
    assert told[-1] == f"accuracy {results['accuracy']:.4f}"
    assert results["accuracy"] >= 0.95
    assert {"dataset": "diag", "hidden": hidden, "rate": rate, "epochs": 100}.items() <= results.items()
    names = {"results.json", "metrics.jsonl", "loss.png", "boundary.png", "report.html"}
    assert {p.name for p in tmp_path.iterdir()} == names
    assert [r["step"] for r in records(tmp_path)] == list(range(10, 101, 10))


def test_plot_without_a_folder_draws_into_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("run_manual", "--DATASET", "simple", "--PLOT") == 0
    assert len(list((tmp_path / "runs").rglob("boundary.png"))) == 1
    assert json.loads(next((tmp_path / "runs").rglob("results.json")).read_text())["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("script", "flags"),
    [
        ("run_scalar", ("--BACKEND", "gpu")),
        ("run_tensor", ("--BACKEND", "gpu")),
        ("run_tensor", ("--PTS", "0")),
        ("run_scalar", ("--DATASET", "moons")),
        ("run_fast_tensor", ("--RATE", "0")),
        ("run_fast_tensor", ("--out", "/dev/null/run")),
    ],
)
def test_toys_refuse_in_one_line(
    script: str, flags: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(script, *flags) == 2
    one_line(capsys.readouterr().err)


def test_torch_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert run("run_torch") == 2
    assert "pip install torch" in one_line(capsys.readouterr().err)


TRAINERS = (("run_scalar", "ScalarTrain"), ("run_tensor", "TensorTrain"), ("run_fast_tensor", "FastTrain"))


@pytest.mark.parametrize(("script", "trainer"), TRAINERS)
def test_trainers_keep_the_course_signature(script: str, trainer: str) -> None:
    module = importlib.import_module(script)
    heard: list[tuple[int, int]] = []

    def hear(epoch: int, total_loss: float, correct: int, losses: list[float]) -> None:
        heard.append((epoch, len(losses)))

    learner = getattr(module, trainer)(2)
    data = minitorch.datasets["Simple"](10)
    learner.train(data, 0.1, max_epochs=11, log_fn=hear)
    assert heard == [(10, 10), (11, 11)]
    assert isinstance(learner.model, module.Network)
    assert 0 < float(learner.run_one(data.X[0])) < 1
    module.default_log_fn(1, 0.5, 3, [0.5])


# --- the scripts as such


def test_importing_a_script_starts_nothing(tmp_path: Path) -> None:
    names = ", ".join((*SCRIPTS, "parallel_check", "make_results", "replay", "show_expression", "dashboard"))
    code = f"import sys; sys.path.insert(0, {str(PROJECT)!r}); import {names}; print(sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stderr == ""
    assert not {"'matplotlib'", "'torch'", "'rich'", "'visdom'", "'PIL'"} & set(
        done.stdout.strip("[]\n").split(", ")
    )
    assert not list(tmp_path.iterdir())


def test_parallel_check_prints_four_diagnostics() -> None:
    started = process("parallel_check")
    told, complaints = started.communicate(timeout=300)
    assert started.returncode == 0, complaints
    titles = [line for line in told.splitlines() if line in ("MAP", "ZIP", "REDUCE", "MATRIX MULTIPLY")]
    assert titles == ["MAP", "ZIP", "REDUCE", "MATRIX MULTIPLY"]
    assert told.count("Parallel Accelerator Optimizing") == 4
