"""What a model takes besides arithmetic: --time and --memory."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from flopledger.cli.profile_devices import Devices, bounds_on
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
    accumulate: int = 1
    precision: str | None = None
    checkpoint: str | None = None
    shard: str | None = None
    devices: Devices = field(default_factory=Devices)

    def form(self) -> dict[str, Any]:
        """The options of `memory` that say how a step of training is taken."""
        names = ("optimiser", "accumulate", "precision", "checkpoint", "shard")
        return {name: getattr(self, name) for name in names}


def check_wanted(wanted: Wanted) -> None:
    """Say what cannot be measured before anything is.

    Raises:
        ValueError: the device is not there, an option stands alone, or says what cannot be.
    """
    if wanted.allocate and not wanted.memory:
        raise WrongOption("--allocate checks what --memory works out; give both")
    for name in ("precision", "checkpoint", "shard"):
        if getattr(wanted, name) is not None and not wanted.memory:
            raise WrongOption(f"--{name} is a form of --memory; give both")
    if wanted.shard is not None and wanted.allocate:
        raise WrongOption("--allocate runs one process, and --shard is of several; leave one out")
    if wanted.precision is not None or wanted.shard is not None:
        from flopledger.allocation.precision import check_precision
        from flopledger.allocation.shards import parse_sharding

        check_precision(wanted.precision)
        parse_sharding(wanted.shard, wanted.optimiser)
    if wanted.time or wanted.allocate:
        import torch

        from flopledger.clock.device_peaks import clock_of

        try:
            device = torch.device(wanted.device)
        except RuntimeError:
            raise WrongOption(f"no device is called {wanted.device!r}; say cpu or cuda") from None
        clock_of(device)


def measured(
    module: Any, inputs: "Inputs", profile: "Profile", wanted: Wanted, backward: bool = False
) -> "Measured":
    """Time and memory of a model that was counted, and the least of it on devices that are named.

    Raises:
        ProfilingError: it does not run, or not without values.
    """
    from flopledger.reports.profile import Measured

    bounds = bounds_on(profile.model, module, inputs, wanted.devices, backward, wanted.optimiser)
    if not (wanted.time or wanted.memory):
        return Measured(roofline=bounds)
    from flopledger.clock.time_layers import timing
    from flopledger.counting.doubles.network_double import materialised

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
    return Measured(timing=taken, memory=memory, allocated=allocated, roofline=bounds)


def _memory(name: str, module: Any, inputs: "Inputs", wanted: Wanted) -> "Memory":
    from flopledger.allocation.estimate import memory
    from flopledger.counting.failures import first_line
    from flopledger.profiles.tables import ProfilingError

    try:
        return memory(
            module,
            *inputs,
            **wanted.form(),
            # a name that has no kernels is refused there
            device=cast("Device", wanted.device.partition(":")[0]),
            backward=any(p.requires_grad for p in module.parameters()),
        )
    except WrongOption:  # the device has no kernels that are known, the network no such block
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

    from flopledger.allocation.measure import allocated
    from flopledger.counting.failures import first_line
    from flopledger.counting.want_of_memory import is_want_of_memory
    from flopledger.profiles.tables import ProfilingError
    from flopledger.zoo.libraries import WrongSource

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
        form = {name: value for name, value in wanted.form().items() if name != "shard"}
        return allocated(module, *inputs, **form, device=wanted.device, backward=trains)
    except (WrongOption, WrongSource):  # an optimiser of a library that is not installed
        raise
    except (Exception, SystemExit) as error:  # as above
        if is_want_of_memory(error):
            raise ProfilingError(
                f"{name}: --allocate ran out of memory; leave it out, or give a smaller --batch"
            ) from error
        raise ProfilingError(f"{name}: it does not run: {first_line(error)}") from error
