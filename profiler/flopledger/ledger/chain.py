"""Chain: several ledgers one after the other, each step split, and what the steps add up to."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from flopledger.errors import WrongOption
from flopledger.ledger.comparison import Comparison, split_ratio
from flopledger.ledger.ledger import Ledger
from flopledger.options import Picture
from flopledger.storage.json_text import json_text


@dataclass(frozen=True, kw_only=True, repr=False)
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

    @property
    def heading(self) -> str:
        """One sentence: from where to where, and what all steps make."""
        return (
            f"{self.quantity}: {' to '.join(self.runs)}, {self.totals[0]:.4g} to "
            f"{self.totals[-1]:.4g}, {self.total_orders:+.3f} orders of magnitude"
        )

    def by_factor(self) -> pd.DataFrame:
        """One row a factor: its orders of magnitude at each step, and over all steps; exact."""
        steps = {
            f"{step.a} to {step.b}": [share.orders for share in step.factors] for step in self.steps
        }
        return pd.DataFrame({"factor": self.orders.keys(), **steps, "all": self.orders.values()})

    def to_json(self) -> str:
        """What `flopledger compare A B C --format json` writes."""
        return json_text(
            {
                "runs": list(self.runs),
                "quantity": self.quantity,
                "totals": list(self.totals),
                "orders": self.total_orders,
                "factors": [
                    {"factor": name, "orders": orders} for name, orders in self.orders.items()
                ],
                "steps": [step.as_object() for step in self.steps],
            }
        )

    def chart(self, form: Picture) -> str | bytes:
        """The waterfall of the steps: svg, png (bytes), or html, a page with their table."""
        from flopledger.reports.compare_chain import picture

        return picture(self, form)

    def __repr__(self) -> str:
        return f"{self.heading}\n{self.by_factor().to_string(index=False)}"

    def _repr_html_(self) -> str:
        from flopledger.reports.compare_chain import html

        return html(self)


def chain(ledgers: Sequence[Ledger], samples: int = 10_000, seed: int = 0) -> Chain:
    """Compare each ledger with the next.

    Args:
        ledgers: at least two, of one quantity and with the same factors.
        samples: as of `split_ratio`.
        seed: as of `split_ratio`.

    Raises:
        ValueError: there are fewer than two, or two have no factor in common.
    """
    if len(ledgers) < 2:
        raise WrongOption(f"{len(ledgers)} runs are no chain; give two or more")
    steps = tuple(
        split_ratio(earlier, other, samples=samples, seed=seed)
        for earlier, other in pairwise(ledgers)
    )
    orders = {
        share.factor: sum(step.factors[index].orders for step in steps)
        for index, share in enumerate(steps[0].factors)
    }
    return Chain(
        runs=tuple(ledger.run for ledger in ledgers),
        quantity=ledgers[0].quantity,
        totals=(steps[0].a_total, *(step.b_total for step in steps)),
        steps=steps,
        orders=orders,
    )
