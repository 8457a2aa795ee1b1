"""What was published of a model, held against what is counted."""

import pandas as pd

from flopledger.profiles.tables import Profile
from flopledger.zoo.registry import ModelSpec, Published

COLUMNS = ["model", "quantity", "published", "measured", "ratio", "status", "source", "differs"]


def held_against(spec: ModelSpec, profile: Profile) -> pd.DataFrame:
    """One row a published figure of the model.

    Args:
        spec: the model.
        profile: its count, on the example inputs.

    Returns:
        model, quantity, published, measured (per sample), ratio (measured / published), status,
        source, differs. The status is "reproduced" (within the print's rounding), "explained"
        (outside it, and the spec says why) or "contradicted" (outside it without a reason, or
        within it in spite of one).
    """
    return pd.DataFrame(
        [_row(spec, figure, _measured(figure, profile)) for figure in spec.published],
        columns=COLUMNS,
    )


def contradictions(rows: pd.DataFrame) -> list[str]:
    """One line for each contradicted figure of `held_against`'s rows."""
    return [
        f"{row.model}: {row.quantity} are {row.measured:,.0f} here but {row.published:,.0f} in "
        f"{row.source}; mend the model, or its published figure's rtol or differs"
        for row in rows[rows["status"] == "contradicted"].itertuples()
    ]


def _measured(figure: Published, profile: Profile) -> float:
    if figure.quantity == "params":
        return profile.totals.trainable_params
    if figure.quantity == "macs":
        return profile.totals.macs / profile.samples
    raise ValueError(
        f"{profile.model}: a published figure is of {figure.quantity!r}; say params or macs"
    )


def _row(spec: ModelSpec, figure: Published, measured: float) -> list[object]:
    ratio = measured / figure.value
    within = abs(ratio - 1) <= figure.rtol
    status = "reproduced" if within else "explained"
    if within == bool(figure.differs):
        status = "contradicted"
    return [spec.name, figure.quantity, figure.value, measured, ratio, status,
            figure.source, figure.differs]  # fmt: skip
