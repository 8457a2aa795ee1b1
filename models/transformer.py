"""The Transformer of 2017: an encoder and a decoder that translate."""

import torch
import torch.nn.functional as F
from flopledger import Published, register
from torch import Tensor, nn

VASWANI = "Vaswani et al. 2017, arXiv 1706.03762"
VOCABULARY = "the paper's shared vocabulary is of about 37,000 tokens; here it has exactly as many"


class MultiHeadAttention(nn.Module):
    """Queries [sentence, tokens, width] over keys and values [sentence, others, width]."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.output = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, memory: Tensor, causal: bool = False) -> Tensor:
        query, key, value = (
            y.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for y in (self.query(x), self.key(memory), self.value(memory))
        )
        y = F.scaled_dot_product_attention(query, key, value, is_causal=causal)
        return self.output(y.transpose(1, 2).flatten(2))


def _feed_forward(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width))


class EncoderLayer(nn.Module):
    """Self-attention and a perceptron, each added and then normalised."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(width, heads)
        self.feed_forward = _feed_forward(width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm1(x + self.attention(x, x))
        return self.norm2(x + self.feed_forward(x))


class DecoderLayer(nn.Module):
    """Causal self-attention, attention over the encoder's output, a perceptron."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(width, heads)
        self.encoder_attention = MultiHeadAttention(width, heads)
        self.feed_forward = _feed_forward(width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.norm3 = nn.LayerNorm(width)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        x = self.norm1(x + self.attention(x, x, causal=True))
        x = self.norm2(x + self.encoder_attention(x, memory))
        return self.norm3(x + self.feed_forward(x))


class Transformer(nn.Module):
    """Source and target [sentence, tokens] of int64 in, logits [sentence, tokens, vocabulary] out.

    The positions' sines are left out: they have no weights and no products.
    """

    def __init__(self, vocabulary: int, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.encoder = nn.Sequential(*(EncoderLayer(width, heads) for _ in range(depth)))
        self.decoder = nn.ModuleList(DecoderLayer(width, heads) for _ in range(depth))
        self.output = nn.Linear(width, vocabulary, bias=False)
        self.output.weight = self.embedding.weight  # one matrix for both tongues and the softmax

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        memory = self.encoder(self.embedding(source))
        x = self.embedding(target)
        for layer in self.decoder:
            x = layer(x, memory)
        return self.output(x)


def _sentences() -> tuple[Tensor, ...]:
    return (torch.zeros(1, 32, dtype=torch.int64), torch.zeros(1, 32, dtype=torch.int64))


@register(
    inputs=_sentences,
    axes=("sentence, source token", "sentence, target token"),
    year=2017,
    paper="Vaswani et al. 2017, arXiv 1706.03762, table 3 (base)",
    published=[
        Published("params", 65e6, f"{VASWANI}, table 3", rtol=0.5 / 65, differs=VOCABULARY),
    ],
)
def transformer_base() -> nn.Module:
    """The base Transformer: 6 + 6 layers of width 512."""
    return Transformer(vocabulary=37_000, width=512, depth=6, heads=8)


@register(
    inputs=_sentences,
    axes=("sentence, source token", "sentence, target token"),
    year=2017,
    paper="Vaswani et al. 2017, arXiv 1706.03762, table 3 (big)",
    published=[
        Published("params", 213e6, f"{VASWANI}, table 3", rtol=0.5 / 213, differs=VOCABULARY),
    ],
)
def transformer_big() -> nn.Module:
    """The big Transformer: 6 + 6 layers of width 1,024."""
    return Transformer(vocabulary=37_000, width=1024, depth=6, heads=16)
