"""Downloads against a real server on this machine that cuts, stalls, lies or ignores what it is asked."""

from __future__ import annotations

import concurrent.futures
import hashlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from minitorch.data import download as data_download
from minitorch.data.download import DataError, Remote
from minitorch.runtime import files

CONTENT = bytes(range(256)) * 1024
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """The first part of the path says how to behave; every request is noted as (path, Range)."""

    server: Server

    def do_GET(self) -> None:
        manner = self.path.split("/")[1]
        asked = self.headers.get("Range")
        self.server.requests.append((self.path, asked))
        start = int(re.findall(r"\d+", asked)[0]) if asked and manner != "norange" else 0
        if manner == "missing":
            self.send_error(404)
            return
        if start >= len(CONTENT) or manner == "full":
            self.send_error(416)
            return
        body = b"x" * len(CONTENT) if manner == "wrong" else CONTENT[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        if manner == "packed":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        if manner == "drip":
            for byte in body[:200]:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                if self.server.released.wait(0.02):
                    break
            self.close_connection = True
        elif manner in ("cut", "stall"):
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            if manner == "stall":
                self.server.released.wait(5)
            self.close_connection = True
        else:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str | None]] = []
        self.released = threading.Event()

    def remote(self, *manners: str, sha256: str = SHA256) -> Remote:
        base = f"http://127.0.0.1:{self.server_port}"
        return Remote("some.bin", sha256, tuple(f"{base}/{manner}/some.bin" for manner in manners))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.released.set()
        running.shutdown()
        thread.join()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_whole(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = data_download.fetch(server.remote("good"), tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / "some.bin"
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == ["some.bin"]
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "some.bin" in err


def test_a_right_file_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    for _ in range(2):
        data_download.fetch(server.remote("good"), tmp_path)
    assert len(server.requests) == 1


def test_a_wrong_file_is_replaced(server: Server, tmp_path: Path) -> None:
    (tmp_path / "some.bin").write_bytes(b"old")
    assert data_download.fetch(server.remote("good"), tmp_path).read_bytes() == CONTENT


def test_a_cut_download_is_resumed_by_the_next_mirror(server: Server, tmp_path: Path) -> None:
    path = data_download.fetch(server.remote("cut", "good"), tmp_path)
    assert path.read_bytes() == CONTENT
    assert [asked for _, asked in server.requests] == [None, f"bytes={len(CONTENT) // 2}-"]


def test_a_cut_download_is_resumed_by_the_next_call(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot download some\.bin: http.*/cut/some\.bin: .*bytes"):
        data_download.fetch(server.remote("cut"), tmp_path)
    assert names(tmp_path) == ["some.bin.part"]
    assert data_download.fetch(server.remote("good"), tmp_path).read_bytes() == CONTENT
    assert server.requests[-1][1] == f"bytes={len(CONTENT) // 2}-"
    assert names(tmp_path) == ["some.bin"]


def test_a_server_that_ignores_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    (tmp_path / "some.bin.part").write_bytes(CONTENT[:1000])
    assert data_download.fetch(server.remote("norange"), tmp_path).read_bytes() == CONTENT
    assert server.requests == [("/norange/some.bin", "bytes=1000-")]


def test_a_complete_part_needs_no_more_bytes(server: Server, tmp_path: Path) -> None:
    (tmp_path / "some.bin.part").write_bytes(CONTENT)
    assert data_download.fetch(server.remote("good"), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("part", [b"spoilt", CONTENT + b"too long"])
def test_a_spoilt_part_costs_one_more_try_not_the_mirror(server: Server, tmp_path: Path, part: bytes) -> None:
    (tmp_path / "some.bin.part").write_bytes(part)
    assert data_download.fetch(server.remote("good"), tmp_path).read_bytes() == CONTENT
    assert [asked for _, asked in server.requests] == [f"bytes={len(part)}-", None]


def test_downloads_at_once_do_not_disturb_each_other(server: Server, tmp_path: Path) -> None:
    (tmp_path / "some.bin.part").write_bytes(CONTENT[:1000])
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        waiting = [pool.submit(data_download.fetch, server.remote("good"), tmp_path) for _ in range(6)]
        assert [w.result().read_bytes() == CONTENT for w in waiting] == [True] * 6
    assert names(tmp_path) == ["some.bin"]


def test_what_a_killed_process_left_is_resumed(server: Server, tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    own = files.own_name(tmp_path / "some.bin.part", "part").name
    (tmp_path / own.replace(f".{os.getpid()}-", f".{dead.pid}-")).write_bytes(CONTENT[:1000])
    other = tmp_path / re.sub(r"-\d+-", "-1-", own)
    other.write_bytes(b"of another thread")
    with files.writing(other):
        data_download.fetch(server.remote("good"), tmp_path)
    assert server.requests == [("/good/some.bin", "bytes=1000-")]
    assert names(tmp_path) == [other.name, "some.bin"]


def test_a_link_in_place_of_the_part_is_refused(server: Server, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("old")
    (tmp_path / "some.bin.part").symlink_to(tmp_path / "precious")
    with pytest.raises(DataError, match=r"some\.bin\.part is a symbolic link; remove it"):
        data_download.fetch(server.remote("good"), tmp_path)
    assert (tmp_path / "precious").read_text() == "old"
    assert not server.requests


def test_a_link_in_place_of_a_temporary_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("old")
    files.own_name(tmp_path / "file").symlink_to(tmp_path / "precious")
    with files.replacing(tmp_path / "file") as temporary:
        temporary.write_text("new")
    assert ((tmp_path / "precious").read_text(), (tmp_path / "file").read_text()) == ("old", "new")


def test_a_file_that_is_too_large_or_too_slow(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_download, "LONGEST", 0.3)
    with pytest.raises(DataError, match=r"/drip/some\.bin: it took longer than 0\.3 s"):
        data_download.fetch(server.remote("drip"), tmp_path)
    monkeypatch.setattr(data_download, "LARGEST", 1000)
    with pytest.raises(DataError, match=r"expected at most 1000 bytes, got "):
        data_download.fetch(server.remote("good"), tmp_path)


def test_a_silent_mirror_is_left(server: Server, tmp_path: Path) -> None:
    path = data_download.fetch(server.remote("stall", "good"), tmp_path, timeout=0.2)
    assert path.read_bytes() == CONTENT


def test_wrong_bytes_are_refused_and_deleted(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"expected SHA-256 {SHA256}, got .* \({len(CONTENT)} bytes\)"):
        data_download.fetch(server.remote("wrong"), tmp_path)
    assert names(tmp_path) == []


def test_the_stored_bytes_are_kept_whatever_encoding_the_server_claims(
    server: Server, tmp_path: Path
) -> None:
    assert data_download.fetch(server.remote("packed"), tmp_path).read_bytes() == CONTENT


def test_the_error_names_every_mirror_in_one_line(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        data_download.fetch(server.remote("missing", "full", "wrong", "stall"), tmp_path, timeout=0.2)
    message = str(caught.value)
    assert "\n" not in message
    for reason in (
        "/missing/some.bin: HTTP 404",
        "/full/some.bin: HTTP 416",
        "/wrong/some.bin: expected SHA-256",
        "/stall/some.bin: no answer for 0.2 s",
    ):
        assert reason in message


def test_no_one_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "never made"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    remote = Remote("some.bin", SHA256, ("http://127.0.0.1:9/some.bin",))
    with pytest.raises(DataError, match=r"127\.0\.0\.1:9/some\.bin: ConnectionError"):
        data_download.fetch(remote, folder)
    assert not folder.exists()


def test_a_folder_that_cannot_be_made(server: Server, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(DataError, match=r"cannot write .*taken"):
        data_download.fetch(server.remote("good"), tmp_path / "taken")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory, and $MINITORCH_DATA beside it."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("MINITORCH_DATA", str(tmp_path / "shared"))
    return tmp_path


def detect(folder: Path) -> Path | None:
    return folder / "some.bin" if (folder / "some.bin").is_file() else None


def test_places_are_searched_in_order(here: Path) -> None:
    spots = [
        spot for place in (here / "root", Path("data"), here / "shared") for spot in (place, place / "set")
    ]
    for spot in reversed(spots):
        spot.mkdir(parents=True, exist_ok=True)
        (spot / "some.bin").write_bytes(b"")
        assert data_download.obtain("Set", "set", detect, (), root=here / "root") == spot / "some.bin"


def test_a_set_that_must_lie_alone_is_not_found_in_the_place_itself(here: Path) -> None:
    (here / "root").mkdir()
    (here / "root" / "some.bin").write_bytes(b"")
    with pytest.raises(DataError):
        data_download.obtain(
            "Set", "set", detect, (), root=here / "root", own_folder_only=True, download=False
        )


def test_what_is_nowhere_is_an_error_that_names_every_place(here: Path) -> None:
    remote = Remote("some.bin", SHA256, ())
    with pytest.raises(DataError) as caught:
        data_download.obtain("Set", "set", detect, [remote], root=here / "root", download=False)
    message = str(caught.value)
    for part in (
        "Set not found",
        str(here / "root"),
        str(Path("data") / "set"),
        str(here / "shared"),
        "some.bin",
    ):
        assert part in message
    with pytest.raises(DataError, match=r"Set not found.*cannot download some\.bin: it has no mirrors"):
        data_download.obtain("Set", "set", detect, [remote], root=here / "root")


@pytest.mark.parametrize("given", ["root", "shared", "neither"])
def test_a_download_goes_to_the_first_place_given(
    server: Server, here: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    if given == "neither":
        monkeypatch.delenv("MINITORCH_DATA")
    root = here / "root" if given == "root" else None
    expected = {"root": here / "root", "shared": here / "shared", "neither": Path("data")}[given]
    found = data_download.obtain("Set", "set", detect, [server.remote("good")], root=root)
    assert found == expected / "set" / "some.bin"


def test_replacing_leaves_all_or_nothing(tmp_path: Path) -> None:
    with files.replacing(tmp_path / "deep" / "file") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "deep" / "file").read_text() == "new"

    def interrupted() -> None:
        with files.replacing(tmp_path / "deep" / "file") as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (tmp_path / "deep" / "file").read_text() == "new"
    assert names(tmp_path / "deep") == ["file"]


def test_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MINITORCH_CACHE_DIR", str(tmp_path))
    assert files.cache_folder() == tmp_path
    monkeypatch.delenv("MINITORCH_CACHE_DIR")
    assert files.cache_folder().name == "minitorch"


@pytest.mark.parametrize("remotes", [data_download.MNIST, data_download.FASHION_MNIST, data_download.CIFAR10])
def test_addresses_are_well_formed(remotes: tuple[Remote, ...]) -> None:
    for remote in remotes:
        assert re.fullmatch("[0-9a-f]{64}", remote.sha256)
        assert all(re.fullmatch(f"https?://.+/{re.escape(remote.name)}", each) for each in remote.mirrors)
