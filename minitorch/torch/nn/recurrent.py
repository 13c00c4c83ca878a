"""RNN, LSTM and GRU over sequences, and their single steps: compositions of `linear` and activations."""

from __future__ import annotations

import math
from typing import Any

from ..creation import empty, zeros
from ..elementwise import add, mul, sigmoid, sub, tanh
from ..joining import cat, chunk, stack, unbind
from ..tensor import Tensor
from . import functional as F
from .module import Module
from .parameter import Parameter


def _rnn_step(x: Tensor, state: Any, w: Any, nonlinearity: str) -> Any:
    (h,) = state
    total = add(F.linear(x, w[0], w[2]), F.linear(h, w[1], w[3]))
    return (tanh(total) if nonlinearity == "tanh" else F.relu(total),)


def _lstm_step(x: Tensor, state: Any, w: Any, _: str) -> Any:
    h, c = state
    i, f, g, o = chunk(add(F.linear(x, w[0], w[2]), F.linear(h, w[1], w[3])), 4, -1)
    c = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g)))
    return mul(sigmoid(o), tanh(c)), c


def _gru_step(x: Tensor, state: Any, w: Any, _: str) -> Any:
    (h,) = state
    xr, xz, xn = chunk(F.linear(x, w[0], w[2]), 3, -1)
    hr, hz, hn = chunk(F.linear(h, w[1], w[3]), 3, -1)
    r, z = sigmoid(add(xr, hr)), sigmoid(add(xz, hz))
    n = tanh(add(xn, mul(r, hn)))
    return (add(mul(sub(1.0, z), n), mul(z, h)),)


class _Recurrent(Module):
    gates, states = 1, 1
    step: Any = staticmethod(_rnn_step)

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, nonlinearity: str = "tanh",
    ) -> None:  # fmt: skip
        super().__init__()
        self.input_size, self.hidden_size, self.num_layers, self.bias = (
            input_size,
            hidden_size,
            num_layers,
            bias,
        )
        self.batch_first, self.dropout, self.bidirectional = batch_first, dropout, bidirectional
        self.nonlinearity = nonlinearity
        for layer in range(num_layers):
            width = input_size if layer == 0 else hidden_size * (2 if bidirectional else 1)
            for suffix in self._suffixes(layer):
                shapes: dict[str, tuple[int, ...]] = {
                    "weight_ih": (self.gates * hidden_size, width),
                    "weight_hh": (self.gates * hidden_size, hidden_size),
                }
                if bias:
                    shapes |= {"bias_ih": (self.gates * hidden_size,), "bias_hh": (self.gates * hidden_size,)}
                for name, shape in shapes.items():
                    self.register_parameter(f"{name}_{suffix}", Parameter(empty(*shape)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw initial values."""
        bound = 1 / math.sqrt(self.hidden_size)
        for p in self.parameters():
            p.data.uniform_(-bound, bound)

    def flatten_parameters(self) -> None:
        """Accepted, and changes nothing."""

    def _suffixes(self, layer: int) -> list[str]:
        return [f"l{layer}", f"l{layer}_reverse"] if self.bidirectional else [f"l{layer}"]

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        """Run over a sequence.

        Args:
            input: (L, N, input_size), with ``batch_first`` (N, L, input_size); or (L, input_size) without a batch.
            hx: The state at the start, (layers * directions, N, hidden_size), for LSTM a pair of them; default zeros.

        Returns:
            The outputs of the last layer, and the state at the end.
        """
        alone = input.ndim == 2
        x = input.unsqueeze(1) if alone else input.transpose(0, 1) if self.batch_first else input
        if x.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {x.shape[-1]}"
            )
        directions = 2 if self.bidirectional else 1
        if hx is None:
            start = zeros(
                self.num_layers * directions, x.shape[1], self.hidden_size, dtype=x.dtype, device=x.device
            )
            given: Any = (start,) * self.states
        else:
            given = hx if self.states > 1 else (hx,)
            given = tuple(h.unsqueeze(1) if alone else h for h in given)
        ends: list[Any] = []
        for layer in range(self.num_layers):
            outs = []
            for k, suffix in enumerate(self._suffixes(layer)):
                w = [getattr(self, f"weight_{p}_{suffix}") for p in ("ih", "hh")]
                w += (
                    [getattr(self, f"bias_{p}_{suffix}") for p in ("ih", "hh")] if self.bias else [None, None]
                )
                state = tuple(h[layer * directions + k] for h in given)
                steps = unbind(x, 0)
                found = []
                for t in reversed(steps) if k else steps:
                    state = self.step(t, state, w, self.nonlinearity)
                    found.append(state[0])
                outs.append(stack(found[::-1] if k else found))
                ends.append(state)
            x = outs[0] if directions == 1 else cat(outs, -1)
            if layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout, self.training)
        final = tuple(stack([e[s] for e in ends]) for s in range(self.states))
        if alone:
            x, final = x.squeeze(1), tuple(h.squeeze(1) for h in final)
        elif self.batch_first:
            x = x.transpose(0, 1)
        return x, final if self.states > 1 else final[0]

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        for name, usual in (
            ("num_layers", 1),
            ("bias", True),
            ("batch_first", False),
            ("dropout", 0.0),
            ("bidirectional", False),
        ):
            if getattr(self, name) != usual:
                text += f", {name}={getattr(self, name)}"
        return text


class RNN(_Recurrent):
    """The plain recurrent network: ``h = tanh(W_ih x + b_ih + W_hh h + b_hh)``."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        **settings: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, nonlinearity=nonlinearity, **settings)


class LSTM(_Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997)."""

    gates, states, step = 4, 2, staticmethod(_lstm_step)


class GRU(_Recurrent):
    """Gated recurrent units (Cho et al., 2014)."""

    gates, states, step = 3, 1, staticmethod(_gru_step)


class _OneStep(Module):
    gates, states, step = 1, 1, staticmethod(_rnn_step)

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh"
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.nonlinearity = input_size, hidden_size, nonlinearity
        bound = 1 / math.sqrt(hidden_size)
        rows = self.gates * hidden_size
        self.weight_ih = Parameter(empty(rows, input_size).uniform_(-bound, bound))
        self.weight_hh = Parameter(empty(rows, hidden_size).uniform_(-bound, bound))
        self.register_parameter("bias_ih", Parameter(empty(rows).uniform_(-bound, bound)) if bias else None)
        self.register_parameter("bias_hh", Parameter(empty(rows).uniform_(-bound, bound)) if bias else None)

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        """Do one step: (N, input_size) and the state (N, hidden_size) to the new state."""
        if hx is None:
            hx = (
                zeros(*input.shape[:-1], self.hidden_size, dtype=input.dtype, device=input.device),
            ) * self.states
        elif self.states == 1:
            hx = (hx,)
        new = self.step(
            input, hx, [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh], self.nonlinearity
        )
        return new if self.states > 1 else new[0]

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}"


RNNCell = type("RNNCell", (_OneStep,), {"__doc__": "One step of `RNN`.", "__module__": __name__})
LSTMCell = type("LSTMCell", (_OneStep,), {"gates": 4, "states": 2, "step": staticmethod(_lstm_step),
                                          "__doc__": "One step of `LSTM`.", "__module__": __name__})  # fmt: skip
GRUCell = type("GRUCell", (_OneStep,), {"gates": 3, "step": staticmethod(_gru_step),
                                        "__doc__": "One step of `GRU`.", "__module__": __name__})  # fmt: skip
