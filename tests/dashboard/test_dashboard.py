"""Dashboards without a server: what is kept of a run, what the drawings hold, the report, and the trainers' faults."""

from __future__ import annotations

import errno
import importlib
import io
import json
import math
import re
import sys
import tarfile
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import minitorch
from minitorch import Scalar, Step
from minitorch.cli import dashboard, image_trainer, toys
from minitorch.dashboard import DecisionBoundary, Outputs, RunLog, html, outputs
from minitorch.dashboard.graph import MAX_BOXES, derivatives, draw_graph
from minitorch.dashboard.images import grey_levels, image_grid, png
from minitorch.dashboard.run_log import Thinned
from minitorch.dashboard.svg import line_chart
from minitorch.dashboard.visdom import assets
from minitorch.dashboard.visdom import server as visdom_server
from minitorch.train import plots, run_dir

from ..cli.runner import ENLARGED, one_line, records, run, train
from .test_visdom_client import silent, stub

# --- what is kept


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 63, 64, 65, 1000])
@pytest.mark.parametrize("limit", [7, 8])
def test_thinning_is_even_and_keeps_both_ends(count: int, limit: int) -> None:
    kept = Thinned(limit)
    for k in range(count):
        kept.add(k)
    items = kept.items()
    assert len(items) <= limit
    assert (items[0], items[-1]) == (0, count - 1)
    assert len(set(np.diff(items[:-1]))) <= 1
    assert len(items) == count or len(items) >= limit // 2


def test_a_run_log_gives_what_has_changed() -> None:
    log = RunLog()
    log.scalar("loss", "train", 1, 0.5)
    log.images("mid", np.zeros((1, 2, 2)))
    first = log.windows()
    assert [window.name for window in first] == ["loss", "mid"]
    seen = {window.name: window.version for window in first}
    assert log.windows(seen) == []
    log.scalar("loss", "train", 2, 0.25)
    (changed,) = log.windows(seen)
    assert changed.content.traces == {"train": ((1, 2), (0.5, 0.25))}


def test_a_run_log_keeps_copies() -> None:
    log, array = RunLog(), np.zeros((1, 2, 2))
    log.images("mid", array)
    array[:] = 1
    assert (log.windows()[0].content.array == 0).all()


# --- pictures


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_png_files_hold_what_they_are_made_of(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    assert (np.asarray(Image.open(io.BytesIO(png(pixels)))) == pixels).all()


@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 1, 4, 5), (3, 3, 4, 5)])
def test_sheets_lay_images_out_in_rows(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).random(shape)
    sheet = image_grid(array, 2)
    factor = 12
    assert sheet.shape[:2] == (2 * 4 * factor + 6, 2 * 5 * factor + 6)
    levels = grey_levels(array)
    assert (levels.min(), levels.max()) == (0, 255)
    third = levels[2] if len(shape) == 3 else levels[2].transpose(1, 2, 0).squeeze()
    top, left = 4 * factor + 4, 2
    assert (sheet[top : top + 4 * factor : factor, left : left + 5 * factor : factor] == third).all()


def test_boundary_is_blue_where_label_1_is_likely() -> None:
    data = minitorch.Graph(2, [(0.25, 0.5), (0.75, 0.5)], [1, 0])
    boundary = DecisionBoundary(data)
    picture = boundary(lambda points: [float(x < 0.5) for x, _ in points]).astype(int)
    left, right = picture[20, 20], picture[20, -20]
    assert left[2] > left[0]
    assert right[0] > right[2]
    blank = boundary(lambda points: [math.nan] * len(points))
    assert (blank[0, 0] == 128).all()


# --- drawings


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_line_charts_tell_their_values_and_leave_gaps() -> None:
    chart = line_chart({"<b>": ([1, 2, 3, 4], [1.0, math.nan, math.inf, 0.5])})
    assert "&lt;b&gt; 0.5" in texts(chart)
    assert re.findall(r"<title>([^<]*)</title>", chart) == ["4: 0.5", "1: 1"]
    assert chart.count("M") == 2  # the pen is lifted
    assert "nan" not in chart
    assert "inf" not in chart


@pytest.mark.parametrize("ys", [[0.0], [math.nan], [3.0, 3.0], [1e300, -1e300], [0.0, 5e-324], [-7.0, 1e9]])
def test_line_charts_of_odd_values(ys: list[float]) -> None:
    chart = line_chart({"train": (list(range(len(ys))), ys)})
    assert not re.search(r'="[^"]*(nan|inf)', chart)


def test_graphs_hold_values_and_derivatives() -> None:
    x, y = Scalar(2.0, name="x"), Scalar(3.0, name="y")
    drawing = draw_graph((x * y + x).sigmoid() * 2.0, show_derivatives=True)
    slope = 2 * minitorch.operators.sigmoid(8.0) * (1 - minitorch.operators.sigmoid(8.0))
    nodes = re.findall(r'class="node (\w+)">(.*?)</g>', drawing)
    assert sorted(kind for kind, _ in nodes) == ["call", "call", "call", "constant", "leaf", "leaf", "result"]
    told = {tuple(texts(inside)) for _, inside in nodes}
    assert ("x", "2", f"d {4 * slope:.4g}") in told
    assert ("y", "3", f"d {2 * slope:.4g}") in told
    assert ("Mul", "6", f"d {slope:.4g}") in told


def test_derivatives_are_those_of_backward() -> None:
    x, y = Scalar(0.7, name="x"), Scalar(-1.3, name="y")
    result = ((x * x) * y + (10.0 * x).exp() / (y * y) + (x - y).relu()).sigmoid()
    found = derivatives(result)
    result.backward()
    assert (found[id(x)], found[id(y)]) == pytest.approx((x.derivative, y.derivative))


def test_large_graphs_are_cut() -> None:
    x = Scalar(1.0, name="start")
    y = x
    for _ in range(500):
        y = y.sigmoid()
    drawing = draw_graph(y)
    assert "start" in texts(drawing)
    assert drawing.count('class="node') <= MAX_BOXES


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("__import__('os')",), "not allowed"),
        (("x.data",), "not allowed"),
        (("x if x else y",), "not allowed"),
        (("x **",), "not an expression"),
        (("log(x)", "x=-1"), "cannot be computed"),
        (("x / (y - y)",), "cannot be computed"),
        (("x", "z=1"), "z is not in x"),
        (("1 + 2",), "no variables to differentiate"),
        (("x", "x=one"), "NAME=NUMBER"),
    ],
)
def test_expressions_that_are_refused(words: tuple[str, ...], told: str, tmp_path: Path, capsys: Any) -> None:
    assert run("graph", *words, "--out", tmp_path / "graph.svg", "--dashboard", "off") == 2
    assert told in one_line(capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


def test_an_expression_is_drawn(tmp_path: Path, capsys: Any) -> None:
    flags = ("--out", tmp_path / "graph.svg", "--dashboard", "off")
    assert run("graph", "x**3 / 2 - (y < 1)", "x=2", *flags) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["x**3 / 2 - (y < 1) = 4", "d/dx = 6   at x = 2"]
    assert (tmp_path / "graph.svg").read_text().startswith("<svg")


# --- the report


class Page(HTMLParser):
    """What a page asks for, and its windows."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.windows: list[str] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.asked += [str(v) for k, v in attrs if k in ("src", "href", "srcset", "action", "data")]
        if "data-window" in told:
            self.windows.append(str(told["data-window"]))


EVERY = ["flags", "val_images", "loss", "accuracy", "lr", "images_per_second"]
CHANNELS = [f"mid_images_{c}" for c in range(4)] + [f"out_images_{c}" for c in range(8)]
LAST = ["graph", "confusion", "mistakes"]


def test_the_report_holds_every_panel_and_asks_for_nothing(tmp_path: Path) -> None:
    assert train("--epochs", 2, "--out", tmp_path, "--quiet") == 0
    page = Page(tmp_path / "report.html")
    assert page.windows == [*EVERY, *CHANNELS, *LAST]
    assert page.asked
    assert all(address.startswith("data:") for address in page.asked)
    told = (tmp_path / "report.html").read_text()
    accuracy = json.loads((tmp_path / "results.json").read_text())["test_accuracy"]
    assert f"test accuracy {accuracy:.4f}" in told
    for record in records(tmp_path):
        assert f"<title>{record['step']}: {record['loss']:.6g}</title>" in told
        assert f"<title>{record['step']}: {record['valid_loss']:.6g}</title>" in told


def test_a_dashboard_does_not_change_the_run(tmp_path: Path) -> None:
    """Dropout, shuffling and the parameters are those of a run that nobody watches."""
    with stub() as server:
        flags = ("--epochs", 2, "--seed", 3, "--quiet")
        assert train(*flags, "--out", tmp_path / "watched", "--dashboard", server.url) == 0
        assert {"loss", "val_images", "mid_images_0", "out_images_7"} <= set(server.windows)
    patch = pytest.MonkeyPatch()
    with patch.context() as undone:
        undone.setattr(image_trainer, "DashboardCallback", Nobody)
        assert train(*flags, "--out", tmp_path / "alone") == 0
    for name in ("metrics.jsonl", "model.safetensors", "checkpoint.safetensors"):
        assert (tmp_path / "watched" / name).read_bytes() == (tmp_path / "alone" / name).read_bytes(), name


class Nobody:
    """Looks at nothing."""

    def __init__(self, *_: Any) -> None:
        pass

    def __call__(self, step: Step) -> None:
        pass

    def begin(self, *_: Any) -> None:
        pass

    def tested(self, *_: Any) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_resumed_run_shows_its_whole_history(tmp_path: Path) -> None:
    assert train("--epochs", 1, "--out", tmp_path, "--quiet") == 0
    with stub() as server:
        flags = ("--resume", tmp_path, "--epochs", 2, "--quiet", "--dashboard", server.url)
        assert run("mnist", *flags) == 0
        assert server.windows["loss"]["data"][0]["x"] == [5, 10]
        assert server.windows["loss"]["data"][1]["x"] == [5, 10]


def test_a_loss_that_is_not_a_number_is_shown_as_a_gap(tmp_path: Path, capsys: Any) -> None:
    with stub() as server:
        flags = (
            "--optimizer",
            "sgd",
            "--lr",
            "1e38",
            "--out",
            tmp_path,
            "--quiet",
            "--dashboard",
            server.url,
        )
        assert train(*flags) == 2
        assert server.windows["loss"]["data"][0]["y"][-1] is None
    assert "no longer a number" in one_line(capsys.readouterr().err.replace(ENLARGED, ""))
    assert "loss" in Page(tmp_path / "report.html").windows


def test_ctrl_c_leaves_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:

    def interrupt(epoch: int, *_: Any) -> None:
        if epoch == 30:
            raise KeyboardInterrupt

    monkeypatch.setattr(toys, "default_log_fn", interrupt)
    assert run("run_fast_tensor", "--PTS", 10, "--HIDDEN", 2, "--out", tmp_path) == 130
    assert Page(tmp_path / "report.html").windows == ["flags", "loss", "accuracy", "Progress", "graph"]
    assert [record["step"] for record in records(tmp_path)] == [10, 20, 30]


# --- faults


def test_a_full_disk_costs_the_report_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    write = run_dir.write_file

    def full(path: Path, content: str | bytes) -> None:
        if path.suffix in (".html", ".png"):
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    monkeypatch.setattr(html, "write_file", full)
    monkeypatch.setattr(plots, "write_file", full)
    assert train("--epochs", 2, "--out", tmp_path, "--quiet") == 0
    told = capsys.readouterr()
    assert told.out.startswith("test accuracy")
    lines = told.err.replace(ENLARGED, "").splitlines()
    assert all("cannot write" in line and "No space left on device" in line for line in lines)
    assert sum("report.html" in line for line in lines) == 1
    assert len(lines) == 3  # the pictures of the training, those of the test, the report
    assert len(records(tmp_path)) == 2
    assert (tmp_path / "results.json").exists()


@pytest.mark.parametrize("fault", ["silent", "500", "absent"])
def test_a_faulty_server_is_one_line_and_costs_nothing(fault: str, tmp_path: Path, capsys: Any) -> None:
    flags = ("--epochs", 1, "--out", tmp_path, "--quiet", "--dashboard")
    if fault == "silent":
        with silent() as url:
            assert train(*flags, url) == 0
    else:
        with stub() as server:
            server.status = 500
            url = server.url
            if fault == "500":
                assert train(*flags, url) == 0
        if fault == "absent":
            assert train(*flags, url) == 0
    told = capsys.readouterr()
    assert one_line(told.out).startswith("test accuracy")
    expected = {"silent": "does not answer", "500": "answers 500", "absent": "no server answers"}[fault]
    assert expected in one_line(told.err.replace(ENLARGED, ""))
    assert len(records(tmp_path)) == 1
    assert "loss" in Page(tmp_path / "report.html").windows


def test_the_default_says_nothing_where_there_is_no_server(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    with stub() as server:
        url = server.url
    monkeypatch.setattr(outputs, "LOCAL", url)
    assert train("--epochs", 1, "--quiet", "--dashboard", "auto") == 0
    assert capsys.readouterr().err == ENLARGED


def test_the_default_finds_a_server(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with stub() as server:
        monkeypatch.setattr(outputs, "LOCAL", server.url)
        assert run("run_manual", "--DATASET", "simple", "--dashboard", "auto") == 0
        assert set(server.windows) == {"flags", "Progress"}
        assert {message.get("eid", "main") for _, message in server.calls} == {"main"}
    assert capsys.readouterr().err == ""


def test_replaying_nothing(tmp_path: Path, capsys: Any) -> None:
    assert run("replay", tmp_path) == 2
    assert "no metrics.jsonl" in one_line(capsys.readouterr().err)
    (tmp_path / "metrics.jsonl").write_text('{"epoch": 1, "step": 10, "loss": null, "accuracy": 0.5}\n')
    with stub() as server:
        url = server.url
    assert run("replay", tmp_path, "--dashboard", url) == 2
    assert "no server answers" in one_line(capsys.readouterr().err)


# --- the launcher and its files


def test_the_launcher_says_what_is_missing(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    static = tmp_path / "static"
    found: dict[str, Any] = {"folder": str(tmp_path), "visdom": "0.2.4", "tornado": "6.5.2"}
    monkeypatch.setattr(visdom_server, "probe", lambda python: found)
    for change, told in (
        ({"visdom": None}, "has no visdom"),
        ({"visdom": "0.2.3"}, "visdom 0.2.3"),
        ({"tornado": "6.6"}, "tornado 6.6 does not serve"),
        ({}, "29 files of visdom's page are missing"),
    ):
        monkeypatch.setattr(visdom_server, "probe", lambda python, change=change: {**found, **change})
        assert dashboard.main(["--port", "0"]) == 2
        line = one_line(capsys.readouterr().err)
        assert told in line
        assert "make dashboard" in line
    assert not static.exists()
    with pytest.raises(SystemExit):
        dashboard.main(["--port", "70000"])


def test_an_interpreter_that_cannot_be_run(tmp_path: Path, capsys: Any) -> None:
    for script in (dashboard, assets):
        assert script.main(["--python", str(tmp_path / "python")]) == 2
        assert "cannot be run" in one_line(capsys.readouterr().err)


def package(folder: Path, name: str, files: dict[str, bytes]) -> None:
    with tarfile.open(folder / f"{name.replace('@', '-')}.tgz", "w:gz") as packed:
        for path, content in files.items():
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))


def test_assets_are_placed_only_if_they_are_what_they_should_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = [
        {"package": "a@1.0", "file": "x.js", "place": "js/x.js", "sha256": sha256(b"x").hexdigest()},
        {"package": "b@2.0", "file": "d/y.css", "place": "css/y.css", "sha256": sha256(b"y").hexdigest()},
    ]
    monkeypatch.setattr(assets, "ASSETS", {"visdom": "0.2.4", "files": listed})
    source, static = tmp_path / "packages", tmp_path / "static"
    source.mkdir()
    package(source, "a@1.0", {"x.js": b"x"})
    with pytest.raises(assets.SetupError, match=r"b-2\.0\.tgz is missing"):
        assets.place(static, source)
    package(source, "b@2.0", {"d/y.css": b"another"})
    with pytest.raises(assets.SetupError, match="wrong checksum"):
        assets.place(static, source)
    package(source, "b@2.0", {})
    with pytest.raises(assets.SetupError, match="not the expected package"):
        assets.place(static, source)
    assert not (static / assets.BUILT).exists()
    assert not (static / "css").exists()
    package(source, "b@2.0", {"d/y.css": b"y"})
    assert assets.place(static, source) == 1  # the other is there
    assert ((static / "js/x.js").read_bytes(), (static / "css/y.css").read_bytes()) == (b"x", b"y")
    assert (static / assets.BUILT).read_text() == "0.2.4"
    (static / "js/x.js").write_bytes(b"damaged")
    assert [f["place"] for f in assets.missing(static)] == ["js/x.js"]


def test_npm_that_fails_or_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(assets.SetupError, match="npm is not installed"):
        assets.place(tmp_path / "static")
    (tmp_path / "npm").write_text("#!/bin/sh\necho 'no route to host' >&2\nexit 1\n")
    (tmp_path / "npm").chmod(0o755)
    with pytest.raises(assets.SetupError, match=r"cannot download .*no route to host"):
        assets.place(tmp_path / "static")


# --- TensorBoard


def test_tensorboard_files(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    reader = importlib.import_module("tensorboardX.proto.event_pb2")
    log = importlib.import_module("minitorch.dashboard.tensorboard").TensorBoardLogger(tmp_path)
    log.scalar("loss", "train", 10, 0.25)
    log.images("mid", np.zeros((2, 4, 4)))
    log.frame("Progress", np.zeros((4, 4, 3), np.uint8), label="a")
    log.text("flags", "<b>text</b>")
    log.text("graph", "<svg></svg>")
    log.close()
    (path,) = tmp_path.iterdir()
    content, tags = path.read_bytes(), []
    while content:  # length, its checksum, the record, its checksum
        length = int.from_bytes(content[:8], "little")
        event = reader.Event.FromString(content[12 : 12 + length])
        tags += [(value.tag, event.step, value.simple_value) for value in event.summary.value]
        content = content[16 + length :]
    assert ("loss/train", 10, 0.25) in tags
    assert {tag.split("/")[0] for tag, *_ in tags} == {"loss", "mid", "Progress", "flags"}


def test_tensorboard_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    monkeypatch.delitem(sys.modules, "minitorch.dashboard.tensorboard", raising=False)
    assert run("run_fast_tensor", "--tensorboard", tmp_path) == 2
    assert "pip install" in one_line(capsys.readouterr().err)


def test_outputs_close_in_any_state(tmp_path: Path, capsys: Any) -> None:
    Outputs("empty", {}, dashboard="off", out=tmp_path).close()
    assert Page(tmp_path / "report.html").windows == []
