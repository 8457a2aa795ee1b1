"""Which parameters a pass reads: all that take part, rows of tables, experts as they are met."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from torch import nn

from flopledger.decoding.cached_passes import CachedPasses, Counted

# the last words of operators that read rows of a table, and no more
_LOOKS_UP = "aten::embedding"


@dataclass(frozen=True, kw_only=True)
class Reads:
    """Parameters that one pass reads, each once.

    Attributes:
        elements: how many; of a mixture, the number expected where every expert is as likely.
        bytes: theirs, as the model stores them.
    """

    elements: Fraction
    bytes: Fraction


def shares_of(passes: CachedPasses) -> dict[str, Fraction]:
    """Of each parameter, the share of its elements that a single token meets.

    Of a mixture's experts it is those that the router picks; of what nothing meets, none.

    """
    met = passes.token().met
    return {
        name: min(Fraction(met.get(name, 0), param.numel()), Fraction(1))
        for name, param in passes.module.named_parameters()
        if param.numel()
    }


def reads_of(
    counted: Counted, module: nn.Module, shares: Mapping[str, Fraction], tokens: int
) -> Reads:
    """What a pass of that many tokens, in all its sequences together, reads.

    Of experts of which a token meets the share s, tokens that choose one by one, each as likely as
    another, meet 1 - (1 - s)^tokens. Of a table that is only looked up, each token reads a row.

    Args:
        counted: the pass.
        module: the model.
        shares: as `shares_of` gives them.
        tokens: how many.
    """
    looked_up = _looked_up(counted)
    elements = of_bytes = Fraction(0)
    for name, param in module.named_parameters():
        size, share = param.numel(), shares.get(name, Fraction(0))
        if not size or not counted.met.get(name):
            continue
        if name in looked_up:
            rows = param.shape[0]
            read = Fraction(size * min(rows, tokens), rows)
        else:
            read = size * (1 - (1 - share) ** tokens) if share < 1 else Fraction(size)
        elements += read
        of_bytes += read * param.element_size()
    return Reads(elements=elements, bytes=of_bytes)


def _looked_up(counted: Counted) -> set[str]:
    """The parameters that nothing but a look-up of rows takes."""
    looked_up = {name for call in counted.calls if call.op == _LOOKS_UP for name in call.params}
    multiplied = {
        name
        for call in counted.calls
        if call.op != _LOOKS_UP and (call.macs or call.other_flops)
        for name in call.params
    }
    return looked_up - multiplied
