"""Parametrizations of weights: ``torch.nn.utils.parametrizations``."""

from .normed import parametrized_spectral_norm as spectral_norm
from .normed import parametrized_weight_norm as weight_norm

__all__ = ["spectral_norm", "weight_norm"]
