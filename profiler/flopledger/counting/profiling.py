"""profile(): a network counted twice, and the tables made of it."""

from dataclasses import is_dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import SUPPORTED_NODES, register_dataclass, tree_leaves, tree_map

from flopledger.calls import Counter, OpCall
from flopledger.counting import dispatch_counter
from flopledger.counting.active_params import active_params
from flopledger.counting.attempts import Passes, Skipped, fits, said
from flopledger.counting.restore import ChangesItself, materialised
from flopledger.counting.subject import subject_of
from flopledger.errors import WrongOption
from flopledger.tables import Check, Input, Profile, ProfilingError
from flopledger.zoo.inputs import Inputs

COUNTERS = ("fvcore", "dispatch")

# MACs beyond which a second opinion is not worth its time: fvcore computes what it traces, on two
# cores some 50 G a second
TRACED = 250_000_000_000


def profile(
    module: nn.Module | str,
    args: Any = (),
    kwargs: dict[str, Any] | None = None,
    *,
    counter: Counter = "auto",
    backward: bool = False,
    samples: int | None = None,
) -> Profile:
    """Count one forward pass of a network with both counters.

    The module's mode is kept, its weights are neither read nor changed, and nothing that was done
    to it for the count is left, not even after an exception.

    Args:
        module: a network, or the name of one, as `flopledger profile` takes it (built without
            weights, in eval mode): "alexnet", "file.py:Net", "timm:resnet50".
        args: a tuple of what its forward takes by place, or the one tensor that it takes; of a
            named network, its own example inputs if left out.
        kwargs: what its forward takes by name.
        counter: which counter the tables come from: "fvcore" or "dispatch"; "auto" is fvcore, and
            dispatch where only that can count the network, or all of it, and for one that is too
            large to be computed. The other is the check.
        backward: also count the backward pass (by the dispatch counter, in either case).
        samples: how many samples the inputs hold; if left out, axis 0 of the first tensor.

    Returns:
        The tables. One sample's FLOPs stand behind every `flops_per_param`.

    Raises:
        UnknownModel, BrokenModel, WrongSource, WrongInputs: of a name, as `subject_of`.
        WrongOption: `counter` is none of the three, or `samples` no whole number from 1 up.
        ProfilingError: the network could not be counted.
    """
    _refuse(counter, samples)
    subject = subject_of(module, args, kwargs)
    whole = counted(subject.name, subject.module, subject.inputs, counter, backward, samples)
    return replace(whole, notes=(*subject.notes, *whole.notes))


def counted(
    name: str,
    module: nn.Module,
    inputs: Inputs,
    counter: Counter = "auto",
    backward: bool = False,
    samples: int | None = None,
) -> Profile:
    """As `profile`, of a network that goes by that name, with its arguments in one piece."""
    _refuse(counter, samples)
    args, kwargs = inputs
    for leaf in tree_leaves(inputs):
        _let_look_inside(type(leaf))

    try:
        module = materialised(module, inputs)
    except Exception as error:
        raise ProfilingError(f"{name}: its lazy layers cannot be made: {said(error)}") from error
    run = Passes(module, args, kwargs, backward)
    second = run.dispatched()
    if isinstance(second, ChangesItself):
        raise ProfilingError(f"{name}: {second}") from second
    first: list[OpCall] | Exception = Skipped(_too_large(module, second) or "")
    if counter == "fvcore" or not str(first):
        first = run.count("fvcore")
    main = "fvcore"
    if counter == "dispatch" or (counter == "auto" and _rank(second) > _rank(first)):
        main, first, second = "dispatch", second, first
    if isinstance(first, Exception):
        why = second if isinstance(first, Skipped) and isinstance(second, Exception) else first
        raise ProfilingError(f"{name}: {run.complaint(why)}") from why
    if backward and isinstance(second, Exception) and main == "fvcore":
        raise ProfilingError(f"{name}: {run.complaint(second)}") from second

    by_fvcore, by_dispatch = (second, first) if main == "dispatch" else (first, second)
    if (
        isinstance(by_fvcore, Exception)
        and not isinstance(by_fvcore, Skipped)
        and not run.notes
        and (refusal := run.refusal()) is not None
    ):
        # the rules for meta tensors let pass what no kernel would
        raise ProfilingError(f"{name}: {run.complaint(refusal)}") from refusal

    forward = [call for call in first if not call.backward]
    masks = (
        [c for c in by_dispatch if c.masked_macs] if not isinstance(by_dispatch, Exception) else []
    )
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    return Profile(
        model=name,
        counter=main,
        reason=_reason(main, by_fvcore, by_dispatch) if counter == "auto" else "as asked",
        inputs=tuple(_described(tensor) for tensor in tensors),
        samples=_samples(tensors) if samples is None else samples,
        calls=(*forward, *(masks if main == "fvcore" else ())),
        modules=tuple(run.layers),
        check=_check(_other(main), forward, second),
        backward_calls=_backward(by_dispatch) if backward else None,
        unused=_unused(module, by_dispatch),
        active_params=_active_params(run, by_dispatch),
        notes=(*run.notes, *_spread(by_dispatch)),
    )


def _refuse(counter: str, samples: Any) -> None:
    if counter not in ("auto", *COUNTERS):
        raise WrongOption(f"no counter is called {counter!r}; say auto, fvcore or dispatch")
    if samples is not None and (type(samples) is not int or samples < 1):
        raise WrongOption(f"samples={samples!r} is no number of samples; give 1, 2, 3, ...")


def _let_look_inside(kind: type) -> None:
    # a dataclass of tensors is one leaf until its class is known to PyTorch
    if is_dataclass(kind) and kind not in SUPPORTED_NODES:
        register_dataclass(kind)


def _too_large(module: nn.Module, calls: list[OpCall] | Exception) -> str:
    """Why fvcore, which computes what it traces, is not asked; empty where it is."""
    if isinstance(calls, Exception):
        return "" if fits(module) else "its weights do not fit into memory"
    macs = sum(call.macs for call in calls if not call.backward)
    if macs > TRACED or not fits(module):
        return f"it would compute {macs:,} MACs; --counter fvcore has it do so"
    return ""


def _reason(
    main: str, by_fvcore: list[OpCall] | Exception, by_dispatch: list[OpCall] | Exception
) -> str:
    """Why "auto" took that counter."""
    if isinstance(by_fvcore, Skipped):
        return f"auto: fvcore was not asked, {by_fvcore}"
    if main == "dispatch" and isinstance(by_fvcore, Exception):
        return f"auto: fvcore cannot trace it ({said(by_fvcore)})"
    if main == "dispatch":
        return (
            f"auto: fvcore's trace has {', '.join(_unknown(_found(by_fvcore)))}, without a formula"
        )
    if isinstance(by_dispatch, Exception):
        return f"auto: dispatch cannot count it ({said(by_dispatch)})"
    return "auto: fvcore can trace it"


def _active_params(run: Passes, calls: list[OpCall] | Exception) -> int | None:
    """Of a network that routes, the parameters that one token meets; None for any other."""
    if not any(call.evenly for call in _found(calls)):
        return None
    ids = [t for t in tree_leaves((run.args, run.kwargs)) if _are_ids(t)]
    if not ids:
        return None
    length = ids[0].shape[1]

    def first(leaf: Any) -> Any:
        if isinstance(leaf, Tensor) and leaf.dim() > 1 and leaf.shape[1] == length:
            return leaf[:1, :1]
        return leaf

    args, kwargs = tree_map(first, run.args), tree_map(first, run.kwargs)
    try:
        one = dispatch_counter.count(run.module, args, kwargs)
    except Exception:  # it takes no single token
        return None
    return active_params(one, {name: p.numel() for name, p in run.module.named_parameters()})


def _are_ids(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and leaf.dtype is torch.int64 and leaf.dim() == 2


def _spread(calls: list[OpCall] | Exception) -> list[str]:
    paths = (
        [call.path or "its top" for call in calls if call.evenly]
        if not isinstance(calls, Exception)
        else []
    )
    if not paths:
        return []
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return [f"what {paths[0]}{more} selects by its values was taken as evenly spread"]


def _rank(result: list[OpCall] | Exception) -> int:
    """0 for no count, 1 for one with operators that have no formula, 2 for a whole one."""
    return 0 if isinstance(result, Exception) else 2 - bool(_unknown(result))


def _found(result: list[OpCall] | Exception) -> list[OpCall]:
    return [] if isinstance(result, Exception) else result


def _unknown(calls: list[OpCall]) -> list[str]:
    return list(dict.fromkeys(call.op for call in calls if not call.counted))


def _other(counter: str) -> str:
    return COUNTERS[1 - COUNTERS.index(counter)]


def _described(tensor: Tensor) -> Input:
    return Input(shape=tuple(tensor.shape), dtype=str(tensor.dtype).removeprefix("torch."))


def _samples(tensors: list[Tensor]) -> int:
    return tensors[0].shape[0] if tensors and tensors[0].dim() else 1


def _check(counter: str, first: list[OpCall], second: list[OpCall] | Exception) -> Check:
    if isinstance(second, Exception):
        reason = str(second) if isinstance(second, Skipped) else said(second)
        return Check(counter=counter, macs=None, agrees=None, reason=reason)
    macs, others = _macs_by_layer(first), _macs_by_layer(second)
    total, other = sum(macs.values()), sum(others.values())
    differ = [path for path in macs | others if macs.get(path, 0) != others.get(path, 0)]
    unknown = ", ".join(_unknown(second))
    if total == other:
        return Check(counter=counter, macs=other, agrees=True)
    if unknown and other < total:
        reason = f"it has no formula for {unknown}, and counts {other:,} MACs without"
        return Check(counter=counter, macs=None, agrees=None, reason=reason)
    reason = f"they differ at {', '.join(path or 'its top' for path in differ)}"
    return Check(counter=counter, macs=other, agrees=False, reason=reason)


def _macs_by_layer(calls: list[OpCall]) -> dict[str, int]:
    macs: dict[str, int] = {}
    for call in calls:
        if not call.backward:
            macs[call.path] = macs.get(call.path, 0) + call.macs
    return macs


def _backward(calls: list[OpCall] | Exception) -> tuple[OpCall, ...]:
    assert not isinstance(calls, Exception)
    return tuple(call for call in calls if call.backward)


def _unused(module: nn.Module, calls: list[OpCall] | Exception) -> tuple[str, ...] | None:
    if isinstance(calls, Exception):
        return None
    used = {name for call in calls for name in call.params}
    return tuple(name for name, _ in module.named_parameters() if name not in used)
