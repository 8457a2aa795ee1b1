"""Which parameters one token meets: in a mixture of experts, a part of them."""

from collections.abc import Iterable, Mapping

from flopledger.calls import OpCall


def active_params(calls: Iterable[OpCall], sizes: Mapping[str, int]) -> int:
    """Parameters met by the one token that the calls were counted on.

    A token meets each weight of a matrix product in one MAC, so that a product with the k experts
    it is sent to does as many MACs as those experts have weights. An embedding counts whole, as
    published figures have it, and so does whatever is not multiplied.

    Args:
        calls: of a forward pass over one token.
        sizes: the elements of each parameter, by name.
    """
    macs: dict[str, int] = {}
    whole: set[str] = set()
    for call in calls:
        for name in call.params:
            if call.macs:
                macs[name] = macs.get(name, 0) + call.macs
            elif call.other_flops or call.op == "aten::embedding":
                whole.add(name)
            else:  # moved: a view, or an expert's row
                macs.setdefault(name, 0)
    return sum(
        sizes[name] if name in whole else min(sizes[name], macs[name])
        for name in macs.keys() | whole
    )
