"""Trains the network of run_tensor.py in PyTorch, for comparison (minitorch does not need PyTorch: pip install torch).

python project/run_torch.py --DATASET xor --HIDDEN 5 --RATE 0.5 --out runs/xor
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from cli import UsageError, run_command
from minitorch import Graph
from minitorch.cli.toy_trainers import LogFn, Point, default_log_fn
from minitorch.cli.toys import draw_points, flags, run
from minitorch.fast_ops.threads import signals_wait


def network(hidden: int, device: str) -> Any:
    """Return 2 -> hidden -> hidden -> 1 with ReLU and a sigmoid at the end, initialised like that of run_tensor.py."""
    import torch
    from torch import nn

    widths = [(2, hidden), (hidden, hidden), (hidden, 1)]
    linear1, linear2, linear3 = (nn.Linear(*sizes) for sizes in widths)
    model = nn.Sequential(linear1, nn.ReLU(), linear2, nn.ReLU(), linear3, nn.Sigmoid())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(-1, 1)
    return model.to(device)


class TorchTrain:
    """Trains a network in PyTorch by gradient descent on all points at once."""

    def __init__(self, hidden_layers: int, device: str = "cpu") -> None:
        self.hidden_layers = hidden_layers
        self.device = device
        self.model = network(hidden_layers, device)

    def probabilities(self, X: Sequence[Point]) -> Any:
        """Return the probability for each point."""
        import torch

        with torch.no_grad():
            return self.model(torch.tensor(X, device=self.device)).cpu().numpy().ravel()

    def train(
        self, data: Graph, learning_rate: float, max_epochs: int = 500, log_fn: LogFn = default_log_fn
    ) -> None:
        """Train a new network; report every tenth epoch and the last."""
        import torch

        self.model = network(self.hidden_layers, self.device)
        optim = torch.optim.SGD(self.model.parameters(), learning_rate)
        X = torch.tensor(data.X, device=self.device)
        y = torch.tensor(data.y, dtype=torch.float32, device=self.device)
        losses: list[float] = []
        for epoch in range(1, max_epochs + 1):
            optim.zero_grad()
            out = self.model(X).view(data.N)
            loss = torch.nn.functional.binary_cross_entropy(out, y)
            loss.backward()
            losses.append(loss.item() * data.N)
            try:
                optim.step()
            except RuntimeError as error:  # a rate that float32 cannot hold
                raise UsageError(f"PyTorch takes no step with --RATE {learning_rate:g}: {error}") from None
            if epoch % 10 == 0 or epoch == max_epochs:
                log_fn(epoch, losses[-1], int(((out > 0.5) == (y == 1)).sum()), losses)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script."""
    args = flags(__doc__).parse_args(arguments)
    try:
        with signals_wait():  # an interrupted import of PyTorch aborts the process
            import torch
    except ImportError:
        raise UsageError("PyTorch is not installed: pip install torch") from None
    if args.BACKEND == "gpu" and not torch.cuda.is_available():
        raise UsageError("--BACKEND gpu: PyTorch finds no GPU on this machine")
    data = draw_points(args)
    torch.manual_seed(args.SEED)
    run("torch", args, TorchTrain(args.HIDDEN, "cuda" if args.BACKEND == "gpu" else "cpu"), data)


if __name__ == "__main__":
    sys.exit(run_command(main))
