"""VGG-16: thirteen 3 x 3 convolutions and three linear layers."""

import torch
from flopledger import Published, register
from torch import Tensor, nn


class VGG16(nn.Module):
    """Configuration D: [image, 3, 224, 224] in, [image, 1000] out."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for width, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
            for _ in range(depth):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(4096, 1000),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1))


@register(
    inputs=lambda: (torch.zeros(1, 3, 224, 224),),
    axes=("image, colour, row, column",),
    year=2014,
    paper="Simonyan, Zisserman 2014, Very Deep Convolutional Networks, table 1, D",
    published=[
        Published("params", 138e6, "Simonyan & Zisserman 2014, table 2, D", rtol=0.004),
        Published("params", 138_357_544, "torchvision, VGG16_Weights: num_params"),
        Published("macs", 15.47e9, "torchvision, VGG16_Weights: _ops", rtol=0.0004),
    ],
)
def vgg16() -> nn.Module:
    """VGG-16, configuration D."""
    return VGG16()
