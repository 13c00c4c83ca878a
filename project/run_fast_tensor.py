"""Trains a small network of tensors, on the CPU or a GPU, to tell two kinds of points apart (module 3).

python project/run_fast_tensor.py --DATASET xor --HIDDEN 10 --RATE 0.1 --out runs/xor
python project/run_fast_tensor.py --BACKEND gpu
"""

import sys
from collections.abc import Sequence

from cli import run_command
from minitorch.cli.toy_trainers import FastTrain as FastTrain
from minitorch.cli.toy_trainers import default_log_fn as default_log_fn
from minitorch.cli.toys import flags, train_fast
from minitorch.models.mlp_tensor import Network as Network


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script."""
    train_fast(flags(__doc__).parse_args(arguments))


if __name__ == "__main__":
    sys.exit(run_command(main))
