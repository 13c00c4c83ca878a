#!/bin/sh
# Leaves the unpacked folder cifar-10-batches-py in data/ (or DIR).
# Calls python -m minitorch.data, which downloads only what is not there yet.
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
    echo "$0: $python has no numba, which minitorch needs: python3 -m venv .venv && .venv/bin/pip install -e ." >&2
    exit 2
fi
PYTHONPATH=$here${PYTHONPATH:+:$PYTHONPATH} exec "$python" -m minitorch.data cifar10 --root "$directory" --unpack "$directory"
