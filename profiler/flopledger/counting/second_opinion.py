"""Two counters of one network: whose calls the tables hold, and what the other says of them."""

from flopledger.calls import Counter
from flopledger.counting.attempts import Attempt
from flopledger.counting.dispatch.recorder import UNSEEN
from flopledger.counting.failures import first_line
from flopledger.counting.unread_work import macs_by_layer
from flopledger.profiles.tables import Check


def unseen_by_fvcore(dispatch: Attempt) -> Attempt | None:
    """An attempt of fvcore's that says why its trace cannot tell; None where it may."""
    if any(call.op == "aten::mul" and call.macs for call in dispatch.forward):
        return _untold(
            dispatch,
            "a gradient is taken in forward, and a trace shows its outer products as elements'",
        )
    if UNSEEN in dispatch.unknown:
        return _untold(
            dispatch,
            "weights were used in a thread that was there before, and nothing of it was seen",
        )
    if dispatch.seen.wrapped:
        return _untold(
            dispatch, "a trace does not look into tensors that hold others, nested or distributed"
        )
    if dispatch.seen.elsewhere:
        return _untold(
            dispatch, "part of it runs in other threads, into which the tracer does not follow"
        )
    return None


def trusted(fvcore: Attempt, dispatch: Attempt) -> Attempt:
    """Fvcore's attempt; one that says why not where its trace lost what gradients were made of.

    The tracer writes down what gradients do as they are taken in forward, by torch.func or
    autograd, but loses some of it: where the two then differ, only the other saw all.
    """
    if not dispatch.gradients or fvcore.calls is None or dispatch.calls is None:
        return fvcore
    if sum(call.macs for call in fvcore.forward) == sum(call.macs for call in dispatch.forward):
        return fvcore
    return _untold(
        dispatch, "gradients are taken in forward, and the trace lost some of their products"
    )


def _untold(dispatch: Attempt, reason: str) -> Attempt:
    return Attempt(counter="fvcore", error=ValueError(reason), values=dispatch.values)


def main_of(counter: Counter, fvcore: Attempt, dispatch: Attempt) -> tuple[Attempt, Attempt]:
    """The attempt that the tables are made of, and the other one.

    Left to us, it is fvcore's, unless only the dispatch counter counted the network, or all of it.
    Where neither did, it is the dispatch counter's: what stopped that is the network's own word,
    what stopped the other may be the tracer's.
    """
    neither = dispatch.calls is None and fvcore.calls is None
    better = neither or (counter == "auto" and _rank(dispatch) > _rank(fvcore))
    return (dispatch, fvcore) if counter == "dispatch" or better else (fvcore, dispatch)


def _rank(attempt: Attempt) -> int:
    """0 for no count, 1 for one with operators that have no formula, 2 for a whole one."""
    return 0 if attempt.calls is None else 2 - bool(attempt.unknown)


def reason_of(main: Attempt, fvcore: Attempt, dispatch: Attempt) -> str:
    """Why "auto" took that counter."""
    if main is dispatch and fvcore.calls is None and fvcore.error is None:
        return "dispatch alone, as asked"
    if main is dispatch and fvcore.error is not None:
        return f"auto: fvcore cannot trace it ({first_line(fvcore.error)})"
    if main is dispatch:
        return f"auto: fvcore's trace has {', '.join(fvcore.unknown)}, without a formula"
    if dispatch.error is not None:
        return f"auto: dispatch cannot count it ({first_line(dispatch.error)})"
    return "auto: fvcore can trace it"


def check_of(main: Attempt, other: Attempt) -> Check:
    """What the other counter says of the forward pass's MACs: in all, and of which layers."""
    if other.calls is None:
        reason = "not asked for" if other.error is None else first_line(other.error)
        return Check(counter=other.counter, macs=None, agrees=None, reason=reason)
    own, others = macs_by_layer(main.forward), macs_by_layer(other.forward)
    total, opinion = sum(own.values()), sum(others.values())
    if other.unknown and opinion < total:
        reason = (
            f"it has no formula for {', '.join(other.unknown)}, and counts {opinion:,} MACs without"
        )
        return Check(counter=other.counter, macs=None, agrees=None, reason=reason)
    return _compared(other.counter, own, others)


def backward_check_of(dispatch: Attempt) -> Check | None:
    """What autograd's graph says of the backward pass's MACs; None where nobody asked for them.

    What checkpointing computes again is left out on both sides: the graph does not show it.
    """
    if dispatch.graph is None:
        return None
    if dispatch.graph.unknown:
        return Check(counter="autograd", macs=None, agrees=None, reason=dispatch.graph.unknown)
    own = macs_by_layer(call for call in dispatch.backward if not call.recomputed)
    return _compared("autograd", own, dispatch.graph.macs)


def _compared(counter: str, own: dict[str, int], others: dict[str, int]) -> Check:
    total, opinion = sum(own.values()), sum(others.values())
    if total == opinion:
        return Check(counter=counter, macs=opinion, agrees=True)
    differ = [path for path in own | others if own.get(path, 0) != others.get(path, 0)]
    reason = f"they differ at {', '.join(path or 'its top' for path in differ)}"
    return Check(counter=counter, macs=opinion, agrees=False, reason=reason)
