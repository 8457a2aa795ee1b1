"""What this machine's CPU does at most: measured once and kept, for no table has it."""

import hashlib
import json
import platform
from dataclasses import asdict
from functools import cache

import torch

from flopledger.clock.device_peaks import name_of, peaks
from flopledger.clock.peaks import Peaks
from flopledger.clock.published_peaks import Peak
from flopledger.counting.cached import keep, remembered

_CPU = torch.device("cpu")
_MEASURED = ("float32", "float64", "float16", "bfloat16")


def cpu_peak(dtype: str) -> Peak:
    """The most that the CPU was seen to do at a dtype, with the threads that torch has.

    The first time on a machine it is measured, which takes about two seconds.

    Args:
        dtype: "float32", "bfloat16", ...
    """
    if dtype not in _MEASURED:
        return Peak(None, f"products of {dtype} are not measured on a CPU")
    threads = torch.get_num_threads()
    most = remembered_peaks(getattr(torch, dtype))
    several = "s" if threads > 1 else ""
    source = f"measured on {name_of(_CPU)}, {threads} thread{several}, {dtype}"
    return Peak(most.flops_per_second, source)


def remembered_peaks(dtype: torch.dtype, seen: Peaks | None = None) -> Peaks:
    """What the CPU was seen to do at most, with the threads that torch has.

    Kept in $XDG_CACHE_HOME/flopledger (or ~/.cache/flopledger) by machine, version of torch,
    threads and dtype.

    Args:
        dtype: of the products.
        seen: what it was just seen to do, which is kept where it is more.
    """
    key = _key(str(dtype), torch.get_num_threads())
    known = _known(key, dtype)
    if seen is None or (more := known.or_more(seen)) == known:
        return known
    keep(key, json.dumps(asdict(more)))
    _in_process[key] = more
    return more


_in_process: dict[str, Peaks] = {}  # where there is no place to keep it


def _known(key: str, dtype: torch.dtype) -> Peaks:
    if key not in _in_process:
        text = remembered(key, lambda: json.dumps(asdict(peaks(_CPU, dtype))))
        try:
            _in_process[key] = Peaks(**json.loads(text))
        except (ValueError, TypeError):  # not what was written
            _in_process[key] = peaks(_CPU, dtype)
            keep(key, json.dumps(asdict(_in_process[key])))
    return _in_process[key]


@cache
def _key(dtype: str, threads: int) -> str:
    machine = (platform.node(), name_of(_CPU), torch.__version__, threads, dtype)
    return f"peaks-{hashlib.sha256(repr(machine).encode()).hexdigest()[:16]}"
