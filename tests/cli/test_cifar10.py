"""The commands on CIFAR-10, end to end, on a small archive made here: training, comparing, checking."""

from __future__ import annotations

import argparse
import json
import math
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Step
from minitorch.cli import cifar10, sanity
from minitorch.cli.augmentations import GROUPS, KNOWN, Augmentations, augments
from minitorch.cli.compare import by_name
from minitorch.cli.sanity import first_loss, overfit
from minitorch.data.dataset import Dataset
from minitorch.models import CIFAR_MODELS, ConvNet, ThreeLayer
from minitorch.train import trainer
from minitorch.train.trainer import split_images

from .runner import offline, one_line, records, run

__all__ = ["offline"]  # a fixture

SMALL = ("--limit", 120, "--batch-size", 24, "--quiet")
PANELS = {"loss", "accuracy", "lr", "val_images", "confusion", "mistakes", "filters"}
RICH = (
    *("--optimizer", "sgd", "--lr", "0.1", "--schedule", "onecycle", "--weight-decay", "0.0005"),
    *("--augment", "jitter,rotate,crop,flip", "--cutout", 8, "--label-smoothing", "0.1"),
)
FILES = ("metrics.jsonl", "model.safetensors", "checkpoint.safetensors")


@pytest.fixture(scope="module")
def cifar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds CIFAR-10 in small: 200 training and 40 test images, brighter for a higher class."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "cifar-10-batches-py").mkdir()
    draw = np.random.default_rng(0)
    for name in (*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"):
        labels = draw.permutation(np.arange(40) % 10)
        pixels = draw.integers(0, 100, (40, 3072)) + 15 * labels[:, None]
        batch = {"data": pixels.astype(np.uint8), "labels": labels.tolist()}
        (folder / "cifar-10-batches-py" / name).write_bytes(pickle.dumps(batch, protocol=2))
    names = pickle.dumps({"label_names": [f"c{k}" for k in range(10)]}, protocol=2)
    (folder / "cifar-10-batches-py" / "batches.meta").write_bytes(names)
    return folder


def train(cifar: Path, *flags: object) -> int:
    return run("cifar10", "--data-dir", cifar, *SMALL, *flags)


@pytest.fixture(scope="module")
def whole(cifar: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two epochs with everything switched on."""
    folder = tmp_path_factory.mktemp("runs") / "rich"
    assert train(cifar, *RICH, "--epochs", 2, "--out", folder) == 0
    return folder


@pytest.fixture(scope="module")
def plain(cifar: Path, whole: Path) -> Path:
    """Another one beside it, of another model, without anything."""
    folder = whole.parent / "plain"
    assert train(cifar, "--model", "threelayer", "--augment", "none", "--epochs", 2, "--out", folder) == 0
    return folder


def results(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "results.json").read_text())


# --- the files of a run


def test_files_of_a_run(whole: Path) -> None:
    assert {p.name for p in whole.iterdir()} == {*FILES, "results.json", "panels", "report.html"}
    assert {p.stem for p in (whole / "panels").iterdir()} == PANELS
    for picture in (whole / "panels").iterdir():
        image = minitorch.vision.read_image(picture)
        assert min(image.shape[1:]) > 200, picture
        assert len(np.unique(image)) > 20, picture


def test_results_tell_all_settings(whole: Path, plain: Path) -> None:
    expected = {"dataset": "cifar10", "model": "convnet", "optimizer": "sgd", "lr": 0.1, "batch_size": 24}
    expected |= {"epochs": 2, "seed": 0, "train_images": 120, "augment": "flip,crop,rotate,jitter"}
    expected |= {"cutout": 8, "schedule": "onecycle", "label_smoothing": 0.1, "weight_decay": 0.0005}
    assert expected.items() <= results(whole).items()
    assert {"augment": "none", "cutout": 0, "schedule": "none", "lr": 0.001}.items() <= results(plain).items()


def test_the_log_tells_rates_too(whole: Path, plain: Path) -> None:
    logged = records(whole)
    assert [(r["epoch"], r["step"]) for r in logged] == [(1, 5), (2, 10)]
    keys = {"epoch", "step", "loss", "accuracy", "lr", "valid_loss", "valid_accuracy"}
    assert all(set(r) == keys for r in logged)
    assert logged[0]["lr"] > 0.05 > 1e-3 > logged[1]["lr"]  # the cycle is over
    assert [r["lr"] for r in records(plain)] == [0.001, 0.001]


def test_validation_and_test_images_are_never_augmented(whole: Path, cifar: Path) -> None:
    images = split_images(*minitorch.data.cifar10(cifar, download=False), 5000, 120)
    assert (len(images.train), len(images.valid), len(images.test)) == (120, 20, 40)
    model = ConvNet()
    model.load_state_dict(minitorch.load(whole / "model.safetensors"))
    model.to(dtype="float32")
    normalize = minitorch.vision.Normalize(*images.train.mean_std())
    for part, name in ((images.valid, "valid_accuracy"), (images.test, "test_accuracy")):
        loader = minitorch.data.DataLoader(part, 7, transform=normalize)
        found = minitorch.evaluate(model, loader).accuracy
        assert found == pytest.approx(results(whole)[name], abs=1e-9)


def test_equal_runs_give_equal_bytes(
    whole: Path, cifar: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(cifar, *RICH, "--epochs", 2, "--out", tmp_path) == 0
    told = capsys.readouterr()
    assert one_line(told.out) == f"test accuracy {results(whole)['test_accuracy']:.4f}\n"
    assert told.err == ""
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (whole / name).read_bytes(), name


# --- resuming


def interrupt(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Let Ctrl-C fall after some steps."""
    fit = trainer.fit

    def cut(*args: Any, **settings: Any) -> Iterator[Step]:
        for step in fit(*args, **settings):
            yield step
            if step.step == after:
                raise KeyboardInterrupt

    monkeypatch.setattr(trainer, "fit", cut)


@pytest.mark.parametrize(
    "flags", [RICH, ("--model", "threelayer", "--schedule", "plateau")], ids=["onecycle", "plateau"]
)
def test_resumed_run_equals_an_uninterrupted_one(
    flags: tuple[Any, ...],
    whole: Path,
    cifar: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    full, broken = whole, tmp_path / "broken"
    if flags != RICH:
        full = tmp_path / "full"
        assert train(cifar, *flags, "--epochs", 2, "--out", full) == 0
    with monkeypatch.context() as patch:
        interrupt(patch, after=8)
        assert train(cifar, *flags, "--epochs", 2, "--out", broken) == 130
    assert "goes on after epoch 1" in one_line(capsys.readouterr().err)
    assert not (broken / "results.json").exists()
    # What is left out is taken from the run.
    assert run("cifar10", "--resume", broken, "--data-dir", cifar, "--quiet") == 0
    for name in FILES:
        assert (broken / name).read_bytes() == (full / name).read_bytes(), name
    assert {**results(broken), "seconds": 0} == {**results(full), "seconds": 0}


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--model", "resnet"), "--model convnet"),
        (("--augment", "none"), "--augment flip,crop,rotate,jitter"),
        (("--cutout", "0"), "--cutout 8"),
        (("--schedule", "none"), "--schedule onecycle"),
        (("--weight-decay", "0"), "--weight-decay 0.0005"),
        (("--epochs", "3"), "laid out for 2 epochs"),
    ],
)
def test_another_run_cannot_be_resumed(
    flags: tuple[str, ...], told: str, whole: Path, cifar: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (whole / "checkpoint.safetensors").read_bytes()
    assert run("cifar10", "--resume", whole, "--data-dir", cifar, *flags) == 2
    assert told in one_line(capsys.readouterr().err)
    assert (whole / "checkpoint.safetensors").read_bytes() == before


def test_runs_of_the_other_trainer_cannot_be_resumed(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(trainer.ImageRun, "_plot_training", lambda *_: None)
    flags = ("--dataset", "digits", "--limit", 20, "--epochs", 1, "--quiet", "--out", tmp_path)
    assert run("mnist", *flags) == 0
    capsys.readouterr()
    for name, folder in (("cifar10", tmp_path), ("mnist", whole)):
        assert run(name, "--resume", folder) == 2
        assert "another script" in one_line(capsys.readouterr().err)


# --- what cannot be done


@pytest.mark.parametrize(
    "flags",
    [
        ("--augment", "flip,shear"),
        ("--augment", "flip,flip"),
        ("--augment", "jitter:x"),
        ("--augment", "flip:2"),
        ("--augment", "pad:4"),
        ("--augment", "choice(flip"),
        ("--augment", "apply(mixup)"),
        ("--augment", "crop:99999"),
        ("--split", "50000/6500"),
        ("--split", "a/b/c"),
        ("--split", "0/1/2"),
        ("--augment", ""),
        ("--cutout", "-1"),
        ("--schedule", "steps"),
        ("--label-smoothing", "1"),
        ("--weight-decay", "-0.1"),
        ("--weight-decay", "nan"),
        ("--model", "lenet"),
        ("--dataset", "mnist"),
        ("--epochs", "0"),
    ],
)
def test_bad_flags_give_one_line(flags: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("cifar10", *flags) == 2
    told = capsys.readouterr()
    assert flags[0] in one_line(told.err)
    assert told.out == ""


@pytest.mark.parametrize("name", ["cifar10", "pynet"])
def test_nothing_stands_in_for_cifar(name: str, offline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(name) == 2
    assert "CIFAR-10 not found" in one_line(capsys.readouterr().err)


def test_a_run_that_diverges_stops_and_keeps_the_checkpoint(
    cifar: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(cifar, "--optimizer", "sgd", "--lr", "1e38", "--out", tmp_path) == 2
    told = capsys.readouterr()
    assert "no longer a number at step" in one_line(told.err)
    assert "checkpoint.safetensors is of epoch 0" in told.err
    kept = minitorch.load(tmp_path / "checkpoint.safetensors")
    assert all(np.isfinite(array).all() for array in kept.values())
    assert not (tmp_path / "results.json").exists()


# --- parts


def test_augments_are_read_in_any_order() -> None:
    assert augments("crop,flip") == "flip,crop"
    assert augments("none") == "none"
    assert augments("cutout:6,jitter:0.2,crop:4") == "crop:4,jitter:0.2,cutout:6"


def test_unknown_augmentations_are_told_the_known_ones() -> None:
    with pytest.raises(argparse.ArgumentTypeError) as told:
        augments("flip,shear")
    assert "'shear' is not known" in str(told.value)
    assert all(name in str(told.value) for name in KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_every_augmentation_keeps_the_size_of_images(name: str) -> None:
    text = {"pad": "pad:4,crop:0"}.get(name, f"{name}(flip,jitter:0.3)" if name in GROUPS else name)
    made = Augmentations(text)
    images = np.random.default_rng(0).integers(0, 256, (30, 3, 32, 32), np.uint8)
    if made.pixels is not None:
        changed = made.pixels(images)
        assert (changed.shape, changed.dtype) == (images.shape, np.uint8)
    elif made.erase is not None:
        changed = made.erase(images / np.float32(255))
    else:
        assert made.mix is not None
        changed, fractions = made.mix(images, np.arange(30) % 10)
        assert fractions.shape == (30, 10)
    assert not np.array_equal(changed, images)


def test_mixed_labels_train(cifar: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--augment", "mixup:0.4,cutmix", "--epochs", 1, "--model", "threelayer", "--out")
    for folder in ("a", "b"):
        assert train(cifar, *flags, tmp_path / folder) == 0
    assert all(record["accuracy"] is None for record in records(tmp_path / "a"))
    assert all(math.isfinite(record["loss"]) for record in records(tmp_path / "a"))
    logs = [(tmp_path / folder / "metrics.jsonl").read_bytes() for folder in ("a", "b")]
    assert logs[0] == logs[1]


@pytest.mark.parametrize(("split", "counts"), [("200/30/10", (200, 30, 10)), ("150/50/20", (150, 50, 20))])
def test_splits(split: str, counts: tuple[int, ...], cifar: Path) -> None:
    """Parts do not overlap, are complete, depend on the seed alone, and come in one order in each pass."""
    args = argparse.Namespace(data_dir=cifar, split=split, seed=3, limit=None)
    parts = cifar10.splits(args)
    sizes = len(parts.train), len(parts.valid), len(parts.test)
    assert sizes == counts
    whole, test = minitorch.data.cifar10(cifar, download=False)
    known = {image.tobytes() for images in (whole, test) for image in images.images}
    seen = [image.tobytes() for part in (parts.train, parts.valid, parts.test) for image in part.images]
    assert len(set(seen)) == len(seen) == sum(counts)
    assert set(seen) <= known
    again = cifar10.splits(args)
    other = cifar10.splits(argparse.Namespace(**{**vars(args), "seed": 4}))
    assert np.array_equal(again.test.images, parts.test.images)
    assert not np.array_equal(other.test.images, parts.test.images)


def test_splits_that_do_not_add_up(cifar: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for split in ("200/30/20", "150/40/10", "150/50/41"):
        folder = tmp_path / split.replace("/", "-")
        assert train(cifar, "--split", split, "--out", folder) == 2
        assert f"--split {split} does not add up" in one_line(capsys.readouterr().err)
        assert not folder.exists()


def test_test_images_are_neither_augmented_nor_shuffled(
    cifar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the network sees in each validation and in the test is the part itself, normalized, in its order."""
    seen: list[np.ndarray] = []
    in_order = trainer.ImageRun.in_order

    def spied(self: Any, images: Dataset) -> Any:
        loader = in_order(self, images)
        seen.extend(
            self.normalize(images.images) - np.concatenate([batch for batch, _ in loader]) for _ in range(2)
        )
        return loader

    monkeypatch.setattr(trainer.ImageRun, "in_order", spied)
    flags = ("--augment", "flip,jitter,cutout,mixup", "--split", "200/30/10", "--model", "threelayer")
    assert train(cifar, *flags, "--epochs", 1) == 0
    assert len(seen) >= 4
    assert not any(difference.any() for difference in seen)


def test_models_map_images_to_scores() -> None:
    minitorch.set_default_dtype("float32")
    images = minitorch.rand((2, 3, 32, 32), dtype="float32")
    for name, build in CIFAR_MODELS.items():
        model = build()
        assert model(images).shape == (2, 10), name
        assert len(next(iter(model.parameters())).shape) == 4, name


def test_three_layers_begin_as_the_assignment_says() -> None:
    model = ThreeLayer()
    shapes = {name: p.shape for name, p in model.named_parameters()}
    weights = [(32, 3, 7, 7), (100, 8192), (10, 100)]
    assert [shape for name, shape in shapes.items() if name.endswith("weight")] == weights
    for name, p in model.named_parameters():
        spread = p.value.to_numpy().std()
        assert spread == pytest.approx(1e-3, rel=0.1) if name.endswith("weight") else spread == 0


def test_real_cifar(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    train_part, test = minitorch.data.cifar10(data_dir, download=False)
    few = train_part.subset(range(1000)), test.subset(range(300))
    monkeypatch.setattr(cifar10, "cifar10", lambda root: few)
    flags = ("--limit", 256, "--batch-size", 32, "--epochs", 2, "--lr", 0.003, "--quiet", "--out", tmp_path)
    assert run("cifar10", *flags) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert float(one_line(told.out).split()[-1]) > 0.15


# --- comparing


def test_compare_prints_what_differs(whole: Path, plain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("compare", whole, plain) == 0
    rows = [
        [value.strip() for value in line.strip("|").split("|")]
        for line in capsys.readouterr().out.splitlines()
    ]
    assert rows[0][0] == "run"
    assert rows[0][-4:] == ["best epoch", "validation", "test", "seconds"]
    assert {"model", "augment", "cutout", "schedule", "lr"} <= set(rows[0])
    assert not {"dataset", "seed", "batch size", "backend"} & set(rows[0])
    assert [row[0] for row in rows[2:]] == ["rich", "plain"]
    for row, folder in zip(rows[2:], (whole, plain)):
        told = dict(zip(rows[0], row))
        assert told["test"] == f"{results(folder)['test_accuracy']:.4f}"
        assert told["augment"] == results(folder)["augment"]


def test_compare_draws_on_a_terminal(
    whole: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    assert run("compare", whole) == 0
    told = capsys.readouterr().out
    assert "━" in told
    assert "rich" in told


def test_compare_draws_a_figure(whole: Path, plain: Path, tmp_path: Path) -> None:
    assert run("compare", whole, plain, "--out", tmp_path / "new" / "both.png") == 0
    image = minitorch.vision.read_image(tmp_path / "new" / "both.png")
    assert image.shape[2] > 1000
    assert len(np.unique(image)) > 20


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "no results.json"),
        ("{", "cannot be read"),
        ("[]", "expected a JSON object"),
        ("{}", "no test accuracy"),
    ],
)
def test_compare_refuses_in_one_line(
    content: str | None, told: str, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "results.json").write_text(content)
    assert run("compare", whole, tmp_path) == 2
    heard = capsys.readouterr()
    assert told in one_line(heard.err)
    assert heard.out == ""


def test_compare_cannot_draw(whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("compare", whole, "--out", tmp_path / "both.pdf") == 2
    assert ".png" in one_line(capsys.readouterr().err)
    (tmp_path / "results.json").write_bytes((whole / "results.json").read_bytes())
    assert run("compare", tmp_path, "--out", tmp_path / "one.png") == 2
    assert "nothing to draw" in one_line(capsys.readouterr().err)


def test_runs_are_named_by_what_their_paths_do_not_share() -> None:
    assert list(by_name([Path("/a/b/c"), Path("/a/d")])) == ["b/c", "d"]
    assert list(by_name([Path("/a/b"), Path("/a/b/c")])) == ["b", "b/c"]
    assert list(by_name([Path("/a/b")])) == ["b"]


# --- sanity checks and the example


def some_images(count: int) -> Dataset:
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (count, 3, 8, 8), np.uint8)
    return Dataset(pixels, np.arange(count) % 10, [f"c{k}" for k in range(10)])


def small_net(weight_scale: float = 0.05) -> minitorch.Module:
    return ThreeLayer(8, 3, 50, weight_scale=weight_scale, side=8)


def test_first_loss() -> None:
    good, told = first_loss(small_net(1e-3), some_images(40))
    assert good, told
    assert "ln 10 is 2.3026" in told
    assert not first_loss(small_net(1.0), some_images(40))[0]
    assert not first_loss(small_net(1e-3), some_images(40), penalty=0.0)[0]


def test_overfit() -> None:
    good, told = overfit(small_net(), some_images(40), lr=0.005)
    assert good, told
    assert not overfit(small_net(), some_images(40), epochs=1, lr=1e-6)[0]


def test_naive_and_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = (2, 3, 9, 9), (4, 3, 3, 3)
    good, told = sanity.naive_and_fast(*sizes)
    assert good, told
    assert "forward" in told
    convolve = sanity.convolve

    def wrong(backend: str, *shapes: Any) -> Any:
        (out, *grads), times = convolve(backend, *shapes)
        return [out + 1e-6 * (backend == "fast"), *grads], times

    monkeypatch.setattr(sanity, "convolve", wrong)
    assert not sanity.naive_and_fast(*sizes)[0]


@pytest.mark.parametrize("good", [True, False])
def test_sanity_says_what_failed(
    good: bool, offline: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sanity, "overfit", lambda model, images: (good, f"{len(images)} images"))
    monkeypatch.setattr(sanity, "naive_and_fast", lambda: (True, "both"))
    assert run("sanity") == (0 if good else 1)
    told = capsys.readouterr()
    assert "random images" in one_line(told.err)
    verdicts = [line.split()[0] for line in told.out.splitlines()]
    assert verdicts == ["ok", "ok" if good else "FAILED", "ok"]


def test_sanity_takes_real_images(cifar: Path) -> None:
    images = sanity.some_images(cifar, 30)
    assert images.images.shape == (30, 3, 32, 32)
    assert images.name == "CIFAR-10"


def test_pynet_prints_each_epoch(cifar: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("pynet", "--data-dir", cifar, "--limit", 100, "--epochs", 2) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in told[:2]] == ["epoch 1", "epoch 2"]
    assert math.isfinite(float(told[0].split()[4].rstrip(",")))
    assert told[2].startswith("test accuracy 0.")
