"""Stable Diffusion 1.x: the UNet that takes noise off latents, told by a text what is there."""

import math

import torch
import torch.nn.functional as F
from flopledger import register
from torch import Tensor, nn

CONTEXT, TOKENS = 768, 77  # CLIP ViT-L/14's text, which is not trained here
HEADS = 8


def _norm(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.GroupNorm(32, channels), nn.SiLU())


class ResBlock(nn.Module):
    """Two 3 x 3 convolutions and a skip; the time step is added between them."""

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        self.in_layers = nn.Sequential(_norm(inputs), nn.Conv2d(inputs, outputs, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(width, outputs))
        self.out_layers = nn.Sequential(_norm(outputs), nn.Conv2d(outputs, outputs, 3, padding=1))
        same = inputs == outputs
        self.skip_connection = nn.Identity() if same else nn.Conv2d(inputs, outputs, kernel_size=1)

    def forward(self, x: Tensor, time: Tensor, context: Tensor) -> Tensor:
        y = self.in_layers(x) + self.emb_layers(time)[:, :, None, None]
        return self.skip_connection(x) + self.out_layers(y)


class CrossAttention(nn.Module):
    """Queries [image, points, width] over keys and values [image, others, context]."""

    def __init__(self, width: int, context: int) -> None:
        super().__init__()
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context, width, bias=False)
        self.to_v = nn.Linear(context, width, bias=False)
        self.to_out = nn.Linear(width, width)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        query, key, value = (
            y.unflatten(2, (HEADS, -1)).transpose(1, 2)
            for y in (self.to_q(x), self.to_k(context), self.to_v(context))
        )
        y = F.scaled_dot_product_attention(query, key, value)
        return self.to_out(y.transpose(1, 2).flatten(2))


class SpatialTransformer(nn.Module):
    """Attention over the image's points, then over the text, then a gated perceptron."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(32, width)
        self.proj_in = nn.Conv2d(width, width, kernel_size=1)
        self.norm1, self.attn1 = nn.LayerNorm(width), CrossAttention(width, width)
        self.norm2, self.attn2 = nn.LayerNorm(width), CrossAttention(width, CONTEXT)
        self.norm3, self.ff_in = nn.LayerNorm(width), nn.Linear(width, 8 * width)
        self.ff_out = nn.Linear(4 * width, width)
        self.proj_out = nn.Conv2d(width, width, kernel_size=1)

    def forward(self, x: Tensor, time: Tensor, context: Tensor) -> Tensor:
        side = x.shape[3]
        y = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)
        z = self.norm1(y)
        y = y + self.attn1(z, z)
        y = y + self.attn2(self.norm2(y), context)
        value, gate = self.ff_in(self.norm3(y)).chunk(2, dim=2)
        y = y + self.ff_out(value * F.gelu(gate))
        return x + self.proj_out(y.transpose(1, 2).unflatten(2, (-1, side)))


class Downsample(nn.Module):
    """A 3 x 3 convolution that halves the side."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.op = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor, time: Tensor, context: Tensor) -> Tensor:
        return self.op(x)


class Upsample(nn.Module):
    """Every point four times, then a 3 x 3 convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, time: Tensor, context: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0))


class UNet(nn.Module):
    """Latents [image, 4, side, side], time steps [image] and texts [image, 77, 768] in, noise out.

    Four resolutions, each with two blocks on the way down and three on the way up; all but the
    last attend.
    """

    def __init__(self, width: int, multiples: tuple[int, ...], blocks: int) -> None:
        super().__init__()
        self.width, self.last = width, len(multiples) - 1
        time = 4 * width
        self.time_embed = nn.Sequential(nn.Linear(width, time), nn.SiLU(), nn.Linear(time, time))
        self.conv_in = nn.Conv2d(4, width, 3, padding=1)
        channels, skips = width, [width]
        self.input_blocks, self.output_blocks = nn.ModuleList(), nn.ModuleList()
        for level, multiple in enumerate(multiples):
            for _ in range(blocks):
                self.input_blocks.append(self._block(channels, width * multiple, time, level))
                channels = width * multiple
                skips.append(channels)
            if level < self.last:
                self.input_blocks.append(nn.ModuleList([Downsample(channels)]))
                skips.append(channels)
        self.middle_block = nn.ModuleList(
            [ResBlock(channels, channels, time), SpatialTransformer(channels),
             ResBlock(channels, channels, time)]
        )  # fmt: skip
        for level, multiple in reversed(list(enumerate(multiples))):
            for index in range(blocks + 1):
                block = self._block(channels + skips.pop(), width * multiple, time, level)
                channels = width * multiple
                if level and index == blocks:
                    block.append(Upsample(channels))
                self.output_blocks.append(block)
        self.out = nn.Sequential(_norm(channels), nn.Conv2d(channels, 4, 3, padding=1))

    def _block(self, inputs: int, outputs: int, time: int, level: int) -> nn.ModuleList:
        layers: list[nn.Module] = [ResBlock(inputs, outputs, time)]
        if level < self.last:
            layers.append(SpatialTransformer(outputs))
        return nn.ModuleList(layers)

    def forward(self, x: Tensor, step: Tensor, context: Tensor) -> Tensor:
        half = self.width // 2
        frequencies = torch.exp(torch.arange(half, device=x.device) * (-math.log(10_000) / half))
        angles = step[:, None] * frequencies
        time = self.time_embed(torch.cat((angles.cos(), angles.sin()), dim=1))
        x = self.conv_in(x)
        skips = [x]
        for block in self.input_blocks:
            for layer in block.children():
                x = layer(x, time, context)
            skips.append(x)
        for layer in self.middle_block:
            x = layer(x, time, context)
        for block in self.output_blocks:
            x = torch.cat((x, skips.pop()), dim=1)
            for layer in block.children():
                x = layer(x, time, context)
        return self.out(x)


@register(
    inputs=lambda: (torch.zeros(1, 4, 32, 32), torch.zeros(1), torch.zeros(1, TOKENS, CONTEXT)),
    axes=("image, latent channel, row, column (256 x 256 pixels)", "image",
          "image, text token, feature"),
    year=2022,
    paper="Rombach et al. 2022, arXiv 2112.10752; CompVis/stable-diffusion, v1-inference.yaml",
)  # fmt: skip
def stable_diffusion_unet_small(width: int = 64) -> nn.Module:
    """Stable Diffusion 1.x, the UNet, a fifth as wide; the whole has a width of 320."""
    return UNet(width, multiples=(1, 2, 4, 4), blocks=2)
