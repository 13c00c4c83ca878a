"""The sender of dashboards, against servers made here: what arrives, and everything that can go wrong."""

from __future__ import annotations

import base64
import io
import json
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from PIL import Image

from minitorch.dashboard import RunLog, VisdomClient
from minitorch.dashboard.run_log import MAX_FRAMES
from minitorch.dashboard.visdom import client
from minitorch.dashboard.visdom.client import Address

QUICK = {"pause": 0.02, "retry": 0.05, "timeout": 0.3}


class Stub(ThreadingHTTPServer):
    """Keeps windows as visdom does; a ``status`` other than 200 or a ``body`` is answered instead."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.windows: dict[str, Any] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.status, self.body = 200, ""
        self.connections: list[socket.socket] = []
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stop(self) -> None:
        self.shutdown()
        self.thread.join()
        for connection in self.connections:  # a process that ends takes them along
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def take(self, path: str, message: dict[str, Any]) -> str:
        if path == "/events":
            content = message["data"][0]
            if content["type"] == "image_history":
                message["frames"] = [content["content"]]
            self.windows[message["win"]] = message
            return str(message["win"])
        if path == "/update":
            if message["win"] not in self.windows:
                return "win does not exist"
            self.windows[message["win"]]["frames"].append(message["data"][0]["content"])
            return str(message["win"])
        if path == "/win_exists":
            return "true" if message["win"] in self.windows else "false"
        return "[]"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Stub

    def setup(self) -> None:
        super().setup()
        self.server.connections.append(self.connection)

    def do_POST(self) -> None:
        def refuse(word: str) -> None:
            raise AssertionError(f"{word} is not JSON: a page would freeze")

        body = self.rfile.read(int(self.headers["Content-Length"]))
        message = json.loads(body, parse_constant=refuse)
        self.server.calls.append((self.path, message))
        answered = self.server.take(self.path, message) if self.server.status == 200 else "no"
        answer = (self.server.body or answered).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def stub(port: int = 0) -> Iterator[Stub]:
    server = Stub(port)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def silent() -> Iterator[str]:
    """A port that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def connected(url: str, reports: list[str], **settings: Any) -> Iterator[tuple[Any, Any]]:
    """A log and a client that shows it, with shorter pauses."""
    log = RunLog()
    sender = VisdomClient(log, url, report=reports.append, **{**QUICK, **settings})
    try:
        yield log, sender
    finally:
        sender.close(2.0)


def until(true: Callable[[], Any]) -> None:
    """Wait for something; for long, on a machine that is busy."""
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def picture(address: str) -> Any:
    kind, _, code = address.partition(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(code))))


# --- what arrives


def test_lines_arrive_whole() -> None:
    reports: list[str] = []
    with stub() as server, connected(f"{server.url}/env/a%20run", reports) as (log, sender):
        for k in range(5):
            log.scalar("loss", "train", k, 1 / (k + 1))
        log.scalar("loss", "validation", 4, np.float32(0.5))
        assert sender.close()
        sent = server.windows["loss"]
        assert [trace["name"] for trace in sent["data"]] == ["train", "validation"]
        assert sent["data"][0]["x"] == [0, 1, 2, 3, 4]
        assert sent["data"][0]["y"] == [1 / (k + 1) for k in range(5)]
        assert sent["data"][1]["y"] == [0.5]
        assert sent["eid"] == "a run"
        assert sent["opts"]["title"] == "loss"
        assert server.calls[-1] == ("/save", {"data": ["a run"]})
    assert reports == []


def test_pictures_and_texts_arrive() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 1, 28, 28)).astype(np.uint8)
    with stub() as server, connected(server.url, []) as (log, sender):
        log.images("val_images", images, columns=2, title="three <images>")
        log.text("flags", "<b>1 &lt; 2</b>")
        assert sender.close()
        sent = server.windows["val_images"]
        assert sent["opts"]["title"] == "three <images>"
        sheet = picture(sent["data"][0]["content"]["src"])
        factor = (sheet.shape[1] - 6) // 56
        assert sheet.shape == (2 * 28 * factor + 6, 2 * 28 * factor + 6)
        assert (sheet[2 : 2 + 28 * factor : factor, 2 : 2 + 28 * factor : factor] == images[0, 0]).all()
        assert server.windows["flags"]["data"] == [{"type": "text", "content": "<b>1 &lt; 2</b>"}]


def test_frames_come_one_by_one_and_are_thinned() -> None:
    frame = np.zeros((4, 4, 3), np.uint8)
    with stub() as server, connected(server.url, []) as (log, sender):
        for k in range(3):
            log.frame("Progress", frame + k, label=f"epoch {k}")
            until(lambda k=k: len(server.windows.get("Progress", {}).get("frames", ())) == k + 1)
        assert [path for path, _ in server.calls if path in ("/events", "/update")] == [
            "/events",
            *["/update"] * 2,
        ]
        for k in range(3, 200):
            log.frame("Progress", frame + k, label=f"epoch {k}")
        assert sender.close()
        told = [content["caption"] for content in server.windows["Progress"]["frames"]]
        assert 10 < len(told) <= MAX_FRAMES
        assert (told[0], told[-1]) == ("epoch 0", "epoch 199")
        last = server.windows["Progress"]["frames"][-1]["src"]
        assert (picture(last) == frame + 199).all()


def test_what_is_not_finite_is_a_gap() -> None:
    reports: list[str] = []
    with stub() as server, connected(server.url, reports) as (log, sender):
        for k, y in enumerate((1.0, math.inf, -math.inf, math.nan, 2.0)):
            log.scalar("loss", "train", k, y)
        log.images("mid", np.array([[[0.0, math.nan], [math.inf, 1.0]]]))
        log.images("flat", np.full((1, 2, 2), math.nan))
        assert sender.close()
        assert server.windows["loss"]["data"][0]["y"] == [1.0, None, None, None, 2.0]
        levels = picture(server.windows["mid"]["data"][0]["content"]["src"])
        assert set(np.unique(levels)) <= {0, 255, 205}
    assert reports == []


def test_long_lines_are_thinned_and_keep_their_ends() -> None:
    with stub() as server, connected(server.url, []) as (log, sender):
        for k in range(12_345):
            log.scalar("loss", "train", k, -k)
        assert sender.close()
        x = server.windows["loss"]["data"][0]["x"]
        assert 400 < len(x) <= 1000
        assert (x[0], x[-1]) == (0, 12_344)
        assert len(set(np.diff(x[:-1]))) == 1


# --- what goes wrong


def test_a_server_may_come_late_and_gets_everything() -> None:
    port, reports = free_port(), []
    with connected(f"http://127.0.0.1:{port}", reports) as (log, sender):
        log.scalar("loss", "train", 1, 1.0)
        until(lambda: sender.errors > 2)
        with stub(port) as server:
            until(lambda: "loss" in server.windows)
            log.scalar("loss", "train", 2, 0.5)
            assert sender.close()
            assert server.windows["loss"]["data"][0]["y"] == [1.0, 0.5]
    assert len(reports) == 1
    assert "no server answers" in reports[0]


def test_a_missing_server_is_no_news_to_the_patient() -> None:
    reports: list[str] = []
    with connected(f"http://127.0.0.1:{free_port()}", reports, quiet_if_absent=True) as (log, sender):
        log.scalar("loss", "train", 1, 1.0)
        until(lambda: sender.errors > 2)
        assert not sender.close()
    assert reports == []


def test_a_server_that_comes_back_gets_everything_again() -> None:
    reports: list[str] = []
    with stub() as first:
        port = first.server_address[1]
        with connected(first.url, reports, quiet_if_absent=True) as (log, sender):
            log.scalar("loss", "train", 1, 1.0)
            log.frame("Progress", np.zeros((2, 2, 3), np.uint8), label="a")
            until(lambda: set(first.windows) == {"loss", "Progress"})
            first.stop()
            log.scalar("loss", "train", 2, 0.5)
            log.frame("Progress", np.zeros((2, 2, 3), np.uint8), label="b")
            first.windows.clear()
            with stub(port) as second:
                until(lambda: len(second.windows.get("Progress", {}).get("frames", ())) == 2)
                until(lambda: second.windows["loss"]["data"][0]["y"] == [1.0, 0.5])
                assert sender.close()
    assert len(reports) <= 1  # a loss that falls between two rounds is not even noticed
    assert all("lost" in line for line in reports)


def test_a_server_that_forgot_without_a_sound_is_told_again() -> None:
    with stub() as server, connected(server.url, []) as (log, sender):
        log.scalar("loss", "train", 1, 1.0)
        log.frame("Progress", np.zeros((2, 2, 3), np.uint8), label="a")
        until(lambda: set(server.windows) == {"loss", "Progress"})
        server.windows.clear()
        until(lambda: set(server.windows) == {"loss", "Progress"})  # though nothing has changed
        assert sender.errors == 0


def test_a_lost_window_begins_again() -> None:
    frame = np.zeros((2, 2, 3), np.uint8)
    with stub() as server, connected(server.url, []) as (log, sender):
        log.scalar("loss", "train", 1, 1.0)
        log.frame("Progress", frame, label="a")
        until(lambda: set(server.windows) == {"loss", "Progress"})
        del server.windows["Progress"]
        log.frame("Progress", frame, label="b")
        until(lambda: len(server.windows.get("Progress", {}).get("frames", ())) == 2)
        assert sender.close()


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [(500, "", "answers 500"), (404, "", "answers 404"), (200, "<html>hello</html>", "not visdom")],
)
def test_odd_answers_are_said_once(status: int, body: str, told: str) -> None:
    reports: list[str] = []
    with stub() as server, connected(server.url, reports, quiet_if_absent=True) as (log, sender):
        server.status, server.body = status, body
        log.scalar("loss", "train", 1, 1.0)
        until(lambda: sender.errors > 3)
        assert len(reports) == 1
        assert told in reports[0]
        assert server.url in reports[0]
        server.status, server.body = 200, ""
        until(lambda: "loss" in server.windows)  # it is tried again
        assert sender.close()
    assert len(reports) == 1


def test_a_server_that_never_answers_holds_nothing_up() -> None:
    reports: list[str] = []
    with silent() as url, connected(url, reports, quiet_if_absent=True) as (log, sender):
        log.scalar("loss", "train", 1, 1.0)
        until(lambda: sender.errors)
        began = time.monotonic()
        for k in range(1000):
            log.scalar("loss", "train", k, 1.0)
        assert not sender.close(1.0)
        assert time.monotonic() - began < 20
    assert len(reports) == 1
    assert "does not answer" in reports[0]


def test_a_wrong_address_is_one_line() -> None:
    reports: list[str] = []
    with connected("http://127.0.0.1:1", reports) as (log, sender):
        log.scalar("loss", "train", 1, 1.0)
        until(lambda: sender.errors > 2)
        assert not sender.close()
    assert len(reports) == 1


@pytest.mark.parametrize(
    "url", ["here", "http://", "ftp://127.0.0.1", "http://127.0.0.1:x", "http://h:99999"]
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|[Pp]ort"):
        Address(url)


def test_addresses() -> None:
    address = Address
    plain = address("http://127.0.0.1:8097/")
    assert (plain.base, plain.env, plain.server) == ("", "main", "http://127.0.0.1:8097")
    deep = address("https://host/visdom/env/runs/mnist")
    assert (deep.secure, deep.base, deep.env) == (True, "/visdom", "runs_mnist")


def test_a_mistake_in_the_sender_does_not_reach_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[str] = []

    def fail(*_: object) -> None:
        raise TypeError("of another type")

    monkeypatch.setattr(client, "image_grid", fail)
    with stub() as server, connected(server.url, reports) as (log, sender):
        log.images("mid", np.zeros((1, 2, 2)))
        until(lambda: sender.errors)
        log.scalar("loss", "train", 1, 1.0)
    assert len(reports) == 1
    assert "of another type" in reports[0]
