"""Attempts to count a network: what either counter made of one pass, or what stopped it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from torch import nn

from flopledger.calls import OpCall
from flopledger.counting.dispatch import dispatch_counter
from flopledger.counting.dispatch.accesses import Accesses
from flopledger.counting.dispatch.autograd_graph import Reading
from flopledger.counting.dispatch.dispatch_counter import Findings
from flopledger.counting.doubles.network_double import ChangesItself
from flopledger.counting.failures import first_line, raised_at
from flopledger.counting.gradients_in_forward import asks_for_gradients
from flopledger.counting.shapes.meta_devices import Overwrites, constants_unknown
from flopledger.counting.shapes.weightless import Values
from flopledger.counting.structure.layers import Watch
from flopledger.counting.structure.leaves import tensors_within
from flopledger.counting.structure.network_parts import tensors_of
from flopledger.counting.structure.sparse_tensors import stored_bytes
from flopledger.counting.structure.unfinished import Unfinished
from flopledger.counting.trace import fvcore_counter
from flopledger.counting.trace.traced_flags import NO_OPERATOR
from flopledger.counting.trace.tracer_words import in_plain_words
from flopledger.counting.want_of_memory import is_want_of_memory
from flopledger.zoo.inputs import Inputs

REFUSALS = (ChangesItself, Unfinished)  # whatever a pass knows of the weights
_WHOSE: dict[Values, str] = {
    "given": "the weights and inputs given",
    "zeros": "weights that are zero",
    "random": "random weights, since zeros are refused",
}


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What came of asking one counter for one pass; nothing, where it was not asked.

    Attributes:
        counter: "fvcore" or "dispatch".
        calls: the operator calls; None where it was stopped, or not asked.
        error: what stopped it; None where nothing did.
        stopped_at: the layer in which it stopped, and what went in; "" where no layer did.
        seen: what the pass showed of the network's modules.
        notes: what had to be taken for granted, a line each.
        values: what the pass knew of the weights.
        graph: what autograd's graph says of the backward pass; None where it was not asked for.
        gradients: whether the forward pass was seen to take some itself.
        accesses: what each operator reads and writes; None where that was not asked for.
    """

    counter: str
    calls: tuple[OpCall, ...] | None = None
    error: Exception | SystemExit | None = None
    stopped_at: str = ""
    seen: Watch = field(default_factory=Watch)
    notes: tuple[str, ...] = ()
    values: Values = "unknown"
    graph: Reading | None = None
    gradients: bool = False
    accesses: Accesses | None = None

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


def by_dispatch(
    module: nn.Module,
    inputs: Inputs,
    backward: bool = False,
    values: Values = "unknown",
    accesses: bool = False,
) -> Attempt:
    """Ask the dispatch counter; with values, if not for shapes alone, then where the network asks.

    Values are the caller's own where all are stored on the CPU, zeros where they are not, and
    random ones where zeros are refused (no matrix of zeros has an inverse). Where an operator got
    shapes that it cannot take, and none was made up, values would change nothing. The forward pass
    keeps what gradients need where it asks for gradients itself, as force fields do.

    Args:
        module: the network.
        inputs: its forward's arguments.
        backward: also count the backward pass.
        values: "unknown" tries shapes alone first.
        accesses: also write down what each operator reads and writes.
    """

    def attempt(values: Values) -> tuple[Attempt, Findings]:
        findings = Findings()

        def count(seen: Watch, gradients: bool) -> Sequence[OpCall]:
            findings.accesses = Accesses() if accesses else None  # an earlier try's are forgotten
            return dispatch_counter.count(
                module, *inputs, backward, values, seen, findings, gradients
            )

        asked = _attempt("dispatch", count, values, gradients=backward)
        asked = replace(
            asked,
            graph=findings.graph,
            gradients=findings.gradients,
            accesses=findings.accesses,
        )
        return asked, findings

    first, found = attempt(values)
    if isinstance(first.error or found.refused, Overwrites):
        with constants_unknown():
            first, found = attempt(values)
    error = first.error or found.refused
    if error is None or values != "unknown" or isinstance(error, REFUSALS):
        return first
    if found.refused is None and error is found.complaint:
        return first
    cause = f"{raised_at(error)}: {first_line(error)}"
    if not fits(module):
        return _too_large(first, error, cause)
    computed = _with_values(attempt, "given" if stored(module, inputs) else "zeros", found, error)
    if computed is None:
        return first  # it was not for want of a value: the shapes alone said so
    if computed.error is not None:
        if first.error is None:
            return replace(first, notes=(_went_on(cause, first_line(computed.error)),))
        return computed
    whose = _WHOSE[computed.values]
    note = f"everything was computed, on {whose}, for {cause}; other values may take another path"
    return replace(computed, notes=(note,))


def _with_values(
    attempt: Callable[[Values], tuple[Attempt, Findings]],
    values: Values,
    found: Findings,
    error: Exception | SystemExit,
) -> Attempt | None:
    """The pass computed; None where it stops with the same words as on shapes."""
    computed, _ = attempt(values)
    if found.refused is None and computed.error and first_line(computed.error) == first_line(error):
        return None
    if values == "zeros" and computed.error is not None:
        computed, _ = attempt("random")
    return computed


def _too_large(first: Attempt, error: Exception | SystemExit, cause: str) -> Attempt:
    if first.error is None:
        return replace(first, notes=(_went_on(cause, "it is too large to compute"),))
    return replace(first, stopped_at=f"{raised_at(error)}; too large to compute: make it smaller")


def _went_on(cause: str, why_not: str) -> str:
    """A note on a network that caught what a pass on shapes refused it, and cannot be computed."""
    return (
        f"the network asked for a value at {cause}; it was refused, and went on: with the value it "
        f"may do other work, which could not be counted ({why_not})"
    )


def by_fvcore(
    module: nn.Module,
    inputs: Inputs,
    values: Values = "unknown",
    pruned: bool = True,
    alone: bool = True,
) -> Attempt:
    """Ask fvcore, whose trace is of shapes alone, or computed on those values.

    Args:
        module: the network.
        inputs: its forward's arguments.
        values: what the trace knows of the weights.
        pruned: whether what reaches no output is left out, as the tracer has it.
        alone: whether the other counter did not show what comes of the network's modules.
    """

    def attempt(flags: bool) -> Attempt:
        def count(seen: Watch, gradients: bool) -> Sequence[OpCall]:
            return fvcore_counter.count(module, *inputs, values, pruned, seen, gradients, flags)

        return _attempt("fvcore", count, values, results=alone)

    asked = attempt(flags=True)
    if NO_OPERATOR in str(asked.error):
        asked = attempt(flags=False)
    return replace(asked, error=in_plain_words(asked.error))


def _attempt(
    counter: str,
    count: Callable[[Watch, bool], Sequence[OpCall]],
    values: Values,
    gradients: bool = False,
    results: bool = True,
) -> Attempt:
    seen = Watch(results)
    try:
        calls = tuple(count(seen, gradients))
    # the network is anybody's code: it may raise anything
    except (Exception, SystemExit) as error:
        where = seen.where_it_stopped()
        if not gradients and asks_for_gradients(error):
            return _attempt(counter, count, values, True, results)
        return Attempt(counter=counter, error=error, stopped_at=where, values=values)
    return Attempt(counter=counter, calls=calls, seen=seen, values=values)


def complaint(attempt: Attempt) -> str:
    """Of an attempt that was stopped, one line: in which layer, on what, and what was raised."""
    error, where = attempt.error, attempt.stopped_at
    # tracing may quote a whole tensor
    line = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
    if isinstance(error, KeyError | SystemExit):  # whose message says nothing without its class
        line = first_line(error)
    if error is not None and is_want_of_memory(error):
        return f"memory is too small; give a smaller --batch or --input ({where or line})"
    return f"{line} ({where}; change the input or that layer)" if where else line


def fits(module: nn.Module) -> bool:
    """Whether the weights, were they stored, would fit into memory."""
    import psutil

    weights = sum(map(stored_bytes, tensors_of(module)))
    available: int = psutil.virtual_memory().available
    return weights < available


def stored(module: nn.Module, inputs: Inputs) -> bool:
    """Whether the values of all weights and inputs are there, on the CPU."""
    return all(t.device.type == "cpu" for t in (*tensors_of(module), *tensors_within(inputs)))
