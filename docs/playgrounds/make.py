"""Makes the playgrounds: five pages of the documentation, each one HTML file that needs nothing else.

python docs/playgrounds/make.py        # writes docs/playgrounds/*.html

The parts are in `parts/`: `template.html`, `common.css` and `common.js` of all pages; of each page its body, its style,
and its scripts: `NAME.model.js` computes (a test compares it with minitorch), `NAME.js` draws.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

HERE = Path(__file__).resolve().parent
PARTS = HERE / "parts"
# File, title, and what the page is for.
PAGES = {
    "strides": (
        "Strides",
        "A tensor is a flat storage, a shape and strides. Change the shape, the order of dimensions and the offset, "
        "and see which position in storage each index reads. For task 2.1.",
    ),
    "broadcasting": (
        "Broadcasting",
        "Two tensors of different shapes are added. See which element of each operand takes part in each element of "
        "the result, and which shapes do not fit. For tasks 2.2 to 2.4.",
    ),
    "convolution": (
        "Convolution",
        "A kernel moves over an image. See which inputs and weights each output is the sum of, and which outputs use "
        "an input. For tasks 4.1 and 4.2.",
    ),
    "autodiff": (
        "Derivatives",
        "A formula is computed call by call, and each call is recorded. Then step backward: see the local derivative "
        "of each call, what arrives, what it passes on, and what is pending. For tasks 1.1 to 1.4.",
    ),
    "cuda": (
        "CUDA",
        "Step through a kernel: see what each thread reads and writes, bank conflicts, and what goes wrong without the "
        "guard or without the barrier. For tasks 3.3 and 3.4.",
    ),
}
NAMES = {name: title for name, (title, _) in PAGES.items()}


def part(name: str) -> str:
    """Return the text of a part."""
    return (PARTS / name).read_text(encoding="utf-8")


def build(name: str) -> str:
    """Return the page ``name``."""
    title, lead = PAGES[name]
    links = "".join(
        f'<a href="{other}.html"{" aria-current=page" if other == name else ""}>{escape(text)}</a>\n'
        for other, text in NAMES.items()
    )
    values = {
        "title": escape(title),
        "lead": escape(lead),
        "links": links,
        "style": part("common.css") + part(f"{name}.css"),
        "body": part(f"{name}.html"),
        "script": part("common.js") + part(f"{name}.model.js") + part(f"{name}.js"),
    }
    page = part("template.html")
    for key, value in values.items():
        page = page.replace("{{" + key + "}}", value)
    return page


def main() -> None:
    """Write all pages."""
    for name in PAGES:
        (HERE / f"{name}.html").write_text(build(name), encoding="utf-8")


if __name__ == "__main__":
    main()
