"""RNN, LSTM and GRU over sequences, and their single steps: compositions of `linear` and activations.

The part of the input is one matrix product for all steps; the part of the state is one for each step. A batch is
sorted by length, so that the sequences that still run at a step are its first rows.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from ...creation import empty, zeros
from ...elementwise import add, mul, sigmoid, sub, tanh
from ...indexing import index_select
from ...joining import cat, chunk, stack
from ...shapes import reshape
from ...tensor import Tensor, to_array
from .. import functional as F
from .. import init
from ..parameter import Parameter
from ..utils.rnn import PackedSequence
from .module import Module

# A step takes the part of the input (N, gates * H), the state, the weights of the state, and the name of a function.


def _rnn_step(gx: Tensor, state: Any, w: Any, nonlinearity: str) -> Any:
    total = add(gx, F.linear(state[0], w[0], w[1]))
    return (tanh(total) if nonlinearity == "tanh" else F.relu(total),)


def _lstm_step(gx: Tensor, state: Any, w: Any, _: str) -> Any:
    h, c = state
    i, f, g, o = chunk(add(gx, F.linear(h, w[0], w[1])), 4, -1)
    c = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g)))
    h = mul(sigmoid(o), tanh(c))
    return (h if w[2] is None else F.linear(h, w[2])), c


def _gru_step(gx: Tensor, state: Any, w: Any, _: str) -> Any:
    (h,) = state
    xr, xz, xn = chunk(gx, 3, -1)
    hr, hz, hn = chunk(F.linear(h, w[0], w[1]), 3, -1)
    r, z = sigmoid(add(xr, hr)), sigmoid(add(xz, hz))
    n = tanh(add(xn, mul(r, hn)))
    return (add(mul(sub(1.0, z), n), mul(z, h)),)


class RNNBase(Module):
    """What the three share: parameters, layers, directions, packed sequences."""

    gates, states = 1, 1
    step: Any = staticmethod(_rnn_step)
    nonlinearity = "tanh"

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.mode, self.input_size, self.hidden_size, self.num_layers = (
            mode,
            input_size,
            hidden_size,
            num_layers,
        )
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional, self.proj_size = bidirectional, proj_size
        self._require_settings(dropout)
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        out = proj_size or hidden_size
        rows = self.gates * hidden_size
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            width = input_size if layer == 0 else out * self._directions
            for suffix in self._suffixes(layer):
                shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, width), "weight_hh": (rows, out)}
                if bias:
                    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                for name, shape in shapes.items():
                    self.register_parameter(f"{name}_{suffix}", Parameter(empty(*shape, **made)))
                self._all_weights.append([f"{name}_{suffix}" for name in shapes])
        self.reset_parameters()

    def _require_settings(self, dropout: Any) -> None:
        if not isinstance(dropout, int | float) or not 0 <= dropout <= 1 or isinstance(dropout, bool):
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
            )
        if dropout > 0 and self.num_layers == 1:
            warnings.warn(
                f"dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={self.num_layers}",
                UserWarning,
                stacklevel=4,
            )
        if not isinstance(self.hidden_size, int):
            raise TypeError(f"hidden_size should be of type int, got: {type(self.hidden_size).__name__}")
        if self.hidden_size <= 0:
            raise ValueError("hidden_size must be greater than zero")
        if self.num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        if self.proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if self.proj_size >= self.hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights(self) -> list[Any]:
        return [p for weights in self.all_weights for p in weights]

    def reset_parameters(self) -> None:
        """Draw initial values."""
        bound = 1 / math.sqrt(self.hidden_size)
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def flatten_parameters(self) -> None:
        """Accepted, and changes nothing."""

    def _suffixes(self, layer: int) -> list[str]:
        return [f"l{layer}", f"l{layer}_reverse"] if self.bidirectional else [f"l{layer}"]

    def forward(self, input: Any, hx: Any = None) -> Any:
        """Run over sequences.

        Args:
            input: (L, N, input_size), with ``batch_first`` (N, L, input_size); (L, input_size) without a batch; or a
                PackedSequence.
            hx: The state at the start, (layers * directions, N, hidden_size), for LSTM a pair of them; default zeros.

        Returns:
            The outputs of the last layer, and the state at the end.
        """
        name = type(self).__name__
        if isinstance(input, PackedSequence):
            self._require_width(input.data)
            sizes = to_array(input.batch_sizes).tolist()
            given = self._start(input.data, sizes[0], hx)
            if input.sorted_indices is not None and hx is not None:
                given = tuple(index_select(h, 1, input.sorted_indices) for h in given)
            data, final = self._layers(input.data, sizes, given)
            if input.unsorted_indices is not None:
                final = tuple(index_select(h, 1, input.unsorted_indices) for h in final)
            packed = PackedSequence(data, input.batch_sizes, input.sorted_indices, input.unsorted_indices)
            return packed, final if self.states > 1 else final[0]
        if input.ndim not in (2, 3):
            raise ValueError(f"{name}: Expected input to be 2D or 3D, got {input.ndim}D tensor instead")
        alone = input.ndim == 2
        if hx is not None:
            for h in hx if self.states > 1 else (hx,):
                if h.ndim != input.ndim:
                    kind = "unbatched 2-D" if alone else "batched 3-D"
                    raise RuntimeError(
                        f"For {kind} input, hx should also be {input.ndim}-D but got {h.ndim}-D tensor"
                    )
        x = input.unsqueeze(1) if alone else input.transpose(0, 1) if self.batch_first else input
        self._require_width(x)
        steps, n = x.shape[:2]
        if alone and hx is not None:
            hx = tuple(h.unsqueeze(1) for h in hx) if self.states > 1 else hx.unsqueeze(1)
        data, final = self._layers(reshape(x, steps * n, x.shape[2]), [n] * steps, self._start(x, n, hx))
        out = reshape(data, steps, n, data.shape[1])
        if alone:
            out, final = out.squeeze(1), tuple(h.squeeze(1) for h in final)
        elif self.batch_first:
            out = out.transpose(0, 1)
        return out, final if self.states > 1 else final[0]

    def _require_width(self, x: Tensor) -> None:
        if x.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {x.shape[-1]}"
            )

    def _start(self, x: Tensor, n: int, hx: Any) -> tuple[Any, ...]:
        widths = [self.proj_size or self.hidden_size, self.hidden_size][: self.states]
        shapes = [(self.num_layers * self._directions, n, w) for w in widths]
        if hx is None:
            return tuple(zeros(*shape, dtype=x.dtype, device=x.device) for shape in shapes)
        given = tuple(hx) if self.states > 1 else (hx,)
        for k, (h, shape) in enumerate(zip(given, shapes)):
            if tuple(h.shape) != shape:
                what = f"hidden[{k}]" if self.states > 1 else "hidden"
                raise RuntimeError(f"Expected {what} size {shape}, got {list(h.shape)}")
        return given

    def _layers(self, data: Tensor, sizes: list[int], given: Any) -> tuple[Tensor, tuple[Any, ...]]:
        """Run all layers over packed elements (sum of sizes, width)."""
        ends: list[Any] = []
        for layer in range(self.num_layers):
            outs = []
            for k in range(self._directions):
                number = layer * self._directions + k
                out, end = self._direction(data, sizes, tuple(h[number] for h in given), number, k == 1)
                outs.append(out)
                ends.append(end)
            data = outs[0] if len(outs) == 1 else cat(outs, -1)
            if layer < self.num_layers - 1:
                data = F.dropout(data, self.dropout, self.training)
        return data, tuple(stack([e[s] for e in ends]) for s in range(self.states))

    def _direction(
        self, data: Tensor, sizes: list[int], start: tuple[Any, ...], number: int, backwards: bool
    ) -> tuple[Tensor, tuple[Any, ...]]:  # fmt: skip
        names = {name.rpartition("_l")[0]: getattr(self, name) for name in self._all_weights[number]}
        gx = F.linear(data, names["weight_ih"], names.get("bias_ih"))
        w = (names["weight_hh"], names.get("bias_hh"), names.get("weight_hr"))
        places: list[int] = []
        for size in sizes:
            places.append(places[-1] + size if places else size)
        found: list[Any] = [None] * len(sizes)
        finished: list[Any] = []
        running = 0 if backwards else sizes[0]
        state = start
        for t in reversed(range(len(sizes))) if backwards else range(len(sizes)):
            size = sizes[t]
            if backwards and size > running:  # sequences begin that were shorter
                new = tuple(h[running:size] for h in start)
                state = tuple(cat([h, n]) for h, n in zip(state, new)) if running else new
            elif size < running:  # sequences end
                finished.append(tuple(h[size:] for h in state))
                state = tuple(h[:size] for h in state)
            running = size
            state = self.step(gx[places[t] - size : places[t]], state, w, self.nonlinearity)
            found[t] = state[0]
        finished.append(state)
        end = tuple(cat([e[s] for e in reversed(finished)]) for s in range(self.states))
        return cat(found), end

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        for name, usual in (
            ("proj_size", 0),
            ("num_layers", 1),
            ("bias", True),
            ("batch_first", False),
            ("dropout", 0.0),
            ("bidirectional", False),
        ):
            if getattr(self, name) != usual:
                text += f", {name}={getattr(self, name)}"
        return text


class RNN(RNNBase):
    """The plain recurrent network: ``h = tanh(W_ih x + b_ih + W_hh h + b_hh)``."""

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", *args: Any,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        names = ("bias", "batch_first", "dropout", "bidirectional")
        settings = {**dict(zip(names, args)), **kwargs}
        super().__init__(f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, **settings)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997); ``proj_size``: Sak et al., 2014."""

    gates, states, step = 4, 2, staticmethod(_lstm_step)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)


class GRU(RNNBase):
    """Gated recurrent units (Cho et al., 2014)."""

    gates, states, step = 3, 1, staticmethod(_gru_step)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)


class RNNCellBase(Module):
    """What the single steps share: one step from (N, input_size) and the state (N, hidden_size), or without N."""

    gates, states = 1, 1
    step: Any = staticmethod(_rnn_step)
    nonlinearity = "tanh"

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:  # fmt: skip
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows, made = num_chunks * hidden_size, {"device": device, "dtype": dtype}
        self.weight_ih = Parameter(empty(rows, input_size, **made))
        self.weight_hh = Parameter(empty(rows, hidden_size, **made))
        self.register_parameter("bias_ih", Parameter(empty(rows, **made)) if bias else None)
        self.register_parameter("bias_hh", Parameter(empty(rows, **made)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw initial values."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        """Do one step: the input and the state to the new state."""
        name = type(self).__name__
        if input.ndim not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.ndim}D instead")
        given = hx if self.states > 1 else (hx,)
        if hx is None:
            shape = (*input.shape[:-1], self.hidden_size)
            given = (zeros(*shape, dtype=input.dtype, device=input.device),) * self.states
        for h in given:
            if h.ndim not in (1, 2):
                raise ValueError(f"{name}: Expected hidden to be 1D or 2D, got {h.ndim}D instead")
        alone = input.ndim == 1
        x = input.unsqueeze(0) if alone else input
        given = tuple(h.unsqueeze(0) if alone else h for h in given)
        gx = F.linear(x, self.weight_ih, self.bias_ih)
        new = self.step(gx, given, (self.weight_hh, self.bias_hh, None), self.nonlinearity)
        new = tuple(h.squeeze(0) for h in new) if alone else new
        return new if self.states > 1 else new[0]

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        text += f", bias={self.bias}" if not self.bias else ""
        return text + ("" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}")


class RNNCell(RNNCellBase):
    """One step of `RNN`."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        """Do one step: the input and the state to the new state."""
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return super().forward(input, hx)


class LSTMCell(RNNCellBase):
    """One step of `LSTM`."""

    gates, states, step = 4, 2, staticmethod(_lstm_step)

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)


class GRUCell(RNNCellBase):
    """One step of `GRU`."""

    gates, states, step = 3, 1, staticmethod(_gru_step)

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)
