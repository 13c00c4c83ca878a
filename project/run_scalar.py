"""Trains a small network of Scalars to tell two kinds of points apart (module 1 of the course).

python project/run_scalar.py --DATASET xor --HIDDEN 5 --RATE 0.5 --out runs/xor
"""

import sys
from collections.abc import Sequence

from cli import run_command
from minitorch.cli.toy_trainers import ScalarTrain as ScalarTrain
from minitorch.cli.toy_trainers import default_log_fn as default_log_fn
from minitorch.cli.toys import flags, train_scalar
from minitorch.models.mlp_scalar import Network as Network


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script."""
    train_scalar(flags(__doc__).parse_args(arguments))


if __name__ == "__main__":
    sys.exit(run_command(main))
