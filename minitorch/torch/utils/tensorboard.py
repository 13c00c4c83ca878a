"""``torch.utils.tensorboard``: SummaryWriter of tensorboardX, which takes our tensors as arrays."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor, to_array


class SummaryWriter:
    """Writes event files by tensorboardX: each method takes what it takes there.

    Raises:
        ImportError: tensorboardX is not installed: ``pip install tensorboardX``.
    """

    def __init__(self, log_dir: Any = None, *args: Any, **kwargs: Any) -> None:
        from tensorboardX import SummaryWriter as Writer

        self._writer = Writer(log_dir, *args, **kwargs)
        self.log_dir = self._writer.logdir

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._writer, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            plain = [to_array(a.detach()) if isinstance(a, Tensor) else a for a in args]
            return method(
                *plain, **{k: to_array(v.detach()) if isinstance(v, Tensor) else v for k, v in kwargs.items()}
            )

        return call if callable(method) else method

    def add_graph(self, model: Any, input_to_model: Any = None, **ignored: Any) -> None:
        """Do nothing: graphs are written by PyTorch only."""

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        self._writer.close()
