"""Every operator's formula: who imports this has them all registered."""

from flopledger.counting.formulas import (  # noqa: F401  for what they register
    attention,
    contractions,
    linear_algebra,
    products,
    recurrent,
    reductions,
    signals,
)
from flopledger.counting.formulas.elementwise import is_free, is_pointwise
from flopledger.counting.formulas.formula_table import (
    known_operators,
    multiplies,
    rescored,
    work,
)

__all__ = ["is_free", "is_pointwise", "known_operators", "multiplies", "rescored", "work"]
