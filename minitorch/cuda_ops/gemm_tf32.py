"""The matrix product on tensor cores: operands rounded to TF32, which keeps about three digits, and sums in float32.

The 32 threads of a warp multiply 16 x 8 by 8 x 8 elements in one instruction, and each holds a few elements of all three; it
exists on cards of compute capability 8.0 and up. Tiles and slabs are those of `minitorch.cuda_sgemm`. It refuses to
know who asked for TF32.
"""

from __future__ import annotations

import functools
from typing import Any

import numba
from llvmlite import ir

from ..runtime.placeholders import finish, real
from .device.numba_cuda import SIMULATED, cuda, intrinsic
from .gemm import corner, fetch, find, keep, place, spot, way

SINCE = (8, 0)  # the oldest cards that have it
DEPTH, WIDTH, SLAB, BOTH, LOADS = 8, 24, 192, 384, 4
# Products of 16 x 8 elements in a warp, down and across; warps side by side; what a thread holds of each.
UNITS_DOWN, UNITS_ACROSS, WARPS_ACROSS = 1, 2, 1
ELEMENTS, OURS, THEIRS = 8, 4, 4


def _instruction(text: str, results: str, operands: str, together: bool) -> Any:
    """Return what makes a call of a PTX instruction on float32 numbers.

    Args:
        text: The instruction.
        results: The kind of register that each result lies in: f for a number, r for its bits.
        operands: The same for what it takes.
        together: Whether all lanes of a warp must come to it at once: the compiler then leaves it where it is.
    """
    types = {"f": ir.FloatType(), "r": ir.IntType(32)}

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        given = [builder.bitcast(v, types[kind]) for v, kind in zip(values, operands, strict=True)]
        many = len(results) > 1
        made = ir.LiteralStructType([types[kind] for kind in results]) if many else types[results]
        registers = ",".join([*(f"={kind}" for kind in results), *operands])
        form = ir.FunctionType(made, [types[kind] for kind in operands])
        asm = ir.InlineAsm(form, text, registers, side_effect=together)
        got = builder.call(asm, given, attrs=("convergent",) if together else ())
        if not many:
            return builder.bitcast(got, types["f"])
        elements = [builder.bitcast(builder.extract_value(got, i), types["f"]) for i in range(len(results))]
        return context.make_tuple(builder, signature.return_type, elements)

    return emit


def _mma_tf32(
    typingctx: Any,
    a0: Any, a1: Any, a2: Any, a3: Any, b0: Any, b1: Any,
    c0: Any, c1: Any, c2: Any, c3: Any,
) -> Any:  # fmt: skip
    # With g, t = divmod(lane, 4) a lane holds a at (g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4), b at (t, g) and
    # (t + 4, g), and c at (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1).
    text = (
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
        "{$0,$1,$2,$3}, {$4,$5,$6,$7}, {$8,$9}, {$10,$11,$12,$13};"
    )
    four: Any = numba.types.UniTuple
    signature = four(c0, 4)(a0, a1, a2, a3, b0, b1, c0, c1, c2, c3)
    return signature, _instruction(text, "ffff", "rrrrrrffff", together=True)


def _round_tf32(typingctx: Any, x: Any) -> Any:
    return x(x), _instruction("cvt.rna.tf32.f32 $0, $1;", "r", "f", together=False)


if intrinsic is not None:
    mma_tf32, round_tf32 = intrinsic(_mma_tf32), intrinsic(_round_tf32)
else:
    # The simulator of the tests has stand-ins, Numba's own has none.
    mma_tf32, round_tf32 = (vars(cuda or object).get(name) for name in ("mma_tf32", "round_tf32"))


@functools.cache
def present() -> bool:
    """Tell whether the current card has tensor cores that take TF32."""
    if mma_tf32 is None or SIMULATED:
        return mma_tf32 is not None
    return bool(cuda.get_current_device().compute_capability >= SINCE)


def multiply_warps(
    out: Any, out_steps: Any, a: Any, a_steps: Any, b: Any, b_steps: Any, sizes: Any, span: Any
) -> None:
    """Do what `minitorch.cuda_sgemm.multiply_tiles` does, in TF32."""
    elements = cuda.local.array(ELEMENTS, real)
    row, col = sum_warps(elements, a, a_steps, b, b_steps, sizes, span)
    at = cuda.blockIdx.y * out_steps[0] + (cuda.blockIdx.z + span[1]) * out_steps[1]
    for i in range(2 * UNITS_DOWN):
        y = row + 8 * i
        if y < sizes[0]:
            for j in range(2 * UNITS_ACROSS):
                x = col + j // 2 * 8 + j % 2
                if x < sizes[1]:
                    element = elements[spot((i // 2 * UNITS_ACROSS + j // 2) * 4 + i % 2 * 2 + j % 2)]
                    out[spot(at + y * out_steps[2] + x * out_steps[3])] = element


def multiply_warps_activation(
    out: Any, a: Any, a_steps: Any, b: Any, b_steps: Any, sizes: Any, span: Any, bias: Any
) -> None:
    """Do what `minitorch.cuda_sgemm.multiply_tiles_activation` does, in TF32."""
    elements = cuda.local.array(ELEMENTS, real)
    row, col = sum_warps(elements, a, a_steps, b, b_steps, sizes, span)
    for j in range(2 * UNITS_ACROSS):
        x = col + j // 2 * 8 + j % 2
        if x < sizes[1]:
            more = real(bias[spot(x)])
            for i in range(2 * UNITS_DOWN):
                y = row + 8 * i
                if y < sizes[0]:
                    element = elements[spot((i // 2 * UNITS_ACROSS + j // 2) * 4 + i % 2 * 2 + j % 2)]
                    out[spot(y * sizes[1] + x)] = finish(element + more)


def lane_in_tile() -> Any:
    """Return the first row and column of this thread's warp in the tile, and the thread's group and place in it."""
    warp, lane = cuda.threadIdx.x // 32, cuda.threadIdx.x % 32
    return (
        warp // WARPS_ACROSS * (16 * UNITS_DOWN),
        warp % WARPS_ACROSS * (8 * UNITS_ACROSS),
        lane // 4,
        lane % 4,
    )


def sum_warps(elements: Any, a: Any, a_steps: Any, b: Any, b_steps: Any, sizes: Any, span: Any) -> Any:
    """Leave in ``elements`` what this thread has of its block's tile, and return row and column of the first.

    The others follow 8 down, 1 or 8 across. See `multiply_warps`.
    """
    left = cuda.shared.array(BOTH, real)
    right = cuda.shared.array(BOTH, real)
    of_a, of_b = cuda.local.array(LOADS, place), cuda.local.array(LOADS, place)
    next_a, next_b = cuda.local.array(LOADS, real), cuda.local.array(LOADS, real)
    ours, theirs = cuda.local.array(OURS, real), cuda.local.array(THEIRS, real)
    row, col = corner(sizes[1])
    low, layer = cuda.blockIdx.y * span[0], cuda.blockIdx.z + span[1]
    rest = min(sizes[2] - low, span[0])
    way_a, way_b = way(a_steps[1], a_steps[2]), way(b_steps[2], b_steps[1])
    find(of_a, layer * a_steps[0] + low * a_steps[2], way_a, row, sizes[0], a_steps[1], a_steps[2])
    find(of_b, layer * b_steps[0] + low * b_steps[1], way_b, col, sizes[1], b_steps[2], b_steps[1])
    for i in range(ELEMENTS):
        elements[spot(i)] = real(0)
    down, across, group, turn = lane_in_tile()
    now = 0
    rest += DEPTH
    while rest > 0:
        rest -= DEPTH
        fetch(next_a, a, of_a, way_a, rest, a_steps[2])
        fetch(next_b, b, of_b, way_b, rest, b_steps[1])
        if now > 0:
            here = (now & 1) * SLAB + turn * WIDTH + group
            end = here + SLAB
            while here < end:
                for i in range(UNITS_DOWN):
                    at = here + down + 16 * i
                    ours[spot(4 * i)] = left[spot(at)]
                    ours[spot(4 * i + 1)] = left[spot(at + 8)]
                    ours[spot(4 * i + 2)] = left[spot(at + 4 * WIDTH)]
                    ours[spot(4 * i + 3)] = left[spot(at + 4 * WIDTH + 8)]
                for j in range(UNITS_ACROSS):
                    at = here + across + 8 * j
                    theirs[spot(2 * j)] = right[spot(at)]
                    theirs[spot(2 * j + 1)] = right[spot(at + 4 * WIDTH)]
                for i in range(UNITS_DOWN):
                    for j in range(UNITS_ACROSS):
                        k = 4 * (i * UNITS_ACROSS + j)
                        c0, c1, c2, c3 = mma_tf32(
                            ours[spot(4 * i)], ours[spot(4 * i + 1)], ours[spot(4 * i + 2)], ours[spot(4 * i + 3)],
                            theirs[spot(2 * j)], theirs[spot(2 * j + 1)],
                            elements[spot(k)], elements[spot(k + 1)], elements[spot(k + 2)], elements[spot(k + 3)],
                        )  # fmt: skip
                        elements[spot(k)] = c0
                        elements[spot(k + 1)] = c1
                        elements[spot(k + 2)] = c2
                        elements[spot(k + 3)] = c3
                here += 8 * WIDTH
        now += 1
        for i in range(LOADS):
            next_a[spot(i)] = round_tf32(next_a[spot(i)])
            next_b[spot(i)] = round_tf32(next_b[spot(i)])
        keep(left, (now & 1) * SLAB, way_a, next_a)
        keep(right, (now & 1) * SLAB, way_b, next_b)
        cuda.syncthreads()
    return row + down + group, col + across + 2 * turn
