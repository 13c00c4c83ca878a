"""Stage replay: recorded steps against eager ones, bit by bit, with the time of both; and memory shared with peers.

Sharing: pointers are equal, both sides see what the other writes, and the order of streams holds while a long kernel
is under way.
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from . import networks
from .internals import SIMULATED, cuda, device_name, minitorch
from .report import Check, NotRun, Row

CHECK_LIMIT = 60.0
CASES = (
    ("lenet", "SGD with momentum"),
    ("lenet", "Adam"),
    ("convnet", "SGD, slow"),
    ("convnet", "Adam"),
)  # net with dropout, the second with BatchNorm too; optimizer


def trained(
    name: str, kind: str, batches: list[networks.Batch], replayed: bool, tiny: bool
) -> tuple[Any, ...]:
    """Train on the batches; return losses, the states of net and optimizer, the step, and seconds of a step."""
    networks.prepare("cuda")
    model = networks.NETS[name](tiny)
    optimizer = networks.OPTIMIZERS[kind](model.parameters())
    step: Any = networks.step_of(model, optimizer)
    given = [(minitorch.tensor(pixels), labels) for pixels, labels in batches]
    if replayed:
        step = minitorch.GraphedStep(step, *given[0], optimizer=optimizer, warmup=1 if tiny else 3)
    losses = [step(pixels, labels).item() for pixels, labels in given]
    states = model.state_dict(), optimizer.state_dict()
    timed = given[:1] if tiny else given
    cuda.synchronize()
    start = time.perf_counter()
    for pixels, labels in timed:
        step(pixels, labels)
    cuda.synchronize()
    return losses, *states, step, (time.perf_counter() - start) / len(timed)


def differences(found: Any, expected: Any, where: str = "") -> list[str]:
    """Return where two nested states differ in a bit."""
    if isinstance(expected, dict):
        return [
            x for k in expected for x in differences(found.get(k), expected[k], f"{where}.{k}".strip("."))
        ]
    if isinstance(expected, list | tuple):
        return [x for k, e in enumerate(expected) for x in differences(found[k], e, f"{where}[{k}]")]
    if isinstance(expected, str | bool | type(None)):
        return [] if found == expected else [f"{where}: {found!r}, not {expected!r}"]
    a, b = np.asarray(found), np.asarray(expected)
    if a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes():
        return []
    return [f"{where}: {np.abs(a - b).max() if a.shape == b.shape else a.shape}"]


def equal(name: str, kind: str, tiny: bool) -> Row:
    """Compare replayed steps with eager ones."""
    count, size = (3, 2) if tiny else (16, 64)
    given = networks.random_batches(name, count, size, tiny)
    losses, weights, state, _, eager_s = trained(name, kind, given, False, tiny)
    repeated = (losses, weights, state) if tiny else trained(name, kind, given, False, tiny)[:3]
    again = differences(repeated, (losses, weights, state))
    if again:
        raise AssertionError(f"two eager runs differ in {len(again)} places: {again[0]}")
    found = trained(name, kind, given, True, tiny)
    if not found[3].recorded:
        raise AssertionError("the step was not recorded: it ran eagerly")
    apart = differences(found[:3], (losses, weights, state))
    if apart:
        raise AssertionError(f"replayed and eager steps differ in {len(apart)} places: {apart[0]}")
    return {"steps": count, "eager_ms": 1e3 * eager_s, "replayed_ms": 1e3 * found[4], "last_loss": losses[-1]}


def odd_batch(tiny: bool) -> Row:
    """Take a batch of another size between replayed ones, and compare with eager steps."""
    given = networks.random_batches("lenet", 3 if tiny else 6, 2 if tiny else 32, tiny)
    given.insert(2 if tiny else 4, networks.random_batches("lenet", 1, 1 if tiny else 17, tiny)[0])
    eager = trained("lenet", "Adam", given, False, tiny)
    found = trained("lenet", "Adam", given, True, tiny)
    apart = differences(found[:3], eager[:3])
    if apart:
        raise AssertionError(f"{len(apart)} places differ: {apart[0]}")
    return {"steps": len(given)}


# Sharing memory


def peer(name: str) -> Any:
    """Return PyTorch or CuPy, if it can use the card."""
    if SIMULATED:
        raise NotRun("the simulator has no memory of a GPU to share")
    try:
        module = importlib.import_module(name)
    except ImportError:
        raise NotRun(f"{name} is not installed") from None
    usable = module.cuda.is_available() if name == "torch" else module.cuda.runtime.getDeviceCount() > 0
    if not usable:
        raise NotRun(f"{name} cannot use the card")
    return module


def pointer(x: Any) -> int:
    """Return where an array of any library begins."""
    return int(x.data_ptr() if hasattr(x, "data_ptr") else x.__cuda_array_interface__["data"][0])


def expect(condition: bool, what: str) -> None:
    """Raise an error that says what does not hold."""
    if not condition:
        raise AssertionError(what)


def ours() -> Any:
    """Return a new tensor (3, 4) on the card with the numbers 0 to 11."""
    return minitorch.tensor(np.arange(12, dtype=np.float32).reshape(3, 4), "cuda", dtype="float32")


def to_host(x: Any) -> Any:
    """Return an array of any library as a NumPy array."""
    return x.get() if hasattr(x, "get") else x.cpu().numpy()


def taken(name: str, how: str) -> Row:
    """Let a peer read a tensor of ours, packed and transposed; then let go of ours."""
    module, t = peer(name), ours()
    read = {
        "dlpack": module.from_dlpack,
        "array interface": module.as_tensor if name == "torch" else module.asarray,
    }
    if how == "array interface" and name == "torch":
        theirs, turned = (read[how](x, device="cuda") for x in (t, t.permute(1, 0)))
    else:
        theirs, turned = read[how](t), read[how](t.permute(1, 0))
    expect(pointer(theirs) == pointer(t), f"{name} reads {pointer(theirs):#x}, ours is at {pointer(t):#x}")
    expect(tuple(turned.shape) == (4, 3), f"the transposed tensor has shape {tuple(turned.shape)}")
    expect(np.array_equal(to_host(turned), to_host(theirs).T), "the transposed tensor has other numbers")
    theirs += 1.0
    module.cuda.synchronize() if name == "torch" else module.cuda.Device().synchronize()
    expect(
        np.array_equal(t.to_numpy().reshape(-1), np.arange(1, 13)), "what the peer wrote is not in our tensor"
    )
    address = pointer(t)
    del t
    others = [ours() for _ in range(3)]
    expect(all(pointer(o) != address for o in others), "the block was handed out while the peer holds it")
    expect(np.array_equal(to_host(theirs).reshape(-1), np.arange(1, 13)), "the peer lost the numbers")
    return {"pointer": "equal"}


def given(name: str) -> Row:
    """Read an array of a peer; then let go of theirs."""
    module = peer(name)
    make = module.arange(12, dtype=module.float32, **({"device": "cuda"} if name == "torch" else {}))
    theirs = make.reshape(3, 4)
    t = minitorch.from_dlpack(theirs)
    expect(pointer(theirs) == pointer(t), f"{name} has {pointer(theirs):#x}, ours is at {pointer(t):#x}")
    expect(t.backend.ops.name == "cuda", "the tensor is not on the cuda backend")
    theirs += 1.0
    expect(np.array_equal((t * 2.0).to_numpy().reshape(-1), 2.0 * np.arange(1, 13)), "wrong numbers")
    turned = minitorch.from_dlpack(theirs.T if name == "cupy" else theirs.t())
    expect(np.array_equal(turned.to_numpy(), t.to_numpy().T), "the transposed array has other numbers")
    del theirs, make, turned
    expect(
        np.array_equal(t.to_numpy().reshape(-1), np.arange(1, 13)), "the numbers went with the peer's array"
    )
    return {"pointer": "equal"}


def long_work(t: Any, rounds: int = 400) -> Any:
    """Return ``t`` plus ``rounds``, after many kernels."""
    for _ in range(rounds):
        t = t + 1.0
    return t


def ordered_for_us(name: str) -> Row:
    """Let a peer read on a side stream of its own while our kernels are still at work."""
    module = peer(name)
    size, rounds = 1 << 24, 400
    start = minitorch.zeros((size,), "cuda", dtype="float32")
    long_work(start, 3)
    cuda.synchronize()
    t = long_work(start, rounds)
    if name == "torch":
        with module.cuda.stream(module.cuda.Stream()):
            theirs = module.from_dlpack(t)
            low, high = float(theirs.min().item()), float(theirs.max().item())
    else:
        with module.cuda.Stream(non_blocking=True):
            theirs = module.from_dlpack(t)
            low, high = float(theirs.min().get()), float(theirs.max().get())
    expect(low == high == rounds, f"{name} read {low} to {high} where {rounds} was to be: it did not wait")
    return {"numbers": size, "kernels": rounds}


def ordered_for_them(name: str) -> Row:
    """Read an array that a peer's side stream is still computing."""
    module = peer(name)
    size, rounds = 1 << 24, 400

    def work() -> Any:
        x = module.zeros(size, dtype=module.float32, **({"device": "cuda"} if name == "torch" else {}))
        for _ in range(rounds):
            x += 1.0
        return x

    stream = module.cuda.Stream() if name == "torch" else module.cuda.Stream(non_blocking=True)
    with module.cuda.stream(stream) if name == "torch" else stream:
        x = work()
        t = minitorch.from_dlpack(x)
        found = (t + 0.0).to_numpy()
    expect(found.min() == found.max() == rounds, f"we read {found.min()} to {found.max()}, not {rounds}")
    return {"numbers": size, "kernels": rounds}


def numbas_kernel() -> Row:
    """Launch a kernel of the user's own on a tensor, through the array interface, on the default stream."""
    if SIMULATED:
        raise NotRun("the simulator has no memory of a GPU to share")
    from .internals import add_one

    t = long_work(minitorch.zeros((1 << 20,), "cuda", dtype="float32"), 50)
    out = cuda.device_array(1 << 20, np.float32)
    cuda.jit(add_one)[4096, 256](out, cuda.as_cuda_array(t))
    expect(bool((out.copy_to_host() == 51).all()), "the kernel did not see 50 in each place")
    return {"stream": "ordered"}


def capsules() -> Row:
    """Take and forget capsules that nobody reads: their blocks go back to the pool."""
    if SIMULATED:
        raise NotRun("the simulator has no memory of a GPU to share")
    ours()
    before = minitorch.memory_stats("cuda")["used"]
    for _ in range(20):
        t = ours()
        t.__dlpack__()
        t.__dlpack__(stream=1)
        t.__dlpack__(stream=-1)
        del t
    after = minitorch.memory_stats("cuda")["used"]
    expect(after == before, f"{after - before} bytes are still in use")
    device = ours().__dlpack_device__()
    expect(device[0] == 2, f"the device is {device}, not (2, number)")
    return {"device": str(device)}


def checks(options: argparse.Namespace) -> list[Check]:
    """Return the checks of this stage."""
    tiny = options.rehearse
    options.report.state["device"] = device_name()
    found: list[Check] = []
    for name, kind in CASES[1:3] if tiny else CASES:

        def replayed(name: str = name, kind: str = kind) -> Row:
            return equal(name, kind, tiny)

        found.append((f"{name}, {kind}", replayed))
    found.append(("a batch of another size", lambda: odd_batch(tiny)))
    sharing: list[tuple[str, Callable[[str], Row]]] = [
        ("DLPack, ours in {}", lambda name: taken(name, "dlpack")),
        ("array interface, ours in {}", lambda name: taken(name, "array interface")),
        ("DLPack, {}'s in ours", given),
        ("stream order, {} reads ours", ordered_for_us),
        ("stream order, we read {}'s", ordered_for_them),
    ]
    for title, check in sharing:
        for name in ("torch", "cupy"):
            found.append((title.format(name), lambda check=check, name=name: check(name)))  # type: ignore[misc]
    found += [("capsules nobody reads", capsules), ("array interface, a kernel of Numba", numbas_kernel)]
    return found


def headline(rows: list[Row]) -> str:
    """Return the stage in one line."""
    bad = [f"{row['check']}: {row.get('message', '')[:100]}" for row in rows if row["status"] == "failed"]
    if bad:
        return bad[0]
    timed = [row for row in rows if "replayed_ms" in row]
    told = [f"{r['check']} {r['eager_ms']:.2f} ms eager, {r['replayed_ms']:.2f} replayed" for r in timed[:1]]
    shared = [row for row in rows if "eager_ms" not in row and row["status"] == "ok"]
    return "; ".join([f"{len(timed)} nets bit-equal", *told, f"{len(shared)} other checks passed"])
