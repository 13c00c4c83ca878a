"""The trainers of the toy sets, as scripts of the course and as the command `minitorch toys`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import minitorch

from .runner import one_line, records, run, script

LEARNERS = (
    ("run_scalar", 4, 0.5),
    ("run_tensor", 10, 0.25),
    ("run_fast_tensor", 10, 0.1),
    ("run_torch", 10, 0.5),
    ("toys", 10, 0.1),
)


@pytest.mark.parametrize(("name", "hidden", "rate"), LEARNERS)
def test_toys_learn(
    name: str, hidden: int, rate: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if name == "run_torch":
        pytest.importorskip("torch")
    flags = ("--DATASET", "Diag", "--HIDDEN", hidden, "--RATE", rate, "--EPOCHS", 100, "--out", tmp_path)
    assert run(name, *flags) == 0
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
    ("name", "flags"),
    [
        ("run_scalar", ("--BACKEND", "gpu")),
        ("run_tensor", ("--BACKEND", "gpu")),
        ("run_tensor", ("--PTS", "0")),
        ("run_scalar", ("--DATASET", "moons")),
        ("toys", ("scalar", "--BACKEND", "gpu")),
        ("toys", ("numpy",)),
        ("run_fast_tensor", ("--RATE", "0")),
        ("run_fast_tensor", ("--out", "/dev/null/run")),
    ],
)
def test_toys_refuse_in_one_line(
    name: str, flags: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(name, *flags) == 2
    one_line(capsys.readouterr().err)


def test_torch_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert run("run_torch") == 2
    assert "pip install torch" in one_line(capsys.readouterr().err)


TRAINERS = (("run_scalar", "ScalarTrain"), ("run_tensor", "TensorTrain"), ("run_fast_tensor", "FastTrain"))


@pytest.mark.parametrize(("name", "trainer"), TRAINERS)
def test_trainers_keep_the_course_signature(name: str, trainer: str) -> None:
    module = script(name)
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
