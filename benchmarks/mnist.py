"""MNIST from the files to a trained LeNet: load, one epoch, and the peak memory of the process."""

from __future__ import annotations

import argparse
import json
import random
import resource
import time
from pathlib import Path

import harness


def child(images: int) -> None:
    """Measure in this process, and print the figures as JSON."""
    import minitorch as mt
    from minitorch.data import image_sets
    from minitorch.data import loader as data_loader
    from minitorch.models import LeNet

    random.seed(0)
    mt.set_default_dtype("float32")
    start = time.perf_counter()
    train, _ = image_sets.mnist()
    load = time.perf_counter() - start
    if images:
        train = train.subset(range(images))
    model = LeNet()
    optimizer = mt.Adam(model.parameters())
    scale = mt.vision.ToTensor()
    warm = data_loader.DataLoader(train.subset(range(128)), 64, transform=scale)
    for _ in mt.fit(model, warm, optimizer):
        pass
    loader = data_loader.DataLoader(train, 64, shuffle=True, transform=scale, seed=0)
    start = time.perf_counter()
    for _ in mt.fit(model, loader, optimizer):
        pass
    epoch = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"load": load, "epoch": epoch, "images": len(train), "peak": peak}))


def main() -> None:
    """Write results/mnist.json. The first, discarded run fills the kernel cache."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="6,400 images in place of all")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        child(options.child)
        return
    images = 6400 if options.quick else 0
    script = str(Path(__file__))
    harness.python(script, "--child", "640")
    found = json.loads(harness.python(script, "--child", str(images)))
    harness.write(
        "mnist",
        [
            {"what": "MNIST from .gz to arrays", "value": found["load"], "unit": "s", "limit": 0.5},
            {
                "what": f"LeNet, batch 64, float32, one epoch of {found['images']} images, warm",
                "value": found["epoch"],
                "unit": "s",
                "limit": 60 * found["images"] / 60000,
            },
            {"what": "peak memory of that process", "value": found["peak"], "unit": "MiB", "limit": 1024},
        ],
    )


if __name__ == "__main__":
    main()
