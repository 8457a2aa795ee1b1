"""Sweep: networks at many sizes, with the laws of their figures."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flopledger.options import Picture
from flopledger.storage.visible import visible_lines
from flopledger.sweeping.rows import Row

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Networks that were counted at many sizes.

    Attributes:
        rows: a network and a size each, in the order that they were asked for.
        spans: by letter, how many axes of an input have it: 2 of "1,3,N,N".
        further: rows that were not asked for, which the laws were held against.
        notes: what is worth knowing of how it came about, a line each.
    """

    rows: Sequence[Row]
    spans: Mapping[str, int] = field(default_factory=dict)
    further: Sequence[Row] = ()
    notes: tuple[str, ...] = ()

    @property
    def failures(self) -> list[Row]:
        """The rows without figures; each says why."""
        return [row for row in self.rows if row.error is not None]

    @property
    def confirmed(self) -> bool:
        """Whether every operator has a formula, and no count is disputed by the other counter."""
        return not any(row.uncounted or row.agrees is False for row in self.rows)

    def frame(self) -> "pd.DataFrame":
        """One row a row: model, a column a letter, input, the figures, counter, agrees, error."""
        from flopledger.reports.sweep import frame

        return frame(self.rows)

    def chart(self, form: Picture) -> str | bytes:
        """FLOPs, activations and FLOPs per parameter: points are rows, lines the laws above them.

        A row that failed is a cross, and says why.

        Raises:
            WrongOption: no row has figures.
        """
        from flopledger.reports.sweep import picture

        return picture(self, form)

    def to_json(self) -> str:
        """The object of `flopledger sweep --format json`."""
        from flopledger.reports.sweep import as_object

        return json.dumps(as_object(self), indent=2, allow_nan=False) + "\n"

    def __repr__(self) -> str:
        from flopledger.reports.sweep import table

        return visible_lines(table(self).rstrip("\n"))

    def _repr_html_(self) -> str:
        from flopledger.reports.sweep import html

        return html(self)
