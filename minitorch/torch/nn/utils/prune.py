"""Weights whose elements are set to zero by a mask: ``torch.nn.utils.prune``.

A pruned tensor is computed before each forward, as ``<name>_orig * <name>_mask``. What is chosen: the smallest
elements ("l1"), any ("random"), or whole parts along a dimension ("structured").
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ...creation import drawing, ones_like
from ...elementwise import mul
from ...tensor import Tensor, from_array, to_array
from ..modules.module import Module


class BasePruningMethod:
    """The base of methods: `compute_mask` tells what stays. Settings are those of ``__init__``."""

    PRUNING_TYPE = "unstructured"
    _tensor_name = ""

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return the mask of a tensor; ``default_mask`` is the one before."""
        raise NotImplementedError

    def apply_mask(self, module: Module) -> Tensor:
        """Return the masked tensor."""
        name = self._tensor_name
        return mul(getattr(module, f"{name}_orig"), getattr(module, f"{name}_mask"))

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Any = None, **kwargs: Any
    ) -> Any:
        """Prune a tensor of a module; a second time, what is left of it.

        Returns:
            The method, which is a hook of the module.
        """
        method = cls(*args, **kwargs)
        method._tensor_name = name
        old = [k for k, h in module._forward_pre_hooks.items() if _prunes(h, name)]
        if old:
            original, before = getattr(module, f"{name}_orig"), getattr(module, f"{name}_mask")
        else:
            original = getattr(module, name)
            before = ones_like(original.detach())
        scores = original if importance_scores is None else importance_scores
        if scores.shape != original.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter                 {name} of {module}"
            )
        mask = method._after(scores.detach(), before)
        if not old:
            delattr(module, name)
            module.register_parameter(f"{name}_orig", original)
        for k in old:
            del module._forward_pre_hooks[k]
        if f"{name}_mask" in module._buffers:
            module._buffers[f"{name}_mask"] = mask
        else:
            module.register_buffer(f"{name}_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def _after(self, scores: Tensor, before: Tensor) -> Tensor:
        """Return the mask together with the one before: of what was left, only."""
        kept = to_array(before) != 0
        if self.PRUNING_TYPE == "unstructured":
            rest = from_array(to_array(scores)[kept])
            part = self.compute_mask(rest, ones_like(rest))
            found = np.zeros(kept.shape, to_array(before).dtype)
            found[kept] = to_array(part)
            return from_array(found, before.device)
        return from_array(to_array(self.compute_mask(scores, before)) * kept, before.device, before.dtype)

    def prune(self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Any = None) -> Tensor:
        """Return a tensor with what the method does not keep set to zero."""
        before = ones_like(t) if default_mask is None else default_mask
        return mul(t, self.compute_mask(t if importance_scores is None else importance_scores, before))

    def remove(self, module: Module) -> None:
        """Make the masked tensor an ordinary parameter."""
        name = self._tensor_name
        original = getattr(module, f"{name}_orig")
        original.data = self.apply_mask(module).detach()
        for part in (name, f"{name}_orig", f"{name}_mask"):
            delattr(module, part)
        module.register_parameter(name, original)


def _prunes(hook: Any, name: str) -> bool:
    return isinstance(hook, BasePruningMethod) and hook._tensor_name == name


def _count(amount: Any, size: int) -> int:
    """Return how many of ``size`` to prune: a part of them, or a number.

    Raises:
        ValueError: ``amount`` is negative, a fraction above 1, or a number above ``size``.
        TypeError: It is no number.
    """
    if not isinstance(amount, int | float | np.integer | np.floating):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    whole = isinstance(amount, int | np.integer)
    if amount < 0 or (not whole and amount > 1.0):
        raise ValueError(
            f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer"
        )
    count = int(amount) if whole else round(float(amount) * size)
    if count > size:
        raise ValueError(f"amount={amount} should be smaller than the number of parameters to prune={size}")
    return count


class Identity(BasePruningMethod):
    """Keeps everything."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask


class _Amount(BasePruningMethod):
    def __init__(self, amount: Any) -> None:
        _count(amount, 2**62)
        self.amount = amount


def _without(mask: Tensor, places: Any) -> Tensor:
    new = np.array(to_array(mask))
    new.reshape(-1)[places] = 0
    return from_array(new, mask.device)


class L1Unstructured(_Amount):
    """Prunes the elements of smallest magnitude."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        order = np.argsort(np.abs(to_array(t)).reshape(-1), kind="stable")
        return _without(default_mask, order[: _count(self.amount, t.numel())])


class RandomUnstructured(_Amount):
    """Prunes any elements."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return _without(default_mask, drawing(None).permutation(t.numel())[: _count(self.amount, t.numel())])


class _Structured(_Amount):
    PRUNING_TYPE = "structured"

    def __init__(self, amount: Any, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def _order(self, t: Tensor, axis: int) -> Any:
        """Return the numbers of the parts along ``axis``, those to be pruned first."""
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        axis = t._dim(self.dim)
        left: Any = np.moveaxis(to_array(default_mask), axis, 0).reshape(t.shape[axis], -1).any(1)
        order = [k for k in self._order(t, axis) if left[k]]
        new = np.array(to_array(default_mask))
        np.moveaxis(new, axis, 0)[order[: _count(self.amount, int(left.sum()))]] = 0
        return from_array(new, default_mask.device)


class LnStructured(_Structured):
    """Prunes the parts of smallest norm along a dimension."""

    def __init__(self, amount: Any, n: Any, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def _order(self, t: Tensor, axis: int) -> Any:
        parts = np.moveaxis(to_array(t), axis, 0).reshape(t.shape[axis], -1)
        power = {"fro": 2, "inf": np.inf, "-inf": -np.inf}.get(self.n, self.n)
        norms = np.linalg.norm(parts, power, 1)
        return np.lexsort((-np.arange(len(norms)), norms))  # of equal ones, the last is pruned first


class RandomStructured(_Structured):
    """Prunes any parts along a dimension."""

    def _order(self, t: Tensor, axis: int) -> Any:
        return drawing(None).permutation(t.shape[axis])


class CustomFromMask(BasePruningMethod):
    """Keeps what a given mask keeps."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return mul(default_mask, self.mask.to(default_mask.dtype))


def identity(module: Module, name: str) -> Module:
    """Add the parts of a pruned tensor without pruning."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: Any) -> Module:
    """Prune any elements: a part of them (float), or a number (int)."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(
    module: Module, name: str, amount: Any, importance_scores: Tensor | None = None
) -> Module:
    """Prune the elements of smallest magnitude."""
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: Any, dim: int) -> Module:
    """Prune any parts along a dimension."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Module, name: str, amount: Any, n: Any, dim: int, importance_scores: Tensor | None = None
) -> Module:
    """Prune the parts of smallest n-norm along a dimension."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Prune by a mask."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]], pruning_method: type[Any], importance_scores: Any = None, **kwargs: Any
) -> None:  # fmt: skip
    """Prune the elements of several tensors together: the method sees them as one vector.

    Raises:
        TypeError: The method is not "unstructured".
    """
    pairs = list(parameters)
    given = importance_scores or {}
    scores = [given.get((m, n), getattr(m, n)).detach() for m, n in pairs]
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            f'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method {pruning_method} of '
            f"type {method.PRUNING_TYPE}"
        )
    before = [m._buffers.get(f"{n}_mask", ones_like(s)) for (m, n), s in zip(pairs, scores)]
    flat = [np.concatenate([to_array(t).reshape(-1) for t in ts]) for ts in (scores, before)]
    mask = to_array(method._after(from_array(flat[0]), from_array(flat[1])))
    start = 0
    for (module, name), s in zip(pairs, scores):
        part = mask[start : start + s.numel()].reshape(tuple(s.shape))
        custom_from_mask(module, name, from_array(part.copy(), s.device))
        start += s.numel()


def remove(module: Module, name: str) -> Module:
    """Make a pruned tensor an ordinary parameter, which keeps the zeros.

    Raises:
        ValueError: It is not pruned.
    """
    for k, hook in list(module._forward_pre_hooks.items()):
        if _prunes(hook, name):
            del module._forward_pre_hooks[k]
            hook.remove(module)
            return module
    raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")


def is_pruned(module: Module) -> bool:
    """Tell whether a tensor of the module, or below it, is pruned."""
    return any(
        isinstance(hook, BasePruningMethod)
        for m in module.modules()
        for hook in m._forward_pre_hooks.values()
    )
