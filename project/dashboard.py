"""Starts a visdom server: `minitorch dashboard`, for an interpreter that has neither NumPy nor Numba."""

import sys
from pathlib import Path
from types import ModuleType

if __name__ == "__main__":
    # The command needs the standard library only, but `import minitorch` loads NumPy and Numba. So these packages are
    # entered here without running their __init__.py.
    root = Path(__file__).resolve().parent.parent
    for name in ("minitorch", "minitorch.dashboard", "minitorch.dashboard.visdom"):
        package = ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split(".")))]
        sys.modules[name] = package
    from minitorch.cli.dashboard import main

    sys.exit(main())
