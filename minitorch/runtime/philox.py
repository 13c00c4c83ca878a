"""Random words that depend on a key and their number alone, so that any thread can make any of them.

The words are those of NumPy's generator of the same name (Philox4x64-10, Salmon et al., 2011). The functions run in
plain Python on NumPy's numbers, compiled by Numba, and on the device: there is one source, and no sum or product in it
exceeds 64 bits.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

word: Any = np.uint64
HALF = 0xFFFFFFFF  # the lower 32 bits
# Salmon's multipliers, what the key is raised by at each round, and 2 ** 64 minus that.
MUL_A, MUL_B = 0xD2E7470EE14C6C93, 0xCA5A826395121157
RAISE_A, RAISE_B = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
LOWER_A, LOWER_B = 2**64 - RAISE_A, 2**64 - RAISE_B


def generator(key: int) -> np.random.Generator:
    """Return NumPy's generator of the words of ``key``, of up to 128 bits."""
    return np.random.Generator(np.random.Philox(key=key))


def key_words(key: int) -> tuple[Any, Any]:
    """Return the lower and the upper half of a key of up to 128 bits."""
    return word(key & 2**64 - 1), word(key >> 64)


def bound_of(rate: float) -> Any:
    """Return the smallest number of 53 bits that is at least ``rate``, in parts of 2 ** 53: see `at_least`."""
    return word(math.ceil(rate * 2.0**53))


def at_least(drawn: Any, bound: Any) -> Any:
    """Tell whether a word, read as a number in [0, 1), is at least the rate that ``bound`` was made of."""
    return drawn >> word(11) >= bound


def product(a: Any, b: Any) -> Any:
    """Return the upper and the lower word of a product."""
    a_high, a_low = a >> word(32), a & word(HALF)
    b_high, b_low = b >> word(32), b & word(HALF)
    low = a_low * b_low
    cross = a_high * b_low + (low >> word(32))
    other = a_low * b_high + (cross & word(HALF))
    high = a_high * b_high + (cross >> word(32)) + (other >> word(32))
    return high, (other << word(32)) | (low & word(HALF))


def raised(key: Any, by: Any, back: Any) -> Any:
    """Return a word of the key for the next round: ``by`` more, or ``back`` = 2 ** 64 - ``by`` less."""
    return key - back if key >= back else key + by


def one_round(a: Any, b: Any, c: Any, d: Any, k: Any, m: Any) -> Any:
    """Return four words, stirred with a key of two words, and the key of the next round."""
    high_a, low_a = product(word(MUL_A), a)
    high_c, low_c = product(word(MUL_B), c)
    next_k = raised(k, word(RAISE_A), word(LOWER_A))
    next_m = raised(m, word(RAISE_B), word(LOWER_B))
    return high_c ^ b ^ k, low_c, high_a ^ d ^ m, low_a, next_k, next_m


def four_words(number: int, key: Any) -> Any:
    """Return words ``4 * number`` to ``4 * number + 3`` of a key of two words."""
    # Ten rounds, and no loop: what has an inner loop is not compiled for vectors.
    a, b, c, d, k, m = one_round(word(number) + word(1), word(0), word(0), word(0), key[0], key[1])
    a, b, c, d, k, m = one_round(a, b, c, d, k, m)
    a, b, c, d, k, m = one_round(a, b, c, d, k, m)
    a, b, c, d, k, m = one_round(a, b, c, d, k, m)
    a, b, c, d, k, m = one_round(a, b, c, d, k, m)
    a, b, c, d, k, m = one_round(a, b, c, d, k, m)
    a, b, c, d, k, m = one_round(a, b, c, d, k, m)
    a, b, c, d, k, m = one_round(a, b, c, d, k, m)
    a, b, c, d, k, m = one_round(a, b, c, d, k, m)
    a, b, c, d, k, m = one_round(a, b, c, d, k, m)
    return a, b, c, d
