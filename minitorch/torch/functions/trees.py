"""Nested tuples, lists and dicts of tensors: their leaves, and the same nesting of other leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def leaves(tree: Any) -> list[Any]:
    """Return what a nesting holds, from left to right."""
    if isinstance(tree, dict):
        return [x for v in tree.values() for x in leaves(v)]
    if isinstance(tree, list | tuple):
        return [x for v in tree for x in leaves(v)]
    return [tree]


def mapped(fn: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Return the same nesting of ``fn(leaf, ...)``, with the leaves of ``others`` at the same places."""
    if isinstance(tree, dict):
        return type(tree)((k, mapped(fn, v, *(o[k] for o in others))) for k, v in tree.items())
    if isinstance(tree, list | tuple):
        parts = [mapped(fn, v, *(o[k] for o in others)) for k, v in enumerate(tree)]
        named = isinstance(tree, tuple) and type(tree) is not tuple
        return type(tree)(*parts) if named else type(tree)(parts)
    return fn(tree, *others)
