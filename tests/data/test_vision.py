"""Pictures and transforms, against Pillow, NumPy and the standard library."""

from __future__ import annotations

import colorsys
import io
import math
import random
import threading
import warnings
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from minitorch import vision
from minitorch.runtime import rng
from minitorch.vision.io import grid, read_image, save_image
from minitorch.vision.transforms import (
    AutoAugment,
    CenterCrop,
    Compose,
    Cutout,
    GaussianBlur,
    Normalize,
    Pad,
    RandAugment,
    RandomAdjustSharpness,
    RandomAffine,
    RandomApply,
    RandomAutocontrast,
    RandomChoice,
    RandomCrop,
    RandomErasing,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomInvert,
    RandomOrder,
    RandomPerspective,
    RandomPosterize,
    RandomResizedCrop,
    RandomRotation,
    RandomSolarize,
    RandomVerticalFlip,
    Resize,
    ToTensor,
    TrivialAugmentWide,
)
from minitorch.vision.transforms.color import ColorJitter, Grayscale

ALL: list[Any] = [
    ToTensor(),
    Normalize([0.5, 0.4, 0.3], [0.2, 0.3, 0.4]),
    Resize(6),
    Resize((20, 5)),
    CenterCrop(6),
    RandomCrop((7, 5), padding=2),
    RandomHorizontalFlip(),
    RandomVerticalFlip(),
    RandomRotation(40),
    ColorJitter(0.4, 0.4, 0.4, 0.2),
    Grayscale(),
    Grayscale(3),
    RandomErasing(),
    Cutout(4),
    Compose([RandomHorizontalFlip(), RandomCrop(8), ToTensor(), Normalize(0.5, 0.5)]),
    Pad((1, 2), padding_mode="reflect"),
    RandomCrop(13, pad_if_needed=True),
    RandomResizedCrop((7, 5)),
    RandomAffine(20, (0.1, 0.2), (0.8, 1.2), (-5, 5, -3, 3), "bilinear"),
    RandomPerspective(),
    RandomGrayscale(0.5),
    GaussianBlur(3),
    RandomAdjustSharpness(2),
    RandomInvert(),
    RandomPosterize(3),
    RandomSolarize(0.5),
    RandomAutocontrast(),
    AutoAugment(),
    AutoAugment("cifar10", "bilinear"),
    RandAugment(),
    TrivialAugmentWide(),
    RandomApply([RandomInvert(1.0), RandomVerticalFlip()]),
    RandomChoice([RandomInvert(1.0), RandomVerticalFlip(1.0)], [0.3, 0.7]),
    RandomOrder([RandomInvert(), RandomVerticalFlip(1.0), RandomPosterize(3, 1.0)]),
]
DRAWING = (ColorJitter, Cutout, GaussianBlur, AutoAugment, TrivialAugmentWide)
RANDOM = [each for each in ALL if "Rand" in repr(each) or isinstance(each, DRAWING)]


def smooth(n: int = 5, channels: int = 3, height: int = 12, width: int = 9) -> np.ndarray:
    """Images without hard edges, each different."""
    i, c, y, x = np.ogrid[:n, :channels, :height, :width]
    waves = np.sin(0.5 * x + i) * np.cos(0.4 * y - c) * np.cos(c + 2 * i)
    return np.rint(127 + 120 * waves).astype(np.uint8)


def noise(n: int = 5, channels: int = 3, height: int = 12, width: int = 9) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, channels, height, width), dtype=np.uint8)


def picture(image: np.ndarray) -> Image.Image:
    return Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0).copy())


def seeded(transform: Callable[[Any], Any], image: Any, seed: int = 0) -> np.ndarray:
    random.seed(seed)
    return transform(image)


# --- what holds for all ---


@pytest.mark.parametrize("transform", ALL, ids=repr)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_images_and_batches_stay_as_they_are(transform: Any, dtype: type) -> None:
    batch = noise() if dtype is np.uint8 else noise().astype(dtype) / 255
    before = batch.copy()
    batch.setflags(write=False)
    out = seeded(transform, batch)
    assert out.shape[0] == 5
    assert np.array_equal(batch, before)
    assert out.dtype in ((np.uint8, np.float32) if dtype is np.uint8 else (dtype,))
    one = seeded(transform, batch[0])
    assert (one.shape, one.dtype) == (out.shape[1:], out.dtype)
    assert seeded(transform, batch[:0]).shape == (0, *out.shape[1:])


@pytest.mark.parametrize("transform", ALL, ids=repr)
def test_a_pil_image_is_its_array(transform: Any) -> None:
    image = noise()[0]
    assert np.array_equal(seeded(transform, picture(image)), seeded(transform, image))


@pytest.mark.parametrize("transform", RANDOM, ids=repr)
def test_random_ones_depend_on_random_alone_and_draw_per_image(transform: Any) -> None:
    batch = np.broadcast_to(noise(1), (40, 3, 12, 9))
    first = seeded(transform, batch, seed=1)
    assert np.array_equal(first, seeded(transform, batch, seed=1))
    assert not np.array_equal(first, seeded(transform, batch, seed=2))
    assert len({image.tobytes() for image in first}) > 1
    random.seed(3)
    with rng.seeded(7):
        inside = transform(batch)
    random.seed(4)
    with rng.seeded(7):
        assert np.array_equal(inside, transform(batch))


@pytest.mark.parametrize("transform", [each for each in ALL if each not in RANDOM], ids=repr)
def test_others_draw_nothing(transform: Any) -> None:
    state = random.getstate()
    transform(noise())
    assert random.getstate() == state


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a NumPy array or a PIL image, got a list"):
        ToTensor()([[1, 2]])
    with pytest.raises(
        ValueError, match=r"expected images \(C, H, W\) or \(N, C, H, W\), got shape \(8, 8\)"
    ):
        ToTensor()(np.zeros((8, 8)))
    with pytest.raises(TypeError, match="expected uint8 or float, got int64"):
        ToTensor()(np.zeros((1, 8, 8), np.int64))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Normalize([0.5, 0.5], [0.5]), "equal lengths"),
        (lambda: Normalize(0.5, 0.0), "std above 0"),
        (lambda: Resize(0), "size: expected .* got 0"),
        (lambda: Resize((1, 2, 3)), "size"),
        (lambda: RandomCrop(4.5), "size: expected .* got 4.5"),
        (lambda: RandomCrop(4, padding=-1), "padding .* got -1"),
        (lambda: RandomCrop(4, padding=(1, 2, 3)), "padding"),
        (lambda: RandomHorizontalFlip(1.5), "p: expected .* got 1.5"),
        (lambda: RandomVerticalFlip(-0.1), "p: expected .* got -0.1"),
        (lambda: RandomRotation(-3), "degrees: expected .* got -3"),
        (lambda: RandomRotation((3, 1)), "degrees"),
        (lambda: ColorJitter(brightness=-1), "brightness: expected .* got -1"),
        (lambda: ColorJitter(contrast=(-1, 1)), "contrast"),
        (lambda: ColorJitter(hue=0.6), "hue: expected .* got 0.6"),
        (lambda: Grayscale(2), "num_output_channels 1 or 3, got 2"),
        (lambda: RandomErasing(p=2), "p: expected .* got 2"),
        (lambda: RandomErasing(scale=(0.5, 1.5)), "scale"),
        (lambda: RandomErasing(ratio=(0, 1)), "ratio"),
        (lambda: Cutout(0), "size: expected .* got 0"),
        (lambda: Resize(8, "cubic"), "interpolation: expected one of nearest, .* got 'cubic'"),
        (lambda: Resize(8, max_size=8), "max_size above a size of one number, got 8 and size 8"),
        (lambda: Pad(-1), "Pad: expected padding .* got -1"),
        (lambda: Pad(1, padding_mode="wrap"), "padding_mode: expected one of constant, .* got 'wrap'"),
        (lambda: RandomResizedCrop(8, (0.5, 1.5)), "scale: expected"),
        (lambda: RandomResizedCrop(8, ratio=3), "scale and ratio as"),
        (lambda: RandomAffine(10, translate=(0.1, 1.5)), "translate: expected two fractions"),
        (lambda: RandomAffine(10, scale=(0, 1)), "scale: expected"),
        (lambda: RandomAffine(10, shear=(1, 2, 3)), "shear: expected one, two or four numbers"),
        (lambda: RandomAffine(10, interpolation="lanczos"), "interpolation: expected one of nearest"),
        (lambda: RandomPerspective(1.5), "distortion_scale"),
        (lambda: GaussianBlur(4), "kernel_size: expected odd numbers, got 4"),
        (lambda: GaussianBlur(3, (0, 1)), "sigma: expected"),
        (lambda: RandomAdjustSharpness(-1), "sharpness_factor"),
        (lambda: RandomPosterize(9), "bits: expected .* in 0..8, got 9"),
        (lambda: AutoAugment("mnist"), "policy: expected one of imagenet, cifar10, svhn, got 'mnist'"),
        (lambda: RandAugment(2, 31), "magnitude below num_magnitude_bins, got 2, 31 and 31"),
        (lambda: TrivialAugmentWide(1), "at least 2 num_magnitude_bins, got 1"),
        (lambda: RandomApply([], 2), "p: expected"),
        (lambda: RandomChoice([]), "at least one transform, got none"),
        (lambda: RandomChoice([ToTensor()], [0.5, 0.5]), "expected 1 weights"),
        (lambda: vision.MixUp(alpha=0), "MixUp: expected alpha above 0, got 0"),
        (lambda: vision.FiveCrop(0), "size: expected"),
    ],
)
def test_settings_out_of_range_are_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (Normalize([0.5, 0.5], [1, 1]), r"one mean or 3, .* got 2 \(images \(5, 3, 12, 9\)"),
        (CenterCrop(10), r"at least \(10, 10\), got \(5, 3, 12, 9\)"),
        (RandomCrop(12, padding=1), r"at least \(12, 12\), got \(5, 3, 14, 11\)"),
        (RandomErasing(value=[1, 2]), "one value or 3, .* got 2"),
    ],
    ids=repr,
)
def test_images_that_do_not_fit_are_refused(transform: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        transform(noise())


@pytest.mark.parametrize("transform", [ColorJitter(0.5), Grayscale()], ids=repr)
def test_colours_want_one_or_three_channels(transform: Any) -> None:
    with pytest.raises(ValueError, match="expected one or three channels"):
        transform(noise(channels=4))


def test_repr() -> None:
    assert repr(RandomHorizontalFlip()) == "RandomHorizontalFlip(p=0.5)"
    shown = "Resize(size=8, interpolation='bilinear', max_size=None, antialias=True)"
    assert repr(Compose([ToTensor(), Resize(8)])) == f"Compose(\n    ToTensor()\n    {shown}\n)"


# --- one by one ---


def test_to_tensor() -> None:
    out = ToTensor()(np.array([[[0, 51, 255]]], np.uint8))
    assert out.ravel().tolist() == [0.0, np.float32(0.2), 1.0]


def test_normalize() -> None:
    mean, std = [0.5, 0.4, 0.3], [0.2, 0.3, 0.4]
    batch = noise()
    expected = (batch / 255 - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))
    assert np.allclose(Normalize(mean, std)(batch), expected, atol=1e-6)
    assert np.array_equal(Normalize(mean, std)(batch), Normalize(mean, std)(ToTensor()(batch)))
    assert np.allclose(Normalize(np.array(mean), np.array(std))(batch / 255), expected, atol=1e-12)
    assert np.allclose(Normalize(0.5, 0.25)(batch / 255), (batch / 255 - 0.5) / 0.25)


@pytest.mark.parametrize("size", [(12, 9), (28, 28), (5, 4), (1, 1), (30, 3)])
def test_resize_agrees_with_pillow(size: tuple[int, int]) -> None:
    batch = noise()
    out = Resize(size)(batch)
    for image, resized in zip(batch, out):
        expected = np.asarray(picture(image).resize(size[::-1], Image.Resampling.BILINEAR))
        assert np.abs(resized.transpose(1, 2, 0).astype(int) - expected).max() <= 1


def test_resize_by_the_shorter_side() -> None:
    assert Resize(6)(noise()).shape == (5, 3, 8, 6)
    assert Resize(18)(noise(1, 3, 9, 12)).shape == (1, 3, 18, 24)
    assert np.allclose(Resize(28)(np.full((1, 8, 8), 0.3)), 0.3)


def test_center_crop() -> None:
    assert np.array_equal(CenterCrop((4, 3))(noise()), noise()[:, :, 4:8, 3:6])


def test_random_crop_finds_every_place() -> None:
    batch = np.broadcast_to(np.arange(16, dtype=np.uint8).reshape(1, 4, 4), (300, 1, 4, 4))
    out = seeded(RandomCrop(3), batch)
    corners = set(out[:, 0, 0, 0].tolist())
    assert corners == {0, 1, 4, 5}
    for image in out[:, 0]:
        assert np.array_equal(image - image[0, 0], [[0, 1, 2], [4, 5, 6], [8, 9, 10]])


@pytest.mark.parametrize(
    ("padding", "shape"), [(1, (6, 5)), ((1, 2), (8, 5)), ((1, 2, 3, 4), (10, 7)), (None, (4, 3))]
)
def test_random_crop_pads(padding: Any, shape: tuple[int, int]) -> None:
    out = RandomCrop(shape, padding, fill=7)(np.zeros((1, 4, 3), np.uint8))
    assert out.shape == (1, *shape)
    assert (out == 7).sum() == shape[0] * shape[1] - 12
    if padding == (1, 2, 3, 4):
        assert (out[0, 2:6, 1:4] == 0).all()


@pytest.mark.parametrize(("transform", "axis"), [(RandomHorizontalFlip, 3), (RandomVerticalFlip, 2)])
def test_flips(transform: Any, axis: int) -> None:
    batch = noise(400)
    flipped = np.flip(batch, axis)
    assert np.array_equal(transform(p=1.0)(batch), flipped)
    assert np.array_equal(transform(p=0.0)(batch), batch)
    out = seeded(transform(p=0.25), batch)
    changed = (out == flipped).all((1, 2, 3))
    assert ((out == batch).all((1, 2, 3)) ^ changed).all()
    assert abs(changed.mean() - 0.25) < 0.1


@pytest.mark.parametrize("angle", [0, 17, 45, 90, -61])
def test_rotation_agrees_with_pillow(angle: float) -> None:
    batch = noise(2, 3, 15, 15)
    out = RandomRotation((angle, angle))(batch)
    for image, transposed in zip(batch, out):
        expected = np.asarray(picture(image).rotate(angle, Image.Resampling.NEAREST)).transpose(2, 0, 1)
        assert (transposed == expected).mean() > 0.99


def test_rotation_of_a_quarter() -> None:
    batch = smooth(2, 1, 8, 8)
    assert np.array_equal(RandomRotation((90, 90))(batch), np.rot90(batch, axes=(2, 3)))


@pytest.mark.parametrize("factor", [0.0, 0.6, 1.0, 1.5])
@pytest.mark.parametrize(
    ("name", "enhance"),
    [
        ("brightness", ImageEnhance.Brightness),
        ("contrast", ImageEnhance.Contrast),
        ("saturation", ImageEnhance.Color),
    ],
)
def test_jitter_agrees_with_pillow(name: str, enhance: Any, factor: float) -> None:
    batch = noise()
    out = ColorJitter(**{name: (factor, factor)})(batch)
    for image, changed in zip(batch, out):
        expected = np.asarray(enhance(picture(image)).enhance(factor)).transpose(2, 0, 1)
        assert np.abs(changed.astype(int) - expected).max() <= 2


@pytest.mark.parametrize("shift", [-0.5, -0.1, 0.25, 0.5])
def test_hue_agrees_with_colorsys(shift: float) -> None:
    image = ToTensor()(noise(1)[0]).astype(np.float64)
    image[:, 0] = image[:1, 0]  # greys
    out = ColorJitter(hue=(shift, shift))(image)
    for pixel, changed in zip(image.reshape(3, -1).T, out.reshape(3, -1).T):
        hue, saturation, value = colorsys.rgb_to_hsv(*pixel)
        assert np.allclose(changed, colorsys.hsv_to_rgb((hue + shift) % 1, saturation, value), atol=1e-9)


def test_jitter_stays_within_its_ranges() -> None:
    batch = np.full((200, 3, 2, 2), 0.5)
    out = seeded(ColorJitter(brightness=0.4), batch)[:, 0, 0, 0] / 0.5
    assert 0.6 <= out.min() < 0.7
    assert 1.3 < out.max() <= 1.4
    assert seeded(ColorJitter(brightness=3), batch).max() == 1.0
    assert np.array_equal(ColorJitter()(batch), batch)


def test_jitter_of_grey_images() -> None:
    batch = noise(channels=1)
    assert np.array_equal(ColorJitter(saturation=0.5, hue=0.5)(batch), batch)
    assert not np.array_equal(seeded(ColorJitter(contrast=0.9), batch), batch)


def test_grayscale_agrees_with_pillow() -> None:
    out = Grayscale()(noise())
    for image, grey in zip(noise(), out):
        assert np.abs(grey[0].astype(int) - np.asarray(picture(image).convert("L"))).max() <= 1
    assert np.array_equal(Grayscale(3)(noise()), np.repeat(out, 3, axis=1))
    assert np.array_equal(Grayscale(3)(noise(channels=1)), np.repeat(noise(channels=1), 3, axis=1))


def boxes(changed: np.ndarray) -> Iterator[tuple[int, int]]:
    """Height and width of the changed rectangle of each image; it must be full."""
    for image in changed:
        rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
        if len(rows):
            assert image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
            yield int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)


def test_random_erasing() -> None:
    batch = np.zeros((400, 3, 32, 32), np.uint8)
    out = seeded(RandomErasing(value=[1, 2, 3]), batch)
    assert np.array_equal(out[:, 1], 2 * out[:, 0])
    found = list(boxes(out[:, 0] == 1))
    assert abs(len(found) / 400 - 0.5) < 0.1
    areas = np.array([height * width for height, width in found]) / 32**2
    assert 0.01 < areas.min() < 0.06
    assert 0.25 < areas.max() < 0.36
    ratios = np.array([height / width for height, width in found])
    assert 0.2 < ratios.min() < 0.5
    assert 2 < ratios.max() < 4.5
    assert len(list(boxes(seeded(RandomErasing(p=1.0), batch + 1)[:, 0] == 0))) == 400
    assert not seeded(RandomErasing(p=0.0, value=1), batch).any()
    assert not seeded(RandomErasing(p=1.0, scale=(1.0, 1.0), value=1), batch).any()


def test_cutout() -> None:
    out = seeded(Cutout(8), np.ones((400, 1, 20, 20), np.float32))
    sizes = list(boxes(out[:, 0] == 0))
    assert len(sizes) == 400
    assert max(sizes) == (8, 8)
    assert min(height for height, _ in sizes) == 4


# --- pictures ---


@pytest.mark.parametrize("channels", [1, 3])
def test_saved_and_read(tmp_path: Path, channels: int) -> None:
    image = noise(channels=channels)[0]
    save_image(image, tmp_path / "a.png")
    again = read_image(tmp_path / "a.png", "L" if channels == 1 else "RGB")
    assert again.dtype == np.uint8
    assert np.array_equal(again, image)
    assert read_image(str(tmp_path / "a.png")).shape == (3, 12, 9)
    assert read_image(str(tmp_path / "a.png"), "L").shape == (1, 12, 9)


def test_saved_from_floats_and_planes() -> None:
    file = io.BytesIO()
    save_image(np.array([[-1.0, 0.2, 2.0]]), file)
    file.seek(0)
    assert read_image(file, "L").tolist() == [[[0, 51, 255]]]


@pytest.mark.parametrize("shape", [(2, 8, 8), (1, 3, 8, 8), (8,)])
def test_what_cannot_be_saved(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected shape \(1, H, W\), \(3, H, W\) or \(H, W\), got"):
        save_image(np.zeros(shape, np.uint8), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
    with pytest.raises(TypeError, match="int64"):
        save_image(np.zeros((1, 8, 8), np.int64), tmp_path / "a.png")


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected mode 'RGB' or 'L', got 'RGBA'"):
        read_image(tmp_path / "a.png", "RGBA")  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError, match=r"a\.png"):
        read_image(tmp_path / "a.png")
    (tmp_path / "a.png").write_text("text")
    with pytest.raises(OSError, match=r"cannot read picture .*a\.png"):
        read_image(tmp_path / "a.png")
    save_image(noise(height=200, width=200)[0], tmp_path / "b.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "b.png").read_bytes()[:5000])
    with pytest.raises(OSError, match=r"cannot read picture .*b\.png"):
        read_image(tmp_path / "b.png")


def test_read_from_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    file = io.BytesIO()
    save_image(noise()[0], file)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/a.png" else 404)
            self.end_headers()
            self.wfile.write(file.getvalue())

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        base = f"http://127.0.0.1:{server.server_port}"
        assert np.array_equal(read_image(f"{base}/a.png"), noise()[0])
        with pytest.raises(OSError, match=f"cannot read picture {base}/b.png.*404"):
            read_image(f"{base}/b.png")
        monkeypatch.setattr("minitorch.vision.io.MAX_BYTES", 10)
        with pytest.raises(OSError, match="expected at most 10 bytes"):
            read_image(f"{base}/a.png")
        server.shutdown()
        thread.join()


def test_grid() -> None:
    batch = noise(5, 2, 3, 4) | 1
    sheet = grid(batch, nrow=3, padding=1)
    assert (sheet.shape, sheet.dtype) == ((2, 9, 16), np.uint8)
    assert np.array_equal(sheet[:, 1:4, 6:10], batch[1])
    assert np.array_equal(sheet[:, 5:8, 1:5], batch[3])
    assert (sheet > 0).sum() == batch.size
    assert grid(batch, padding=0).shape == (2, 3, 20)
    for images, nrow, padding in ((batch[0], 8, 2), (batch[:0], 8, 2), (batch, 0, 2), (batch, 8, -1)):
        with pytest.raises(ValueError, match=r"expected images \(N, C, H, W\)"):
            grid(images, nrow, padding)


def test_names() -> None:
    assert set(vision.__all__) <= set(vars(vision))


def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    content = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(content, "PNG")
    content.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(OSError, match="expected at most 89478485 pixels, got 10000 x 10000"):
            read_image(content)


def test_formats_that_start_other_programs_are_refused() -> None:
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n(x) print\n%%EOF\n"
    with pytest.raises(OSError, match="cannot identify image file"):
        read_image(io.BytesIO(eps))


@pytest.mark.parametrize("wrong", [256, -1, 0.5, math.nan, "x", None])
def test_fill_values_that_uint8_cannot_hold(wrong: Any) -> None:
    images = np.full((2, 3, 8, 8), 7, np.uint8)
    for transform in (RandomErasing(1.0, value=wrong), RandomCrop(10, padding=1, fill=wrong)):
        with pytest.raises(ValueError, match=r"expected a (value|fill) that uint8 images can hold, got"):
            transform(images)
    with pytest.raises(ValueError, match="that uint8 images can hold"):
        RandomErasing(1.0, value=[1, 2, 300])(images)


def test_fill_values_of_whole_numbers_and_floats() -> None:
    images = np.full((2, 3, 8, 8), 7, np.uint8)
    assert set(np.unique(RandomErasing(1.0, value=255.0)(images))) <= {7, 255}
    assert set(np.unique(RandomCrop(10, padding=1, fill=1.0)(images))) == {1, 7}
    floats = RandomCrop(10, padding=1, fill=-0.5)(images / 255.0)
    assert floats.min() == -0.5
