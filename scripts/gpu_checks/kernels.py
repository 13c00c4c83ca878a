"""One launch or more of every kind of kernel, on small odd sizes: what stage sanitize runs under compute-sanitizer.

    python -m gpu_checks.kernels [--tiny]

Blocks of device memory have exactly the size that was asked for here, and none is used twice, so that an access beyond
an array is an access beyond an allocation. Results are compared with NumPy or the reference backend.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import minitorch as mt

from . import networks
from .internals import allocator, cuda, device_memory

draw = np.random.default_rng(3)
Made = Callable[[Any], Any]


def exact_allocations() -> None:
    """Let the pool ask the driver for exactly what is needed, and keep nothing."""
    allocator.size_class = lambda size: size
    device_memory.DEVICE.pool.limit = 0


def array(*shape: int) -> np.ndarray[Any, Any]:
    """Return random numbers."""
    return draw.standard_normal(shape).astype(np.float32)


def both(fn: Callable[..., Any], *arrays: Any, grad: bool = True) -> None:
    """Compare a function, and its derivatives, on the cuda backend with the reference backend."""
    found = []
    for backend in ("cuda", "simple"):
        mt.set_default_backend(backend)
        mt.manual_seed(5)
        tensors = [mt.tensor(a) for a in arrays]
        for t in tensors if grad else ():
            t.requires_grad_(True)
        out = fn(*tensors)
        if grad:
            (out * out).sum().backward()
        found.append([out.to_numpy(), *(t.grad.to_numpy() for t in (tensors if grad else ()))])
    for a, b in zip(*found):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-3)


def product(
    layers: int, rows: int, cols: int, depth: int, dtype: str = "float32", tolerance: float = 1e-5
) -> None:
    """Compare a matrix product with NumPy's in double precision, packed and transposed."""
    a, b = (draw.standard_normal((layers, *shape)).astype(dtype) for shape in ((rows, depth), (depth, cols)))
    mt.set_default_backend("cuda")
    x, y = mt.tensor(a, dtype=dtype), mt.tensor(b, dtype=dtype)
    turned = mt.tensor(np.ascontiguousarray(b.transpose(0, 2, 1)), dtype=dtype).permute(0, 2, 1)
    expected = a.astype(np.float64) @ b.astype(np.float64)
    for right in (y, turned):
        apart = np.linalg.norm((x @ right).to_numpy() - expected) / np.linalg.norm(expected)
        assert apart < tolerance, f"the product differs by {apart}"


def tf32() -> None:
    """Multiply on tensor cores, where there are any."""
    mt.set_float32_matmul_precision("high")
    try:
        product(1, 66, 70, 33, tolerance=5e-3)
        product(1, 130, 129, 40, tolerance=5e-3)
    finally:
        mt.set_float32_matmul_precision("highest")


def net(name: str, tiny: bool) -> None:
    """Train a net for a few steps, the last ones replayed."""
    networks.prepare("cuda")
    model = networks.NETS[name](tiny)
    optimizer = networks.OPTIMIZERS["Adam"](model.parameters())
    given = networks.random_batches(name, 3, 3, tiny)
    step = mt.GraphedStep(
        networks.step_of(model, optimizer), mt.tensor(given[0][0]), given[0][1], optimizer=optimizer, warmup=1
    )
    for pixels, labels in given:
        assert np.isfinite(step(pixels, labels).item())


def cases(tiny: bool) -> dict[str, Callable[[], None]]:
    """Return what is run, by name."""
    labels = np.array([0, 2, 1])
    found: dict[str, Callable[[], None]] = {
        "maps": lambda: both(lambda a, b: (a.sigmoid() * b + a.exp()).tanh(), array(5, 7), array(5, 7)),
        "broadcast": lambda: both(lambda a, b: a * b + a, array(3, 1, 5), array(4, 1)),
        "permuted": lambda: both(lambda a: a.permute(2, 0, 1).contiguous() + 1.0, array(3, 5, 7)),
        "sums": lambda: both(lambda a: a.sum(0) + a.sum(0) * a.sum(), array(9, 5)),
        "long sums": lambda: both(lambda a: a.sum(1), array(3, 70 if tiny else 3001), grad=False),
        "product": lambda: both(lambda a, b: a @ b, array(5, 7), array(7, 3)),
        "products of tiles": lambda: product(1, 9, 17, 5) if tiny else product(2, 129, 67, 33),
        "convolution": lambda: both(
            lambda x, w: mt.conv2d(x, w, padding=1), array(2, 2, 5, 4), array(3, 2, 3, 3)
        ),
        "strided convolution": lambda: both(
            lambda x, w: mt.conv2d(x, w, stride=2, padding=1, dilation=2),
            array(1, 2, 7, 6),
            array(2, 2, 2, 2),
        ),
        "pooling": lambda: both(
            lambda x: mt.maxpool2d(x, (2, 2)) + mt.avgpool2d(x, (2, 2)), array(2, 1, 4, 6)
        ),
        "softmax": lambda: both(lambda a: mt.logsoftmax(a, 1), array(3, 5)),
        "cross-entropy": lambda: both(lambda a: mt.cross_entropy(a, labels), array(3, 5)),
        "LeNet": lambda: net("lenet", tiny),
        "convnet": lambda: net("convnet", tiny),
    }
    if not tiny:
        found.update(
            {
                "deep product": lambda: product(1, 64, 65, 4099),
                "double product": lambda: product(1, 70, 131, 29, "float64", 1e-12),
                "product on tensor cores": tf32,
                "convolution of tiles": lambda: both(
                    lambda x, w: mt.conv2d(x, w, padding=1), array(2, 9, 9, 7), array(18, 9, 3, 3)
                ),
                "rows and columns": lambda: both(lambda a: a.sum(0), array(1027, 33), grad=False),
                "all": lambda: both(lambda a: a.sum(), array(70_001), grad=False),
            }
        )
    return found


def main() -> int:
    """Run all cases; return the exit status."""
    tiny, failed = "--tiny" in sys.argv, 0
    mt.set_default_dtype("float32")
    exact_allocations()
    found = cases(tiny)
    for name, case in found.items():
        start = time.perf_counter()
        try:
            case()
            cuda.synchronize()
            print(f"kernels: {name}: right, {time.perf_counter() - start:.1f} s", flush=True)
        except Exception as problem:  # the next case may still tell something
            failed += 1
            print(f"kernels: {name}: WRONG: {' '.join(str(problem).split())[:300]}", flush=True)
    print(f"kernels: {len(found) - failed} of {len(found)} cases are right", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
