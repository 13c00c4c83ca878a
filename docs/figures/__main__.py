"""`python -m docs.figures [NAME...]`: write the figures of the guides, all of them where no name is given."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import docs.figures

from .drawing import FIGURES, FOLDER


def load() -> None:
    """Import every module beside this one, so that all figures are on the list."""
    for module in pkgutil.iter_modules(docs.figures.__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"docs.figures.{module.name}")


def main(names: list[str]) -> None:
    """Write the figures with these names, or all."""
    load()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or sorted(FIGURES):
        (FOLDER / f"{name}.svg").write_text(FIGURES[name]().svg(), encoding="utf-8")
        print(f"docs/images/guide/{name}.svg")


if __name__ == "__main__":
    main(sys.argv[1:])
