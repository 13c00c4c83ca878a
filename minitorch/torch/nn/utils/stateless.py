"""A module called with other parameters: ``torch.func.functional_call`` and ``torch.nn.utils.stateless``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...tensor import Tensor
from ..modules.module import Module


def functional_call(
    module: Module, parameters_and_buffers: Any, args: Any = None, kwargs: Mapping[str, Any] | None = None, *,
    tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """Call a module with these tensors in place of its parameters and buffers of the same dotted names.

    Args:
        module: What is called; it is the same afterwards.
        parameters_and_buffers: Tensors by name, or several such dicts.
        args: The arguments: a tuple, or one of another kind.
        kwargs: The keyword arguments.
        tie_weights: Whether a parameter with several names is replaced under all of them.
        strict: Whether all parameters and buffers have to be given.

    Raises:
        RuntimeError: With ``strict``, names are missing or unknown.
    """
    given: dict[str, Any] = {}
    listed = (
        parameters_and_buffers if isinstance(parameters_and_buffers, Sequence) else [parameters_and_buffers]
    )
    for part in listed:
        given.update(part)
    own = dict(module.named_parameters(remove_duplicate=False)) | dict(
        module.named_buffers(remove_duplicate=False)
    )
    unknown, missing = [n for n in given if n not in own], [n for n in own if n not in given]
    if strict and (unknown or missing):
        raise RuntimeError(
            f"Error(s) in functional_call: unexpected key(s) {unknown}, missing key(s) {missing}"
        )
    if tie_weights:
        places = {id(own[n]): t for n, t in given.items() if n in own}
        given = {**{n: places[id(t)] for n, t in own.items() if id(t) in places}, **given}
    before: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for name, t in given.items():
            path, _, last = name.rpartition(".")
            owner = module.get_submodule(path)
            home = owner._parameters if last in owner._parameters else owner._buffers
            if last not in home and isinstance(t, Tensor):
                raise AttributeError(f"{owner._get_name()} has no attribute `{last}`")
            before.append((home, last, home[last]))
            home[last] = t
        positional = () if args is None else args if isinstance(args, tuple) else (args,)
        return module(*positional, **(kwargs or {}))
    finally:
        for home, last, value in reversed(before):
            home[last] = value
