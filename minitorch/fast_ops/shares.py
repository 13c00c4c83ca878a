"""Kernels on numbered shares: how one compiled kernel runs on all threads.

A kernel is compiled once, as serial code, with three arguments in front of its own: ``_pool``, ``_first``, ``_last``.
Its loop over ``prange(count)`` becomes (`codegen` writes this)

    _low, _high = _first, _last if _pool == -1 else _first         # a share: some iterations of loop 1, or none
    if _pool > 0:
        _low, _high = 0, fork(_pool, _first, count, 1)             # the caller: what is left to it, all or nothing
    for _k in range(_high - _low):
        t = iteration(_low, _k)
        ...

The caller passes an address for ``_pool`` and, for ``_first``, whether other threads may take shares. If they may not,
it runs all iterations itself. Else `fork` keeps the kernel's own arguments in a block of memory and adds a function
``task(block, first, last)`` that calls the kernel again, with ``-1`` for ``_pool``. It hands both to `launch`, which
returns when all shares are done. So a launch is three numbers and a block: it can be handed to another thread, or kept
and run again.

The pool is a row of 64-bit words at a fixed address; a number below names a word. `launch` writes a job and publishes
it by one store to NEXT:

    NEXT    [ job : 21 bits | shares : 14 bits | claimed from the end : 14 bits | claimed from the front : 14 bits ]

Each thread claims shares by adding to NEXT: what it reads is either a share of the job in progress or no share at all.
The caller and each second thread claim from the front, the others from the end. So of two threads each gets the same
half of a batch in all kernels, but for what one has to take over from the other, and what it reads may still be in its
core's cache. DONE counts shares that are complete, and the caller returns when all are. So it waits for shares in
progress only, never for a thread that has not started: beside other programs the caller does what others do not get to.
How many shares there are does not change results: whatever a kernel adds up, it adds up per iteration.

A thread without work looks at NEXT for a while (SPINS), then sleeps on a semaphore of the system; SLEEPING counts those
that do. A thread that wakes up wakes the next one, as long as there are shares. Only one caller runs a job at a time
(BUSY); a second one, in another Python thread, runs its shares by itself.

Cost of a launch: nothing in serial, 0.5 microseconds with threads that are awake. An exception in a share (an index
out of bounds, no memory) becomes an exception of the call. The file depends on llvmlite and Numba only; `jit` compiles
it and `threads` starts the threads.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

# Words of the pool. Those that several threads write have cache lines of their own.
NEXT, DONE, BUSY, SLEEPING = 0, 8, 16, 24
TASK, BLOCK, COUNT = 32, 33, 34  # the job: its function, its arguments, its iterations
LAUNCH, WAIT, POST, YIELD, SEMAPHORE, THREADS, CLOSED = 40, 41, 42, 43, 44, 45, 46
WORDS = 48

SHARE_BITS = 14
MOST_SHARES = (1 << SHARE_BITS) - 1
FROM_FRONT, FROM_END = 1, 1 << SHARE_BITS  # what a claim adds to NEXT
JOBS = 1 << 21
SHARES_PER_THREAD = 4  # so that a thread that is late leaves little to wait for
SPINS = 20_000  # looks for work before a thread sleeps: about as long as a small training step lasts
PATIENCE = 200  # looks before the caller offers its core to a thread that has a share in progress

# LLVM leaves half of a register empty on processors that run slower with whole ones (AVX-512): here they pay.
WIDE = '"prefer-vector-width"="512"'

# Numba has no annotations for these.
_intrinsic: Any = intrinsic
_allocated: Any = cgutils.alloca_once
_int64 = types.int64
_word = ir.IntType(64)
_bytes = ir.IntType(8).as_pointer()
_void = ir.VoidType()


def _at(builder: Any, pool: Any, word: Any) -> Any:
    return builder.gep(builder.inttoptr(pool, _word.as_pointer()), [word])


@_intrinsic
def load(typingctx, pool, word):  # type: ignore[no-untyped-def]
    """Return a word."""
    return _int64(_int64, _int64), lambda c, b, s, args: b.load_atomic(_at(b, *args), "seq_cst", 8)


@_intrinsic
def store(typingctx, pool, word, value):  # type: ignore[no-untyped-def]
    """Write a word."""

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        builder.store_atomic(args[2], _at(builder, *args[:2]), "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(_int64, _int64, _int64), codegen


@_intrinsic
def add(typingctx, pool, word, value):  # type: ignore[no-untyped-def]
    """Add to a word; return what it was."""
    return _int64(_int64, _int64, _int64), lambda c, b, s, args: b.atomic_rmw(
        "add", _at(b, *args[:2]), args[2], "seq_cst"
    )


@_intrinsic
def swap(typingctx, pool, word, value):  # type: ignore[no-untyped-def]
    """Write a word; return what it was."""
    return _int64(_int64, _int64, _int64), lambda c, b, s, args: b.atomic_rmw(
        "xchg", _at(b, *args[:2]), args[2], "seq_cst"
    )


@_intrinsic
def call(typingctx, function, a, b, c):  # type: ignore[no-untyped-def]
    """Call a function of the system, or a task, at an address."""

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        kind = ir.FunctionType(_void, [_word] * 3).as_pointer()
        builder.call(builder.inttoptr(args[0], kind), args[1:])
        return context.get_dummy_value()

    return types.void(_int64, _int64, _int64, _int64), codegen


@_intrinsic
def pause(typingctx):  # type: ignore[no-untyped-def]
    """Tell the processor that this thread waits for another."""

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        triple = builder.module.triple
        if triple.startswith(("x86_64", "i386", "i686")):
            name, operands = "llvm.x86.sse2.pause", []
        elif triple.startswith(("aarch64", "arm64")):
            name, operands = "llvm.aarch64.hint", [ir.Constant(ir.IntType(32), 1)]
        else:
            return context.get_dummy_value()
        kind = ir.FunctionType(_void, [operand.type for operand in operands])
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        builder.call(function, operands)
        return context.get_dummy_value()

    return types.void(), codegen


def _own_function(builder: Any, suffix: str, kind: Any) -> tuple[Any, Any, list[Any]]:
    """Add a function beside the one that is being built, which is to call that; return it, its builder, its results.

    The results are where the called function puts its value and its exception, as Numba's functions do.
    """
    function, module = builder.function, builder.module
    made = ir.Function(module, kind, f"{function.name}.{suffix}{len(module.functions)}")
    made.linkage = "internal"
    made.attributes.add("noinline")
    inside = ir.IRBuilder(made.append_basic_block())
    return made, inside, [inside.alloca(argument.type.pointee) for argument in function.args[:2]]


@_intrinsic
def iteration(typingctx, first, k):  # type: ignore[no-untyped-def]
    """Return ``first + k``, of numbers that are not negative.

    The compiler is told so. Else it would count a negative index from the end, as Numba does, and make no vectors. It
    is also told to fill whole vector registers.
    """

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        set.add(builder.function.attributes, WIDE)  # llvmlite's own method knows few names
        zero = ir.Constant(_word, 0)
        first = builder.select(builder.icmp_signed("<", args[0], zero), zero, args[0])
        return builder.add(first, args[1], flags=["nsw"])

    return _int64(_int64, _int64), codegen


@_intrinsic
def own_address(typingctx):  # type: ignore[no-untyped-def]
    """Return the address of the function that calls this, for callers that pass it six numbers as C does."""

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        made, inside, results = _own_function(builder, "c", ir.FunctionType(_void, [_word] * 6))
        inside.call(builder.function, [*results, *made.args])
        inside.ret_void()
        return builder.ptrtoint(made, _word)

    return _int64(), codegen


def _borrowed(values: list[Any]) -> list[Any]:
    """Return a function's arguments with arrays whose memory it only borrows.

    An array is (owner, Python object, size, item size, pointer, ...). Without an owner, no share counts references to
    it: threads that count in one place wait for each other.
    """
    found, kinds = list(values), [str(value.type) for value in values]
    for k in range(len(values) - 4):
        if kinds[k : k + 4] == ["i8*", "i8*", "i64", "i64"] and kinds[k + 4].endswith("*"):
            found[k] = found[k + 1] = ir.Constant(_bytes, None)
    return found


@_intrinsic
def fork(typingctx, pool, threads, count, loop):  # type: ignore[no-untyped-def]
    """Run a loop of the kernel that calls this in shares; return how many iterations the caller has to do: all or none.

    Args:
        typingctx: Numba's.
        pool: The address of the pool.
        threads: Whether threads other than the caller's may take shares.
        count: The number of iterations.
        loop: The number of the loop, from 1 on.

    See the head of this file.
    """

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        pool, threads, count, loop = args
        function = builder.function
        _, exception, *own = function.args
        i32 = ir.IntType(32)
        # The block: an exception, its status, then the kernel's arguments.
        kind = ir.LiteralStructType([exception.type.pointee, i32, *(a.type for a in own)])

        def field(builder: Any, block: Any, k: int) -> Any:
            return builder.gep(block, [ir.Constant(i32, 0), ir.Constant(i32, k)], inbounds=True)

        task, inside, results = _own_function(builder, "task", ir.FunctionType(_void, [_bytes, _word, _word]))
        block = inside.bitcast(task.args[0], kind.as_pointer())
        values = [inside.load(field(inside, block, k)) for k in range(2, 2 + len(own))]
        values[1:3] = task.args[1:]
        status = inside.call(function, [*results, *values])
        with inside.if_then(inside.icmp_signed(">", status, ir.Constant(i32, 0)), likely=False):
            inside.store(inside.load(results[1]), field(inside, block, 0))
            inside.store(status, field(inside, block, 1))
        inside.ret_void()

        left = _allocated(builder, _word)
        builder.store(count, left)
        alone = builder.or_(
            builder.icmp_signed("==", threads, ir.Constant(_word, 0)),
            builder.icmp_signed("<", count, ir.Constant(_word, 2)),
        )
        # A pool without threads, not even the caller's, keeps launches: see `steps.launch_records`.
        there = builder.load(_at(builder, pool, ir.Constant(_word, THREADS)))
        alone = builder.and_(alone, builder.icmp_signed(">", there, ir.Constant(_word, 0)))
        with builder.if_then(builder.not_(alone)):
            builder.store(ir.Constant(_word, 0), left)
            block = _allocated(builder, kind)
            builder.store(ir.Constant(i32, 0), field(builder, block, 1))
            for k, value in enumerate([builder.neg(loop), *_borrowed(own[1:])]):
                builder.store(value, field(builder, block, k + 2))
            end = builder.gep(ir.Constant(kind.as_pointer(), None), [ir.Constant(i32, 1)])
            launch = builder.load(_at(builder, pool, ir.Constant(_word, LAUNCH)))
            launch = builder.inttoptr(launch, ir.FunctionType(_void, [_word] * 6).as_pointer())
            numbers = [builder.ptrtoint(value, _word) for value in (task, block, end)]
            builder.call(launch, [pool, *numbers, count, threads])
            status = builder.load(field(builder, block, 1))
            with builder.if_then(builder.icmp_signed("!=", status, ir.Constant(i32, 0)), likely=False):
                builder.store(builder.load(field(builder, block, 0)), exception)
                builder.ret(status)
        return builder.load(left)

    return _int64(_int64, _int64, _int64, _int64), codegen


def has_share(job: Any) -> Any:
    """Return whether a share is left, of what NEXT holds."""
    front, end = job & MOST_SHARES, (job >> SHARE_BITS) & MOST_SHARES
    return front + end < (job >> (2 * SHARE_BITS)) & MOST_SHARES


def run_shares(pool: Any, claim: Any) -> None:
    """Claim and run shares until none is left; ``claim`` is FROM_FRONT or FROM_END."""
    while has_share(load(pool, NEXT)):
        job = add(pool, NEXT, claim)
        if not has_share(job):
            return
        shares, count = (job >> (2 * SHARE_BITS)) & MOST_SHARES, load(pool, COUNT)
        share = job & MOST_SHARES
        if claim == FROM_END:
            share = shares - 1 - ((job >> SHARE_BITS) & MOST_SHARES)
        low, high = share * count // shares, (share + 1) * count // shares
        call(load(pool, TASK), load(pool, BLOCK), low, high)
        add(pool, DONE, 1)


def wake_one(pool: Any) -> None:
    """Wake a thread that sleeps, if there is one."""
    if load(pool, SLEEPING) > 0:
        if add(pool, SLEEPING, -1) > 0:
            call(load(pool, POST), load(pool, SEMAPHORE), 1, 0)
        else:
            add(pool, SLEEPING, 1)


def launch(pool: Any, task: Any, block: Any, size: Any, count: Any, threads: Any) -> Any:
    """Run ``task`` on iterations 0..count-1; with ``task`` 0, return this function's address.

    Args:
        pool: The address of the pool.
        task: The address of a function of (block, first iteration, one past the last).
        block: The address of its arguments.
        size: Bytes of the block.
        count: The number of iterations.
        threads: Whether other threads may take shares.
    """
    if task == 0:
        return own_address()
    others = load(pool, THREADS) - 1
    if threads == 0 or count < 2 or others < 1 or swap(pool, BUSY, 1) != 0:
        call(task, block, 0, count)
        return 0
    shares = min(count, (others + 1) * SHARES_PER_THREAD, MOST_SHARES // 2)
    store(pool, TASK, task)
    store(pool, BLOCK, block)
    store(pool, COUNT, count)
    store(pool, DONE, 0)
    job = ((load(pool, NEXT) >> (3 * SHARE_BITS)) + 1) % JOBS
    store(pool, NEXT, (job << (3 * SHARE_BITS)) | (shares << (2 * SHARE_BITS)))
    wake_one(pool)
    run_shares(pool, FROM_FRONT)
    looks = 0
    while load(pool, DONE) < shares:
        pause()
        looks += 1
        if looks > PATIENCE:
            call(load(pool, YIELD), 0, 0, 0)
    store(pool, BUSY, 0)
    return 0


def work(pool: Any, number: Any) -> None:
    """Run shares of all jobs; what thread ``number`` of the pool does, from 1 on. Number 0 returns at once."""
    claim = FROM_END if number % 2 == 1 else FROM_FRONT
    while number:
        looks = 0
        while not has_share(load(pool, NEXT)):
            pause()
            looks += 1
            if looks > SPINS or load(pool, CLOSED):
                add(pool, SLEEPING, 1)
                call(load(pool, WAIT), load(pool, SEMAPHORE), -1, 0)
                looks = 0
                if has_share(load(pool, NEXT)):
                    wake_one(pool)
        run_shares(pool, claim)
