"""Vision Transformer: an image as a sequence of patches."""

import torch
import torch.nn.functional as F
from flopledger import Published, register
from torch import Tensor, nn

# appendix B.1, table 3, ImageNet: behind the positions and every linear layer but qkv (and the
# head, which gives the logits)
DROPOUT = 0.1


class Attention(nn.Module):
    """Self-attention: [image, tokens, width] in and out."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        image, tokens, width = x.shape
        qkv = self.qkv(x).view(image, tokens, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(query, key, value)
        return self.out(y.transpose(1, 2).reshape(image, tokens, width))


class Block(nn.Module):
    """Attention and a two-layer perceptron, each normalised before and added to the stream."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attention = Attention(width, heads)
        self.mlp = nn.Sequential(
            nn.Linear(width, hidden),
            nn.GELU(),
            nn.Dropout(DROPOUT),
            nn.Linear(hidden, width),
            nn.Dropout(DROPOUT),
        )
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropout(self.attention(self.norm1(x)))
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    """[image, 3, side, side] in, [image, 1000] out, read off the class token."""

    def __init__(self, side: int, patch: int, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, kernel_size=patch, stride=patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, (side // patch) ** 2 + 1, width))
        self.dropout = nn.Dropout(DROPOUT)
        self.blocks = nn.Sequential(*(Block(width, heads, 4 * width) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], dim=1)
        x = self.norm(self.blocks(self.dropout(x + self.positions)))
        return self.head(x[:, 0])


@register(
    inputs=lambda: (torch.zeros(1, 3, 224, 224),),
    axes=("image, colour, row, column",),
    year=2020,
    paper="Dosovitskiy et al. 2020, An Image is Worth 16x16 Words, table 1",
    published=[
        Published(
            "params",
            86e6,
            "Dosovitskiy et al. 2020, table 1",
            rtol=0.005,
            differs="86M are the 85.80M without the linear head of 1,000 classes",
        ),
        Published("params", 86_567_656, "torchvision, ViT_B_16_Weights: num_params"),
        Published("macs", 17.564e9, "torchvision, ViT_B_16_Weights: _ops", rtol=0.00003),
    ],
)
def vit_b_16() -> nn.Module:
    """Vision Transformer, base, patches of 16 x 16 pixels."""
    return ViT(side=224, patch=16, width=768, depth=12, heads=12)
