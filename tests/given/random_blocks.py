"""Blocks of networks with their products by hand: what random networks are made of.

A block is drawn for the shape that it is given, and says what it multiplies: for each product its
MACs, and how many of its factors are parameters and how many are the block's input or made of it.
"""

from dataclasses import dataclass
from math import prod

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint


@dataclass
class Block:
    """A step, its result's shape, and its products.

    Attributes:
        step: a module, with parameters or without.
        shape: of its result.
        products: (MACs, factors that want a gradient in any case, being parameters or made of
            some, factors that want one if the block's input does).
        again: MACs that the backward pass does once more (checkpoints).
        gradients: where they are not the products' own: MACs in any case, and more if the input
            wants a gradient.
    """

    step: nn.Module
    shape: tuple
    products: list
    again: int = 0
    gradients: tuple = (0, 0)

    @property
    def macs(self):
        return sum(macs for macs, _, _ in self.products)

    def backward(self, wanted):
        """MACs of the gradients: for each factor that wants one, a product as large."""
        own = sum(m * (a + (x if wanted else 0)) for m, a, x in self.products)
        return own + self.again + self.gradients[0] + (self.gradients[1] if wanted else 0)


class Do(nn.Module):
    """A function over the input and modules or parameters of its own."""

    def __init__(self, call, **parts):
        super().__init__()
        self.call, self.names = call, list(parts)
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.call(x, *(getattr(self, name) for name in self.names))


def weight(*shape):
    return nn.Parameter(torch.zeros(shape))


def windows(side, kernel, stride=1, padding=0, dilation=1):
    """How many windows fit along a side: the arithmetic of torch.nn.Conv2d's documentation."""
    return (side + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


# images: [batch, channels, sides...]


def convolution(draw, shape, groups=None, functional=False):
    batch, channels, *sides = shape
    groups = groups or draw([g for g in (1, 2, 4) if channels % g == 0])
    filters, kernel = groups * draw([1, 2]), draw([1, 2, 3])
    stride, padding, dilation = draw([1, 2]), draw([0, 1, 2]), draw([1, 2])
    out = [windows(n, kernel, stride, padding, dilation) for n in sides]
    if min(out) < 1:
        return Block(nn.Identity(), shape, [])
    each = channels // groups * kernel ** len(sides)
    macs = batch * filters * prod(out) * each
    if functional:  # with a kernel that is no parameter
        call = [F.conv1d, F.conv2d, F.conv3d][len(sides) - 1]
        kept = torch.zeros(filters, channels // groups, *[kernel] * len(sides))
        step = Do(lambda x: call(x, kept, None, stride, padding, dilation, groups))
        return Block(step, (batch, filters, *out), [(macs, 0, 1)])
    layer = [nn.Conv1d, nn.Conv2d, nn.Conv3d][len(sides) - 1]
    step = layer(channels, filters, kernel, stride, padding, dilation, groups)
    return Block(step, (batch, filters, *out), [(macs, 1, 1)])


def depthwise(draw, shape):
    return convolution(draw, shape, groups=shape[1])


def fixed_convolution(draw, shape):
    return convolution(draw, shape, functional=True)


def transposed(draw, shape):
    batch, channels, *sides = shape
    groups = draw([g for g in (1, 2) if channels % g == 0])
    each, kernel, stride = draw([1, 2]), draw([1, 2, 3]), draw([1, 2])
    layer = [nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d][len(sides) - 1]
    step = layer(channels, each * groups, kernel, stride, groups=groups)
    out = [(n - 1) * stride + kernel for n in sides]
    macs = prod(shape) * each * kernel ** len(sides)
    return Block(step, (batch, each * groups, *out), [(macs, 1, 1)])


def pooling(draw, shape):
    sides = len(shape) - 2
    size = draw([1, 2])
    if min(shape[2:]) < size:
        return Block(nn.Identity(), shape, [])
    pools = [nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d], [nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d]
    step = draw(pools)[sides - 1](size)
    return Block(step, (*shape[:2], *(n // size for n in shape[2:])), [])


def adaptive(draw, shape):
    sides = len(shape) - 2
    step = [nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d][sides - 1](2)
    return Block(step, (*shape[:2], *[2] * sides), [])


def norm_of_channels(draw, shape):
    batch, instance = [(nn.BatchNorm1d, nn.InstanceNorm1d), (nn.BatchNorm2d, nn.InstanceNorm2d),
                       (nn.BatchNorm3d, nn.InstanceNorm3d)][len(shape) - 3]  # fmt: skip
    layers = [batch(shape[1]), nn.GroupNorm(1, shape[1])]
    if prod(shape[2:]) > 1:
        layers.append(instance(shape[1], affine=True))
    return Block(draw(layers).eval(), shape, [])


def upsampled(draw, shape):
    return Block(nn.Upsample(scale_factor=2), (*shape[:2], *(2 * n for n in shape[2:])), [])


def pixel_shuffle(draw, shape):
    if len(shape) != 4:
        return Block(nn.Identity(), shape, [])
    batch, channels, height, width = shape
    conv = nn.Conv2d(channels, 4 * channels, 1)
    step = nn.Sequential(conv, nn.PixelShuffle(2))
    macs = prod(shape) * 4 * channels
    return Block(step, (batch, channels, 2 * height, 2 * width), [(macs, 1, 1)])


def unfolded(draw, shape):
    """A convolution as a product of its windows."""
    if len(shape) != 4 or min(shape[2:]) < 2:
        return Block(nn.Identity(), shape, [])
    batch, channels, height, width = shape
    filters, places = draw([1, 3]), (height - 1) * (width - 1)

    def call(x, kernel):
        return (kernel @ F.unfold(x, 2)).unflatten(2, (height - 1, width - 1))

    macs = batch * filters * 4 * channels * places
    step = Do(call, kernel=weight(filters, 4 * channels))
    return Block(step, (batch, filters, height - 1, width - 1), [(macs, 1, 1)])


def fourier(draw, shape):
    """A convolution by Fourier transforms: products of elements."""

    def call(x, kernel):
        return torch.fft.irfft(torch.fft.rfft(x) * torch.fft.rfft(kernel), n=shape[-1])

    return Block(Do(call, kernel=weight(shape[1], *shape[2:])), shape, [])


# rows: [batch, tokens, width]


def linear(draw, shape):
    *rows, width = shape
    out = draw([1, 2, 5])
    return Block(nn.Linear(width, out), (*rows, out), [(prod(rows) * width * out, 1, 1)])


def fixed_linear(draw, shape):
    *rows, width = shape
    kept = torch.zeros(3, width)
    return Block(Do(lambda x: F.linear(x, kept)), (*rows, 3), [(prod(rows) * width * 3, 0, 1)])


def matmul(draw, shape):
    *rows, width = shape
    spelled = [lambda x, w: x @ w, lambda x, w: torch.einsum("btw,wo->bto", x, w),
               lambda x, w: torch.bmm(x, w.expand(shape[0], -1, -1)),
               lambda x, w: torch.tensordot(x, w, dims=1)]  # fmt: skip
    return Block(
        Do(draw(spelled), w=weight(width, 4)), (*rows, 4), [(prod(rows) * width * 4, 1, 1)]
    )


def baddbmm(draw, shape):
    batch, tokens, width = shape
    step = Do(lambda x, bias, w: torch.baddbmm(bias, x, w), bias=weight(batch, tokens, 3),
              w=weight(batch, width, 3))  # fmt: skip
    return Block(step, (batch, tokens, 3), [(batch * tokens * width * 3, 1, 1)])


def vector(draw, shape):
    """Each row times one vector."""
    step = Do(lambda x, v: (x @ v).unsqueeze(-1), v=weight(shape[-1]))
    return Block(step, (*shape[:-1], 1), [(prod(shape), 1, 1)])


def gram(draw, shape):
    """Each row with each row: both factors are the input."""
    batch, tokens, width = shape
    step = Do(lambda x: torch.bmm(x, x.transpose(1, 2)))
    return Block(step, (batch, tokens, tokens), [(batch * tokens * tokens * width, 0, 2)])


def bilinear(draw, shape):
    """First every output's matrix meets the row, then the row once more.

    PyTorch makes each of the three gradients of its two other factors and the result's gradient,
    in two products of its own.
    """
    *rows, width = shape
    step = Do(lambda x, layer: layer(x, x), layer=nn.Bilinear(width, width, 2))
    whole, half, square = (prod(rows) * n for n in (2 * width * width, 2 * width, width * width))
    products = [(whole, 0, 0), (half, 0, 0)]
    matrix, left, right = half + whole, whole + square, whole + half
    return Block(step, (*rows, 2), products, gradients=(matrix, left + right))


def recurrent(draw, shape):
    """At the first token the state is zeros, which want no gradient."""
    batch, tokens, width = shape
    kind, gates = draw([(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
    units, both = draw([1, 2, 3]), draw([False, True])
    step = Do(lambda x, cell: cell(x)[0], cell=kind(width, units, batch_first=True,
                                                    bidirectional=both))  # fmt: skip
    each = batch * (1 + both) * gates * units
    products = [(tokens * each * width, 1, 1), (each * units, 1, 0),
                ((tokens - 1) * each * units, 2, 0)]  # fmt: skip
    return Block(step, (batch, tokens, units * (1 + both)), products)


def cells(draw, shape):
    """A recurrent cell, called at every token."""
    batch, tokens, width = shape
    kind, gates = draw([(nn.RNNCell, 1), (nn.GRUCell, 3), (nn.LSTMCell, 4)])
    units = 2

    def call(x, cell):
        state, out = None, []
        for token in x.unbind(1):
            state = cell(token, state)
            out.append(state[0] if isinstance(state, tuple) else state)
        return torch.stack(out, 1)

    each = batch * gates * units
    products = [(tokens * each * width, 1, 1), (each * units, 1, 0),
                ((tokens - 1) * each * units, 2, 0)]  # fmt: skip
    return Block(Do(call, cell=kind(width, units)), (batch, tokens, units), products)


def multihead(draw, shape):
    batch, tokens, width = shape
    heads = draw([h for h in (1, 2) if width % h == 0])
    step = Do(lambda x, layer: layer(x, x, x, need_weights=False)[0],
              layer=nn.MultiheadAttention(width, heads, batch_first=True))  # fmt: skip
    scores = batch * tokens * tokens * width
    products = [(batch * tokens * width * 3 * width, 1, 1), (scores, 2, 0), (scores, 2, 0),
                (batch * tokens * width * width, 2, 0)]  # fmt: skip
    return Block(step, shape, products)


def attention(draw, shape):
    """Scaled dot products of the rows themselves, with a mask or without."""
    batch, tokens, width = shape
    heads, causal = draw([h for h in (1, 2) if width % h == 0]), draw([False, True])

    def call(x):
        split = x.unflatten(-1, (heads, -1)).transpose(1, 2)
        out = F.scaled_dot_product_attention(split, split, split, is_causal=causal)
        return out.transpose(1, 2).flatten(2)

    scores = batch * tokens * tokens * width
    return Block(Do(call), shape, [(scores, 0, 2), (scores, 0, 2)])


def grouped_queries(draw, shape):
    """Four heads of queries share two of keys and values."""
    batch, tokens, width = shape

    def call(x, q, k, v):
        q, k, v = (w(x).unflatten(-1, (-1, 3)).transpose(1, 2) for w in (q, k, v))
        out = F.scaled_dot_product_attention(q, k, v, enable_gqa=True)
        return out.transpose(1, 2).flatten(2)

    step = Do(call, q=nn.Linear(width, 12), k=nn.Linear(width, 6), v=nn.Linear(width, 6))
    rows, scores = batch * tokens * width, batch * 4 * tokens * tokens * 3
    products = [(rows * 12, 1, 1), (rows * 6, 1, 1), (rows * 6, 1, 1), (scores, 2, 0),
                (scores, 2, 0)]  # fmt: skip
    return Block(step, (batch, tokens, 12), products)


def encoder(draw, shape):
    """nn.TransformerEncoderLayer: attention, then two linear layers, each beside its input."""
    batch, tokens, width = shape
    rows, scores, inner = batch * tokens, batch * tokens * tokens * width, 6
    step = nn.TransformerEncoderLayer(width, 1, inner, dropout=0.0, batch_first=True)
    products = [(rows * width * 3 * width, 1, 1), (scores, 2, 0), (scores, 2, 0),
                (rows * width * width, 2, 0), (rows * width * inner, 2, 0),
                (rows * inner * width, 2, 0)]  # fmt: skip
    return Block(step, shape, products)


def gated(draw, shape):
    """SwiGLU."""
    *rows, width = shape
    step = Do(lambda x, a, b, out: out(F.silu(a(x)) * b(x)), a=nn.Linear(width, 4),
              b=nn.Linear(width, 4), out=nn.Linear(4, width))  # fmt: skip
    macs = prod(rows) * width * 4
    return Block(step, shape, [(macs, 1, 1), (macs, 1, 1), (macs, 2, 0)])


def mixture(draw, shape):
    """Every expert takes every row; a router's weights mix them."""
    batch, tokens, width = shape
    experts = nn.ModuleList([nn.Linear(width, width) for _ in range(3)])

    def call(x, router, experts):
        shares = router(x).softmax(-1)
        return torch.einsum("bte,btew->btw", shares, torch.stack([e(x) for e in experts], 2))

    rows = batch * tokens
    products = [(rows * width * 3, 1, 1), *[(rows * width * width, 1, 1)] * 3,
                (rows * 3 * width, 2, 0)]  # fmt: skip
    return Block(Do(call, router=nn.Linear(width, 3), experts=experts), shape, products)


def shared(draw, shape):
    """One layer, twice in a row."""
    *rows, width = shape
    macs = prod(rows) * width * width
    step = Do(lambda x, layer: layer(torch.tanh(layer(x))), layer=nn.Linear(width, width))
    return Block(step, shape, [(macs, 1, 1), (macs, 2, 0)])


def checkpointed(draw, shape):
    """What its backward pass needs it computes again: the layer, up to the tanh."""
    *rows, width = shape
    macs = prod(rows) * width * 3
    inner = nn.Sequential(nn.Linear(width, 3), nn.Tanh())
    step = Do(lambda x, inner: checkpoint(inner, x, use_reentrant=False), inner=inner)
    return Block(step, (*rows, 3), [(macs, 1, 1)], again=macs)


def low_rank(draw, shape):
    """A frozen layer beside a trained one of rank 1, as LoRA has it."""
    *rows, width = shape
    frozen = nn.Linear(width, 4).requires_grad_(False)
    step = Do(lambda x, frozen, down, up: frozen(x) + up(down(x)), frozen=frozen,
              down=nn.Linear(width, 1, bias=False), up=nn.Linear(1, 4, bias=False))  # fmt: skip
    macs = prod(rows)
    return Block(
        step, (*rows, 4), [(macs * width * 4, 0, 1), (macs * width, 1, 1), (macs * 4, 2, 0)]
    )


def norm_of_rows(draw, shape):
    return Block(draw([nn.LayerNorm, nn.RMSNorm])(shape[-1]), shape, [])


def elementwise(draw, shape):
    steps = [nn.ReLU(), nn.GELU(), nn.Softmax(-1), nn.Dropout(0.0), Do(lambda x: x.cumsum(1)),
             Do(lambda x: x.roll(1, 1)), Do(lambda x: x * x.sigmoid())]  # fmt: skip
    return Block(draw(steps), shape, [])


def outer(draw, shape):
    """An outer product of a row with a parameter: one of elements."""
    step = Do(lambda x, v: torch.einsum("btw,v->btwv", x, v).flatten(2), v=weight(2))
    return Block(step, (*shape[:2], 2 * shape[2]), [])


OF_IMAGES = [convolution, depthwise, fixed_convolution, transposed, pooling, adaptive,
             norm_of_channels, upsampled, pixel_shuffle, unfolded, fourier]  # fmt: skip
OF_ROWS = [linear, fixed_linear, matmul, baddbmm, vector, gram, bilinear, recurrent, cells,
           multihead, attention, grouped_queries, encoder, gated, mixture, shared, checkpointed,
           low_rank, norm_of_rows, elementwise, outer]  # fmt: skip
