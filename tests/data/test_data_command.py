"""The command that downloads CIFAR-10 is Python alone: no other program, no module of one system only, any folder.

It runs in a process of its own against a server on this machine. Other systems are imitated as far as possible: no
program is on the path or may be started, modules that Windows does not have cannot be imported, and the name of the
system is another one.
"""

from __future__ import annotations

import ast
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from minitorch.data import formats, image_sets

from .test_data import batch_files, check_cifar, write_archive

ROOT = Path(__file__).resolve().parents[2]
NAME = "cifar-10-python.tar.gz"
# In Python on Linux and macOS, not on Windows.
POSIX = [
    "crypt",
    "fcntl",
    "grp",
    "nis",
    "ossaudiodev",
    "pty",
    "pwd",
    "resource",
    "spwd",
    "syslog",
    "termios",
    "tty",
]
# All that the command is made of, and what these files import from the lowest layer.
PARTS = (*(ROOT / "minitorch" / "data").glob("*.py"), ROOT / "minitorch" / "runtime" / "files.py")
RUNTIME = {
    "runtime",
    "runtime.files",
    "runtime.parser",
    "runtime.pickles",
    "runtime.signals",
    "runtime.types",
}

COMMAND = """
import runpy, sys

STARTS = ("subprocess.Popen", "pty.spawn", *(f"os.{x}" for x in "system exec posix_spawn spawn fork forkpty".split()))

def forbid(event, arguments):
    if event in STARTS:
        raise RuntimeError(f"{event} {arguments}")

address, sha256, system, *words = sys.argv[1:]
import dataclasses, requests, urllib3  # noqa: E401
from minitorch.data import download, image_sets
remote = download.Remote(address.rpartition("/")[2], sha256, (address,))
image_sets.IMAGE_SETS["cifar10"] = dataclasses.replace(image_sets.IMAGE_SETS["cifar10"], remotes=(remote,))
for name in POSIX:
    sys.modules[name] = None
sys.addaudithook(forbid)
sys.platform = system
sys.argv = ["data", *words]
runpy.run_module("minitorch.data", run_name="__main__")
"""


class Handler(BaseHTTPRequestHandler):
    """Serves one file, whatever is asked for."""

    server: Server

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.requests = content, list[str]()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    content = write_archive(tmp_path / "served" / NAME, batch_files()).read_bytes()
    with Server(content) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def fetched(server: Server, here: Path, system: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, where it finds no program, and its user's folders beside it."""
    home = here.parent
    kept = ("SYSTEMROOT", "COMSPEC", "TEMP", "TMP")  # Windows starts no Python without the first
    settings = {name: os.environ[name] for name in kept if name in os.environ}
    settings |= {"PATH": "", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "NO_PROXY": "127.0.0.1"}
    settings |= {"HOME": str(home), "USERPROFILE": str(home), "LOCALAPPDATA": str(home / "Local")}
    settings |= {"NUMBA_CACHE_DIR": str(home / "numba")}
    code = f"POSIX = {POSIX}\n{COMMAND}"
    address, sum_ = (
        f"http://127.0.0.1:{server.server_port}/{NAME}",
        hashlib.sha256(server.content).hexdigest(),
    )
    return subprocess.run(
        [sys.executable, "-c", code, address, sum_, system, "cifar10", *words],
        cwd=here, env=settings, capture_output=True, text=True, encoding="utf-8", timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("system", "cache"),
    [("linux", ".cache/minitorch"), ("darwin", "Library/Caches/minitorch"), ("win32", "Local/minitorch")],
)
def test_one_command_on_a_bare_system(server: Server, tmp_path: Path, system: str, cache: str) -> None:
    here = tmp_path / "home" / "Ünser Ordner, new"
    here.mkdir(parents=True)
    done = fetched(server, here, system)
    landed = Path("data") / "cifar10" / NAME
    assert (done.returncode, done.stdout) == (
        0,
        f"CIFAR-10: 10 training and 2 test images in {landed}\n",
    ), done.stderr
    assert done.stderr.count("\n") == 1
    assert (here / landed).read_bytes() == server.content
    assert [path.suffix for path in (tmp_path / "home" / cache).iterdir()] == [".npz"]
    check_cifar(*image_sets.cifar10(here / "data", download=False))
    assert fetched(server, here, system).returncode == 0
    assert server.requests == [f"/{NAME}"], "what is there is not fetched again"


def test_the_command_unpacks_without_a_program(server: Server, tmp_path: Path) -> None:
    here = tmp_path / "home" / "work"
    here.mkdir(parents=True)
    done = fetched(server, here, "win32", "--root", "my data", "--unpack", "my data")
    assert done.returncode == 0, done.stderr
    assert sorted(os.listdir(here / "my data" / formats.CIFAR_FOLDER)) == sorted(batch_files())


def test_a_program_that_is_started_is_noticed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    for wrong in (
        "import os; os.system('echo')",
        "import subprocess; subprocess.run(['echo'])",
        "import fcntl",
    ):
        monkeypatch.setattr(
            f"{__name__}.COMMAND", COMMAND.replace("runpy.run_module(", f"{wrong}\nrunpy.run_module(")
        )
        done = fetched(server, tmp_path / "home", "linux")
        assert done.returncode == 1
        assert "os.system" in done.stderr or "subprocess.Popen" in done.stderr or "fcntl" in done.stderr


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.stem)
def test_the_code_of_the_command_imports_nothing_of_one_system(part: Path) -> None:
    tree = ast.parse(part.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    outside = {name.split(".")[0] for name in (*names, *(str(n.module) for n in froms if not n.level))}
    # Besides Python: dependencies that pip brings on every system.
    assert outside - set(sys.stdlib_module_names) <= {"numpy", "requests", "urllib3", "rich"}
    assert not outside & {*POSIX, "posix", "subprocess", "multiprocessing", "ctypes", "winreg", "msvcrt"}
    inside = {n.module or alias.name for n in froms if n.level for alias in n.names}
    assert inside <= {*(path.stem for path in PARTS), *RUNTIME}
