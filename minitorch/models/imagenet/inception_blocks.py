"""The blocks of Inception v3: branches of convolutions side by side, whose channels are joined.

The letters and the names of the branches are torchvision's; the figures are those of the paper (Szegedy et al., 2016).
"""

from __future__ import annotations

from typing import Any

from ...module import Module
from ...nn.containers import run_layers
from ...nn.linear import Linear
from ...nn.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d
from .blocks import Concatenate, ConvNorm

WIDE, HIGH = (1, 7), (7, 1)  # kernels of a 7x7 convolution that is split into two
WIDE_PAD, HIGH_PAD = (0, 3), (3, 0)


class InceptionA(Module):
    """Figure 5: branches of 1x1; 5x5; twice 3x3; averages. Keeps the size.

    Args:
        ins: Channels of the input.
        pooled: Channels of the branch of averages; the output has 224 more.
    """

    def __init__(self, ins: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = ConvNorm(ins, 64, 1)
        self.branch5x5_1 = ConvNorm(ins, 48, 1)
        self.branch5x5_2 = ConvNorm(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = ConvNorm(ins, 64, 1)
        self.branch3x3dbl_2 = ConvNorm(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = ConvNorm(96, 96, 3, padding=1)
        self.branch_pool = ConvNorm(ins, pooled, 1)
        self.average, self.join = AvgPool2d(3, 1, 1), Concatenate()

    def forward(self, x: Any) -> Any:
        """Map (N, ins, H, W) to (N, 224 + pooled, H, W)."""
        return self.join(
            self.branch1x1(x),
            run_layers((self.branch5x5_1, self.branch5x5_2), x),
            run_layers((self.branch3x3dbl_1, self.branch3x3dbl_2, self.branch3x3dbl_3), x),
            run_layers((self.average, self.branch_pool), x),
        )


class InceptionB(Module):
    """Figure 10: branches of 3x3; twice 3x3; maxima, all with stride 2.

    Args:
        ins: Channels of the input; the output has 480 more.
    """

    def __init__(self, ins: int) -> None:
        super().__init__()
        self.branch3x3 = ConvNorm(ins, 384, 3, 2)
        self.branch3x3dbl_1 = ConvNorm(ins, 64, 1)
        self.branch3x3dbl_2 = ConvNorm(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = ConvNorm(96, 96, 3, 2)
        self.maximum, self.join = MaxPool2d(3, 2), Concatenate()

    def forward(self, x: Any) -> Any:
        """Map (N, ins, H, W) to (N, ins + 480, (H - 1) // 2, (W - 1) // 2)."""
        return self.join(
            self.branch3x3(x),
            run_layers((self.branch3x3dbl_1, self.branch3x3dbl_2, self.branch3x3dbl_3), x),
            self.maximum(x),
        )


class InceptionC(Module):
    """Figure 6: branches of 1x1; 7x7; twice 7x7; averages, each 7x7 as 1x7 and 7x1. Keeps the size.

    Args:
        ins: Channels of the input.
        width: Channels within the branches of 7x7.
    """

    def __init__(self, ins: int, width: int) -> None:
        super().__init__()
        self.branch1x1 = ConvNorm(ins, 192, 1)
        self.branch7x7_1 = ConvNorm(ins, width, 1)
        self.branch7x7_2 = ConvNorm(width, width, WIDE, padding=WIDE_PAD)
        self.branch7x7_3 = ConvNorm(width, 192, HIGH, padding=HIGH_PAD)
        self.branch7x7dbl_1 = ConvNorm(ins, width, 1)
        self.branch7x7dbl_2 = ConvNorm(width, width, HIGH, padding=HIGH_PAD)
        self.branch7x7dbl_3 = ConvNorm(width, width, WIDE, padding=WIDE_PAD)
        self.branch7x7dbl_4 = ConvNorm(width, width, HIGH, padding=HIGH_PAD)
        self.branch7x7dbl_5 = ConvNorm(width, 192, WIDE, padding=WIDE_PAD)
        self.branch_pool = ConvNorm(ins, 192, 1)
        self.average, self.join = AvgPool2d(3, 1, 1), Concatenate()

    def forward(self, x: Any) -> Any:
        """Map (N, ins, H, W) to (N, 768, H, W)."""
        twice = (self.branch7x7dbl_1, self.branch7x7dbl_2, self.branch7x7dbl_3, self.branch7x7dbl_4)
        return self.join(
            self.branch1x1(x),
            run_layers((self.branch7x7_1, self.branch7x7_2, self.branch7x7_3), x),
            run_layers((*twice, self.branch7x7dbl_5), x),
            run_layers((self.average, self.branch_pool), x),
        )


class InceptionD(Module):
    """Branches of 3x3; 7x7 and 3x3; maxima, all with stride 2.

    Args:
        ins: Channels of the input; the output has 512 more.
    """

    def __init__(self, ins: int) -> None:
        super().__init__()
        self.branch3x3_1 = ConvNorm(ins, 192, 1)
        self.branch3x3_2 = ConvNorm(192, 320, 3, 2)
        self.branch7x7x3_1 = ConvNorm(ins, 192, 1)
        self.branch7x7x3_2 = ConvNorm(192, 192, WIDE, padding=WIDE_PAD)
        self.branch7x7x3_3 = ConvNorm(192, 192, HIGH, padding=HIGH_PAD)
        self.branch7x7x3_4 = ConvNorm(192, 192, 3, 2)
        self.maximum, self.join = MaxPool2d(3, 2), Concatenate()

    def forward(self, x: Any) -> Any:
        """Map (N, ins, H, W) to (N, ins + 512, (H - 1) // 2, (W - 1) // 2)."""
        split = (self.branch7x7x3_1, self.branch7x7x3_2, self.branch7x7x3_3, self.branch7x7x3_4)
        return self.join(
            run_layers((self.branch3x3_1, self.branch3x3_2), x), run_layers(split, x), self.maximum(x)
        )


class InceptionE(Module):
    """Figure 7: branches of 1x1; 3x3; twice 3x3; averages, the last 3x3 of each as 1x3 beside 3x1. Keeps the size.

    Args:
        ins: Channels of the input.
    """

    def __init__(self, ins: int) -> None:
        super().__init__()
        self.branch1x1 = ConvNorm(ins, 320, 1)
        self.branch3x3_1 = ConvNorm(ins, 384, 1)
        self.branch3x3_2a = ConvNorm(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = ConvNorm(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = ConvNorm(ins, 448, 1)
        self.branch3x3dbl_2 = ConvNorm(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = ConvNorm(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = ConvNorm(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = ConvNorm(ins, 192, 1)
        self.average, self.join = AvgPool2d(3, 1, 1), Concatenate()

    def forward(self, x: Any) -> Any:
        """Map (N, ins, H, W) to (N, 2048, H, W)."""
        once = self.branch3x3_1(x)
        twice = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return self.join(
            self.branch1x1(x),
            self.branch3x3_2a(once),
            self.branch3x3_2b(once),
            self.branch3x3dbl_3a(twice),
            self.branch3x3dbl_3b(twice),
            run_layers((self.average, self.branch_pool), x),
        )


class InceptionAux(Module):
    """The auxiliary head: averages, two convolutions, one linear layer.

    Args:
        ins: Channels of the input.
        num_classes: Number of classes.
    """

    def __init__(self, ins: int, num_classes: int) -> None:
        super().__init__()
        self.average = AvgPool2d(5, 3)
        self.conv0 = ConvNorm(ins, 128, 1)
        self.conv1 = ConvNorm(128, 768, 5)
        self.avgpool = AdaptiveAvgPool2d((1, 1))
        self.fc = Linear(768, num_classes)

    def forward(self, x: Any) -> Any:
        """Map (N, ins, H, W), at least 17x17, to scores (N, num_classes)."""
        x = run_layers((self.average, self.conv0, self.conv1, self.avgpool), x)
        return self.fc(x.flatten(1))
