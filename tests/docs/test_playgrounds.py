"""The playgrounds of the documentation in a headless Chromium: they compute what minitorch computes.

Each page is opened as a file. No script of it may fail, and it may ask for nothing else.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch

from ..support.browser import browser
from .playground_values import PAGES, values

__all__ = ["browser"]  # a fixture

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "playgrounds"
MAKE = runpy.run_path(str(FOLDER / "make.py"))
NAMES = sorted(MAKE["PAGES"])
WIDTHS = (400, 1400)  # pixels
# Controls without a name for a screen reader.
NAMELESS = """() => [...document.querySelectorAll("input, select, button")].filter(control =>
    !control.ariaLabel && !control.textContent.trim() && !document.querySelector(`label[for="${control.id}"]`)
    && !control.closest("label")).map(control => control.outerHTML)"""
# By page, a function of JavaScript that computes the result of a case with the page's own functions.
RESULTS = Path(__file__).with_name("playground_results.js").read_text(encoding="utf-8")

Open = Callable[..., Any]


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:
    """Opens a page by its name; when the test ends, nothing on it may have failed, or have asked for another file."""
    pages: list[Any] = []
    asked: list[str] = []
    wrong: list[str] = []

    def open_page(name: str, address: str = "") -> Any:
        page = browser.new_page(viewport={"width": WIDTHS[-1], "height": 900})
        pages.append(page)
        page.set_default_timeout(60_000)  # milliseconds; a busy machine is no error
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text))
        page.goto((FOLDER / f"{name}.html").as_uri() + address)
        return page

    yield open_page
    urls = [page.url.partition("#")[0] for page in pages]
    for page in pages:
        page.close()
    assert wrong == []
    assert [url.partition("#")[0] for url in asked if not url.startswith("data:")] == urls


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_what_the_script_makes(name: str) -> None:
    found = (FOLDER / f"{name}.html").read_text(encoding="utf-8")
    assert found == MAKE["build"](name), "run: python docs/playgrounds/make.py"


def test_every_page_is_made_and_compared() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.html")) == NAMES == sorted(PAGES)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_computes_what_minitorch_computes(name: str, open_page: Open) -> None:
    cases = values(name)
    found = open_page(name).evaluate(f"cases => cases.map({RESULTS}.{name})", cases)
    for case, result in zip(cases, found, strict=True):
        assert same(result, case["result"]), case


def same(found: Any, expected: Any) -> bool:
    """Tell whether two values of JSON are equal; floats may differ by rounding, and JSON writes 2.0 as 2."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, float):
        return bool(found == pytest.approx(expected, rel=1e-9, abs=1e-12))
    return bool(found == expected) and isinstance(found, type(expected))


@pytest.mark.parametrize("name", NAMES)
def test_the_page_fits_and_its_controls_have_names(name: str, open_page: Open) -> None:
    page = open_page(name)
    backgrounds = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        backgrounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(NAMELESS) == []
    assert len(backgrounds) == 2


# --- what each page shows


def test_strides_follow_pointer_and_keys(open_page: Open) -> None:
    page = open_page("strides", address="#shape=2,3,4&order=1,0,2&offset=2")
    readout = page.locator("#readout")
    page.get_by_role("button", name="index [2, 1, 3], position 25").hover()
    assert "position = 2 + 2·4 + 1·12 + 3·1 = 25" in readout.inner_text()
    page.keyboard.press("Tab")
    page.get_by_role("button", name="index [0, 0, 0], position 2", exact=True).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert "position = 2 + 0·4 + 1·12 + 1·1 = 15" in readout.inner_text()
    page.get_by_role("button", name="position 1, not read").hover()
    assert "before the offset" in readout.inner_text()


def test_dimensions_are_dragged_and_moved_by_keys(open_page: Open) -> None:
    page = open_page("strides", address="#shape=2,3,4&order=0,1,2&offset=0")
    first, last = (page.locator("#chips button").nth(k).bounding_box() for k in (0, 2))
    page.mouse.move(first["x"] + 5, first["y"] + 5)
    page.mouse.down()
    page.mouse.move(last["x"] + last["width"] - 2, last["y"] + 5, steps=5)
    page.mouse.up()
    assert page.locator("#order").input_value() == "1, 2, 0"
    page.keyboard.press("ArrowLeft")
    assert page.locator("#order").input_value() == "1, 0, 2"
    assert page.url.endswith("#shape=2,3,4&order=1,0,2&offset=0")


def test_the_address_holds_the_settings(open_page: Open) -> None:
    page = open_page("strides", address="#shape=3,2&order=1,0&offset=1")
    assert page.locator("#shape").input_value() == "3, 2"
    page.evaluate("location.hash = 'shape=4,5&order=0,1&offset=0'")
    page.wait_for_function("document.querySelectorAll('#tensor .slot').length === 20")
    page.evaluate("location.hash = 'shape=4,five'")  # what does not fit gives the page as it begins
    page.wait_for_function("document.querySelectorAll('#tensor .slot').length === 24")


@pytest.mark.parametrize(
    ("name", "address", "result", "expected"),
    [
        (
            "strides",
            "#shape=2,3,4&order=2,0,1&offset=3",
            "t.shape, t._tensor.strides",
            ((4, 2, 3), (1, 12, 4)),
        ),
        ("convolution", "#kernel=1,2&stride=2&mode=anchored", "out.shape", (1, 1, 3, 3)),
        ("autodiff", "#formula=x*y-2&values=x=3,y=5", "x.derivative, y.derivative", (5.0, 3.0)),
    ],
)
def test_the_python_of_a_page_runs(
    name: str, address: str, result: str, expected: object, open_page: Open
) -> None:
    names: dict[str, Any] = {}
    exec(open_page(name, address).locator("#code").text_content(), names)
    assert eval(result, names) == expected


def test_wrong_settings_give_a_message_and_change_nothing(open_page: Open) -> None:
    page = open_page("strides", address="#shape=2,3&order=1,0&offset=0")
    page.locator("#shape").fill("2, x")
    assert page.locator("#shape-error").inner_text() == (
        'shape: expected whole numbers of at least 1, separated by commas, got "2, x"'
    )
    page.locator("#order").fill("0, 0")
    assert "each dimension once" in page.locator("#order-error").inner_text()
    assert page.locator("#tensor .slot").count() == 6
    page.locator("#shape").fill("2, 2, 2")
    assert page.locator("#order").input_value() == "0, 1, 2"
    assert page.locator("#shape-error").inner_text() == ""


def test_broadcasting_shows_what_takes_part(open_page: Open) -> None:
    page = open_page("broadcasting", address="#a=2,3&b=3,1")
    assert (
        page.locator("#message")
        .inner_text()
        .startswith("IndexingError: cannot broadcast shapes (2, 3) and (3, 1)")
    )
    assert page.locator("#sizes td.bad").count() == 4  # both sizes, the result, the reason
    page.locator("#a").fill("2, 3, 4")
    page.get_by_role("button", name="result [1, 2, 3]: 43").hover()
    assert page.locator("#readout").inner_text().split("\n")[0] == "out[1, 2, 3] = a[1, 2, 3] + b[2, 0]"
    assert page.locator(".slot.read").all_inner_texts() == ["23", "20"]
    page.get_by_role("button", name="b [1, 0]: 10", exact=True).focus()
    assert page.locator(".slot.result").count() == 8
    assert "b[1, 0] is read by 8 elements" in page.locator("#readout").inner_text()
    page.locator("#b").fill("")
    assert page.locator("#message").inner_text() == "The result has the shape (2, 3, 4)."


def test_convolution_lights_inputs_and_outputs(open_page: Open) -> None:
    page = open_page(
        "convolution",
        address="#rows=4&columns=4&kernel=1,2;3,-4&stride=1&padding=1&dilation=2&mode=number",
    )
    page.get_by_role("button", name="output [0, 0]").hover()
    lines = page.locator("#readout").inner_text().split("\n")
    assert page.locator("#array-x .read").count() == 4
    assert lines[0].startswith("out[0, 0] = 0·1 + 0·2 + 0·3 + ")
    assert lines[0].endswith(f"= {page.locator('#array-out .chosen').inner_text()}")
    assert lines[-1] == "3 of the 4 terms read a zero of the padding."
    page.get_by_role("button", name="input [1, 1]").hover()
    assert page.locator("#array-out .result").count() == 4
    assert "out[0, 0] with w[1, 1] = −4" in page.locator("#readout").inner_text()
    page.get_by_label("weight 1, 1", exact=True).first.fill("0.5")
    page.get_by_role("button", name="input [2, 1]").hover()
    assert "out[1, 0] with w[1, 1] = 0.5" in page.locator("#readout").inner_text()


def test_convolution_tells_what_does_not_fit(open_page: Open) -> None:
    page = open_page(
        "convolution",
        address="#rows=2&columns=3&kernel=1,1,1;1,1,1;1,1,1&stride=2&padding=1&dilation=1&mode=number",
    )
    page.get_by_label("padding", exact=True).fill("0")
    assert page.locator("#message").inner_text().startswith("conv2d: the kernel spans 3x3 elements")
    page.locator("#mode").select_option("same")
    assert page.locator("#message").inner_text() == 'padding "same": expected stride 1, got (2, 2)'
    page.get_by_label("stride", exact=True).fill("1")
    assert page.locator("#message").inner_text() == ""
    assert page.locator("#array-out .slot").count() == 6


def test_python_of_a_formula_computes_the_same(open_page: Open) -> None:
    page = open_page("autodiff")
    cases = values("autodiff")
    texts = page.evaluate(
        "cases => cases.map(({formula}) => playground.toPython(playground.parseFormula(formula)))", cases
    )
    for case, text in zip(cases, texts, strict=True):
        result = eval(text, {name: minitorch.Scalar(value) for name, value in case["values"].items()})
        computed = [value for kind, _, value, *_ in case["result"] if kind == "call"]
        assert result.data == pytest.approx(computed[-1], rel=1e-12), text


def test_derivatives_step_forward_and_backward(open_page: Open) -> None:
    page = open_page("autodiff", address="#formula=x*y%2Bx&values=x=2,y=3&step=0")
    readout, phase = page.locator("#readout"), page.locator("#phase")
    assert page.locator("#graph .waiting").count() == 2
    page.locator("#next").click()
    assert readout.inner_text().split("\n")[0] == "v1 = x · y = 2 · 3 = 6"
    page.locator("#step").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert phase.inner_text() == "backward, step 1 of 3"
    assert "Uses are counted: x 2, y 1, v1 1." in readout.inner_text()
    page.keyboard.press("ArrowRight")
    assert page.locator("#pending").inner_text() == "x\tsum 1\tmissing: 1"
    assert page.locator("#ready").inner_text() == "v1\td = 1"
    assert page.locator("#graph .pending .title").all_text_contents() == ["x"]
    page.keyboard.press("ArrowRight")
    assert "to x: d · y = 1 · 3 = 3, sum 1 + 3 = 4, final" in readout.inner_text()
    assert page.locator("#leaves").inner_text() == "x\t4\ny\t2"
    assert page.locator("#next").is_disabled()
    page.get_by_label("value of y").fill("5")
    assert page.locator("#leaves").inner_text() == "x\t6\ny\t2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x * ", 'formula: expected a number, a variable of one letter, a function or "(", got its end'),
        ("(x + y", 'formula: expected ")", got its end'),
        ("x y", 'formula: expected an operator, got "y"'),
        ("log(x - x - 1)", "formula: expected a finite value, but log(−1) is not defined"),
        ("1 / (x - x)", "formula: expected a finite value, but 1 / 0 is infinite"),
        ("log(2)", "formula: expected a variable inside of log"),
        ("x", "formula: expected an operation on a variable"),
    ],
)
def test_a_formula_that_does_not_work_gives_a_message(text: str, message: str, open_page: Open) -> None:
    page = open_page("autodiff", address="#formula=x*y&values=x=2,y=3")
    page.locator("#formula").fill(text)
    assert page.locator("#formula-error").inner_text() == message
    assert page.locator("#graph .call, #graph .waiting").count() == 1


def test_bank_conflicts_and_transactions_are_counted(open_page: Open) -> None:
    random = np.random.default_rng(0)
    # The elements that a warp of 32 wants: random ones, and at every distance.
    wanted = [random.integers(0, 200, 32).tolist() for _ in range(20)]
    wanted += [(distance * np.arange(32)).tolist() for distance in range(34)]
    found = open_page("cuda").evaluate(
        "all => all.map(wanted => [playground.bankPasses(wanted, 32), playground.transactions(wanted, 32)])",
        wanted,
    )
    for indices, (passes, transactions) in zip(wanted, found, strict=True):
        different = np.unique(indices)
        assert passes == np.bincount(different % 32).max()
        assert transactions == len(np.unique(different // 32))


def counts(page: Any) -> dict[str, int]:
    """Return the last column of the table of counts."""
    rows = page.locator("#counts tr").all_inner_texts()
    return {row.split("\t")[0]: int(row.split("\t")[-1]) for row in rows}


def test_without_the_guard_threads_leave_the_array(open_page: Open) -> None:
    page = open_page("cuda", address="#kernel=map&size=13&block=8")
    assert counts(page)["out of bounds"] == 0
    page.get_by_label("guard").uncheck()
    assert counts(page)["out of bounds"] == 6
    for _ in range(3):
        page.locator("#next").click()
    assert "thread 5 reads a, element 13 of 13 = ?, out of bounds" in page.locator("#readout").inner_text()
    assert page.locator("#threads .bad").all_inner_texts() == ["5", "6", "7"]
    assert page.locator("#memory .outside.bad").count() == 3
    page.get_by_role("button", name="block 1, thread 2").hover()
    assert "i = 1 · 8 + 2 = 10" in page.locator("#readout").inner_text()
    assert "thread 2 reads a[10] = " in page.locator("#readout").inner_text()


def test_without_the_barrier_the_order_of_warps_decides(open_page: Open) -> None:
    page = open_page("cuda", address="#kernel=sum&size=16&block=8")
    result, races = page.locator("#result"), "elements with a race"
    assert counts(page)[races] == 0
    assert result.inner_text() == "At the end all results are right."
    page.get_by_label("barriers").uncheck()
    assert counts(page)[races] > 0
    assert "There is a race all the same" in result.inner_text()
    page.locator("#order").select_option("first")
    assert "At the end 2 of 2 results are wrong." in result.inner_text()
    page.get_by_label("barriers").check()
    assert result.inner_text() == "At the end all results are right."


def test_bank_conflicts_depend_on_the_layout(open_page: Open) -> None:
    page = open_page("cuda", address="#kernel=matmul&rows=8&columns=8&depth=8")
    conflicts = "extra passes by bank conflicts"
    assert counts(page)[conflicts] == 0
    page.locator("#across").select_option("row")
    assert counts(page)[conflicts] > 0
    page.get_by_label("one longer").check()
    assert counts(page)[conflicts] == 0
    page.locator("#skip").click()
    assert "arrived at the barrier" in page.locator("#readout").inner_text()
    page.locator("#step").focus()
    page.keyboard.press("End")
    assert page.locator("#last").is_disabled()
    assert page.locator("#memory .wrong").count() == 0
