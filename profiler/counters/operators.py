"""Every operator's formula: who imports this has them all registered."""

from profiler.counters import (  # noqa: F401  for what they register
    algebra,
    attention,
    contractions,
    products,
    recurrent,
    reductions,
)
from profiler.counters.elementwise import is_free, is_pointwise
from profiler.counters.formulas import known_operators, multiplies, work

__all__ = ["is_free", "is_pointwise", "known_operators", "multiplies", "work"]
