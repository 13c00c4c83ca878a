"""Builds minitorch/data/sentences.tsv, the bundled sentences of `minitorch sentiment`, from word lists below.

The sentences are made up from patterns, they are no reviews of people. The label is the opinion of the last clause; a
"not" turns it round. Equal word lists give equal bytes.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "minitorch" / "data" / "sentences.tsv"
COUNT = 1200
THINGS = [
    *("film", "story", "plot", "cast", "script", "soundtrack"),
    *("picture", "ending", "dialogue", "scene", "performance", "direction"),
]
GOOD = [
    *("brilliant", "funny", "moving", "warm", "clever", "charming"),
    *("fresh", "gripping", "honest", "wonderful", "sharp", "tender"),
]
BAD = [
    *("dull", "clumsy", "boring", "empty", "flat", "predictable"),
    *("tired", "silly", "cold", "messy", "shallow", "lifeless"),
]
DEGREES = ["", "", "very ", "rather ", "truly ", "a little "]
PATTERNS = (
    "the {thing} is {word} .",
    "the {thing} is {degree}{word} from the first minute to the last .",
    "what a {word} {thing} !",
    "a {word} {thing} with a {word2} {thing2} .",
    "i found the {thing} {degree}{word} , and the {thing2} {word2} .",
    "it is a {word} {thing} that i will remember .",
)
TURNED = (
    "the {thing} is not {word} at all .",
    "nobody will call this {thing} {word} .",
    "this is not a {word} {thing} .",
)


def clause(random_: random.Random, label: int) -> str:
    """Return a sentence with an opinion."""
    turned = random_.random() < 0.3
    words = GOOD if bool(label) != turned else BAD
    first, second = random_.sample(THINGS, 2)
    word, word2 = random_.sample(words, 2)
    pattern = random_.choice(TURNED if turned else PATTERNS)
    sentence = pattern.format(
        thing=first, thing2=second, word=word, word2=word2, degree=random_.choice(DEGREES)
    )
    return re.sub(r"\ba (?=[aeiou]|honest)", "an ", sentence)


def build() -> str:
    """Return the file: a header, then a sentence, a tab and its label (1 good, 0 bad) in each line."""
    random_ = random.Random(2020)
    lines: dict[str, int] = {}
    while len(lines) < COUNT:
        label = random_.randrange(2)
        sentence = clause(random_, label)
        if random_.random() < 0.3:  # an opposite opinion first
            sentence = f"{clause(random_, 1 - label).rstrip(' .!')} , but {sentence}"
        lines.setdefault(sentence, label)
    return "sentence\tlabel\n" + "".join(f"{sentence}\t{label}\n" for sentence, label in lines.items())


if __name__ == "__main__":
    TARGET.write_text(build(), encoding="utf-8", newline="\n")
