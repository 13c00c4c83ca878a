"""The command `minitorch mnist`, end to end: flags, exit statuses, the files of a run, resuming, Ctrl-C."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch.cli.mnist import enlarged
from minitorch.data import download
from minitorch.models import CNN, LeNet
from minitorch.train.trainer import split_images

from ..conftest import CUDA_MODE
from .runner import ENLARGED, SCRIPTS, SMALL, offline, one_line, process, records, run, train

__all__ = ["offline"]  # a fixture

PANELS = {"loss", "accuracy", "val_images", "confusion", "mistakes", "mid_images", "out_images"}
CHANNELS = {f"mid_images_{c}" for c in range(4)} | {f"out_images_{c}" for c in range(8)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two epochs."""
    folder = tmp_path_factory.mktemp("whole")
    assert train("--epochs", 2, "--out", folder, "--quiet") == 0
    return folder


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
    train_part, test = (enlarged(part) for part in minitorch.data.digits())
    images = split_images(train_part, test, 150, 200)
    assert len(images.valid) == 150
    normalize = minitorch.vision.Normalize(*images.train.mean_std())
    model = LeNet()
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
    assert run("mnist", "--resume", half, "--epochs", 2, "--out", tmp_path, "--quiet") == 0
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
    assert run("mnist", "--resume", whole, *flags) == 2
    assert told in one_line(capsys.readouterr().err.replace(ENLARGED, ""))
    assert (whole / "checkpoint.safetensors").read_bytes() == before


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
    assert run("mnist", "--dataset", "digits", *flags) == 2
    told = capsys.readouterr()
    assert flags[0].lstrip("-") in one_line(told.err) or flags[1] in told.err
    assert told.out == ""


def test_digits_stand_in_for_mnist(offline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("mnist", "--limit", 100, "--epochs", 1, "--quiet") == 0
    told = capsys.readouterr()
    assert "digits instead" in told.err
    assert "28x28" in told.err
    assert one_line(told.out).startswith("test accuracy 0.")


def test_nothing_stands_in_for_fashion(offline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("mnist", "--dataset", "fashion") == 2
    assert "Fashion-MNIST not found" in one_line(capsys.readouterr().err)


def test_damaged_data_are_named(offline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for remote in download.MNIST:
        (offline / remote.name).write_bytes(b"not a gzip file")
    assert run("mnist", "--data-dir", offline) == 2
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
    # A slow machine also prints when kernels are ready.
    assert any(line.startswith("epoch    1/1000   loss") for line in started.stdout)
    started.send_signal(signal.SIGINT)
    _, told = started.communicate(timeout=300)
    assert started.returncode == 130, told
    assert "--resume kept" in one_line(told.replace(ENLARGED, ""))
    folder = tmp_path / "kept"
    model = LeNet()
    checkpoint = minitorch.load_checkpoint(folder / "checkpoint.safetensors", model)
    assert checkpoint.epoch >= 1
    assert records(folder)[-1]["step"] >= checkpoint.step
    assert (folder / "model.safetensors").exists()
    assert (folder / "panels" / "loss.png").exists()
    assert 'data-window="mid_images_3"' in (folder / "report.html").read_text()


# --- other models and sets


def test_cnn_learns_the_digits(capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--dataset", "digits", "--model", "cnn", "--limit", 600, "--epochs", 2, "--lr", 0.005)
    assert run("mnist", *flags, "--quiet") == 0
    assert float(capsys.readouterr().out.split()[-1]) > 0.6


def test_cnn_passes_the_widths_of_the_exercise() -> None:
    model = CNN()
    assert model(minitorch.rand((3, 1, 28, 28))).shape == (3, 10)


def test_real_mnist(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--data-dir", data_dir, "--limit", 600, "--epochs", 2, "--lr", 0.005)
    assert run("mnist", *flags, "--quiet") == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert float(one_line(told.out).split()[-1]) > 0.6
