"""summary(): parameters, FLOPs, memory, time and MFU of a network, in one call."""

from typing import Any

from torch import nn

from flopledger.allocation.estimate import memory
from flopledger.allocation.held_bytes import Memory
from flopledger.clock.layer_times import Timing
from flopledger.clock.time_layers import timing
from flopledger.counting.failures import first_line
from flopledger.counting.profiling import profile
from flopledger.errors import WrongOption
from flopledger.overview.network_summary import Summary
from flopledger.profiles.tables import ProfilingError
from flopledger.profiles.totals import Optimiser


def summary(
    module: nn.Module | str,
    args: Any = (),
    kwargs: dict[str, Any] | None = None,
    *,
    optimiser: Optimiser = "adam",
    device: str = "cpu",
    repeats: int = 10,
) -> Summary:
    """Count a network, work out its memory, and run it for its time.

    What cannot be had is None and has a note; `profile`, `memory` and `timing` say more of each.

    Args:
        module: a network, or the name of one, as `profile`.
        args: a tuple of what its forward takes by place, or the one tensor; as `profile`.
        kwargs: what its forward takes by name.
        optimiser: of a step of training, as `memory` takes it.
        device: where it runs, "cpu" or "cuda"; the memory is that of its kernels.
        repeats: passes that are timed.

    Raises:
        WrongOption: an option is none of its choices, or the device is not there.
        UnknownModel, BrokenModel, WrongSource, WrongInputs: of a name, as `profile`.
        ProfilingError: the network could not be counted.
    """
    forward = profile(module, args, kwargs)
    trained = forward.totals.trainable_params > 0
    counted = profile(module, args, kwargs, backward=True) if trained else forward
    notes = []
    held: Memory | None = None
    taken: Timing | None = None
    try:
        held = memory(
            module, args, kwargs, optimiser=optimiser, backward=trained,
            device="cuda" if device.startswith("cuda") else "cpu",
        )  # fmt: skip
    except WrongOption:
        raise
    except (Exception, SystemExit) as error:  # the network's own code may raise anything
        notes.append(f"memory is not known: {first_line(error)}")
    try:
        taken = timing(module, args, kwargs, calls=counted.calls, device=device, repeats=repeats)
    except ProfilingError as error:
        notes.append(f"it was not timed: {error}")
    return Summary(
        profile=counted, memory=held, optimiser=optimiser, timing=taken, notes=tuple(notes)
    )
