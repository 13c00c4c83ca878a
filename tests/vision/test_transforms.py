"""Transforms of transforms, mixing, crops in several parts, what transforms draw, and loaders with workers."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from minitorch import vision
from minitorch.data import DataLoader, Dataset
from minitorch.runtime import rng

RANDOM: list[Any] = [
    vision.RandomCrop(16, 4),
    vision.RandomResizedCrop(16),
    vision.RandomHorizontalFlip(),
    vision.RandomRotation(30),
    vision.RandomAffine(20, (0.1, 0.1), (0.8, 1.2), 10),
    vision.RandomPerspective(),
    vision.RandomErasing(),
    vision.Cutout(6),
    vision.ColorJitter(0.3, 0.3, 0.3, 0.1),
    vision.RandomGrayscale(0.5),
    vision.GaussianBlur(3),
    vision.RandomInvert(),
    vision.RandomPosterize(3),
    vision.RandomSolarize(100),
    vision.RandomAutocontrast(),
    vision.RandomEqualize(),
    vision.RandomAdjustSharpness(2),
    vision.AutoAugment("cifar10"),
    vision.RandAugment(),
    vision.TrivialAugmentWide(),
    vision.RandomApply([vision.RandomInvert(1.0)]),
    vision.RandomChoice([vision.RandomInvert(1.0), vision.GaussianBlur(3)]),
    vision.RandomOrder([vision.RandomInvert(), vision.RandomPosterize(2), vision.ColorJitter(0.4)]),
]


def images(n: int = 40, side: int = 16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 3, side, side), dtype=np.uint8)


@pytest.mark.parametrize("transform", RANDOM, ids=lambda t: type(t).__name__)
def test_workers_change_nothing(transform: Any) -> None:
    dataset = Dataset(images(), np.arange(40))
    passes = [
        [
            batch
            for loader in [DataLoader(dataset, 7, shuffle=True, transform=transform, seed=3, workers=workers)]
            for _ in range(2)
            for batch, _ in loader
        ]
        for workers in (0, 3)
    ]
    assert all(np.array_equal(a, b) for a, b in zip(*passes))
    assert not np.array_equal(passes[0][0], passes[0][6])


def test_random_apply_takes_all_or_none() -> None:
    batch = images(300)
    out = vision.RandomApply([vision.RandomInvert(1.0), vision.RandomVerticalFlip(1.0)], 0.3)(batch)
    changed = (out == np.flip(255 - batch, 2)).all((1, 2, 3))
    assert ((out == batch).all((1, 2, 3)) ^ changed).all()
    assert abs(changed.mean() - 0.3) < 0.1


def test_random_choice_takes_one_by_its_weight() -> None:
    batch = images(300)
    out = vision.RandomChoice([vision.RandomInvert(1.0), vision.RandomVerticalFlip(1.0)], [1, 3])(batch)
    inverted, flipped = ((out == each).all((1, 2, 3)) for each in (255 - batch, np.flip(batch, 2)))
    assert (inverted ^ flipped).all()
    assert abs(inverted.mean() - 0.25) < 0.1
    assert (
        vision.RandomChoice([vision.RandomInvert(1.0), vision.Resize(3)], [1, 0])(batch) == 255 - batch
    ).all()


def test_random_order_takes_each_order() -> None:
    batch = np.full((200, 1, 1, 1), 0.5)
    double, add = vision.Lambda(lambda x: x * 2), vision.Lambda(lambda x: x + 1)
    out = vision.RandomOrder([double, add])(batch).ravel()
    assert set(out.tolist()) == {2.0, 3.0}
    assert abs((out == 2.0).mean() - 0.5) < 0.15


@pytest.mark.parametrize("kind", [vision.RandomChoice, vision.RandomApply, vision.RandomOrder])
def test_images_of_a_batch_keep_one_shape(kind: Any) -> None:
    with pytest.raises(ValueError, match=r"Random\w+: expected equal shapes and dtypes of all images"):
        kind([vision.Resize(3), vision.Resize(5)])(images()) if kind is not vision.RandomApply else kind(
            [vision.Resize(3)]
        )(images())
    assert kind([vision.Resize(3), vision.Resize(3)])(images(1)[0]).shape[0] == 3


def test_lambda() -> None:
    assert vision.Lambda(lambda image: image + 1)(1) == 2
    with pytest.raises(TypeError, match="expected a function of an image, got a int"):
        vision.Lambda(3)  # type: ignore[arg-type]


def test_crops_in_several_parts() -> None:
    batch = images(2, 8)
    five = vision.FiveCrop((3, 4))(batch)
    assert [part.shape for part in five] == [(2, 3, 3, 4)] * 5
    assert np.array_equal(five[3], batch[:, :, 5:, 4:])
    ten = vision.TenCrop(4)(batch[0])
    assert np.array_equal(ten[5], batch[0, :, :4, ::-1][:, :, :4])
    with pytest.raises(ValueError, match=r"at least \(9, 9\), got \(2, 3, 8, 8\)"):
        vision.FiveCrop(9)(batch)


def test_resized_crops_have_the_areas_asked_for() -> None:
    windows = vision.RandomResizedCrop(8, (0.2, 0.5), (0.5, 2.0)).windows(2000, 40, 60)
    tops, lefts, rows, columns = windows.T
    assert (tops >= 0).all()
    assert (lefts >= 0).all()
    assert (tops + rows <= 40).all()
    assert (lefts + columns <= 60).all()
    areas, ratios = rows * columns / 2400, columns / rows
    assert 0.18 < areas.min() < 0.24
    assert 0.46 < areas.max() < 0.53
    assert 0.48 < ratios.min() < 0.6
    assert 1.7 < ratios.max() < 2.1


def test_a_resized_crop_that_never_fits_is_the_centre() -> None:
    windows = vision.RandomResizedCrop(8, (1, 1), (3, 4)).windows(5, 40, 40)
    assert windows.tolist() == [[13, 0, 13, 40]] * 5
    windows = vision.RandomResizedCrop(8, (1, 1), (0.2, 0.25)).windows(2, 40, 40)
    assert windows.tolist() == [[0, 15, 40, 10]] * 2


def test_affine_maps_stay_within_their_ranges() -> None:
    random.seed(0)
    transform = vision.RandomAffine((10, 20), (0.1, 0.2), (0.5, 0.8))
    matrices = transform.matrices(np.zeros((2000, 1, 40, 60)))
    scales = np.sqrt(np.linalg.det(matrices[:, :2, :2]))
    angles = np.rad2deg(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0]))
    shifts = (matrices @ [30, 20, 1])[:, :2] - [30, 20]
    for values, low, high in (
        (scales, 0.5, 0.8),
        (angles, 10, 20),
        (shifts[:, 0], -6, 6),
        (shifts[:, 1], -8, 8),
    ):
        margin = 0.06 * (high - low)
        assert low - 1e-9 <= values.min() < low + margin
        assert high - margin < values.max() <= high + 1e-9


def test_perspective_moves_corners_inwards() -> None:
    start, end = vision.RandomPerspective(0.5).corners(2000, 40, 60)
    assert start[0].tolist() == [[0, 0], [59, 0], [59, 39], [0, 39]]
    moved = np.abs(end - start).reshape(-1, 2)
    assert moved.max(0).tolist() == [15, 10]
    assert moved.min() == 0
    assert (end[:, 0] >= 0).all()
    assert (end[:, 2] <= [59, 39]).all()


def test_a_rotation_with_expand_wants_one_image() -> None:
    assert vision.RandomRotation((90, 90), expand=True)(np.zeros((1, 4, 6))).shape == (1, 6, 4)
    with pytest.raises(ValueError, match="a single image with expand=True, got 2 images"):
        vision.RandomRotation(10, expand=True)(np.zeros((2, 1, 4, 6)))


def test_fill_values_by_channel() -> None:
    image = np.zeros((3, 8, 8), np.uint8)
    for transform in (
        vision.Pad(1, (1, 2, 3)),
        vision.RandomRotation((45, 45), fill=(1, 2, 3)),
        vision.RandomAffine(0, shear=(30, 30), fill=[1, 2, 3]),
    ):
        assert transform(image)[:, 0, 0].tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="one fill or 3, one for each channel, got 2"):
        vision.Pad(1, (1, 2))(image)


def test_erasing_with_noise() -> None:
    out = vision.RandomErasing(1.0, value="random")(np.zeros((20, 3, 16, 16)))
    noise = out[out != 0]
    assert abs(noise.mean()) < 0.1
    assert abs(noise.std() - 1) < 0.1


def test_mixing_checks_its_batch() -> None:
    batch = images(4)
    for kind in (vision.MixUp, vision.CutMix):
        for labels, message in (
            ([0, 1, 2], "expected 4 class numbers"),
            ([0, 1, 2, 3], r"class numbers 0..2, got 3"),
            ([0.5, 1, 2, 0], "class numbers or fractions"),
        ):
            with pytest.raises(ValueError, match=message):
                kind(num_classes=3)(batch, labels)
        with pytest.raises(ValueError, match="expected num_classes"):
            kind()(batch, [0, 1, 2, 0])
        with pytest.raises(ValueError, match=r"a batch \(N, C, H, W\)"):
            kind(num_classes=3)(batch[0], [0])
        mixed, fractions = kind()(batch, np.eye(4))
        assert (mixed.dtype, fractions.dtype) == (np.uint8, np.float32)
        assert np.allclose(fractions.sum(1), 1)


def test_mixing_depends_on_the_seed_alone() -> None:
    for kind in (vision.MixUp(num_classes=4), vision.CutMix(num_classes=4)):
        with rng.seeded(1):
            first = kind(images(4), np.arange(4))
        with rng.seeded(1):
            again = kind(images(4), np.arange(4))
        with rng.seeded(2):
            other = kind(images(4), np.arange(4))
        assert all(np.array_equal(a, b) for a, b in zip(first, again))
        assert not np.array_equal(first[1], other[1])
