"""Matrix product on tensor cores: operands rounded to TF32, sums in float32.

TF32 keeps 10 bits of the mantissa, about three digits, so it serves only where the user asks
(`matmul.set_float32_matmul_precision`). The 32 threads of a warp multiply 16 x 8 by 8 x 8 numbers in one instruction,
``mma.sync.aligned.m16n8k8`` (NVIDIA, PTX ISA, "Matrix Fragments for mma.m16n8k8"): 2,048 FLOPs, where an ordinary
instruction of a warp makes 64. Each thread ("lane") holds a few numbers of all three matrices in its registers. With
``g, t = divmod(lane, 4)``::

       A  16 x 8                   B  8 x 8                    C  16 x 8
              t       t + 4               g                           2t    2t + 1
       g    [ a0  ..  a2 ]         t    [ b0 ]                 g    [ c0  ..  c1 ]
       g+8  [ a1  ..  a3 ]         t+4  [ b1 ]                 g+8  [ c2  ..  c3 ]

Tiles, slabs, double buffer and split K are those of `gemm`. Of a tile of 128 x 128 each of 2 x 4 warps has 64 x 32
elements: UNITS_DOWN x UNITS_ACROSS = 4 x 4 products of 16 x 8, 64 sums per lane::

       tile   w0 | w1 | w2 | w3        for each 8 of the depth a lane reads 16 numbers of a and 8 of b from
              ---+----+----+---        shared memory for 16 instructions; a pitch of TILE + 8 numbers lets the
              w4 | w5 | w6 | w7        32 lanes of a warp (4 rows, 8 neighbours each) meet 32 different banks

Numbers are rounded once, when they are stored into a slab. The instruction exists on cards of compute capability 8.0
and up.
"""

from __future__ import annotations

import functools
from typing import Any

import numba
from llvmlite import ir

from ..runtime.placeholders import activation, real
from .device.numba_cuda import SIMULATED, cuda, intrinsic
from .gemm import first_offsets, index, load_pattern, load_slab, offset_type, store_slab, tile_origin

MIN_CAPABILITY = (8, 0)  # of the oldest cards that have the instruction
# The simulator's sizes; `matmul.WarpTile.constants` binds others for a card.
DEPTH, SLAB_PITCH, SLAB, BUFFER, LOADS = 8, 24, 192, 384, 4
UNITS_DOWN, UNITS_ACROSS, WARPS_ACROSS = 1, 2, 1  # products of 16 x 8 in a warp; warps side by side
SUMS, A_FRAGMENTS, B_FRAGMENTS = 8, 4, 4  # numbers that a lane holds of all its products


def _instruction(text: str, results: str, operands: str, convergent: bool) -> Any:
    """Return a code generator that calls a PTX instruction on float32 numbers.

    Args:
        text: The instruction.
        results: The kind of register of each result: f for a number, r for its bits.
        operands: The kind of register of each operand.
        convergent: Whether all lanes of a warp must execute it together: the compiler then does not move it.
    """
    types = {"f": ir.FloatType(), "r": ir.IntType(32)}

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        inputs = [builder.bitcast(v, types[kind]) for v, kind in zip(values, operands, strict=True)]
        several = len(results) > 1
        result_type = ir.LiteralStructType([types[kind] for kind in results]) if several else types[results]
        registers = ",".join([*(f"={kind}" for kind in results), *operands])
        function_type = ir.FunctionType(result_type, [types[kind] for kind in operands])
        asm = ir.InlineAsm(function_type, text, registers, side_effect=convergent)
        result = builder.call(asm, inputs, attrs=("convergent",) if convergent else ())
        if not several:
            return builder.bitcast(result, types["f"])
        numbers = [builder.bitcast(builder.extract_value(result, i), types["f"]) for i in range(len(results))]
        return context.make_tuple(builder, signature.return_type, numbers)

    return emit


def _mma_tf32(
    typingctx: Any,
    a0: Any, a1: Any, a2: Any, a3: Any, b0: Any, b1: Any,
    c0: Any, c1: Any, c2: Any, c3: Any,
) -> Any:  # fmt: skip
    """Type ``a @ b + c`` on fragments; the head of this file shows which lane holds which."""
    text = (
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
        "{$0,$1,$2,$3}, {$4,$5,$6,$7}, {$8,$9}, {$10,$11,$12,$13};"
    )
    uniform_tuple: Any = numba.types.UniTuple
    signature = uniform_tuple(c0, 4)(a0, a1, a2, a3, b0, b1, c0, c1, c2, c3)
    return signature, _instruction(text, "ffff", "rrrrrrffff", convergent=True)


def _round_tf32(typingctx: Any, x: Any) -> Any:
    """Type the rounding to TF32: to nearest, ties away from zero."""
    return x(x), _instruction("cvt.rna.tf32.f32 $0, $1;", "r", "f", convergent=False)


if intrinsic is not None:
    mma_tf32, round_tf32 = intrinsic(_mma_tf32), intrinsic(_round_tf32)
else:
    # The tests' simulator has stand-ins for both; Numba's own has none, and then these are None.
    mma_tf32, round_tf32 = (vars(cuda or object).get(name) for name in ("mma_tf32", "round_tf32"))


@functools.cache
def present() -> bool:
    """Tell whether the current card has tensor cores that take TF32."""
    if mma_tf32 is None or SIMULATED:
        return mma_tf32 is not None
    return bool(cuda.get_current_device().compute_capability >= MIN_CAPABILITY)


def multiply_warps(
    out: Any, out_strides: Any, a: Any, a_strides: Any, b: Any, b_strides: Any, sizes: Any, split: Any
) -> None:
    """Do what `gemm.multiply_tiles` does, in TF32."""
    sums = cuda.local.array(SUMS, real)
    row, col = sum_warp_tile(sums, a, a_strides, b, b_strides, sizes, split)
    out_offset = cuda.blockIdx.y * out_strides[0] + (cuda.blockIdx.z + split[1]) * out_strides[1]
    for i in range(2 * UNITS_DOWN):
        y = row + 8 * i
        if y < sizes[0]:
            for j in range(2 * UNITS_ACROSS):
                x = col + j // 2 * 8 + j % 2
                if x < sizes[1]:
                    value = sums[index((i // 2 * UNITS_ACROSS + j // 2) * 4 + i % 2 * 2 + j % 2)]
                    out[index(out_offset + y * out_strides[2] + x * out_strides[3])] = value


def multiply_warps_activation(
    out: Any, a: Any, a_strides: Any, b: Any, b_strides: Any, sizes: Any, split: Any, bias: Any
) -> None:
    """Do what `gemm.multiply_tiles_activation` does, in TF32."""
    sums = cuda.local.array(SUMS, real)
    row, col = sum_warp_tile(sums, a, a_strides, b, b_strides, sizes, split)
    for j in range(2 * UNITS_ACROSS):
        x = col + j // 2 * 8 + j % 2
        if x < sizes[1]:
            shift = real(bias[index(x)])
            for i in range(2 * UNITS_DOWN):
                y = row + 8 * i
                if y < sizes[0]:
                    value = sums[index((i // 2 * UNITS_ACROSS + j // 2) * 4 + i % 2 * 2 + j % 2)]
                    out[index(y * sizes[1] + x)] = activation(value + shift)


def lane_in_tile() -> Any:
    """Return the first row and column of this thread's warp in the tile, and (g, t) of its lane."""
    warp, lane = cuda.threadIdx.x // 32, cuda.threadIdx.x % 32
    return (
        warp // WARPS_ACROSS * (16 * UNITS_DOWN),
        warp % WARPS_ACROSS * (8 * UNITS_ACROSS),
        lane // 4,
        lane % 4,
    )


def sum_warp_tile(sums: Any, a: Any, a_strides: Any, b: Any, b_strides: Any, sizes: Any, split: Any) -> Any:
    """Do what `gemm.sum_tile` does, warp by warp: ``sums`` holds c0 to c3 of each product, row by row."""
    left = cuda.shared.array(BUFFER, real)
    right = cuda.shared.array(BUFFER, real)
    a_offsets, b_offsets = cuda.local.array(LOADS, offset_type), cuda.local.array(LOADS, offset_type)
    next_a, next_b = cuda.local.array(LOADS, real), cuda.local.array(LOADS, real)
    lane_a, lane_b = cuda.local.array(A_FRAGMENTS, real), cuda.local.array(B_FRAGMENTS, real)
    row, col = tile_origin(sizes[1])
    low, matrix = cuda.blockIdx.y * split[0], cuda.blockIdx.z + split[1]
    rest = min(sizes[2] - low, split[0])
    pattern_a, pattern_b = (
        load_pattern(a_strides[1], a_strides[2]),
        load_pattern(b_strides[2], b_strides[1]),
    )
    a_start, b_start = matrix * a_strides[0] + low * a_strides[2], matrix * b_strides[0] + low * b_strides[1]
    first_offsets(a_offsets, a_start, pattern_a, row, sizes[0], a_strides[1], a_strides[2])
    first_offsets(b_offsets, b_start, pattern_b, col, sizes[1], b_strides[2], b_strides[1])
    for i in range(SUMS):
        sums[index(i)] = real(0)
    down, across, g, t = lane_in_tile()
    step = 0
    rest += DEPTH  # one round more than there are slabs: the first only loads
    while rest > 0:
        rest -= DEPTH
        # Load.
        load_slab(next_a, a, a_offsets, pattern_a, rest, a_strides[2])
        load_slab(next_b, b, b_offsets, pattern_b, rest, b_strides[1])
        # Multiply.
        if step > 0:
            at = (step & 1) * SLAB + t * SLAB_PITCH + g
            end = at + SLAB
            while at < end:
                for i in range(UNITS_DOWN):
                    left_at = at + down + 16 * i
                    lane_a[index(4 * i)] = left[index(left_at)]
                    lane_a[index(4 * i + 1)] = left[index(left_at + 8)]
                    lane_a[index(4 * i + 2)] = left[index(left_at + 4 * SLAB_PITCH)]
                    lane_a[index(4 * i + 3)] = left[index(left_at + 4 * SLAB_PITCH + 8)]
                for j in range(UNITS_ACROSS):
                    right_at = at + across + 8 * j
                    lane_b[index(2 * j)] = right[index(right_at)]
                    lane_b[index(2 * j + 1)] = right[index(right_at + 4 * SLAB_PITCH)]
                for i in range(UNITS_DOWN):
                    for j in range(UNITS_ACROSS):
                        k = 4 * (i * UNITS_ACROSS + j)
                        c0, c1, c2, c3 = mma_tf32(
                            lane_a[index(4 * i)], lane_a[index(4 * i + 1)],
                            lane_a[index(4 * i + 2)], lane_a[index(4 * i + 3)],
                            lane_b[index(2 * j)], lane_b[index(2 * j + 1)],
                            sums[index(k)], sums[index(k + 1)], sums[index(k + 2)], sums[index(k + 3)],
                        )  # fmt: skip
                        sums[index(k)] = c0
                        sums[index(k + 1)] = c1
                        sums[index(k + 2)] = c2
                        sums[index(k + 3)] = c3
                at += 8 * SLAB_PITCH
        step += 1
        # Store.
        for i in range(LOADS):
            next_a[index(i)] = round_tf32(next_a[index(i)])
            next_b[index(i)] = round_tf32(next_b[index(i)])
        store_slab(left, (step & 1) * SLAB, pattern_a, next_a)
        store_slab(right, (step & 1) * SLAB, pattern_b, next_b)
        cuda.syncthreads()
    return row + down + g, col + across + 2 * t
