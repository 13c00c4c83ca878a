"""The notebooks run cell by cell in a real kernel, without server and input; one is stopped in mid-training."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbclient and ipykernel are not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
pytest.importorskip("ipykernel", reason="the kernel, ipykernel, is not installed")

ROOT = Path(__file__).resolve().parents[2]
BOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
PATIENCE = 120  # seconds after which a kernel that says nothing is given up
WATCH = """
import sys
asked = []
sys.addaudithook(lambda event, _: event in ("socket.bind", "socket.connect", "builtins.input") and asked.append(event))
"""
UNASKED = "assert asked == [], asked"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where the kernel works and keeps all that it writes; it imports this minitorch."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("NUMBA_ENABLE_CUDASIM", "0")
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def opened(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def client_of(book: Any, home: Path) -> Any:
    return nbclient.NotebookClient(
        book, timeout=PATIENCE, kernel_name="python3", resources={"metadata": {"path": str(home)}}
    )


def said(cell: Any) -> str:
    """Return what a cell has printed so far."""
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def cell_with(book: Any, words: str) -> int:
    """Return the number of the one cell whose code contains some words."""
    (found,) = [k for k, cell in enumerate(book.cells) if cell.cell_type == "code" and words in cell.source]
    return found


def test_there_are_notebooks() -> None:
    assert [path.name for path in BOOKS] == ["layers_and_checks.ipynb", "training.ipynb"]


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_well_formed_and_without_outputs(path: Path) -> None:
    book = opened(path)
    nbformat.validate(book)
    for cell in book.cells:
        assert cell.cell_type == "markdown" or (cell.outputs, cell.execution_count) == ([], None)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom_alone(path: Path, home: Path) -> None:
    book = opened(path)
    for place, code in ((0, WATCH), (len(book.cells) + 1, UNASKED)):
        book.cells.insert(place, nbformat.v4.new_code_cell(code))
    client_of(book, home).execute()
    printed = [said(cell) for cell in book.cells if cell.cell_type == "code"]
    assert sum(map(bool, printed)) >= 4
    # Lines, not bars that redraw themselves: they stay readable in a stored notebook.
    assert all("\r" not in text and "\x1b" not in text and len(text) < 4_000 for text in printed)


async def interrupted(book: Any, home: Path) -> None:
    """Run the cells, but stop the one that trains when it tells of its second epoch."""
    client = client_of(book, home)
    training = cell_with(book, "epochs=EPOCHS")
    async with client.async_setup_kernel():
        for k, cell in enumerate(book.cells):
            if k != training:
                await client.async_execute_cell(cell, k)
                continue
            running = asyncio.create_task(client.async_execute_cell(cell, k))
            while "epoch 2:" not in said(cell):
                await asyncio.sleep(0.02)
                assert not running.done(), "training ended before it could be stopped"
            await client.km.interrupt_kernel()
            with pytest.raises(nbclient.exceptions.CellExecutionError, match="KeyboardInterrupt"):
                await running


@pytest.mark.timeout(300)
def test_an_interrupted_training_goes_on_in_the_next_cell(home: Path) -> None:
    (path,) = [path for path in BOOKS if path.stem == "training"]
    book = opened(path)
    settings = book.cells[cell_with(book, "EPOCHS = ")]
    assert settings.source.count("EPOCHS = 4") == 1
    settings.source = settings.source.replace("EPOCHS = 4", "EPOCHS = 100_000")
    asyncio.run(interrupted(book, home))
    before, after = (
        said(book.cells[cell_with(book, words)]) for words in ("epochs=EPOCHS", "checkpoint.resume")
    )
    last = before.count("epoch ")
    found = int(after.split("found epoch ")[1].split(",")[0])
    assert found in (last, last + 1)  # it may have been stopped between the checkpoint and its line
    assert [f"epoch {found + k}:" in after for k in (1, 2, 3)] == [True, True, False]
    assert "test accuracy 0." in said(book.cells[cell_with(book, "test accuracy")])
    assert sorted(p.name for p in (home / "runs" / "notebook").iterdir()) == [
        "checkpoint.safetensors",
        "model.safetensors",
    ]
