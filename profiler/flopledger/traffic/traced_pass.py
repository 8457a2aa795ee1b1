"""A pass traced with what its operators read and write, and its traffic at any dtype."""

from collections import Counter
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import nn

from flopledger.calls import OpCall
from flopledger.counting.attempts import Attempt, by_dispatch, complaint
from flopledger.counting.dispatch.accesses import Accesses
from flopledger.counting.samples import samples_of
from flopledger.counting.structure.layers import kind_of
from flopledger.profiles.tables import ProfilingError
from flopledger.traffic.layer_traffic import LayerTraffic, Traffic
from flopledger.traffic.moves import Moves
from flopledger.zoo.inputs import Inputs


@dataclass(frozen=True, kw_only=True)
class TracedPass:
    """One pass, on shapes.

    Attributes:
        name: the network's.
        kinds: every module's kind by its path, in the network's order.
        samples: how many the inputs hold.
        dtype: of the first parameter that floats.
        calls: the operator calls.
        accesses: what they read and write.
        backward: whether the backward pass is part of it.
    """

    name: str
    kinds: dict[str, str]
    samples: int
    dtype: torch.dtype
    calls: tuple[OpCall, ...]
    accesses: Accesses
    backward: bool

    def traffic(self, dtype: torch.dtype | None = None) -> Traffic:
        """The bytes that it moves.

        Args:
            dtype: in place of the network's own, of all tensors that have that one.
        """
        moves = Moves(self.accesses, self.dtype, dtype or self.dtype)
        operators, fused, params = Counter[str](), Counter[str](), Counter[str]()
        begun = 0
        for path, run in groupby(self.accesses.all, lambda access: access.call.path):
            stretch = list(run)
            operators[path] += sum(map(moves.by_operator, stretch))
            moved, of_params = moves.by_kernel(begun, stretch)
            fused[path] += moved
            params[path] += of_params
            begun += len(stretch)
        least, of_params = moves.by_kernel(0, self.accesses.all)
        calls: dict[str, list[OpCall]] = {}
        for call in self.calls:
            calls.setdefault(call.path, []).append(call)
        return Traffic(
            model=self.name,
            dtype=str(dtype or self.dtype).removeprefix("torch."),
            samples=self.samples,
            layers=tuple(
                LayerTraffic(
                    path=path,
                    kind=kind,
                    macs=sum(call.macs for call in calls.get(path, [])),
                    masked_macs=sum(call.masked_macs for call in calls.get(path, [])),
                    other_flops=sum(call.other_flops for call in calls.get(path, [])),
                    operator_bytes=operators[path],
                    fused_bytes=fused[path],
                    params_bytes=params[path],
                )
                for path, kind in self.kinds.items()
                if path in calls
            ),
            least_bytes=least,
            params_bytes=of_params,
            backward=self.backward,
            unknown=tuple(self.accesses.unknown.items()),
            complete=all(call.counted for call in self.calls),
        )


def traced(name: str, module: nn.Module, inputs: Inputs, backward: bool = False) -> TracedPass:
    """Trace one pass on shapes; nothing is computed.

    Args:
        name: what the network is called.
        module: the network.
        inputs: its forward's arguments, a cache among them or not.
        backward: the backward pass as well.

    Raises:
        ProfilingError: it cannot be traced so: it fails, or asks for a value.
    """
    attempt = by_dispatch(module, inputs, backward, accesses=True)
    if attempt.calls is None or attempt.accesses is None:
        raise ProfilingError(f"{name}: {complaint(attempt)}") from attempt.error
    return passed(name, module, inputs, attempt, attempt.accesses)


def passed(
    name: str, module: nn.Module, inputs: Inputs, attempt: Attempt, accesses: Accesses
) -> TracedPass:
    """The same, of a pass that was counted already.

    Raises:
        ProfilingError: numbers had to stand in for it, of which the bytes cannot be told.
    """
    if attempt.values in ("zeros", "random"):
        raise ProfilingError(
            f"{name}: it asks for values, and the bytes it moves are told on shapes alone; give "
            "its weights and inputs with their values"
        )
    samples, _ = samples_of(module, inputs, attempt.seen)
    return TracedPass(
        name=name,
        kinds={path: kind_of(child) for path, child in module.named_modules()},
        samples=samples,
        dtype=next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32),
        calls=attempt.calls or (),
        accesses=accesses,
        backward=any(call.backward for call in attempt.calls or ()),
    )
