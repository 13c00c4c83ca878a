"""Sets the weights of one neuron by hand and shows how it classifies a toy set (module 0 of the course).

python project/run_manual.py --DATASET diag --PLOT
python project/run_manual.py --DATASET simple --WEIGHTS -20 0 --BIAS 10
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cli import run_command
from minitorch import Module, operators
from minitorch.cli.toy_trainers import Point
from minitorch.cli.toys import cpu_only, draw_points, flags, report, show

DIAGONAL = (-20.0, -20.0, 10.0)
BY_HAND = {"simple": (-20.0, 0.0, 10.0), "diag": DIAGONAL}  # no straight line separates the other sets


class Linear(Module):
    """Weighted sums of plain numbers."""

    def __init__(self, weights: Sequence[Sequence[float]], bias: Sequence[float]) -> None:
        super().__init__()
        self.weights = [
            [self.add_parameter(f"weight_{i}_{j}", w) for j, w in enumerate(row)]
            for i, row in enumerate(weights)
        ]
        self.bias = [self.add_parameter(f"bias_{j}", b) for j, b in enumerate(bias)]

    def forward(self, inputs: Sequence[float]) -> list[float]:
        """Return the sums."""
        sums = [b.value for b in self.bias]
        for x, row in zip(inputs, self.weights):
            sums = [y + x * w.value for y, w in zip(sums, row)]
        return sums


class Network(Module):
    """One neuron: two weights, a bias, a sigmoid."""

    def __init__(self, weight_1: float, weight_2: float, bias: float) -> None:
        super().__init__()
        self.linear = Linear([[weight_1], [weight_2]], [bias])

    def forward(self, x: Sequence[float]) -> float:
        """Map a point to the probability that its label is 1."""
        return operators.sigmoid(self.linear(x)[0])


class ManualTrain:
    """Holds the network, under the name of the course; nothing is trained."""

    def __init__(self, weight_1: float, weight_2: float, bias: float) -> None:
        self.model = Network(weight_1, weight_2, bias)

    def run_one(self, x: Sequence[float]) -> float:
        """Return the probability that the label of a point is 1."""
        return self.model((x[0], x[1]))

    def probabilities(self, X: Sequence[Point]) -> list[float]:
        """Return the probability for each point."""
        return [self.run_one(x) for x in X]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script."""
    parser = flags(__doc__)
    parser.add_argument("--WEIGHTS", metavar=("W1", "W2"), type=float, nargs=2, help="of the two coordinates")
    parser.add_argument("--BIAS", metavar="B", type=float, help="where the line is")
    args = parser.parse_args(arguments)
    cpu_only(args, "plain numbers are computed")
    weight_1, weight_2, bias = BY_HAND.get(args.DATASET, DIAGONAL)
    weight_1, weight_2 = args.WEIGHTS or (weight_1, weight_2)
    trainer = ManualTrain(weight_1, weight_2, bias if args.BIAS is None else args.BIAS)
    data = draw_points(args)
    for name, parameter in trainer.model.named_parameters():
        print(f"{name} {parameter.value:g}")
    show("manual", args, data, trainer.probabilities)
    report("manual", args, data, trainer.probabilities)


if __name__ == "__main__":
    sys.exit(run_command(main))
