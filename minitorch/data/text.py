"""Sentences with labels, and vectors of words: reads tab-separated text and GloVe's text format; bundled sentences.

Files are not trusted: their sizes are limited, and an error names the line. Depends on NumPy and on the errors of
`download`.

    sentences   a header "sentence<TAB>label", then a sentence, a tab and a label 0 or 1 in each line (as SST-2 of GLUE)
    vectors     a word and its numbers in each line, with spaces between (as GloVe; Pennington et al., 2014)
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..runtime.types import Array
from .download import DataError

BUNDLED = Path(__file__).with_name("sentences.tsv")
HEADER = ("sentence", "label")
LONGEST_LINE = 100_000  # bytes
MOST_SENTENCES = 5_000_000
LARGEST_VECTOR = 4096  # numbers of a word
PADDING, UNKNOWN = 0, 1  # rows of the table of vectors that stand for no word and for unknown words


class Sentences(NamedTuple):
    """Sentences as lists of words, and their labels, 0 or 1."""

    words: list[list[str]]
    labels: list[int]


def split_words(sentence: str) -> list[str]:
    """Return the words and punctuation marks of a sentence, in lower case."""
    return re.findall(r"[\w'’-]+|[^\w\s]", sentence.lower())


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Give the lines of a text file with their numbers, counted from 1.

    Raises:
        DataError: A line is too long or is not UTF-8.
    """
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise DataError(f"{path}:{number}: expected a line of at most {LONGEST_LINE:,} bytes")
            try:
                yield number, line.decode().rstrip("\r\n")
            except UnicodeDecodeError:
                raise DataError(f"{path}:{number}: expected text in UTF-8") from None


def read_sentences(path: Path) -> Sentences:
    """Read sentences and their labels.

    Raises:
        DataError: A line is something else, or there is no sentence.
        OSError: The file cannot be read.
    """
    found = Sentences([], [])
    for number, line in _lines(path):
        if number == 1:
            if tuple(line.removeprefix("\ufeff").split("\t")) != HEADER:
                raise DataError(f"{path}:1: expected the header sentence<TAB>label, got {line[:60]!r}")
            continue
        sentence, tab, label = line.rpartition("\t")
        words = split_words(sentence)
        if not tab or label.strip() not in ("0", "1") or not words:
            raise DataError(
                f"{path}:{number}: expected a sentence, a tab and a label 0 or 1, got {line[:60]!r}"
            )
        if len(found.labels) == MOST_SENTENCES:
            raise DataError(f"{path}: expected at most {MOST_SENTENCES:,} sentences")
        found.words.append(words)
        found.labels.append(int(label))
    if not found.labels:
        raise DataError(f"{path}: expected at least one sentence, got none")
    return found


def bundled_sentences(held_out: int = 200) -> tuple[Sentences, Sentences]:
    """Return the bundled sentences for training and for validation: the last ``held_out`` of them."""
    words, labels = read_sentences(BUNDLED)
    return Sentences(words[:-held_out], labels[:-held_out]), Sentences(words[-held_out:], labels[-held_out:])


def vocabulary(sentences: Iterable[Sequence[str]]) -> dict[str, int]:
    """Return the row of each word in the table of vectors, by appearance, after those of `PADDING` and `UNKNOWN`."""
    rows: dict[str, int] = {}
    for words in sentences:
        for word in words:
            rows.setdefault(word, len(rows) + 2)
    return rows


def read_vectors(path: Path, rows: Mapping[str, int]) -> tuple[Array, int]:
    """Read the vectors of the words that are asked for.

    Args:
        path: The file.
        rows: A row for each word, from `vocabulary`.

    Returns:
        The table, float32 (words + 2, size), with zeros for words that the file lacks; and how many it has.

    Raises:
        DataError: A line is something else, or no word is in the file.
        OSError: The file cannot be read.
    """
    table = np.zeros((0, 0), np.float32)
    known: set[int] = set()
    for number, line in _lines(path):
        word, *numbers = line.rstrip().split(" ")
        if number == 1:
            if not 1 <= len(numbers) <= LARGEST_VECTOR:
                raise DataError(
                    f"{path}:1: expected a word and 1 to {LARGEST_VECTOR} numbers, got {len(numbers)}"
                )
            table = np.zeros((len(rows) + 2, len(numbers)), np.float32)
        row = rows.get(word)
        if row is None:
            continue
        if len(numbers) != table.shape[1]:
            raise DataError(
                f"{path}:{number}: expected {table.shape[1]} numbers after the word, got {len(numbers)}"
            )
        try:
            values = [float(text) for text in numbers]
        except ValueError:
            values = [math.nan]
        if not all(abs(value) < 1e30 for value in values):
            raise DataError(f"{path}:{number}: expected numbers after the word, got {line[:60]!r}")
        table[row] = values
        known.add(row)
    if not known:
        raise DataError(f"{path}: no word of the sentences is in this file")
    return table, len(known)


def numbered(sentences: Sentences, rows: Mapping[str, int], length: int) -> list[tuple[Array, int]]:
    """Return each sentence as the rows of its first ``length`` words, padded to that length, with its label."""
    found = []
    for words, label in zip(*sentences):
        numbers = np.full(length, PADDING, np.int64)
        numbers[: len(words)] = [rows.get(word, UNKNOWN) for word in words[:length]]
        found.append((numbers, label))
    return found
