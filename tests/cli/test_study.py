"""The command `minitorch study`: all runs, one page; what is cut goes on."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from minitorch.dashboard.study_page import Run, by_epoch, charts, summary, write_study
from minitorch.train import trainer

from .runner import one_line, run
from .test_cifar10 import cifar, interrupt

__all__ = ["cifar"]  # a fixture

FLAGS = ("--limit", 60, "--batch-size", 30, "--epochs", 2, "--model", "threelayer", "--split", "200/30/10")


@pytest.fixture(autouse=True)
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing is slow, and tested elsewhere."""
    for name in ("plot_curves", "plot_predictions", "plot_confusion", "plot_mistakes"):
        monkeypatch.setattr(trainer, name, lambda *_: None)
    monkeypatch.setattr("minitorch.cli.cifar10.plot_filters", lambda *_: None)


def study(cifar: Path, out: Path, *flags: object) -> int:
    return run("study", "cifar10", "--data-dir", cifar, "--out", out, *FLAGS, *flags)


def test_a_study_is_one_page(cifar: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--runs", "none", "flip,crop:2", "--seeds", 2)
    assert study(cifar, tmp_path, *flags) == 0
    told = capsys.readouterr()
    folders = {"none-seed0", "none-seed1", "flip-crop-2-seed0", "flip-crop-2-seed1"}
    assert {p.name for p in tmp_path.iterdir()} == folders | {"study.html"}
    page = (tmp_path / "study.html").read_text()
    assert page.count("<section") == 9
    for words in ("none", "flip,crop:2", "Confusion matrix", "Validation loss", "±", "Gap of accuracy"):
        assert words in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert told.out.splitlines()[-1].endswith("study.html")
    # Again: nothing is trained, and the page is the same.
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("metrics.jsonl")}
    assert study(cifar, tmp_path, *flags) == 0
    assert capsys.readouterr().err.count("trained before") == 4
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("metrics.jsonl")} == before
    assert (tmp_path / "study.html").read_text() == page
    # Other settings in the same folder are an error.
    assert study(cifar, tmp_path, *flags, "--lr", 0.5) == 2
    assert "holds a run with lr 0.001, not 0.5: name another --out" in one_line(capsys.readouterr().err)


def test_a_study_that_was_cut_goes_on(
    cifar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        interrupt(patch, after=3)
        assert study(cifar, tmp_path / "cut", "--runs", "flip", "--seeds", 1) == 130
    assert not (tmp_path / "cut" / "study.html").exists()
    assert study(cifar, tmp_path / "cut", "--runs", "flip", "--seeds", 1) == 0
    assert "flip-seed0: goes on" in capsys.readouterr().err
    assert study(cifar, tmp_path / "whole", "--runs", "flip", "--seeds", 1) == 0
    for name in ("study.html", "flip-seed0/metrics.jsonl", "flip-seed0/model.safetensors"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--runs", "flip,shear"), "'shear' is not known"),
        (("--runs", "flip,crop", "crop,flip"), "--runs has flip,crop twice"),
        (("--runs", "none", "--seeds", 0), "--seeds"),
        (("--runs", "none", "--split", "100/50/50"), "does not add up"),
        ((), "--runs"),
    ],
)
def test_bad_flags(
    flags: tuple[object, ...], told: str, cifar: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert study(cifar, tmp_path / "new", *flags) == 2
    assert told in one_line(capsys.readouterr().err)
    assert not (tmp_path / "new").exists()


def made(augment: str, seed: int, train: float, valid: float) -> Run:
    checks = {"valid_loss": 1.5, "valid_accuracy": valid}
    records = [
        {"epoch": epoch, "step": 2 * epoch, "loss": 2.0 - epoch, "accuracy": train, **checks}
        for epoch in (1, 2)
    ]
    return Run(augment, seed, train, valid, valid, 2, records, np.eye(2, dtype=np.int64), ["<a>", "b"])


def test_means_and_spreads(tmp_path: Path) -> None:
    runs = [made("none", 0, 0.9, 0.5), made("none", 1, 0.7, 0.6), made("flip", 0, 0.6, 0.58)]
    groups = {"none": runs[:2], "flip": runs[2:]}
    assert "0.8000 ± 0.1000" in summary(groups)
    assert "0.2500 ± 0.1500" in summary(groups)
    lines = charts(groups)
    assert lines["Validation accuracy"]["none"] == ([1, 2], [0.55, 0.55])
    assert np.allclose(lines["Gap of accuracy: training - validation"]["none"][1], 0.25)
    assert by_epoch(runs[0].records, "loss") == {1: 1.0, 2: 0.0}
    write_study(tmp_path / "a.html", "<title>", runs, {"epochs": 2})
    page = (tmp_path / "a.html").read_text()
    assert "none, seed 1" in page
    assert "<a>" not in page.replace("&lt;a&gt;", "")
