"""GPT-2: a decoder-only transformer language model."""

import torch
import torch.nn.functional as F
from flopledger import Published, register
from torch import Tensor, nn


class Attention(nn.Module):
    """Causal self-attention: [sequence, tokens, width] in and out."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        sequence, tokens, width = x.shape
        qkv = self.c_attn(x).view(sequence, tokens, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(sequence, tokens, width))


class Block(nn.Module):
    """Attention and a two-layer perceptron, each normalised before and added to the stream."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT2(nn.Module):
    """[sequence, tokens] of int64 in, logits [sequence, tokens, vocabulary] out."""

    def __init__(self, vocabulary: int, context: int, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(context, width)
        self.h = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.ln_f = nn.LayerNorm(width)
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        self.lm_head.weight = self.wte.weight  # one matrix reads tokens in and out

    def forward(self, tokens: Tensor) -> Tensor:
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        return self.lm_head(self.ln_f(self.h(self.wte(tokens) + self.wpe(positions))))


@register(
    inputs=lambda: (torch.zeros(1, 1024, dtype=torch.int64),),
    axes=("sequence, token",),
    year=2019,
    paper="Radford et al. 2019, Language Models are Unsupervised Multitask Learners, table 2",
    published=[
        Published("params", 124e6, "openai/gpt-2, DEVELOPERS.md: the model's name", rtol=0.004),
        Published(
            "params",
            117e6,
            "Radford et al. 2019, table 2",
            rtol=0.004,
            differs="the paper's own slip: openai/gpt-2's README.md takes 117M back, and its "
            "DEVELOPERS.md calls the model 124M",
        ),
    ],
)
def gpt2() -> nn.Module:
    """GPT-2, the smallest (124M), on a full context of 1,024 tokens."""
    return GPT2(vocabulary=50257, context=1024, width=768, depth=12, heads=12)
