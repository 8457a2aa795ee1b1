"""An experiment on the horizon as a table, as CSV, as JSON, and as a notebook shows it."""

from collections.abc import Callable
from dataclasses import asdict, fields

import pandas as pd

from flopledger.experiments.growth import Form, Growth
from flopledger.experiments.horizon_result import Horizon
from flopledger.experiments.trials import Row
from flopledger.reports.cells import markdown_text, to_csv, to_markdown
from flopledger.reports.columns import plain_table, wrapped
from flopledger.reports.notebook import as_html, page
from flopledger.reports.units import short


def table(result: Horizon) -> str:
    """A row an arm, and how the samples grow."""
    lines = "".join(f"{wrapped(line)}\n" for line in growth_lines(result.growth))
    arms = plain_table(arms_table(result)) if result.estimates else ""
    return f"{wrapped(_title(result))}\n{arms}{_unmeasured(result)}{lines}"


def html(result: Horizon) -> str:
    """The same for a notebook."""
    return as_html(_title(result), arms_table(result), growth_lines(result.growth))


def csv(result: Horizon) -> str:
    """A row a trial, those that chose the settings among them: what facts/measured/ keeps."""
    titles = [field.name for field in fields(Row) if field.name != "curve"]
    return to_csv(pd.DataFrame([asdict(row) for row in result.rows], columns=titles))


def markdown(result: Horizon) -> str:
    """The table as GitHub's, its title above and how the samples grow below."""
    lines = "".join(f"- {markdown_text(line)}\n" for line in growth_lines(result.growth))
    table = to_markdown(arms_table(result))
    return f"## {markdown_text(_title(result))}\n\n{table}\n{lines}"


# what the columns of the table may be called: --columns is held to it before any work is done
COLUMNS = ("arm", "settings", "reached", "samples", "90%", "FLOP learning", "FLOP making data")

FORMATS: dict[str, Callable[[Horizon], str]] = {
    "table": table,
    "csv": csv,
    "json": Horizon.to_json,
    "markdown": markdown,
    "html": lambda result: page("horizon", result._repr_html_()),
}


def arms_table(result: Horizon) -> pd.DataFrame:
    """What each arm took to the target."""
    return pd.DataFrame(
        {
            "arm": e.arm,
            "settings": e.settings,
            "reached": f"{e.reached} of {e.trials}",
            "samples": short(e.samples),
            "90%": _between(e.low, e.high),
            "FLOP learning": short(e.flops_learning),
            "FLOP making data": short(e.flops_making),
        }
        for e in result.estimates
    )


def growth_lines(growth: Growth | None) -> list[str]:
    """A line on each form, and on which of them the trials prefer."""
    if growth is None:
        return ["fewer than three horizons reached the target: no growth is fitted"]
    share = growth.line_better
    prefer = {
        growth.line.name: f"{growth.line.name} is the likelier form in {share:.0%} of resamples",
        growth.power.name: f"{growth.power.name} is the likelier form in {1 - share:.0%}"
        " of resamples",
        None: f"undecided: {growth.line.name} is the likelier form in {share:.0%} of resamples",
    }
    better = growth.better
    return [
        *(form_line(growth, form) for form in (growth.line, growth.power)),
        prefer[better.name if better else None],
    ]


def form_line(growth: Growth, form: Form) -> str:
    """The form with its parameters and how well it fits."""
    values = ", ".join(
        f"{letter} = {short(p.value)} ({_between(p.low, p.high)})"
        for letter, p in form.parameters.items()
    )
    left = "-" if form.left_out is None else f"{form.left_out:.3f} orders"
    return (
        f"{growth.figure} = {form.name}: {values}; AIC {form.aic:.1f}; a horizon left out is off "
        f"by {left}"
    )


def _title(result: Horizon) -> str:
    most = short(result.budget)
    return f"{result.task} ({result.title}), to {result.target:g}, {most} samples at most"


def _unmeasured(result: Horizon) -> str:
    measured = {estimate.arm for estimate in result.estimates}
    missing = [arm for arm in result.arms if arm not in measured]
    never = [e.arm for e in result.estimates if not e.reached]
    lines = [f"not measured yet: {', '.join(missing)}\n"] if missing else []
    lines += [f"no trial reached {result.target:g}: {', '.join(never)}\n"] if never else []
    return "".join(lines)


def _between(low: float | None, high: float | None) -> str:
    if low is None:
        return "-"
    return f"{short(low)} to {short(high)}" if high is not None else f"at least {short(low)}"
