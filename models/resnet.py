"""ResNets for ImageNet, with 18 to 152 layers."""

import torch
from flopledger import Published, register
from torch import Tensor, nn

HE = "He et al. 2015, arXiv 1512.03385, table 1 (its FLOPs are multiply-adds)"
STRIDE = (
    "the paper halves the resolution in a bottleneck's first 1 x 1 convolution; this network, as "
    "torchvision's, in its 3 x 3"
)
STRIDE_50 = (
    f"{STRIDE}. That is 0.231 G; the paper's placement gives 3.858 G, which rounds to 3.9, and why "
    "3.8 is printed is not known here"
)
SHORTCUT = (
    "the paper's shortcuts between stages have no weights; these, as torchvision's, are 1 x 1 "
    "convolutions"
)


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(inputs, width, stride)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 (with the stride) and 1 x 1 convolutions, and a shortcut."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width * 4, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width * 4)
        self.downsample = _shortcut(inputs, width * 4, stride)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        return self.relu(self.bn3(self.conv3(y)) + self.downsample(x))


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class ResNet(nn.Module):
    """A 7 x 7 convolution, four stages of blocks, one linear layer.

    [image, 3, height, width] in, [image, 1000] out.
    """

    def __init__(self, block: type[BasicBlock] | type[Bottleneck], *depths: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        channels, stages = 64, []
        for stage, depth in enumerate(depths):
            width, blocks = 64 * 2**stage, []
            for index in range(depth):
                blocks.append(block(channels, width, 2 if stage and not index else 1))
                channels = width * block.expansion
            stages.append(nn.Sequential(*blocks))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def _image() -> tuple[Tensor, ...]:
    return (torch.zeros(1, 3, 224, 224),)


def _published(
    weights: str, params: int, gmacs: float, table_1: float, why: str
) -> list[Published]:
    code = f"torchvision, {weights}_Weights"
    return [
        Published("params", params, f"{code}: num_params"),
        Published("macs", gmacs * 1e9, f"{code}: _ops", rtol=0.0005 / gmacs),
        Published("macs", table_1 * 1e9, HE, rtol=0.05 / table_1, differs=why),
    ]


@register(
    inputs=_image,
    axes=("image, colour, row, column",),
    year=2015,
    paper="He, Zhang, Ren, Sun 2015, Deep Residual Learning, table 1",
    published=_published("ResNet18", 11_689_512, 1.814, 1.8, ""),
)
def resnet18() -> nn.Module:
    """ResNet-18, with projection shortcuts."""
    return ResNet(BasicBlock, 2, 2, 2, 2)


@register(
    inputs=_image,
    axes=("image, colour, row, column",),
    year=2015,
    paper="He, Zhang, Ren, Sun 2015, Deep Residual Learning, table 1",
    published=_published("ResNet34", 21_797_672, 3.664, 3.6, SHORTCUT),
)
def resnet34() -> nn.Module:
    """ResNet-34, with projection shortcuts."""
    return ResNet(BasicBlock, 3, 4, 6, 3)


@register(
    inputs=_image,
    axes=("image, colour, row, column",),
    year=2015,
    paper="He, Zhang, Ren, Sun 2015, Deep Residual Learning, table 1",
    published=_published("ResNet50", 25_557_032, 4.089, 3.8, STRIDE_50),
)
def resnet50() -> nn.Module:
    """ResNet-50 with the stride in the 3 x 3 convolution ("v1.5")."""
    return ResNet(Bottleneck, 3, 4, 6, 3)


@register(
    inputs=_image,
    axes=("image, colour, row, column",),
    year=2015,
    paper="He, Zhang, Ren, Sun 2015, Deep Residual Learning, table 1",
    published=_published("ResNet101", 44_549_160, 7.801, 7.6, STRIDE),
)
def resnet101() -> nn.Module:
    """ResNet-101 with the stride in the 3 x 3 convolution ("v1.5")."""
    return ResNet(Bottleneck, 3, 4, 23, 3)


@register(
    inputs=_image,
    axes=("image, colour, row, column",),
    year=2015,
    paper="He, Zhang, Ren, Sun 2015, Deep Residual Learning, table 1",
    published=_published("ResNet152", 60_192_808, 11.514, 11.3, STRIDE),
)
def resnet152() -> nn.Module:
    """ResNet-152 with the stride in the 3 x 3 convolution ("v1.5")."""
    return ResNet(Bottleneck, 3, 8, 36, 3)
