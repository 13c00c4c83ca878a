"""check_layer: outputs and gradients of a whole layer against central differences, or against PyTorch.

Depends on `minitorch.module` and `minitorch.tensor`; PyTorch is imported only when it is the reference.
"""

from __future__ import annotations

import copy
import importlib
import inspect
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..autodiff import Function, no_grad
from ..module import Module
from ..runtime import rng
from ..tensor import Tensor, tensor
from ..tensor_data import BackendError

Array = npt.NDArray[np.float64]
Error = tuple[str, float]

CHECKED_ONE_BY_ONE = 400  # larger tensors are checked in SAMPLED elements and along one random direction
SAMPLED = 100
STEP = 1e-6  # half the distance of the two points of a difference


def check_layer(layer: Any, *shapes: tuple[int, ...], against: Any = "numeric", seed: int = 0) -> list[Error]:
    """Measure how far a layer's outputs and gradients are from those of a reference, in float64.

    The layer works on normal random inputs, in the mode (train or eval) it is in; gradients are those of a random
    weighted sum of the outputs. It is copied first and stays as it is, and so does the state of ``random``: what a
    layer draws depends on ``seed``, and is the same at each call.

    Args:
        layer: A Module, or any callable of Tensors that gives a Tensor, such as ``ReLU()``.
        *shapes: The shape of each input.
        against: "numeric" (default): central differences of all elements of each input and parameter, or of 100
            random elements and one random direction where there are more than 400. "torch": the layer of
            ``torch.nn`` with the same class name, settings and state dict. Or a torch module, which loads the state
            dict, or a function of torch tensors. Dropout in training draws other masks there: use eval mode.
        seed: Of inputs, weights of the sum, and elements; by default 0.

    Returns:
        (name, mean absolute error) pairs: "output" (against PyTorch, or against the reference backend), "input
        gradient" ("input 0 gradient", ... of several), and "weight gradient" and so on, by the parameters' names.

    Raises:
        ImportError: ``against`` needs PyTorch, which is not installed.
        ValueError: No shape is given, ``against`` is an unknown word, or ``torch.nn`` has no such layer.
        TypeError: The result of the layer is not a Tensor.
        AssertionError: PyTorch's result has another shape.
    """
    if not shapes:
        raise ValueError("check_layer: expected the shape of at least one input, got none")
    if isinstance(against, str) and against not in ("numeric", "torch"):
        raise ValueError(
            f'check_layer: expected against "numeric", "torch", a torch module or a function, got {against!r}'
        )
    ours = _Ours(layer, shapes, seed)
    with rng.seeded(seed):
        return (
            [*_reference(ours), *_differences(ours, seed)]
            if against == "numeric"
            else list(_torch(ours, layer, against))
        )


class _Ours:
    """A copy of the layer in float64, its inputs, its output and its gradients."""

    def __init__(self, layer: Any, shapes: Iterable[tuple[int, ...]], seed: int) -> None:
        self.layer, self.seed = copy.deepcopy(layer), seed
        parameters = []
        backend = None
        if isinstance(self.layer, Module):
            self.layer.to(dtype="float64")
            self.layer.zero_grad()
            parameters = [(name, p.value) for name, p in self.layer.named_parameters()]
            backend = next((v.backend for _, v in parameters if isinstance(v, Tensor)), None)
        self.draw = rng.generator(seed)
        self.inputs = [
            tensor(self.draw.standard_normal(shape), backend, True, dtype="float64") for shape in shapes
        ]
        names = ["input"] if len(self.inputs) == 1 else [f"input {k}" for k in range(len(self.inputs))]
        self.leaves = [*zip(names, self.inputs), *((n, v) for n, v in parameters if isinstance(v, Tensor))]
        self.leaves = [(name, leaf) for name, leaf in self.leaves if leaf.requires_grad()]
        self.state = self.layer.state_dict() if isinstance(self.layer, Module) else {}
        self.output = self.run()
        self.weights = self.draw.standard_normal(self.output.shape)
        if self.output.requires_grad():
            self.output.backward(tensor(self.weights, self.output.backend, dtype="float64"))

    def run(self) -> Tensor:
        """Call the layer, with the same random numbers each time."""
        with rng.seeded(self.seed):
            output = self.layer(*self.inputs)
        if not isinstance(output, Tensor):
            raise TypeError(
                f"check_layer: expected a layer that returns a Tensor, got a {type(output).__name__}"
            )
        return output


def _reference(ours: _Ours) -> Iterator[Error]:
    """Compare the output with that of the reference backend, unless the layer keeps tensors of another backend."""
    layer, inputs = copy.deepcopy(ours.layer), [x.detach().to("simple") for x in ours.inputs]
    if isinstance(layer, Module):
        layer.to("simple")
        layer.load_state_dict(ours.state)
    try:
        with no_grad(), rng.seeded(ours.seed):
            output = layer(*inputs)
    except BackendError:
        if isinstance(layer, Module):
            raise
        return
    yield "output", _distance(ours.output.to_numpy(), output.to_numpy(), "output")


def _gradient(leaf: Tensor) -> Array:
    return np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.to_numpy()


def _differences(ours: _Ours, seed: int) -> Iterator[Error]:
    for name, leaf in ours.leaves:
        start, found = leaf.to_numpy(), _gradient(leaf)
        if not leaf.size:
            continue
        draw = rng.generator(seed, leaf.size)
        large = leaf.size > CHECKED_ONE_BY_ONE
        elements = draw.choice(leaf.size, SAMPLED, replace=False) if large else np.arange(leaf.size)
        directions = [np.eye(1, leaf.size, int(k)).reshape(leaf.shape) for k in elements]
        if large:
            direction = draw.standard_normal(leaf.shape)
            directions.append(direction / np.linalg.norm(direction))
        errors = [abs(float((found * d).sum()) - _slope(ours, leaf, start, d)) for d in directions]
        yield f"{name} gradient", float(np.mean(errors))


def _slope(ours: _Ours, leaf: Tensor, start: Array, direction: Array) -> float:
    """Return the derivative of the weighted sum of the outputs along ``direction``."""
    ends = []
    with no_grad():
        for step in (STEP, -STEP):
            leaf.copy_(start + step * direction)
            ends.append(ours.run().to_numpy())
        leaf.copy_(start)
    # Differences first, then the sum: outputs that do not change add no rounding error.
    return float(((ends[0] - ends[1]) * ours.weights).sum()) / (2 * STEP)


def _torch(ours: _Ours, layer: Any, against: Any) -> Iterator[Error]:
    try:
        torch = importlib.import_module("torch")
    except ImportError as problem:
        raise ImportError(
            'check_layer(..., against="torch") needs PyTorch: pip install torch, or use against="numeric"'
        ) from problem
    theirs = _twin(torch, layer) if against == "torch" else copy.deepcopy(against)
    parameters = {}
    if isinstance(theirs, torch.nn.Module):
        theirs = theirs.double()
        theirs.load_state_dict({name: torch.from_numpy(array) for name, array in ours.state.items()})
        theirs.train(layer.training if isinstance(layer, Module) else True)
        parameters = dict(theirs.named_parameters())
        for p in parameters.values():
            p.grad = None
    inputs = [torch.from_numpy(x.to_numpy()).requires_grad_(True) for x in ours.inputs]
    output = theirs(*inputs)
    # A loss over all elements has shape () there and (1,) here.
    output = output.reshape(ours.output.shape) if output.ndim == 0 and ours.output.size == 1 else output
    yield "output", _distance(ours.output.to_numpy(), output.detach().numpy(), "output")
    if output.requires_grad:
        output.backward(torch.from_numpy(ours.weights))
    for k, (name, leaf) in enumerate(ours.leaves):
        other = inputs[k] if k < len(inputs) else parameters.get(name)
        if other is not None:
            grad = torch.zeros_like(other) if other.grad is None else other.grad
            yield f"{name} gradient", _distance(_gradient(leaf), grad.numpy(), f"{name} gradient")


def _distance(ours: Array, theirs: Array, name: str) -> float:
    if ours.shape != theirs.shape:
        raise AssertionError(
            f"check_layer: {name} has shape {ours.shape} here, {theirs.shape} in the reference"
        )
    return float(np.abs(ours - theirs).mean()) if ours.size else 0.0


def _twin(torch: Any, layer: Any) -> Any:
    """Return PyTorch's layer of the same class name and settings."""
    name = type(layer).__name__
    kind = vars(torch.nn).get(name)
    if not isinstance(kind, type) or not issubclass(type(layer), (Module, Function)):
        raise ValueError(
            f"check_layer: torch.nn has no layer {name!r}: pass a torch module or function as `against`"
        )
    if name == "Sequential":
        return kind(OrderedDict((key, _twin(torch, child)) for key, child in zip(layer.names, layer)))
    return kind(**_settings(layer, kind))


def _settings(layer: Any, kind: Callable[..., Any]) -> dict[str, Any]:
    """Return the arguments of ``kind`` that are attributes of ``layer``; the others keep their defaults."""
    wanted = inspect.signature(kind).parameters
    known = {**vars(layer), **vars(layer).get("settings", {})}
    if "channels" in known:
        known["in_channels"], known["out_channels"] = known["channels"]
    if "kernel" in known:
        known["kernel_size"] = known["kernel"]
    own = dict(layer.named_parameters()) if isinstance(layer, Module) else {}
    known |= {"bias": "bias" in own, "affine": "weight" in own, "elementwise_affine": "weight" in own}
    return {key: known[key] for key in wanted if key in known}
