"""The layer Linear: a weight and a bias around `functional.linear`; and the initial values of layers with weights.

Names, argument order, defaults, parameter names and layouts are PyTorch's.
"""

from __future__ import annotations

import math

from ..module import Parameter
from ..runtime import rng, shape_errors
from ..tensor import Tensor, tensor
from ..tensor_data import IndexingError, get_default_dtype
from . import functional
from .containers import FusesActivation
from .settings import layer_size


def uniform_parameter(shape: tuple[int, ...], bound: float) -> Parameter:
    """Return a Parameter with values uniform in ±``bound``, of the default dtype and backend."""
    return Parameter(tensor(rng.uniform(shape, -bound, bound), dtype=get_default_dtype()))


class Linear(FusesActivation):
    """``x @ weight.T + bias`` for inputs (..., in_features).

    Parameters: ``weight`` (out_features, in_features), ``bias`` (out_features,); at first uniform in
    ±1 / sqrt(in_features).

    Args:
        in_features: Size of the last dimension of the input.
        out_features: Size of the last dimension of the output.
        bias: Whether there is a bias; by default there is.
    """

    accepts_activation = True

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        in_features = layer_size("Linear", "in_features", in_features, 0)
        out_features = layer_size("Linear", "out_features", out_features, 0)
        self.in_features, self.out_features = in_features, out_features
        bound = 1 / math.sqrt(in_features) if in_features > 0 else 0.0
        self.weight = uniform_parameter((out_features, in_features), bound)
        self.bias = uniform_parameter((out_features,), bound) if bias else None

    def forward(self, x: Tensor, act: str = "none") -> Tensor:
        """Map (..., in_features) to (..., out_features), in the dtype of the parameters.

        Args:
            x: The input.
            act: The activation that follows: "none" (default), "relu" or "relu6".

        Raises:
            IndexingError: The last size of ``x`` is not in_features.
            TypeError: ``x`` is no Tensor.
        """
        x = functional.as_parameters("Linear", x, self.weight.value)
        if not x.dims or x.shape[-1] != self.in_features:
            raise IndexingError(shape_errors.wrong_features(x.shape, self.weight.value.shape))
        rows = x if x.dims == 2 else x.reshape(math.prod(x.shape[:-1]), self.in_features)
        bias = None if self.bias is None else self.bias.value
        out = functional.linear(rows, self.weight.value, bias, act=act)
        return out if x.dims == 2 else out.view(*x.shape[:-1], self.out_features)

    def extra_repr(self) -> str:
        """Show the sizes."""
        return f"{self.in_features}, {self.out_features}, bias={self.bias is not None}"
