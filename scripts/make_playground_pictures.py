"""Makes the pictures of docs/playgrounds.md in docs/images: the upper part of each page in Chromium.

python scripts/make_playground_pictures.py        # needs Chromium, and pip install playwright
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

from make_screenshots import CHROMIUM, FLAGS, IMAGES
from minitorch.cli.common import Parser, UsageError, notice, run_command
from minitorch.train.run_dir import write_file

WINDOW, COLOURS = (1280, 800), 128  # the size is in pixels
# What each page shows: the settings in its address, and the element under the pointer.
PICTURES = {
    "strides": ("shape=2,3,4&order=1,0,2&offset=2", "index [1, 1, 2], position 20"),
    "broadcasting": ("a=3,4&b=3,1", "b [1, 0]: 10"),
    "convolution": ("rows=5&columns=6&kernel=1,0,-1;2,0,-2;1,0,-1&padding=1", "output [0, 1]"),
    "autodiff": ("formula=relu(x * y) * x %2B x / y&values=x=1.5,y=2&step=8", ""),
    "cuda": ("kernel=sum&size=13&block=8&rounds=neighbours&step=8", ""),
}


def small(picture: bytes) -> bytes:
    """Return a PNG file with few colours, which keeps light greys beside white apart."""
    from PIL import Image

    whole = Image.open(io.BytesIO(picture)).convert("RGB")
    out = io.BytesIO()
    reduced = whole.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    reduced.save(out, format="png", optimize=True)
    return out.getvalue()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script."""
    Parser(__doc__).parse_args(arguments)
    if not CHROMIUM.exists():
        raise UsageError(f"there is no {CHROMIUM}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        page = browser.new_page(viewport={"width": WINDOW[0], "height": WINDOW[1]})
        for name, (settings, element) in PICTURES.items():
            page.goto((IMAGES.parent / "playgrounds" / f"{name}.html").as_uri() + "#" + settings)
            if element:
                page.locator(f'[aria-label^="{element}"]').first.hover()
                page.evaluate("window.scrollTo(0, 0)")
            content = small(page.screenshot())
            write_file(IMAGES / f"playground-{name}.png", content)
            notice(f"playground-{name}.png: {len(content) / 1e3:.0f} kB")
        browser.close()


if __name__ == "__main__":
    sys.exit(run_command(main))
