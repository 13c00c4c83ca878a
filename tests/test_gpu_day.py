"""The script for a GPU, rehearsed in the simulator: every stage, its files, a stage that is cut, one that crashes."""

from __future__ import annotations

import gzip
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch

ROOT = next(p for p in Path(__file__).resolve().parents if (p / "pyproject.toml").exists())
SCRIPT = ROOT / "scripts" / "gpu_day.py"
STAGES = ("look", "tests", "train", "replay", "bench", "tune", "sanitize")
ALWAYS = {
    "stage",
    "status",
    "seconds",
    "headline",
    "rehearsal",
    "device",
    "planned",
    "index",
    "current",
    "rows",
}
# A row of each stage, and what it tells.
EXPECTED: dict[str, tuple[str, set[str]]] = {
    "look": ("versions", {"python", "numpy", "numba", "numba-cuda", "torch"}),
    "tests": ("pytest", {"passed", "failed", "skipped", "warnings"}),
    "train": ("LeNet: losses", {"first", "last", "expected_last", "largest_difference"}),
    "replay": ("lenet, Adam", {"eager_ms", "replayed_ms"}),
    "bench": ("copy bandwidth", {"minitorch_ms", "gb_per_s", "clock"}),
    "tune": ("matrix product 1x(8x8 by 8x8)", {"setting", "ms", "in_use", "clock", "times_best"}),
    "sanitize": ("memcheck", {"tool", "cases"}),
}


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    bare = {
        k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "MINITORCH_", "PYTEST_", "OUT"))
    }
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**bare, **variables}, capture_output=True, text=True, check=False, timeout=900
    )


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    out = tmp_path_factory.mktemp("gpu_day")
    limits = [word for stage in STAGES for word in ("--limit", f"{stage}=400")]
    return out, run("--rehearse", "--out", str(out), *limits)


def test_a_rehearsal_of_all_stages_passes(rehearsal: tuple[Path, Any]) -> None:
    out, done = rehearsal
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    lines = done.stdout.splitlines()[-len(STAGES) :]
    assert [line.split()[:2] for line in lines] == [[stage, "ok"] for stage in STAGES]
    assert "no figure below is a result" in done.stdout
    expected = {f"{stage}.{kind}" for stage in STAGES for kind in ("json", "log")} | {"summary.json"}
    assert {path.name for path in out.iterdir()} == expected


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_leaves_what_it_found(stage: str, rehearsal: tuple[Path, Any]) -> None:
    state = json.loads((rehearsal[0] / f"{stage}.json").read_text())
    assert set(state) >= ALWAYS
    assert (state["stage"], state["status"], state["rehearsal"]) == (stage, "ok", True)
    assert state["index"] == len(state["planned"]) - 1
    assert state["headline"]
    assert all({"check", "status"} <= set(row) for row in state["rows"])
    check, fields = EXPECTED[stage]
    row = next(row for row in state["rows"] if row["check"] == check)
    assert fields <= set(row)
    assert (rehearsal[0] / f"{stage}.log").read_text()


def test_figures_of_the_simulator_are_marked(rehearsal: tuple[Path, Any]) -> None:
    for stage in ("bench", "tune"):
        rows = json.loads((rehearsal[0] / f"{stage}.json").read_text())["rows"]
        assert [r for r in rows if ("ms" in r or "minitorch_ms" in r) and r.get("clock") != "simulator"] == []


def test_a_tool_that_did_not_run_is_not_called_clean(rehearsal: tuple[Path, Any]) -> None:
    state = json.loads((rehearsal[0] / "sanitize.json").read_text())
    told = {row["check"]: row for row in state["rows"]}
    assert told["racecheck"]["status"] == "not run"
    assert told["racecheck"]["message"]
    assert "racecheck: not run" in state["headline"]


# Checks that stand for those of a stage: the first and last are fine, the second ends the process in some way.
FAKE = """
import argparse, os, sys, time, types
from pathlib import Path
sys.path.insert(0, {scripts!r})
from gpu_checks import report
def second():
    {second}
def checks(options):
    return [("first", lambda: {{"n": 1}}), ("second", second), ("third", lambda: {{"n": 3}})]
def headline(rows):
    return f"{{len(rows)}} rows"
stage = types.SimpleNamespace(checks=checks, headline=headline, CHECK_LIMIT={limit})
options = argparse.Namespace(out=Path({out!r}), child="look", skip={skip})
raise SystemExit(report.run(stage, options))
"""
Faked = Callable[..., dict[str, Any]]


@pytest.fixture
def faked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Faked:
    monkeypatch.syspath_prepend(SCRIPT.parent)
    gpu_day: Any = importlib.import_module("gpu_day")

    def stage(second: str, limit: float = 100.0, check_limit: float = 100.0) -> dict[str, Any]:
        def command(stage: str, options: Any, skip: int) -> list[str]:
            names = {"scripts": str(SCRIPT.parent), "out": str(tmp_path), "skip": skip, "limit": check_limit}
            return [sys.executable, "-c", FAKE.format(second=second, **names)]

        monkeypatch.setattr(gpu_day, "command_of", command)
        options = gpu_day.parse(["look", "--rehearse", "--out", str(tmp_path), "--limit", f"look={limit}"])
        state: dict[str, Any] = gpu_day.run_stage("look", options)
        assert json.loads((tmp_path / "look.json").read_text()) == state
        return state

    return stage


def test_a_stage_that_is_cut_keeps_what_it_had(faked: Faked) -> None:
    state = faked("time.sleep(100)", limit=4.0)
    assert state["status"] == "cut"
    assert state["headline"] == "cut after 4 s in second; 1 ok"
    assert [row["check"] for row in state["rows"]] == ["first"]


@pytest.mark.parametrize(
    ("second", "told"),
    [
        ("raise ValueError('wrong')", "ValueError: wrong"),
        ("os._exit(9)", "the process ended with status 9"),
        ("os.kill(os.getpid(), 9)", "the process ended with status -9"),
        ("time.sleep(100)", "Timeout"),
    ],
    ids=["raises", "exits", "is killed", "hangs"],
)
def test_a_check_that_fails_costs_itself_only(second: str, told: str, faked: Faked) -> None:
    state = faked(second, check_limit=1.0 if "sleep" in second else 100.0)
    assert state["status"] == "failed"
    statuses = [(row["check"], row["status"]) for row in state["rows"]]
    assert statuses == [("first", "ok"), ("second", "failed"), ("third", "ok")]
    assert told in state["rows"][1]["message"]


def test_a_lost_context_is_left_behind(faked: Faked) -> None:
    lost = "sys.modules['numba.cuda'] = types.SimpleNamespace(synchronize=lambda: 1 / 0)"
    state = faked(f"{lost}; os.environ['NUMBA_ENABLE_CUDASIM'] = '0'; raise ValueError('illegal address')")
    assert [row["status"] for row in state["rows"]] == ["ok", "failed", "ok"]
    assert state["rows"][1]["message"] == "ValueError: illegal address"


NO_ERRORS = "========= ERROR SUMMARY: 0 errors\n"


@pytest.mark.parametrize(
    ("output", "kind", "told"),
    [
        ("kernels: 3 of 3 cases are right\n" + NO_ERRORS, "", ""),
        ("kernels: 2 of 3 cases are right\n" + NO_ERRORS, "AssertionError", "2 of 3"),
        ("========= Invalid read\n========= ERROR SUMMARY: 7 errors\n", "AssertionError", "7 faults"),
        ("========= Error: Device not supported\n", "NotRun", "Device not supported"),
        ("kernels: 3 of 3 cases are right\n", "NotRun", "no verdict"),
        (NO_ERRORS, "NotRun", "no verdict"),
    ],
)
def test_only_a_summary_of_the_tool_is_a_verdict(
    output: str, kind: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(SCRIPT.parent)
    sanitize: Any = importlib.import_module("gpu_checks.sanitize")
    if not kind:
        assert sanitize.verdict("memcheck", output, 0) == {"faults": 0, "cases": 3}
        return
    with pytest.raises(Exception, match=told) as caught:
        sanitize.verdict("memcheck", output, 1)
    assert type(caught.value).__name__ == kind


def test_pack_writes_a_part_of_mnist(tmp_path: Path) -> None:
    source = tmp_path / "mnist"
    source.mkdir()
    for name, count in (("train", 30_000), ("t10k", 50)):
        images, labels = (0x803, count, 28, 28), (0x801, count)
        for kind, header, each in (("images-idx3", images, 784), ("labels-idx1", labels, 1)):
            content = np.array(header, ">i4").tobytes() + bytes(count * each)
            (source / f"{name}-{kind}-ubyte").write_bytes(content)
    done = run("pack", str(tmp_path / "small"), MINITORCH_DATA=str(tmp_path))
    assert done.returncode == 0, done.stderr
    packed = gzip.decompress((tmp_path / "small" / "train-images-idx3-ubyte.gz").read_bytes())
    assert np.frombuffer(packed[:16], ">i4").tolist() == [0x803, 20_000, 28, 28]
    assert len(packed) == 16 + 20_000 * 784
    train, test = minitorch.data.mnist(tmp_path / "small", download=False)
    assert (len(train), len(test)) == (20_000, 50)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["walk"], "unknown stage 'walk'"),
        (["look", "--limit", "walk=3"], "expected STAGE=SECONDS"),
        (["look", "--limit", "look=soon"], "expected STAGE=SECONDS"),
        (["--fast"], "unrecognized arguments"),
        (["pack"], "pack takes one folder"),
    ],
)
def test_wrong_arguments_are_one_line(arguments: list[str], told: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert told in done.stderr
