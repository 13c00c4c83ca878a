"""The command `minitorch sentiment`: its network, its files, what it writes, and bad input."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch.data import text
from minitorch.data.download import DataError
from minitorch.models.sentence_cnn import WIDTHS, SentenceCNN

from .runner import ROOT, one_line, records, run

SMALL = ("--epochs", 1, "--limit", 60, "--channels", 8, "--quiet")


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def corpus(folder: Path) -> tuple[Path, Path]:
    good = [f"a {word} film\t1" for word in ("fine", "nice", "warm", "Good")]
    bad = [f"a {word} film , sadly\t0" for word in ("poor", "bad", "cold", "dull")]
    lines = ["sentence\tlabel", *good, *bad]
    return write(folder / "train.tsv", lines), write(folder / "dev.tsv", lines)


def vectors(folder: Path, size: int = 6) -> Path:
    random = np.random.default_rng(0)
    words = ("film", "good", "bad", "unused", ",")
    rows = [f"{word} {' '.join(f'{v:.4f}' for v in random.normal(size=size))}" for word in words]
    return write(folder / "vectors.txt", rows)


def test_the_bundled_sentences_come_from_the_script() -> None:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import make_sentences
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    assert text.BUNDLED.read_bytes() == make_sentences.build().encode()
    train, valid = text.bundled_sentences()
    assert (len(train.labels), len(valid.labels)) == (1000, 200)
    assert 0.4 < np.mean(train.labels) < 0.6
    assert not {*map(tuple, train.words)} & {*map(tuple, valid.words)}


def test_it_passes_70_percent_on_the_bundled_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sentiment", "--quiet", "--channels", 30, "--epochs", 14, "--lr", 0.003) == 0
    told = capsys.readouterr()
    assert float(told.out.split()[-1]) > 0.7
    assert "made from patterns" in one_line(told.err)


@pytest.mark.parametrize("name", ["sentiment", "run_sentiment"])
def test_files_of_a_run(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train, valid = corpus(tmp_path)
    out = tmp_path / "run"
    flags = ("--train", train, "--valid", valid, "--vectors", vectors(tmp_path), "--out", out, *SMALL)
    assert run(name, *flags) == 0
    told = capsys.readouterr()
    assert told.out.startswith("validation accuracy ")
    assert "4 of 12 words have a vector" in one_line(told.err)
    results = json.loads((out / "results.json").read_text())
    assert results["valid_accuracy"] == pytest.approx(float(told.out.split()[-1]), abs=1e-4)
    assert [record["epoch"] for record in records(out)] == [1]
    page = (out / "report.html").read_text()
    assert "a fine film" in page
    assert "a cold film , sadly" in page
    table, _ = text.read_vectors(vectors(tmp_path), text.vocabulary(text.read_sentences(train).words))
    state = minitorch.load(out / "model.safetensors")
    assert np.array_equal(state["vectors.weight"], table)  # they are frozen
    assert state["conv5.weight"].shape == (8, 6, 5)


def test_the_same_seed_gives_the_same_numbers(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert run("sentiment", *SMALL, "--out", tmp_path / name) == 0
    log = [(tmp_path / name / "metrics.jsonl").read_bytes() for name in ("a", "b")]
    assert log[0] == log[1]


def test_the_network_agrees_with_pytorch() -> None:
    torch = pytest.importorskip("torch")
    minitorch.manual_seed(0)
    model = SentenceCNN(20, 7, channels=5).to(dtype="float64").eval()
    rows = np.random.default_rng(0).integers(0, 20, (4, 9))
    weights = {name: torch.tensor(value, requires_grad=True) for name, value in model.state_dict().items()}
    x = torch.nn.functional.embedding(torch.tensor(rows), weights["vectors.weight"]).permute(0, 2, 1)
    tops = [
        torch.nn.functional.conv1d(x, weights[f"conv{k}.weight"], weights[f"conv{k}.bias"]).relu().amax(2)
        for k in WIDTHS
    ]
    expected = torch.cat(tops, 1) @ weights["linear.weight"].T + weights["linear.bias"]
    found = model(rows)
    np.testing.assert_allclose(found.to_numpy(), expected.detach().numpy(), atol=1e-12)
    (found * found).sum().backward()
    expected.square().sum().backward()
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(parameter.grad.to_numpy(), weights[name].grad.numpy(), atol=1e-10)


SENTENCES: list[tuple[list[str], str]] = [
    ([], "at least one sentence|expected the header"),
    (["text\tlabel", "a\t1"], r":1: expected the header sentence<TAB>label, got 'text\\tlabel'"),
    (["sentence\tlabel"], "expected at least one sentence, got none"),
    (["sentence\tlabel", "good film"], ":2: expected a sentence, a tab and a label 0 or 1, got 'good film'"),
    (["sentence\tlabel", "fine\t1", "good film\t2"], ":3: expected a sentence"),
    (["sentence\tlabel", "  \t1"], ":2: expected a sentence"),
    (["sentence\tlabel", "a" * 200_000 + "\t1"], ":2: expected a line of at most 100,000 bytes"),
]
VECTORS: list[tuple[list[str], str]] = [
    ([], "no word of the sentences is in this file"),
    (["film"], ":1: expected a word and 1 to 4096 numbers, got 0"),
    (["film 1 2", "good 1"], ":2: expected 2 numbers after the word, got 1"),
    (["film 1 two"], ":1: expected numbers after the word, got 'film 1 two'"),
    (["film 1 nan"], ":1: expected numbers after the word"),
    (["film 1 1e39"], ":1: expected numbers after the word"),
    (["other 1 2"], "no word of the sentences is in this file"),
]


@pytest.mark.parametrize(("lines", "words"), SENTENCES)
def test_bad_files_of_sentences(
    lines: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train, valid = corpus(tmp_path)
    bad = write(tmp_path / "bad.tsv", lines) if lines else tmp_path / "bad.tsv"
    bad.touch()
    with pytest.raises(DataError, match=words):
        text.read_sentences(bad)
    for pair in ((bad, valid), (train, bad)):
        assert run("sentiment", "--train", pair[0], "--valid", pair[1], *SMALL) == 2
        assert "bad.tsv" in one_line(capsys.readouterr().err)


@pytest.mark.parametrize(("lines", "words"), VECTORS)
def test_bad_files_of_vectors(
    lines: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train, valid = corpus(tmp_path)
    bad = tmp_path / "bad.txt"
    bad.write_text("\n".join(lines))
    with pytest.raises(DataError, match=words):
        text.read_vectors(bad, {"film": 2, "good": 3})
    assert run("sentiment", "--train", train, "--valid", valid, "--vectors", bad, *SMALL) == 2
    assert "bad.txt" in one_line(capsys.readouterr().err)


def test_other_bad_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train, _ = corpus(tmp_path)
    (tmp_path / "bytes.tsv").write_bytes(b"sentence\tlabel\n\xff\xfe\t1\n")
    cases: list[tuple[tuple[Any, ...], str]] = [
        (("--train", train), "--train and --valid belong together"),
        (("--train", train, "--valid", tmp_path / "none.tsv"), "none.tsv: No such file"),
        (("--train", tmp_path / "bytes.tsv", "--valid", train), "bytes.tsv:2: expected text in UTF-8"),
        (("--train", tmp_path, "--valid", train), "Is a directory"),
        (("--vectors", tmp_path / "none.txt"), "none.txt: No such file"),
        (("--epochs", 0), "must be a whole number of at least 1"),
        (("--dropout", 1), "below 1"),
    ]
    for flags, words in cases:
        assert run("sentiment", *flags) == 2
        assert words in capsys.readouterr().err.splitlines()[-1]


def test_short_sentences_and_unknown_words(tmp_path: Path) -> None:
    lines = ["sentence\tlabel", "good\t1", "bad\t0"]
    train, valid = (
        write(tmp_path / "a.tsv", lines),
        write(tmp_path / "b.tsv", [*lines, "never seen before !\t1"]),
    )
    assert run("sentiment", "--train", train, "--valid", valid, "--batch-size", 1, *SMALL) == 0
    rows = text.vocabulary([["good"], ["bad"]])
    ((item, label),) = text.numbered(text.Sentences([["new", "bad", "good"]], [1]), rows, 5)
    assert (item.tolist(), label) == ([text.UNKNOWN, 3, 2, text.PADDING, text.PADDING], 1)
