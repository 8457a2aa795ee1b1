"""Where a PyTorch network spends arithmetic and where it keeps its parameters."""

from typing import TYPE_CHECKING, Any

from profiler.registry import ModelSpec, Published, UnknownModel, find_model, list_models, register

if TYPE_CHECKING:
    from profiler.accounts import ledger_of
    from profiler.comparison import Comparison, compare
    from profiler.counters.formulas import macs, other_flops
    from profiler.ledger import Ledger
    from profiler.measure import profile
    from profiler.memory import Memory, allocated, memory_of
    from profiler.metering import Meter, MeterError, meter
    from profiler.readings import Reading
    from profiler.stopwatch import timed
    from profiler.tables import Profile, ProfilingError
    from profiler.timing import Timing

__all__ = [
    "Comparison",
    "Ledger",
    "Memory",
    "Meter",
    "MeterError",
    "ModelSpec",
    "Profile",
    "ProfilingError",
    "Published",
    "Reading",
    "Timing",
    "UnknownModel",
    "allocated",
    "compare",
    "find_model",
    "ledger_of",
    "list_models",
    "macs",
    "memory_of",
    "meter",
    "other_flops",
    "profile",
    "register",
    "timed",
]


_HOMES = {
    "Comparison": "comparison",
    "Ledger": "ledger",
    "Memory": "memory",
    "Meter": "metering",
    "MeterError": "metering",
    "Profile": "tables",
    "ProfilingError": "tables",
    "Reading": "readings",
    "Timing": "timing",
    "allocated": "memory",
    "compare": "comparison",
    "ledger_of": "accounts",
    "macs": "counters.formulas",
    "other_flops": "counters.formulas",
    "memory_of": "memory",
    "meter": "metering",
    "profile": "measure",
    "timed": "stopwatch",
}


def __getattr__(name: str) -> Any:
    # what needs torch or pandas is imported when it is first asked for, so that --help is quick
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module 'profiler' has no attribute {name!r}")
    return getattr(importlib.import_module(f"profiler.{_HOMES[name]}"), name)
