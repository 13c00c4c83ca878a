"""Inception v3: "Rethinking the Inception architecture for computer vision" (Szegedy et al., 2016)."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...module import Module
from ...nn.containers import run_layers
from ...nn.conv import Conv2d
from ...nn.dropout import Dropout
from ...nn.init import trunc_normal_
from ...nn.linear import Linear
from ...nn.pooling import AdaptiveAvgPool2d, MaxPool2d
from .blocks import Concatenate, ConvNorm, layers_of
from .inception_blocks import (
    InceptionA,
    InceptionAux,
    InceptionB,
    InceptionC,
    InceptionD,
    InceptionE,
)
from .weights import PathLike, with_weights

# Mean and standard deviation of ImageNet's channels, in [0, 1].
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class InceptionOutputs(NamedTuple):
    """Scores of the network, and of its auxiliary head, both (N, num_classes)."""

    logits: Any
    aux_logits: Any


class InceptionV3(Module):
    """Convolutions to 192 channels, eleven Inception blocks, the average of all pixels, one linear layer.

    Args:
        num_classes: Number of classes; default 1000.
        aux_logits: Whether there is the auxiliary head, which helps training; by default there is.
        transform_input: Whether images that were normalized by mean and deviation of ImageNet are brought to the range
            that the published weights were trained with, (pixel - 0.5) / 0.5; by default they are not.
        dropout: Rate before the linear layer; default 0.5.
        init_weights: Whether to draw initial values as torchvision does, from a normal distribution; by default it
            does.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        aux_logits: bool = True,
        transform_input: bool = False,
        dropout: float = 0.5,
        init_weights: bool = True,
    ) -> None:
        super().__init__()
        self.aux_logits, self.transform_input = aux_logits, transform_input
        self.Conv2d_1a_3x3 = ConvNorm(3, 32, 3, 2)
        self.Conv2d_2a_3x3 = ConvNorm(32, 32, 3)
        self.Conv2d_2b_3x3 = ConvNorm(32, 64, 3, padding=1)
        self.maxpool1 = MaxPool2d(3, 2)
        self.Conv2d_3b_1x1 = ConvNorm(64, 80, 1)
        self.Conv2d_4a_3x3 = ConvNorm(80, 192, 3)
        self.maxpool2 = MaxPool2d(3, 2)
        self.Mixed_5b = InceptionA(192, 32)
        self.Mixed_5c = InceptionA(256, 64)
        self.Mixed_5d = InceptionA(288, 64)
        self.Mixed_6a = InceptionB(288)
        self.Mixed_6b = InceptionC(768, 128)
        self.Mixed_6c = InceptionC(768, 160)
        self.Mixed_6d = InceptionC(768, 160)
        self.Mixed_6e = InceptionC(768, 192)
        self.AuxLogits = InceptionAux(768, num_classes) if aux_logits else None
        self.Mixed_7a = InceptionD(768)
        self.Mixed_7b = InceptionE(1280)
        self.Mixed_7c = InceptionE(2048)
        self.avgpool = AdaptiveAvgPool2d((1, 1))
        self.dropout = Dropout(dropout)
        self.fc = Linear(2048, num_classes)
        self.join = Concatenate()
        if init_weights:
            for layer in layers_of(self, (Conv2d, Linear)):
                trunc_normal_(layer.weight, std=0.1)
            if self.AuxLogits is not None:
                trunc_normal_(self.AuxLogits.fc.weight, std=0.001)

    def forward(self, x: Any) -> Any:
        """Map images (N, 3, H, W), at least 75x75, to scores (N, num_classes).

        In training with the auxiliary head, return `InceptionOutputs`, of the scores of both heads.
        """
        if self.transform_input:
            channels = (x[:, k : k + 1] for k in range(3))
            shifted = (
                c * (std / 0.5) + (mean - 0.5) / 0.5
                for c, mean, std in zip(channels, IMAGENET_MEAN, IMAGENET_STD)
            )
            x = self.join(*shifted)
        stem = (self.Conv2d_1a_3x3, self.Conv2d_2a_3x3, self.Conv2d_2b_3x3, self.maxpool1)
        x = run_layers((*stem, self.Conv2d_3b_1x1, self.Conv2d_4a_3x3, self.maxpool2), x)
        x = run_layers((self.Mixed_5b, self.Mixed_5c, self.Mixed_5d, self.Mixed_6a), x)
        x = run_layers((self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e), x)
        aux = self.AuxLogits(x) if self.AuxLogits is not None and self.training else None
        x = run_layers((self.Mixed_7a, self.Mixed_7b, self.Mixed_7c, self.avgpool, self.dropout), x)
        scores = self.fc(x.flatten(1))
        return scores if aux is None else InceptionOutputs(scores, aux)


def inception_v3(pretrained: bool = False, weights: PathLike | None = None, **settings: Any) -> InceptionV3:
    """Make an `InceptionV3`; for ``pretrained`` and ``weights`` see `with_weights`.

    With weights, ``transform_input`` is True by default: the published ones need it.
    """

    def build(init: bool) -> InceptionV3:
        return InceptionV3(**{"init_weights": init, "transform_input": not init, **settings})

    return with_weights("inception_v3", build, pretrained, weights, unused=("AuxLogits.",))
