"""Dashboards for real: a visdom server, its page in a headless Chromium, and what the page's own plots hold.

Without visdom or Chromium these tests are skipped, loudly; with MINITORCH_REQUIRE_BROWSER=1 they fail instead.
"""

from __future__ import annotations

import http.client
import json
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minitorch.dashboard import RunLog, VisdomClient, confusion, gallery, settings_table
from minitorch.dashboard.visdom.assets import SetupError, default_python
from minitorch.dashboard.visdom.server import Server, check, serves

from ..cli.runner import SMALL, process, records, run
from ..cli.test_cifar10 import cifar
from ..support.browser import browser, lacking
from .test_visdom_client import until

__all__ = ["browser", "cifar"]  # fixtures

CHANNELS = {f"mid_images_{c}" for c in range(4)} | {f"out_images_{c}" for c in range(8)}
EVERY = {
    "flags",
    "val_images",
    "loss",
    "accuracy",
    "lr",
    "images_per_second",
    "graph",
    "confusion",
    "mistakes",
}


@pytest.fixture(scope="module", autouse=True)
def python() -> Path:
    """The interpreter that has visdom."""
    found = default_python()
    try:
        check(found)
    except SetupError as error:
        lacking(str(error))
    return found


@pytest.fixture(scope="module")
def start(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Starts servers, on free ports; at the end they are stopped."""
    servers = []

    def start(port: int = 0, folder: Path | None = None) -> Any:
        kept = folder or tmp_path_factory.mktemp("visdom")
        servers.append(Server(port, kept, python))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def server(start: Callable[..., Any]) -> Any:
    return start()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page; nothing on it may fail, and nothing be asked of another machine."""
    page = browser.new_page(viewport={"width": 1500, "height": 1200})
    page.set_default_timeout(120_000)  # milliseconds; a busy machine is no error
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda r: wrong.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    page.close()
    assert wrong == []
    assert asked != []
    assert [url for url in asked if not re.match(r"(http|ws)://127\.0\.0\.1:|data:|blob:|file:", url)] == []


def traces(page: Any) -> dict[str, dict[str, Any]]:
    """Return what the page's own plots hold: by window, by line, x and y."""
    return page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".js-plotly-plot")].map(plot => [
            plot.closest(".window").querySelector(".bar div.pull-right").textContent.trim(),
            Object.fromEntries(plot.data.map(t => [t.name, {x: [...t.x], y: [...t.y]}]))]))"""
    )


def open_page(page: Any, url: str, windows: int, plots: int = 0) -> None:
    page.goto(url)
    page.wait_for_function("n => document.querySelectorAll('.window').length >= n", arg=windows)
    if plots:
        page.wait_for_function(
            "n => document.querySelectorAll('.js-plotly-plot .trace').length >= n", arg=plots
        )


def titles(page: Any) -> list[str]:
    return [bar.strip() for bar in page.locator(".window .bar div.pull-right").all_text_contents()]


def names(page: Any) -> set[str]:
    """Return the names of the windows: what their titles begin with."""
    return {title.split(":")[0] for title in titles(page)}


def window_data(server: Any, env: str, window: str) -> Any:
    """Read a window back from the server; it must exist."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        for path in ("/win_exists", "/win_data"):
            connection.request("POST", path, json.dumps({"eid": env, "win": window}))
            said = connection.getresponse().read().decode()
            assert said not in ("", "false"), f"{window} is not there"
        return json.loads(said)
    finally:
        connection.close()


# --- the trainers


def test_every_panel_of_the_digits_is_in_the_page(server: Any, page: Any, tmp_path: Path) -> None:
    flags = ("--epochs", 2, "--out", tmp_path, "--quiet", "--limit", 600, "--batch-size", 20)
    url = f"{server.url}/env/digits"
    assert run("mnist", *SMALL, *flags, "--dashboard", url) == 0
    expected = EVERY | CHANNELS
    open_page(page, url, len(expected), plots=7)
    assert names(page) == expected
    logged = records(tmp_path)
    accuracy = json.loads((tmp_path / "results.json").read_text())["test_accuracy"]
    plots = traces(page)
    assert set(plots) == {"loss", "accuracy", "lr", "images_per_second"}
    for name in ("loss", "accuracy"):
        assert plots[name]["train"]["x"] == [r["step"] for r in logged]
        assert plots[name]["train"]["y"] == pytest.approx([r[name] for r in logged])
        checks = [r for r in logged if "valid_loss" in r]
        assert plots[name]["validation"]["x"] == [r["step"] for r in checks] == [30, 60]
        assert plots[name]["validation"]["y"] == pytest.approx([r[f"valid_{name}"] for r in checks])
    assert plots["accuracy"]["test"]["y"] == pytest.approx([accuracy])
    assert set(plots["lr"]["learning rate"]["y"]) == {0.001}
    assert all(rate > 0 for rate in plots["images_per_second"]["train"]["y"])
    widths = page.evaluate(
        "[...document.querySelectorAll('.window img')].map(image => image.naturalWidth).filter(w => w > 0)"
    )
    assert sorted(widths) == [234] * 12 + [466]  # 4 and 8 images in a row
    assert any(re.search(r"mid_images_3: \S+ to \S+, step 60", title) for title in titles(page))
    assert page.locator("svg.graph .node").count() > 10
    assert page.locator("svg.graph").get_by_text("conv1.weight").is_visible()
    assert page.locator("svg.confusion rect").count() == 100
    counts = page.locator("svg.confusion text").all_text_contents()
    assert counts[0] == f"test: {round(accuracy * 297)} of 297 right"
    assert page.locator("svg.gallery image").count() == min(24, 297 - round(accuracy * 297))
    assert page.get_by_role("cell", name="batch_size").is_visible()


def test_panels_of_cifar(server: Any, page: Any, cifar: Path) -> None:
    url = f"{server.url}/env/cifar"
    flags = ("--data-dir", cifar, "--limit", 120, "--batch-size", 24, "--quiet", "--epochs", 1)
    assert run("cifar10", *flags, "--schedule", "onecycle", "--dashboard", url) == 0
    open_page(page, url, len(EVERY) + 1, plots=5)
    assert names(page) == EVERY | {"filters"}
    assert page.locator("svg.graph").get_by_text("BatchNorm").count() == 0  # functions, not layers
    assert page.locator("svg.graph .node").count() > 20


@pytest.mark.parametrize("script", ["run_scalar", "run_tensor", "run_fast_tensor"])
def test_the_boundary_of_a_toy_set_is_under_a_slider(
    script: str, server: Any, page: Any, tmp_path: Path
) -> None:
    url = f"{server.url}/env/{script}"
    flags = ("--DATASET", "xor", "--PTS", 20, "--HIDDEN", 3, "--EPOCHS", 40, "--out", tmp_path)
    assert run(script, *flags, "--dashboard", url) == 0
    open_page(page, url, 5, plots=2)
    assert names(page) == {"flags", "loss", "accuracy", "Progress", "graph"}
    loss = traces(page)["loss"]["train"]
    assert loss["x"] == list(range(1, 41))
    assert [loss["y"][k - 1] for k in (10, 20, 30, 40)] == pytest.approx(
        [r["loss"] for r in records(tmp_path)]
    )
    slider = page.locator("input[type=range]")
    assert slider.get_attribute("max") == "3"
    assert page.locator("p.caption").get_by_text(re.compile(r"^epoch 40: loss .* right")).is_visible()
    slider.fill("0")
    page.locator("p.caption").get_by_text(re.compile(r"^epoch 10: loss .* right")).wait_for()
    assert page.locator("svg.graph .node").count() > 5


# --- the server


def test_a_server_that_is_killed_gets_the_whole_history_again(start: Callable[..., Any], page: Any) -> None:
    said: list[str] = []
    log = RunLog()
    first = start()
    client = VisdomClient(log, first.url, report=said.append, pause=0.05, retry=0.1)
    try:
        for k in range(10):
            log.scalar("loss", "train", k, 1.0 / (k + 1))
        for k in range(3):
            log.frame("Progress", np.full((20, 20, 3), 80 * k, np.uint8), label=f"frame {k}")
        open_page(page, first.url, 2, plots=1)
        first.process.kill()
        first.process.wait()
        page.goto("about:blank")
        log.scalar("loss", "train", 10, np.inf)
        log.scalar("loss", "train", 11, 0.05)
        until(lambda: client.errors)
        second = start(first.port)
        assert client.close()
        open_page(page, second.url, 2, plots=1)
    finally:
        client.close()
    loss = traces(page)["loss"]["train"]
    assert loss["x"] == list(range(12))
    assert loss["y"][9:] == [0.1, None, 0.05]
    assert page.locator("input[type=range]").get_attribute("max") == "2"
    assert len(said) == 1
    assert "lost" in said[0]


def test_what_is_saved_is_served_again(start: Callable[..., Any], page: Any, tmp_path: Path) -> None:
    log = RunLog()
    first = start(folder=tmp_path)
    client = VisdomClient(log, f"{first.url}/env/kept", report=print)
    log.scalar("loss", "train", 1, 0.25)
    assert client.close()
    first.stop()
    assert {path.name for path in tmp_path.iterdir()} >= {"kept.json"}
    second = start(folder=tmp_path)
    open_page(page, f"{second.url}/env/kept", 1, plots=1)
    assert traces(page) == {"loss": {"train": {"x": [1], "y": [0.25]}}}


def test_text_is_shown_as_text(server: Any, page: Any) -> None:
    log = RunLog()
    client = VisdomClient(log, f"{server.url}/env/text", report=print)
    evil = "<img src=x onerror='document.title=\"owned\"'>"
    log.text("flags", settings_table({"data": evil}))
    log.text("confusion", confusion(np.eye(2, dtype=int), (evil, "b"), evil))
    log.text("mistakes", gallery(np.zeros((1, 1, 4, 4), np.uint8), [evil], evil))
    assert client.close()
    open_page(page, f"{server.url}/env/text", 3)
    assert page.get_by_text(evil).count() >= 4
    assert page.locator(".window table img").count() == 0
    assert page.title() == "visdom"


def test_a_finished_run_is_replayed(server: Any, page: Any, tmp_path: Path, capsys: Any) -> None:
    folder = tmp_path / "done"
    assert run("mnist", *SMALL, "--epochs", 1, "--out", folder, "--quiet") == 0
    assert run("replay", folder, "--dashboard", server.url) == 0
    assert f"shown at {server.url}/env/done" in capsys.readouterr().err
    open_page(page, f"{server.url}/env/done", 18, plots=4)
    logged = records(folder)
    assert traces(page)["loss"]["train"] == {
        "x": [r["step"] for r in logged],
        "y": [r["loss"] for r in logged],
    }
    assert {"flags", "loss", "accuracy", "val_images", "confusion", "mistakes", *CHANNELS} <= names(page)


def test_an_expression_is_shown(server: Any, page: Any, tmp_path: Path) -> None:
    flags = ("x * y + exp(-x)", "x=2", "y=3", "--out", tmp_path / "graph.svg")
    assert run("graph", *flags, "--dashboard", f"{server.url}/env/expression") == 0
    open_page(page, f"{server.url}/env/expression", 1)
    assert page.locator("svg.graph .node").count() == 6
    assert page.locator("svg.graph").get_by_text("d 2.865").is_visible()
    page.goto((tmp_path / "graph.svg").as_uri())
    assert page.locator(".node").count() == 6


def test_the_launcher_is_stopped_by_ctrl_c(python: Path, tmp_path: Path) -> None:
    started = process("dashboard", "--port", 0, "--folder", tmp_path, env={"PYTHONUNBUFFERED": "1"})
    assert started.stdout is not None
    url = started.stdout.readline().split()[1]
    assert serves(int(url.rsplit(":")[-1]))
    taken = process("dashboard", "--port", url.rsplit(":")[-1])
    _, told = taken.communicate(timeout=60)
    assert taken.returncode == 2
    assert told.count("\n") == 1
    assert "is taken" in told
    started.send_signal(signal.SIGINT)
    out, told = started.communicate(timeout=60)
    assert (started.returncode, told) == (0, "")
    assert "stopped" in out


# --- without a server


def test_the_report_needs_no_server(page: Any, tmp_path: Path) -> None:
    flags = ("--DATASET", "xor", "--PTS", 20, "--HIDDEN", 3, "--EPOCHS", 40, "--out", tmp_path)
    assert run("run_fast_tensor", *flags) == 0
    page.goto((tmp_path / "report.html").as_uri())
    assert page.locator("section").count() == 5
    assert page.locator("svg.chart path").first.is_visible()
    slider = page.locator("input[type=range]")
    picture = page.locator("section.frames img")
    assert picture.evaluate("image => image.naturalWidth") == 256
    last = picture.get_attribute("src")
    slider.focus()
    slider.press("Home")
    page.get_by_text(re.compile(r"^epoch 10: loss .* right")).wait_for()
    assert picture.get_attribute("src") != last
    told = page.locator("section[data-window=loss] circle title").last.evaluate("title => title.textContent")
    assert told.startswith("1: ")
