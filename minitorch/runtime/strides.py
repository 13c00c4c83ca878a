"""How elements are walked: dimensions coalesced as far as all operands allow, remembered for each layout.

Kernels then meet few dimensions: packed operands have one, a bias along channels three.
"""

from __future__ import annotations

import functools

from .types import Shape


def coalesced(shape: Shape, *operands: Shape) -> tuple[Shape, list[Shape]]:
    """Drop dimensions of size 1 and merge those whose strides chain in all operands; the order stays.

    Args:
        shape: The sizes.
        *operands: The strides of each operand.

    Returns:
        The sizes that are left, none for a single element; and each operand's strides.
    """
    sizes: list[int] = []
    steps: list[list[int]] = [[] for _ in operands]
    for k, n in enumerate(shape):
        if n == 1:
            continue
        here = [s[k] for s in operands]
        if sizes and all(before[-1] == now * n for before, now in zip(steps, here)):
            sizes[-1] *= n
            for before, now in zip(steps, here):
                before[-1] = now
        else:
            sizes.append(n)
            for before, now in zip(steps, here):
                before.append(now)
    return tuple(sizes), [tuple(s) for s in steps]


def stretched(shape: Shape, own: Shape, strides: Shape) -> Shape:
    """Return the strides with which an operand of shape ``own`` is read as ``shape``: 0 where it stretches."""
    return (0,) * (len(shape) - len(own)) + tuple(0 if n == 1 else s for n, s in zip(own, strides))


@functools.lru_cache(maxsize=4096)
def plan(shape: Shape, strides: Shape, *operands: tuple[Shape, Shape]) -> tuple[Shape, list[Shape]]:
    """Merge the dimensions of a result and of operands that are stretched to its shape.

    They are walked in the order in which the result's elements lie, so operands that are all permuted alike have one.

    Args:
        shape: That of the result.
        strides: Its own.
        *operands: Shape and strides of each operand.

    Returns:
        The sizes that are left; the strides of the result and of each operand.
    """
    order = sorted(range(len(shape)), key=lambda k: -strides[k])
    walked = (strides, *(stretched(shape, *o) for o in operands))
    return coalesced(tuple(shape[k] for k in order), *(tuple(s[k] for k in order) for s in walked))


@functools.lru_cache(maxsize=4096)
def reduction_plan(shape: Shape, strides: Shape, dim: int) -> tuple[Shape, Shape]:
    """Merge all dimensions but ``dim``; return their sizes and strides, in the order of the shape."""
    rest = [k for k in range(len(shape)) if k != dim]
    sizes, (steps,) = coalesced(tuple(shape[k] for k in rest), tuple(strides[k] for k in rest))
    return sizes, steps
