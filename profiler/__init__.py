"""Where a PyTorch network spends arithmetic and where it keeps its parameters."""

from typing import TYPE_CHECKING, Any

from profiler.registry import ModelSpec, Published, UnknownModel, find_model, list_models, register

if TYPE_CHECKING:
    from profiler.measure import ProfilingError, profile
    from profiler.tables import Profile

__all__ = [
    "ModelSpec",
    "Profile",
    "ProfilingError",
    "Published",
    "UnknownModel",
    "find_model",
    "list_models",
    "profile",
    "register",
]


def __getattr__(name: str) -> Any:
    # what needs torch or pandas is imported when it is first asked for, so that --help is quick
    import importlib

    homes = {"profile": "measure", "ProfilingError": "measure", "Profile": "tables"}
    if name not in homes:
        raise AttributeError(f"module 'profiler' has no attribute {name!r}")
    return getattr(importlib.import_module(f"profiler.{homes[name]}"), name)
