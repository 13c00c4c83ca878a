"""Checks of a pickle that comes from a file, before it is loaded; and the limit on what a file may unpack to.

An Unpickler that allows few names runs no code of a file, but three things exhaust the machine or crash the process
all the same: a memo index of billions, tuples nested so deep that hashing them overflows the stack, and sizes that are
not there. This file finds them by walking over the opcodes. It depends on the standard library only.
"""

from __future__ import annotations

import pickletools
from typing import Any

MAX_DEPTH = 100  # levels of tuples, lists and dicts

# Files may grow to this many bytes plus 4 times their own size: compressed zeros and tied weights stay possible.
_FREE_BYTES = 1 << 28
_GROWTH = 4

_PUTS = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
_GETS = {"GET", "BINGET", "LONG_BINGET"}
_FILLS = {"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD"}


def unpacked_limit(file_size: int) -> int:
    """Return how many bytes may be unpacked of a file of ``file_size`` bytes."""
    return _FREE_BYTES + _GROWTH * file_size


def check_pickle(content: bytes) -> int:
    """Walk over a pickle and return the number of its opcodes.

    Raises:
        ValueError: It is cut or malformed, nested more than ``MAX_DEPTH`` deep, or has a memo index that no pickle of
            its length needs.
    """
    stack: list[int] = []  # the depth of each object; a mark is -1
    memo: dict[int, int] = {}
    count = 0
    argument: Any
    for opcode, argument, _ in pickletools.genops(content):
        count += 1
        name = opcode.name
        if name == "MARK":
            stack.append(-1)
        elif name in _PUTS:
            number = len(memo) if name == "MEMOIZE" else argument
            if not 0 <= number <= len(content):
                raise ValueError(f"damaged pickle: memo index {number} in {len(content)} bytes")
            memo[number] = stack[-1] if stack else 0
        elif name in _GETS:
            stack.append(memo.get(argument, 0))
        elif name == "DUP":
            stack.append(stack[-1] if stack else 0)
        else:
            # Of what is taken off the stack, the lowest object is the container that an in-place opcode fills.
            taken, before = 0, opcode.stack_before
            if pickletools.markobject in before:
                while stack and (depth := stack.pop()) >= 0:
                    taken = max(taken, depth + 1)
                before = before[: before.index(pickletools.markobject)]
            filled = name in _FILLS
            for position in reversed(range(len(before))):
                depth = stack.pop() if stack else 0
                taken = max(taken, depth if filled and position == 0 else depth + 1)
            if taken > MAX_DEPTH:
                raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
            stack.extend([taken] * len(opcode.stack_after))
    return count
