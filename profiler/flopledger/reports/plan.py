"""A plan of a training run: hours, energy, and what each device holds."""

from collections.abc import Callable
from dataclasses import asdict

import pandas as pd

from flopledger.planning.run_plan import Interval, Plan
from flopledger.reports.cells import markdown_text, to_csv, to_markdown
from flopledger.reports.columns import bold, plain_table, wrapped
from flopledger.reports.notebook import as_html, page
from flopledger.reports.units import percent, short


def table(plan: Plan) -> str:
    """For a terminal: the finding, what it is made of, memory, and what is assumed."""
    lines = "".join(f"{wrapped(line)}\n" for line in plan.notes)
    first, second = _headings(plan)
    return (
        f"{bold(first)}\n{wrapped(second)}\n{plain_table(_figures(plan))}"
        f"a device holds, without activations:\n{plain_table(_splits(plan))}{lines}"
    )


def markdown(plan: Plan) -> str:
    """As GitHub's tables."""
    parts = [*(f"{markdown_text(line)}\n" for line in _headings(plan))]
    parts += [to_markdown(_figures(plan)), to_markdown(_splits(plan))]
    return "\n".join([*parts, *(f"- {markdown_text(line)}" for line in plan.notes)]) + "\n"


def html(plan: Plan) -> str:
    """For a notebook."""
    first, second = _headings(plan)
    return as_html(first, _figures(plan), [second]) + as_html("", _splits(plan), plan.notes)


def _headings(plan: Plan) -> list[str]:
    low, high = plan.utilisation
    share = percent(low, 1) if low == high else f"{percent(low, 1)} to {percent(high, 1)}"
    return [
        f"{plan.run} on {plan.devices:,} x {plan.device.name}: {_range(plan.hours)} hours "
        f"({_range(plan.hours.times(1 / 24))} days)",
        f"if steps reach {share} of {short(plan.device.flops_per_second.value)}FLOP/s "
        f"({plan.dtype}) in {percent(plan.goodput, 1)} of the hours",
    ]


def _figures(plan: Plan) -> pd.DataFrame:
    rows: dict[str, Interval | None] = {
        "FLOP": plan.flop,
        "hours": plan.hours,
        "device-hours": plan.device_hours,
        "MWh": None if plan.kilowatt_hours is None else plan.kilowatt_hours.times(1e-3),
    }
    return pd.DataFrame(
        {
            "": name,
            "value": "not known" if figure is None else short(figure.value),
            "low": "-" if figure is None else short(figure.low),
            "high": "-" if figure is None else short(figure.high),
        }
        for name, figure in rows.items()
    )


def _splits(plan: Plan) -> pd.DataFrame:
    fits = {None: "not known", True: "yes", False: "no"}
    return pd.DataFrame(
        {
            "ZeRO": split.zero,
            "replicas": split.data,
            "tensor": split.tensor,
            "pipeline": split.pipeline,
            "GB a device": _figure(split.device_bytes / 1e9),
            "fits": fits[split.fits],
        }
        for split in plan.splits
    )


def _range(figure: Interval) -> str:
    if not figure.uncertain:
        return _figure(figure.value)
    return f"{_figure(figure.low)} to {_figure(figure.high)}"


def _figure(value: float) -> str:
    """Four digits, and of a large number all before the point: 12,834."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def frame(plan: Plan) -> pd.DataFrame:
    """A row a stage of ZeRO with every figure in full, the run's own in each."""
    whole = {"flop": plan.flop, "hours": plan.hours, "device_hours": plan.device_hours}
    if plan.kilowatt_hours is not None:
        whole["kilowatt_hours"] = plan.kilowatt_hours
    ends = {
        f"{name}{of}": getattr(figure, field)
        for name, figure in whole.items()
        for field, of in (("value", ""), ("low", "_low"), ("high", "_high"))
    }
    own = {"run": plan.run, "device": plan.device.name, "devices": plan.devices}
    own |= {"dtype": plan.dtype, "params": plan.params, "goodput": plan.goodput}
    own |= {"utilisation_low": plan.utilisation[0], "utilisation_high": plan.utilisation[1]}
    return pd.DataFrame(own | ends | asdict(split) for split in plan.splits)


# what the columns of the tables may be called: --columns is held to it before any work is done
COLUMNS = ("value", "low", "high", "ZeRO", "replicas", "tensor", "pipeline", "GB a device", "fits")

FORMATS: dict[str, Callable[[Plan], str]] = {
    "table": table,
    "json": Plan.to_json,
    "csv": lambda plan: to_csv(frame(plan)),
    "markdown": markdown,
    "html": lambda plan: page("plan", html(plan)),
}
