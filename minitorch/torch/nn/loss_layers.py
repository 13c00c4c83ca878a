"""Losses as Modules: one line for each, its function and its settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..tensor import Tensor
from . import functional as F
from .module import Module


def _loss(name: str, fn: Callable[..., Tensor], **settings: Any) -> type[Module]:
    """Make a Module of a loss function; tensors among its settings are buffers."""

    def __init__(
        self: Any,
        *args: Any,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
        **kwargs: Any,
    ) -> None:
        Module.__init__(self)
        if size_average is not None or reduce is not None:
            raise TypeError(
                f"{name}: size_average and reduce are gone; use reduction='mean', 'sum' or 'none'"
            )
        given = dict(zip(settings, args))
        for key, value in kwargs.items():
            if key not in settings:
                raise TypeError(f"{name}.__init__() got an unexpected keyword argument {key!r}")
            given[key] = value
        self.reduction = reduction
        for key, default in settings.items():
            value = given.get(key, default)
            if key in ("weight", "pos_weight"):
                self.register_buffer(key, value)
            else:
                setattr(self, key, value)

    def forward(self: Any, *inputs: Tensor) -> Tensor:
        return fn(*inputs, reduction=self.reduction, **{key: getattr(self, key) for key in settings})

    doc = f"`functional.{fn.__name__}`: {fn.__doc__}"
    return type(
        name, (Module,), {"__init__": __init__, "forward": forward, "__doc__": doc, "__module__": __name__}
    )


CrossEntropyLoss = _loss(
    "CrossEntropyLoss", F.cross_entropy, weight=None, ignore_index=-100, label_smoothing=0.0
)
NLLLoss = _loss("NLLLoss", F.nll_loss, weight=None, ignore_index=-100)
MSELoss = _loss("MSELoss", F.mse_loss)
L1Loss = _loss("L1Loss", F.l1_loss)
SmoothL1Loss = _loss("SmoothL1Loss", F.smooth_l1_loss, beta=1.0)
HuberLoss = _loss("HuberLoss", F.huber_loss, delta=1.0)
BCELoss = _loss("BCELoss", F.binary_cross_entropy, weight=None)
BCEWithLogitsLoss = _loss(
    "BCEWithLogitsLoss", F.binary_cross_entropy_with_logits, weight=None, pos_weight=None
)
KLDivLoss = _loss("KLDivLoss", F.kl_div, log_target=False)
HingeEmbeddingLoss = _loss("HingeEmbeddingLoss", F.hinge_embedding_loss, margin=1.0)
MarginRankingLoss = _loss("MarginRankingLoss", F.margin_ranking_loss, margin=0.0)
SoftMarginLoss = _loss("SoftMarginLoss", F.soft_margin_loss)
MultiMarginLoss = _loss("MultiMarginLoss", F.multi_margin_loss, p=1, margin=1.0, weight=None)
CosineEmbeddingLoss = _loss("CosineEmbeddingLoss", F.cosine_embedding_loss, margin=0.0)
TripletMarginLoss = _loss("TripletMarginLoss", F.triplet_margin_loss, margin=1.0, p=2.0, eps=1e-6, swap=False)
PoissonNLLLoss = _loss("PoissonNLLLoss", F.poisson_nll_loss, log_input=True, full=False, eps=1e-8)
GaussianNLLLoss = _loss("GaussianNLLLoss", F.gaussian_nll_loss, full=False, eps=1e-6)
MultiLabelSoftMarginLoss = _loss("MultiLabelSoftMarginLoss", F.multilabel_soft_margin_loss, weight=None)
