"""The command `minitorch edges`: filters set by hand, on pictures of all kinds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minitorch.cli.edges import filter_layer, filtered, shown
from minitorch.vision import read_image
from minitorch.vision.filters import FILTERS

from .runner import one_line, run


def stripes(height: int = 12, width: int = 16) -> np.ndarray:
    return np.tile((np.arange(width) // 4 % 2).astype(float), (height, 1))


def test_the_layer_has_one_filter_for_each_channel() -> None:
    conv = filter_layer(["vertical", "horizontal"])
    assert conv.weight.shape == (2, 1, 3, 3)
    assert (conv.in_channels, conv.out_channels, conv.kernel_size) == (1, 2, (3, 3))
    assert (conv.stride, conv.padding, conv.dilation, conv.groups) == (1, 0, 1, 1)
    outputs = filtered(stripes(), ["vertical", "horizontal"])
    assert outputs.shape == (2, 10, 14)
    assert np.abs(outputs[0]).max() == 3
    assert not outputs[1].any()
    turned = filtered(stripes().T.copy(), ["vertical", "horizontal"])
    assert not turned[0].any()
    assert np.abs(turned[1]).max() == 3


@pytest.mark.parametrize("name", FILTERS)
def test_filters_are_cross_correlations(name: str) -> None:
    image = np.random.default_rng(0).random((7, 9))
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3))
    expected = (windows * FILTERS[name]).sum((2, 3))
    assert np.allclose(filtered(image, [name])[0], expected)
    flat = filtered(np.full((5, 5), 0.4), [name])
    assert np.allclose(flat, 0.4 if name in ("blur", "sharpen") else 0)
    levels = shown(filtered(image, [name]), [name])
    assert levels.min() >= 0
    assert levels.max() <= 1


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "I;16"])
def test_pictures_of_all_kinds(mode: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grey = (stripes(20, 24) * 200).astype(np.uint8)
    picture = (
        Image.fromarray(grey.astype(np.uint16) * 257)
        if mode == "I;16"
        else Image.fromarray(grey).convert(mode)
    )
    picture.save(tmp_path / "a.png")
    assert run("edges", tmp_path / "a.png", "--out", tmp_path / "new" / "b.png") == 0
    assert one_line(capsys.readouterr().out).endswith("the picture in grey, vertical, horizontal\n")
    assert read_image(tmp_path / "new" / "b.png", "L").shape == (1, 18 + 8, 3 * 26 + 4)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("missing.png", None, "No such file"),
        ("text.png", b"text", "cannot read picture"),
        ("empty.png", b"", "cannot read picture"),
        ("cut.png", b"\x89PNG\r\n\x1a\n" + bytes(30), "cannot read picture"),
        ("folder.png", "folder", "folder.png"),
    ],
)
def test_what_is_no_picture(
    name: str, content: object, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    if content == "folder":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    assert run("edges", path, "--out", tmp_path / "out" / "b.png") == 2
    assert told in one_line(capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


def test_bad_flags(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("L", (2, 9)).save(tmp_path / "small.png")
    for flags, told in (
        ((tmp_path / "small.png",), "at least 3 x 3 pixels, got 2 x 9"),
        ((tmp_path / "small.png", "--out", tmp_path / "b.pdf"), "--out must name a .png file"),
        ((tmp_path / "small.png", "--filters", "laplace"), "--filters"),
        (("http://127.0.0.1:9/a.png",), "cannot read picture http://127.0.0.1:9/a.png"),
    ):
        assert run("edges", *flags) == 2
        assert told in one_line(capsys.readouterr().err)
