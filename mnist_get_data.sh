#!/bin/sh
# For leaving the four unpacked MNIST files in data/ (or DIR), readable by python-mnist's MNIST("data/").
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
PYTHONPATH=$here${PYTHONPATH:+:$PYTHONPATH} exec "$python" -m minitorch.data mnist --root "$directory" --unpack "$directory"
