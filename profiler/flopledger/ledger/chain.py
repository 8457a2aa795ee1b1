"""chain(): several ledgers one after the other, each step split, and what the steps add up to."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from flopledger.errors import WrongOption
from flopledger.ledger.comparison import Comparison, compare
from flopledger.ledger.ledger import Ledger


@dataclass(frozen=True, kw_only=True)
class Chain:
    """A chain of runs.

    Attributes:
        runs: their names, in order.
        quantity: what is compared.
        totals: each run's.
        steps: each run beside the next.
        orders: of each factor, over all steps; they add up to those from the first to the last.
    """

    runs: tuple[str, ...]
    quantity: str
    totals: tuple[float, ...]
    steps: tuple[Comparison, ...]
    orders: dict[str, float]

    @property
    def total_orders(self) -> float:
        """Orders of magnitude from the first run to the last."""
        return sum(step.orders for step in self.steps)


def chain(ledgers: Sequence[Ledger], samples: int = 10_000, seed: int = 0) -> Chain:
    """Compare each ledger with the next.

    Args:
        ledgers: at least two, of one quantity and with the same factors.
        samples: as of `compare`.
        seed: as of `compare`.

    Raises:
        ValueError: there are fewer than two, or two have no factor in common.
    """
    if len(ledgers) < 2:
        raise WrongOption(f"{len(ledgers)} runs are no chain; give two or more")
    steps = tuple(
        compare(one, other, samples=samples, seed=seed) for one, other in pairwise(ledgers)
    )
    orders = {
        share.factor: sum(step.factors[index].orders for step in steps)
        for index, share in enumerate(steps[0].factors)
    }
    return Chain(
        runs=tuple(ledger.run for ledger in ledgers),
        quantity=ledgers[0].quantity,
        totals=tuple(ledger.total for ledger in ledgers),
        steps=steps,
        orders=orders,
    )
