"""Single operations against PyTorch (products against NumPy): convolutions, products, elements, sums, pools, updates.

Each side runs in a process of its own, the sides alternating; float32, two threads, PyTorch with its allocator as
installed.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import harness

# batch, channels in, out, height and width, kernel
CONVOLUTIONS = [
    (16, 4, 8, 28, 3),
    (128, 1, 16, 28, 5),
    (128, 16, 16, 14, 3),
    (128, 3, 32, 32, 3),
    (128, 32, 32, 32, 3),
    (128, 32, 64, 16, 3),
    (128, 64, 64, 16, 3),
    (128, 64, 128, 8, 3),
    (128, 128, 128, 8, 3),
    (128, 64, 128, 8, 1),
]
BIG = (128, 32, 32, 32)
PRODUCTS = [64, 256, 1024]
# the parameters of an optimizer
SIZES = [
    (64, 32, 3, 3),
    (64,),
    (64, 64, 3, 3),
    (64,),
    (128, 64, 3, 3),
    (128,),
    (128, 128, 3, 3),
    (128,),
    (10, 2048),
]
Case = tuple[str, str, Callable[[], Any]]


def array(*shape: int) -> Any:
    """Return the same random numbers on both sides."""
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def through(make: Callable[[], Any]) -> Callable[[], None]:
    """Return what runs a result's sum forward and backward."""
    return lambda: make().sum().backward()


def ours() -> Iterator[Case]:
    """Yield (group, case, what to time) of minitorch."""
    import minitorch as mt
    from minitorch.runtime.types import ConvParams, PoolParams
    from minitorch.tensor_functions.arrange import ConvTranspose
    from minitorch.tensor_functions.nn import Norm

    mt.set_default_dtype("float32")

    def leaf(a: Any) -> Any:
        return mt.tensor(a, dtype="float32").requires_grad_()

    for n, c, o, h, k in CONVOLUTIONS:
        x, w = mt.tensor(array(n, c, h, h)), mt.tensor(array(o, c, k, k))
        f, params = x.f, ConvParams(padding=(k // 2,) * 4)
        x, w = x._tensor, w._tensor
        d = f.conv(x, w, params)
        name = f"N{n} C{c} O{o} {h}x{h} {k}x{k}"
        yield "convolution", f"{name}, forward", lambda f=f, x=x, w=w, s=params: f.conv(x, w, s)
        yield (
            "convolution",
            f"{name}, input gradient",
            lambda f=f, x=x, w=w, d=d, s=params: f.conv_grad_input(d, w, x.shape, s),
        )
        yield (
            "convolution",
            f"{name}, weight gradient",
            lambda f=f, x=x, w=w, d=d, s=params: f.conv_grad_weight(x, d, w.shape, s),
        )
    for n in PRODUCTS:
        a, b = mt.tensor(array(n, n)), mt.tensor(array(n, n))
        yield "matrix product", f"{n}x{n}", lambda a=a, b=b: a @ b
    a, b, row = mt.tensor(array(*BIG)), mt.tensor(array(*BIG)), mt.tensor(array(1, 32, 1, 1))
    yield "elementwise", "add", lambda: a + b
    yield "elementwise", "add to each channel", lambda: a + row
    yield "elementwise", "relu", lambda: a.relu()
    yield "elementwise", "exp", lambda: a.exp()
    yield "elementwise", "sigmoid", lambda: a.sigmoid()
    yield "elementwise", "permuted copy", lambda: a.permute(0, 2, 3, 1).contiguous()
    flat, wide = a.view(4096, 1024), a.view(128, 32768)
    yield "sums", "sum of all", lambda: a.sum()
    yield "sums", "sum along rows", lambda: flat.sum(1)
    yield "sums", "sum along columns", lambda: flat.sum(0)
    yield "sums", "max along long rows", lambda: wide.max(1)
    for kind in ("max", "avg"):
        params = PoolParams(kind, (2, 2), (2, 2), (0, 0, 0, 0))
        d = a.f.pool(a._tensor, (16, 16), params)
        yield "pooling", f"{kind} 2x2", lambda s=params: a.f.pool(a._tensor, (16, 16), s)
        yield "pooling", f"{kind} 2x2, gradient", lambda s=params, d=d: a.f.pool_grad(a._tensor, d, s)
    x, w, v = leaf(array(128, 32, 1024)), leaf(array(1, 32, 1)), leaf(array(1, 32, 1))
    ones = mt.ones((128, 32, 1024))
    yield "batch norm", "forward and backward", lambda: Norm.apply(x, w, v, eps=1e-5).backward(ones)
    scores, labels = leaf(array(1024, 100)), np.arange(1024) % 100
    yield (
        "cross-entropy",
        "1024x100, forward and backward",
        lambda: mt.cross_entropy(scores, labels).backward(),
    )
    line, filters = leaf(array(64, 32, 512)), leaf(array(64, 32, 5))
    yield "other layers", "conv1d 64x32x512, 64 of width 5", through(lambda: mt.conv1d(line, filters))
    image, kernel = leaf(array(32, 32, 16, 16)), leaf(array(32, 16, 3, 3))
    yield (
        "other layers",
        "transposed convolution 32x32x16x16, stride 2",
        through(lambda: ConvTranspose.apply(image, kernel, size=(33, 33), params=ConvParams(stride=(2, 2)))),
    )
    words, layer, gelu = leaf(array(4096, 256)), mt.LayerNorm(256), mt.GELU()
    yield "other layers", "layer norm 4096x256", through(lambda: layer(words))
    yield "other layers", "GELU 4096x256", through(lambda: gelu(words))
    table, rows = mt.Embedding(10_000, 128), np.arange(4096) * 7 % 10_000
    yield "other layers", "embedding, 4096 of 10000 rows of 128", through(lambda: table(rows))
    for name in ("SGD", "Adam"):
        parameters = [mt.Parameter(mt.tensor(array(*s))) for s in SIZES]
        settings = {"momentum": 0.9} if name == "SGD" else {}
        optimizer = getattr(mt, name)(parameters, lr=1e-3, **settings)
        grads = [mt.tensor(array(*s)) for s in SIZES]

        def step(optimizer: Any = optimizer, parameters: Any = parameters, grads: Any = grads) -> None:
            for p, g in zip(parameters, grads):
                p.value.grad = g
            optimizer.step()

        yield "optimizer", f"{name}, {len(SIZES)} parameters", step
    tiny, other = leaf(array(2, 2)), leaf(array(2, 2))
    one = mt.ones((2, 2))
    yield "tiny", "2x2 a + b, forward and backward", lambda: (tiny + other).backward(one)


def theirs() -> Iterator[Case]:
    """Yield the same of PyTorch, and of NumPy for matrix products."""
    from torch.nn import functional

    import torch

    torch.set_num_threads(2)

    def tensor(*shape: int) -> Any:
        return torch.from_numpy(array(*shape))

    def leaf(*shape: int) -> Any:
        return tensor(*shape).requires_grad_()

    back = torch.ops.aten.convolution_backward
    for n, c, o, h, k in CONVOLUTIONS:
        x, w, p = tensor(n, c, h, h), tensor(o, c, k, k), k // 2
        d = functional.conv2d(x, w, padding=p)
        name = f"N{n} C{c} O{o} {h}x{h} {k}x{k}"
        rest = (None, (1, 1), (p, p), (1, 1), False, (0, 0), 1)
        yield "convolution", f"{name}, forward", lambda x=x, w=w, p=p: functional.conv2d(x, w, padding=p)
        for what, mask in (("input", (True, False, False)), ("weight", (False, True, False))):
            yield (
                "convolution",
                f"{name}, {what} gradient",
                lambda x=x, w=w, d=d, r=rest, m=mask: back(d, x, w, *r, m),
            )
    for n in PRODUCTS:
        a, b = array(n, n), array(n, n)
        yield "matrix product", f"{n}x{n}", lambda a=a, b=b: a @ b
    a, b, row = tensor(*BIG), tensor(*BIG), tensor(1, 32, 1, 1)
    yield "elementwise", "add", lambda: a + b
    yield "elementwise", "add to each channel", lambda: a + row
    yield "elementwise", "relu", lambda: a.relu()
    yield "elementwise", "exp", lambda: a.exp()
    yield "elementwise", "sigmoid", lambda: a.sigmoid()
    yield "elementwise", "permuted copy", lambda: a.permute(0, 2, 3, 1).contiguous()
    flat, wide = a.view(4096, 1024), a.view(128, 32768)
    yield "sums", "sum of all", lambda: a.sum()
    yield "sums", "sum along rows", lambda: flat.sum(1)
    yield "sums", "sum along columns", lambda: flat.sum(0)
    yield "sums", "max along long rows", lambda: wide.amax(1)
    pools = {"max": functional.max_pool2d, "avg": functional.avg_pool2d}
    for kind, pool in pools.items():
        x = leaf(*BIG)
        y = pool(x, 2)
        d = torch.ones_like(y)
        yield "pooling", f"{kind} 2x2", lambda pool=pool: pool(a, 2)
        yield (
            "pooling",
            f"{kind} 2x2, gradient",
            lambda x=x, y=y, d=d: torch.autograd.grad(y, x, d, retain_graph=True),
        )
    x, w, v, ones = leaf(128, 32, 1024), leaf(32), leaf(32), torch.ones(128, 32, 1024)

    def norm() -> None:
        functional.batch_norm(x, None, None, w, v, training=True).backward(ones)
        x.grad = w.grad = v.grad = None

    yield "batch norm", "forward and backward", norm
    scores, labels = leaf(1024, 100), torch.arange(1024) % 100

    def entropy() -> None:
        functional.cross_entropy(scores, labels).backward()
        scores.grad = None

    yield "cross-entropy", "1024x100, forward and backward", entropy
    line, filters = leaf(64, 32, 512), leaf(64, 32, 5)
    yield "other layers", "conv1d 64x32x512, 64 of width 5", through(lambda: functional.conv1d(line, filters))
    image, kernel = leaf(32, 32, 16, 16), leaf(32, 16, 3, 3)
    yield (
        "other layers",
        "transposed convolution 32x32x16x16, stride 2",
        through(lambda: functional.conv_transpose2d(image, kernel, stride=2)),
    )
    words, layer = leaf(4096, 256), torch.nn.LayerNorm(256)
    yield "other layers", "layer norm 4096x256", through(lambda: layer(words))
    yield "other layers", "GELU 4096x256", through(lambda: functional.gelu(words))
    table, rows = torch.nn.Embedding(10_000, 128), torch.arange(4096) * 7 % 10_000
    yield "other layers", "embedding, 4096 of 10000 rows of 128", through(lambda: table(rows))
    for name in ("SGD", "Adam"):
        parameters = [torch.nn.Parameter(tensor(*s)) for s in SIZES]
        settings = {"momentum": 0.9} if name == "SGD" else {}
        optimizer = getattr(torch.optim, name)(parameters, lr=1e-3, **settings)
        grads = [tensor(*s) for s in SIZES]

        def step(optimizer: Any = optimizer, parameters: Any = parameters, grads: Any = grads) -> None:
            for p, g in zip(parameters, grads):
                p.grad = g
            optimizer.step()

        yield "optimizer", f"{name}, {len(SIZES)} parameters", step
    tiny, other, one = leaf(2, 2), leaf(2, 2), torch.ones(2, 2)
    yield "tiny", "2x2 a + b, forward and backward", lambda: (tiny + other).backward(one)


def time_all(side: str) -> dict[str, float]:
    """Return the median milliseconds of each case."""
    found = {}
    for group, case, work in {"ours": ours, "theirs": theirs}[side]():
        once = harness.median_ms(work, 3)
        found[f"{group}|{case}"] = harness.median_ms(work, max(5, min(300, int(150 / max(once, 0.01)))))
    return found


def main() -> None:
    """Write results/operations.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round in place of three")
    parser.add_argument("--child", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(time_all(options.child)))
        return
    times: dict[str, list[dict[str, float]]] = {"ours": [], "theirs": []}
    for _ in range(1 if options.quick else 3):
        for side, found in times.items():
            found.append(
                json.loads(harness.python(str(Path(__file__)), "--child", side, NUMBA_NUM_THREADS="2"))
            )
    rows = []
    for key in times["ours"][0]:
        a, b = (statistics.median(t[key] for t in times[side]) for side in ("ours", "theirs"))
        group, case = key.split("|")
        ratios = [x[key] / y[key] for x, y in zip(times["ours"], times["theirs"])]
        rows.append({"operation": group, "case": case, "minitorch ms": a, "peer ms": b, "ratio": a / b,
                     "ratios seen": f"{min(ratios):.2f} to {max(ratios):.2f}"})  # fmt: skip
    harness.write("operations", rows)


if __name__ == "__main__":
    main()
