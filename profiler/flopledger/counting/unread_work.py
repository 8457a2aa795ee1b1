"""Work that reaches no output: it is done, but the tracer prunes it and fvcore does not see it."""

from collections.abc import Iterable
from dataclasses import replace

from torch import nn

from flopledger.calls import OpCall
from flopledger.counting.attempts import Attempt, by_fvcore
from flopledger.zoo.inputs import Inputs

_NAMED = 10  # layers that a note names; it says how many more there are


def executed(module: nn.Module, inputs: Inputs, fvcore: Attempt, dispatch: Attempt) -> Attempt:
    """Fvcore's attempt; where unread work is all that the two differ by, one that has it as well.

    A note then names the layers whose work is thrown away, and its share.

    Args:
        module: the network.
        inputs: its forward's arguments.
        fvcore: what came of asking fvcore.
        dispatch: what came of asking the dispatch counter.
    """
    if fvcore.calls is None or dispatch.calls is None or fvcore.unknown or dispatch.unknown:
        return fvcore
    read, done = macs_by_layer(fvcore.forward), macs_by_layer(dispatch.forward)
    if sum(read.values()) >= sum(done.values()):
        return fvcore
    whole = by_fvcore(module, inputs, fvcore.values, pruned=False, alone=False)
    if whole.calls is None or sum(macs_by_layer(whole.forward).values()) != sum(done.values()):
        return fvcore
    return replace(whole, notes=(_note(read, macs_by_layer(whole.forward)),))


def macs_by_layer(calls: Iterable[OpCall]) -> dict[str, int]:
    """MACs of the calls, by the path of the module that made them."""
    macs: dict[str, int] = {}
    for call in calls:
        macs[call.path] = macs.get(call.path, 0) + call.macs
    return macs


def _note(read: dict[str, int], done: dict[str, int]) -> str:
    unread = {path: n - read.get(path, 0) for path, n in done.items() if n > read.get(path, 0)}
    most = sorted(unread, key=lambda path: -unread[path])
    named = ", ".join(path or "its top" for path in most[:_NAMED])
    more = f" and {len(most) - _NAMED} more" if len(most) > _NAMED else ""
    wasted, total = sum(unread.values()), sum(done.values())
    return (
        f"{wasted:,} of the {total:,} MACs ({wasted / total:.1%}) reach no output: "
        f"the work of {named}{more} is thrown away"
    )
