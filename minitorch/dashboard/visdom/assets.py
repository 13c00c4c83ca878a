"""Places the files of visdom's page where its server looks for them, each checked by its SHA-256.

    python minitorch/dashboard/visdom/assets.py                              # for the interpreter in .venv-visdom
    python minitorch/dashboard/visdom/assets.py --python FILE --from DIR     # from npm packages in DIR, without network

The server would download them at its first start, without a time limit and without a check. Here they come as npm
packages (npm must be installed), or from the .tgz files of these packages in a folder. Depends on the standard library
only, and runs as a script.
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
ASSETS: dict[str, Any] = json.loads(HERE.joinpath("assets.json").read_text(encoding="utf-8"))
LARGEST = 1 << 26  # bytes of a file of a package
NPM_TIMEOUT = 600  # seconds for one package
BUILT = "version.built"  # where this file holds its version, the server downloads nothing

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


class SetupError(Exception):
    """visdom is not set up. The message is one line for the user: what is missing and how to get it."""


def default_python() -> Path:
    """Return the interpreter that ``make dashboard`` installs visdom for, else this one.

    It is looked for in ``.venv-visdom`` of the checkout that this file is in, and of the current directory.
    """
    folder = "Scripts" if os.name == "nt" else "bin"
    for place in (HERE.parents[2], Path.cwd()):
        python = place / ".venv-visdom" / folder / "python"
        if python.exists():
            return python
    return Path(sys.executable)


def probe(python: Path) -> dict[str, Any]:
    """Return the folder of visdom in an interpreter, and its versions of visdom and tornado; None for what is missing.

    Raises:
        SetupError: The interpreter cannot be run.
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
        raise SetupError(f"{python} cannot be run: {error}") from error
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def missing(static: Path) -> list[dict[str, str]]:
    """Return the files that are missing in visdom's folder or have another checksum."""
    return [f for f in ASSETS["files"] if _checksum(static / f["place"]) != f["sha256"]]


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def place(static: Path, source: Path | None = None) -> int:
    """Place the missing files, and return how many there were.

    Args:
        static: The folder that the server reads.
        source: A folder of npm packages; None downloads them.

    Raises:
        SetupError: A package cannot be downloaded or is missing, or a file has another checksum.
    """
    wanted = missing(static)
    (static / BUILT).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for package in sorted({f["package"] for f in wanted}):
            archive = _local(package, source) if source else _download(package, Path(scratch))
            _unpack(archive, [f for f in wanted if f["package"] == package], static)
    _write(static / BUILT, ASSETS["visdom"].encode())
    return len(wanted)


def _local(package: str, source: Path) -> Path:
    path = _archive(package, source)
    if not path.exists():
        raise SetupError(f"{path} is missing")
    return path


def _download(package: str, scratch: Path) -> Path:
    # npm gets its own cache: it reads and leaves nothing in the home folder.
    command = ["npm", "pack", "--ignore-scripts", "--silent", "--cache", str(scratch / "cache"), package]
    try:
        done = subprocess.run(
            command,
            cwd=scratch,
            capture_output=True,
            text=True,
            timeout=NPM_TIMEOUT,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise SetupError(
            "npm is not installed: install Node.js, or give a folder of packages with --from"
        ) from None
    except subprocess.TimeoutExpired:
        raise SetupError(f"npm has not downloaded {package} within {NPM_TIMEOUT} seconds") from None
    path = _archive(package, scratch)
    if done.returncode or not path.exists():
        reason = " ".join((done.stderr or done.stdout).split()) or f"exit status {done.returncode}"
        raise SetupError(f"npm cannot download {package}: {reason[:300]}")
    return path


def _archive(package: str, folder: Path) -> Path:
    return folder / f"{package.replace('@', '-')}.tgz"


def _unpack(archive: Path, files: Sequence[dict[str, str]], static: Path) -> None:
    """Write files of a package, after a check of each."""
    try:
        with tarfile.open(archive) as packed:
            for wanted in files:
                place = f"package/{wanted['file']}"
                if packed.getmember(place).size > LARGEST:
                    raise SetupError(f"{wanted['package']}: {wanted['file']} has more than {LARGEST} bytes")
                member = packed.extractfile(place)
                content = member.read() if member else b""
                if hashlib.sha256(content).hexdigest() != wanted["sha256"]:
                    raise SetupError(f"{wanted['package']}: {wanted['file']} has a wrong checksum")
                _write(static / wanted["place"], content)
    except (KeyError, tarfile.TarError) as error:
        raise SetupError(f"{archive.name} is not the expected package: {error}") from error


def _write(path: Path, content: bytes) -> None:
    # As `replacing` of the package does, which this file cannot import: it runs as a script.
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(content)
    temporary.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--python", metavar="FILE", type=Path, default=default_python(), help="interpreter with visdom"
    )
    parser.add_argument(
        "--from", dest="source", metavar="DIR", type=Path, help="folder of npm packages (.tgz)"
    )
    args = parser.parse_args(arguments)
    try:
        found = probe(args.python)
        if found["visdom"] != ASSETS["visdom"]:
            raise SetupError(
                f"{args.python} has visdom {found['visdom']}, not {ASSETS['visdom']}: make dashboard"
            )
        count = place(Path(found["folder"]) / "static", args.source)
    except (SetupError, OSError) as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print(f"{count} files of visdom's page placed, {len(ASSETS['files'])} checked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
