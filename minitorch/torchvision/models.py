"""Networks of `torchvision.models` that are there: ResNets for images of any size, without pretrained weights."""

from __future__ import annotations

from typing import Any

from ..torch import nn
from ..torch.tensor import Tensor


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a residual connection (He et al., 2016)."""

    expansion = 1

    def __init__(self, inplanes: int, planes: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = None
        if stride != 1 or inplanes != planes:
            self.downsample = nn.Sequential(
                nn.Conv2d(inplanes, planes, 1, stride, bias=False), nn.BatchNorm2d(planes)
            )

    def forward(self, x: Tensor) -> Any:
        """Map (N, inplanes, H, W) to (N, planes, H', W')."""
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """A ResNet of basic blocks, with the parameter names of torchvision."""

    def __init__(self, layers: list[int], num_classes: int = 1000) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        width = 64
        for k, count in enumerate(layers):
            planes = 64 * 2**k
            blocks = []
            for j in range(count):
                blocks.append(BasicBlock(width, planes, 2 if k and not j else 1))
                width = planes
            setattr(self, f"layer{k + 1}", nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(width, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Any:
        """Map images (N, 3, H, W) to scores (N, num_classes)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def _without_weights(name: str, weights: Any, pretrained: bool) -> None:
    if weights is not None or pretrained:
        raise NotImplementedError(
            f"{name}: pretrained weights are not there: load a state dict file with torch.load"
        )


def resnet18(weights: Any = None, pretrained: bool = False, **settings: Any) -> ResNet:
    """Make a ResNet of 18 layers, without pretrained weights."""
    _without_weights("resnet18", weights, pretrained)
    return ResNet([2, 2, 2, 2], **settings)


def resnet34(weights: Any = None, pretrained: bool = False, **settings: Any) -> ResNet:
    """Make a ResNet of 34 layers, without pretrained weights."""
    _without_weights("resnet34", weights, pretrained)
    return ResNet([3, 4, 6, 3], **settings)
