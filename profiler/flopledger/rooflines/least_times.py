"""roofline(): the least time of a pass or a training step on devices that are named."""

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import nn

from flopledger.allocation.estimate import memory
from flopledger.allocation.optimisers import check_optimiser, state_bytes
from flopledger.clock.named_devices import dtype_of, named_device
from flopledger.counting.doubles.network_double import materialised
from flopledger.counting.structure.leaves import tensors_within
from flopledger.counting.subject import subject_of
from flopledger.options import checks_arguments
from flopledger.profiles.totals import Optimiser
from flopledger.rooflines.device_bounds import DeviceBounds, layer_bounds
from flopledger.rooflines.named import check_devices
from flopledger.rooflines.roofline_result import Roofline
from flopledger.traffic.layer_traffic import LayerTraffic, Traffic
from flopledger.traffic.traced_pass import TracedPass, traced
from flopledger.zoo.inputs import Inputs


@checks_arguments
def roofline(
    module: nn.Module | str,
    args: Any = (),
    kwargs: dict[str, Any] | None = None,
    *,
    on: Any,
    dtype: str | None = None,
    fused: bool = False,
    backward: bool = False,
    optimiser: Optimiser = "adam",
    utilisation: float | None = None,
) -> Roofline:
    """The least that a pass can take on devices that need not be at hand, and what sets it.

    It is a bound and no forecast: FLOPs at the peak or bytes at the bandwidth, whichever takes
    longer. Bytes come from the tensors of each operator, on shapes alone.

    Args:
        module: a network, or the name of one, as `profile`.
        args: a tuple of what its forward takes by place, or the one tensor; as `profile`.
        kwargs: what its forward takes by name.
        on: a device's name, or several: "h100-sxm", ("a100-80gb", "l4").
        dtype: "bf16", "fp16", "fp8", "int8", "tf32", "fp32" or "fp64": weights and activations are
            taken in it; the network's own if left out.
        fused: a layer is one kernel, which skips what a causal mask masks; if not, each operator
            reads what it is given from memory and writes what it makes there.
        backward: a training step: the backward pass and the optimiser's step as well.
        optimiser: of that step, as `memory` takes it.
        utilisation: the share of peak and bandwidth that is taken to be reached, in place of all.

    Raises:
        WrongOption: a device is not known, or lacks the dtype; or `utilisation` is no share.
        UnknownModel, BrokenModel, WrongSource, WrongInputs, ProfilingError: as `profile`.
    """
    names = [on] if isinstance(on, str) else list(on)
    check_devices(names, dtype, utilisation)
    subject = subject_of(module, args, kwargs)
    module = materialised(subject.module, subject.inputs)
    trace = traced(subject.name, module, subject.inputs, backward)
    return roofline_of(trace, module, subject.inputs, names, dtype, fused, optimiser, utilisation)


def roofline_of(
    trace: TracedPass,
    module: nn.Module,
    inputs: Inputs,
    devices: Sequence[str],
    dtype: str | None = None,
    fused: bool = False,
    optimiser: Optimiser = "adam",
    utilisation: float | None = None,
) -> Roofline:
    """The same of a pass that was traced.

    Raises:
        WrongOption: a device lacks the dtype, or the optimiser is not known.
    """
    check_optimiser(optimiser)
    product = dtype_of(dtype or str(trace.dtype).removeprefix("torch."))
    taken = torch.float32 if product == "tf32" else getattr(torch, product)
    known = [named_device(name, product) for name in devices]
    traffic = trace.traffic(taken)
    held, why_not = _held(module, inputs, trace, taken, optimiser)
    work = [
        (layer.path, layer.kind, _flops(layer, fused), _bytes(layer, fused))
        for layer in traffic.layers
    ]
    fixed, stepped = traffic.params_bytes, 0
    if trace.backward:
        stepped, gradients = _stepped(module, optimiser, trace.dtype, taken)
        work.append(("(optimiser)", optimiser, 0, stepped))
        fixed += gradients + stepped
    return Roofline(
        model=trace.name,
        dtype=product,
        fused=fused,
        optimiser=optimiser if trace.backward else None,
        devices=tuple(
            DeviceBounds(
                device=device,
                layers=layer_bounds(work, device, utilisation or 1),
                flops=2 * (traffic.macs - traffic.masked_macs),
                bytes=traffic.least_bytes + stepped,
                fixed_bytes=fixed,
                samples=trace.samples,
                tokens=_tokens(inputs),
                held_bytes=held,
                utilisation=utilisation or 1,
            )
            for device in known
        ),
        notes=tuple(_notes(traffic, trace, why_not)),
        complete=traffic.complete and not traffic.unknown,
    )


def _flops(layer: LayerTraffic, fused: bool) -> int:
    return 2 * (layer.macs - (layer.masked_macs if fused else 0))


def _bytes(layer: LayerTraffic, fused: bool) -> int:
    return layer.fused_bytes if fused else layer.operator_bytes


def _stepped(
    module: nn.Module, optimiser: str, own: torch.dtype, taken: torch.dtype
) -> tuple[int, int]:
    """Bytes of an optimiser's step, and those of the gradients that it reads.

    Parameters and what it keeps of them are read and written, each once.
    """
    trained = [
        torch.empty(p.shape, dtype=taken if p.dtype is own else p.dtype, device="meta")
        for p in module.parameters()
        if p.requires_grad
    ]
    params = sum(p.numel() * p.element_size() for p in trained)
    return 2 * (params + state_bytes(optimiser, trained)) + params, params


def _held(
    module: nn.Module, inputs: Inputs, trace: TracedPass, taken: torch.dtype, optimiser: Optimiser
) -> tuple[int | None, str]:
    """The peak of memory, and why it is not known where it is not."""
    precision: Any = None
    if taken is not trace.dtype:
        precision = "fp16-true" if taken is torch.float16 else "bf16-true"
    eight_bits = taken.itemsize == 1
    if (taken.itemsize > 2 and taken is not trace.dtype) or (eight_bits and trace.backward):
        return None, f"memory is not worked out in {taken} of a network of {trace.dtype}"
    try:
        whole = memory(
            module, *inputs, optimiser=optimiser, precision=precision, backward=trace.backward
        )
    except Exception as error:  # the network's own code may raise anything
        return None, f"its memory is not known: {error}"
    if trace.backward:
        return whole.training_peak_bytes, ""
    # of weights in 8 bits half of what they take in 16, and activations in 16
    return whole.inference_peak_bytes - eight_bits * (whole.params_bytes // 2), ""


def _tokens(inputs: Inputs) -> int | None:
    """Positions of the first input of whole numbers that has sequences."""
    return next(
        (
            prod(tensor.shape)
            for tensor in tensors_within(inputs)
            if tensor.dtype in (torch.int64, torch.int32) and tensor.dim() == 2
        ),
        None,
    )


def _notes(traffic: Traffic, trace: TracedPass, why_not: str) -> list[str]:
    notes = [
        f"the bytes of {operator} are not known ({calls} calls)"
        for operator, calls in traffic.unknown
    ]
    if any(call.evenly for call in trace.calls):
        notes.append("what is selected by values was taken as evenly spread")
    return [*notes, why_not] if why_not else notes
