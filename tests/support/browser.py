"""A headless Chromium for tests of pages. Without it they are skipped, or fail with MINITORCH_REQUIRE_BROWSER=1."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

CHROMIUM = Path("/usr/bin/chromium")
# Nothing of the browser's own may leave the machine; a test of ours would not know it from the page's.
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def lacking(what: str) -> NoReturn:
    """Skip, or fail where that is asked for."""
    if os.environ.get("MINITORCH_REQUIRE_BROWSER") == "1":
        pytest.fail(f"MINITORCH_REQUIRE_BROWSER=1, and {what}")
    pytest.skip(f"NO TESTS OF PAGES: {what}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    try:
        playwright = importlib.import_module("playwright.sync_api")
    except ImportError:
        lacking("playwright is not installed: pip install playwright")
    if not CHROMIUM.exists():
        lacking(f"there is no {CHROMIUM}: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()
