"""Callbacks: the log, the console, the best checkpoint, the schedules of the learning rate."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

import minitorch
from minitorch import CheckpointError, Linear, Step
from minitorch.train import console
from minitorch.train.callbacks import (
    BestCheckpoint,
    JsonLinesLogger,
    saved_settings,
    schedule_for,
)
from minitorch.train.checkpoint import Stateful
from minitorch.train.console import ConsoleLogger, ProgressBar, TrainingPlan
from minitorch.train.messages import UsageError
from minitorch.train.run_dir import read_records


def test_json_lines_write_null_for_what_is_not_finite(tmp_path: Path) -> None:
    log = JsonLinesLogger(tmp_path / "log.jsonl", [])
    log(Step(1, 10, math.inf, 0.5, 0.1, False))
    log(Step(1, 11, 1.0, 0.5, 0.1, False))
    log(Step(1, 12, math.nan, None, 0.1, True, math.nan, 0.25))
    log.close()
    first, second = (tmp_path / "log.jsonl").read_text().splitlines()
    assert first == '{"epoch": 1, "step": 10, "loss": null, "accuracy": 0.5}'
    assert json.loads(second)["valid_loss"] is None
    assert [r["step"] for r in read_records(tmp_path / "log.jsonl", until=11)] == [10]


def test_console_prints_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "REPORT_SECONDS", -1.0)
    log = ConsoleLogger(TrainingPlan(epochs=2, images=100, batch_size=40))
    log(Step(1, 1, 2.0, 0.5, 0.1, False))
    log(Step(1, 2, 1.0, 0.5, 0.1, False))
    log(Step(1, 3, 1.0, 0.25, 0.1, True, 0.5, 0.75))
    log.close()
    first, progress, epoch = capsys.readouterr().out.splitlines()
    assert first.startswith("kernels ready")
    assert "80 of 100 images" in progress
    assert progress.endswith("left")
    assert "loss 1.4000   accuracy 0.4500   validation loss 0.5000, accuracy 0.7500" in epoch


def test_bar_moves() -> None:
    bar = ProgressBar(TrainingPlan(epochs=1, images=70, batch_size=40))
    bar(Step(1, 1, 2.0, 0.5, 0.1, False))
    assert bar.bar.tasks[0].completed == 40
    bar(Step(1, 2, 1.0, 0.25, 0.1, True, 0.5, 0.75))
    assert bar.bar.finished
    bar.close()


# --- schedules


def test_cosine_falls_to_nothing_and_goes_on_from_its_state() -> None:
    optimizers = [minitorch.SGD([minitorch.Parameter(minitorch.zeros((1,)))], 0.5) for _ in range(2)]
    first, second = (schedule_for("cosine", optimizer, 4) for optimizer in optimizers)
    for k in range(1, 5):
        first(Step(1, k, 9.0, None, 0.5, k == 4))
        if k == 2:
            second.load_state_dict(first.state_dict())
        elif k > 2:
            second(Step(1, k, 9.0, None, 0.5, k == 4))
            assert optimizers[1].lr == optimizers[0].lr
    assert optimizers[0].lr == pytest.approx(0.0, abs=1e-12)


def test_the_plateau_schedule_waits_for_two_bad_epochs() -> None:
    optimizer = minitorch.SGD([minitorch.Parameter(minitorch.zeros((1,)))], 0.5)
    schedule = schedule_for("plateau", optimizer, 100)
    rates = []
    for epoch, loss in enumerate((1.0, 1.0, 1.0, 1.0), 1):
        schedule(Step(epoch, 2 * epoch - 1, 9.0, None, 0.5, False))
        schedule(Step(epoch, 2 * epoch, 9.0, None, 0.5, True, loss, 0.5))
        rates.append(optimizer.lr)
    assert rates == [0.5, 0.5, pytest.approx(0.1), pytest.approx(0.1)]
    assert schedule_for("none", optimizer, 100) is None


# --- the best checkpoint


class Model(Stateful):
    """One number, which the tests set."""

    value = 0.0

    def state_dict(self) -> dict[str, Any]:
        return {"value": minitorch.tensor([self.value]).to_numpy()}

    def load_state_dict(self, state: Any, /) -> None:
        self.value = float(state["value"][0])


def after_epoch(epoch: int, metric: float) -> Step:
    return Step(epoch, 10 * epoch, 1.0, 0.5, 0.1, True, metric, metric)


@pytest.mark.parametrize(
    ("metric", "mode", "values", "best_epoch"),
    [
        ("valid_accuracy", "max", [0.5, 0.9, 0.9, 0.2], 2),
        ("valid_loss", "min", [0.5, 0.9, 0.3, 0.3], 3),
        ("valid_accuracy", "max", [0.0, 0.0], 1),
    ],
)
def test_the_best_epoch_is_kept(
    metric: str, mode: str, values: list[float], best_epoch: int, tmp_path: Path
) -> None:
    folder, model = tmp_path / "runs" / "one", Model()
    keep = BestCheckpoint(model, folder=folder, settings={"seed": 7}, metric=metric, mode=mode)
    keep(Step(1, 1, 1.0, 0.5, 0.1, False))
    assert not folder.exists()
    for epoch, value in enumerate(values, 1):
        model.value = float(epoch)
        keep(after_epoch(epoch, value))
    keep.close()
    assert {path.name for path in folder.iterdir()} == {"model.safetensors", "checkpoint.safetensors"}
    assert (keep.best, keep.best_epoch) == (values[best_epoch - 1], best_epoch)
    assert keep.weights["value"] == minitorch.load(folder / "model.safetensors")["value"] == best_epoch
    assert saved_settings(folder) == {"seed": 7}

    again = BestCheckpoint(Model(), metric=metric, mode=mode)
    again.resume(folder)
    assert (again.epoch, again.step) == (len(values), 10 * len(values))
    assert (again.best, again.best_epoch) == (keep.best, best_epoch)
    assert again.parts[0].state_dict()["value"] == len(values)
    again(after_epoch(len(values) + 1, values[best_epoch - 1]))  # as good, and later
    assert again.best_epoch == best_epoch


def test_a_nan_is_never_the_best() -> None:
    keep = BestCheckpoint(Model())
    for epoch, accuracy in enumerate((math.nan, 0.1, math.nan), 1):
        keep(Step(epoch, epoch, 1.0, 0.5, 0.1, True, 1.0, accuracy))
    assert (keep.best, keep.best_epoch) == (0.1, 2)


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    keep = BestCheckpoint(Model(), folder=tmp_path)
    keep(after_epoch(1, 0.5))
    with pytest.raises(
        UsageError, match=r"no longer a number at step 11.*checkpoint.safetensors is of epoch 1"
    ):
        keep(Step(2, 11, math.inf, 0.5, 0.1, False))


def test_what_cannot_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mode"):
        BestCheckpoint(Model(), mode="best")
    keep = BestCheckpoint(Model())
    with pytest.raises(CheckpointError, match="No such file"):
        keep.resume(tmp_path)
    minitorch.save_checkpoint(tmp_path / "checkpoint.safetensors", Model())
    with pytest.raises(CheckpointError, match="not saved by BestCheckpoint"):
        keep.resume(tmp_path)
    with pytest.raises(CheckpointError, match="no settings"):
        saved_settings(tmp_path)


def test_a_run_cut_between_its_two_files_keeps_the_older_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Model()
    keep = BestCheckpoint(model, folder=tmp_path)
    keep(after_epoch(1, 0.5))

    def cut() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(keep, "_save_checkpoint", cut)
        with pytest.raises(KeyboardInterrupt):
            keep(after_epoch(2, 0.8))
    again = BestCheckpoint(model, folder=tmp_path)
    again.resume(tmp_path)
    assert (again.epoch, again.best, again.best_epoch) == (1, 0.5, 1)
    again(after_epoch(2, 0.8))
    assert again.best_epoch == 2


def test_a_callback_in_the_loop(tmp_path: Path) -> None:
    model = Linear(2, 3)
    optimizer = minitorch.Adam(model.parameters())
    keep = BestCheckpoint(model, optimizer, folder=tmp_path)
    batch = [([[0.0, 1.0], [1.0, 0.0]], [0, 2])]
    for step in minitorch.fit(model, batch, optimizer, epochs=3, valid=batch):
        keep(step)
    assert keep.epoch == 3
    model.load_state_dict(keep.weights)
