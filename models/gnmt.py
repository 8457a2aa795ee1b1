"""GNMT: eight LSTM layers that read a sentence, eight that write its translation."""

import torch
from flopledger import Published, register
from torch import Tensor, nn

MOE = "Shazeer et al. 2017, arXiv 1701.06538, table 5 (GNMT)"


class Attention(nn.Module):
    """One hidden layer scores every source token for every target token.

    Queries [sentence, targets, units] and memory [sentence, sources, units] in, contexts
    [sentence, targets, units] out.
    """

    def __init__(self, units: int) -> None:
        super().__init__()
        self.query = nn.Linear(units, units, bias=False)
        self.key = nn.Linear(units, units, bias=False)
        self.score = nn.Linear(units, 1, bias=False)

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        hidden = torch.tanh(self.query(query).unsqueeze(2) + self.key(memory).unsqueeze(1))
        weights = self.score(hidden).squeeze(3).softmax(dim=2)
        return weights @ memory


class GNMT(nn.Module):
    """Source and target [sentence, tokens] of int64 in, logits [sentence, tokens, vocabulary] out.

    The bottom layer reads the source in both directions. The bottom layer of the decoder asks for
    the context, which all the layers above it are given; from the third layer on, a layer's input
    is added to its output. torch's LSTM adds two biases to each gate where one is meant.
    """

    def __init__(self, vocabulary: int, units: int, layers: int) -> None:
        super().__init__()
        self.source = nn.Embedding(vocabulary, units)
        self.target = nn.Embedding(vocabulary, units)
        self.encoder1 = nn.LSTM(units, units, bidirectional=True, batch_first=True)
        self.encoder2 = nn.LSTM(2 * units, units, batch_first=True)
        self.encoder = nn.ModuleList(
            nn.LSTM(units, units, batch_first=True) for _ in range(layers - 2)
        )
        self.decoder1 = nn.LSTM(units, units, batch_first=True)
        self.attention = Attention(units)
        self.decoder = nn.ModuleList(
            nn.LSTM(2 * units, units, batch_first=True) for _ in range(layers - 1)
        )
        self.softmax = nn.Linear(units, vocabulary)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        memory, _ = self.encoder1(self.source(source))
        memory, _ = self.encoder2(memory)
        for layer in self.encoder:
            memory = memory + layer(memory)[0]
        x, _ = self.decoder1(self.target(target))
        context = self.attention(x, memory)
        for depth, layer in enumerate(self.decoder, start=2):
            y, _ = layer(torch.cat((x, context), dim=2))
            x = y if depth == 2 else x + y
        return self.softmax(x)


@register(
    inputs=lambda: (torch.zeros(1, 32, dtype=torch.int64), torch.zeros(1, 32, dtype=torch.int64)),
    axes=("sentence, source token", "sentence, target token"),
    year=2016,
    paper="Wu et al. 2016, arXiv 1609.08144, sections 3 and 4.1",
    published=[
        Published(
            "params",
            278e6,
            MOE,
            rtol=0.5 / 278,
            differs="which layers the context is given to is drawn, not listed: with the bottom "
            "layer among them there are 4.2M more, 281M; and 32,000 word pieces are rounded",
        ),
    ],
)
def gnmt() -> nn.Module:
    """GNMT: 8 + 8 layers of 1,024 units, 32,000 word pieces in either tongue."""
    return GNMT(vocabulary=32_000, units=1024, layers=8)
