"""Averages of weights over steps: ``torch.optim.swa_utils`` (Izmailov et al., 2018)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any

from ..autograd import no_grad
from ..creation import tensor
from ..elementwise import add, div, lerp, sub
from ..nn.modules.batchnorm import _BatchNorm
from ..nn.modules.module import Module
from ..tensor import Tensor
from .schedules import LRScheduler, per_group


def get_ema_avg_fn(decay: float = 0.999) -> Callable[..., Tensor]:
    """Return a function of the average and a new value: the average keeps ``decay`` of itself.

    Raises:
        ValueError: ``decay`` is not in [0, 1].
    """
    if decay < 0.0 or decay > 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")

    def average(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return lerp(current_param, ema_param, decay)

    return average


def get_swa_avg_fn() -> Callable[..., Tensor]:
    """Return a function of the average, a new value and their number: the mean of all values."""

    def average(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return add(averaged_param, div(sub(current_param, averaged_param), float(num_averaged) + 1))

    return average


def _many(one: Callable[..., Tensor]) -> Callable[..., None]:
    @no_grad()  # type: ignore[untyped-decorator]
    def update(averaged: Iterable[Tensor], current: Iterable[Tensor], num_averaged: Any) -> None:
        for a, c in zip(averaged, current):
            a.copy_(one(a.detach(), c.detach(), num_averaged))

    return update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[..., None]:
    """Return `get_ema_avg_fn` for lists of tensors, in place."""
    return _many(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> Callable[..., None]:
    """Return `get_swa_avg_fn` for lists of tensors, in place."""
    return _many(get_swa_avg_fn())


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of those of the model.

    Args:
        model: The model.
        device: Where the copy is, by default where the model is.
        avg_fn: A function (average, new value, number of values so far); by default the mean of all.
        multi_avg_fn: The same on lists, in place.
        use_buffers: Whether to average the buffers too; else they are copied.
    """

    n_averaged: Tensor

    def __init__(
        self, model: Module, device: Any = None, avg_fn: Any = None, multi_avg_fn: Any = None, use_buffers: bool = False
    ) -> None:  # fmt: skip
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the copy."""
        return self.module(*args, **kwargs)

    @no_grad()  # type: ignore[untyped-decorator]
    def update_parameters(self, model: Module) -> None:
        """Add the present parameters of the model to the averages."""
        ours, theirs = list(self.module.parameters()), list(model.parameters())
        if self.use_buffers:
            ours, theirs = [*ours, *self.module.buffers()], [*theirs, *model.buffers()]
        if not int(self.n_averaged):
            for a, c in zip(ours, theirs):
                a.copy_(c.detach())
        else:
            floats = [(a, c) for a, c in zip(ours, theirs) if a.is_floating_point()]
            if self.multi_avg_fn is not None:
                self.multi_avg_fn([a for a, _ in floats], [c for _, c in floats], self.n_averaged)
            else:
                one = get_swa_avg_fn() if self.avg_fn is None else self.avg_fn
                for a, c in floats:
                    a.copy_(one(a.detach(), c.detach(), self.n_averaged))
            for a, c in zip(ours, theirs):
                if not a.is_floating_point():
                    a.copy_(c)
        if not self.use_buffers:
            for a, c in zip(self.module.buffers(), model.buffers()):
                a.copy_(c.detach())
        self.n_averaged.add_(1)


@no_grad()  # type: ignore[untyped-decorator]
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of batch normalization anew, over the data of ``loader``.

    Args:
        loader: Batches; of a tuple or list, the first part is the input.
        model: Its batch normalization layers are changed.
        device: Where the batches are moved, by default nowhere.
    """
    momenta = {m: m.momentum for m in model.modules() if isinstance(m, _BatchNorm)}
    if not momenta:
        return
    was_training = model.training
    model.train()
    for m in momenta:
        m.reset_running_stats()
        m.momentum = None
    for batch in loader:
        x = batch[0] if isinstance(batch, list | tuple) else batch
        model(x if device is None else x.to(device))
    for m, momentum in momenta.items():
        m.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From the present rates to ``swa_lr`` in ``anneal_epochs`` epochs, and then constant.

    Args:
        optimizer: Its rates are changed.
        swa_lr: The last rate, or one for each group.
        anneal_epochs: How long it takes, by default 10.
        anneal_strategy: "cos" (default) or "linear".
        last_epoch: See `LRScheduler`.
    """

    def __init__(
        self, optimizer: Any, swa_lr: Any, anneal_epochs: int = 10, anneal_strategy: str = "cos", last_epoch: int = -1
    ) -> None:  # fmt: skip
        for group, rate in zip(optimizer.param_groups, per_group("swa_lr", swa_lr, optimizer)):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must by one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._linear = anneal_strategy == "linear"
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, part: float) -> float:
        return part if self._linear else (1 - math.cos(math.pi * part)) / 2

    def get_lr(self) -> list[float]:
        step = self._step_count - 1
        length = max(1, self.anneal_epochs)
        shares = [self._share(max(0.0, min(1.0, s / length))) for s in (step - 1, step)]
        if not self.anneal_epochs:
            shares = [1.0 if s >= 0 else 0.0 for s in (step - 1, step)]
        rates = []
        for group in self.optimizer.param_groups:
            last = group["swa_lr"]
            # The rate at the start, from the present one.
            start = last if shares[0] == 1 else (group["lr"] - shares[0] * last) / (1 - shares[0])
            rates.append(last * shares[1] + start * (1 - shares[1]))
        return rates
