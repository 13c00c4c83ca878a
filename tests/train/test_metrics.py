"""Counting what a classifier gets right."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch
from minitorch import IndexingError, accuracy, confusion_matrix, per_class_report, top_k_accuracy
from minitorch.train.metrics import worst_mistakes

SCORES = [[0.1, 0.7, 0.2], [0.5, 0.5, 0.1], [0.2, 0.3, 0.4], [0.9, 0.0, 0.95]]


def test_accuracy() -> None:
    assert accuracy(SCORES, [1, 0, 2, 0]) == 0.75
    assert accuracy(SCORES, [1, 1, 2, 2]) == 0.75, "ties go to the lowest class"
    assert accuracy(minitorch.tensor(SCORES), minitorch.tensor([1, 0, 2, 0])) == 0.75
    assert accuracy(SCORES, np.eye(3)[[1, 0, 2, 0]]) == 0.75
    assert isinstance(accuracy(SCORES, [1, 0, 2, 0]), float)
    for scores, target in (([], []), (SCORES, [1, 2]), ([1.0, 2.0], [0, 1])):
        with pytest.raises(IndexingError):
            accuracy(scores, target)


def test_accuracy_lives_in_metrics() -> None:
    assert minitorch.accuracy is minitorch.metrics.accuracy


def test_top_k() -> None:
    target = [1, 1, 0, 0]
    assert top_k_accuracy(SCORES, target, 1) == 0.25
    assert top_k_accuracy(SCORES, target, 2) == 0.75
    assert top_k_accuracy(SCORES, target, 3) == 1.0
    assert top_k_accuracy(minitorch.tensor(SCORES), np.eye(3)[target], k=2) == 0.75
    scores = np.random.default_rng(0).integers(0, 4, (200, 7)).astype(float)
    labels = np.random.default_rng(1).integers(0, 7, 200)
    for k in range(1, 8):
        best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        assert top_k_accuracy(scores, labels, k) == (best == labels[:, None]).any(axis=1).mean()
    assert top_k_accuracy(scores, labels, 1) == accuracy(scores, labels)
    assert top_k_accuracy(scores, labels) == top_k_accuracy(scores, labels, 5)
    assert top_k_accuracy([[np.nan, np.nan]], [0], 1) == 0.0


def test_top_k_errors() -> None:
    for k in (0, 4):
        with pytest.raises(ValueError, match="between 1 and the 3 classes"):
            top_k_accuracy(SCORES, [1, 1, 0, 0], k)
    with pytest.raises(IndexingError, match="as many targets, not 2"):
        top_k_accuracy(SCORES, [1, 1], 1)
    with pytest.raises(IndexingError, match="target 3 in row 1"):
        top_k_accuracy(SCORES, [1, 3, 0, 0], 1)
    with pytest.raises(IndexingError, match=r"\(2,\)"):
        top_k_accuracy([1.0, 2.0], [0, 1], 1)


def test_confusion_matrix() -> None:
    truth = [1, 0, 2, 0]
    expected = [[1, 0, 1], [0, 1, 0], [0, 0, 1]]
    for said in (SCORES, minitorch.tensor(SCORES), [1, 0, 2, 2], np.array([1.0, 0.0, 2.0, 2.0])):
        matrix = confusion_matrix(said, truth, 3)
        assert matrix.dtype.kind == "i"
        np.testing.assert_array_equal(matrix, expected)
    np.testing.assert_array_equal(confusion_matrix(SCORES, np.eye(3)[truth], ["a", "b", "c"]), expected)
    np.testing.assert_array_equal(confusion_matrix([], [], 2), np.zeros((2, 2)))
    assert confusion_matrix([0, 1], [0, 1], 4).shape == (4, 4)


def test_confusion_errors() -> None:
    for said, truth, message in (
        ([0, 3], [0, 1], "prediction 3 in row 1"),
        ([0, 1], [0, -1], "target -1 in row 1"),
        ([0, 0.5], [0, 1], r"prediction 0\.5 in row 1"),
        ([0, 1, 2], [0, 1], "3 predictions and 2 targets"),
        (np.zeros((2, 4)), [0, 1], "do not have 3 columns"),
        (np.zeros((2, 3, 1)), [0, 1], r"\(2, 3, 1\)"),
    ):
        with pytest.raises(IndexingError, match=message):
            confusion_matrix(said, truth, 3)


def test_report() -> None:
    said, truth = [0, 0, 1, 1, 1, 0], [0, 1, 1, 1, 0, 0]
    rows = per_class_report(said, truth, ("cat", "dog", "owl"))
    assert [row.name for row in rows] == ["cat", "dog", "owl"]
    assert rows[0] == ("cat", 2 / 3, 2 / 3, 2 / 3, 3)
    assert rows[1] == ("dog", 2 / 3, 2 / 3, 2 / 3, 3)
    assert rows[2] == ("owl", 0.0, 0.0, 0.0, 0)
    numbered = per_class_report(SCORES, [1, 0, 2, 0], 3)
    assert numbered[0] == ("0", 1.0, 0.5, pytest.approx(2 / 3), 2)
    assert numbered[2].precision == 0.5
    assert numbered[2].recall == 1.0
    assert sum(row.support for row in numbered) == 4


def test_report_agrees_with_its_definition() -> None:
    draw = np.random.default_rng(3)
    said, truth = draw.integers(0, 5, (2, 300))
    for k, row in enumerate(per_class_report(said, truth, 5)):
        hits = ((said == k) & (truth == k)).sum()
        assert row.precision == hits / (said == k).sum()
        assert row.recall == hits / (truth == k).sum()
        assert row.f1 == pytest.approx(2 * row.precision * row.recall / (row.precision + row.recall))
        assert row.support == (truth == k).sum()


def test_scikit_learn_takes_what_predict_gives() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    draw = np.random.default_rng(0)
    batches = [(draw.normal(size=(4, 3)), draw.integers(0, 3, 4)) for _ in range(5)]
    scores, labels = minitorch.predict(minitorch.Identity(), batches)
    guesses = scores.argmax(axis=1)
    expected = metrics.confusion_matrix(labels, guesses)
    np.testing.assert_array_equal(minitorch.confusion_matrix(scores, labels, 3), expected)
    report = metrics.classification_report(labels, guesses, output_dict=True)
    for row in minitorch.per_class_report(scores, labels, 3):
        assert row.f1 == pytest.approx(report[row.name]["f1-score"])
        assert row.support == report[row.name]["support"]


def test_scores_of_nan_are_no_hits() -> None:
    scores = np.array([[np.nan, 1.0], [1.0, np.nan], [0.0, 1.0], [5.0, 1.0]])
    labels = [0, 1, 1, 1]
    assert accuracy(scores, labels) == 0.25
    assert top_k_accuracy(scores, labels, 1) == 0.25
    assert top_k_accuracy(scores, labels, 2) == 0.5
    assert confusion_matrix(scores, labels, 2).tolist() == [[0, 0], [1, 1]]
    assert [(row.recall, row.support) for row in per_class_report(scores, labels, 2)] == [
        (0.0, 1),
        (1 / 3, 3),
    ]
    wrong, worst = worst_mistakes(scores, np.array(labels), 3)
    assert (wrong, worst.tolist()) == (3, [0, 1, 3])
    assert accuracy(np.full((3, 2), np.nan), [0, 1, 0]) == 0.0
