"""Attempts to count a network: what either counter made of one pass, or what stopped it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import psutil
import torch
from torch import nn

from flopledger.calls import Layer, OpCall
from flopledger.counting import dispatch_counter, fvcore_counter
from flopledger.counting.failures import first_line, raised_at
from flopledger.counting.layers import Watch, layers_of, watch
from flopledger.counting.restore import ChangesItself, restoring
from flopledger.counting.want_of_memory import is_want_of_memory
from flopledger.counting.weightless import run
from flopledger.errors import FlopledgerError
from flopledger.zoo.inputs import Inputs


class NotAsked(FlopledgerError):
    """A counter was not asked; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What came of asking one counter for one pass.

    Attributes:
        counter: "fvcore" or "dispatch"; "none" where the pass was only computed.
        calls: the operator calls; None where it was stopped.
        error: what stopped it; None where there are calls.
        stopped_at: the layer in which it stopped, and what went in; "" where no layer did.
        layers: every module of the network, as the pass showed it; () where it was stopped.
        notes: what had to be taken for granted, a line each.
    """

    counter: str
    calls: tuple[OpCall, ...] | None = None
    error: Exception | None = None
    stopped_at: str = ""
    layers: tuple[Layer, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def asked(self) -> bool:
        """Whether the counter was asked at all."""
        return not isinstance(self.error, NotAsked)

    @property
    def forward(self) -> tuple[OpCall, ...]:
        """The forward pass's calls; () where it was stopped."""
        return tuple(call for call in self.calls or () if not call.backward)

    @property
    def backward(self) -> tuple[OpCall, ...]:
        """The backward pass's calls, likewise."""
        return tuple(call for call in self.calls or () if call.backward)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The operators without a formula, each once."""
        return tuple(dict.fromkeys(call.op for call in self.calls or () if not call.counted))


def by_dispatch(module: nn.Module, inputs: Inputs, backward: bool = False) -> Attempt:
    """Ask the dispatch counter: without values, or on zeros where the network asks for some."""

    def count(computed: bool) -> Callable[[], list[OpCall]]:
        return lambda: dispatch_counter.count(module, *inputs, backward, computed)

    without_values = _attempt("dispatch", module, count(computed=False))
    error = without_values.error
    if error is None or isinstance(error, ChangesItself):
        return without_values
    if not fits(module):
        where = f"{raised_at(error)}; too large to compute: make it smaller"
        return replace(without_values, stopped_at=where)
    on_zeros = _attempt("dispatch", module, count(computed=True))
    if on_zeros.error is not None:
        return on_zeros
    note = (
        f"everything was computed, on zeros, for {raised_at(error)}: {first_line(error)}; "
        "other values may take another path"
    )
    return replace(on_zeros, notes=(note,))


def by_fvcore(module: nn.Module, inputs: Inputs) -> Attempt:
    """Ask fvcore, which computes the forward pass that it traces."""
    return _attempt("fvcore", module, lambda: fvcore_counter.count(module, *inputs))


def computed(module: nn.Module, inputs: Inputs) -> Attempt:
    """Ask no counter, but PyTorch's own kernels, on zeros: does the module take these inputs?"""

    def compute() -> Sequence[OpCall]:
        run(module, *inputs)
        return ()

    return _attempt("none", module, compute)


def _attempt(counter: str, module: nn.Module, count: Callable[[], Sequence[OpCall]]) -> Attempt:
    seen = Watch()
    try:
        with restoring(module), watch(module) as seen, torch.random.fork_rng(devices=[]):
            calls = tuple(count())
    except Exception as error:  # the network is anybody's code: it may raise anything
        return Attempt(counter=counter, error=error, stopped_at=seen.where_it_stopped())
    return Attempt(counter=counter, calls=calls, layers=tuple(layers_of(module, seen)))


def complaint(attempt: Attempt) -> str:
    """Of an attempt that was stopped, one line: in which layer, on what, and what was raised."""
    error, where = attempt.error, attempt.stopped_at
    # tracing may quote a whole tensor
    line = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
    if error is not None and is_want_of_memory(error):
        return f"memory is too small; give a smaller --batch or --input ({where or line})"
    return f"{line} ({where}; change the input or that layer)" if where else line


def fits(module: nn.Module) -> bool:
    """Whether the weights, were they stored, would fit into memory."""
    weights = sum(t.numel() * t.element_size() for t in (*module.parameters(), *module.buffers()))
    available: int = psutil.virtual_memory().available
    return weights < available
