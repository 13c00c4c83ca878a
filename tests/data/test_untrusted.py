"""Files that somebody else made: the attacks that are not tried beside the reader of a format.

docs/reliability.md lists all of them. Each ends in one error that names the file, and leaves nothing behind.
"""

from __future__ import annotations

import io
import json
import pickle
import re
import struct
import tarfile
import zipfile
from collections.abc import Callable
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from minitorch import CheckpointError, Scalar
from minitorch.cli import compare, replay
from minitorch.dashboard.graph import draw_graph
from minitorch.dashboard.html import write_report
from minitorch.dashboard.run_log import RunLog
from minitorch.dashboard.svg import confusion, gallery, line_chart, settings_table
from minitorch.dashboard.visdom import assets
from minitorch.data import __main__, formats, image_sets
from minitorch.data.download import DataError
from minitorch.train.checkpoint import load, load_checkpoint
from minitorch.train.messages import UsageError
from minitorch.train.run_dir import LOG, RESULTS, read_records
from minitorch.vision.io import read_image

from .test_data import BATCHES, alone, batch_files, check_cifar, write_archive

__all__ = ["alone"]  # the fixture

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reliability.md"

# safetensors: 8 bytes length of the header, the header (JSON), the bytes of all tensors


def entry(*offsets: int, shape: Any = (2,), dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def packed(header: Any, size: int = 0, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + bytes(size)


DEEP = b"[" * 100_000 + b"]" * 100_000
SAFETENSORS: dict[str, bytes] = {
    "empty": b"",
    "three bytes": b"\1\0\0",
    "header of 2**63 bytes": packed({}, length=1 << 63),
    "header of a terabyte": packed({}, length=1 << 40),
    "header longer than the file": packed({}, length=1000),
    "header that is no JSON": packed(b"{" * 9),
    "header that is no text": packed(b'{"\xff":{}}'),
    "header nested 100,000 deep": packed(b'{"__metadata__":{"a":' + DEEP + b"}}"),
    "list nested 100,000 deep": packed(DEEP),
    "overlapping offsets": packed({"a": entry(0, 8), "b": entry(4, 12)}, 12),
    "the same bytes twice": packed({"a": entry(0, 8), "b": entry(0, 8)}, 8),
    "bytes that belong to nobody": packed({"a": entry(0, 8), "b": entry(12, 20)}, 20),
    "past the end": packed({"a": entry(0, 8)}, 4),
    "bytes left over": packed({"a": entry(0, 8)}, 40),
    "before the start": packed({"a": entry(-8, 0)}, 8),
    "backwards": packed({"a": entry(8, 0)}, 8),
    "product that overflows to 0": packed({"a": entry(0, 0, shape=(1 << 32, 1 << 32))}),
    "product that overflows": packed({"a": entry(0, 0, shape=(1 << 62, 4))}),
    "empty, with a product that overflows": packed({"a": entry(0, 0, shape=(0, 1 << 62, 1 << 62))}),
    "a size beyond 64 bits": packed({"a": entry(0, 4, shape=(1 << 70,))}, 4),
    "negative size": packed({"a": entry(0, 4, shape=(-1,))}, 4),
    "a hundred dimensions": packed({"a": entry(0, 4, shape=(1,) * 100)}, 4),
    "objects": packed({"a": entry(0, 8, shape=(1,), dtype="O")}, 8),
    "a dtype that NumPy lacks": packed({"a": entry(0, 1, shape=(1,), dtype="F8_E4M3")}, 1),
    "metadata that is no text": packed({"__metadata__": {"minitorch": 1}}),
}


@pytest.mark.parametrize("attack", SAFETENSORS)
def test_safetensors(tmp_path: Path, attack: str) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(SAFETENSORS[attack])
    for read in (load, lambda p: load_checkpoint(p, None)):  # type: ignore[arg-type]
        with pytest.raises(CheckpointError) as caught:
            read(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["safetensors", "npz", "pth"])
def test_a_sparse_file_of_a_terabyte_is_not_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"model.{suffix}"
    with open(path, "wb") as file:
        try:
            file.truncate(1 << 40)
        except OSError:
            pytest.skip("the file system has no sparse files of this size")
        file.write(packed({"a": entry(0, 8)}))
    with pytest.raises(CheckpointError, match=re.escape(str(path))):
        load(path)
    if suffix == "pth":  # the format before PyTorch 1.6
        with open(path, "r+b") as file:
            file.write(pickle.dumps(0x1950A86A20F9469CFC6C, 2))
        with pytest.raises(CheckpointError, match=re.escape(str(path))):
            load(path)


def test_metadata_of_null_is_none(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(packed({"__metadata__": None, "a": entry(0, 8)}, 8))
    assert load(path)["a"].tolist() == [0.0, 0.0]
    with pytest.raises(CheckpointError, match="not a checkpoint of minitorch"):
        load_checkpoint(path, None)  # type: ignore[arg-type]


# npz


def npy(shape: tuple[int, ...], descr: Any = "<f8", content: bytes = bytes(8)) -> bytes:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": descr, "fortran_order": False, "shape": shape})
    return head.getvalue() + content


@pytest.mark.parametrize(
    "member",
    [
        npy((1,), "|O", b"cos\nsystem\n(S'touch evil'\ntR."),
        npy((1 << 62, 1 << 62)),
        npy((-1,)),
        npy((1,))[:20],
        b"\x93NUMPY\x01\x00\xff\xff" + b"{" * 65535,
        b"\x93NUMPY\x01\x00\x76\x00" + b"__import__('os').mkdir('evil')".ljust(117) + b"\n",
    ],
)
def test_npz(alone: Path, member: bytes) -> None:
    path = alone / "model.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", member)
    with pytest.raises(CheckpointError, match=re.escape(str(path))):
        load(path)
    assert not Path("evil").exists()


def test_names_of_members_are_names_of_tensors_only(alone: Path) -> None:
    path = alone / "model.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../evil.npy", npy((1,)))
    assert list(load(path)) == ["../../evil"]
    assert [p.name for p in alone.rglob("*evil*")] == []


# tar archives of CIFAR-10


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
)
def test_members_of_a_tar_file_that_are_no_files(alone: Path, kind: bytes) -> None:
    (alone / "secret").write_bytes(batch_files()["data_batch_1"])
    path = write_archive(alone / "root" / "cifar-10-python.tar.gz", {})
    files = batch_files()
    del files["data_batch_1"]
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{formats.CIFAR_FOLDER}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo(f"{formats.CIFAR_FOLDER}/data_batch_1")
        link.type, link.linkname = kind, str(alone / "secret")
        archive.addfile(link)
    with pytest.raises(DataError, match="missing data_batch_1"):
        image_sets.cifar10(alone / "root")


@pytest.mark.parametrize(
    "folder", ["/tmp/cifar-10-batches-py", "../../cifar-10-batches-py", "cifar-10-batches-py/.."]
)
def test_paths_of_a_tar_file_lead_nowhere(alone: Path, folder: str) -> None:
    before = sorted(alone.rglob("*"))
    write_archive(alone / "root" / "cifar-10-python.tar.gz", batch_files(), folder)
    status = __main__.main(["cifar10", "--root", str(alone / "root"), "--unpack", str(alone / "out")])
    made = {p for p in alone.rglob("*") if p not in before and p.is_file()}
    allowed = {alone / "out" / formats.CIFAR_FOLDER / name for name in BATCHES}
    assert made - {alone / "root" / "cifar-10-python.tar.gz"} <= allowed
    assert status == (2 if folder.endswith("..") else 0)


def test_a_member_that_says_it_is_huge(alone: Path) -> None:
    path = alone / "root" / "cifar-10-python.tar.gz"
    path.parent.mkdir()
    member = tarfile.TarInfo(f"{formats.CIFAR_FOLDER}/data_batch_1")
    member.size = 1 << 40
    path.write_bytes(member.tobuf() + bytes(1024))
    with pytest.raises(DataError, match="data_batch_1 has 1099511627776 bytes"):
        image_sets.cifar10(alone / "root")


KEPT = ("train_images", "train_labels", "test_images", "test_labels")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("test_labels", lambda a: a + 9),  # 10 and more
        ("test_labels", lambda a: a.astype(float)),
        ("test_labels", lambda a: a[:1]),
        ("train_images", lambda a: a.astype(float)),
        ("train_images", lambda a: a[:, :1]),
        ("train_images", lambda a: np.array([None, print])),
    ],
)
def test_the_kept_copy_of_an_archive_is_checked_like_the_archive(
    alone: Path, name: str, change: Callable[[Any], Any]
) -> None:
    write_archive(alone / "root" / "cifar-10-python.tar.gz", batch_files())
    check_cifar(*image_sets.cifar10(alone / "root"))
    (kept,) = (alone / "cache").iterdir()
    with np.load(kept) as file:
        arrays = {key: file[key] for key in KEPT}
    assert change(arrays[name]) is not None
    with open(kept, "wb") as target:
        np.savez(target, **{**arrays, name: change(arrays[name])})
    check_cifar(*image_sets.cifar10(alone / "root"))  # read from the archive again
    with np.load(kept) as file:
        np.testing.assert_array_equal(file[name], arrays[name])


def test_the_kept_copy_is_not_unpacked_without_end(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_archive(alone / "root" / "cifar-10-python.tar.gz", batch_files())
    check_cifar(*image_sets.cifar10(alone / "root"))
    (kept,) = (alone / "cache").iterdir()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train_images.npy", npy((1 << 24,), "|u1", bytes(1 << 24)))
    monkeypatch.setattr(formats, "_LARGEST_ARCHIVE", 1 << 23)
    assert formats._read_cache(kept) is None


# Packages of the dashboard's page


def test_a_package_is_limited_and_unpacked_to_listed_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [{"package": "a@1.0", "file": "x.js", "place": "js/x.js", "sha256": "0" * 64}]
    monkeypatch.setattr(assets, "ASSETS", {"visdom": "0.2.4", "files": wanted})
    archive, static = tmp_path / "a-1.0.tgz", tmp_path / "static"
    with tarfile.open(archive, "w:gz") as packages:
        big = tarfile.TarInfo("package/x.js")
        big.size = assets.LARGEST + 1
        packages.addfile(big, io.BytesIO(bytes(big.size)))
    with pytest.raises(assets.SetupError, match=r"x\.js has more than 67108864 bytes"):
        assets.place(static, tmp_path)
    with tarfile.open(archive, "w:gz") as packages:
        link = tarfile.TarInfo("package/x.js")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packages.addfile(link)
    with pytest.raises(assets.SetupError, match=r"a-1\.0\.tgz is not the expected package"):
        assets.place(static, tmp_path)
    assert not static.exists()
    wanted[0]["sha256"] = sha256(b"x").hexdigest()
    with tarfile.open(archive, "w:gz") as packages:
        for name in ("package/x.js", "../../evil.js", "package/../../evil.js"):
            member = tarfile.TarInfo(name)
            member.size = 1
            packages.addfile(member, io.BytesIO(b"x"))
    assets.place(static, tmp_path)
    assert sorted(p.name for p in static.rglob("*") if p.is_file()) == sorted(
        ["x.js", Path(assets.BUILT).name]
    )
    assert not list(tmp_path.parent.glob("evil*")) + list(tmp_path.glob("evil*"))


# Images


def test_a_picture_within_another_format_is_limited_too() -> None:
    inner = io.BytesIO()
    Image.new("1", (14_000, 14_000)).save(inner, "PNG")
    content = inner.getvalue()
    # An icon that says it has 16 x 16 pixels, with a PNG of 196 million.
    icon = struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(content), 22) + content
    with pytest.raises(OSError, match="cannot read picture"):
        read_image(io.BytesIO(icon))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a" + b"\xff" * 100,
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n(x) print\n%%EOF\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        b"%PDF-1.4\n",
        b"P6 99999999 99999999 255\n",
    ],
)
def test_what_is_no_picture(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(OSError, match=re.escape(f"cannot read picture {path}")):
        read_image(path)


# JSON of a run

LINE = json.dumps({"epoch": 1, "step": 10, "loss": 0.5, "accuracy": 0.9})


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,
        b'{"step": ' + DEEP + b"}",
        b"[1, 2]",
        b'{"step": "1"}',
        b'{"step": 1, "loss": "<script>"}',
        b'{"step": 1, "loss": [1.0]}',
        b'{"step": ' + b"9" * 10_000 + b"}",
        b'{"epoch": 1}',
        b"\xff\xfe\x00",
    ],
)
def test_a_line_of_a_log_that_is_no_record_is_one_error(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / LOG
    path.write_bytes(LINE.encode() + b"\n" + line + b"\n" + LINE.encode() + b"\n")
    with pytest.raises(UsageError, match=rf"^{re.escape(str(path))}, line 2: expected [^\n]*$"):
        read_records(path)


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, DEEP, b"[1]", b"\xff", b"", b'{"a": ' + b"9" * 10_000 + b"}"]
)
def test_results_of_a_run_that_are_no_results(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LOG).write_text(LINE + "\n")
    (tmp_path / RESULTS).write_bytes(content)
    for read in (lambda: replay.load_run(RunLog(), tmp_path), lambda: compare.read_results(tmp_path)):
        with pytest.raises(UsageError, match=re.escape(str(tmp_path))):
            read()


def test_a_figure_of_a_run_that_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / LOG).write_text(LINE + "\n")
    (tmp_path / "figure.png").write_bytes(b"no picture")
    with pytest.raises(UsageError, match=r"cannot read picture .*figure\.png"):
        replay.load_run(RunLog(), tmp_path)


# HTML

EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'</title></style></svg></script>"


class Elements(HTMLParser):
    """Counts scripts, and collects what would run or load something."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts, self.found = 0, []  # type: ignore[var-annotated]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        for name, value in attrs:
            if name.startswith("on") or (
                name in ("src", "href") and not str(value).startswith(("data:", "#"))
            ):
                self.found.append((tag, name, value))


def test_text_in_panels_is_text(tmp_path: Path) -> None:
    x = Scalar(1.0, name=EVIL)
    log, blank = RunLog(EVIL), np.zeros((4, 4, 3), np.uint8)
    log.scalar(EVIL, EVIL, 1.0, 2.0)
    log.images(f"{EVIL} images", np.zeros((2, 4, 4)), title=EVIL)
    log.frame(f"{EVIL} frames", blank, label=EVIL)
    log.frame(f"{EVIL} frames", blank, label=f"</script>{EVIL}")
    texts = {
        "settings": settings_table({EVIL: EVIL}),
        "confusion": confusion(np.eye(2, dtype=int), [EVIL, EVIL], EVIL),
        "gallery": gallery(np.zeros((2, 1, 4, 4), np.uint8), [EVIL, EVIL], EVIL),
        "chart": line_chart({EVIL: ([1.0, 2.0], [1.0, 2.0])}, EVIL),
        "graph": draw_graph(x * 2.0),
    }
    for name, text in texts.items():
        log.text(name, text)
    path = tmp_path / "report.html"
    write_report(path, EVIL, log, {EVIL: EVIL})
    page = path.read_text(encoding="utf-8")
    elements = Elements()
    elements.feed(page)
    assert elements.scripts == 2  # the frames as JSON, and the slider
    assert elements.found == []
    assert "<script>alert" not in page
    assert page.count("alert(1)") > 10  # it is shown


# The list


def test_the_page_lists_tests_that_exist() -> None:
    text = PAGE.read_text(encoding="utf-8")
    section = text[text.index("<!-- files -->") : text.index("<!-- end files -->")]
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", section)
    assert len(named) >= 30
    missing = [f"{file}::{test}" for file, test in named if f"def {test}(" not in (ROOT / file).read_text()]
    assert missing == []
    own = set(re.findall(r"^def (test_\w+)", Path(__file__).read_text(), re.MULTILINE))
    listed = {test for file, test in named if file == "tests/data/test_untrusted.py"}
    assert own - listed == {"test_the_page_lists_tests_that_exist"}
