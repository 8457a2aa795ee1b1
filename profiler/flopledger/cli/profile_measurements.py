"""What a model takes besides arithmetic: --time and --memory."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from flopledger.errors import WrongOption

if TYPE_CHECKING:
    from flopledger.allocation.held_bytes import Memory
    from flopledger.allocation.meta_allocator import Device
    from flopledger.profiles.tables import Profile
    from flopledger.profiles.totals import Optimiser
    from flopledger.reports.profile import Measured
    from flopledger.zoo.inputs import Inputs


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be measured, and where."""

    time: bool = False
    memory: bool = False
    allocate: bool = False
    device: str = "cpu"
    repeats: int = 10
    optimiser: "Optimiser" = "adam"


def check_wanted(wanted: Wanted) -> None:
    """Say what cannot be measured before anything is.

    Raises:
        ValueError: the device is not there, or an option stands alone.
    """
    if wanted.allocate and not wanted.memory:
        raise WrongOption("--allocate checks what --memory works out; give both")
    if wanted.time or wanted.allocate:
        import torch

        from flopledger.clock.device_peaks import clock_of

        try:
            device = torch.device(wanted.device)
        except RuntimeError:
            raise WrongOption(f"no device is called {wanted.device!r}; say cpu or cuda") from None
        clock_of(device)


def measured(module: Any, inputs: "Inputs", profile: "Profile", wanted: Wanted) -> "Measured":
    """Time and memory of a model that was counted.

    Raises:
        ProfilingError: it does not run, or not without values.
    """
    from flopledger.reports.profile import Measured

    if not (wanted.time or wanted.memory):
        return Measured()
    from flopledger.clock.time_layers import timing
    from flopledger.counting.doubles import materialised

    taken, memory, allocated = None, None, None
    module = materialised(module, inputs)
    if wanted.memory:
        memory = _memory(profile.model, module, inputs, wanted)
        if wanted.allocate:
            allocated = _allocated(profile.model, module, inputs, wanted, memory)
    if wanted.time:
        taken = timing(
            module,
            *inputs,
            calls=profile.calls,
            device=wanted.device,
            repeats=wanted.repeats,
        )
    return Measured(timing=taken, memory=memory, allocated=allocated)


def _memory(name: str, module: Any, inputs: "Inputs", wanted: Wanted) -> "Memory":
    from flopledger.allocation.estimate import memory
    from flopledger.counting.failures import first_line
    from flopledger.profiles.tables import ProfilingError

    try:
        return memory(
            module,
            *inputs,
            optimiser=wanted.optimiser,
            # a name that has no kernels is refused there
            device=cast("Device", wanted.device.partition(":")[0]),
            backward=any(p.requires_grad for p in module.parameters()),
        )
    except WrongOption:  # the device has no kernels that are known
        raise
    # the module's own code may raise anything
    except (Exception, SystemExit) as error:
        raise ProfilingError(
            f"{name}: its memory cannot be worked out without values: {first_line(error)}"
        ) from error


def _allocated(
    name: str, module: Any, inputs: "Inputs", wanted: Wanted, estimate: "Memory"
) -> "Memory":
    import psutil
    import torch

    from flopledger.allocation.estimate import allocated
    from flopledger.counting.failures import first_line
    from flopledger.counting.want_of_memory import is_want_of_memory
    from flopledger.profiles.tables import ProfilingError

    trains = estimate.training_peak_bytes is not None
    needed = estimate.training_peak_bytes or estimate.inference_peak_bytes
    free = (
        torch.cuda.mem_get_info(wanted.device)[0]
        if wanted.device.startswith("cuda")
        else psutil.virtual_memory().available
    )
    if needed > free:
        raise ProfilingError(
            f"{name}: --allocate needs {needed / 2**30:.1f} GiB and {free / 2**30:.1f} are free; "
            "leave it out, or give a smaller --batch"
        )
    try:
        return allocated(
            module, *inputs, optimiser=wanted.optimiser, device=wanted.device, backward=trains
        )
    except (Exception, SystemExit) as error:  # as above
        if is_want_of_memory(error):
            raise ProfilingError(
                f"{name}: --allocate ran out of memory; leave it out, or give a smaller --batch"
            ) from error
        raise ProfilingError(f"{name}: it does not run: {first_line(error)}") from error
