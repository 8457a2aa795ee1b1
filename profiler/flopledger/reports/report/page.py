"""The report as one self-contained page, and its charts as files."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined

from flopledger.ledger.comparison import Comparison
from flopledger.ledger.methods import FLOPS_PER_PARAM, GENERATING, OUTCOMES, POSITIONS, SAMPLES
from flopledger.ledger.quantity import Quantity
from flopledger.reports import claims, compare, train
from flopledger.reports.edition import TITLE, Edition
from flopledger.reports.report import field_chapter, horizon_chapter, inline_charts, speed_chapter
from flopledger.reports.report.figures import SIDE_BY_SIDE, Figure
from flopledger.reports.report.report_data import Findings
from flopledger.reports.units import short


def render(findings: Findings, figures: Sequence[Figure], made: Edition) -> str:
    """The page: HTML with everything it needs inside, and nothing to fetch.

    Args:
        findings: what it tells.
        figures: its charts, whose pictures and data lie beside the page.
        made: when, and by which version.
    """
    template = files("flopledger.reports.report").joinpath("page.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["html_table"] = _html_table
    environment.filters["inline"] = inline_charts.inline
    return environment.from_string(template).render(
        versions=[
            _version(findings, split)
            for splits in findings.comparisons.values()
            for split in splits.values()
        ],
        games=[
            {"name": name, "title": _short_title(findings.runs[name].title)}
            for name in findings.comparisons
        ],
        field=field_chapter.chapter(findings.field),
        discussion=findings.verdicts_of("D1")[0].claim,
        shares=share_table(findings),
        zoo=zoo_table(findings),
        claims=_claims(findings, "D1"),
        horizon=horizon_chapter.section(findings),
        trainings=[
            (
                name,
                train.agreement_table(agreement).rename(columns={"": "figure"}),
                train.verdict(agreement),
            )
            for name, agreement in findings.trainings.items()
        ],
        watched=_factors(findings.watched),
        watched_ratio=compare.heading(findings.watched),
        speed=speed_chapter.sections(findings),
        speed_title=speed_chapter.TITLE,
        speed_claims=_claims(findings, "D2"),
        contradictions=speed_chapter.contradictions(findings),
        entries=speed_chapter.entries_table(findings),
        peaks=speed_chapter.peaks_table(findings),
        totals=totals_table(findings),
        systems=systems_table(findings),
        facts=facts_table(findings),
        figures=figures,
        edition=made,
        page_title=TITLE,
        ink={"text": inline_charts.TEXT, "grid": inline_charts.GRID},
        claims_rule=claims.RULE,
    )


def _version(findings: Findings, split: Comparison) -> dict[str, Any]:
    return {
        "name": split.b,
        "accounting": split.accounting,
        "title": findings.runs[split.b].title,
        "answer": answer(findings, split),
        "why": why(findings, split),
        "factors": _factors(split),
        "hovers": _hovers(split),
        "sources": _factor_sources(split),
        "published": compare.published_table(split),
        "samples": compare.samples(split),
        "uncertainty": compare.uncertainty(split),
    }


def _claims(findings: Findings, discussion: str) -> list[dict[str, Any]]:
    verdicts = findings.verdicts_of(discussion)
    rows = claims.frame(verdicts).to_dict("records")
    return [
        {str(key): value for key, value in row.items()}
        | {
            "url": verdict.claim.url,
            "retrieved": verdict.claim.retrieved,
            "shared": verdict.claim.source == verdicts[0].claim.source,
        }
        for row, verdict in zip(rows, verdicts, strict=True)
    ]


# of the answer, by the factor whose orders it is; the rest, a few hundredths, is left to the chart
_IN_A_SENTENCE = {
    FLOPS_PER_PARAM: "weights that are used again at every point of the board",
    SAMPLES: "more samples learned from",
    GENERATING: "the tree search that makes the games",
}


def answer(findings: Findings, split: Comparison) -> str:
    """One sentence: how many orders more compute per parameter, and what each of them is for."""
    title = findings.runs[split.b].title
    assert split.samples is not None
    parts = {share.factor: share.orders for share in split.factors}
    parts[SAMPLES] = split.samples.orders
    told = [
        f"{orders:.1f} from {_IN_A_SENTENCE[factor]}"
        for factor, orders in sorted(parts.items(), key=lambda part: -part[1])
        if factor in _IN_A_SENTENCE
    ]
    ratio = float(f"{split.ratio:.2g}")  # one digit would make 150 times, 2.2 orders, 100
    what = "training compute" if split.accounting == "all" else "compute in gradient steps"
    return (
        f"{title} took {split.orders:.1f} orders of magnitude (some {ratio:,.0f} times) more "
        f"{what} per parameter than AlexNet: {', '.join(told[:-1])}, and {told[-1]}."
    )


def why(findings: Findings, split: Comparison) -> str:
    """A paragraph on each bar, in the words of the discussion."""
    ledger, base = findings.ledgers[split.b], findings.ledgers[split.a]
    parts = {share.factor: share.orders for share in split.factors}
    assert split.samples is not None
    told = ["Gradient steps alone are counted here: not the search that made the games."]
    if GENERATING in parts:
        making = ledger.factor(GENERATING)
        told = [
            "The search asks the network hundreds of times for every move of every game, and so "
            f"{1 - 1 / making:.1%} of the compute made games; {1 / making:.1%} learned from them: "
            f"{parts[GENERATING]:+.2f} orders."
        ]
    told += [
        "The weights: a convolution uses each of its own at every point of the board, a linear "
        "layer, where AlexNet keeps most, only once: "
        f"{parts[FLOPS_PER_PARAM]:+.2f} orders.",
        f"The samples: about {ledger.factor(POSITIONS):.0f} positions share one game's result, "
        f"which alone would be {parts[POSITIONS]:+.2f} orders; but each was learned from "
        f"{ledger.factor(SAMPLES):.2g} times, where AlexNet saw each image "
        f"{base.factor(SAMPLES):.0f} times ({parts[SAMPLES]:+.2f}), and games are "
        f"{ledger.factor(OUTCOMES) / base.factor(OUTCOMES):.3g} times as many as images "
        f"({parts[OUTCOMES]:+.2f}): together {split.samples.orders:+.2f} orders.",
    ]
    return " ".join(told)


def _short_title(title: str) -> str:
    """Of a version of AlphaZero, its game: "Go, Science 2018"."""
    return title.removeprefix("AlphaZero (").removesuffix(")")


def share_table(findings: Findings) -> pd.DataFrame:
    """The stacked bars' numbers, by kind of layer."""
    rows = []
    for _, profile in findings.counted:
        if profile.model in SIDE_BY_SIDE:
            frame = profile.by_kind()
            for row in frame.to_dict("records"):
                if row["params"] or row["flops"]:
                    rows.append(
                        {
                            "network": profile.model,
                            "kind": row["kind"],
                            "layers": row["layers"],
                            "parameters": short(row["params"]),
                            "share of parameters": f"{row['params'] / frame['params'].sum():.1%}",
                            "FLOPs": short(row["flops"]),
                            "share of FLOPs": f"{row['flops'] / frame['flops'].sum():.1%}",
                            "FLOPs per parameter": short(row["flops_per_param"]),
                        }
                    )
    return pd.DataFrame(rows)


def zoo_table(findings: Findings) -> pd.DataFrame:
    """The zoo's totals."""
    return pd.DataFrame(
        [
            {
                "network": profile.model,
                "year": spec.year or "",
                "parameters": short(profile.total("params")),
                "MACs": short(profile.total("macs")),
                "FLOPs": short(profile.total("flops")),
                "FLOPs per parameter": short(profile.total("flops_per_param")),
                "backward / forward": short(
                    None if profile.backward is None else profile.backward.ratio_to_forward
                ),
                "paper": spec.paper,
            }
            for spec, profile in findings.counted
        ]
    )


def totals_table(findings: Findings) -> pd.DataFrame:
    """Each run's compute from the bottom up, beside hardware's bounds and published totals."""
    rows = []
    for name, run in findings.runs.items():
        ledger, estimate = findings.ledgers[name], findings.estimates.get(name)
        learning = None if ledger.total is None else ledger.total - ledger.generating
        assert ledger.params is not None  # it is a ledger of compute
        hardware = f"{estimate.low:.2g} to {estimate.high:.2g}" if estimate else "-"
        for total in run.published or (None,):
            ours = ledger.total if total is None or total.accounting == "all" else learning
            flop = None if ours is None else ours * ledger.params
            rows.append(
                {
                    "run": name,
                    "parameters": short(ledger.params),
                    "accounting": total.accounting if total else "all",
                    "FLOP, bottom up": f"at least {ledger.generating * ledger.params:.3g}"
                    if flop is None else f"{flop:.3g}",
                    "FLOP per parameter": short(ours),
                    "FLOP by hardware": hardware,
                    "published FLOP": f"{total.quantity.value:.3g}" if total else "-",
                    "ours / published": f"{flop / total.quantity.value:.2f}"
                    if total and flop is not None else "-",
                    "source": total.quantity.source if total else "none known",
                    "as of": total.as_of.isoformat() if total and total.as_of else "",
                    "url": (total.quantity.url or "") if total else "",
                    "retrieved": _day(total.quantity) if total else "",
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _day(quantity: Quantity) -> str:
    return quantity.retrieved.isoformat() if quantity.retrieved else "from memory"


def systems_table(findings: Findings) -> pd.DataFrame:
    """The published systems of the chart over time."""
    return pd.DataFrame(
        [
            {
                "system": s.name,
                "published": s.published_on.isoformat(),
                "FLOP": f"{s.flops:.3g}",
                "parameters": short(s.params),
                "FLOP per parameter": short(s.flops / s.params if s.params else None),
                "source": s.source,
                "url": s.url,
                "retrieved": s.retrieved.isoformat(),
            }
            for s in sorted(findings.systems, key=lambda s: s.published_on)
        ]
    )


def facts_table(findings: Findings) -> pd.DataFrame:
    """Every fact of every run, with its interval and its source."""
    rows = []
    for run in findings.runs.values():
        for phase in run.phases:
            where = f"{run.name}, {phase.name}" if len(run.phases) > 1 else run.name
            rows += [_fact_row(where, key, fact) for key, fact in phase.facts.items()]
        if run.hardware is not None:
            rows.append(_fact_row(run.name, f"{run.hardware.chip} chips", run.hardware.chips))
            rows.append(_fact_row(run.name, "hours of hardware", run.hardware.hours))
    return pd.DataFrame(rows)


def _fact_row(where: str, key: str, fact: Quantity) -> dict[str, str]:
    return {
        "run": where,
        "fact": key,
        "value": short(fact.value),
        "90% interval": " to ".join(map(short, fact.ends)) if fact.uncertain else "-",
        "unit": fact.unit,
        "kind": fact.kind,
        "source": fact.source,
        "url": fact.url or "",
        "retrieved": _day(fact) if fact.kind == "cited" or fact.url else "",
    }


def _factors(comparison: Comparison) -> pd.DataFrame:
    """The factors, what a phone has no room for last."""
    c = comparison
    order = ["factor", "orders", "90% interval", c.a, c.b, "ratio", "kind"]
    return compare.factor_table(c)[order]


def _hovers(comparison: Comparison) -> list[dict[str, str]]:
    """The source behind each cell of the factors' table, by row and column."""
    a, b = comparison.a, comparison.b
    rows = [{a: share.source_a, b: share.source_b} for share in comparison.factors]
    return [*rows, dict.fromkeys((a, b), "the product of the factors")]


def _factor_sources(comparison: Comparison) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "factor": share.factor,
                f"source, {comparison.a}": share.source_a,
                f"source, {comparison.b}": share.source_b,
            }
            for share in comparison.factors
        ]
    )


def _html_table(frame: pd.DataFrame, caption: str) -> str:
    from markupsafe import Markup, escape

    # cells are escaped here; the caption is the template's own text
    linked = frame.copy()
    if "url" in linked:  # the source is the link; the day it was read stands beside it
        linked["source"] = [
            f'<a href="{escape(url)}">{escape(source)}</a>' if url else str(escape(source))
            for source, url in zip(linked["source"], linked.pop("url"), strict=True)
        ]
    plain = [column for column in linked if column != "source" or "url" not in frame]
    for column in plain:
        linked[column] = [escape(c) if isinstance(c, str) else c for c in linked[column]]
    table = linked.to_html(index=False, border=0, na_rep="", justify="left", escape=False)
    captioned = table.replace("<thead>", f"<caption>{caption}</caption><thead>", 1)
    return Markup(f'<div class="table" tabindex="0">{captioned}</div>')
