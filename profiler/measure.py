"""profile(): a network counted twice, and the tables made of it."""

import traceback
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from profiler.calls import OpCall
from profiler.counters import dispatch, fvcore_trace
from profiler.counters.weightless import build
from profiler.counters.weightless import run as run_for_real
from profiler.layers import Watch, layers_of, watch
from profiler.registry import ModelSpec, find_model
from profiler.tables import Check, Input, Profile, ProfilingError

COUNTERS = ("fvcore", "dispatch")


def profile(
    module: nn.Module | str,
    *args: Any,
    counter: str = "auto",
    backward: bool = False,
    samples: int | None = None,
    **kwargs: Any,
) -> Profile:
    """Count one forward pass of a network with both counters.

    The module's mode is kept, its weights are neither read nor changed, and nothing that was done
    to it for the count is left, not even after an exception.

    Args:
        module: a network, or the name of one of the zoo's (built without weights, in eval mode).
        *args: what its forward takes; of the zoo's, its own example inputs if left out.
        counter: which counter the tables come from: "fvcore" or "dispatch"; "auto" is fvcore, and
            dispatch where only that can count the network, or all of it. The other is the check.
        backward: also count the backward pass (by the dispatch counter, in either case).
        samples: how many samples the inputs hold; if left out, axis 0 of the first tensor.
        **kwargs: what its forward takes by name.

    Returns:
        The tables. One sample's FLOPs stand behind every `flops_per_param`.

    Raises:
        UnknownModel: no model of the zoo has that name.
        ValueError: `counter` is none of the three.
        ProfilingError: the network could not be counted.
    """
    name = module if isinstance(module, str) else type(module).__name__
    if isinstance(module, str):
        spec = find_model(module)
        module = built(spec)
        args = args or (() if kwargs else examples(spec))
    if counter not in ("auto", *COUNTERS):
        raise ValueError(f"no counter is called {counter!r}; say auto, fvcore or dispatch")

    run = _Run(module, args, kwargs, backward)
    main = "fvcore" if counter == "auto" else counter
    first = run.count(main)
    second = run.count(_other(main)) if counter == "auto" or _counted(first) else first
    if counter == "auto" and _rank(second) > _rank(first):
        main, first, second = _other(main), second, first
    if isinstance(first, Exception):
        raise ProfilingError(f"{name}: {run.complaint(first)}") from first
    if backward and isinstance(second, Exception) and main == "fvcore":
        raise ProfilingError(f"{name}: {run.complaint(second)}") from second

    by_fvcore = second if main == "dispatch" else first
    if isinstance(by_fvcore, Exception) and (refusal := run.refusal()) is not None:
        # the rules for meta tensors let pass what no kernel would
        raise ProfilingError(f"{name}: {run.complaint(refusal)}") from refusal

    by_dispatch = first if main == "dispatch" else second
    forward = [call for call in first if not call.backward]
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    return Profile(
        model=name,
        counter=main,
        inputs=tuple(_described(tensor) for tensor in tensors),
        samples=samples or _samples(tensors),
        calls=tuple(forward),
        modules=tuple(run.layers),
        check=_check(_other(main), forward, second),
        backward_calls=_backward(by_dispatch) if backward else None,
        unused=_unused(module, by_dispatch),
    )


def built(spec: ModelSpec) -> nn.Module:
    """A network of the zoo, in eval mode, on meta: no weights are initialised or stored.

    Raises:
        ProfilingError: its factory raised something, or made no module.
    """
    try:
        return build(spec.factory).eval()
    except Exception as error:  # the factory is anybody's code: it may raise anything
        raise ProfilingError(f"{spec.name}: its factory fails: {_said(error)}") from error


def examples(spec: ModelSpec) -> tuple[Any, ...]:
    """The example inputs of a network of the zoo.

    Raises:
        ProfilingError: they cannot be made.
    """
    try:
        return spec.inputs()
    except Exception as error:  # as the factory
        raise ProfilingError(f"{spec.name}: its example inputs fail: {_said(error)}") from error


class _Run:
    """One network and its inputs, counted by either counter, with the layers of the first pass."""

    def __init__(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], backward: bool
    ) -> None:
        self._counters: dict[str, Callable[[], list[OpCall]]] = {
            "fvcore": lambda: fvcore_trace.count(module, args, kwargs),
            "dispatch": lambda: dispatch.count(module, args, kwargs, backward=backward),
        }
        self._plain = lambda: run_for_real(module, args, kwargs)
        self._module = module
        self._stopped: dict[int, str] = {}
        self.layers: list[Any] = []

    def count(self, counter: str) -> list[OpCall] | Exception:
        """The calls, or what was raised instead."""
        calls, seen = self._watched(self._counters[counter])
        if isinstance(calls, Exception):
            return calls
        self.layers = self.layers or layers_of(self._module, seen)
        return calls

    def refusal(self) -> Exception | None:
        """What the network raises in a real pass, if it does."""
        return self._watched(self._plain)[0]

    def _watched(self, job: Callable[[], Any]) -> tuple[Any, Watch]:
        seen = Watch()
        try:
            with watch(self._module) as seen, torch.random.fork_rng(devices=[]):
                return job(), seen
        except Exception as error:  # the network is anybody's code: it may raise anything
            self._stopped[id(error)] = seen.where_it_stopped()
            return error, seen

    def complaint(self, error: Exception) -> str:
        """One line: where the pass stopped, on what, and what was raised."""
        said = str(error).strip().splitlines() or [type(error).__name__]
        where = self._stopped.get(id(error), "")
        line = said[0][:300]  # tracing may quote a whole tensor
        return f"{line} ({where}; change the input or that layer)" if where else line


def _counted(result: list[OpCall] | Exception) -> bool:
    return not isinstance(result, Exception)


def _rank(result: list[OpCall] | Exception) -> int:
    """0 for no count, 1 for one with operators that have no formula, 2 for a whole one."""
    return 0 if isinstance(result, Exception) else 2 - bool(_unknown(result))


def _unknown(calls: list[OpCall]) -> list[str]:
    return list(dict.fromkeys(call.op for call in calls if not call.counted))


def _said(error: Exception) -> str:
    return "".join(traceback.format_exception_only(error)).strip().splitlines()[0][:300]


def _other(counter: str) -> str:
    return COUNTERS[1 - COUNTERS.index(counter)]


def _described(tensor: Tensor) -> Input:
    return Input(shape=tuple(tensor.shape), dtype=str(tensor.dtype).removeprefix("torch."))


def _samples(tensors: list[Tensor]) -> int:
    return tensors[0].shape[0] if tensors and tensors[0].dim() else 1


def _check(counter: str, first: list[OpCall], second: list[OpCall] | Exception) -> Check:
    if isinstance(second, Exception):
        return Check(counter=counter, macs=None, agrees=None, reason=_said(second))
    macs, others = _macs_by_layer(first), _macs_by_layer(second)
    total, other = sum(macs.values()), sum(others.values())
    differ = [path for path in macs | others if macs.get(path, 0) != others.get(path, 0)]
    reason = ""
    if total != other:
        reason = f"they differ at {', '.join(p or 'its top' for p in differ)}"
        if unknown := _unknown(second):
            reason += f"; {counter} has no formula for {', '.join(unknown)}"
    return Check(counter=counter, macs=other, agrees=total == other, reason=reason)


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
