"""Two counters of one network: whose calls the tables hold, and what the other says of them."""

from collections.abc import Iterable

from torch import nn

from flopledger.calls import Counter, OpCall
from flopledger.counting.attempts import Attempt, NotAsked, by_fvcore, fits
from flopledger.counting.failures import first_line
from flopledger.profiles.tables import Check
from flopledger.zoo.inputs import Inputs

# MACs beyond which a second opinion is not worth its time: fvcore computes what it traces, on two
# cores some 50 G a second
TRACED = 250_000_000_000


def fvcore_or_why_not(
    module: nn.Module, inputs: Inputs, counter: Counter, dispatch: Attempt
) -> Attempt:
    """Ask fvcore, unless it would compute for too long and was not asked for by name."""
    why_not = "" if counter == "fvcore" else _too_large(module, dispatch)
    if why_not:
        return Attempt(counter="fvcore", error=NotAsked(why_not))
    return by_fvcore(module, inputs)


def _too_large(module: nn.Module, dispatch: Attempt) -> str:
    if dispatch.calls is None:
        return "" if fits(module) else "its weights do not fit into memory"
    macs = sum(call.macs for call in dispatch.forward)
    if macs > TRACED or not fits(module):
        return f"it would compute {macs:,} MACs; --counter fvcore has it do so"
    return ""


def main_of(counter: Counter, fvcore: Attempt, dispatch: Attempt) -> tuple[Attempt, Attempt]:
    """The attempt that the tables are made of, and the other one.

    Left to us, it is fvcore's, unless only the dispatch counter counted the network, or all of it.
    """
    better = counter == "auto" and _rank(dispatch) > _rank(fvcore)
    return (dispatch, fvcore) if counter == "dispatch" or better else (fvcore, dispatch)


def _rank(attempt: Attempt) -> int:
    """0 for no count, 1 for one with operators that have no formula, 2 for a whole one."""
    return 0 if attempt.calls is None else 2 - bool(attempt.unknown)


def reason_of(main: Attempt, fvcore: Attempt, dispatch: Attempt) -> str:
    """Why "auto" took that counter."""
    if not fvcore.asked:
        return f"auto: fvcore was not asked, {fvcore.error}"
    if main is dispatch and fvcore.error is not None:
        return f"auto: fvcore cannot trace it ({first_line(fvcore.error)})"
    if main is dispatch:
        return f"auto: fvcore's trace has {', '.join(fvcore.unknown)}, without a formula"
    if dispatch.error is not None:
        return f"auto: dispatch cannot count it ({first_line(dispatch.error)})"
    return "auto: fvcore can trace it"


def check_of(main: Attempt, other: Attempt) -> Check:
    """What the other counter says of the forward pass's MACs: in all, and of which layers."""
    if other.error is not None:
        reason = first_line(other.error) if other.asked else str(other.error)
        return Check(counter=other.counter, macs=None, agrees=None, reason=reason)
    own, others = _macs_by_layer(main.forward), _macs_by_layer(other.forward)
    total, opinion = sum(own.values()), sum(others.values())
    if total == opinion:
        return Check(counter=other.counter, macs=opinion, agrees=True)
    if other.unknown and opinion < total:
        reason = (
            f"it has no formula for {', '.join(other.unknown)}, and counts {opinion:,} MACs without"
        )
        return Check(counter=other.counter, macs=None, agrees=None, reason=reason)
    differ = [path for path in own | others if own.get(path, 0) != others.get(path, 0)]
    reason = f"they differ at {', '.join(path or 'its top' for path in differ)}"
    return Check(counter=other.counter, macs=opinion, agrees=False, reason=reason)


def _macs_by_layer(calls: Iterable[OpCall]) -> dict[str, int]:
    macs: dict[str, int] = {}
    for call in calls:
        macs[call.path] = macs.get(call.path, 0) + call.macs
    return macs
