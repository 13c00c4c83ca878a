"""Short versions of the experiments of scripts/make_reliability.py, and folders of runs with damaged files."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch.cli.mnist import DEFAULTS
from minitorch.train import plots
from minitorch.train.callbacks import BestCheckpoint
from minitorch.vision.io import save_image

from ..support.checks import needs_jit
from .runner import ROOT, one_line, run

sys.path.insert(0, str(ROOT / "scripts"))
try:
    from reliability import damage, disks, experiment, leaks, stops
finally:
    sys.path.remove(str(ROOT / "scripts"))

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs fork, pipes and signals of POSIX")
SETTINGS = {
    **DEFAULTS,
    "dataset": "digits",
    "lr": 0.001,
    "limit": None,
}


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """The folder of a run, made by hand."""
    folder = tmp_path / "run"
    folder.mkdir()
    record: dict[str, Any] = {"epoch": 1, "step": 10, "loss": 1.0, "accuracy": 0.5}
    record |= {"valid_loss": 1.0, "valid_accuracy": 0.5}
    (folder / "metrics.jsonl").write_text(json.dumps(record) + "\n")
    results = {"test_accuracy": 0.5, "valid_accuracy": 0.5, "best_epoch": 1, "seconds": 1.0, **SETTINGS}
    (folder / "results.json").write_text(json.dumps(results))
    save_image(np.zeros((3, 8, 8), np.uint8), folder / "confusion.png")
    return folder


# --- damaged folders


@POSIX
@pytest.mark.parametrize("file", ["metrics.jsonl", "results.json", "confusion.png"])
@pytest.mark.parametrize("name", damage.DAMAGES)
def test_a_damaged_run_is_shown_or_is_one_line(
    name: str, file: str, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(finished, tmp_path / "good")
    damage.DAMAGES[name](finished / file)
    drawn = tmp_path / "compared.png"
    status = run("compare", finished, tmp_path / "good", "--out", drawn)
    told = capsys.readouterr()
    assert status in (0, 2)
    assert drawn.exists() == (status == 0)
    if status == 2:
        assert file in one_line(told.err)
    else:
        assert told.err == ""
    assert run("replay", finished, "--dashboard", "http://127.0.0.1:9") == 2  # nothing listens there
    one_line(capsys.readouterr().err)


@pytest.mark.parametrize("setting", damage.SETTINGS)
def test_damaged_settings_are_one_line(
    setting: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = minitorch.Linear(2, 3)
    for settings in ({**SETTINGS, **damage.SETTINGS[setting]}, {**SETTINGS, "seed": None}):
        BestCheckpoint(model, settings=settings).write_to(tmp_path)
        before = (tmp_path / "checkpoint.safetensors").read_bytes()
        assert run("mnist", "--resume", tmp_path) == 2
        assert "damaged" in one_line(capsys.readouterr().err)
        assert (tmp_path / "checkpoint.safetensors").read_bytes() == before


@pytest.mark.parametrize("name", damage.PROGRESS)
def test_damaged_progress_changes_nothing(name: str, tmp_path: Path) -> None:
    model = minitorch.Linear(2, 3)
    extra = {"settings": {}, "best": 0.5, "best_epoch": 1}
    change = damage.PROGRESS[name]
    minitorch.save(model.state_dict(), tmp_path / "model.safetensors")
    damaged = None if change is None else {**extra, **change}
    minitorch.save_checkpoint(tmp_path / "checkpoint.safetensors", model, epoch=1, step=5, extra=damaged)
    other = minitorch.Linear(2, 3)
    before = other.state_dict()
    keep = BestCheckpoint(other)
    if name == "settings":  # they are read by the commands, see above
        keep.resume(tmp_path)
        return
    with pytest.raises(minitorch.CheckpointError, match="best"):
        keep.resume(tmp_path)
    assert all(np.array_equal(before[key], value) for key, value in other.state_dict().items())


def test_best_weights_of_another_model_are_refused_before_the_training(tmp_path: Path) -> None:
    model = minitorch.Linear(2, 3)
    extra = {"settings": {}, "best": 0.5, "best_epoch": 1}
    minitorch.save_checkpoint(tmp_path / "checkpoint.safetensors", model, epoch=1, step=5, extra=extra)
    minitorch.save(minitorch.Linear(3, 3).state_dict(), tmp_path / "model.safetensors")
    with pytest.raises(
        minitorch.CheckpointError, match=r"model\.safetensors: does not fit this model: weight"
    ):
        BestCheckpoint(model).resume(tmp_path)


def test_figures_leave_out_what_cannot_be_laid_out(tmp_path: Path) -> None:
    records = [{"step": n, "loss": loss} for n, loss in enumerate((1.0, -1e308, 1e308, None, 2.0), 1)]
    plots.plot_curve(tmp_path / "loss.png", "loss", records)
    assert minitorch.vision.read_image(tmp_path / "loss.png").std() > 0
    assert np.isnan(plots.drawable([1.0, 1e308, None])).tolist() == [False, True, True]


# --- short versions of the experiments


def held(outcome: experiment.Outcome, least: int) -> None:
    assert outcome.failures == []
    assert outcome.held == outcome.tried >= least, outcome.notes


@POSIX
@needs_jit
def test_stopped_trainings_are_resumed_with_the_same_bytes(tmp_path: Path) -> None:
    held(stops.stopped_trainings(3, tmp_path), 6)


@POSIX
def test_a_script_can_be_stopped_at_any_moment(tmp_path: Path) -> None:
    both = {"run_manual": stops.SCRIPTS["run_manual"], "edges": stops.COMMANDS["edges"]}
    held(stops.stopped_scripts(2, tmp_path, both), 4)


@POSIX
@needs_jit
def test_a_training_on_a_full_disk(tmp_path: Path) -> None:
    outcome = disks.full_disk(3, tmp_path)
    if outcome.notes:
        pytest.skip(outcome.notes[0])
    held(outcome, 6)


def test_files_that_are_cut_and_changed(tmp_path: Path) -> None:
    held(damage.damaged_files(3, tmp_path), 100)


@POSIX
@needs_jit
def test_a_training_loses_no_descriptors_and_threads(tmp_path: Path) -> None:
    outcome = leaks.long_training(30, tmp_path)
    if outcome.notes and not outcome.tried:
        pytest.skip(outcome.notes[0])
    assert outcome.parts["descriptors"] == outcome.parts["threads"] == [1, 1]


# --- what the experiments are made of can fail


def test_the_checks_find_faults(tmp_path: Path) -> None:
    good = experiment.Ended(2, "", "minitorch: no such file\n", 1.0)
    assert good.problems(0, 2) == []
    assert len(good.problems(0)) == 1
    traceback = experiment.Ended(1, "", "Traceback (most recent call last):\n", 1.0)
    assert len(traceback.problems(1)) == 1
    assert len(experiment.Ended(2, "", "one\ntwo\n", 1.0).problems(2)) == 1
    (tmp_path / "panels").mkdir()
    names = (
        "metrics.jsonl",
        "results.json",
        "model.safetensors",
        "checkpoint.safetensors",
        "panels/loss.png",
    )
    for name in (*names, "report.html"):
        (tmp_path / name).write_bytes(b"{\n{")
    assert len(experiment.unreadable(tmp_path)) == len(names) + 1
    (tmp_path / ".metrics.jsonl.1-2-00000000.tmp").write_bytes(b"")
    assert experiment.temporary_files(tmp_path) == [".metrics.jsonl.1-2-00000000.tmp"]
    outcome = experiment.Outcome()
    outcome.add("part", "first", [])
    outcome.add("part", "second", ["it did not hold"])
    assert (outcome.tried, outcome.held, outcome.parts) == (2, 1, {"part": [2, 1]})
    assert outcome.failures == ["part, second: it did not hold"]
