"""Losses as Modules: one line for each, its function and its settings in PyTorch's order."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ...tensor import Tensor
from .. import functional as F
from .distance import PairwiseDistance
from .module import Module

_LEGACY = ("size_average", "reduce")


class _Loss(Module):
    """A loss with a ``reduction``: "mean", "sum" or "none"; the other two settings are those of old scripts."""

    def __init__(self, size_average: Any = None, reduce: Any = None, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = F.legacy_reduction(size_average, reduce, reduction)


class _WeightedLoss(_Loss):
    """A loss with a factor for each class, which is a buffer."""

    def __init__(
        self, weight: Tensor | None = None, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
    ) -> None:  # fmt: skip
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


def _loss(name: str, fn: Callable[..., Tensor], **settings: Any) -> Any:
    """Make a Module of a loss function; ``settings`` are the names of its arguments, with defaults, in order."""
    signature = inspect.Signature(
        [
            inspect.Parameter(key, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=value)
            for key, value in settings.items()
        ]
    )
    own = [key for key in settings if key not in _LEGACY]
    base = _WeightedLoss if "weight" in settings else _Loss

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{name}.__init__() {error}") from None
        bound.apply_defaults()
        given = bound.arguments
        legacy = [given.pop(key, None) for key in _LEGACY]
        _Loss.__init__(self, legacy[0], legacy[1], given.pop("reduction"))
        for key, value in given.items():
            if key in ("weight", "pos_weight"):
                self.register_buffer(key, value)
            else:
                setattr(self, key, value)

    def forward(self: Any, *inputs: Tensor, **named: Tensor) -> Tensor:
        return fn(*inputs, **named, **{key: getattr(self, key) for key in own})

    shown = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    vars(__init__)["__signature__"] = signature.replace(parameters=[shown, *signature.parameters.values()])
    doc = f"`functional.{fn.__name__}`: {fn.__doc__}"
    return type(
        name, (base,), {"__init__": __init__, "forward": forward, "__doc__": doc, "__module__": __name__}
    )


_OLD: dict[str, Any] = {"size_average": None, "reduce": None, "reduction": "mean"}

L1Loss = _loss("L1Loss", F.l1_loss, **_OLD)
MSELoss = _loss("MSELoss", F.mse_loss, **_OLD)
SmoothL1Loss = _loss("SmoothL1Loss", F.smooth_l1_loss, **_OLD, beta=1.0)
HuberLoss = _loss("HuberLoss", F.huber_loss, reduction="mean", delta=1.0)
CrossEntropyLoss = _loss("CrossEntropyLoss", F.cross_entropy, weight=None, size_average=None, ignore_index=-100,
                         reduce=None, reduction="mean", label_smoothing=0.0)  # fmt: skip
NLLLoss = _loss("NLLLoss", F.nll_loss, weight=None, size_average=None, ignore_index=-100, reduce=None,
                reduction="mean")  # fmt: skip
NLLLoss2d = type("NLLLoss2d", (NLLLoss,), {"__doc__": "The old name of `NLLLoss`.", "__module__": __name__})
BCELoss = _loss("BCELoss", F.binary_cross_entropy, weight=None, **_OLD)
BCEWithLogitsLoss = _loss(
    "BCEWithLogitsLoss", F.binary_cross_entropy_with_logits, weight=None, **_OLD, pos_weight=None
)
KLDivLoss = _loss("KLDivLoss", F.kl_div, **_OLD, log_target=False)
HingeEmbeddingLoss = _loss("HingeEmbeddingLoss", F.hinge_embedding_loss, margin=1.0, **_OLD)
MarginRankingLoss = _loss("MarginRankingLoss", F.margin_ranking_loss, margin=0.0, **_OLD)
SoftMarginLoss = _loss("SoftMarginLoss", F.soft_margin_loss, **_OLD)
MultiMarginLoss = _loss("MultiMarginLoss", F.multi_margin_loss, p=1, margin=1.0, weight=None, **_OLD)
MultiLabelMarginLoss = _loss("MultiLabelMarginLoss", F.multilabel_margin_loss, **_OLD)
MultiLabelSoftMarginLoss = _loss(
    "MultiLabelSoftMarginLoss", F.multilabel_soft_margin_loss, weight=None, **_OLD
)
CosineEmbeddingLoss = _loss("CosineEmbeddingLoss", F.cosine_embedding_loss, margin=0.0, **_OLD)
TripletMarginLoss = _loss(
    "TripletMarginLoss", F.triplet_margin_loss, margin=1.0, p=2.0, eps=1e-6, swap=False, **_OLD
)
PoissonNLLLoss = _loss("PoissonNLLLoss", F.poisson_nll_loss, log_input=True, full=False, size_average=None, eps=1e-8,
                       reduce=None, reduction="mean")  # fmt: skip
GaussianNLLLoss = _loss("GaussianNLLLoss", F.gaussian_nll_loss, full=False, eps=1e-6, reduction="mean")
CTCLoss = _loss("CTCLoss", F.ctc_loss, blank=0, reduction="mean", zero_infinity=False)


class TripletMarginWithDistanceLoss(_Loss):
    """`TripletMarginLoss` with a distance of one's own, by default `PairwiseDistance`."""

    def __init__(
        self, *, distance_function: Any = None, margin: float = 1.0, swap: bool = False, reduction: str = "mean"
    ) -> None:  # fmt: skip
        super().__init__(reduction=reduction)
        if margin <= 0:
            raise ValueError(
                f"TripletMarginWithDistanceLoss: expected margin to be greater than 0, got {margin} instead"
            )
        self.distance_function = PairwiseDistance() if distance_function is None else distance_function
        self.margin, self.swap = margin, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Compare the distances of ``anchor`` to the two others."""
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )
