"""Trains a small network of tensors on the reference backend to tell two kinds of points apart (module 2).

python project/run_tensor.py --DATASET xor --HIDDEN 5 --RATE 0.5 --out runs/xor
"""

import sys
from collections.abc import Sequence

from cli import run_command
from minitorch.cli.toy_trainers import TensorTrain as TensorTrain
from minitorch.cli.toy_trainers import default_log_fn as default_log_fn
from minitorch.cli.toys import flags, train_tensor
from minitorch.models.mlp_tensor import Network as Network


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script."""
    train_tensor(flags(__doc__).parse_args(arguments))


if __name__ == "__main__":
    sys.exit(run_command(main))
