"""Finds the files of a data set in the places a user may keep them, or downloads them from a mirror.

A download is resumed where it was cut, checked against its SHA-256, and takes its name only when it is whole. Names,
addresses and checksums are here; what is in the files is the matter of `minitorch.data.formats`. ``requests`` and
``rich`` are imported with the first download.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..runtime.files import leftovers, own_name, publish, writing

Found = TypeVar("Found")

SILENCE_TIMEOUT = 10.0  # seconds without a byte after which the next mirror is tried
LONGEST = 3600.0  # seconds that one mirror may take; what has come is resumed
LARGEST = 1 << 30  # bytes of a file; the largest here has 170 MB
_CHUNK = 1 << 18  # bytes


class DataError(RuntimeError):
    """A data file is missing, cut or malformed; the message names it and says what was expected."""


@dataclass(frozen=True)
class Remote:
    """A file to download.

    Attributes:
        name: Its name.
        sha256: The SHA-256 of its bytes, in hexadecimal; or its first digits, where only these are published.
        mirrors: Its addresses, best first.
    """

    name: str
    sha256: str
    mirrors: tuple[str, ...]


def _remotes(bases: Sequence[str], checksums: dict[str, str]) -> tuple[Remote, ...]:
    return tuple(
        Remote(name, sha256, tuple(base + name for base in bases)) for name, sha256 in checksums.items()
    )


MNIST = _remotes(
    ["https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"],
    {
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
)
FASHION_MNIST = _remotes(
    [
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ],
    {
        "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
)
CIFAR10 = _remotes(
    ["https://www.cs.toronto.edu/~kriz/"],
    {"cifar-10-python.tar.gz": "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"},
)

# The names of PyTorch's weight files carry the first digits of their checksums.
_WEIGHT_FILES = {
    "alexnet": "alexnet-owt-7be5be79.pth",
    "inception_v3": "inception_v3_google-0cc3c7bd.pth",
    "mobilenet_v2": "mobilenet_v2-b0353104.pth",
    "resnet18": "resnet18-f37072fd.pth",
    "resnet34": "resnet34-b627a593.pth",
    "resnet50": "resnet50-0676ba61.pth",
    "squeezenet1_0": "squeezenet1_0-b66bff10.pth",
    "squeezenet1_1": "squeezenet1_1-b8a52dc0.pth",
    "vgg11": "vgg11-8a719046.pth",
    "vgg11_bn": "vgg11_bn-6002323d.pth",
    "vgg16": "vgg16-397923af.pth",
    "vgg16_bn": "vgg16_bn-6c64b313.pth",
}
WEIGHTS = {
    model: Remote(
        name, name.removesuffix(".pth").split("-")[-1], (f"https://download.pytorch.org/models/{name}",)
    )
    for model, name in _WEIGHT_FILES.items()
}
WEIGHTS["efficientnet_lite0"] = Remote(
    "efficientnet-lite0-57934424.pth", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", ()
)


def places(root: str | os.PathLike[str] | None = None) -> list[Path]:
    """Return where data may be, in order: ``root`` if given, ``data`` here, ``$MINITORCH_DATA`` if set."""
    shared = os.environ.get("MINITORCH_DATA")
    return [Path(place) for place in (root, "data", shared) if place]


def download_folder(root: str | os.PathLike[str] | None = None) -> Path:
    """Return where downloads go: ``root`` if given, else ``$MINITORCH_DATA`` if set, else ``data`` here."""
    return Path(root or os.environ.get("MINITORCH_DATA") or "data")


def obtain(
    title: str,
    folder: str,
    find_files: Callable[[Path], Found | None],
    remotes: Sequence[Remote],
    *,
    root: str | os.PathLike[str] | None = None,
    own_folder_only: bool = False,
    other_folders: Sequence[str] = (),
    download: bool = True,
    timeout: float = SILENCE_TIMEOUT,
) -> Found:
    """Find a data set in the first place which holds it, else download it.

    Args:
        title: Name of the set, for messages.
        folder: Name of the set's own folder within a place; downloads go there.
        find_files: Returns what it found in a folder, or None.
        remotes: The files of the set.
        root: First place to look in, and where a download goes; by default none.
        own_folder_only: Look in the set's own folder only, never in the place itself; by default in both.
        other_folders: Names of folders within a place where other programs put the set; by default none.
        download: Whether to download what is in no place; by default True.
        timeout: Seconds without a byte after which the next mirror is tried.

    Raises:
        DataError: Nothing found (names every place tried), or no mirror gave the files.
    """
    names = (*(() if own_folder_only else (".",)), folder, *other_folders)
    # One place may be given twice, under different names.
    unique: dict[str, Path] = {}
    for place in places(root):
        for name in names:
            unique.setdefault(os.path.abspath(place / name), place / name)
    tried = list(unique.values())
    for candidate in tried:
        found = find_files(candidate)
        if found is not None:
            return found
    missing = (
        f"{title} not found in {', '.join(map(str, tried))} (expected {', '.join(r.name for r in remotes)})"
    )
    if not download:
        raise DataError(missing)
    target = download_folder(root) / folder
    try:
        for remote in remotes:
            fetch(remote, target, timeout=timeout)
    except DataError as error:
        raise DataError(f"{missing}; {error}") from None
    found = find_files(target)
    if found is None:
        raise DataError(f"{missing}; nor in what was downloaded to {target}")
    return found


def fetch(remote: Remote, folder: str | os.PathLike[str], *, timeout: float = SILENCE_TIMEOUT) -> Path:
    """Download a file into ``folder`` and return its path; one that is there with the right checksum is kept.

    The mirrors are tried in turn. What came before a cut stays in ``<name>.part`` and is resumed, by the next
    mirror or the next call; bytes with a wrong checksum are deleted. Several processes may fetch the same file at once:
    each writes to a name of its own.

    Args:
        remote: The file to download.
        folder: Where it goes; made if missing.
        timeout: Seconds without a byte after which the next mirror is tried.

    Raises:
        DataError: No mirror gave the file (names each with its reason), or ``folder`` cannot be written.
    """
    path = Path(folder) / remote.name
    reasons = []
    try:
        if path.exists() and _sha256(path).startswith(remote.sha256):
            return path
        with _own_part(path) as part:
            for address in remote.mirrors:
                # A part from another mirror may be wrong: then this one gets a second try from the first byte.
                for resumed in (True, False) if part.exists() else (False,):
                    reason = _receive(address, part, remote.name, timeout) or _verify(part, remote.sha256)
                    if reason is None:
                        publish(part, path)
                        return path
                    if part.exists() or not resumed:
                        break
                reasons.append(f"{address}: {reason}")
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from None
    raise DataError(f"cannot download {remote.name}: {'; '.join(reasons) or 'it has no mirrors'}")


@contextmanager
def _own_part(path: Path) -> Iterator[Path]:
    """Take ``<name>.part``, or what a killed process left, under a name of this process; put it back at the end."""
    shared = path.with_name(path.name + ".part")
    own = own_name(shared, "part")
    if shared.is_symlink():
        raise OSError(f"{shared} is a symbolic link; remove it")
    with writing(own):
        own.unlink(missing_ok=True)
        left = [p for p in leftovers(path.parent, "part") if p.name.startswith(f".{shared.name}.")]
        for candidate in (shared, *left):
            if candidate.is_file() and not candidate.is_symlink():
                with suppress(FileNotFoundError):  # another process was faster
                    os.replace(candidate, own)
                    break
        try:
            yield own
        finally:
            if own.exists():
                os.replace(own, shared)


def require_checksum(path: Path, sha256: str) -> None:
    """Check a file against its SHA-256, or the first digits of it.

    Raises:
        DataError: It is another, or the file cannot be read.
    """
    try:
        found = _sha256(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    if not found.startswith(sha256):
        raise DataError(f"{path}: expected SHA-256 {sha256}, got {found}: it is damaged, or another file")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _verify(part: Path, sha256: str) -> str | None:
    """Return None if the checksum is right; else delete the part and return the reason."""
    found = _sha256(part)
    if found.startswith(sha256):
        return None
    size = part.stat().st_size
    part.unlink()
    return f"expected SHA-256 {sha256}, got {found} ({size} bytes)"


def _receive(address: str, part: Path, name: str, timeout: float) -> str | None:
    """Append the missing bytes to ``part``; return None if the mirror has sent all of them, else the reason."""
    import requests
    import urllib3

    have = part.stat().st_size if part.exists() else 0
    end = time.monotonic() + LONGEST
    # The bytes are wanted as stored: without this, some servers unpack a .gz before they send it.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        with requests.get(address, headers=headers, stream=True, timeout=timeout) as answer:
            if (
                have and answer.status_code == 416
            ):  # range not satisfiable: the part is whole or wrong, which the checksum tells
                return None
            if answer.status_code not in (200, 206):
                return f"HTTP {answer.status_code} {answer.reason}"
            resumed = answer.status_code == 206
            start = have if resumed else 0
            length = answer.headers.get("Content-Length", "0")
            total = start + (int(length) if length.isdecimal() else 0)
            if total > LARGEST:
                return f"expected at most {LARGEST} bytes, got {total}"
            part.parent.mkdir(parents=True, exist_ok=True)
            with (
                open(part, "ab" if resumed else "wb", opener=_open_no_link) as file,
                _progress(name, address, start, total) as advance,
            ):
                while chunk := answer.raw.read1(_CHUNK, decode_content=False):
                    start += len(chunk)
                    if start > LARGEST:
                        return f"expected at most {LARGEST} bytes, got more"
                    if time.monotonic() > end:
                        return f"it took longer than {LONGEST:g} s"
                    file.write(chunk)
                    advance(len(chunk))
    except (requests.Timeout, urllib3.exceptions.TimeoutError):
        return f"no answer for {timeout:g} s"
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        return f"{type(error).__name__} after {part.stat().st_size if part.exists() else 0} bytes"
    return None


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags if sys.platform == "win32" else flags | os.O_NOFOLLOW, 0o666)


@contextmanager
def _progress(name: str, address: str, start: int, total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on a terminal, one plain line elsewhere; both on stderr."""
    if not sys.stderr.isatty():
        print(f"downloading {name} from {address}", file=sys.stderr)
        yield lambda size: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=total or None, completed=start)
        yield lambda size: bar.advance(task, size)
