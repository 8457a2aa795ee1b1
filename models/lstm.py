"""A two-layer LSTM language model."""

import torch
from flopledger import Published, register
from torch import Tensor, nn


class LanguageModel(nn.Module):
    """[sequence, tokens] of int64 in, logits [sequence, tokens, vocabulary] out."""

    def __init__(self, vocabulary: int, units: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, units)
        self.dropout = nn.Dropout(0.5)
        self.lstm = nn.LSTM(units, units, num_layers=2, dropout=0.5, batch_first=True)
        self.output = nn.Linear(units, vocabulary)

    def forward(self, tokens: Tensor) -> Tensor:
        hidden, _ = self.lstm(self.dropout(self.embedding(tokens)))
        return self.output(self.dropout(hidden))


@register(
    inputs=lambda: (torch.zeros(1, 35, dtype=torch.int64),),
    axes=("sequence, token (35 unrolled steps)",),
    year=2014,
    paper="Zaremba, Sutskever, Vinyals 2014, Recurrent Neural Network Regularization, section 4.1",
    published=[
        Published(
            "params", 20e6, "Merity et al. 2017, arXiv 1708.02182, table 1 (medium)", rtol=0.025
        ),
    ],
)
def lstm() -> nn.Module:
    """The medium LSTM language model of the Penn Treebank: 2 layers of 650 units.

    torch adds two biases to each gate where the paper has one: 5,200 parameters more.
    """
    return LanguageModel(vocabulary=10_000, units=650)
