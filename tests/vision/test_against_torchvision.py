"""Transforms against torchvision with equal parameters: single operations, what random ones draw, what they show."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from minitorch import vision
from minitorch.torch.tensor import from_array, to_array
from minitorch.torchvision import transforms as ours
from minitorch.vision.transforms import policies
from minitorch.vision.transforms.warp import warp
from tests.support.required import torchvision

theirs: Any = torchvision().transforms
torch: Any = pytest.importorskip("torch")
F, G = ours.functional, theirs.functional
MODES = ("nearest", "bilinear", "bicubic")
WARPS = MODES[:2]  # torchvision has no others for tensors


def images(n: int = 2, channels: int = 3, height: int = 12, width: int = 9, seed: int = 0) -> np.ndarray:
    """Return uint8 images: noise over slow waves, so that both edges and planes are there."""
    i, c, y, x = np.ogrid[:n, :channels, :height, :width]
    waves = 127 + 90 * np.sin(0.5 * x + i) * np.cos(0.4 * y - c)
    noise = np.random.default_rng(seed).integers(-30, 30, (n, channels, height, width))
    return (waves + noise).clip(0, 255).astype(np.uint8)


def differences(ours_: Any, theirs_: Any) -> np.ndarray:
    """Return the absolute differences of two results, which are of equal shape."""
    a = to_array(ours_) if not isinstance(ours_, Image.Image) else np.asarray(ours_)
    b = theirs_.numpy() if isinstance(theirs_, torch.Tensor) else np.asarray(theirs_)
    assert a.shape == b.shape
    assert a.dtype == b.dtype
    return np.abs(a.astype(np.float64) - b)


def compare(
    call: Callable[[Any, Any], Any], batch: np.ndarray, levels: float = 1.0, exact: float = 1e-5
) -> None:
    """Compare ``call(functional, picture)`` for a batch of floats, a batch of bytes, and one image of bytes.

    Floats agree within ``exact``, bytes within ``levels``.
    """
    for pixels in (batch / 255.0, (batch / 255).astype(np.float32), batch, batch[0]):
        limit = levels if pixels.dtype == np.uint8 else max(exact, 2e-5 if pixels.dtype == np.float32 else 0)
        for a, b in zip(
            *(
                result if isinstance(result, tuple) else (result,)
                for result in (call(F, from_array(pixels)), call(G, torch.from_numpy(pixels)))
            )
        ):
            assert differences(a, b).max(initial=0) <= limit, pixels.dtype


SHAPES = [(2, 3, 12, 9), (1, 1, 7, 16), (3, 3, 32, 32), (1, 3, 5, 3)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(6, 5), (20, 31), 4, (1, 1)])
@pytest.mark.parametrize("antialias", [True, False])
def test_resize(shape: Any, mode: str, size: Any, antialias: bool) -> None:
    compare(
        lambda f, x: f.resize(x, size, f.InterpolationMode(mode), antialias=antialias),
        images(*shape),
        levels=1,
        exact=1e-5,
    )


def test_resize_with_a_longest_side() -> None:
    compare(lambda f, x: f.resize(x, 5, f.InterpolationMode("bilinear"), 6), images(1, 3, 12, 9))
    compare(lambda f, x: f.resize(x, 4, f.InterpolationMode("bilinear"), 7), images(1, 3, 8, 30))


@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "box", "hamming", "lanczos", "nearest-exact"])
@pytest.mark.parametrize("size", [(5, 5), (20, 31), (3, 40)])
def test_resize_agrees_with_pillow(mode: str, size: tuple[int, int]) -> None:
    """Pillow rounds to bytes after each axis, so a level or two differ where both filters overshoot."""
    number = {"bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5, "lanczos": 1, "nearest-exact": 0}[mode]
    for image in images(2, 3, 13, 17):
        found = vision.Resize(size, mode)(image)
        expected = np.asarray(Image.fromarray(image.transpose(1, 2, 0)).resize(size[::-1], number))
        assert np.abs(found.transpose(1, 2, 0).astype(int) - expected).max() <= 2


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
@pytest.mark.parametrize("padding", [2, (1, 3), (1, 2, 3, 0)])
def test_pad(mode: str, padding: Any) -> None:
    fill = 7 if mode == "constant" else 0
    compare(lambda f, x: f.pad(x, padding, fill, mode), images(), levels=0)


@pytest.mark.parametrize("box", [(2, 1, 5, 4), (-2, -1, 9, 7), (8, 6, 6, 6)])
def test_crop(box: tuple[int, int, int, int]) -> None:
    compare(lambda f, x: f.crop(x, *box), images(), levels=0)
    compare(lambda f, x: f.resized_crop(x, *box, [4, 6]), images())


@pytest.mark.parametrize("size", [4, [5, 4], [7, 8], [20, 5], [15, 16]])
def test_center_crop(size: Any) -> None:
    compare(lambda f, x: f.center_crop(x, size), images(), levels=0)


def test_several_crops_and_flips() -> None:
    compare(lambda f, x: f.five_crop(x, [4, 5]), images(), levels=0)
    for vertical in (False, True):
        compare(lambda f, x, v=vertical: f.ten_crop(x, 5, v), images(), levels=0)
    compare(lambda f, x: f.hflip(x), images(), levels=0)
    compare(lambda f, x: f.vflip(x), images(), levels=0)


@pytest.mark.parametrize("mode", WARPS)
@pytest.mark.parametrize("angle", [0.0, 17.3, -61.0, 90.0, 180.0])
@pytest.mark.parametrize("center", [None, [2.0, 5.0]])
def test_rotate(mode: str, angle: float, center: Any) -> None:
    compare(
        lambda f, x: f.rotate(x, angle, f.InterpolationMode(mode), center=center),
        images(2, 3, 11, 11),
        levels=1,
        exact=1e-4,
    )


@pytest.mark.parametrize("angle", [0.0, 30.0, -45.0, 90.0, 200.0])
@pytest.mark.parametrize("shape", [(1, 3, 12, 9), (1, 1, 7, 16)])
def test_rotate_with_a_larger_frame(angle: float, shape: Any) -> None:
    compare(
        lambda f, x: f.rotate(x, angle, f.InterpolationMode("bilinear"), expand=True),
        images(*shape),
        exact=1e-4,
    )


@pytest.mark.parametrize("mode", WARPS)
@pytest.mark.parametrize(
    "map_", [(10, (2, 1), 1.2, (5, 0)), (-37, (0, 0), 0.7, (0, 20)), (0, (-3, 2), 1.0, (12, -7))]
)
def test_affine(mode: str, map_: Any) -> None:
    angle, translate, scale, shear = map_
    compare(
        lambda f, x: f.affine(x, angle, list(translate), scale, list(shear), f.InterpolationMode(mode)),
        images(),
        exact=1e-4,
    )


@pytest.mark.parametrize("mode", WARPS)
def test_fill_is_what_lies_around_an_image(mode: str) -> None:
    """torchvision darkens the edge twice with a fill; the same on shifted levels and without a fill does not."""
    batch = images(1, 3, 11, 11) / 255.0
    fill = np.array([0.2, 0.5, 0.9])
    found = to_array(F.rotate(from_array(batch), 33, F.InterpolationMode(mode), fill=fill.tolist()))
    shifted = torch.from_numpy(batch - fill[:, None, None])
    expected = G.rotate(shifted, 33, G.InterpolationMode(mode)).numpy() + fill[:, None, None]
    assert np.abs(found - expected).max() < 1e-4


@pytest.mark.parametrize("mode", WARPS)
def test_perspective(mode: str) -> None:
    start = [[0, 0], [8, 0], [8, 11], [0, 11]]
    end = [[1.3, 2.1], [7.2, 1.4], [7.8, 9.1], [2.3, 10.2]]
    compare(lambda f, x: f.perspective(x, start, end, f.InterpolationMode(mode)), images(), exact=1e-3)


@pytest.mark.parametrize("mode", MODES)
def test_a_warp_is_a_sampled_grid(mode: str) -> None:
    """PyTorch's sampling at coordinates in [-1, 1] from edge to edge, zeros outside."""
    batch = images(2, 3, 9, 12) / 255.0
    places = np.random.default_rng(0).uniform(-2, 14, (2, 2, 5, 7))
    found = warp("warp", batch, places[0], places[1], mode)
    grid = np.stack([places[0] / 12 * 2 - 1, places[1] / 9 * 2 - 1], -1)
    expected = torch.nn.functional.grid_sample(
        torch.from_numpy(batch), torch.from_numpy(grid), mode, padding_mode="zeros", align_corners=False
    )
    assert np.abs(found - expected.numpy()).max() < 1e-9


@pytest.mark.parametrize("factor", [0.0, 0.4, 1.0, 1.7])
@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "sharpness"])
@pytest.mark.parametrize("shape", [(2, 3, 12, 9), (1, 1, 6, 7)])
def test_factors(name: str, factor: float, shape: Any) -> None:
    # torchvision cuts levels and the mean grey down to whole numbers; here they are rounded at the end.
    compare(
        lambda f, x: getattr(f, f"adjust_{name}")(x, factor), images(*shape), levels=2, exact=2e-4
    )  # of its weights of grey


@pytest.mark.parametrize("shift", [-0.5, -0.2, 0.0, 0.35])
def test_hue(shift: float) -> None:
    compare(lambda f, x: f.adjust_hue(x, shift), images(), levels=2, exact=1e-5)


def test_levels() -> None:
    compare(lambda f, x: f.adjust_gamma(x, 1.8, 0.9), images(), levels=1)
    compare(lambda f, x: f.invert(x), images(), levels=0)
    compare(
        lambda f, x: f.autocontrast(x), images(), levels=1
    )  # its product is cut off, with an error of rounding
    compare(lambda f, x: f.autocontrast(x), np.full((1, 3, 4, 4), 9, np.uint8), levels=0)
    for threshold in (0, 0.5, 100, 255):
        compare(
            lambda f, x, t=threshold: f.solarize(x, t if not _floats(x) else min(t, 1)), images(), levels=0
        )
    compare(lambda f, x: f.rgb_to_grayscale(x, 3), images(), levels=1, exact=1e-4)


def _floats(x: Any) -> bool:
    return x.is_floating_point()


@pytest.mark.parametrize("shape", [*SHAPES, (1, 1, 64, 64)])
def test_levels_of_bytes(shape: Any) -> None:
    batch = images(*shape)
    for bits in range(9):
        assert not differences(
            F.posterize(from_array(batch), bits), G.posterize(torch.from_numpy(batch), bits)
        ).any()
    assert not differences(F.equalize(from_array(batch)), G.equalize(torch.from_numpy(batch))).any()
    flat = np.full_like(batch, 40)
    assert not differences(F.equalize(from_array(flat)), G.equalize(torch.from_numpy(flat))).any()


def test_levels_of_floats() -> None:
    """The second interface of torchvision takes floats here too."""
    functional: Any = torchvision().transforms.v2.functional
    batch = images() / 255.0
    for bits in (1, 4, 8):
        expected = functional.posterize(torch.from_numpy(batch), bits)
        assert differences(F.posterize(from_array(batch), bits), expected).max() < 1e-9
    expected = functional.equalize(torch.from_numpy(batch))
    assert differences(F.equalize(from_array(batch)), expected).max() < 1.01 / 255


@pytest.mark.parametrize("kernel", [3, [5, 3], [1, 7]])
@pytest.mark.parametrize("sigma", [None, 0.3, [1.5, 0.8]])
def test_gaussian_blur(kernel: Any, sigma: Any) -> None:
    sizes = [kernel, kernel] if isinstance(kernel, int) else kernel
    compare(lambda f, x: f.gaussian_blur(x, sizes, sigma), images(), exact=1e-6)


def test_pictures_of_pil() -> None:
    """Results on an image of PIL are images of PIL, and close to what torchvision makes of it through Pillow."""
    picture = Image.fromarray(images(1, 3, 20, 16)[0].transpose(1, 2, 0))
    calls: list[tuple[Callable[[Any], Any], float]] = [
        (lambda f: f.resize(picture, (9, 31)), 1),
        (lambda f: f.rotate(picture, 30.0), 0),
        (lambda f: f.affine(picture, 10, [2, 1], 1.1, [5, 0]), 0),
        (lambda f: f.adjust_brightness(picture, 1.4), 2),
        (lambda f: f.adjust_contrast(picture, 0.6), 2),
        (lambda f: f.adjust_saturation(picture, 1.6), 2),
        (lambda f: f.adjust_sharpness(picture, 1.6), 2),
        (lambda f: f.posterize(picture, 3), 0),
        (lambda f: f.solarize(picture, 99), 0),
        (lambda f: f.equalize(picture), 0),
        (lambda f: f.autocontrast(picture), 1),
        (lambda f: f.invert(picture), 0),
        (lambda f: f.pad(picture, 3, 9), 0),
        (lambda f: f.pad(picture, (1, 2), padding_mode="reflect"), 0),
        (lambda f: f.hflip(picture), 0),
        (lambda f: f.crop(picture, -2, 3, 10, 10), 0),
        (lambda f: f.gaussian_blur(picture, [3, 3], 0.8), 1),
        (lambda f: f.to_grayscale(picture), 1),
    ]
    for k, (call, limit) in enumerate(calls):
        found, expected = call(F), call(G)
        assert isinstance(found, Image.Image)
        assert found.mode == expected.mode, k
        wrong = differences(found, expected) > limit
        # Pillow computes the place of the nearest pixel in fixed point: single pixels may differ.
        assert wrong.mean() < 0.01, k


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "1", "P", "I;16", "I", "F"])
def test_modes_of_pil_become_tensors(mode: str) -> None:
    gradient = Image.fromarray(images(1, 3, 8, 6)[0].transpose(1, 2, 0))
    picture = gradient.convert("L").convert(mode) if mode in ("I;16", "I", "F") else gradient.convert(mode)
    assert differences(F.pil_to_tensor(picture), G.pil_to_tensor(picture)).max() == 0
    assert differences(F.to_tensor(picture), G.to_tensor(picture)).max() < 1e-7


SETTINGS: list[Callable[[Any], Any]] = [
    lambda t: t.Resize(8),
    lambda t: t.CenterCrop(8),
    lambda t: t.Pad((1, 2), 3),
    lambda t: t.RandomCrop(8, 4),
    lambda t: t.RandomResizedCrop(8),
    lambda t: t.FiveCrop(6),
    lambda t: t.TenCrop((6, 5)),
    lambda t: t.RandomHorizontalFlip(),
    lambda t: t.RandomVerticalFlip(0.2),
    lambda t: t.RandomRotation(10),
    lambda t: t.RandomAffine(10, (0.1, 0.2), (0.9, 1.1), 5),
    lambda t: t.RandomPerspective(),
    lambda t: t.RandomErasing(),
    lambda t: t.ColorJitter(0.1, 0.2, 0.3, 0.4),
    lambda t: t.ColorJitter(),
    lambda t: t.Grayscale(3),
    lambda t: t.RandomGrayscale(),
    lambda t: t.GaussianBlur(3),
    lambda t: t.RandomInvert(),
    lambda t: t.RandomPosterize(4),
    lambda t: t.RandomSolarize(128),
    lambda t: t.RandomAutocontrast(),
    lambda t: t.RandomEqualize(),
    lambda t: t.RandomAdjustSharpness(2),
    lambda t: t.AutoAugment(),
    lambda t: t.AutoAugment(t.AutoAugmentPolicy.CIFAR10),
    lambda t: t.RandAugment(),
    lambda t: t.TrivialAugmentWide(),
    lambda t: t.RandomApply([t.RandomInvert()], 0.3),
    lambda t: t.RandomChoice([t.RandomInvert(), t.Resize(3)]),
    lambda t: t.RandomOrder([t.RandomInvert(), t.Grayscale()]),
    lambda t: t.Lambda(lambda x: x),
    lambda t: t.ToTensor(),
    lambda t: t.PILToTensor(),
    lambda t: t.Compose([t.ToTensor(), t.Normalize((0.5,), (0.5,))]),
]


@pytest.mark.parametrize("make", SETTINGS, ids=lambda make: repr(make(theirs)).split("(")[0])
def test_what_is_shown(make: Callable[[Any], Any]) -> None:
    assert repr(make(ours)) == repr(make(theirs))


@pytest.mark.parametrize("make", SETTINGS[:-3], ids=lambda make: repr(make(theirs)).split("(")[0])
def test_one_draw_for_all_images_of_a_tensor(make: Callable[[Any], Any]) -> None:
    """As torchvision: the images of a batch are changed alike; shapes and dtypes are torchvision's."""
    transform = make(ours)
    image = images(1, 3, 12, 12)
    for seed in range(4):
        random.seed(seed)
        found = transform(from_array(np.repeat(image, 3, 0)))
        random.seed(seed)
        again = transform(from_array(image[0]))
        many, one = (x if isinstance(x, tuple) else (x,) for x in (found, again))
        for batch, single in zip(many, one):
            assert all(np.array_equal(each, to_array(single)) for each in to_array(batch))
    expected = make(theirs)(torch.from_numpy(image[0]))
    expected, *_ = expected if isinstance(expected, tuple) else (expected,)
    assert tuple(one[0].shape) == tuple(expected.shape)
    assert to_array(one[0]).dtype == expected.numpy().dtype


# --- policies


@pytest.mark.parametrize("policy", policies.POLICIES)
def test_the_tables_of_autoaugment(policy: str) -> None:
    expected = theirs.AutoAugment(theirs.AutoAugmentPolicy(policy)).policies
    names, chances, levels = policies.sub_policies(policy)
    assert len(names) == len(expected) == 25
    for row, line in enumerate(expected):
        for k, (name, chance, level) in enumerate(line):
            assert (names[row, k], chances[row, k]) == (name, chance)
            assert levels[row, k] == (level or 0)


@pytest.mark.parametrize(("bins", "make"), [(31, theirs.RandAugment()), (10, theirs.AutoAugment())])
def test_the_ranges_of_magnitudes(bins: int, make: Any) -> None:
    table = policies.magnitudes(bins, 20, 33)
    for name, (values, signed) in make._augmentation_space(bins, (20, 33)).items():
        assert np.allclose(table[name], np.broadcast_to(values.numpy(), bins), atol=1e-4), name
        assert signed == (name in policies.SIGNED)
    assert set(policies.RAND_AUGMENT) | {"Invert"} == set(policies.OPERATIONS)


def test_the_wide_ranges_of_magnitudes() -> None:
    table = policies.magnitudes(31, 20, 33, wide=True)
    space = theirs.TrivialAugmentWide()._augmentation_space(31)
    assert set(space) == set(policies.RAND_AUGMENT)
    for name, (values, _) in space.items():
        assert np.allclose(table[name], np.broadcast_to(values.numpy(), 31), atol=1e-4), name


@pytest.mark.parametrize("name", policies.OPERATIONS)
def test_operations_of_policies(name: str) -> None:
    batch = images(3, 3, 16, 16)
    low, high = policies.magnitudes(31, 16, 16)[name][[3, 25]]
    for magnitude in (low, high, *((-low, -high) if name in policies.SIGNED else ())):
        found = policies.operate(name, batch, np.full(3, magnitude))
        expected = theirs.autoaugment._apply_op(
            torch.from_numpy(batch), name, float(magnitude), theirs.InterpolationMode.NEAREST, None
        ).numpy()
        assert (np.abs(found.astype(int) - expected) > 2).mean() < 0.005, magnitude


# --- the batch


@pytest.mark.parametrize("kind", ["MixUp", "CutMix"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.85, 1.0])
def test_mixing(kind: str, share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both draw the same share, and the same middle of the rectangle."""
    batch, labels = images(4, 3, 10, 14) / 255.0, np.array([2, 0, 1, 2])

    class Draw:
        def beta(self, a: float, b: float) -> float:
            assert a == b == 0.7
            return share

        def integers(self, top: int) -> int:
            return {14: 6, 10: 7}[top]

    monkeypatch.setattr("minitorch.runtime.rng.generator", Draw)
    found, fractions = getattr(ours.v2, kind)(alpha=0.7, num_classes=3)(from_array(batch), from_array(labels))
    reference = getattr(theirs.v2, kind)(alpha=0.7, num_classes=3)
    monkeypatch.setattr(reference._dist, "sample", lambda shape=(): torch.tensor([share]))
    monkeypatch.setattr(torch, "randint", lambda top, size: torch.tensor([{14: 6, 10: 7}[top]]))
    expected, wanted = reference(torch.from_numpy(batch), torch.from_numpy(labels))
    assert differences(found, expected).max() < 1e-6
    assert np.abs(to_array(fractions) - wanted.numpy()).max() < 1e-6
    assert np.allclose(to_array(fractions).sum(1), 1)
