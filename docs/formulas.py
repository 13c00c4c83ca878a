"""A hook of MkDocs: formulas become MathML when the site is built, so that pages need no script and no font for them.

The extension `arithmatex` marks the formulas ``$...$`` and ``$$...$$`` of a page and leaves code alone. GitHub shows
the same source.
"""

from __future__ import annotations

import re
from html import unescape

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError

FORMULA = re.compile(r'<(span|div) class="arithmatex">(\\\(|\\\[)(.*?)(?:\\\)|\\\])</\1>', re.DOTALL)


def on_page_content(html: str, page: object, **_: object) -> str:
    """Return the HTML of a page with its formulas as MathML. An unknown command of TeX ends the build."""

    def mathml(found: re.Match[str]) -> str:
        tex = unescape(found[3]).strip()
        result = convert(tex, display="inline" if found[1] == "span" else "block")
        unknown = re.findall(r"\\[A-Za-z]+", result)
        if unknown:
            raise PluginError(
                f"{page}: the formula {tex!r} has a command that latex2mathml does not know: {unknown[0]}"
            )
        return result

    return FORMULA.sub(mathml, html)
