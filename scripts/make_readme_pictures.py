"""Makes the pictures of README.md in docs/images: a network that learns a spiral, and the report of a LeNet run.

python scripts/make_readme_pictures.py        # needs MNIST, Chromium, and pip install playwright
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from make_screenshots import CHROMIUM, FLAGS, IMAGES, small
from minitorch.cli import mnist
from minitorch.cli.common import Parser, UsageError, notice, run_command
from minitorch.cli.toy_trainers import FastTrain
from minitorch.dashboard.decision_boundary import DecisionBoundary
from minitorch.datasets import spiral
from minitorch.runtime.rng import manual_seed
from minitorch.tensor_ops.backend import find_backend
from minitorch.train.run_dir import write_file

POINTS, HIDDEN, RATE, EPOCHS = 100, 30, 0.1, 800
EVERY, SIDE, HOLD = 40, 250, 2000  # epochs between frames, pixels, milliseconds that the last frame is shown
WINDOW = (1040, 450)  # of the report that is shown, in pixels


def animation() -> bytes:
    """Return the decision boundary in training as a GIF file."""
    from PIL import Image

    manual_seed(0)
    data = spiral(POINTS)
    boundary, trainer, frames = DecisionBoundary(data), FastTrain(HIDDEN, find_backend("fast")), []

    def log(epoch: int, *_: object) -> None:
        if epoch % EVERY == 0:
            picture = Image.fromarray(boundary(trainer.probabilities))
            frames.append(picture.resize((SIDE, SIDE)).quantize(32))

    trainer.train(data, RATE, EPOCHS, log)
    out = io.BytesIO()
    times = [*[80] * (len(frames) - 1), HOLD]
    frames[0].save(out, format="gif", save_all=True, append_images=frames[1:], duration=times, loop=0)
    return out.getvalue()


def report(folder: Path) -> bytes:
    """Train LeNet into a folder, and return the beginning of its report as a PNG file."""
    from playwright.sync_api import sync_playwright

    mnist.main(["--epochs", "2", "--limit", "20000", "--quiet", "--dashboard", "off", "--out", str(folder)])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        page = browser.new_page(viewport={"width": WINDOW[0], "height": WINDOW[1]})
        page.goto((folder / "report.html").resolve().as_uri())
        picture = small(page.screenshot())
        browser.close()
    return picture


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script."""
    Parser(__doc__).parse_args(arguments)
    if not CHROMIUM.exists():
        raise UsageError(f"there is no {CHROMIUM}")
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("spiral.gif", animation()), ("report.png", report(Path(folder)))):
            write_file(IMAGES / name, content)
            notice(f"{name}: {len(content) / 1e3:.0f} kB")


if __name__ == "__main__":
    sys.exit(run_command(main))
