"""Files: what killed processes leave is deleted, names of others are kept, and only regular files are read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from minitorch.runtime import files


@pytest.fixture
def ended() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_killed_processes_left_is_deleted_once(tmp_path: Path, ended: int) -> None:
    own = files.own_name(tmp_path / "weights.npz").name
    assert re.fullmatch(rf"\.weights\.npz\.{os.getpid()}-\d+-[0-9a-f]{{8}}\.tmp", own)
    dead = own.replace(f".{os.getpid()}-", f".{ended}-")
    running = own.replace(f".{os.getpid()}-", f".{os.getppid()}-")
    elsewhere = re.sub(r"[0-9a-f]{8}\.tmp$", "00000000.tmp", dead)
    part = dead.replace(".tmp", ".part")
    earlier = re.sub(r"-\d+-", "-1-", own)  # an earlier process of this number, as in a container
    others = {"notes.tmp", ".hidden.tmp", ".a.1-2-3.tmp", elsewhere, running, part}
    for name in (dead, earlier, *others):
        (tmp_path / name).write_text("half")
    (tmp_path / "folder" / dead).mkdir(parents=True)
    assert {path.name for path in files.leftovers(tmp_path)} == {dead, earlier}
    with files.replacing(tmp_path / "new") as temporary:
        assert names(tmp_path) == {*others, temporary.name, "folder"}
        temporary.write_text("whole")
    assert names(tmp_path) == {*others, "new", "folder"}
    (tmp_path / dead).write_text("half")
    with files.replacing(tmp_path / "new"):
        pass
    assert dead in names(tmp_path)  # a folder is looked through once in a process


def test_what_is_being_written_is_no_leftover(tmp_path: Path) -> None:
    with files.replacing(tmp_path / "file") as temporary:
        assert temporary.exists()
        assert files.leftovers(tmp_path) == []
    temporary.write_text("left")
    assert files.leftovers(tmp_path) == [temporary]


def test_a_file_and_its_folder_are_synced_around_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    sync, rename = os.fsync, os.replace

    def note_sync(handle: int) -> None:
        calls.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")
        sync(handle)

    def note_rename(source: Path, target: Path) -> None:
        calls.append("rename")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "replace", note_rename)
    with files.replacing(tmp_path / "file") as temporary:
        temporary.write_text("whole")
    if Path("/proc/self/fd").exists():
        assert calls == ["file", "rename", "folder"]


def test_an_error_names_the_file_and_not_the_temporary_one(tmp_path: Path) -> None:
    def fail(error: OSError) -> OSError:
        with pytest.raises(OSError, match="disk") as caught, files.replacing(tmp_path / "file"):
            raise error
        return caught.value

    assert fail(OSError(28, "disk is full")).filename == str(tmp_path / "file")
    assert fail(OSError(28, "disk is full", "other")).filename == "other"
    assert names(tmp_path) == set()


def test_a_long_name_still_has_a_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 120)
    with files.replacing(path) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_only_regular_files_of_a_sensible_size_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert files.read_file(tmp_path / "file", limit=5) == b"12345"
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "device").symlink_to("/dev/zero")
    for name, reason in (
        ("file", "expected at most 4 bytes, got 5"),
        ("pipe", "a pipe or a device"),
        ("device", "a pipe or a device"),
        (".", "Is a directory"),
        ("loop", "symbolic links"),
        ("missing", "No such file"),
    ):
        with pytest.raises(OSError, match=reason) as caught:
            files.read_file(tmp_path / name, limit=4)
        assert caught.value.filename == str(tmp_path / name)
