"""The site that `make docs` builds: every page in a browser, without a network, on a narrow window, and as files.

Without MkDocs or Chromium these tests are skipped; with MINITORCH_REQUIRE_BROWSER=1 they fail instead.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ..support.browser import browser, lacking
from .source import ROOT

__all__ = ["browser"]  # a fixture

NARROW, WIDE = {"width": 400, "height": 900}, {"width": 1400, "height": 900}  # pixels


def require_docs() -> None:
    """Skip, or fail where that is asked for, without the extra `docs`."""
    for name in ("mkdocs", "material", "mkdocstrings", "latex2mathml"):
        if importlib.util.find_spec(name) is None:
            lacking(f'{name} is not installed: pip install -e ".[docs]"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site."""
    require_docs()
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


class Quiet(SimpleHTTPRequestHandler):
    """A handler that prints nothing."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where a server gives the site's files."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def watched(browser: Any, wrong: list[str], *allowed: str) -> Any:
    """Open a page that notes in ``wrong`` what fails and what is asked of other places than the ``allowed`` ones."""
    page = browser.new_page(viewport=NARROW)
    page.set_default_timeout(60_000)  # milliseconds; a busy machine is no error
    page.on(
        "request", lambda r: None if r.url.startswith((*allowed, "data:", "blob:")) else wrong.append(r.url)
    )
    page.on("response", lambda r: wrong.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    # Going to the next page ends what the page before still asks for, as its icon.
    page.on(
        "requestfailed",
        lambda r: None if "ERR_ABORTED" in r.failure else wrong.append(f"{r.failure} {r.url}"),
    )
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    return page


def search(page: Any, words: str) -> list[str]:
    """Return the titles that the search finds."""
    page.set_viewport_size(WIDE)
    page.locator("[data-md-component=search-query]").press_sequentially(words)
    page.locator(".md-search-result__item").first.wait_for()
    return page.locator(".md-search-result__item h1").all_text_contents()


def check_pages(site: Path, address: str, browser: Any) -> None:
    """Open every page in a narrow window, and search."""
    wrong: list[str] = []
    page = watched(browser, wrong, address)
    names = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    assert {"index.html", "api/tensors.html", "guide/strides.html", "performance.html"} <= set(names)
    for name in names:
        page.goto(address + name)
        beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if beyond > 0:
            wrong.append(f"{name} is {beyond} pixels wider than the window")
    page.goto(address)
    found = search(page, "stride")
    page.close()
    assert wrong == []
    assert "Storage, shape and strides" in found


def check_files(site: Path, browser: Any) -> None:
    """Search in pages that were opened as files."""
    wrong: list[str] = []
    page = watched(browser, wrong, "file:")
    page.goto((site / "index.html").as_uri())
    found = search(page, "stride")
    page.locator(".md-search-result__item a").first.click()
    page.wait_for_url("**/*h=stride*")
    page.close()
    assert wrong == []
    assert "Storage, shape and strides" in found


def check_formulas(site: Path) -> None:
    """Formulas are MathML, and dollars in code, two in a line, are no formula."""
    pages = {path.stem: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    assert [name for name, html in pages.items() if 'class="arithmatex"' in html] == []
    assert "<msub><mi>s</mi><mn>0</mn></msub>" in pages["strides"]
    assert "<code>$MINITORCH_DATA</code>" in pages["configuration"]
    assert "<math" not in pages["configuration"]


def test_the_site_works_without_a_network(site: Path, address: str, browser: Any) -> None:
    # One test: tests that run in several processes would build the site in each.
    check_formulas(site)
    check_pages(site, address, browser)
    check_files(site, browser)


def test_a_formula_that_cannot_be_shown_ends_the_build() -> None:
    require_docs()
    formulas = importlib.import_module("docs.formulas")
    shown = formulas.on_page_content(r'<span class="arithmatex">\(a &lt; \sigma\)</span>', page="P")
    assert shown.startswith("<math")
    assert "&#x0003C;</mo><mi>&#x003C3;</mi>" in shown
    with pytest.raises(formulas.PluginError, match=r"P: the formula '\\\\nonsense x' has a command"):
        formulas.on_page_content(r'<div class="arithmatex">\[\nonsense x\]</div>', page="P")
