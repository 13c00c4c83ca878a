"""Philox4x64-10, a counter-based random number generator: any thread can make any random word by itself.

A usual generator has a state, so word ``n`` needs the words before it. Philox (Salmon, Moraes, Dror, Shaw, "Parallel
Random Numbers: As Easy as 1, 2, 3", 2011) is a function of a counter and a key instead. It works like a block cipher:
ten rounds mix a counter of four 64-bit words with a key of two. With ``hi, lo`` the two words of a 128-bit product, a
round is::

    counter  a         b         c         d          key  k, m
             |                   |
         hi,lo = MUL_A * a   hi',lo' = MUL_B * c
             |                   |
    next     hi'^b^k   lo'       hi^d^m    lo              k + WEYL_A, m + WEYL_B

Block ``n`` is the counter ``(n + 1, 0, 0, 0)`` and gives the words ``4 n`` to ``4 n + 3``: those of NumPy's ``Philox``,
bit for bit. A block costs 20 products of 64 by 64 bits, each made of four products of 32 bits and six sums, so about
400 integer operations for four words, and no memory.

There is one source for all backends: the functions run in plain Python on NumPy's numbers, compiled by Numba on the
CPU, and on the GPU. NumPy warns where a sum of scalars overflows, so no sum or product here exceeds 64 bits. The file
depends on NumPy only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

word: Any = np.uint64
LOW_HALF = 0xFFFFFFFF
# The multipliers of a round, what each round adds to the key (a Weyl sequence), and 2 ** 64 minus that.
MUL_A, MUL_B = 0xD2E7470EE14C6C93, 0xCA5A826395121157
WEYL_A, WEYL_B = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
MINUS_WEYL_A, MINUS_WEYL_B = 2**64 - WEYL_A, 2**64 - WEYL_B


def generator(key: int) -> np.random.Generator:
    """Return NumPy's generator of the words of ``key``, which has up to 128 bits."""
    return np.random.Generator(np.random.Philox(key=key))


def key_words(key: int) -> tuple[Any, Any]:
    """Return the lower and the upper word of a key of up to 128 bits."""
    return word(key & 2**64 - 1), word(key >> 64)


def threshold(rate: float) -> Any:
    """Return ``rate`` in [0, 1] in units of 2 ** -53, rounded up: the bound of `at_least`."""
    return word(math.ceil(rate * 2.0**53))


def at_least(drawn: Any, bound: Any) -> Any:
    """Tell whether a random word, read as a number of 53 bits in [0, 1), is at least the rate of ``bound``."""
    return drawn >> word(11) >= bound


def product(a: Any, b: Any) -> Any:
    """Return the upper and the lower word of ``a * b``, by long multiplication of halves of 32 bits."""
    a_high, a_low = a >> word(32), a & word(LOW_HALF)
    b_high, b_low = b >> word(32), b & word(LOW_HALF)
    low = a_low * b_low
    cross = a_high * b_low + (low >> word(32))
    other = a_low * b_high + (cross & word(LOW_HALF))
    high = a_high * b_high + (cross >> word(32)) + (other >> word(32))
    return high, (other << word(32)) | (low & word(LOW_HALF))


def next_key(key: Any, weyl: Any, minus_weyl: Any) -> Any:
    """Return ``key + weyl`` modulo 2 ** 64, for ``minus_weyl`` = 2 ** 64 - ``weyl``."""
    return key - minus_weyl if key >= minus_weyl else key + weyl


def one_round(a: Any, b: Any, c: Any, d: Any, k: Any, m: Any) -> Any:
    """Return the counter ``a, b, c, d`` mixed with the key ``k, m``, and the key of the next round."""
    high_a, low_a = product(word(MUL_A), a)
    high_c, low_c = product(word(MUL_B), c)
    next_k = next_key(k, word(WEYL_A), word(MINUS_WEYL_A))
    next_m = next_key(m, word(WEYL_B), word(MINUS_WEYL_B))
    return high_c ^ b ^ k, low_c, high_a ^ d ^ m, low_a, next_k, next_m


def four_words(block: int, key: Any) -> Any:
    """Return words ``4 * block`` to ``4 * block + 3`` of a key of two words."""
    # Ten rounds, written out: the compiler makes no vector code of a loop that has an inner loop.
    a, b, c, d, k, m = one_round(word(block) + word(1), word(0), word(0), word(0), key[0], key[1])
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
