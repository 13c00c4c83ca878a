#!/bin/sh
# For leaving the folder cifar-10-batches-py in data/ (or DIR), unpacked.
# Refuses to know where they come from; what is there already is neither fetched nor written again.
set -eu
if [ $# -gt 1 ]; then
    echo "usage: $0 [DIR]" >&2
    exit 2
fi
directory=${1:-data}
here=$(cd "$(dirname "$0")" && pwd)
python=$here/.venv/bin/python
[ -x "$python" ] || python=python3
if ! "$python" -c "import numba" 2>/dev/null; then
    echo "$0: $python lacks what minitorch needs: python3 -m venv .venv && .venv/bin/pip install -e ." >&2
    exit 2
fi
PYTHONPATH=$here${PYTHONPATH:+:$PYTHONPATH} exec "$python" -m minitorch.data cifar10 --root "$directory" --unpack "$directory"
