"""``python -m minitorch.torch SCRIPT.py ARGS...``: see `runner`."""

import sys

from .runner import main

sys.exit(main(sys.argv[1:]))
