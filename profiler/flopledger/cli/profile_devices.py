"""The options of flopledger profile that name devices: --on and what goes with it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flopledger.errors import WrongOption

if TYPE_CHECKING:
    from flopledger.profiles.totals import Optimiser
    from flopledger.rooflines.roofline_result import Roofline
    from flopledger.zoo.inputs import Inputs

On = Annotated[
    list[str] | None,
    typer.Option(
        "--on",
        help="A device that need not be at hand: the least time of a pass on it, and what sets "
        "it: h100-sxm, a100-80gb; several times for several.",
    ),
]
Dtype = Annotated[
    str | None,
    typer.Option(
        help="Of --on: bf16, fp16, fp8, int8, tf32, fp32, fp64: what weights and activations are "
        "taken in; the network's own if left out."
    ),
]
Fused = Annotated[bool, typer.Option("--fused", help="Of --on: each layer is taken as one kernel.")]
Utilisation = Annotated[
    float | None,
    typer.Option(
        "--utilisation",
        "--utilization",
        help="Of --on: the share of the device's peaks that is taken to be reached, in place of "
        "all of them.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Devices:
    """Which devices a model is held to, and how."""

    on: tuple[str, ...] = ()
    dtype: str | None = None
    fused: bool = False
    utilisation: float | None = None


def check_asked(devices: Devices) -> None:
    """See that the devices are known, before anything is counted.

    Raises:
        WrongOption: one is not, or lacks the dtype; or an option stands without --on.
    """
    if not devices.on:
        for name, value in (("dtype", devices.dtype), ("utilisation", devices.utilisation),
                            ("fused", devices.fused or None)):  # fmt: skip
            if value is not None:
                raise WrongOption(f"--{name} is of --on; name a device: --on h100-sxm")
        return
    from flopledger.rooflines.named import check_devices

    check_devices(devices.on, devices.dtype, devices.utilisation)


def bounds_on(
    name: str,
    module: Any,
    inputs: "Inputs",
    devices: Devices,
    backward: bool,
    optimiser: "Optimiser",
) -> "Roofline | None":
    """What those devices can do at most with one pass, or a step of training; None of none.

    Raises:
        ProfilingError: it cannot be traced on shapes.
        WrongOption: a device has no peak at the network's dtype.
    """
    if not devices.on:
        return None
    from flopledger.counting.doubles.network_double import materialised
    from flopledger.rooflines.least_times import roofline_of
    from flopledger.traffic.traced_pass import traced

    module = materialised(module, inputs)
    return roofline_of(
        traced(name, module, inputs, backward),
        module,
        inputs,
        devices.on,
        devices.dtype,
        devices.fused,
        optimiser,
        devices.utilisation,
    )
