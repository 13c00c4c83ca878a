"""Puts the files of visdom's page where its server looks for them, each checked by its checksum.

python project/visdom_assets.py                                  # for the interpreter in .venv-visdom
python project/visdom_assets.py --python /usr/bin/python3 --from DIR     # from packages in DIR: no network

The server would fetch them itself when it starts for the first time, without a time limit and without a check. Here
they come as npm packages (npm must be installed), or from the .tgz files of these packages in a folder. It needs no
package besides the standard library.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ASSETS: dict[str, Any] = json.loads(HERE.joinpath("visdom_assets.json").read_text(encoding="utf-8"))
PATIENCE = 600  # seconds for all packages
BUILT = "version.built"  # tells the server that it need not fetch anything

PROBE = """
import importlib.metadata, importlib.util, json
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
found = importlib.util.find_spec("visdom")
folder = found.submodule_search_locations[0] if found else None
print(json.dumps({"folder": folder, "visdom": version("visdom"), "tornado": version("tornado")}))
"""


class Unready(Exception):
    """Something is missing; the message is the one line that the user reads."""


def default_python() -> Path:
    """Return the interpreter that ``make dashboard`` installs visdom for, else this one."""
    folder = "Scripts" if os.name == "nt" else "bin"
    own = HERE.parent / ".venv-visdom" / folder / "python"
    return own if own.exists() else Path(sys.executable)


def probe(python: Path) -> dict[str, Any]:
    """Return where an interpreter has visdom, and the versions of it and of tornado; None for what it has not.

    Raises:
        Unready: It cannot be run.
    """
    try:
        done = subprocess.run(
            [python, "-c", PROBE],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Unready(f"{python} cannot be run: {error}") from error
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def missing(static: Path) -> list[dict[str, str]]:
    """Return the files that are not in visdom's folder as they should be."""
    return [f for f in ASSETS["files"] if _checksum(static / f["place"]) != f["sha256"]]


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def place(static: Path, source: Path | None = None) -> int:
    """Put what is missing in place, and return how many files that were.

    Args:
        static: The folder that the server reads.
        source: A folder of npm packages; without it they are fetched.

    Raises:
        Unready: A package or a file is not to be had, or is not what it should be.
    """
    wanted = missing(static)
    (static / BUILT).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for package in sorted({f["package"] for f in wanted}):
            archive = _given(package, source) if source else _fetched(package, Path(scratch))
            _unpack(archive, [f for f in wanted if f["package"] == package], static)
    _write(static / BUILT, ASSETS["visdom"].encode())
    return len(wanted)


def _given(package: str, source: Path) -> Path:
    path = _archive(package, source)
    if not path.exists():
        raise Unready(f"{path} is missing")
    return path


def _fetched(package: str, scratch: Path) -> Path:
    # Its own cache: nothing is read from the home folder or left in it.
    command = ["npm", "pack", "--ignore-scripts", "--silent", "--cache", str(scratch / "cache"), package]
    try:
        done = subprocess.run(
            command, cwd=scratch, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise Unready(
            "npm is not installed: install Node.js, or give a folder of packages with --from"
        ) from None
    except subprocess.TimeoutExpired:
        raise Unready(f"npm has not fetched {package} within {PATIENCE} seconds") from None
    path = _archive(package, scratch)
    if done.returncode or not path.exists():
        complaint = " ".join((done.stderr or done.stdout).split()) or f"exit status {done.returncode}"
        raise Unready(f"npm cannot fetch {package}: {complaint[:300]}")
    return path


def _archive(package: str, folder: Path) -> Path:
    return folder / f"{package.replace('@', '-')}.tgz"


def _unpack(archive: Path, files: Sequence[dict[str, str]], static: Path) -> None:
    """Write files of a package, if they are what they should be."""
    try:
        with tarfile.open(archive) as packed:
            for wanted in files:
                member = packed.extractfile(f"package/{wanted['file']}")
                content = member.read() if member else b""
                if hashlib.sha256(content).hexdigest() != wanted["sha256"]:
                    raise Unready(
                        f"{wanted['package']}: {wanted['file']} has another checksum than it should"
                    )
                _write(static / wanted["place"], content)
    except (KeyError, tarfile.TarError) as error:
        raise Unready(f"{archive.name} is not the package it should be: {error}") from error


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(content)
    temporary.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the flags say, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", metavar="FILE", type=Path, default=default_python(), help="has visdom")
    parser.add_argument(
        "--from", dest="source", metavar="DIR", type=Path, help="folder of npm packages (.tgz)"
    )
    args = parser.parse_args(arguments)
    try:
        found = probe(args.python)
        if found["visdom"] != ASSETS["visdom"]:
            raise Unready(
                f"{args.python} has visdom {found['visdom']}, not {ASSETS['visdom']}: make dashboard"
            )
        count = place(Path(found["folder"]) / "static", args.source)
    except (Unready, OSError) as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print(f"{count} files of visdom's page placed, {len(ASSETS['files'])} checked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
