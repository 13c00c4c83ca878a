"""Takes the screenshots of dashboards in docs/images: a visdom server, its page in Chromium, LeNet and a toy set.

python scripts/make_screenshots.py        # needs visdom (make dashboard), Chromium, and pip install playwright
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minitorch.cli.common import Parser, UsageError, notice, run_command
from minitorch.dashboard.visdom.assets import SetupError, default_python
from minitorch.dashboard.visdom.server import Server, check
from minitorch.train.run_dir import write_file

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
COLOURS = 256

# What is trained, how large the picture is, and how many plots and windows the page must have.
RUNS: dict[str, tuple[tuple[str, ...], tuple[int, int], int, int]] = {
    "mnist": (
        ("run_mnist_multiclass.py", "--epochs", "2", "--limit", "20000", "--quiet"),
        (1760, 1990),
        4,
        21,
    ),
    "spiral": (
        (
            *("run_fast_tensor.py", "--DATASET", "spiral"),
            "--HIDDEN",
            "30",
            "--RATE",
            "0.1",
            "--EPOCHS",
            "1000",
        ),
        (1290, 860),
        2,
        5,
    ),
}


def train(command: Sequence[str], url: str) -> None:
    """Run a trainer that shows itself at ``url``.

    Raises:
        UsageError: It failed.
    """
    script, *flags = command
    words = [sys.executable, str(ROOT / "project" / script), *flags, "--dashboard", url]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(f"{' '.join(command)}: {done.stderr.strip()}")


def shoot(page: Any, url: str, plots: int, windows: int) -> bytes:
    """Return the page as a PNG file, once everything is drawn."""
    page.goto(url)
    page.wait_for_function("n => document.querySelectorAll('.window').length >= n", arg=windows)
    page.wait_for_function(
        "n => [...document.querySelectorAll('.js-plotly-plot')].filter(p => p.querySelector('.trace')).length >= n",
        arg=plots,
    )
    page.wait_for_function("() => [...document.images].every(image => image.complete)")
    page.wait_for_function("() => document.fonts.status === 'loaded'")
    picture: bytes = page.screenshot(animations="disabled")
    return picture


def small(picture: bytes) -> bytes:
    """Return a PNG file with few colours."""
    from PIL import Image

    whole = Image.open(io.BytesIO(picture)).convert("RGB")
    # An octree keeps what few pixels have: a thin line in a colour of its own.
    reduced = whole.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    out = io.BytesIO()
    reduced.save(out, format="png", optimize=True)
    return out.getvalue()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script."""
    Parser(__doc__).parse_args(arguments)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise UsageError("playwright is not installed: pip install playwright") from None
    if not CHROMIUM.exists():
        raise UsageError(f"there is no {CHROMIUM}")
    python = default_python()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        try:
            check(python)
            server = Server(0, Path(folder), python)
        except SetupError as error:
            raise UsageError(str(error)) from None
        try:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
            for name, (command, (width, height), plots, windows) in RUNS.items():
                url = f"{server.url}/env/{name}"
                train(command, url)
                page = browser.new_page(viewport={"width": width, "height": height})
                picture = small(shoot(page, url, plots, windows))
                write_file(IMAGES / f"dashboard-{name}.png", picture)
                notice(f"dashboard-{name}.png: {len(picture) / 1e3:.0f} kB")
            browser.close()
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(run_command(main))
