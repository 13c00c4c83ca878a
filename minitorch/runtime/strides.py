"""The order in which elements are walked: dimensions are coalesced as far as all operands allow.

A kernel then meets few dimensions: contiguous operands have one, a bias along the channels of images has three. With
sizes (2, 3, 4), strides (12, 4, 1) of a contiguous operand become (1,) for size (24,); a bias of strides (0, 1, 0)
leaves (2, 3, 4) as it is. Plans are cached by layout. The file depends on `minitorch.runtime.types` only; the Numba and
the CUDA backend use it.
"""

from __future__ import annotations

import functools

from .types import Shape


def coalesced(shape: Shape, *operands: Shape) -> tuple[Shape, list[Shape]]:
    """Drop dimensions of size 1 and merge neighbours whose strides chain in all operands; the order stays.

    Args:
        shape: The sizes.
        *operands: The strides of each operand.

    Returns:
        The sizes that are left, none for a single element; and each operand's strides.
    """
    sizes: list[int] = []
    strides: list[list[int]] = [[] for _ in operands]
    for k, n in enumerate(shape):
        if n == 1:
            continue
        steps = [s[k] for s in operands]
        if sizes and all(outer[-1] == step * n for outer, step in zip(strides, steps)):
            sizes[-1] *= n
            for outer, step in zip(strides, steps):
                outer[-1] = step
        else:
            sizes.append(n)
            for outer, step in zip(strides, steps):
                outer.append(step)
    return tuple(sizes), [tuple(s) for s in strides]


def broadcast_strides(shape: Shape, operand_shape: Shape, strides: Shape) -> Shape:
    """Return the strides with which an operand is read as ``shape``: 0 where it is broadcast."""
    missing = len(shape) - len(operand_shape)
    return (0,) * missing + tuple(0 if n == 1 else s for n, s in zip(operand_shape, strides))


@functools.lru_cache(maxsize=4096)
def plan(shape: Shape, strides: Shape, *operands: tuple[Shape, Shape]) -> tuple[Shape, list[Shape]]:
    """Coalesce the dimensions of a result and of operands that are broadcast to its shape.

    They are walked in the order in which the result's elements lie, so that operands that are all permuted alike have
    one dimension.

    Args:
        shape: The result's shape.
        strides: The result's strides.
        *operands: Shape and strides of each operand.

    Returns:
        The sizes that are left; the strides of the result and of each operand.
    """
    order = sorted(range(len(shape)), key=lambda k: -strides[k])
    walked = (strides, *(broadcast_strides(shape, *o) for o in operands))
    return coalesced(tuple(shape[k] for k in order), *(tuple(s[k] for k in order) for s in walked))


@functools.lru_cache(maxsize=4096)
def reduction_plan(shape: Shape, strides: Shape, dim: int) -> tuple[Shape, Shape]:
    """Coalesce all dimensions but ``dim``; return their sizes and strides, in the order of the shape."""
    kept = [k for k in range(len(shape)) if k != dim]
    sizes, (steps,) = coalesced(tuple(shape[k] for k in kept), tuple(strides[k] for k in kept))
    return sizes, steps
