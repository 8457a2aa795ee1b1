"""AlexNet: the network of the 2012 ImageNet competition, and its single-tower successor."""

import torch
from flopledger import Published, register
from torch import Tensor, nn

EYERISS = "Chen et al. 2016 (Eyeriss, ISSCC), abstract: 666M MACs in the convolutions alone"


class AlexNet(nn.Module):
    """Five convolutions, on two GPUs that meet in the third, and three linear layers.

    Layers are numbered as in Krizhevsky et al. 2012, section 3.5. [image, 3, 227, 227] in,
    [image, 1000] out, before the softmax.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, kernel_size=11, stride=4)
        self.conv2 = nn.Conv2d(96, 256, kernel_size=5, padding=2, groups=2)
        self.conv3 = nn.Conv2d(256, 384, kernel_size=3, padding=1)
        self.conv4 = nn.Conv2d(384, 384, kernel_size=3, padding=1, groups=2)
        self.conv5 = nn.Conv2d(384, 256, kernel_size=3, padding=1, groups=2)
        # torch divides alpha by the size of the neighbourhood, the paper (section 3.3) does not
        self.norm = nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)
        self.pool = nn.MaxPool2d(kernel_size=3, stride=2)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(0.5)
        self.fc6 = nn.Linear(256 * 6 * 6, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.norm(self.relu(self.conv1(x))))
        x = self.pool(self.norm(self.relu(self.conv2(x))))
        x = self.relu(self.conv4(self.relu(self.conv3(x))))
        x = self.pool(self.relu(self.conv5(x)))
        x = self.dropout(self.relu(self.fc6(x.flatten(1))))
        x = self.dropout(self.relu(self.fc7(x)))
        return self.fc8(x)


@register(
    inputs=lambda: (torch.zeros(1, 3, 227, 227),),
    axes=("image, colour, row, column",),
    year=2012,
    paper="Krizhevsky, Sutskever, Hinton 2012, ImageNet Classification with Deep CNNs, section 3.5",
    published=[
        Published("params", 60e6, "Krizhevsky et al. 2012, section 4", rtol=0.02),
        Published(
            "macs",
            0.75e9,
            "OpenAI 2018, AI and Compute, appendix (its 0.75 G is doubled there, so it is MACs)",
            rtol=0.007,
            differs="0.75 G times the appendix's other factors gives 4.86e17, not the printed "
            "4.70e17, which 724 to 725 M MACs do give",
        ),
        Published("macs", 666e6, EYERISS, rtol=0.001, differs="without the 58.6M of fc6 to fc8"),
    ],
)
def alexnet() -> nn.Module:
    """AlexNet as trained on two GPUs: two groups, local response norm, overlapping pooling.

    The paper says 224 x 224, which no 11 x 11 kernel with stride 4 turns into its 55 x 55 maps;
    227 x 227 does.
    """
    return AlexNet()


class OneTower(nn.Module):
    """The single-tower AlexNet: [image, 3, 224, 224] in, [image, 1000] out."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(6)
        self.classifier = nn.Sequential(
            nn.Dropout(0.5),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Linear(4096, 1000),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


@register(
    inputs=lambda: (torch.zeros(1, 3, 224, 224),),
    axes=("image, colour, row, column",),
    year=2014,
    paper="Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks",
    published=[
        Published("params", 61_100_840, "torchvision, AlexNet_Weights: num_params"),
        Published("macs", 0.714e9, "torchvision, AlexNet_Weights: _ops", rtol=0.0007),
    ],
)
def alexnet_one_tower() -> nn.Module:
    """AlexNet on one tower, as torchvision has it."""
    return OneTower()


class Digits(nn.Module):
    """AlexNet's layers at the size of 8 x 8 images: [image, 1, 8, 8] in, [image, 10] out.

    Five convolutions of 3 x 3, the 2nd, 4th and 5th in two groups, norms and overlapping pooling,
    and three linear layers with dropout. There is no pooling after the second convolution, which
    would leave maps of 2 x 2.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, kernel_size=3, padding=1, groups=2)
        self.conv3 = nn.Conv2d(64, 96, kernel_size=3, padding=1)
        self.conv4 = nn.Conv2d(96, 96, kernel_size=3, padding=1, groups=2)
        self.conv5 = nn.Conv2d(96, 64, kernel_size=3, padding=1, groups=2)
        self.norm = nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)
        self.pool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(0.5)
        self.fc6 = nn.Linear(64 * 2 * 2, 256)
        self.fc7 = nn.Linear(256, 256)
        self.fc8 = nn.Linear(256, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.norm(self.relu(self.conv1(x))))
        x = self.norm(self.relu(self.conv2(x)))
        x = self.relu(self.conv4(self.relu(self.conv3(x))))
        x = self.pool(self.relu(self.conv5(x)))
        x = self.dropout(self.relu(self.fc6(x.flatten(1))))
        x = self.dropout(self.relu(self.fc7(x)))
        return self.fc8(x)


@register(
    inputs=lambda: (torch.zeros(1, 1, 8, 8),),
    axes=("image, colour, row, column",),
    year=2012,
    paper="none of that size; the layers are those of Krizhevsky et al. 2012, section 3.5",
)
def alexnet_digits() -> nn.Module:
    """AlexNet cut to handwritten digits of 8 x 8 points, which `flopledger train` trains."""
    return Digits()
