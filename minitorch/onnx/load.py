"""Reads an ONNX file as a network.

The file is checked as a whole before a network is made of it: names, order, operators, attributes, sizes, shapes. The
parts are read in `reading`, the table of operators is in `operators`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..module import Module, Parameter
from ..nn.normalization import BatchNorm2d
from ..runtime.types import Array
from ..tensor import tensor
from .calls import Node
from .errors import LoadError
from .network import Network
from .operators import OPERATORS
from .reading import read_array, read_attribute, read_input, read_model, read_settings, shown

OLDEST, NEWEST = 9, 23  # versions of the operators
MOST_NODES = 100_000
STATISTICS = ("weight", "bias", "running_mean", "running_var")  # operands 2 to 5 of BatchNormalization
CONSTANTS = ("value", "value_float", "value_floats", "value_int", "value_ints")


class Normalization(BatchNorm2d):
    """Batch normalization of (N, C), (N, C, W) or (N, C, H, W): the file does not say which."""

    dims = (2, 3, 4)


def load(path: str | os.PathLike[str]) -> Network:
    """Read a network from an ONNX file, in evaluation mode, on the default backend; numbers keep their dtype.

    The operators of the table `OPERATORS` are read, in versions 9 to 23. Nothing in the file is run, and no data are
    read from outside its folder. Needs the package ``onnx``.

    Args:
        path: The file.

    Returns:
        The network. Its weights are Parameters under their names in the file.

    Raises:
        LoadError: It is no ONNX file, is damaged, or needs an operator or a version that is not known.
        OSError: It cannot be read.
    """
    path = Path(path)
    try:
        return _Reader(read_model(path), path).network().eval()
    except LoadError as error:
        raise LoadError(f"{path}: {error}") from None


class _Reader:
    """Makes the network of a message.

    Args:
        model: The message.
        path: Its file.
    """

    def __init__(self, model: Any, path: Path) -> None:
        self.model, self.graph, self.folder = model, model.graph, path.parent
        self.title = path.name
        self.version = _version(model)
        self.arrays: dict[str, Array] = {}
        self.constants: set[str] = set()  # arrays of Constant nodes, which are not trained

    def network(self) -> Network:
        """Return the network.

        Raises:
            LoadError: The file cannot be read or computed.
        """
        graph = self.graph
        if graph.sparse_initializer or self.model.functions:
            raise LoadError("sparse arrays and functions of the file's own are not read")
        if len(graph.node) > MOST_NODES:
            raise LoadError(f"expected at most {MOST_NODES:,} nodes, got {len(graph.node):,}")
        for message in graph.initializer:
            self._add_array(message.name, read_array(message, self.folder))
        inputs = [read_input(i) for i in graph.input if i.name not in self.arrays]
        names = [i.name for i in inputs]
        if len(set(names)) != len(names):
            raise LoadError("an input is there twice")
        nodes = self._nodes(names)
        outputs = [o.name for o in graph.output]
        made = {*names, *self.arrays, *(node.result for node in nodes)}
        missing = [name for name in outputs if name not in made]
        if not outputs or missing:
            raise LoadError(
                f"output {shown(missing[0])} is computed nowhere" if missing else "there is no output"
            )
        _require_shapes(self.model)
        return self._filled(Network(self.title, inputs, outputs), nodes)

    def _add_array(self, name: str, array: Array) -> None:
        if not name or name in self.arrays:
            raise LoadError(f"expected an array with a name of its own, got {shown(name)}")
        self.arrays[name] = array

    def _nodes(self, inputs: Iterable[str]) -> list[Node]:
        """Return the nodes of the graph, without constants, after the check that each follows what it needs."""
        known = {*inputs, *self.arrays}
        later = {name for node in self.graph.node for name in node.output if name}
        nodes = []
        for number, message in enumerate(self.graph.node, 1):
            label = f"node {number} ({message.op_type[:40]})"
            try:
                node = self._node(message, label)
            except LoadError as error:
                raise LoadError(f"{label}: {error}") from None
            for name in message.input:
                if name and name not in known:
                    why = (
                        "a later node computes: the nodes are out of order or in a cycle"
                        if name in later
                        else ""
                    )
                    raise LoadError(f"{label}: needs {shown(name)}, which {why or 'is nowhere in the file'}")
            for name in filter(None, message.output):
                if name in known:
                    raise LoadError(f"{label}: the name {shown(name)} is taken")
            # Results besides the first are not computed: a node that needs one finds no such name.
            known.add(message.output[0])
            nodes += [] if node is None else [node]
        return nodes

    def _node(self, message: Any, label: str) -> Node | None:
        """Return a node, or None for what is an array of the file."""
        if message.domain not in ("", "ai.onnx"):
            raise LoadError(f"operators of {shown(message.domain)} are not known")
        if not message.output or not message.output[0]:
            raise LoadError("it has no result")
        if message.op_type == "Constant":
            self._add_constant(message)
            return None
        if message.op_type == "Identity" and len(message.input) == 1 and message.input[0] in self.arrays:
            self._add_array(message.output[0], self.arrays[message.input[0]])  # equal weights, stored once
            self.constants |= {message.output[0]} if message.input[0] in self.constants else set()
            return None
        operator = OPERATORS.get(message.op_type)
        if operator is None:
            raise LoadError("this operator is not in the table of minitorch.onnx")
        operands = tuple(message.input)
        while operands and not operands[-1]:
            operands = operands[:-1]
        if not operator.least <= len(operands) <= operator.most or not all(operands[: operator.least]):
            most = "" if operator.most == operator.least else f" to {operator.most}"
            raise LoadError(f"expected {operator.least}{most} operands, got {len(operands)}")
        settings = read_settings(message, operator.settings, self.folder)
        return Node(label, message.op_type, operands, message.output[0], settings, self.version)

    def _add_constant(self, message: Any) -> None:
        if len(message.attribute) != 1 or message.attribute[0].name not in CONSTANTS:
            raise LoadError(f"expected one of the attributes {', '.join(CONSTANTS)}")
        value = read_attribute(message.attribute[0], self.folder)
        self._add_array(message.output[0], np.asarray(value))
        self.constants.add(message.output[0])

    def _filled(self, network: Network, nodes: list[Node]) -> Network:
        """Give a network its nodes, weights and constants."""
        operands: set[str] = set(network.outputs) & self.arrays.keys()  # arrays that are computed with
        settings: set[str] = set()  # arrays that are settings
        last = {name: number for number, node in enumerate(nodes) for name in node.operands}
        kept = {*network.outputs, *self.arrays}
        for number, node in enumerate(nodes):
            layer = None
            if node.operator == "BatchNormalization":
                layer = self._normalization(network, node, number)
                node = node._replace(operands=node.operands[:1])
            for place, name in enumerate(node.operands):
                if name in self.arrays:
                    whole = self.arrays[name].dtype.kind != "f"
                    (settings if whole or place in OPERATORS[node.operator].constants else operands).add(name)
            used = {name for name in (*node.operands, node.result) if name and name not in kept}
            done = tuple(sorted(n for n in used if last.get(n, number) == number))
            network.nodes.append(node._replace(layer=layer, done=done))
        for name in sorted(settings):
            network.settings[name] = self.arrays[name]
        for name in self.arrays:  # in the order of the file
            if name in operands:
                self._place(network, name, settings)
        return network

    def _place(self, network: Network, name: str, settings: set[str]) -> None:
        """Make an array a Parameter, or a buffer if it is a constant or a single number."""
        array = self.arrays[name]
        if array.dtype.kind != "f":
            network.settings[name] = array
            return
        value = tensor(array)
        home, key = _home(network, name.split("."))
        if name in self.constants or not array.ndim:
            home.register_buffer(key, value)
        else:
            setattr(home, key, Parameter(value, key))
        network.homes[name] = (home, key)

    def _normalization(self, network: Network, node: Node, number: int) -> Module:
        """Return the layer of a node BatchNormalization, as a child of the network with the names of the file."""
        given = [self.arrays.get(name) for name in node.operands[1:]]
        known = [array for array in given if array is not None and array.dtype.kind == "f"]
        if len(known) != 4 or len({array.shape for array in known}) != 1 or known[0].ndim != 1:
            raise LoadError(
                f"{node.label}: expected scale, shift, mean and variance of one shape (C,) in the file"
            )
        settings = node.settings
        layer = Normalization(known[0].shape[0], settings["epsilon"], 1.0 - settings["momentum"])
        layer.to(dtype=known[0].dtype).load_state_dict(dict(zip(STATISTICS, known)), strict=False)
        prefix, _, ending = node.operands[1].rpartition(".")
        words = prefix.split(".") if ending == STATISTICS[0] else [f"normalization_{number}"]
        home, key = _home(network, words)
        setattr(home, key, layer)
        return layer


def _version(model: Any) -> int:
    """Return the version of the operators.

    Raises:
        LoadError: It is not known.
    """
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if len(versions) != 1 or not OLDEST <= versions[0] <= NEWEST:
        found = ", ".join(map(str, versions)) or "none"
        raise LoadError(f"expected operators of one version from {OLDEST} to {NEWEST}, got {found}")
    return int(versions[0])


def _require_shapes(model: Any) -> None:
    """Check the shapes as far as the file tells them.

    Raises:
        LoadError: They do not fit.
    """
    from onnx import shape_inference

    try:
        shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    except shape_inference.InferenceError as error:
        line = " ".join(str(error).split())
        raise LoadError(f"shapes or types do not fit: {line}") from None


def _home(root: Module, words: list[str]) -> tuple[Module, str]:
    """Return the module and the attribute that a dotted name means; modules on the way are made.

    Where an attribute is taken or is none, the whole name is one word with a number.
    """
    words = [re.sub(r"\W", "_", word) for word in words]
    home = root
    for word in words[:-1]:
        if word in home._modules and not isinstance(home._modules[word], Normalization):
            home = home._modules[word]
        elif _is_free(home, word):
            child = Module()
            setattr(home, word, child)
            home = child
        else:
            return root, _free_word(root, words)
    return (home, words[-1]) if _is_free(home, words[-1]) else (root, _free_word(root, words))


def _free_word(root: Module, words: list[str]) -> str:
    base, number = "_".join(words).strip("_") or "weight", 1
    word = f"{base}_{number}"
    while not _is_free(root, word):
        number += 1
        word = f"{base}_{number}"
    return word


def _is_free(home: Module, word: str) -> bool:
    registries: tuple[Mapping[str, Any], ...] = (home._modules, home._parameters, home._buffers, vars(home))
    of_class = any(word in vars(kind) for kind in type(home).__mro__)
    return bool(word) and word[0] != "_" and not of_class and not any(word in names for names in registries)
