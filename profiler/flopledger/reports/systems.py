"""Published systems as table, CSV, Markdown, JSON, HTML; and as a picture."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from flopledger.field.field_result import Scale, Systems
from flopledger.field.horizon_slope import Slope
from flopledger.field.places import BOTTOM_UP, Off, Place
from flopledger.field.published_systems import COLUMNS as PUBLISHED
from flopledger.field.trend import Trend
from flopledger.options import Picture
from flopledger.reports.cells import markdown_text, to_csv, to_markdown
from flopledger.reports.columns import plain_table, wrapped
from flopledger.reports.notebook import as_html
from flopledger.reports.units import short

NAME = 20  # of a name in a table, so that it is whole on 80 columns
PERCENTILES = (10, 50, 90)
FEW = 5  # systems, from which percentiles are shown


def frame(systems: Systems) -> pd.DataFrame:
    """A row a system: the columns of facts/systems.csv, flop_per_param and off_trend."""
    return pd.DataFrame(
        [
            {
                **{column: getattr(one, column) for column in PUBLISHED},
                "published_on": one.published_on.isoformat() if one.published_on else None,
                "flop_per_param": one.flop_per_param,
                "off_trend": systems.off(one),
            }
            for one in systems.rows
        ],
        columns=[*PUBLISHED, "flop_per_param", "off_trend"],
    )


def by_domain(systems: Systems) -> pd.DataFrame:
    """A row a domain, each system counted in every domain that its table names.

    Columns: domain, systems, percentiles of FLOP per parameter; and of the systems in the primary
    trend: in_trend, off_trend (their mean), sd.
    """
    rows = []
    named = dict.fromkeys(d for one in systems.rows for d in one.domains or ("unknown",))
    for domain in [systems.domain] if systems.domain else named:
        own = [one for one in systems.rows if domain in (one.domains or ("unknown",))]
        off = systems.trend.of_domain(domain)
        ends = np.percentile([one.orders for one in own], PERCENTILES)
        rows.append(
            {
                "domain": domain,
                "systems": len(own),
                **{f"p{p}": 10 ** float(end) if len(own) >= FEW or p == 50 else None
                   for p, end in zip(PERCENTILES, ends, strict=True)},
                "in_trend": len(off),
                "off_trend": float(off.mean()) if len(off) else None,
                "sd": float(off.std(ddof=1)) if len(off) > 1 else None,
            }
        )  # fmt: skip
    return pd.DataFrame(rows).sort_values(["systems", "domain"], ascending=[False, True])


def table(systems: Systems) -> str:
    """A line a system, then the summary."""
    rows = pd.DataFrame(
        [
            {
                "system": _cut(one.name, NAME),
                "date": _month(one.published_on),
                "domain": _cut(one.group, 10),
                "params": short(one.params),
                "FLOP": f"{one.flop:.1e}",
                "per param": f"{one.flop_per_param:.1e}",
                "off": _orders(systems.off(one)),
            }
            for one in systems.rows
        ]
    )
    return f"{plain_table(rows)}\n{summary(systems)}"


def summary(systems: Systems) -> str:
    """What the systems come to: by domain, the trend, its variants, the runs, the horizon."""
    parts = []
    for heading, shown in sections(systems):
        parts += [wrapped(heading), plain_table(shown)]
    lines = [*(f"note: {note}" for note in systems.notes), *systems.sources]
    return "\n".join([*parts, *map(wrapped, lines)]) + "\n"


def sections(systems: Systems) -> Iterator[tuple[str, pd.DataFrame]]:
    """The summary's tables, each under a line that says what it is."""
    trend = systems.trend
    yield (
        f"training FLOP per parameter of {len(systems.rows)} systems since {systems.since}, by "
        f"domain; off: orders above the trend of {trend.name}",
        domain_table(systems),
    )
    yield told(trend), variant_table(systems)
    yield (
        "this ledger's runs, from the bottom up: orders above the trend of figures of the same "
        "accounting, and in its standard deviations (sd); in brackets, off the other's trend",
        place_table(systems),
    )
    if systems.slopes:
        yield (
            f"orders above the trend of {trend.name} for each order of steps per outcome; 90% "
            "intervals, and the range with one system of more than one step left out",
            slope_table(systems.slopes),
        )


def told(trend: Trend) -> str:
    """The trend in a sentence."""
    _, year, size = trend.coefficients
    low, high = trend.sd_interval
    return (
        f"the trend of {trend.name}, {len(trend.systems)} systems"
        f"{', ' + counted(trend) if trend.accounting else ''}: {year.value:+.2f} orders a year "
        f"(90%: {year.interval[0]:+.2f} to {year.interval[1]:+.2f}), {size.value:+.2f} an order of "
        f"parameters ({size.interval[0]:+.2f} to {size.interval[1]:+.2f}); beyond it systems vary "
        f"by {trend.sd:.2f} orders ({low:.2f} to {high:.2f}), two of them by {trend.pair_sd:.2f}, "
        f"{trend.share_apart(1):.0%} of all pairs by one order or more"
    )


def counted(trend: Trend) -> str:
    """What its figures count, in words."""
    return {"all": "all compute", "training": "gradient steps alone"}.get(
        trend.accounting or "", "accounting not known"
    )


def domain_table(systems: Systems) -> pd.DataFrame:
    """`by_domain` as people read it."""
    known = by_domain(systems)
    return pd.DataFrame(
        {
            "domain": known["domain"],
            "systems": known["systems"].map(str),
            **{title: known[f"p{p}"].map(_flop) for p, title in zip(
                PERCENTILES, ("10%", "median", "90%"), strict=True)},
            "in trend": known["in_trend"].map(str),
            "off": known["off_trend"].map(_orders),
            "sd": known["sd"].map(lambda sd: "-" if pd.isna(sd) else f"{sd:.2f}"),
        }
    )  # fmt: skip


def variant_table(systems: Systems) -> pd.DataFrame:
    """The primary trend and its variants."""
    return pd.DataFrame(
        [
            {
                "trend": one.name,
                "systems": str(one.systems),
                "sd": f"{one.sd:.2f}",
                "90%": "{:.2f} to {:.2f}".format(*one.sd_interval),
                "a pair": f"{one.pair_sd:.2f}",
                "one out": f"{one.left_out_sd:.2f}",
                "AlexNet": _orders(one.alexnet),
            }
            for one in systems.variants
        ]
    )


def place_table(systems: Systems) -> pd.DataFrame:
    """Where the runs lie, by this ledger's own totals."""
    return pd.DataFrame(
        [
            {
                "run": place.run,
                "counted": {None: "either", "training": "steps"}.get(place.accounting, "all"),
                "FLOP/param": f"{place.flop_per_param:.1e}",
                **_offs(place.off, [trend.name for trend in systems.trends]),
            }
            for place in systems.places
            if place.source == BOTTOM_UP
        ]
    )


def _offs(offs: Sequence[Off], names: Sequence[str]) -> dict[str, str]:
    by_name = {off.trend: off for off in offs}
    cells = {}
    for name in names:
        off = by_name[name]
        text = f"{off.orders:+.2f} ({off.sds:+.1f} sd)" if not off.crossed else (
            f"[{off.orders:+.2f} ({off.sds:+.1f} sd)]")  # fmt: skip
        cells[off_title(name)] = text
    return cells


def off_title(trend: str) -> str:
    """What the column is called of how far runs lie off that trend."""
    return f"off {_cut(trend, 14)}"


def slope_table(found: Sequence[Slope]) -> pd.DataFrame:
    """The slopes, with how few systems they rest on."""
    return pd.DataFrame(
        [
            {
                "systems": one.name,
                "of": str(one.systems),
                "long": str(one.long),
                "slope": f"{one.value:.2f}",
                "resampled": "{:.2f} to {:.2f}".format(*one.interval),
                "HC3": "{:.2f} to {:.2f}".format(*one.robust),
                "one out": "{:.2f} to {:.2f}".format(*one.left_out),
            }
            for one in found
        ]
    )


def published_places(places: Sequence[Place], trend: Trend) -> pd.DataFrame:
    """The runs by every total that somebody printed, off one trend, crossed ones named."""
    rows = []
    for place in places:
        off = next(off for off in place.off if off.trend == trend.name)
        rows.append(
            {
                "run": place.run,
                "counted": place.accounting or "either",
                "FLOP per parameter": f"{place.flop_per_param:.2e}",
                "orders off": f"{off.orders:+.2f}",
                "sd": f"{off.sds:+.2f}",
                "same accounting": "no" if off.crossed else "yes",
                "source": place.source,
            }
        )
    return pd.DataFrame(rows)


def markdown(systems: Systems) -> str:
    """Every table as GitHub's, the systems last and exact."""
    parts = []
    for heading, shown in sections(systems):
        parts += [f"{markdown_text(heading)}\n", to_markdown(shown)]
    exact = frame(systems).astype(object)
    parts.append(to_markdown(exact.where(exact.notna(), "").map(str)))
    lines = [*systems.notes, *systems.sources]
    return "\n".join([*parts, *(f"- {markdown_text(line)}" for line in lines)]) + "\n"


def html(systems: Systems) -> str:
    """The summary for a notebook."""
    parts = [as_html(heading, shown) for heading, shown in sections(systems)]
    return "".join(parts) + as_html("", pd.DataFrame(), [*systems.notes, *systems.sources])


def as_object(systems: Systems) -> dict[str, Any]:
    """Plain dicts, lists and numbers."""
    exact = frame(systems).astype(object)
    domains = by_domain(systems).astype(object)
    return {
        "since": systems.since.isoformat(),
        "trends": [_trend_object(trend) for trend in systems.trends],
        "variants": [asdict(one) for one in systems.variants],
        "places": [
            {**asdict(place), "published_on": place.published_on.isoformat()}
            for place in systems.places
        ],
        "slopes": [asdict(one) for one in systems.slopes],
        "domains": domains.where(domains.notna(), None).to_dict("records"),
        "systems": exact.where(exact.notna(), None).to_dict("records"),
        "notes": list(systems.notes),
        "sources": list(systems.sources),
    }


def _trend_object(trend: Trend) -> dict[str, Any]:
    return {
        "name": trend.name,
        "systems": len(trend.systems),
        "accounting": trend.accounting,
        "coefficients": [asdict(one) for one in trend.coefficients],
        "sd": trend.sd,
        "sd_interval": list(trend.sd_interval),
        "pair_sd": trend.pair_sd,
        "pair_interval": list(trend.pair_interval),
        "left_out_sd": trend.left_out_sd,
        "across_domains": trend.across,
        "within_a_domain": trend.within,
        "pairs_an_order_apart": trend.share_apart(1),
    }


def picture(systems: Systems, form: Picture, scale: Scale = "log") -> str | bytes:
    """Compute per parameter against date.

    Args:
        systems: at least one.
        form: "svg", "png" or a page that needs nothing else, "html".
        scale: of compute per parameter.
    """
    from flopledger.reports.pictures import picture as drawn
    from flopledger.reports.systems_charts import per_param, per_param_caption

    return drawn(per_param(systems, scale).to_dict(), per_param_caption(systems, scale), form)


# what columns may be called, beside `off_title`'s: --columns is held to it before any work is done
COLUMNS = ("system", "date", "domain", "params", "FLOP", "per param", "off", "systems", "10%",
           "median", "90%", "in trend", "sd", "trend", "a pair", "one out", "AlexNet", "run",
           "counted", "FLOP/param", "of", "long", "slope", "resampled", "HC3")  # fmt: skip

# what flopledger systems --format offers; of the pictures, cli/systems.py says the scale
FORMATS: dict[str, Callable[..., str | bytes]] = {
    "table": table,
    "csv": lambda systems: to_csv(frame(systems)),
    "json": Systems.to_json,
    "markdown": markdown,
    "svg": lambda systems, scale="log": picture(systems, "svg", scale),
    "png": lambda systems, scale="log": picture(systems, "png", scale),
    "html": lambda systems, scale="log": picture(systems, "html", scale),
}


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _month(day: date | None) -> str:
    return day.isoformat()[:7] if day else "-"


def _orders(value: float | None) -> str:
    return "-" if value is None or pd.isna(value) else f"{value:+.2f}"


def _flop(value: float | None) -> str:
    return "-" if value is None or pd.isna(value) else f"{value:.1e}"
