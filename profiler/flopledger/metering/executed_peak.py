"""The peak of what was executed: by the dtypes of the products, of all devices that took part."""

from collections import Counter
from collections.abc import Iterable, Mapping

import torch
from torch import nn

from flopledger.clock.device_peaks import name_of
from flopledger.clock.published_peaks import Peak, peak_of
from flopledger.clock.remembered_peaks import cpu_peak
from flopledger.metering.signature import Signature

_FEW = 1e-3  # of all products: a dtype without a peak that has fewer does not make the peak unknown


def executed_peak(modules: Iterable[nn.Module], signatures: Iterable[Signature]) -> Peak:
    """What the modules' devices do at most of such products as were taken.

    With several dtypes it is all products over the seconds that they take at each one's peak.
    """
    macs = macs_by_dtype(signatures)
    devices = devices_of(modules)
    if not macs:
        return Peak(None, "no product was watched yet")
    if not devices:
        return Peak(None, "there are no weights that say which device it is")
    return mixed({dtype: added([peak_on(d, dtype) for d in devices]) for dtype in macs}, macs)


def macs_by_dtype(signatures: Iterable[Signature]) -> dict[str, float]:
    """MACs, forward, backward and again, by the dtype that the watched calls took them in."""
    macs = Counter[str]()
    for signature in signatures:
        watched = sum(signature.products.values())
        if signature.inside or not watched:
            continue
        done = signature.macs + signature.backward_macs + signature.recomputed_macs
        for dtype, part in signature.products.items():
            macs[dtype] += done * part / watched  # type: ignore[assignment]
    return {dtype: number for dtype, number in macs.items() if number}


def devices_of(modules: Iterable[nn.Module]) -> list[torch.device]:
    """Those that hold weights, and those that nn.DataParallel copies them to; each once."""
    devices = dict[torch.device, None]()
    for module in modules:
        for part in module.modules():
            devices |= {param.device: None for param in part.parameters(recurse=False)}
            if isinstance(part, nn.DataParallel):
                devices |= {torch.device("cuda", index): None for index in part.device_ids}
    return list(devices)


def peak_on(device: torch.device, dtype: str) -> Peak:
    """Of one device: from the table, or on a CPU measured."""
    return cpu_peak(dtype) if device.type == "cpu" else peak_of(name_of(device), dtype)


def added(peaks: list[Peak]) -> Peak:
    """Of several devices together; unknown where one is."""
    if len(peaks) == 1:
        return peaks[0]
    unknown = [peak for peak in peaks if peak.flops_per_second is None]
    if unknown:
        return unknown[0]
    times = Counter(peak.source for peak in peaks)
    source = " + ".join(f"{n} x {source}" if n > 1 else source for source, n in times.items())
    first = peaks[0]
    same = all(peak == first for peak in peaks)
    return Peak(
        sum(peak.flops_per_second or 0 for peak in peaks),
        source,
        first.url if same else None,
        first.retrieved if same else None,
    )


def mixed(peaks: Mapping[str, Peak], macs: Mapping[str, float]) -> Peak:
    """Of products some of which are of one dtype and some of another."""
    whole = sum(macs.values())
    shares = {
        dtype: macs[dtype] / whole
        for dtype in sorted(macs, key=lambda dtype: -macs[dtype])
        if peaks[dtype].flops_per_second is not None or macs[dtype] >= _FEW * whole
    }
    for dtype in shares:
        if peaks[dtype].flops_per_second is None:
            return peaks[dtype]
    if len(shares) == 1:
        (dtype,) = shares
        return peaks[dtype]
    seconds = sum(share / (peaks[dtype].flops_per_second or 0) for dtype, share in shares.items())
    source = "; ".join(f"{share:.1%} {dtype}: {peaks[dtype].source}"
                       for dtype, share in shares.items())  # fmt: skip
    return Peak(sum(shares.values()) / seconds, source)
